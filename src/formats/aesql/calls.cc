#include "formats/aesql/calls.h"

#include <charconv>
#include <string_view>
#include <utility>

#include "formats/aesql/argument_check.h"
#include "formats/aesql/literals.h"

namespace levada::aesql {
namespace {

/// A pattern of format: {} or {0} for each of `count` values, no other braces.
bool IsPattern(std::string_view pattern, size_t count) {
  size_t next = 0;
  bool numbered = false;
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '}') return false;
    if (pattern[i] != '{') continue;
    const size_t close = pattern.find('}', i);
    if (close == pattern.npos) return false;
    const std::string_view index = pattern.substr(i + 1, close - i - 1);
    size_t place = next;
    if (!index.empty()) {
      numbered = true;
      const char* end = index.data() + index.size();
      const auto [stop, error] = std::from_chars(index.data(), end, place);
      if (error != std::errc() || stop != end) return false;
    } else {
      ++next;
    }
    if (place >= count || (numbered && next > 0)) return false;
    i = close;
  }
  return true;
}

std::optional<Type> TypeOfBranches(const Node& left, const Node& right) {
  const Kind a = left.type.kind, b = right.type.kind;
  if (a == b) return left.type;
  if (IsNumber(a) && IsNumber(b)) {
    const bool is_double = a == Kind::kDouble || b == Kind::kDouble;
    return Type{is_double ? Kind::kDouble : Kind::kInteger, ""};
  }
  if (IsTime(a) && IsTime(b)) return a == Kind::kTime ? left.type : right.type;
  return std::nullopt;
}

/// Whether the engine finds a type for it beside any other integer: one of few bits.
bool IsSmall(const Node& node) {
  return (node.kind == NodeKind::kInteger && node.value.front() != '-') ||
         (node.kind == NodeKind::kColumn && node.value == "_sample_interval") ||
         node.type.kind == Kind::kBoolean;
}

/// Doubles beside integers of 64 bits, and signed beside unsigned ones, would be a Variant.
void Unite(std::vector<Node>& arguments, Kind both) {
  for (size_t i = 1; i <= 2; ++i) {
    const bool to_double = both == Kind::kDouble && arguments[i].type.kind != Kind::kDouble;
    const bool to_integer =
        both == Kind::kInteger && !IsSmall(arguments[1]) && !IsSmall(arguments[2]);
    if (!to_double && !to_integer) continue;
    const Range range = arguments[i].range;
    arguments[i] = MakeCall(to_double ? "toFloat64" : "toInt64", {both, ""},
                            ListOf(std::move(arguments[i])), range);
    if (to_integer && i == 1) {
      const Range other = arguments[2].range;
      arguments[2] = MakeCall("toInt64", {both, ""}, ListOf(std::move(arguments[2])), other);
      return;
    }
  }
}

Type TypeOf(Gives gives, const std::vector<Node>& arguments, size_t first) {
  const auto type = [&] { return arguments.size() > first ? arguments[first].type : Type{}; };
  switch (gives) {
    case Gives::kDouble:
      return {Kind::kDouble, ""};
    case Gives::kText:
      return {Kind::kText, ""};
    case Gives::kBoolean:
      return {Kind::kBoolean, ""};
    case Gives::kTime:
      return {Kind::kTime, type().zone};
    case Gives::kUtcTime:
      return {Kind::kTime, ""};
    case Gives::kDate:
      return {Kind::kDate, ""};
    case Gives::kList:
      return {Kind::kList, ""};
    case Gives::kFirst:
      return type();
    case Gives::kNumber:
      return {type().kind == Kind::kDouble ? Kind::kDouble : Kind::kInteger, ""};
    default:
      return {Kind::kInteger, ""};
  }
}

/// The engine gives a date: its midnight in the zone of `type`.
Node AtMidnight(Node date, const Type& type) {
  const Range range = date.range;
  std::vector<Node> arguments = ListOf(std::move(date));
  if (!type.zone.empty()) {
    arguments.push_back(MakeLiteral(NodeKind::kText, Kind::kText, type.zone, range));
  }
  return MakeCall("toDateTime", type, std::move(arguments), range);
}

std::optional<Node> Formatted(std::vector<Node> arguments, Range range, Refusal& refusal) {
  if (!IsPattern(arguments[0].value, arguments.size() - 1)) {
    return refusal.Fail(ProblemCode::kBadArguments, arguments[0].range,
                        "pattern '" + arguments[0].value + "': expected {} for each of " +
                            std::to_string(arguments.size() - 1) + " values, or {0}, {1}",
                        "other braces cannot stand in it");
  }
  if (arguments.size() == 1) return std::move(arguments[0]);
  for (size_t i = 1; i < arguments.size(); ++i) {
    if (arguments[i].type.kind == Kind::kText) continue;
    const Range place = arguments[i].range;
    arguments[i] = MakeCall("toString", {Kind::kText, ""}, ListOf(std::move(arguments[i])), place);
  }
  return MakeCall("format", {Kind::kText, ""}, std::move(arguments), range);
}

std::optional<Node> ToTime(std::vector<Node> arguments, Type type, Range range, Refusal& refusal) {
  Node& value = arguments[0];
  if (value.kind == NodeKind::kText) return TimeOfText(std::move(value), type.zone, refusal);
  if (value.type.kind == Kind::kBoolean) {
    return refusal.Fail(ProblemCode::kBadType, value.range,
                        "argument 1 of toDateTime: expected a number, a string or a time, got a "
                        "boolean",
                        "");
  }
  return MakeCall("toDateTime", std::move(type), std::move(arguments), range);
}

/// The form's node. Parameters and arguments have been suited.
std::optional<Node> Formed(const Function& function, const Syntax& call,
                           std::vector<Node> arguments, Type type, Refusal& refusal) {
  const Range range = call.range;
  switch (function.form) {
    case Form::kSwapped:
      std::swap(arguments[0], arguments[1]);
      break;
    case Form::kParts:
      return MakeCall(PartFunction(call.unit), type, std::move(arguments), range);
    case Form::kStrings:
      return Formatted(std::move(arguments), range, refusal);
    case Form::kWeek:
      arguments.push_back(MakeLiteral(NodeKind::kInteger, Kind::kInteger, "1", range));
      [[fallthrough]];
    case Form::kDay:
      return AtMidnight(MakeCall(function.engine, {Kind::kDate, ""}, std::move(arguments), range),
                        type);
    case Form::kInterval: {
      const std::string_view interval = arguments[1].engine;
      const bool is_date = interval == "toIntervalYear" || interval == "toIntervalMonth";
      Node start = MakeCall(function.engine, type, std::move(arguments), range);
      return is_date ? AtMidnight(std::move(start), type) : std::move(start);
    }
    case Form::kToTime:
      return ToTime(std::move(arguments), std::move(type), range, refusal);
    case Form::kFromText:
      if (arguments[0].type.kind == Kind::kText) {
        arguments =
            ListOf(MakeCall("toFloat64", {Kind::kDouble, ""}, std::move(arguments), call.range));
      }
      break;
    case Form::kWholeNumber:
      if (arguments[0].type.kind == Kind::kDouble) {
        arguments[0] =
            MakeCall("toInt64", {Kind::kInteger, ""}, ListOf(std::move(arguments[0])), call.range);
      }
      break;
    default:
      break;
  }
  return MakeCall(function.engine, std::move(type), std::move(arguments), range);
}

}  // namespace

std::optional<Node> BindCall(const Function& function, const Syntax& call,
                             std::vector<Node> parameters, std::vector<Node> arguments,
                             Refusal& refusal) {
  ArgumentCheck check(function, call, refusal);
  std::string_view letters = function.arguments;
  std::string_view engine = function.engine;
  if (call.distinct) {
    if (function.distinct_engine.empty()) {
      return refusal.Fail(ProblemCode::kBadArguments, call.range,
                          std::string(function.name) + " has no DISTINCT",
                          "write " + std::string(function.usage));
    }
    if (arguments.size() != 1) {
      return refusal.Fail(ProblemCode::kBadArguments, call.range,
                          std::string(function.name) + "(DISTINCT ...) takes 1 argument, got " +
                              std::to_string(arguments.size()),
                          "");
    }
    engine = function.distinct_engine;
    if (letters.empty()) letters = "a";
  } else if (function.engine == "count" && arguments.size() == 1) {
    return refusal.Fail(ProblemCode::kBadArguments, call.range, "count takes no arguments, got 1",
                        "write count(), or count(DISTINCT column) for the values that differ");
  } else if (!check.Takes(parameters.size(), arguments.size())) {
    return std::nullopt;
  }
  if (!check.SuitAll("parameter ", function.parameters, parameters) ||
      !check.SuitAll("argument ", letters, arguments)) {
    return std::nullopt;
  }
  const bool is_legacy = function.form == Form::kLegacyQuantile;
  Type type = TypeOf(function.gives, arguments, is_legacy ? 1 : 0);
  // A zone that was given is the result's.
  if (type.kind == Kind::kTime && function.gives == Gives::kTime && arguments.size() > 1 &&
      arguments.back().kind == NodeKind::kText) {
    type.zone = arguments.back().value;
  }
  if (function.gives == Gives::kBranches) {
    const std::optional<Type> both = TypeOfBranches(arguments[1], arguments[2]);
    if (!both) {
      return refusal.Fail(ProblemCode::kBadType, call.range,
                          "arguments 2 and 3 of if: expected values of one kind, got " +
                              WithArticle(arguments[1].type.kind) + " and " +
                              WithArticle(arguments[2].type.kind),
                          "");
    }
    Unite(arguments, both->kind);
    type = *both;
  }
  if (is_legacy) {
    parameters = ListOf(std::move(arguments[0]));
    arguments.erase(arguments.begin());
  }
  std::optional<Node> node = Formed(function, call, std::move(arguments), std::move(type), refusal);
  if (!node) return std::nullopt;
  node->range = call.range;
  if (function.group == Group::kAggregate) {
    node->engine = engine;
    node->parameters = std::move(parameters);
    node->is_aggregate = true;
    SumUp(*node);
  }
  return node;
}

}  // namespace levada::aesql
