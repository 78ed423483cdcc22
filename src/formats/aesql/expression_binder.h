#pragma once
// ExpressionBinder: the expressions of one SELECT, with the names and kinds of its source. For the
// sources of this folder only.
//
// A name is an alias of the SELECT list before it is a column, anywhere in the query, as in
// ClickHouse; but where the alias stands for an aggregate and none can stand, and within the
// alias's own expression, it is the column. What an alias stands for is written out in its place,
// so the engine resolves no names of its own.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "formats/aesql/query.h"
#include "formats/aesql/refusal.h"
#include "formats/aesql/syntax.h"

namespace levada::aesql {

/// Of a whole query with its subqueries, aliases written out: the engine refuses many more.
inline constexpr uint32_t kNodesMax = 20'000;
/// Of nodes in one another, aliases written out.
inline constexpr uint32_t kNodeDepthMax = 200;

/// Nodes that may still be made, for all binders of a query.
struct Budget {
  uint32_t nodes = kNodesMax;
};

/// What a SELECT reads.
struct SourceColumn {
  std::string name;
  Type type;
};

class ExpressionBinder final {
 public:
  /// All outlive it. `is_source` is false without FROM.
  ExpressionBinder(const Select& select, std::vector<SourceColumn> columns, bool is_source,
                   Budget& budget, Refusal& refusal);

  /// The expression of a SELECT item that is not *.
  std::optional<Node> BindItem(size_t index);
  /// An expression of another clause; `place` is how a message calls it: "WHERE". Empty: where
  /// aggregates may stand.
  std::optional<Node> Bind(const Syntax& syntax, std::string_view place);

  const std::vector<SourceColumn>& columns() const { return columns_; }

 private:
  enum class AliasState : uint8_t { kUnknown, kBinding, kBound };

  std::optional<Node> BindNode(const Syntax& syntax);
  std::optional<Node> Name(const Syntax& syntax);
  std::optional<Node> AliasName(size_t item, const SourceColumn* column, const Syntax& syntax);
  std::optional<Node> UnknownName(const Syntax& syntax);
  std::optional<Node> Operator(const Syntax& syntax);
  std::optional<Node> Negated(const Syntax& syntax, std::vector<Node> arguments);
  std::optional<Node> Arithmetic(const Syntax& syntax, std::vector<Node> arguments);
  std::optional<Node> Compared(const Syntax& syntax, std::string_view engine, Node left,
                               Node right);
  std::optional<Node> Between(const Syntax& syntax, std::vector<Node> arguments);
  std::optional<Node> In(const Syntax& syntax, std::vector<Node> arguments);
  std::optional<Node> Like(const Syntax& syntax, std::vector<Node> arguments);
  std::optional<Node> Logic(const Syntax& syntax, std::vector<Node> arguments);
  std::optional<Node> Call(const Syntax& syntax);
  bool BindAll(const std::vector<Syntax>& syntaxes, std::vector<Node>& nodes);
  bool Comparable(const Syntax& syntax, Node& left, Node& right);
  std::optional<Node> Mismatch(const Syntax& syntax, const std::string& wanted,
                               const std::vector<Node>& arguments);
  std::optional<Node> Spent(std::optional<Node> node, uint32_t nodes);
  const SourceColumn* FindColumn(std::string_view name) const;

  const Select& select_;
  const std::vector<SourceColumn> columns_;
  const bool is_source_;
  Budget& budget_;
  Refusal& refusal_;
  std::vector<AliasState> states_;
  std::vector<std::optional<Node>> bound_;  ///< by item
  std::vector<size_t> binding_;             ///< items, each met in the one before
  std::string_view place_;                  ///< without aggregates; empty: with
  const Syntax* aggregate_ = nullptr;       ///< whose arguments are bound
};

}  // namespace levada::aesql
