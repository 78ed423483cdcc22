#include "formats/aesql/query.h"

#include <algorithm>
#include <utility>

namespace levada::aesql {

bool Same(const Node& left, const Node& right) {
  return left.kind == right.kind && left.size == right.size && left.value == right.value &&
         left.engine == right.engine && left.type == right.type &&
         std::ranges::equal(left.parameters, right.parameters, Same) &&
         std::ranges::equal(left.arguments, right.arguments, Same);
}

Node MakeLiteral(NodeKind kind, Kind type, std::string value, Range range) {
  Node node;
  node.kind = kind;
  node.type.kind = type;
  node.value = std::move(value);
  node.range = range;
  return node;
}

Node MakeColumn(const std::string& name, const Type& type, Range range) {
  Node node;
  node.kind = NodeKind::kColumn;
  node.type = type;
  node.value = name;
  node.range = range;
  return node;
}

Node MakeCall(std::string_view engine, Type type, std::vector<Node> arguments, Range range) {
  Node node;
  node.kind = NodeKind::kCall;
  node.type = std::move(type);
  node.engine = engine;
  node.arguments = std::move(arguments);
  node.range = range;
  SumUp(node);
  return node;
}

void SumUp(Node& node) {
  node.size = 1;
  node.depth = 0;
  node.has_aggregate = node.is_aggregate;
  for (const std::vector<Node>* list : {&node.parameters, &node.arguments}) {
    for (const Node& below : *list) {
      node.size += below.size;
      node.depth = std::max(node.depth, below.depth + 1);
      node.has_aggregate = node.has_aggregate || below.has_aggregate;
    }
  }
}

}  // namespace levada::aesql
