#include "connectors/exec/window_guard.h"

#include <arrow/array.h>
#include <arrow/type.h>
#include <arrow/util/checked_cast.h>

#include <string>
#include <utility>
#include <vector>

#include "elt/time_unit.h"
#include "elt/time_zone.h"

namespace levada::exec {
namespace {

using arrow::internal::checked_cast;
// Of nanoseconds the bounds of a window in the year 9999 are beyond 64 bits.
__extension__ using Wide = __int128;

/// The first row whose value, of which `per_second` are a second, is not in [from, to) of
/// microseconds; -1: all are.
template <typename ArrayType>
int64_t FirstOutside(const ArrayType& array, Wide per_second, int64_t from, int64_t to) {
  constexpr Wide kMicros = 1'000'000;
  for (int64_t row = 0; row < array.length(); ++row) {
    if (array.IsNull(row)) continue;
    const Wide value = Wide{array.Value(row)} * kMicros;
    if (value < Wide{from} * per_second || value >= Wide{to} * per_second) return row;
  }
  return -1;
}

/// The same of days.
int64_t FirstDayOutside(const arrow::Date32Array& array, int64_t from, int64_t to) {
  constexpr int64_t kMicrosPerDay = int64_t{86'400} * 1'000'000;
  for (int64_t row = 0; row < array.length(); ++row) {
    if (array.IsNull(row)) continue;
    const int64_t value = int64_t{array.Value(row)} * kMicrosPerDay;
    if (value < from || value >= to) return row;
  }
  return -1;
}

}  // namespace

Result<WindowGuard> WindowGuard::Make(const elt::RunInstance& run, const arrow::Schema& schema) {
  WindowGuard guard;
  guard.run_ = run;
  if (!run.window) return guard;
  guard.column_ = schema.GetFieldIndex(run.window_column);
  if (guard.column_ < 0) {
    std::string nearest = NearestName(run.window_column, schema.field_names());
    return Fault(FaultCode::kUnknownColumn,
                 "window column \"" + run.window_column + "\": the program writes no such column")
        .Help(nearest.empty() ? "write it, or name another one, run: { column: ... }"
                              : "did you mean \"" + nearest + "\"?");
  }
  ARROW_ASSIGN_OR_RAISE(const elt::TimeZone zone, elt::TimeZone::Find(run.window->timezone));
  guard.local_ = elt::LocalRangeOf(*run.window, zone);
  return guard;
}

Status WindowGuard::Check(const arrow::RecordBatch& batch) const {
  if (column_ < 0) return Status::OK();
  const arrow::Array& array = *batch.column(column_);
  if (array.null_count() > 0 && run_.null_window != elt::NullWindow::kThisWindow) {
    return Fault(FaultCode::kNullInWindow,
                 "window column \"" + run_.window_column + "\": expected a time, got NULL")
        .With("column", run_.window_column)
        .Help(run_.null_window == elt::NullWindow::kError
                  ? "say which window takes such rows, run: { null: <window> }, or leave them out"
                  : "rows without a time belong to the window that run: { null: ... } names, and "
                    "this is another one");
  }
  int64_t row = -1;
  if (array.type_id() == arrow::Type::DATE32) {
    row = FirstDayOutside(checked_cast<const arrow::Date32Array&>(array), local_.from, local_.to);
  } else if (array.type_id() == arrow::Type::TIMESTAMP) {
    const auto& type = checked_cast<const arrow::TimestampType&>(*array.type());
    const bool is_instant = !type.timezone().empty();
    row = FirstOutside(
        checked_cast<const arrow::TimestampArray&>(array), elt::UnitsPerSecond(type.unit()),
        is_instant ? run_.window->start : local_.from, is_instant ? run_.window->end : local_.to);
  }
  return row < 0 ? Status::OK() : Refuse(row);
}

Status WindowGuard::Refuse(int64_t row) const {
  return Fault(FaultCode::kValueRefused, "window column \"" + run_.window_column +
                                             "\": the program was asked for window " +
                                             run_.window->label + " and wrote a row of another one")
      .With("column", run_.window_column)
      .With("row_of_batch", std::to_string(row + 1))
      .Help(
          "write the rows from LEVADA_WINDOW_START up to, and without, LEVADA_WINDOW_END; the "
          "command can name them too, {run.start:%Y-%m-%d}");
}

}  // namespace levada::exec
