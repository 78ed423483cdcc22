#include "connectors/clickhouse/run_predicate.h"

#include <algorithm>
#include <chrono>

#include "connectors/clickhouse/sql_text.h"
#include "elt/literal.h"
#include "elt/local_range.h"
#include "elt/time_zone.h"

namespace levada::clickhouse {
namespace {

constexpr int64_t kMicros = 1'000'000;
constexpr int64_t kDayMicros = 86'400 * kMicros;
// Even where clocks are turned a day has more hours than this.
constexpr WallMicros kShortestDay = std::chrono::microseconds(std::chrono::hours(20)).count();

int64_t FloorDivided(int64_t value, int64_t by) { return value / by - (value % by < 0 ? 1 : 0); }

/// [from, to) of a column whose values are 0 to `most`; its literals are `function`(number).
std::string Within(const std::string& name, const char* function, int64_t from, int64_t to,
                   int64_t most) {
  if (to <= 0 || from > most) return "0";
  const auto literal = [&](int64_t value) {
    return std::string(function) + "(" + std::to_string(value) + ")";
  };
  std::string low, high;
  if (from > 0) low = name + " >= " + literal(from);
  if (to <= most) high = name + " < " + literal(to);
  const std::string both = AllOf({low, high});
  // Of a window that holds every value NULL is left out all the same.
  return both.empty() ? "isNotNull(" + name + ")" : both;
}

std::string Between(const std::string& name, const std::string& from, const std::string& to) {
  return AllOf({name + " >= " + from, name + " < " + to});
}

std::string Instants(const std::string& name, const elt::Window& window) {
  const auto literal = [](int64_t micros) {
    return "toDateTime64(" + QuoteText(elt::DateTimeText(micros)) + ", 6, 'UTC')";
  };
  return Between(name, literal(window.start), literal(window.end));
}

Result<std::string> Inside(const elt::Window& window, const std::string& name, Order order) {
  if (order == Order::kDateTime) {
    // Up, for a window that begins or ends within a second.
    return Within(name, "toDateTime", FloorDivided(window.start + kMicros - 1, kMicros),
                  FloorDivided(window.end + kMicros - 1, kMicros), 0xffffffff);
  }
  if (order == Order::kDateTime64) return Instants(name, window);
  ARROW_ASSIGN_OR_RAISE(const elt::TimeZone zone, elt::TimeZone::Find(window.timezone));
  const elt::LocalRange range = elt::LocalRangeOf(window, zone);
  const int64_t from = FloorDivided(range.from, kDayMicros);
  const int64_t to = FloorDivided(range.to, kDayMicros);
  if (order == Order::kDate) return Within(name, "toDate", from, to, 0xffff);
  const auto literal = [](int64_t days) {
    return "toDate32(" + QuoteText(elt::DateText(static_cast<int32_t>(days))) + ")";
  };
  return Between(name, literal(from), literal(to));
}

}  // namespace

Result<std::string> RunPredicate(const elt::RunInstance& run, const chnative::Type& type) {
  if (!run.window) return std::string();
  const std::string subject = "run: column \"" + run.window_column + "\"";
  const Order order = OrderOf(type);
  const bool is_date = order == Order::kDate || order == Order::kDate32;
  if (!is_date && order != Order::kDateTime && order != Order::kDateTime64) {
    return Fault(FaultCode::kImpossiblePlan,
                 subject + ": expected a Date or DateTime to make windows of")
        .With("column", run.window_column)
        .Help(
            "name another column under run: column:, or read a query: that makes one: SELECT *, "
            "toDateTime(...) AS at FROM ...");
  }
  if (is_date && run.window->end - run.window->start < kShortestDay) {
    return Fault(FaultCode::kImpossiblePlan,
                 subject + " is a date: windows of an hour would be empty")
        .With("column", run.window_column)
        .Help("use every: day, or a column with a time");
  }
  const std::string name = QuoteName(run.window_column);
  ARROW_ASSIGN_OR_RAISE(const std::string inside, Inside(*run.window, name, order));
  if (run.null_window != elt::NullWindow::kThisWindow || !MayBeNull(type)) return inside;
  return "(" + inside + ") OR isNull(" + name + ")";
}

}  // namespace levada::clickhouse
