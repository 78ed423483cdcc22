#include "transformers/rename/rename_transformer.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace levada::rename {
namespace {

class BoundRename final : public elt::BoundTransformer {
 public:
  explicit BoundRename(elt::SchemaPtr schema) : schema_(std::move(schema)) {}
  const elt::SchemaPtr& schema() const override { return schema_; }
  Result<elt::Mapped> Map(Context&, const elt::BatchPtr& batch, elt::RejectBuffer&) const override {
    return elt::Mapped{arrow::RecordBatch::Make(schema_, batch->num_rows(), batch->columns())};
  }

 private:
  const elt::SchemaPtr schema_;
};

std::string Lower(std::string name) {
  for (char& c : name) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return name;
}

}  // namespace

Result<std::unique_ptr<elt::BoundTransformer>> RenameTransformer::Bind(
    const elt::SchemaPtr& input) const {
  std::vector<Diagnostic> problems;
  arrow::FieldVector fields = input->fields();
  std::vector<const elt::Options*> renamed_by(fields.size());
  const auto entries = options_.Map("");
  for (const auto& [name, target] : entries) {
    const int index = input->GetFieldIndex(name);
    if (index >= 0) {
      fields[index] = fields[index]->WithName(target.Scalar());
      renamed_by[index] = &target;
      continue;
    }
    const std::string nearest = NearestName(name, input->field_names());
    Diagnostic problem = target.ErrorAt("", FaultCode::kUnknownColumn,
                                        "no column \"" + name + "\" reaches this stage",
                                        nearest.empty() ? "" : "did you mean \"" + nearest + "\"?");
    problem.span = options_.KeySpanOf(name);
    problems.push_back(std::move(problem));
  }
  std::map<std::string, size_t> taken;
  for (size_t i = 0; i < fields.size(); ++i) {
    const auto [first, fresh] = taken.emplace(Lower(fields[i]->name()), i);
    if (fresh) continue;
    // The entry to point at: the later one, unless only the earlier column was renamed.
    const elt::Options* entry = renamed_by[i] ? renamed_by[i] : renamed_by[first->second];
    if (entry == nullptr) continue;  // the input's own problem, not made here
    problems.push_back(entry->ErrorAt("", FaultCode::kDuplicateColumn,
                                      "two columns named \"" + fields[i]->name() + "\": \"" +
                                          input->field(static_cast<int>(first->second))->name() +
                                          "\" and \"" + input->field(static_cast<int>(i))->name() +
                                          "\"",
                                      "names must differ in more than case"));
  }
  if (!problems.empty()) {
    const FaultCode code = problems.front().code;
    const std::string message = "rename: " + problems.front().message;
    return Fault(code, message).At(std::move(problems));
  }
  return std::make_unique<BoundRename>(
      std::make_shared<arrow::Schema>(std::move(fields), input->metadata()));
}

}  // namespace levada::rename
