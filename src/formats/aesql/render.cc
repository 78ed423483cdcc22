#include "formats/aesql/render.h"

#include <array>
#include <vector>

#include "formats/aesql/types.h"

namespace levada::aesql {
namespace {

// What FROM is called, so that a column is never taken for an alias of the same name.
constexpr std::string_view kSource = "__source";

// session_timezone: datetimes are read and printed in UTC wherever the machine stands.
// quote_64bit_integers: as strings, which JavaScript keeps. The rest: defaults, held fast.
constexpr std::string_view kSettings =
    " SETTINGS session_timezone = 'Etc/UTC', output_format_json_quote_64bit_integers = 1, "
    "output_format_write_statistics = 0, output_format_json_quote_denormals = 0, "
    "enable_positional_arguments = 0, date_time_output_format = 'simple', "
    "aggregate_functions_null_for_empty = 0, transform_null_in = 0";

std::string Quoted(std::string_view text, char quote) {
  std::string quoted(1, quote);
  quoted.reserve(text.size() + 2);
  for (const char c : text) {
    if (c == quote || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted += quote;
}

class Renderer final {
 public:
  void AddOutermost(const Query& query) { Add(query, true); }
  std::string Take() { return std::move(text_); }

 private:
  void Add(std::string_view text) { text_ += text; }

  void Add(const Query& query, bool is_outermost) {
    Add("SELECT ");
    for (size_t i = 0; i < query.columns.size(); ++i) {
      const Node& node = query.columns[i].node;
      // So that the answer calls the type of `timestamp` as Cloudflare's does; a CAST keeps the
      // zone.
      const bool is_plain_time =
          is_outermost && node.type.kind == Kind::kTime && node.type.zone.empty();
      Add(i == 0 ? "" : ", ");
      if (is_plain_time) Add("toDateTime(toUnixTimestamp(");
      Add(node);
      if (is_plain_time) Add("))");
      Add(" AS ");
      Add(QuoteName(query.columns[i].name));
    }
    AddSource(query);
    AddClause(" WHERE ", query.where);
    for (size_t i = 0; i < query.group_by.size(); ++i) {
      Add(i == 0 ? " GROUP BY " : ", ");
      Add(query.group_by[i]);
    }
    AddClause(" HAVING ", query.having);
    for (size_t i = 0; i < query.order_by.size(); ++i) {
      Add(i == 0 ? " ORDER BY " : ", ");
      Add(query.order_by[i].node);
      Add(query.order_by[i].descending ? " DESC" : " ASC");
    }
    if (query.limit) Add(" LIMIT " + std::to_string(*query.limit));
    if (query.offset) Add(" OFFSET " + std::to_string(*query.offset));
  }

  void AddSource(const Query& query) {
    if (query.table) {
      Add(" FROM " + QuoteName(query.table->database) + "." + QuoteName(query.table->name));
    } else if (query.subquery != nullptr) {
      Add(" FROM (");
      Add(*query.subquery, false);
      Add(")");
    } else {
      return;
    }
    Add(" AS ");
    Add(kSource);
  }

  void AddClause(std::string_view keyword, const std::optional<Node>& node) {
    if (!node) return;
    Add(keyword);
    Add(*node);
  }

  void Add(const Node& node) {
    switch (node.kind) {
      case NodeKind::kInteger:
      case NodeKind::kDouble:
      case NodeKind::kBoolean:
        return Add(node.value);
      case NodeKind::kText:
        return Add(QuoteText(node.value));
      case NodeKind::kInterval:
        return Add(std::string(node.engine) + "(" + node.value + ")");
      case NodeKind::kColumn:
        Add(kSource);
        return Add("." + QuoteName(node.value));
      case NodeKind::kCall:
        Add(node.engine);
        if (!node.parameters.empty()) AddList(node.parameters, 0);
        return AddList(node.arguments, 0);
      case NodeKind::kIn:
      case NodeKind::kNotIn:
        Add("(");
        Add(node.arguments[0]);
        Add(node.kind == NodeKind::kIn ? " IN " : " NOT IN ");
        AddList(node.arguments, 1);
        return Add(")");
    }
  }

  void AddList(const std::vector<Node>& nodes, size_t first) {
    Add("(");
    for (size_t i = first; i < nodes.size(); ++i) {
      Add(i == first ? "" : ", ");
      Add(nodes[i]);
    }
    Add(")");
  }

  std::string text_;
};

std::string WithFormat(std::string sql, Format format) {
  constexpr std::array<std::string_view, 3> kNames = {"JSON", "JSONEachRow", "TabSeparated"};
  sql += kSettings;
  sql += " FORMAT ";
  return sql += kNames[static_cast<size_t>(format)];
}

}  // namespace

std::string QuoteText(std::string_view text) { return Quoted(text, '\''); }
std::string QuoteName(std::string_view name) { return Quoted(name, '`'); }

std::string Render(const Query& query, Format format) {
  Renderer renderer;
  renderer.AddOutermost(query);
  return WithFormat(renderer.Take(), format);
}

std::string RenderTables(std::span<const Dataset> datasets, Format format) {
  std::string names;
  for (const Dataset& dataset : datasets) {
    names += (names.empty() ? "" : ", ") + QuoteText(dataset.name);
  }
  return WithFormat(
      "SELECT arrayJoin(CAST([" + names + "], 'Array(String)')) AS `dataset`, 'table' AS `type`",
      format);
}

std::string RenderTimezones(Format format) {
  return WithFormat("SELECT time_zone AS `timezone` FROM system.time_zones ORDER BY time_zone ASC",
                    format);
}

std::string RenderTimezone(Format format) {
  return WithFormat("SELECT 'Etc/UTC' AS `timezone`", format);
}

std::string RenderTableColumns(std::string_view dataset) {
  std::string text = "(";
  for (const Column& column : DatasetColumns()) {
    if (text.size() > 1) text += ", ";
    text += QuoteName(column.name) + " " + std::string(column.engine_type);
    if (column.name == "dataset") text += " ALIAS " + QuoteText(dataset);
  }
  return text += ")";
}

}  // namespace levada::aesql
