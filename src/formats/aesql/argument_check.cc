#include "formats/aesql/argument_check.h"

#include <charconv>
#include <cstdint>
#include <utility>

#include "formats/aesql/literals.h"

namespace levada::aesql {
namespace {

constexpr uint64_t kTopMax = 65'535;  // values that the engine keeps for each group

/// How many arguments a string of letters allows.
struct Arity {
  size_t least = 0;
  size_t most = 0;
};

Arity ArityOf(std::string_view letters) {
  Arity arity;
  bool optional = false;
  for (const char letter : letters) {
    if (letter == '?') {
      optional = true;
    } else if (letter == '*') {
      return {arity.least, SIZE_MAX};
    } else {
      ++arity.most;
      if (!optional) ++arity.least;
    }
  }
  return arity;
}

/// The letter of an argument; what * repeats comes last.
char LetterOf(std::string_view letters, size_t index) {
  size_t at = 0;
  for (const char letter : letters) {
    if (letter == '?') continue;
    if (letter == '*') return letters.back();
    if (at++ == index) return letter;
  }
  return 'a';
}

std::string Times(size_t count) {
  return std::to_string(count) + (count == 1 ? " argument" : " arguments");
}

bool IsShare(const Node& node) {
  if (node.kind != NodeKind::kInteger && node.kind != NodeKind::kDouble) return false;
  double share = -1;
  std::from_chars(node.value.data(), node.value.data() + node.value.size(), share);
  return share >= 0 && share <= 1;
}

}  // namespace

std::string WithArticle(Kind kind) {
  const bool vowel = kind == Kind::kInteger || kind == Kind::kInterval;
  return (vowel ? "an " : "a ") + std::string(NameOf(kind));
}

std::optional<Node> Condition(Node node, const std::string& what, Refusal& refusal) {
  if (node.type.kind == Kind::kBoolean) return node;
  const Range range = node.range;
  if (node.type.kind != Kind::kInteger) {
    return refusal.Fail(ProblemCode::kBadType, range,
                        what + ": expected a condition, got " + WithArticle(node.type.kind),
                        "compare it: x != 0, x = 'text'");
  }
  Node zero = MakeLiteral(NodeKind::kInteger, Kind::kInteger, "0", range);
  return MakeCall("notEquals", {Kind::kBoolean, ""}, ListOf(std::move(node), std::move(zero)),
                  range);
}

bool ArgumentCheck::Takes(size_t parameter_count, size_t argument_count) {
  const Arity parameters = ArityOf(function_.parameters);
  if (parameter_count > parameters.most) {
    return Fail(std::string(function_.name) + (parameters.most == 0
                                                   ? " has no parameters, only arguments"
                                                   : " has one parameter, got more"));
  }
  if (parameter_count < parameters.least) {
    return Fail(std::string(function_.name) + " takes a parameter in parentheses of its own");
  }
  const Arity arguments = ArityOf(function_.arguments);
  if (argument_count >= arguments.least && argument_count <= arguments.most) return true;
  std::string wanted = Times(arguments.least);
  if (arguments.most == SIZE_MAX) {
    wanted = "at least " + wanted;
  } else if (arguments.most > arguments.least) {
    wanted = std::to_string(arguments.least) + " or " + Times(arguments.most);
  } else if (arguments.most == 0) {
    wanted = "no arguments";
  }
  return Fail(std::string(function_.name) + " takes " + wanted + ", got " +
              std::to_string(argument_count));
}

bool ArgumentCheck::SuitAll(const std::string& what, std::string_view letters,
                            std::vector<Node>& nodes) {
  for (size_t i = 0; i < nodes.size(); ++i) {
    const std::string place = what + std::to_string(i + 1) + " of " + std::string(function_.name);
    if (!Suit(LetterOf(letters, i), nodes[i], place)) return false;
  }
  return true;
}

bool ArgumentCheck::Suit(char letter, Node& node, const std::string& what) {
  const Kind kind = node.type.kind;
  switch (letter) {
    case 'n':
      return IsNumber(kind) || Expected(what, "a number", node);
    case 'i':
      return kind == Kind::kInteger || kind == Kind::kBoolean ||
             Expected(what, "an integer", node, "convert with toUInt8 or toUInt32");
    case 's':
      return kind == Kind::kText || Expected(what, "a string", node);
    case 't':
    case 'h':
      return Time(letter, node, what);
    case 'o':
      return IsNumber(kind) || IsTime(kind) || Expected(what, "a number or a time", node);
    case 'c': {
      std::optional<Node> condition = Condition(std::move(node), what, refusal_);
      if (!condition) return false;
      node = std::move(*condition);
      return true;
    }
    case 'w':
      return Weight(node, what);
    case 'a':
      return (kind != Kind::kList &&
              (kind != Kind::kInterval || function_.form == Form::kStrings)) ||
             Expected(what, "a value", node);
    default:
      return Literal(letter, node, what);
  }
}

bool ArgumentCheck::Time(char letter, Node& node, const std::string& what) {
  if (!IsTime(node.type.kind)) {
    return Expected(what, "a datetime", node, "convert with toDateTime");
  }
  if (letter == 'h' && node.type.kind == Kind::kDate) {
    const Range range = node.range;
    node = MakeCall("toDateTime", {Kind::kTime, ""}, ListOf(std::move(node)), range);
  }
  return true;
}

// The engine takes unsigned integers only; a weight below nothing weighs nothing.
bool ArgumentCheck::Weight(Node& node, const std::string& what) {
  const Kind kind = node.type.kind;
  if (kind != Kind::kInteger && kind != Kind::kBoolean) {
    return Expected(what, "an integer", node, "a weight of doubles is toUInt32(weight)");
  }
  if (node.kind == NodeKind::kColumn && node.value == "_sample_interval") return true;
  const Range range = node.range;
  Node zero = MakeLiteral(NodeKind::kInteger, Kind::kInteger, "0", range);
  node =
      MakeCall("greatest", {Kind::kInteger, ""}, ListOf(std::move(node), std::move(zero)), range);
  node = MakeCall("toUInt64", {Kind::kInteger, ""}, ListOf(std::move(node)), range);
  return true;
}

bool ArgumentCheck::Literal(char letter, const Node& node, const std::string& what) {
  switch (letter) {
    case 'L':
      return node.kind == NodeKind::kText || Expected(what, "a string in quotes", node);
    case 'N':
      return node.kind == NodeKind::kInteger || Expected(what, "a written integer", node);
    case 'Z':
      return (node.kind == NodeKind::kText && IsZoneName(node.value)) ||
             Expected(what, "a timezone in quotes", node, "for example 'Europe/Lisbon'");
    case 'I':
      return (node.kind == NodeKind::kInterval && node.value != "0") ||
             Expected(what, "an interval above 0", node, "for example INTERVAL '15' MINUTE");
    case 'Q':
      return IsShare(node) || Expected(what, "a written number from 0 to 1", node);
    default: {
      uint64_t count = 0;
      const char* end = node.value.data() + node.value.size();
      const bool is_count = node.kind == NodeKind::kInteger &&
                            std::from_chars(node.value.data(), end, count).ec == std::errc() &&
                            count >= 1 && count <= kTopMax;
      return is_count ||
             Expected(what, "a written integer from 1 to " + std::to_string(kTopMax), node);
    }
  }
}

bool ArgumentCheck::Expected(const std::string& what, const std::string& wanted, const Node& node,
                             std::string help) {
  if (help.empty()) help = "write " + std::string(function_.usage);
  refusal_.Fail(ProblemCode::kBadType, node.range,
                what + ": expected " + wanted + ", got " + WithArticle(node.type.kind),
                std::move(help));
  return false;
}

bool ArgumentCheck::Fail(std::string message) {
  refusal_.Fail(ProblemCode::kBadArguments, syntax_.range, std::move(message),
                "write " + std::string(function_.usage));
  return false;
}

}  // namespace levada::aesql
