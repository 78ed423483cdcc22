#include "transformers/add/add_transformer.h"

#include <arrow/array/util.h>
#include <arrow/scalar.h>

#include <algorithm>
#include <utility>

#include "base/memory.h"
#include "conversions/column_cast.h"
#include "elt/plan.h"
#include "elt/stage_problems.h"
#include "elt/time_zone.h"
#include "elt/type_name.h"

namespace levada::add {
namespace {

class BoundAdd final : public elt::BoundTransformer {
 public:
  BoundAdd(elt::SchemaPtr schema, std::vector<std::shared_ptr<arrow::Scalar>> values)
      : schema_(std::move(schema)), values_(std::move(values)) {}
  const elt::SchemaPtr& schema() const override { return schema_; }
  Result<elt::Mapped> Map(Context& ctx, const elt::BatchPtr& batch,
                          elt::RejectBuffer&) const override {
    arrow::ArrayVector arrays = batch->columns();
    for (const auto& value : values_) {
      ARROW_ASSIGN_OR_RAISE(auto array,
                            arrow::MakeArrayFromScalar(*value, batch->num_rows(), ctx.pool));
      arrays.push_back(std::move(array));
    }
    return elt::Mapped{arrow::RecordBatch::Make(schema_, batch->num_rows(), std::move(arrays))};
  }

 private:
  const elt::SchemaPtr schema_;
  const std::vector<std::shared_ptr<arrow::Scalar>> values_;
};

// A time without an offset is one of the clock that {run.start:...} is written by.
Result<conversions::CastTarget> TargetOf(const AddedColumn& column, const elt::RunInstance& run) {
  conversions::CastTarget target;
  target.type = column.type;
  if (conversions::IsZoned(*column.type)) {
    ARROW_ASSIGN_OR_RAISE(target.zone,
                          elt::TimeZone::Find(run.window ? run.window->timezone : "UTC"));
  }
  return target;
}

}  // namespace

Result<std::shared_ptr<arrow::Scalar>> ValueOfRun(const AddedColumn& column,
                                                  const elt::RunInstance& run) {
  ARROW_ASSIGN_OR_RAISE(const std::string text, elt::ExpandTemplate(column.value, run));
  auto written = std::make_shared<arrow::StringScalar>(text);
  if (column.type->id() == arrow::Type::STRING) return written;
  ARROW_ASSIGN_OR_RAISE(const auto target, TargetOf(column, run));
  ARROW_ASSIGN_OR_RAISE(const auto cast, conversions::MakeColumnCast(arrow::utf8(), target));
  BudgetPool pool(0);  // for the one row; a scalar holds its own value
  ARROW_ASSIGN_OR_RAISE(const auto row, arrow::MakeArrayFromScalar(*written, 1, &pool));
  ARROW_ASSIGN_OR_RAISE(const auto converted, cast->Convert(row, &pool));
  if (converted.failures.empty()) return converted.values->GetScalar(0);
  const std::string type = elt::TypeName(*column.type);
  return Fault(FaultCode::kBadValue,
               "expected " + type + ", got \"" + text + "\": " + converted.failures.front().reason)
      .Help("write a " + type + ", or leave type: out and the column is text");
}

Result<std::unique_ptr<elt::BoundTransformer>> AddTransformer::Bind(
    const elt::SchemaPtr& input, const elt::RunInstance& run) const {
  std::vector<Diagnostic> problems;
  arrow::FieldVector fields = input->fields();
  std::vector<std::shared_ptr<arrow::Scalar>> values;
  for (const AddedColumn& column : columns_) {
    const int same = elt::FindIgnoringCase(fields, column.name);
    if (same >= 0) {
      Diagnostic problem = options_.ErrorAt("", FaultCode::kDuplicateColumn,
                                            "two columns named \"" + column.name + "\": \"" +
                                                fields[same]->name() + "\" is there already",
                                            "derive puts a column in place of another");
      problem.span = options_.KeySpanOf(column.name);
      problems.push_back(std::move(problem));
      continue;
    }
    const auto value = ValueOfRun(column, run);
    if (!value.ok()) {
      const Fault fault = FaultOf(value.status());
      problems.push_back(
          column.options.ErrorAt("value", fault.code(), fault.message(), fault.help()));
      continue;
    }
    values.push_back(*value);
    fields.push_back(arrow::field(column.name, column.type, /*nullable=*/false));
  }
  ARROW_RETURN_NOT_OK(elt::Refused("add", std::move(problems)));
  return std::make_unique<BoundAdd>(
      std::make_shared<arrow::Schema>(std::move(fields), input->metadata()), std::move(values));
}

}  // namespace levada::add
