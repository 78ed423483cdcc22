#pragma once
// ArgumentCheck: what a call is given against the letters of its function's row. For the sources of
// this folder only.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "formats/aesql/functions.h"
#include "formats/aesql/query.h"
#include "formats/aesql/refusal.h"
#include "formats/aesql/syntax.h"

namespace levada::aesql {

/// `node` as something that is true or false, for WHERE and the like. `what` begins the message:
/// "WHERE", "argument 1 of if".
std::optional<Node> Condition(Node node, const std::string& what, Refusal& refusal);

/// "a string", "an integer"
std::string WithArticle(Kind kind);

class ArgumentCheck final {
 public:
  /// Of one call; all outlive it.
  ArgumentCheck(const Function& function, const Syntax& syntax, Refusal& refusal)
      : function_(function), syntax_(syntax), refusal_(refusal) {}

  /// Whether so many may be given. Without DISTINCT, which has a count of its own.
  bool Takes(size_t parameter_count, size_t argument_count);
  /// Brings each into the form that its letter asks for. `what` begins messages: "argument ".
  bool SuitAll(const std::string& what, std::string_view letters, std::vector<Node>& nodes);

 private:
  bool Suit(char letter, Node& node, const std::string& what);
  bool Time(char letter, Node& node, const std::string& what);
  bool Weight(Node& node, const std::string& what);
  bool Literal(char letter, const Node& node, const std::string& what);
  bool Expected(const std::string& what, const std::string& wanted, const Node& node,
                std::string help = "");
  bool Fail(std::string message);

  const Function& function_;
  const Syntax& syntax_;
  Refusal& refusal_;
};

}  // namespace levada::aesql
