#include "app/cells.h"

#include <arrow/array/builder_binary.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>
#include <arrow/type.h>

#include <utility>

#include "conversions/column_cast.h"
#include "elt/row_json.h"
#include "elt/time_zone.h"

namespace levada::app {
namespace {

// Values that have no text form of their own.
Result<std::vector<Cell>> AsJson(const std::shared_ptr<arrow::Array>& values) {
  const auto batch = arrow::RecordBatch::Make(arrow::schema({arrow::field("", values->type())}),
                                              values->length(), {values});
  std::vector<Cell> cells(static_cast<size_t>(values->length()));
  for (int64_t row = 0; row < values->length(); ++row) {
    if (values->IsNull(row)) continue;
    ARROW_ASSIGN_OR_RAISE(const std::string json, elt::RowJson(*batch, row));
    // {"": VALUE}
    const size_t colon = json.find(':');
    cells[static_cast<size_t>(row)] = json.substr(colon + 2, json.size() - colon - 3);
  }
  return cells;
}

}  // namespace

std::string Shown(const Cell& cell) {
  if (!cell) return "NULL";
  return cell->empty() ? "\"\"" : *cell;
}

Result<std::vector<Cell>> CellsOf(const std::shared_ptr<arrow::Array>& values,
                                  arrow::MemoryPool* pool) {
  std::shared_ptr<arrow::Array> texts = values;
  if (values->type_id() != arrow::Type::STRING) {
    conversions::CastTarget target;
    target.type = arrow::utf8();
    const auto cast = conversions::MakeColumnCast(values->type(), target);
    if (!cast.ok()) return AsJson(values);
    ARROW_ASSIGN_OR_RAISE(auto converted, (*cast)->Convert(values, pool));
    if (!converted.failures.empty()) return AsJson(values);
    texts = std::move(converted.values);
  }
  const auto& strings = static_cast<const arrow::StringArray&>(*texts);
  std::vector<Cell> cells(static_cast<size_t>(strings.length()));
  for (int64_t row = 0; row < strings.length(); ++row) {
    if (strings.IsValid(row)) cells[static_cast<size_t>(row)] = strings.GetString(row);
  }
  return cells;
}

Result<ParsedCells> ParseCells(const std::vector<Cell>& cells,
                               const std::shared_ptr<arrow::DataType>& type,
                               arrow::MemoryPool* pool) {
  arrow::StringBuilder builder(pool);
  for (const Cell& cell : cells) {
    ARROW_RETURN_NOT_OK(cell ? builder.Append(*cell) : builder.AppendNull());
  }
  ParsedCells parsed;
  parsed.problems.resize(cells.size());
  ARROW_ASSIGN_OR_RAISE(parsed.values, builder.Finish());
  if (type->id() == arrow::Type::STRING) return parsed;
  conversions::CastTarget target;
  target.type = type;
  if (conversions::IsZoned(*type)) {
    ARROW_ASSIGN_OR_RAISE(target.zone, elt::TimeZone::Find("UTC"));
  }
  ARROW_ASSIGN_OR_RAISE(const auto cast, conversions::MakeColumnCast(arrow::utf8(), target));
  ARROW_ASSIGN_OR_RAISE(auto converted, cast->Convert(parsed.values, pool));
  for (const conversions::CastFailure& failure : converted.failures) {
    parsed.problems[static_cast<size_t>(failure.row)] = failure.reason;
  }
  parsed.values = std::move(converted.values);
  return parsed;
}

}  // namespace levada::app
