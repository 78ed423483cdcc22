#pragma once
// ExpressionParser: the part of the grammar that has a value. For the sources of this folder only.

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "formats/aesql/syntax.h"
#include "formats/aesql/token_cursor.h"

namespace levada::aesql {

/// One function for each level of precedence, loosest first. What fails leaves the problem in the
/// cursor and gives nothing; whoever called it returns at once.
class ExpressionParser final {
 public:
  /// `cursor` outlives it.
  explicit ExpressionParser(TokenCursor& cursor) : cursor_(cursor) {}

  /// One expression from where the cursor stands. The cursor stands behind it then.
  std::optional<Syntax> Expression() { return Or(); }

 private:
  using Tree = std::optional<Syntax>;

  Tree Or() { return Several("or", &ExpressionParser::And); }
  Tree And() { return Several("and", &ExpressionParser::Not); }
  Tree Not();
  Tree Predicate();
  Tree In(Syntax operand, bool negated);
  Tree Between(Syntax operand, bool negated);
  Tree Like(Syntax operand, bool negated);
  Tree Sum() { return LeftToRight({"+", "-"}, &ExpressionParser::Product); }
  Tree Product() { return LeftToRight({"*", "/", "%"}, &ExpressionParser::Signed); }
  Tree Signed();
  Tree Primary();
  Tree Word();
  Tree Interval();
  Tree Call();
  Tree Position(Syntax call);
  Tree Extract(Syntax call);
  Tree Parenthesised();

  Tree Several(std::string_view word, Tree (ExpressionParser::*operand)());
  Tree LeftToRight(std::initializer_list<std::string_view> symbols,
                   Tree (ExpressionParser::*operand)());
  std::string Comparison() const;
  bool Arguments(std::vector<Syntax>& arguments);
  bool ClosingParenthesis();
  Tree Leaf(SyntaxKind kind);
  Tree Operator(std::string name, size_t begin, std::vector<Syntax> arguments);
  Tree Made(Syntax node);
  Tree TooDeep();

  // Counts the levels of recursion.
  class Deeper final {
   public:
    explicit Deeper(ExpressionParser& parser) : parser_(parser) { ++parser_.depth_; }
    ~Deeper() { --parser_.depth_; }
    Deeper(const Deeper&) = delete;
    Deeper& operator=(const Deeper&) = delete;
    bool ok() const { return parser_.depth_ <= kDepthMax; }

   private:
    ExpressionParser& parser_;
  };

  TokenCursor& cursor_;
  int depth_ = 0;
};

/// "YEAR", "MONTH", "DAY", "HOUR", "MINUTE" or "SECOND" of that word in any case; empty for
/// another.
std::string UnitOf(std::string_view word);

}  // namespace levada::aesql
