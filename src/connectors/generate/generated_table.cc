#include "connectors/generate/generated_table.h"

#include <algorithm>
#include <utility>

namespace levada::generate {

GeneratedTable::GeneratedTable(std::string name, int64_t rows, uint64_t seed,
                               std::vector<std::unique_ptr<const Column>> columns)
    : name_(std::move(name)), rows_(rows), seed_(seed), columns_(std::move(columns)) {
  arrow::FieldVector fields;
  for (const auto& column : columns_) {
    const ColumnShape& shape = column->shape();
    fields.push_back(shape.field);
    row_bytes_ += shape.value_bytes * (1 - shape.null_fraction);
    row_bytes_max_ += shape.row_bytes_max;
  }
  schema_ = arrow::schema(std::move(fields));
}

int64_t GeneratedTable::EstimatedBytes(int64_t rows) const {
  // Of the longest rows kRowsMax are close to an int64's end.
  return static_cast<int64_t>(std::min(9e18, row_bytes_ * static_cast<double>(rows)));
}

Result<std::shared_ptr<arrow::RecordBatch>> GeneratedTable::Make(const Context& ctx,
                                                                 int64_t first_row,
                                                                 int64_t rows) const {
  arrow::ArrayVector arrays;
  arrays.reserve(columns_.size());
  for (const auto& column : columns_) {
    ARROW_RETURN_NOT_OK(ctx.Check());
    ARROW_ASSIGN_OR_RAISE(arrays.emplace_back(), column->Make(first_row, rows, ctx.pool));
  }
  return arrow::RecordBatch::Make(schema_, rows, std::move(arrays));
}

}  // namespace levada::generate
