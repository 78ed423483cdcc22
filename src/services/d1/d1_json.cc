#include "services/d1/d1_json.h"

#include <fmt/format.h>

#include <cmath>
#include <iterator>
#include <utility>

#include "base/json.h"

namespace levada::services::d1 {
namespace {

using db::sqlite::Blob;
using db::sqlite::SqlAnswer;
using db::sqlite::SqlResult;
using db::sqlite::SqlText;
using db::sqlite::SqlValue;

ParsedRequest Refuse(std::string why) { return {std::move(why), {}, false}; }

/// nullopt: no value that SQLite has.
std::optional<SqlValue> ParseValue(const Json& json) {
  if (json.is_null()) return SqlValue();
  if (json.is_boolean()) return SqlValue(int64_t{json.get<bool>() ? 1 : 0});
  if (json.is_number_unsigned()) {
    const auto number = json.get<uint64_t>();
    if (number > uint64_t{INT64_MAX}) return SqlValue(static_cast<double>(number));
    return SqlValue(static_cast<int64_t>(number));
  }
  if (json.is_number_integer()) return SqlValue(json.get<int64_t>());
  if (json.is_number_float()) return SqlValue(json.get<double>());
  if (json.is_string()) return SqlValue(json.get<std::string>());
  if (!json.is_array()) return std::nullopt;
  Blob blob;
  blob.reserve(json.size());
  for (const Json& byte : json) {
    if (!byte.is_number_unsigned() || byte.get<uint64_t>() > 255) return std::nullopt;
    blob.push_back(static_cast<uint8_t>(byte.get<uint64_t>()));
  }
  return SqlValue(std::move(blob));
}

std::optional<std::string> ParseText(const Json& json, size_t index, SqlText& text) {
  if (!json.is_object() || !json.contains("sql") || !json["sql"].is_string()) {
    return fmt::format("statement {}: expected an object with \"sql\", a text", index + 1);
  }
  text.sql = json["sql"].get<std::string>();
  if (!json.contains("params") || json["params"].is_null()) return std::nullopt;
  const Json& parameters = json["params"];
  if (!parameters.is_array()) {
    return fmt::format("statement {}: \"params\" is not a list", index + 1);
  }
  text.parameters.reserve(parameters.size());
  for (const Json& parameter : parameters) {
    std::optional<SqlValue> value = ParseValue(parameter);
    if (!value) {
      return fmt::format(
          "statement {}, parameter {}: expected a number, a text, null, a boolean, or a list of "
          "bytes",
          index + 1, text.parameters.size() + 1);
    }
    text.parameters.push_back(*std::move(value));
  }
  return std::nullopt;
}

/// JSON text that stops growing at its limit.
class Writer final {
 public:
  explicit Writer(size_t bytes_max) : bytes_max_(bytes_max) {}

  void Add(std::string_view text) {
    if (is_full()) return;
    text_ += text;
  }
  void AddValue(const SqlValue& value) {
    if (is_full()) return;
    const auto end = std::back_inserter(text_);
    if (const auto* integer = std::get_if<int64_t>(&value)) {
      fmt::format_to(end, "{}", *integer);
    } else if (const auto* real = std::get_if<double>(&value)) {
      // Infinity is null, as JavaScript writes it; the others in the fewest digits that give it
      // back.
      if (std::isfinite(*real)) {
        fmt::format_to(end, "{}", *real);
      } else {
        text_ += "null";
      }
    } else if (const auto* text = std::get_if<std::string>(&value)) {
      text_ += QuoteJson(*text);
    } else if (const auto* blob = std::get_if<Blob>(&value)) {
      text_ += '[';
      for (size_t i = 0; i < blob->size(); ++i) {
        if (i > 0) text_ += ',';
        fmt::format_to(end, "{}", (*blob)[i]);
      }
      text_ += ']';
    } else {
      text_ += "null";
    }
  }
  bool is_full() const { return text_.size() > bytes_max_; }
  std::string Take() { return std::move(text_); }

 private:
  const size_t bytes_max_;
  std::string text_;
};

void AddObjects(const SqlResult& result, const std::vector<std::string>& names, Writer& out) {
  out.Add("[");
  for (size_t row = 0; row < result.rows.size() && !out.is_full(); ++row) {
    out.Add(row == 0 ? "{" : ",{");
    for (size_t i = 0; i < result.rows[row].size(); ++i) {
      if (i > 0) out.Add(",");
      out.Add(names[i]);
      out.Add(":");
      out.AddValue(result.rows[row][i]);
    }
    out.Add("}");
  }
  out.Add("]");
}

void AddColumns(const SqlResult& result, const std::vector<std::string>& names, Writer& out) {
  out.Add(R"({"columns":[)");
  for (size_t i = 0; i < names.size(); ++i) {
    if (i > 0) out.Add(",");
    out.Add(names[i]);
  }
  out.Add(R"(],"rows":[)");
  for (size_t row = 0; row < result.rows.size() && !out.is_full(); ++row) {
    out.Add(row == 0 ? "[" : ",[");
    for (size_t i = 0; i < result.rows[row].size(); ++i) {
      if (i > 0) out.Add(",");
      out.AddValue(result.rows[row][i]);
    }
    out.Add("]");
  }
  out.Add("]}");
}

/// `meta` may be of more than `result`.
void AddItem(const SqlResult& result, const SqlResult& meta, const SqlAnswer& answer,
             RowShape shape, Writer& out) {
  std::vector<std::string> names;
  names.reserve(result.columns.size());
  for (const std::string& column : result.columns) names.push_back(QuoteJson(column));
  out.Add(R"({"results":)");
  shape == RowShape::kObjects ? AddObjects(result, names, out) : AddColumns(result, names, out);
  out.Add(R"(,"success":true,"meta":)");
  out.Add(MetaJson(meta, answer.is_changed, answer.size_bytes));
  out.Add("}");
}

void AddTo(const SqlResult& from, SqlResult& to) {
  to.changes += from.changes;
  to.last_row_id = from.last_row_id;
  to.rows_read += from.rows_read;
  to.rows_written += from.rows_written;
  to.duration_us += from.duration_us;
}

}  // namespace

ParsedRequest ParseRequest(std::string_view body) {
  const Json json = ParseJson(body);
  if (json.is_discarded()) return Refuse("the body is not JSON");
  ParsedRequest request;
  const Json* list = nullptr;
  if (json.is_array()) {
    list = &json;
  } else if (json.is_object() && json.contains("batch")) {
    list = &json["batch"];
    if (!list->is_array()) return Refuse("\"batch\" is not a list");
  }
  request.is_list = list != nullptr;
  const size_t count = list != nullptr ? list->size() : 1;
  if (count == 0) return Refuse("No SQL statements detected.");
  if (count > kTextsMax) return Refuse(fmt::format("more than {} statements", kTextsMax));
  request.texts.resize(count);
  for (size_t i = 0; i < count; ++i) {
    if (auto why = ParseText(list != nullptr ? (*list)[i] : json, i, request.texts[i])) {
      return Refuse(*std::move(why));
    }
  }
  return request;
}

std::string MetaJson(const SqlResult& result, bool is_changed, int64_t size_bytes) {
  const double ms = static_cast<double>(result.duration_us) / 1000;
  return fmt::format(
      R"({{"served_by":"levada","served_by_region":"","served_by_colo":"","served_by_primary":true,)"
      R"("timings":{{"sql_duration_ms":{}}},"duration":{},"changes":{},"last_row_id":{},)"
      R"("changed_db":{},"size_after":{},"rows_read":{},"rows_written":{},"total_attempts":1}})",
      ms, ms, result.changes, result.last_row_id, is_changed, size_bytes, result.rows_read,
      result.rows_written);
}

SqlResult SumOf(const SqlAnswer& answer) {
  SqlResult sum;
  for (const SqlResult& result : answer.results) AddTo(result, sum);
  return sum;
}

std::optional<std::string> ResultsJson(const SqlAnswer& answer, RowShape shape, AnswerItems items,
                                       size_t text_count, size_t bytes_max) {
  Writer out(bytes_max);
  out.Add("[");
  if (items == AnswerItems::kStatements) {
    for (size_t i = 0; i < answer.results.size() && !out.is_full(); ++i) {
      if (i > 0) out.Add(",");
      AddItem(answer.results[i], answer.results[i], answer, shape, out);
    }
  } else {
    const SqlResult none;  // of a text of comments alone
    size_t at = 0;
    for (size_t text = 0; text < text_count && !out.is_full(); ++text) {
      if (text > 0) out.Add(",");
      const SqlResult* last = &none;
      SqlResult sum;
      for (; at < answer.results.size() && answer.results[at].text == text; ++at) {
        last = &answer.results[at];
        AddTo(*last, sum);
      }
      AddItem(*last, sum, answer, shape, out);
    }
  }
  out.Add("]");
  if (out.is_full()) return std::nullopt;
  return out.Take();
}

}  // namespace levada::services::d1
