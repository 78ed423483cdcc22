#include "connectors/generate/window_rows.h"

#include <algorithm>
#include <vector>

#include "elt/literal.h"
#include "elt/local_range.h"
#include "elt/time_zone.h"

namespace levada::generate {
namespace {

/// The columns that windows can be made of.
std::vector<std::string> RisingColumns(const GeneratedTable& table) {
  std::vector<std::string> names;
  for (const auto& column : table.columns()) {
    if (column->shape().rise) names.push_back(column->shape().field->name());
  }
  return names;
}

std::string RisingHelp(const GeneratedTable& table) {
  const std::vector<std::string> names = RisingColumns(table);
  if (!names.empty()) return "name a column whose times rise with the rows: " + names.front();
  if (table.name().empty()) {
    return "make one whose times rise with the rows, { type: timestamp, sequence: 2026-01-01, "
           "step: "
           "1s }";
  }
  return "table " + table.name() +
         " has no column whose times rise with the rows; events and narrow do";
}

Result<const Column*> WindowColumn(const std::string& name, const GeneratedTable& table) {
  for (const auto& column : table.columns()) {
    if (column->shape().field->name() != name) continue;
    if (column->shape().rise) return column.get();
    return Fault(FaultCode::kImpossiblePlan,
                 "run: column \"" + name +
                     "\": expected a date or timestamp that is a sequence without NULL, since a "
                     "window is made without looking at other rows")
        .With("column", name)
        .Help(RisingHelp(table));
  }
  const std::string nearest = NearestName(name, table.schema()->field_names());
  return Fault(FaultCode::kUnknownColumn,
               "run: column \"" + name + "\" is not a column of the table")
      .With("column", name)
      .Help(nearest.empty() ? RisingHelp(table) : "did you mean \"" + nearest + "\"?");
}

std::string WithoutMidnight(std::string time) {
  constexpr std::string_view kMidnight = " 00:00:00";
  if (time.ends_with(kMidnight)) time.resize(time.size() - kMidnight.size());
  return time;
}

bool IsMidnight(int64_t micros) { return micros % kMicrosPerDay == 0; }

}  // namespace

Result<WindowRows> RowsOf(const elt::RunInstance& run, const GeneratedTable& table) {
  if (!run.window) return WindowRows{{0, table.rows()}, ""};
  const elt::Window& window = *run.window;
  ARROW_ASSIGN_OR_RAISE(const Column* column, WindowColumn(run.window_column, table));
  ARROW_ASSIGN_OR_RAISE(const elt::TimeZone zone, elt::TimeZone::Find(window.timezone));
  const arrow::DataType& type = *column->shape().field->type();
  const bool zoned = type.id() == arrow::Type::TIMESTAMP &&
                     !static_cast<const arrow::TimestampType&>(type).timezone().empty();
  const elt::LocalRange local = elt::LocalRangeOf(window, zone);
  if (type.id() == arrow::Type::DATE32 && !(IsMidnight(local.from) && IsMidnight(local.to))) {
    return Fault(FaultCode::kBadWindow, "run: column \"" + run.window_column +
                                            "\": it holds dates, which hours do not divide")
        .With("column", run.window_column)
        .Help("use run: { every: day }");
  }
  const Rise& rise = *column->shape().rise;
  WindowRows rows;
  rows.range = {FirstRowAt(rise, zoned ? window.start : local.from, table.rows()),
                FirstRowAt(rise, zoned ? window.end : local.to, table.rows())};
  const auto shown = [&](WallMicros instant, elt::LocalMicros reading) {
    return WithoutMidnight(elt::DateTimeText(zoned ? zone.ToLocal(instant) : reading));
  };
  rows.meaning = run.window_column + " in [" + shown(window.start, local.from) + ", " +
                 shown(window.end, local.to) + ") " + window.timezone;
  return rows;
}

}  // namespace levada::generate
