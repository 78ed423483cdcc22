#include "connectors/postgres/run_predicate.h"

#include <chrono>

#include "base/clock.h"
#include "elt/literal.h"
#include "elt/local_range.h"
#include "elt/time_zone.h"

namespace levada::postgres {
namespace {

// Even where clocks are turned a day has more hours than this.
constexpr WallMicros kShortestDay = std::chrono::microseconds(std::chrono::hours(20)).count();

/// ", got text"; nothing of a column that is not read.
std::string GotType(const Subject& subject, const pq::StatementColumn& column) {
  for (size_t i = 0; i < subject.selected.size(); ++i) {
    if (subject.selected[i].name == column.name) return ", got " + subject.type_names[i];
  }
  return {};
}

/// Where there is no column to go by: `expression`, "amount"::int8 as mark, can be one.
std::string MadeColumnHelp(const Subject& subject, const std::string& expression) {
  return "or read a query: that makes one: select *, " + expression + " from " +
         (subject.relation ? subject.relation->name.Quoted() : "...");
}

}  // namespace

bool IsTime(Order order) {
  return order == Order::kDate || order == Order::kTimestamp || order == Order::kTimestamptz;
}

std::string TimeLiteral(int64_t micros, Order order) {
  if (order == Order::kTimestamptz) {
    return pq::QuoteLiteral(FormatTimestamp(micros)) + "::timestamptz";
  }
  const std::string local = elt::DateTimeText(micros);
  if (order == Order::kTimestamp) return pq::QuoteLiteral(local) + "::timestamp";
  return pq::QuoteLiteral(local.substr(0, local.find(' '))) + "::date";
}

std::string MarkLiteral(const std::string& text, Order order) {
  return pq::QuoteLiteral(text) + "::" + (IsTime(order) ? std::string(NameOf(order)) : "int8");
}

Result<const pq::StatementColumn*> FindMarkColumn(const Subject& subject,
                                                  const ConsumerOptions& options,
                                                  const std::string& name) {
  ARROW_ASSIGN_OR_RAISE(const pq::StatementColumn* column,
                        NeedColumn(subject, options, name, "run: column"));
  const Order order = OrderOf(column->type_oid, subject.types);
  if (IsTime(order) || order == Order::kInteger) return column;
  return Fault(FaultCode::kImpossiblePlan,
               "run: column \"" + column->name +
                   "\": expected a whole number, date, timestamp or timestamptz, whose values can "
                   "only grow" +
                   GotType(subject, *column))
      .With("column", column->name)
      .Help("name another column under run: column:, " +
            MadeColumnHelp(subject, pq::QuoteIdentifier(column->name) + "::int8 as mark"));
}

Result<ValueRange> ValuesOf(const elt::Window& window, Order order) {
  if (order == Order::kTimestamptz) return ValueRange{window.start, window.end};
  ARROW_ASSIGN_OR_RAISE(const elt::TimeZone zone, elt::TimeZone::Find(window.timezone));
  const elt::LocalRange range = elt::LocalRangeOf(window, zone);
  return ValueRange{range.from, range.to};
}

std::string UnplacedPredicate(const std::string& column, Order order, bool nullable) {
  const std::string name = pq::QuoteIdentifier(column);
  const std::string null = nullable ? name + " IS NULL" : std::string();
  if (!IsTime(order)) return null;
  const std::string infinite = name + " IN ('infinity', '-infinity')";
  return nullable ? "(" + null + " OR " + infinite + ")" : infinite;
}

namespace {

Result<std::string> IncrementPredicate(const Subject& subject, const ConsumerOptions& options,
                                       const elt::Increment& increment) {
  ARROW_ASSIGN_OR_RAISE(const pq::StatementColumn* column,
                        FindMarkColumn(subject, options, increment.column));
  const Order order = OrderOf(column->type_oid, subject.types);
  const std::string name = pq::QuoteIdentifier(column->name);
  std::string low, high;
  if (increment.low) low = name + " > " + MarkLiteral(*increment.low, order);
  if (increment.high) high = name + " <= " + MarkLiteral(*increment.high, order);
  return AllOf({low, high});
}

Result<std::string> WindowPredicate(const Subject& subject, const ConsumerOptions& options,
                                    const elt::RunInstance& run) {
  ARROW_ASSIGN_OR_RAISE(const pq::StatementColumn* column,
                        NeedColumn(subject, options, run.window_column, "run: column"));
  const Order order = OrderOf(column->type_oid, subject.types);
  if (!IsTime(order)) {
    return Fault(FaultCode::kImpossiblePlan,
                 "run: column \"" + column->name +
                     "\": expected a date, timestamp or timestamptz to make windows of" +
                     GotType(subject, *column))
        .With("column", column->name)
        .Help("name a column with a time under run: column:, " +
              MadeColumnHelp(subject, pq::QuoteIdentifier(column->name) + "::timestamp as at"));
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
  std::string inside = name + " >= " + TimeLiteral(values.from, order) + " AND " + name + " < " +
                       TimeLiteral(values.to, order);
  if (run.null_window != elt::NullWindow::kThisWindow) return inside;
  return "(" + inside + " OR " +
         UnplacedPredicate(column->name, order, !subject.IsNotNull(*column)) + ")";
}

}  // namespace

Result<std::string> RunPredicate(const Subject& subject, const ConsumerOptions& options,
                                 const elt::RunInstance& run) {
  if (run.increment) return IncrementPredicate(subject, options, *run.increment);
  return run.window ? WindowPredicate(subject, options, run) : std::string();
}

}  // namespace levada::postgres
