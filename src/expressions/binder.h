#pragma once
// Binder: from the tree of a text to nodes with types. One object for one expression.

#include <arrow/type.h>

#include <optional>
#include <string>
#include <vector>

#include "expressions/node.h"
#include "expressions/operations.h"
#include "expressions/syntax.h"
#include "expressions/types.h"

namespace levada::expressions {

/// Every step returns a node, or nothing after it has noted a problem.
class Binder final {
 public:
  using Bound = std::optional<Node>;

  explicit Binder(const arrow::Schema& input) : input_(input) {}

  Bound Bind(const Syntax& syntax);
  const std::vector<Problem>& problems() const { return problems_; }

  // For the functions of functions.cc.

  Bound Fail(Range range, std::string message, std::string help = "");
  /// A compute function of nodes whose types it takes as they are. Folded when all are constant.
  Bound Kernel(std::string function, Arguments arguments, TypePtr type, Range range,
               FunctionOptions options = nullptr);
  /// `node` as `type`, which holds every value of the node's type exactly, or is what a bare text
  /// stands for.
  Bound Converted(Node node, const TypePtr& type);
  /// All as the one type that holds the values of all; nothing where there is none.
  std::optional<Arguments> Unified(Arguments nodes, Range range);
  Bound Folded(Node node);

 private:
  Bound Column(const Syntax& syntax);
  Bound Number(const Syntax& syntax);
  Bound Cast(const Syntax& syntax);
  Bound Call(const Syntax& syntax);
  std::optional<Arguments> BindAll(const std::vector<Syntax>& arguments);

  Bound Logic(const Syntax& syntax, Arguments arguments);
  Bound Comparison(const Syntax& syntax, Arguments arguments);
  Bound Arithmetic(const Syntax& syntax, Arguments arguments);
  Bound DateArithmetic(const Syntax& syntax, Arguments arguments);
  Bound In(const Syntax& syntax, Arguments arguments);
  Bound Between(const Syntax& syntax, Arguments arguments);
  Bound Case(const Syntax& syntax, Arguments arguments);
  bool RequireBool(const Node& node, const std::string& what);

  const arrow::Schema& input_;
  std::vector<Problem> problems_;
};

}  // namespace levada::expressions
