#include "formats/aesql/row_order.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace levada::aesql {
namespace {

constexpr std::string_view kFirst = "first_value", kLast = "last_value";

bool HasFirstOrLast(const Node& node) {
  if (!node.has_aggregate) return false;
  if (node.engine == kFirst || node.engine == kLast) return true;
  return std::ranges::any_of(node.arguments, HasFirstOrLast);
}

/// first_value(x) as the x at the least key, last_value(x) at the greatest; descending, the other
/// way round.
void Rewrite(Node& node, const Node& key, bool descending) {
  if (!node.has_aggregate) return;
  if (node.engine == kFirst || node.engine == kLast) {
    node.engine = (node.engine == kFirst) != descending ? "argMin" : "argMax";
    node.arguments.push_back(key);
  } else {
    for (Node& argument : node.arguments) Rewrite(argument, key, descending);
  }
  SumUp(node);
}

}  // namespace

const Node* ColumnOutsideGroups(const Node& node, const std::vector<Node>& groups) {
  if (node.is_aggregate) return nullptr;
  const auto is_group = [&](const Node& group) { return Same(node, group); };
  if (std::ranges::any_of(groups, is_group)) return nullptr;
  if (node.kind == NodeKind::kColumn) return &node;
  for (const Node& argument : node.arguments) {
    if (const Node* column = ColumnOutsideGroups(argument, groups)) return column;
  }
  return nullptr;
}

bool OrderRows(Query& query, Refusal& refusal) {
  const auto of_column = [](const OutputColumn& column) { return HasFirstOrLast(column.node); };
  const auto of_key = [](const OrderKey& key) { return HasFirstOrLast(key.node); };
  if (!std::ranges::any_of(query.columns, of_column) &&
      !std::ranges::any_of(query.order_by, of_key) &&
      !(query.having && HasFirstOrLast(*query.having))) {
    return true;
  }
  std::vector<OrderKey> of_rows, of_groups;
  for (OrderKey& key : query.order_by) {
    const bool is_of_group = ColumnOutsideGroups(key.node, query.group_by) == nullptr;
    (is_of_group ? of_groups : of_rows).push_back(std::move(key));
  }
  query.order_by = std::move(of_groups);
  if (of_rows.empty()) return true;
  const bool descending = of_rows[0].descending;
  std::vector<Node> nodes;
  for (OrderKey& key : of_rows) {
    if (key.descending != descending || key.node.has_aggregate) {
      refusal.Fail(ProblemCode::kBadAggregate, key.node.range,
                   "ORDER BY of the rows of first_value and last_value in two directions",
                   "order them all ASC or all DESC");
      return false;
    }
    nodes.push_back(std::move(key.node));
  }
  const Range range = nodes[0].range;
  const Node key = nodes.size() == 1
                       ? std::move(nodes[0])
                       : MakeCall("tuple", {Kind::kList, ""}, std::move(nodes), range);
  for (OutputColumn& column : query.columns) Rewrite(column.node, key, descending);
  for (OrderKey& other : query.order_by) Rewrite(other.node, key, descending);
  if (query.having) Rewrite(*query.having, key, descending);
  return true;
}

}  // namespace levada::aesql
