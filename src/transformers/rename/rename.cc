#include "transformers/rename/rename.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace levada::rename {
namespace {

using elt::BatchPtr;
using elt::SchemaPtr;

class BoundRename final : public elt::BoundTransformer {
 public:
  explicit BoundRename(SchemaPtr schema) : schema_(std::move(schema)) {}
  const SchemaPtr& schema() const override { return schema_; }
  Result<elt::Mapped> Map(Context&, const BatchPtr& batch, elt::RejectBuffer&) const override {
    return elt::Mapped{arrow::RecordBatch::Make(schema_, batch->num_rows(), batch->columns()), 0,
                       0};
  }

 private:
  SchemaPtr schema_;
};

class Rename final : public elt::Transformer {
 public:
  explicit Rename(elt::Options options) : options_(std::move(options)) {}

  Result<std::unique_ptr<elt::BoundTransformer>> Bind(const SchemaPtr& input) const override {
    std::vector<Diagnostic> problems;
    std::vector<std::string> names = input->field_names();
    const std::vector<std::string> before = names;
    std::map<std::string, std::string> renamed;
    for (const auto& [from, to] : options_.Map("")) {
      const auto at = std::ranges::find(before, from);
      if (at == before.end()) {
        problems.push_back(UnknownColumn(from, before));
        continue;
      }
      names[static_cast<size_t>(at - before.begin())] = to.Scalar();
      renamed[to.Scalar()] = from;
    }
    std::map<std::string, size_t> seen;
    for (size_t i = 0; i < names.size(); ++i) {
      auto [at, fresh] = seen.emplace(names[i], i);
      if (!fresh) problems.push_back(Clash(names[i], before[at->second], before[i], renamed));
    }
    if (!problems.empty()) {
      return Fault(problems.front().code, problems.front().message).At(std::move(problems));
    }
    arrow::FieldVector fields;
    for (int i = 0; i < input->num_fields(); ++i) {
      fields.push_back(input->field(i)->WithName(names[static_cast<size_t>(i)]));
    }
    return std::make_unique<BoundRename>(arrow::schema(std::move(fields), input->metadata()));
  }

 private:
  Diagnostic At(const std::string& key, FaultCode code, std::string message,
                std::string help) const {
    Diagnostic diagnostic;
    diagnostic.code = code;
    diagnostic.message = std::move(message);
    diagnostic.source = options_.source();
    diagnostic.span = options_.KeySpanOf(key);
    diagnostic.help = std::move(help);
    return diagnostic;
  }

  Diagnostic UnknownColumn(const std::string& name, const std::vector<std::string>& columns) const {
    const std::string nearest = NearestName(name, columns);
    return At(name, FaultCode::kUnknownColumn,
              fmt::format("rename: no column \"{}\" arrives here", name),
              nearest.empty() ? fmt::format("the columns are {}", fmt::join(columns, ", "))
                              : fmt::format("did you mean \"{}\"?", nearest));
  }

  Diagnostic Clash(const std::string& name, const std::string& first, const std::string& second,
                   const std::map<std::string, std::string>& renamed) const {
    return At(renamed.at(name), FaultCode::kDuplicateColumn,
              fmt::format("rename: columns \"{}\" and \"{}\" would both be called \"{}\"", first,
                          second, name),
              "choose another name for one of them");
  }

  elt::Options options_;
};

}  // namespace

const elt::OptionSpec& RenameSpec() {
  static const elt::OptionSpec spec{
      .name = "rename",
      .type = elt::OptionType::kMap,
      .doc = "columns and their new names",
      .required = true,
      .example = "{ id: order_id }",
      .fields = {{.name = "new name", .doc = "the new name of the column", .example = "order_id"}}};
  return spec;
}

std::unique_ptr<elt::Transformer> MakeRename(const elt::Options& options) {
  return std::make_unique<Rename>(options);
}

}  // namespace levada::rename
