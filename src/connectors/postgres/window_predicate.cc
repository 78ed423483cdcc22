#include "connectors/postgres/window_predicate.h"

#include <chrono>

#include "base/clock.h"

namespace levada::postgres {
namespace {

// Even where clocks are turned a day has more hours than this.
constexpr WallMicros kShortestDay = std::chrono::microseconds(std::chrono::hours(20)).count();

}  // namespace

std::string ShownAt(WallMicros instant, Order order, const std::string& timezone) {
  const std::string moment = pq::QuoteLiteral(FormatTimestamp(instant)) + "::timestamptz";
  if (order == Order::kTimestamptz) return moment;
  const std::string local = "(" + moment + " AT TIME ZONE " + pq::QuoteLiteral(timezone) + ")";
  return order == Order::kDate ? local + "::date" : local;
}

Result<std::string> WindowPredicate(const Subject& subject, const ConsumerOptions& options,
                                    const elt::RunInstance& run) {
  if (!run.window) return std::string();
  ARROW_ASSIGN_OR_RAISE(const pq::StatementColumn* column,
                        NeedColumn(subject, options, run.window_column, "run: column"));
  const Order order = OrderOf(column->type_oid, subject.types);
  if (order != Order::kDate && order != Order::kTimestamp && order != Order::kTimestamptz) {
    return Fault(FaultCode::kImpossiblePlan,
                 "run: column \"" + column->name +
                     "\": expected a date, timestamp or timestamptz to make windows of")
        .With("column", column->name)
        .Help("name a column with a time, or read a query: that computes one");
  }
  const elt::Window& window = *run.window;
  if (order == Order::kDate && window.end - window.start < kShortestDay) {
    return Fault(FaultCode::kImpossiblePlan, "run: column \"" + column->name +
                                                 "\" is a date: windows of an hour would be empty")
        .With("column", column->name)
        .Help("use every: day, or a column with a time");
  }
  const std::string name = pq::QuoteIdentifier(column->name);
  std::string inside = name + " >= " + ShownAt(window.start, order, window.timezone) + " AND " +
                       name + " < " + ShownAt(window.end, order, window.timezone);
  if (run.null_window != elt::NullWindow::kThisWindow) return inside;
  return "(" + inside + " OR " + name + " IS NULL)";
}

}  // namespace levada::postgres
