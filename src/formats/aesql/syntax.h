#pragma once
// Syntax: the text of a query as a tree, before any dataset, column or type is known.
//
//     SELECT blob1 AS probe, avg(double1) FROM temperatures
//     WHERE timestamp > now() - INTERVAL '1' DAY
//     GROUP BY probe ORDER BY probe LIMIT 10 FORMAT JSONEachRow
//
// The grammar is Cloudflare's SQL reference for Workers Analytics Engine (2026-11): what it does
// not have (joins, set operations, WITH, CASE, subqueries but in FROM, table functions, SETTINGS,
// INTO OUTFILE) is refused here by name. docs/guide/analytics-sql.md has all of it.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "formats/aesql/problem.h"

namespace levada::aesql {

/// Of expressions in one another; trees are walked by recursion, by us and by the engine.
inline constexpr int kDepthMax = 100;
/// Of SELECTs in one another.
inline constexpr int kSubqueryDepthMax = 8;

enum class SyntaxKind : uint8_t {
  kInteger,   ///< text: digits
  kDouble,    ///< text: as written
  kText,      ///< text: the string without its quotes
  kBoolean,   ///< text: "true" or "false"
  kInterval,  ///< text: digits; unit
  kName,      ///< text: a column or an alias
  kStar,      ///< the * of count(*)
  kCall,      ///< text: the function as written
  kOperator,  ///< text: + - * / % = != < <= > >= negate and or not in between like ilike, and "not
              ///< in" and the other three
};

/// An expression. `and` and `or` have two arguments or more, `in` the value and then the list,
/// `between` the value and both bounds.
struct Syntax {
  SyntaxKind kind = SyntaxKind::kName;
  std::string text;
  Range range;
  std::vector<Syntax> parameters;  ///< of topK(10)(blob1): 10
  std::vector<Syntax> arguments;
  bool has_parameters = false;  ///< topK()(blob1) has none, and still the two parentheses
  bool distinct = false;        ///< count(DISTINCT blob1)
  std::string unit = {};        ///< of an interval and of extract, upper case: "DAY"
  int depth = 0;                ///< of the nodes below; at most kDepthMax
};

struct SelectItem {
  std::optional<Syntax> expression;  ///< none: *
  std::string alias;                 ///< behind AS; may be empty
  std::string name;                  ///< of the result's column: the alias, or what was written
  Range range;                       ///< of the alias if there is one
};

struct OrderItem {
  Syntax expression;
  bool descending = false;
};

struct Select;

/// What stands behind FROM.
struct Source {
  std::string dataset;               ///< empty for a subquery
  std::unique_ptr<Select> subquery;  ///< or null
  Range range;
};

struct Select {
  std::vector<SelectItem> items;
  std::optional<Source> from;
  std::optional<Syntax> where;
  std::vector<Syntax> group_by;
  std::optional<Syntax> having;
  std::vector<OrderItem> order_by;
  std::optional<uint64_t> limit;  ///< none for LIMIT ALL too
  std::optional<uint64_t> offset;
  Range range;  ///< of the word SELECT
};

/// How the answer is written. JSON without a FORMAT clause.
enum class Format : uint8_t { kJson, kJsonEachRow, kTabSeparated };

enum class StatementKind : uint8_t { kSelect, kShowTables, kShowTimezones, kShowTimezone };

struct Statement {
  StatementKind kind = StatementKind::kSelect;
  Select select;  ///< of kSelect
  Format format = Format::kJson;
};

/// The statement, or what is wrong with it. One statement; a semicolon may end it.
std::variant<Statement, Problem> Parse(std::string_view sql);

}  // namespace levada::aesql
