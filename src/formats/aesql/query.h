#pragma once
// Query: a checked query, in the engine's terms. Names are resolved (an alias is what it stands
// for, a column one of the source), every value has a kind, and what is called is named by a
// literal of our own tables. The renderer writes it out; nothing in it goes to the engine as the
// user wrote it but names of columns and the values of literals, which are quoted anew.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "formats/aesql/problem.h"
#include "formats/aesql/types.h"

namespace levada::aesql {

enum class NodeKind : uint8_t {
  kInteger,   ///< value: digits, perhaps behind a minus
  kDouble,    ///< value: digits with a point or an exponent
  kText,      ///< value: the string
  kBoolean,   ///< value: true or false
  kInterval,  ///< value: digits; engine: the function that makes it
  kColumn,    ///< value: the name of a column of the source
  kCall,      ///< engine(parameters)(arguments), or engine(arguments)
  kIn,        ///< arguments: the value and what it is looked for in
  kNotIn,
};

struct Node {
  NodeKind kind = NodeKind::kInteger;
  Type type;
  std::string value;
  std::string_view engine;  ///< always of static storage
  std::vector<Node> parameters;
  std::vector<Node> arguments;
  bool is_aggregate = false;   ///< itself
  bool has_aggregate = false;  ///< itself or below
  uint32_t size = 1;           ///< nodes of the tree
  uint32_t depth = 0;          ///< of the nodes below
  Range range;                 ///< in the user's text

  bool IsLiteral() const { return kind < NodeKind::kInterval; }
};

/// Whether two trees compute the same: ranges do not count.
bool Same(const Node& left, const Node& right);

Node MakeLiteral(NodeKind kind, Kind type, std::string value, Range range);
Node MakeColumn(const std::string& name, const Type& type, Range range);
/// kCall. Sums up size, depth and has_aggregate.
Node MakeCall(std::string_view engine, Type type, std::vector<Node> arguments, Range range);
/// Arguments of a call: a braced list would copy them.
template <typename... Nodes>
std::vector<Node> ListOf(Nodes&&... nodes) {
  std::vector<Node> list;
  list.reserve(sizeof...(nodes));
  (list.push_back(std::forward<Nodes>(nodes)), ...);
  return list;
}
/// Sums up anew behind a change of `parameters`, `arguments` or is_aggregate.
void SumUp(Node& node);

struct OutputColumn {
  std::string name;
  Node node;
};

struct OrderKey {
  Node node;
  bool descending = false;
};

/// A table of the engine.
struct Table {
  std::string database;
  std::string name;
};

struct Query {
  std::vector<OutputColumn> columns;
  std::optional<Table> table;       ///< neither this nor a subquery: one row without columns
  std::unique_ptr<Query> subquery;  ///< or null
  std::optional<Node> where;
  std::vector<Node> group_by;
  std::optional<Node> having;
  std::vector<OrderKey> order_by;
  std::optional<uint64_t> limit;
  std::optional<uint64_t> offset;
};

}  // namespace levada::aesql
