#include "formats/aesql/expression_parser.h"

#include <algorithm>
#include <array>

#include "base/ascii.h"

namespace levada::aesql {
namespace {

constexpr const char* kUnits = "the units are YEAR, MONTH, DAY, HOUR, MINUTE and SECOND";
constexpr const char* kIntervalForm = "write INTERVAL '42' DAY";

template <typename... Nodes>
std::vector<Syntax> ListOf(Nodes&&... nodes) {
  std::vector<Syntax> list;
  list.reserve(sizeof...(nodes));
  (list.push_back(std::forward<Nodes>(nodes)), ...);
  return list;
}

}  // namespace

std::string UnitOf(std::string_view word) {
  constexpr std::array<std::string_view, 6> kNames = {"YEAR", "MONTH",  "DAY",
                                                      "HOUR", "MINUTE", "SECOND"};
  for (const std::string_view name : kNames) {
    if (EqualsIgnoringCase(word, name)) return std::string(name);
  }
  return "";
}

std::optional<Syntax> ExpressionParser::Not() {
  if (!cursor_.IsWord("not")) return Predicate();
  const Deeper deeper(*this);
  if (!deeper.ok()) return TooDeep();
  const size_t begin = cursor_.Take().range.begin;
  Tree operand = Not();
  if (!operand) return std::nullopt;
  return Operator("not", begin, ListOf(std::move(*operand)));
}

std::optional<Syntax> ExpressionParser::Predicate() {
  Tree left = Sum();
  if (!left) return std::nullopt;
  if (const std::string symbol = Comparison(); !symbol.empty()) {
    cursor_.Take();
    if (symbol == "=" && cursor_.IsSymbol("="))
      return cursor_.Expected("a value", "equal is one =");
    Tree right = Sum();
    if (!right) return std::nullopt;
    if (!Comparison().empty()) {
      return cursor_.Fail(ProblemCode::kSyntax, cursor_.Peek().range, "comparisons do not chain",
                          "write a < b AND b < c");
    }
    const size_t begin = left->range.begin;
    return Operator(symbol, begin, ListOf(std::move(*left), std::move(*right)));
  }
  const bool negated = cursor_.IsWord("not");
  const size_t ahead = negated ? 1 : 0;
  const bool in = cursor_.IsWord("in", ahead), between = cursor_.IsWord("between", ahead);
  if (!in && !between && !cursor_.IsOneOf({"like", "ilike"}, ahead)) return left;
  if (negated) cursor_.Take();
  if (in) return In(std::move(*left), negated);
  if (between) return Between(std::move(*left), negated);
  return Like(std::move(*left), negated);
}

std::optional<Syntax> ExpressionParser::In(Syntax operand, bool negated) {
  cursor_.Take();
  if (!cursor_.TakeSymbol("(")) return cursor_.Expected("(", "write x IN (1, 2)");
  if (cursor_.IsSymbol(")")) {
    return cursor_.Fail(ProblemCode::kSyntax, cursor_.Peek().range, "an empty list",
                        "IN () is never true");
  }
  const size_t begin = operand.range.begin;
  std::vector<Syntax> arguments = ListOf(std::move(operand));
  if (!Arguments(arguments)) return std::nullopt;
  return Operator(negated ? "not in" : "in", begin, std::move(arguments));
}

std::optional<Syntax> ExpressionParser::Between(Syntax operand, bool negated) {
  cursor_.Take();
  Tree low = Sum();
  if (!low) return std::nullopt;
  if (!cursor_.TakeWord("and")) {
    return cursor_.Expected("AND", "write x BETWEEN low AND high");
  }
  Tree high = Sum();
  if (!high) return std::nullopt;
  const size_t begin = operand.range.begin;
  return Operator(negated ? "not between" : "between", begin,
                  ListOf(std::move(operand), std::move(*low), std::move(*high)));
}

std::optional<Syntax> ExpressionParser::Like(Syntax operand, bool negated) {
  const std::string name = (negated ? "not " : "") + LowerAscii(cursor_.Take().text);
  Tree pattern = Sum();
  if (!pattern) return std::nullopt;
  if (cursor_.IsWord("escape")) {
    return cursor_.Expected("the end of the pattern", "there is no ESCAPE");
  }
  const size_t begin = operand.range.begin;
  return Operator(name, begin, ListOf(std::move(operand), std::move(*pattern)));
}

std::optional<Syntax> ExpressionParser::Signed() {
  if (!cursor_.IsSymbol("-")) return Primary();
  const Deeper deeper(*this);
  if (!deeper.ok()) return TooDeep();
  const size_t begin = cursor_.Take().range.begin;
  Tree operand = Signed();
  if (!operand) return std::nullopt;
  return Operator("negate", begin, ListOf(std::move(*operand)));
}

std::optional<Syntax> ExpressionParser::Primary() {
  const Deeper deeper(*this);
  if (!deeper.ok()) return TooDeep();
  switch (cursor_.Peek().kind) {
    case TokenKind::kInteger:
      return Leaf(SyntaxKind::kInteger);
    case TokenKind::kDouble:
      return Leaf(SyntaxKind::kDouble);
    case TokenKind::kText:
      return Leaf(SyntaxKind::kText);
    case TokenKind::kName:
      return Leaf(SyntaxKind::kName);
    case TokenKind::kWord:
      return Word();
    case TokenKind::kSymbol:
      if (cursor_.IsSymbol("(")) return Parenthesised();
      break;
    case TokenKind::kEnd:
      break;
  }
  return cursor_.Expected("a value", "write a column, a number or a string in single quotes");
}

std::optional<Syntax> ExpressionParser::Word() {
  if (cursor_.IsOneOf({"true", "false"})) {
    Tree leaf = Leaf(SyntaxKind::kBoolean);
    leaf->text = LowerAscii(leaf->text);
    return leaf;
  }
  if (cursor_.IsWord("interval") && !cursor_.IsSymbol("(", 1)) return Interval();
  const bool advised = cursor_.IsOneOf({"case", "null", "select", "exists", "cast"});
  if (advised || IsKeyword(cursor_.Peek().text)) {
    return cursor_.Expected("a value", "a column of this name is written in \"double quotes\"");
  }
  if (cursor_.IsSymbol("(", 1)) return Call();
  Tree leaf = Leaf(SyntaxKind::kName);
  if (cursor_.IsSymbol(".")) {
    return cursor_.Expected("the end of the name", "a column is named without its dataset");
  }
  return leaf;
}

std::optional<Syntax> ExpressionParser::Interval() {
  const size_t begin = cursor_.Take().range.begin;
  if (cursor_.Peek().kind != TokenKind::kText) {
    return cursor_.Expected("a number in single quotes", kIntervalForm);
  }
  Syntax interval{SyntaxKind::kInterval, cursor_.Peek().text, cursor_.Take().range, {}, {}};
  interval.range.begin = begin;
  interval.unit = UnitOf(cursor_.Peek().kind == TokenKind::kWord ? cursor_.Peek().text : "");
  if (interval.unit.empty())
    return cursor_.Expected("a unit", std::string(kIntervalForm) + "; " + kUnits);
  cursor_.Take();
  return Made(std::move(interval));
}

std::optional<Syntax> ExpressionParser::Parenthesised() {
  const size_t begin = cursor_.Take().range.begin;
  Tree inner = Or();
  if (!inner) return std::nullopt;
  if (cursor_.IsSymbol(",")) return cursor_.Expected(")", "there are no tuples");
  if (!ClosingParenthesis()) return std::nullopt;
  inner->range = {begin, cursor_.last_end()};
  return inner;
}

// name(arguments), name(parameters)(arguments), name(DISTINCT argument), count(*)
std::optional<Syntax> ExpressionParser::Call() {
  Syntax call{SyntaxKind::kCall, cursor_.Peek().text, cursor_.Take().range, {}, {}};
  cursor_.Take();
  if (EqualsIgnoringCase(call.text, "position")) return Position(std::move(call));
  if (EqualsIgnoringCase(call.text, "extract")) return Extract(std::move(call));
  if (cursor_.IsSymbol("*")) {
    const Range star = cursor_.Take().range;
    call.arguments.push_back(Syntax{SyntaxKind::kStar, "*", star, {}, {}});
    if (!ClosingParenthesis()) return std::nullopt;
    return Made(std::move(call));
  }
  call.distinct = cursor_.TakeWord("distinct");
  if (cursor_.IsSymbol(")")) {
    cursor_.Take();
  } else if (!Arguments(call.arguments)) {
    return std::nullopt;
  }
  if (cursor_.IsSymbol("(")) {
    if (call.distinct) return cursor_.Expected("an operator", "");
    cursor_.Take();
    call.has_parameters = true;
    call.parameters = std::move(call.arguments);
    call.arguments.clear();
    if (cursor_.IsSymbol(")")) {
      cursor_.Take();
    } else if (!Arguments(call.arguments)) {
      return std::nullopt;
    }
  }
  return Made(std::move(call));
}

// The ( is taken. IN is an operator elsewhere, so its sides are read one level below it.
std::optional<Syntax> ExpressionParser::Position(Syntax call) {
  constexpr const char* kForm = "write position(needle IN haystack)";
  Tree needle = Sum();
  if (!needle) return std::nullopt;
  if (!cursor_.TakeWord("in")) return cursor_.Expected("IN", kForm);
  Tree haystack = Sum();
  if (!haystack) return std::nullopt;
  if (!cursor_.TakeSymbol(")")) return cursor_.Expected(")", kForm);
  call.arguments = ListOf(std::move(*needle), std::move(*haystack));
  return Made(std::move(call));
}

std::optional<Syntax> ExpressionParser::Extract(Syntax call) {
  constexpr const char* kForm = "write extract(YEAR FROM timestamp)";
  call.unit = UnitOf(cursor_.Peek().kind == TokenKind::kWord ? cursor_.Peek().text : "");
  if (call.unit.empty()) return cursor_.Expected("a unit", std::string(kForm) + "; " + kUnits);
  cursor_.Take();
  if (!cursor_.TakeWord("from")) return cursor_.Expected("FROM", kForm);
  Tree time = Or();
  if (!time) return std::nullopt;
  if (!cursor_.TakeSymbol(")")) return cursor_.Expected(")", kForm);
  call.arguments = ListOf(std::move(*time));
  return Made(std::move(call));
}

// a and b and c as one node: conditions of dashboards are long, and would be deep.
std::optional<Syntax> ExpressionParser::Several(std::string_view word,
                                                Tree (ExpressionParser::*operand)()) {
  Tree first = (this->*operand)();
  if (!first || !cursor_.IsWord(word)) return first;
  const size_t begin = first->range.begin;
  std::vector<Syntax> arguments = ListOf(std::move(*first));
  while (cursor_.TakeWord(word)) {
    Tree next = (this->*operand)();
    if (!next) return std::nullopt;
    arguments.push_back(std::move(*next));
  }
  return Operator(std::string(word), begin, std::move(arguments));
}

std::optional<Syntax> ExpressionParser::LeftToRight(std::initializer_list<std::string_view> symbols,
                                                    Tree (ExpressionParser::*operand)()) {
  Tree left = (this->*operand)();
  while (left && std::ranges::any_of(
                     symbols, [&](std::string_view symbol) { return cursor_.IsSymbol(symbol); })) {
    const std::string symbol = cursor_.Take().text;
    Tree right = (this->*operand)();
    if (!right) return std::nullopt;
    const size_t begin = left->range.begin;
    left = Operator(symbol, begin, ListOf(std::move(*left), std::move(*right)));
  }
  return left;
}

std::string ExpressionParser::Comparison() const {
  constexpr std::array<std::string_view, 6> kComparisons = {"=", "!=", "<", "<=", ">", ">="};
  if (cursor_.Peek().kind != TokenKind::kSymbol) return "";
  const bool is_one = std::ranges::find(kComparisons, cursor_.Peek().text) != kComparisons.end();
  return is_one ? cursor_.Peek().text : "";
}

// Up to the closing parenthesis, which is taken.
bool ExpressionParser::Arguments(std::vector<Syntax>& arguments) {
  while (true) {
    Tree argument = Or();
    if (!argument) return false;
    arguments.push_back(std::move(*argument));
    if (!cursor_.TakeSymbol(",")) return ClosingParenthesis();
  }
}

bool ExpressionParser::ClosingParenthesis() {
  if (cursor_.TakeSymbol(")")) return true;
  cursor_.Expected(")", cursor_.IsWord("as") ? "an alias stands behind a whole expression"
                                             : "a ( before it has no )");
  return false;
}

std::optional<Syntax> ExpressionParser::Leaf(SyntaxKind kind) {
  const Token token = cursor_.Take();
  return Syntax{kind, token.text, token.range, {}, {}};
}

std::optional<Syntax> ExpressionParser::Operator(std::string name, size_t begin,
                                                 std::vector<Syntax> arguments) {
  return Made({SyntaxKind::kOperator, std::move(name), {begin, 0}, {}, std::move(arguments)});
}

// A node that ends with the token before, unless it stands on too many others.
std::optional<Syntax> ExpressionParser::Made(Syntax node) {
  node.range.end = cursor_.last_end();
  for (const Syntax& argument : node.parameters)
    node.depth = std::max(node.depth, argument.depth + 1);
  for (const Syntax& argument : node.arguments)
    node.depth = std::max(node.depth, argument.depth + 1);
  if (node.depth > kDepthMax) return TooDeep();
  return node;
}

std::optional<Syntax> ExpressionParser::TooDeep() {
  return cursor_.Fail(ProblemCode::kTooLarge, cursor_.Peek().range,
                      "more than " + std::to_string(kDepthMax) + " expressions in one another",
                      "compute in a subquery and build on its columns");
}

}  // namespace levada::aesql
