#include "connectors/postgres/window_predicate.h"

#include <chrono>

#include "base/clock.h"
#include "elt/literal.h"
#include "elt/local_range.h"
#include "elt/time_zone.h"

namespace levada::postgres {
namespace {

// Even where clocks are turned a day has more hours than this.
constexpr WallMicros kShortestDay = std::chrono::microseconds(std::chrono::hours(20)).count();

std::string LiteralOf(int64_t value, Order order) {
  if (order == Order::kTimestamptz) {
    return pq::QuoteLiteral(FormatTimestamp(value)) + "::timestamptz";
  }
  const std::string local = elt::DateTimeText(value);
  if (order == Order::kTimestamp) return pq::QuoteLiteral(local) + "::timestamp";
  return pq::QuoteLiteral(local.substr(0, local.find(' '))) + "::date";
}

/// ", got text"; nothing of a column that is not read.
std::string GotType(const Subject& subject, const pq::StatementColumn& column) {
  for (size_t i = 0; i < subject.selected.size(); ++i) {
    if (subject.selected[i].name == column.name) return ", got " + subject.type_names[i];
  }
  return {};
}

}  // namespace

Result<ValueRange> ValuesOf(const elt::Window& window, Order order) {
  if (order == Order::kTimestamptz) return ValueRange{window.start, window.end};
  ARROW_ASSIGN_OR_RAISE(const elt::TimeZone zone, elt::TimeZone::Find(window.timezone));
  const elt::LocalRange range = elt::LocalRangeOf(window, zone);
  return ValueRange{range.from, range.to};
}

std::string UnplacedPredicate(const std::string& column, bool nullable) {
  const std::string name = pq::QuoteIdentifier(column);
  const std::string infinite = name + " IN ('infinity', '-infinity')";
  return nullable ? "(" + name + " IS NULL OR " + infinite + ")" : infinite;
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
                     "\": expected a date, timestamp or timestamptz to make windows of" +
                     GotType(subject, *column))
        .With("column", column->name)
        .Help(
            "name a column with a time under run: column:, or read a query: that makes one: "
            "select *, " +
            pq::QuoteIdentifier(column->name) + "::timestamp as at from " +
            (subject.relation ? subject.relation->name.Quoted() : "..."));
  }
  const elt::Window& window = *run.window;
  if (order == Order::kDate && window.end - window.start < kShortestDay) {
    return Fault(FaultCode::kImpossiblePlan, "run: column \"" + column->name +
                                                 "\" is a date: windows of an hour would be empty")
        .With("column", column->name)
        .Help("use every: day, or a column with a time");
  }
  ARROW_ASSIGN_OR_RAISE(const ValueRange values, ValuesOf(window, order));
  const std::string name = pq::QuoteIdentifier(column->name);
  std::string inside = name + " >= " + LiteralOf(values.from, order) + " AND " + name + " < " +
                       LiteralOf(values.to, order);
  if (run.null_window != elt::NullWindow::kThisWindow) return inside;
  return "(" + inside + " OR " + UnplacedPredicate(column->name, !subject.IsNotNull(*column)) + ")";
}

}  // namespace levada::postgres
