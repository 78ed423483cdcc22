#include "transformers/rename/rename_transformer.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/ascii.h"
#include "elt/stage_problems.h"

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

}  // namespace

Result<std::unique_ptr<elt::BoundTransformer>> RenameTransformer::Bind(
    const elt::SchemaPtr& input, const elt::RunInstance&) const {
  std::vector<Diagnostic> problems;
  arrow::FieldVector fields = input->fields();
  std::vector<const elt::Options*> renamed_by(fields.size());
  const auto entries = options_.Map("");
  for (const auto& [name, target] : entries) {
    const int index = elt::FindColumn(*input, name, options_, "", problems);
    if (index < 0) continue;
    fields[index] = fields[index]->WithName(target.Scalar());
    renamed_by[index] = &target;
  }
  std::map<std::string, size_t> taken;
  for (size_t i = 0; i < fields.size(); ++i) {
    const auto [first, fresh] = taken.emplace(LowerAscii(fields[i]->name()), i);
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
  ARROW_RETURN_NOT_OK(elt::Refused("rename", std::move(problems)));
  return std::make_unique<BoundRename>(
      std::make_shared<arrow::Schema>(std::move(fields), input->metadata()));
}

}  // namespace levada::rename
