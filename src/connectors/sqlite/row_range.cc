#include "connectors/sqlite/row_range.h"

#include <string_view>

#include "base/json.h"

namespace levada::sqlite {
namespace {

constexpr const char* kRows = "rows";

Fault Corrupt(const char* what) {
  return Fault(FaultCode::kManifestCorrupt, std::string("bounds of a split: ") + what);
}

Json JsonOf(const std::optional<int64_t>& number) { return number ? Json(*number) : Json(nullptr); }

Result<std::optional<int64_t>> NumberOf(const Json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end()) return Corrupt("an end of a range of rows is missing");
  if (found->is_null()) return std::nullopt;
  // A number above 2^63 would wrap around.
  const bool fits = found->is_number_integer() &&
                    !(found->is_number_unsigned() && found->get<uint64_t>() > INT64_MAX);
  if (!fits) return Corrupt("an end of a range of rows is no whole number");
  return found->get<int64_t>();
}

}  // namespace

std::string RowRange::ToJson() const {
  if (whole) return "{}";
  return Dump(
      {{"by", by.empty() ? Json(nullptr) : Json(by)}, {"from", JsonOf(from)}, {"to", JsonOf(to)}});
}

Result<RowRange> RowRange::FromJson(const std::string& text) {
  const Json json = ParseJson(text);
  if (!json.is_object()) return Corrupt("expected a range of rows");
  RowRange range;
  if (json.empty()) return range;
  range.whole = false;
  const auto by = json.find("by");
  const bool named = by != json.end() && by->is_string() && !by->get<std::string>().empty();
  if (!named && (by == json.end() || !by->is_null())) {
    return Corrupt("a range of rows without its column");
  }
  if (named) range.by = by->get<std::string>();
  ARROW_ASSIGN_OR_RAISE(range.from, NumberOf(json, "from"));
  ARROW_ASSIGN_OR_RAISE(range.to, NumberOf(json, "to"));
  return range;
}

std::string RowRange::Condition(const std::string& name) const {
  if (whole || (!from && !to)) return {};
  if (!to) return name + " >= " + std::to_string(*from);
  if (!from) {
    const std::string below = name + " < " + std::to_string(*to);
    return by.empty() ? below : "(" + below + " OR " + name + " IS NULL)";
  }
  return name + " >= " + std::to_string(*from) + " AND " + name + " < " + std::to_string(*to);
}

std::string RowRange::Meaning() const {
  if (whole || (!from && !to)) return {};
  const std::string name = by.empty() ? "rowid" : by;
  if (!to) return name + " >= " + std::to_string(*from);
  if (!from) return name + " < " + std::to_string(*to) + (by.empty() ? "" : " or null");
  return name + " in [" + std::to_string(*from) + ", " + std::to_string(*to) + ")";
}

std::vector<RowRange> RangesBetween(const std::string& by, const std::vector<int64_t>& cuts) {
  if (cuts.empty()) return {RowRange{}};
  std::vector<RowRange> ranges;
  for (size_t i = 0; i <= cuts.size(); ++i) {
    RowRange range;
    range.by = by;
    range.whole = false;
    if (i > 0) range.from = cuts[i - 1];
    if (i < cuts.size()) range.to = cuts[i];
    ranges.push_back(std::move(range));
  }
  return ranges;
}

std::string PartitionBounds::ToJson() const {
  Json json = ParseJson(window.ToJson());
  if (!rows.whole) json[kRows] = ParseJson(rows.ToJson());
  return Dump(json);
}

Result<PartitionBounds> PartitionBounds::FromJson(const std::string& text) {
  Json json = ParseJson(text);
  if (!json.is_object()) return Corrupt("expected a JSON object");
  PartitionBounds bounds;
  if (const auto rows = json.find(kRows); rows != json.end()) {
    ARROW_ASSIGN_OR_RAISE(bounds.rows, RowRange::FromJson(Dump(*rows)));
    if (bounds.rows.whole) return Corrupt("an empty range of rows");
    json.erase(kRows);
  }
  ARROW_ASSIGN_OR_RAISE(bounds.window, WindowBounds::FromJson(Dump(json)));
  return bounds;
}

std::string PartitionBounds::Meaning() const {
  const std::string of_rows = rows.Meaning();
  if (of_rows.empty()) return sqlite::Meaning(window);
  return window.column.empty() ? of_rows : of_rows + " and " + sqlite::Meaning(window);
}

}  // namespace levada::sqlite
