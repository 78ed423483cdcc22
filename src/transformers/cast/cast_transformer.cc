#include "transformers/cast/cast_transformer.h"

#include <arrow/array.h>

#include <optional>
#include <utility>

#include "elt/stage_problems.h"
#include "elt/type_name.h"

namespace levada::cast {
namespace {

struct BoundColumn {
  int index = 0;
  std::string name;
  std::unique_ptr<conversions::ColumnCast> cast;
  elt::OnError on_error = elt::OnError::kFail;
};

/// The size of a text or blob, which helps to find it; nullopt for other values.
std::optional<int64_t> SizeOf(const arrow::Array& array, int64_t row) {
  switch (array.type_id()) {
    case arrow::Type::STRING:
    case arrow::Type::BINARY:
      return static_cast<const arrow::BinaryArray&>(array).value_length(row);
    case arrow::Type::LARGE_STRING:
    case arrow::Type::LARGE_BINARY:
      return static_cast<const arrow::LargeBinaryArray&>(array).value_length(row);
    default:
      return std::nullopt;
  }
}

class BoundCast final : public elt::BoundTransformer {
 public:
  BoundCast(elt::SchemaPtr schema, std::vector<BoundColumn> columns)
      : schema_(std::move(schema)), columns_(std::move(columns)) {}

  const elt::SchemaPtr& schema() const override { return schema_; }

  Result<elt::Mapped> Map(Context& ctx, const elt::BatchPtr& batch,
                          elt::RejectBuffer& rejects) const override {
    arrow::ArrayVector arrays = batch->columns();
    elt::RowFates fates;
    std::optional<std::pair<int64_t, Status>> first_failure;
    for (const BoundColumn& column : columns_) {
      ARROW_ASSIGN_OR_RAISE(conversions::CastColumn cast,
                            column.cast->Convert(arrays[column.index], ctx.pool));
      arrays[column.index] = std::move(cast.values);
      for (const conversions::CastFailure& failure : cast.failures) {
        if (column.on_error == elt::OnError::kFail) {
          // Of several columns the one whose value comes first in the data, on every run alike.
          if (!first_failure || failure.row < first_failure->first) {
            first_failure = {failure.row, Failed(*batch, column, failure)};
          }
          break;
        }
        fates.Add(failure.row, column.on_error, column.name,
                  "not " + TargetName(column) + ": " + failure.reason);
      }
    }
    if (first_failure) return first_failure->second;
    auto whole = arrow::RecordBatch::Make(schema_, batch->num_rows(), std::move(arrays));
    return fates.Apply("cast", batch, std::move(whole), rejects, ctx.pool);
  }

 private:
  std::string TargetName(const BoundColumn& column) const {
    return elt::TypeName(*schema_->field(column.index)->type());
  }

  Status Failed(const arrow::RecordBatch& batch, const BoundColumn& column,
                const conversions::CastFailure& failure) const {
    const arrow::Array& array = *batch.column(column.index);
    const std::optional<int64_t> size = SizeOf(array, failure.row);
    const std::string row = std::to_string(failure.row + 1);
    Fault fault(FaultCode::kCastFailed,
                "column \"" + column.name + "\": expected " + TargetName(column) +
                    ", got a value of type " + elt::TypeName(*array.type()) +
                    (size ? " and " + std::to_string(*size) + " bytes" : "") + ": " +
                    failure.reason + " (row " + row + " of its batch)");
    fault.With("column", column.name).With("batch_row", row).With("reason", failure.reason);
    fault.Help(
        "correct the value, or say what such values get, on_error: discard_value | "
        "discard_row | quarantine");
    return fault;
  }

  const elt::SchemaPtr schema_;
  const std::vector<BoundColumn> columns_;
};

}  // namespace

Result<std::unique_ptr<elt::BoundTransformer>> CastTransformer::Bind(
    const elt::SchemaPtr& input, const elt::RunInstance&) const {
  std::vector<Diagnostic> problems;
  arrow::FieldVector fields = input->fields();
  std::vector<BoundColumn> columns;
  for (const CastEntry& entry : entries_) {
    const int index = elt::FindColumn(*input, entry.column, options_, "", problems);
    if (index < 0) continue;
    auto cast = conversions::MakeColumnCast(fields[index]->type(), entry.target);
    if (!cast.ok()) {
      const Fault fault = FaultOf(cast.status());
      problems.push_back(entry.options.ErrorAt(
          "type", fault.code(), "column \"" + entry.column + "\": " + fault.message(),
          fault.help()));
      continue;
    }
    const bool nullable =
        fields[index]->nullable() || entry.on_error == elt::OnError::kDiscardValue;
    fields[index] = fields[index]->WithType(entry.target.type)->WithNullable(nullable);
    columns.push_back({index, entry.column, *std::move(cast), entry.on_error});
  }
  ARROW_RETURN_NOT_OK(elt::Refused("cast", std::move(problems)));
  return std::make_unique<BoundCast>(
      std::make_shared<arrow::Schema>(std::move(fields), input->metadata()), std::move(columns));
}

}  // namespace levada::cast
