#include "connectors/sqlite/window_bounds.h"

#include "base/json.h"
#include "db/sqlite/database.h"
#include "elt/literal.h"
#include "elt/local_range.h"
#include "elt/time_zone.h"

namespace levada::sqlite {
namespace {

using db::sqlite::QuoteName;
using db::sqlite::QuoteText;

constexpr size_t kDateSize = std::string_view("2026-01-01").size();
constexpr size_t kMinuteSize = std::string_view("2026-01-01 05:00").size();

/// As short as it can be, since a prefix sorts before everything it begins: values of midnight may
/// be written without time, values of a whole minute without seconds.
std::string BoundText(int64_t local_micros) {
  const std::string text = elt::DateTimeText(local_micros);
  if (text.substr(kDateSize) == " 00:00:00") return text.substr(0, kDateSize);
  return text.substr(kMinuteSize) == ":00" ? text.substr(0, kMinuteSize) : text;
}

bool IsDate(const std::string& bound) { return bound.size() == kDateSize; }

/// The text of the column with a space between date and time, whatever stands there ("T" sorts
/// behind " "). Only that one character is touched: texts that differ elsewhere keep their order,
/// and so every text is in one window.
std::string Spaced(const std::string& column) {
  return "(substr(" + column + ", 1, 10) || replace(replace(substr(" + column +
         ", 11, 1), 'T', ' '), 't', ' ') || substr(" + column + ", 12))";
}

}  // namespace

std::string WindowBounds::ToJson() const {
  if (column.empty()) return "{}";
  return Dump({{"column", column},
               {"from", from},
               {"to", to},
               {"nulls", nulls},
               {"null_error", null_error}});
}

Result<WindowBounds> WindowBounds::FromJson(const std::string& text) {
  const Json json = ParseJson(text);
  const Fault corrupt(FaultCode::kManifestCorrupt,
                      "split record: bounds that the sqlite consumer did not write");
  if (!json.is_object()) return corrupt;
  if (json.empty()) return WindowBounds();
  WindowBounds bounds;
  for (auto [key, member] :
       {std::pair("column", &WindowBounds::column), std::pair("from", &WindowBounds::from),
        std::pair("to", &WindowBounds::to)}) {
    const auto found = json.find(key);
    if (found == json.end() || !found->is_string()) return corrupt;
    bounds.*member = found->get<std::string>();
  }
  for (auto [key, member] : {std::pair("nulls", &WindowBounds::nulls),
                             std::pair("null_error", &WindowBounds::null_error)}) {
    const auto found = json.find(key);
    if (found == json.end() || !found->is_boolean()) return corrupt;
    bounds.*member = found->get<bool>();
  }
  if (bounds.column.empty()) return corrupt;
  return bounds;
}

Result<WindowBounds> BoundsOf(const elt::RunInstance& run, const arrow::DataType& type) {
  if (!run.window) return WindowBounds();
  const std::string subject = "window column \"" + run.window_column + "\"";
  const bool zoned = type.id() == arrow::Type::TIMESTAMP &&
                     !static_cast<const arrow::TimestampType&>(type).timezone().empty();
  if (zoned) {
    return Fault(FaultCode::kBadWindow, subject + ": timestamps with an offset do not sort as text")
        .Help(
            "select it in UTC and without offset, query: SELECT ..., datetime(x) AS x, with "
            "types: {x: timestamp}");
  }
  if (type.id() != arrow::Type::DATE32 && type.id() != arrow::Type::TIMESTAMP &&
      type.id() != arrow::Type::STRING) {
    return Fault(FaultCode::kBadWindow,
                 subject + ": expected a date, a timestamp or a text, got " + type.ToString())
        .Help(
            "windows are cut where ISO dates are stored; convert it in query:, e.g. "
            "datetime(x, 'unixepoch') AS x with types: {x: timestamp}");
  }
  ARROW_ASSIGN_OR_RAISE(const elt::TimeZone zone, elt::TimeZone::Find(run.window->timezone));
  WindowBounds bounds;
  bounds.column = run.window_column;
  const elt::LocalRange range = elt::LocalRangeOf(*run.window, zone);
  bounds.from = BoundText(range.from);
  bounds.to = BoundText(range.to);
  bounds.nulls = run.null_window == elt::NullWindow::kThisWindow;
  bounds.null_error = run.null_window == elt::NullWindow::kError;
  if (type.id() == arrow::Type::DATE32 && !(IsDate(bounds.from) && IsDate(bounds.to))) {
    return Fault(FaultCode::kBadWindow, subject + ": it holds dates, which hours do not divide")
        .Help("use run: { every: day }");
  }
  return bounds;
}

std::string Condition(const WindowBounds& bounds) {
  if (bounds.column.empty()) return {};
  const std::string column = QuoteName(bounds.column);
  std::string range;
  if (IsDate(bounds.from) && IsDate(bounds.to)) {
    range =
        column + " >= " + QuoteText(bounds.from) + " AND " + column + " < " + QuoteText(bounds.to);
  } else {
    // The days around stay a range of the column itself, for an index; "u" sorts behind everything
    // that may stand between date and time.
    const std::string spaced = Spaced(column);
    range = column + " >= " + QuoteText(bounds.from.substr(0, kDateSize)) + " AND " + column +
            " < " + QuoteText(bounds.to.substr(0, kDateSize) + "u") + " AND " + spaced +
            " >= " + QuoteText(bounds.from) + " AND " + spaced + " < " + QuoteText(bounds.to);
  }
  return bounds.nulls ? "(" + range + " OR " + column + " IS NULL)" : range;
}

std::string StrayCondition(const WindowBounds& bounds) {
  if (bounds.column.empty()) return {};
  const std::string column = QuoteName(bounds.column);
  // Numbers sort before every text, blobs behind; '/' and ':' are the neighbours of the digits.
  // They must not look like numbers themselves, or SQLite would compare as such.
  std::string strays = column + " < '/' OR " + column + " >= ':'";
  if (bounds.null_error) strays += " OR " + column + " IS NULL";
  return strays;
}

std::string MisfitCondition(const WindowBounds& bounds, bool is_utc) {
  if (bounds.column.empty()) return {};
  const std::string column = QuoteName(bounds.column);
  const std::string clock = "substr(" + column + ", 11)";
  std::string misfits = "substr(" + column +
                        ", 1, 10) NOT GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]' OR (" +
                        clock + " <> '' AND " + clock + " NOT GLOB '[ Tt][0-9][0-9]:[0-9][0-9]*')";
  std::string offset = clock + " GLOB '*[Zz+-]*'";
  if (is_utc) offset += " AND " + clock + " NOT GLOB '*[Zz]' AND " + clock + " NOT GLOB '*+00:00'";
  return "(" + Condition(bounds) + ") AND " + column + " IS NOT NULL AND (" + misfits + " OR (" +
         offset + "))";
}

std::string Meaning(const WindowBounds& bounds) {
  if (bounds.column.empty()) return "all rows";
  return bounds.column + " in [" + bounds.from + ", " + bounds.to + ")" +
         (bounds.nulls ? " or null" : "");
}

}  // namespace levada::sqlite
