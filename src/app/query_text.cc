#include "app/query_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "base/binary_text.h"
#include "base/json.h"
#include "base/quantity.h"
#include "base/text_columns.h"
#include "services/d1/d1_admin.h"

namespace levada::app {
namespace {

constexpr std::pair<std::string_view, QueryMode> kModes[] = {{"table", QueryMode::kTable},
                                                             {"csv", QueryMode::kCsv},
                                                             {"json", QueryMode::kJson},
                                                             {"line", QueryMode::kLine}};

std::string TextOfValue(const Json& value, std::string_view null) {
  if (value.is_null()) return std::string(null);
  if (value.is_string()) return value.get<std::string>();
  if (!value.is_object()) return Dump(value);
  if (value.contains("hex")) return "X'" + value["hex"].get<std::string>() + "'";
  return value.value("real", "");
}

/// As answers of the API have them.
Json JsonOfValue(const Json& value) {
  if (!value.is_object()) return value;
  if (!value.contains("hex")) return nullptr;
  Json bytes = Json::array();
  const auto blob = BytesOfHex(value["hex"].get<std::string>());
  for (const char byte : blob.value_or("")) bytes.push_back(static_cast<uint8_t>(byte));
  return bytes;
}

/// "name", "name:1" of a second one: members of an object have names of their own.
std::vector<std::string> OwnNames(const Json& columns) {
  std::set<std::string> taken;
  std::vector<std::string> names;
  for (const Json& column : columns) {
    std::string name = column.get<std::string>();
    for (int i = 1; !taken.insert(name).second; ++i) {
      name = column.get<std::string>() + ":" + std::to_string(i);
    }
    names.push_back(std::move(name));
  }
  return names;
}

int64_t NumberAt(const Json& result, const char* name) { return result.value(name, int64_t{0}); }

std::string CsvField(const Json& value) {
  const std::string text = TextOfValue(value, "");
  // An empty text is told from NULL.
  const bool is_quoted =
      value.is_string() && (text.empty() || text.find_first_of(",\"\r\n") != std::string::npos);
  if (!is_quoted) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + '"';
}

std::string CsvLine(const Json& cells) {
  std::string line;
  for (size_t i = 0; i < cells.size(); ++i) line += (i > 0 ? "," : "") + CsvField(cells[i]);
  return line + "\n";
}

std::string CsvOf(const Json& result, bool has_headers) {
  std::string text = has_headers ? CsvLine(result["columns"]) : "";
  for (const Json& row : result["rows"]) text += CsvLine(row);
  return text;
}

std::string TableOf(const Json& result, const QueryStyle& style) {
  std::vector<Column> columns;
  for (size_t i = 0; i < result["columns"].size(); ++i) {
    const bool are_numbers =
        !result["rows"].empty() && std::ranges::all_of(result["rows"], [i](const Json& row) {
          return row[i].is_number() || row[i].is_null();
        });
    Column column{style.has_headers ? result["columns"][i].get<std::string>() : ""};
    column.align = are_numbers ? Align::kRight : Align::kLeft;
    column.may_shrink = true;
    columns.push_back(std::move(column));
  }
  Table table(std::move(columns));
  for (const Json& row : result["rows"]) {
    std::vector<std::string> cells;
    for (const Json& value : row) cells.push_back(TextOfValue(value, "NULL"));
    table.AddRow(std::move(cells));
  }
  std::string text = table.Render(style.table);
  if (!style.has_headers) text.erase(0, text.find('\n') + 1);
  return text;
}

std::string LinesOf(const Json& result) {
  int width = 0;
  for (const Json& column : result["columns"]) {
    width = std::max(width, DisplayWidth(column.get<std::string>()));
  }
  std::string text;
  for (const Json& row : result["rows"]) {
    if (!text.empty()) text += '\n';
    for (size_t i = 0; i < row.size(); ++i) {
      const std::string name = ShownText(result["columns"][i].get<std::string>());
      text.append(static_cast<size_t>(width - DisplayWidth(name)), ' ');
      text += name + " = " + ShownText(TextOfValue(row[i], "NULL")) + "\n";
    }
  }
  return text;
}

std::string WhatIsCut(const Json& result) {
  const int64_t all = NumberAt(result, "row_count");
  const auto shown = static_cast<int64_t>(result["rows"].size());
  if (shown >= all) return "";
  return fmt::format(
      "only the first {} of {} are shown: an answer has at most {} of rows; ask for fewer with "
      "LIMIT",
      FormatCount(shown), FormatCount(all, "row"),
      FormatBytes(int64_t{services::d1::kAdminRowsBytesMax}));
}

std::string JsonOf(const Json& result) {
  const std::vector<std::string> names = OwnNames(result["columns"]);
  Json rows = Json::array();
  for (const Json& row : result["rows"]) {
    Json object = Json::object();
    for (size_t i = 0; i < row.size(); ++i) object[names[i]] = JsonOfValue(row[i]);
    rows.push_back(std::move(object));
  }
  return Dump({{"results", std::move(rows)},
               {"meta",
                {{"duration", static_cast<double>(NumberAt(result, "duration_us")) / 1000},
                 {"changes", NumberAt(result, "changes")},
                 {"last_row_id", NumberAt(result, "last_row_id")},
                 {"rows_read", NumberAt(result, "rows_read")},
                 {"rows_written", NumberAt(result, "rows_written")}}},
               {"truncated", !WhatIsCut(result).empty()}}) +
         "\n";
}

std::string TextOfResult(const Json& result, const QueryStyle& style) {
  if (style.mode == QueryMode::kJson) return JsonOf(result);
  if (result["columns"].empty()) return "";
  if (style.mode == QueryMode::kCsv) return CsvOf(result, style.has_headers);
  if (style.mode == QueryMode::kLine) return LinesOf(result);
  return TableOf(result, style);
}

std::string SummaryOf(const Json& result) {
  const int64_t changes = NumberAt(result, "changes");
  std::string text = result["columns"].empty() ? FormatCount(changes, "change")
                                               : FormatCount(NumberAt(result, "row_count"), "row");
  return text + fmt::format("; {} read, {} written; {:.1f} ms",
                            FormatCount(NumberAt(result, "rows_read"), "row"),
                            FormatCount(NumberAt(result, "rows_written")),
                            static_cast<double>(NumberAt(result, "duration_us")) / 1000);
}

}  // namespace

std::optional<QueryMode> ParseQueryMode(std::string_view word) {
  for (const auto& [name, mode] : kModes) {
    if (name == word) return mode;
  }
  return std::nullopt;
}

std::string_view NameOf(QueryMode mode) {
  return std::ranges::find(kModes, mode, [](const auto& each) { return each.second; })->first;
}

QueryAnswer ReadQueryAnswer(std::string_view answer, const QueryStyle& style) {
  QueryAnswer read;
  const Json json = ParseJson(answer);
  if (json.contains("error")) {
    read.error = json["error"].value("message", "");
    read.error_offset = json["error"].value("offset", int64_t{-1});
    return read;
  }
  for (const Json& result : json["results"]) {
    read.statements.push_back({TextOfResult(result, style), SummaryOf(result), WhatIsCut(result)});
  }
  return read;
}

}  // namespace levada::app
