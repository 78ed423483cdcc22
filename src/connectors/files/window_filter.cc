#include "connectors/files/window_filter.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/compute/api_vector.h>
#include <arrow/compute/exec.h>
#include <arrow/type.h>

#include "elt/literal.h"
#include "elt/time_unit.h"
#include "elt/time_zone.h"
#include "elt/type_name.h"

namespace levada::files {
namespace {

// Of nanoseconds the bounds of a window in the year 9999 are beyond 64 bits.
__extension__ using Wide = __int128;
constexpr int64_t kMicrosPerSecond = 1'000'000;
constexpr int64_t kMicrosPerDay = 86'400 * kMicrosPerSecond;

bool IsMidnight(int64_t micros) { return micros % kMicrosPerDay == 0; }

std::string WithoutMidnight(std::string time) {
  constexpr std::string_view kMidnight = " 00:00:00";
  if (time.ends_with(kMidnight)) time.resize(time.size() - kMidnight.size());
  return time;
}

}  // namespace

Result<WindowFilter> WindowFilter::Make(const elt::RunInstance& run, const arrow::Schema& schema) {
  WindowFilter filter;
  if (!run.window) return filter;
  filter.name_ = run.window_column;
  const auto refuse = [&](FaultCode code, const std::string& problem, const std::string& help) {
    return Fault(code, "run: column \"" + run.window_column + "\": " + problem)
        .With("column", run.window_column)
        .Help(help);
  };
  filter.column_ = schema.GetFieldIndex(run.window_column);
  if (filter.column_ < 0) {
    const std::string nearest = NearestName(run.window_column, schema.field_names());
    return refuse(FaultCode::kUnknownColumn, "the files have no such column",
                  nearest.empty() ? "name a column of dates or timestamps"
                                  : "did you mean \"" + nearest + "\"?");
  }
  filter.nulls_ = run.null_window;
  const arrow::DataType& type = *schema.field(filter.column_)->type();
  ARROW_ASSIGN_OR_RAISE(const elt::TimeZone zone, elt::TimeZone::Find(run.window->timezone));
  const elt::LocalRange local = elt::LocalRangeOf(*run.window, zone);
  filter.from_ = local.from;
  filter.to_ = local.to;
  if (type.id() == arrow::Type::DATE32) {
    if (IsMidnight(local.from) && IsMidnight(local.to)) return filter;
    return refuse(FaultCode::kBadWindow, "it holds dates, which hours do not divide",
                  "use run: { every: day }");
  }
  if (type.id() != arrow::Type::TIMESTAMP) {
    return refuse(FaultCode::kBadWindow,
                  "expected a date or a timestamp, got " + elt::TypeName(type),
                  "say its type, types: { " + run.window_column + ": timestamp }");
  }
  const auto& timestamp = static_cast<const arrow::TimestampType&>(type);
  filter.per_second_ = elt::UnitsPerSecond(timestamp.unit());
  if (!timestamp.timezone().empty()) {
    filter.from_ = run.window->start;
    filter.to_ = run.window->end;
  }
  return filter;
}

Result<elt::BatchPtr> WindowFilter::Apply(const elt::BatchPtr& batch,
                                          arrow::MemoryPool* pool) const {
  if (column_ < 0) return batch;
  const arrow::Array& column = *batch->column(column_);
  const Wide per_second = per_second_ == 0 ? 1 : per_second_;
  const Wide micros = per_second_ == 0 ? kMicrosPerDay : kMicrosPerSecond;
  arrow::Int64Builder kept(pool);
  ARROW_RETURN_NOT_OK(kept.Reserve(batch->num_rows()));
  for (int64_t row = 0; row < batch->num_rows(); ++row) {
    if (column.IsNull(row)) {
      if (nulls_ == elt::NullWindow::kError) {
        return Fault(FaultCode::kNullInWindow,
                     "window column \"" + name_ + "\": expected a time, got NULL")
            .With("column", name_)
            .With("row_of_batch", std::to_string(row + 1))
            .Help("say which window takes such rows, run: { null: <window> }, or correct them");
      }
      if (nulls_ == elt::NullWindow::kThisWindow) kept.UnsafeAppend(row);
      continue;
    }
    const Wide value = per_second_ == 0
                           ? Wide{static_cast<const arrow::Date32Array&>(column).Value(row)}
                           : Wide{static_cast<const arrow::TimestampArray&>(column).Value(row)};
    const Wide scaled = value * micros;
    if (scaled >= Wide{from_} * per_second && scaled < Wide{to_} * per_second) {
      kept.UnsafeAppend(row);
    }
  }
  if (kept.length() == batch->num_rows()) return batch;
  ARROW_ASSIGN_OR_RAISE(const auto rows, kept.Finish());
  arrow::compute::ExecContext context(pool);
  ARROW_ASSIGN_OR_RAISE(
      const arrow::Datum taken,
      arrow::compute::Take(arrow::Datum(batch), arrow::Datum(rows),
                           arrow::compute::TakeOptions::NoBoundsCheck(), &context));
  return taken.record_batch();
}

std::string WindowFilter::Meaning() const {
  if (column_ < 0) return {};
  return name_ + " in [" + WithoutMidnight(elt::DateTimeText(from_)) + ", " +
         WithoutMidnight(elt::DateTimeText(to_)) + ")";
}

}  // namespace levada::files
