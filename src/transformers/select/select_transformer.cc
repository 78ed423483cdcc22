#include "transformers/select/select_transformer.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "elt/stage_problems.h"

namespace levada::select {
namespace {

class BoundSelect final : public elt::BoundTransformer {
 public:
  BoundSelect(elt::SchemaPtr schema, std::vector<int> indices)
      : schema_(std::move(schema)), indices_(std::move(indices)) {}
  const elt::SchemaPtr& schema() const override { return schema_; }
  Result<elt::Mapped> Map(Context&, const elt::BatchPtr& batch, elt::RejectBuffer&) const override {
    arrow::ArrayVector arrays;
    for (const int index : indices_) arrays.push_back(batch->column(index));
    return elt::Mapped{arrow::RecordBatch::Make(schema_, batch->num_rows(), std::move(arrays))};
  }

 private:
  const elt::SchemaPtr schema_;
  const std::vector<int> indices_;
};

}  // namespace

Result<std::unique_ptr<elt::BoundTransformer>> SelectTransformer::Bind(
    const elt::SchemaPtr& input, const elt::RunInstance&) const {
  const bool keeps = options_.Given("columns");
  const std::string_view option = keeps ? "columns" : "except";
  std::vector<Diagnostic> problems;
  std::vector<int> named;
  std::set<int> seen;
  for (const std::string& name : options_.Texts(option)) {
    const int index = elt::FindColumn(*input, name, options_, option, problems);
    if (index < 0) continue;
    if (!seen.insert(index).second) {
      problems.push_back(options_.ErrorAt(
          option, FaultCode::kDuplicateColumn, "column \"" + name + "\" is named twice",
          keeps ? "a second copy under another name comes from derive" : "name it once"));
    } else {
      named.push_back(index);
    }
  }
  std::vector<int> indices;
  if (keeps) {
    indices = std::move(named);
  } else {
    for (int i = 0; i < input->num_fields(); ++i) {
      if (!seen.contains(i)) indices.push_back(i);
    }
  }
  if (problems.empty() && indices.empty()) {
    problems.push_back(
        options_.ErrorAt(option, FaultCode::kBadValue, "no column would be left",
                         keeps ? "name a column, columns: [id]" : "name fewer columns in except"));
  }
  ARROW_RETURN_NOT_OK(elt::Refused("select", std::move(problems)));
  arrow::FieldVector fields;
  for (const int index : indices) fields.push_back(input->field(index));
  return std::make_unique<BoundSelect>(
      std::make_shared<arrow::Schema>(std::move(fields), input->metadata()), std::move(indices));
}

}  // namespace levada::select
