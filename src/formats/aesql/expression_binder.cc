#include "formats/aesql/expression_binder.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/diagnostic.h"
#include "formats/aesql/argument_check.h"
#include "formats/aesql/calls.h"
#include "formats/aesql/functions.h"
#include "formats/aesql/literals.h"

namespace levada::aesql {
namespace {

struct EngineName {
  std::string_view text;
  std::string_view engine;
};
constexpr std::array<EngineName, 18> kEngineNames = {{
    {"+", "plus"},
    {"-", "minus"},
    {"*", "multiply"},
    {"/", "divide"},
    {"%", "modulo"},
    {"=", "equals"},
    {"!=", "notEquals"},
    {"<", "less"},
    {"<=", "lessOrEquals"},
    {">", "greater"},
    {">=", "greaterOrEquals"},
    {"and", "and"},
    {"or", "or"},
    {"not", "not"},
    {"like", "like"},
    {"not like", "notLike"},
    {"ilike", "ilike"},
    {"not ilike", "notILike"},
}};

std::string_view EngineNameOf(std::string_view text) {
  return std::ranges::find(kEngineNames, text, &EngineName::text)->engine;
}

std::string Upper(std::string_view text) {
  std::string upper(text);
  for (char& c : upper) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return upper;
}

bool IsSubday(std::string_view interval) {
  return interval == "toIntervalHour" || interval == "toIntervalMinute" ||
         interval == "toIntervalSecond";
}

/// The kind of left + right or left - right where one is a time; nothing when that is none.
std::optional<Type> TypeOfTimes(bool minus, const Node& left, const Node& right) {
  const Kind a = left.type.kind, b = right.type.kind;
  if (IsTime(a) && a == b && minus) return Type{Kind::kInteger, ""};
  const bool left_is_time = IsTime(a);
  if (!left_is_time && (minus || !IsTime(b))) return std::nullopt;
  const Node& time = left_is_time ? left : right;
  const Node& step = left_is_time ? right : left;
  if (step.type.kind == Kind::kInteger) return time.type;  // seconds, or days of a date
  if (step.kind != NodeKind::kInterval) return std::nullopt;
  if (time.type.kind == Kind::kDate && IsSubday(step.engine)) return Type{Kind::kTime, ""};
  return time.type;
}

}  // namespace

ExpressionBinder::ExpressionBinder(const Select& select, std::vector<SourceColumn> columns,
                                   bool is_source, Budget& budget, Refusal& refusal)
    : select_(select),
      columns_(std::move(columns)),
      is_source_(is_source),
      budget_(budget),
      refusal_(refusal),
      states_(select.items.size(), AliasState::kUnknown),
      bound_(select.items.size()) {}

std::optional<Node> ExpressionBinder::BindItem(size_t index) {
  if (states_[index] == AliasState::kBound) {
    return Spent(bound_[index], bound_[index]->size);
  }
  // An alias is bound as its item is: with aggregates, wherever it was met.
  const std::string_view place = std::exchange(place_, {});
  const Syntax* aggregate = std::exchange(aggregate_, nullptr);
  states_[index] = AliasState::kBinding;
  binding_.push_back(index);
  std::optional<Node> node = BindNode(*select_.items[index].expression);
  binding_.pop_back();
  place_ = place;
  aggregate_ = aggregate;
  if (!node) return std::nullopt;
  states_[index] = AliasState::kBound;
  bound_[index] = std::move(node);
  return bound_[index];
}

std::optional<Node> ExpressionBinder::Bind(const Syntax& syntax, std::string_view place) {
  place_ = place;
  std::optional<Node> node = BindNode(syntax);
  place_ = {};
  return node;
}

std::optional<Node> ExpressionBinder::BindNode(const Syntax& syntax) {
  switch (syntax.kind) {
    case SyntaxKind::kName:
      return Name(syntax);
    case SyntaxKind::kCall:
      return Spent(Call(syntax), 1);
    case SyntaxKind::kOperator:
      return Spent(Operator(syntax), 1);
    default:
      return Spent(BindLiteral(syntax, refusal_), 1);
  }
}

// Counts nodes that were made or copied, and how deep they stand.
std::optional<Node> ExpressionBinder::Spent(std::optional<Node> node, uint32_t nodes) {
  if (!node) return std::nullopt;
  if (node->depth > kNodeDepthMax || nodes > budget_.nodes) {
    return refusal_.Fail(ProblemCode::kTooLarge, node->range,
                         "the query is too large with its aliases written out",
                         "compute in a subquery and build on its columns");
  }
  budget_.nodes -= nodes;
  return node;
}

const SourceColumn* ExpressionBinder::FindColumn(std::string_view name) const {
  const auto found = std::ranges::find(columns_, name, &SourceColumn::name);
  return found == columns_.end() ? nullptr : &*found;
}

std::optional<Node> ExpressionBinder::Name(const Syntax& syntax) {
  const SourceColumn* column = FindColumn(syntax.text);
  for (size_t i = 0; i < select_.items.size(); ++i) {
    const SelectItem& item = select_.items[i];
    if (item.expression && !item.alias.empty() && item.alias == syntax.text) {
      return AliasName(i, column, syntax);
    }
  }
  if (column == nullptr) return UnknownName(syntax);
  return Spent(MakeColumn(column->name, column->type, syntax.range), 1);
}

std::optional<Node> ExpressionBinder::AliasName(size_t item, const SourceColumn* column,
                                                const Syntax& syntax) {
  const auto as_column = [&] {
    return Spent(MakeColumn(column->name, column->type, syntax.range), 1);
  };
  if (states_[item] == AliasState::kBinding) {
    if (binding_.back() == item && column != nullptr) return as_column();
    return refusal_.Fail(ProblemCode::kBadAlias, syntax.range,
                         "alias \"" + syntax.text + "\" stands for itself in a circle",
                         "give it a name that no column has");
  }
  std::optional<Node> node = BindItem(item);
  if (!node) return std::nullopt;
  node->range = syntax.range;
  const bool is_free = place_.empty() && aggregate_ == nullptr;
  if (!node->has_aggregate || is_free) return node;
  if (column != nullptr) return as_column();
  const std::string where =
      place_.empty() ? "in the aggregate " + aggregate_->text : "in " + std::string(place_);
  return refusal_.Fail(
      ProblemCode::kBadAggregate, syntax.range,
      "alias \"" + syntax.text + "\" is an aggregate, which cannot stand " + where,
      place_ == "WHERE" ? "filter aggregates with HAVING" : "aggregate the rows of a subquery");
}

std::optional<Node> ExpressionBinder::UnknownName(const Syntax& syntax) {
  if (!is_source_) {
    return refusal_.Fail(ProblemCode::kUnknownColumn, syntax.range,
                         "column \"" + syntax.text + "\" in a query without FROM",
                         "write FROM and the dataset");
  }
  std::vector<std::string> names;
  for (const SelectItem& item : select_.items) {
    if (!item.alias.empty()) names.push_back(item.alias);
  }
  for (const SourceColumn& column : columns_) names.push_back(column.name);
  const std::string nearest = NearestName(syntax.text, names);
  std::string help;
  if (!nearest.empty()) {
    help = "did you mean \"" + nearest + "\"?";
  } else if (FindFunction(syntax.text) != nullptr) {
    help = "a function is called with parentheses: " + syntax.text + "()";
  } else {
    help = "a string is written in 'single quotes'";
  }
  return refusal_.Fail(ProblemCode::kUnknownColumn, syntax.range,
                       "unknown column \"" + syntax.text + "\"", std::move(help));
}

bool ExpressionBinder::BindAll(const std::vector<Syntax>& syntaxes, std::vector<Node>& nodes) {
  nodes.reserve(syntaxes.size());
  for (const Syntax& syntax : syntaxes) {
    if (syntax.kind == SyntaxKind::kStar) continue;
    std::optional<Node> node = BindNode(syntax);
    if (!node) return false;
    nodes.push_back(std::move(*node));
  }
  return true;
}

std::optional<Node> ExpressionBinder::Operator(const Syntax& syntax) {
  std::vector<Node> arguments;
  if (!BindAll(syntax.arguments, arguments)) return std::nullopt;
  const std::string& name = syntax.text;
  if (name == "negate") return Negated(syntax, std::move(arguments));
  if (name == "and" || name == "or" || name == "not") return Logic(syntax, std::move(arguments));
  if (name == "in" || name == "not in") return In(syntax, std::move(arguments));
  if (name.ends_with("between")) return Between(syntax, std::move(arguments));
  if (name.ends_with("like")) return Like(syntax, std::move(arguments));
  constexpr std::string_view kArithmetic = "+-*/%";
  if (name.size() == 1 && kArithmetic.find(name) != kArithmetic.npos) {
    return Arithmetic(syntax, std::move(arguments));
  }
  return Compared(syntax, EngineNameOf(name), std::move(arguments[0]), std::move(arguments[1]));
}

std::optional<Node> ExpressionBinder::Mismatch(const Syntax& syntax, const std::string& wanted,
                                               const std::vector<Node>& arguments) {
  std::string got;
  for (const Node& argument : arguments) {
    if (!got.empty()) got += " and ";
    got += WithArticle(argument.type.kind);
  }
  return refusal_.Fail(
      ProblemCode::kBadType, syntax.range,
      Upper(syntax.text == "negate" ? "-" : syntax.text) + ": expected " + wanted + ", got " + got,
      "");
}

std::optional<Node> ExpressionBinder::Negated(const Syntax& syntax, std::vector<Node> arguments) {
  Node& operand = arguments[0];
  if (operand.kind == NodeKind::kInteger || operand.kind == NodeKind::kDouble) {
    operand.range = syntax.range;
    return NegateLiteral(std::move(operand), refusal_);
  }
  if (!IsNumber(operand.type.kind)) return Mismatch(syntax, "a number", arguments);
  const bool is_double = operand.type.kind == Kind::kDouble;
  return MakeCall("negate", {is_double ? Kind::kDouble : Kind::kInteger, ""}, std::move(arguments),
                  syntax.range);
}

std::optional<Node> ExpressionBinder::Arithmetic(const Syntax& syntax,
                                                 std::vector<Node> arguments) {
  const std::string_view engine = EngineNameOf(syntax.text);
  const Kind left = arguments[0].type.kind, right = arguments[1].type.kind;
  if (IsNumber(left) && IsNumber(right)) {
    const bool is_double = syntax.text == "/" || left == Kind::kDouble || right == Kind::kDouble;
    return MakeCall(engine, {is_double ? Kind::kDouble : Kind::kInteger, ""}, std::move(arguments),
                    syntax.range);
  }
  if (syntax.text == "+" || syntax.text == "-") {
    if (auto type = TypeOfTimes(syntax.text == "-", arguments[0], arguments[1])) {
      return MakeCall(engine, std::move(*type), std::move(arguments), syntax.range);
    }
    return Mismatch(syntax, "two numbers, or a datetime and an interval", arguments);
  }
  return Mismatch(syntax, "two numbers", arguments);
}

// Both as what the engine compares: a string beside a time becomes one.
bool ExpressionBinder::Comparable(const Syntax& syntax, Node& left, Node& right) {
  const Kind a = left.type.kind, b = right.type.kind;
  if ((IsNumber(a) && IsNumber(b)) || (a == Kind::kText && b == Kind::kText) ||
      (IsTime(a) && IsTime(b))) {
    return true;
  }
  for (Node* time : {&left, &right}) {
    Node& other = time == &left ? right : left;
    if (!IsTime(time->type.kind)) continue;
    if (time->type.kind == Kind::kTime && other.type.kind == Kind::kInteger) return true;
    if (other.kind != NodeKind::kText) continue;
    std::optional<Node> converted = TimeOfText(std::move(other), time->type.zone, refusal_);
    if (!converted) return false;
    other = std::move(*converted);
    return true;
  }
  const bool is_text = (a == Kind::kText && IsNumber(b)) || (b == Kind::kText && IsNumber(a));
  refusal_.Fail(ProblemCode::kBadType, syntax.range,
                Upper(syntax.text) + ": expected two values of one kind, got " + WithArticle(a) +
                    " and " + WithArticle(b),
                is_text ? "numbers are written without quotes, strings in single quotes" : "");
  return false;
}

std::optional<Node> ExpressionBinder::Compared(const Syntax& syntax, std::string_view engine,
                                               Node left, Node right) {
  if (!Comparable(syntax, left, right)) return std::nullopt;
  return MakeCall(engine, {Kind::kBoolean, ""}, ListOf(std::move(left), std::move(right)),
                  syntax.range);
}

std::optional<Node> ExpressionBinder::Between(const Syntax& syntax, std::vector<Node> arguments) {
  std::optional<Node> copy = Spent(arguments[0], arguments[0].size);
  if (!copy) return std::nullopt;
  const bool negated = syntax.text != "between";
  auto low = Compared(syntax, negated ? "less" : "greaterOrEquals", std::move(*copy),
                      std::move(arguments[1]));
  if (!low) return std::nullopt;
  auto high = Compared(syntax, negated ? "greater" : "lessOrEquals", std::move(arguments[0]),
                       std::move(arguments[2]));
  if (!high) return std::nullopt;
  return MakeCall(negated ? "or" : "and", {Kind::kBoolean, ""},
                  ListOf(std::move(*low), std::move(*high)), syntax.range);
}

std::optional<Node> ExpressionBinder::In(const Syntax& syntax, std::vector<Node> arguments) {
  for (size_t i = 1; i < arguments.size(); ++i) {
    if (!arguments[i].IsLiteral()) {
      return refusal_.Fail(ProblemCode::kBadArguments, arguments[i].range,
                           "the list of IN holds values, got an expression",
                           "write x = a OR x = b");
    }
    if (!Comparable(syntax, arguments[0], arguments[i])) return std::nullopt;
  }
  Node node = MakeCall("", {Kind::kBoolean, ""}, std::move(arguments), syntax.range);
  node.kind = syntax.text == "in" ? NodeKind::kIn : NodeKind::kNotIn;
  return node;
}

std::optional<Node> ExpressionBinder::Like(const Syntax& syntax, std::vector<Node> arguments) {
  for (const Node& argument : arguments) {
    if (argument.type.kind != Kind::kText) return Mismatch(syntax, "two strings", arguments);
  }
  // The engine matches constants against no patterns but constants.
  if (!arguments[1].IsLiteral()) {
    const Range range = arguments[0].range;
    arguments[0] =
        MakeCall("materialize", {Kind::kText, ""}, ListOf(std::move(arguments[0])), range);
  }
  return MakeCall(EngineNameOf(syntax.text), {Kind::kBoolean, ""}, std::move(arguments),
                  syntax.range);
}

std::optional<Node> ExpressionBinder::Logic(const Syntax& syntax, std::vector<Node> arguments) {
  for (Node& argument : arguments) {
    std::optional<Node> condition = Condition(std::move(argument), Upper(syntax.text), refusal_);
    if (!condition) return std::nullopt;
    argument = std::move(*condition);
  }
  return MakeCall(EngineNameOf(syntax.text), {Kind::kBoolean, ""}, std::move(arguments),
                  syntax.range);
}

std::optional<Node> ExpressionBinder::Call(const Syntax& syntax) {
  const Function* function = FindFunction(syntax.text);
  if (function == nullptr) {
    const std::string nearest = NearestName(syntax.text, FunctionNames());
    return refusal_.Fail(
        ProblemCode::kUnknownFunction, syntax.range, "unknown function \"" + syntax.text + "\"",
        nearest.empty() ? "the functions are those of the SQL reference of Workers "
                          "Analytics Engine"
                        : "did you mean " + nearest + "?");
  }
  // As some write it who know the function under its old name only.
  if (function->form == Form::kLegacyQuantile && syntax.has_parameters) {
    function = FindFunction("quantileExactWeighted");
  }
  const bool is_star =
      syntax.arguments.size() == 1 && syntax.arguments[0].kind == SyntaxKind::kStar;
  if (is_star && function->engine != "count") {
    return refusal_.Fail(ProblemCode::kBadArguments, syntax.range,
                         syntax.text + "(*): only count takes a *",
                         "write " + std::string(function->usage));
  }
  const bool is_aggregate = function->group == Group::kAggregate;
  if (is_aggregate && aggregate_ != nullptr) {
    return refusal_.Fail(ProblemCode::kBadAggregate, syntax.range,
                         "aggregate " + syntax.text + " in the aggregate " + aggregate_->text,
                         "aggregate the rows of a subquery");
  }
  if (is_aggregate && !place_.empty()) {
    return refusal_.Fail(
        ProblemCode::kBadAggregate, syntax.range,
        "aggregate " + syntax.text + " in " + std::string(place_),
        place_ == "WHERE" ? "filter aggregates with HAVING" : "aggregate the rows of a subquery");
  }
  const Syntax* outer = aggregate_;
  if (is_aggregate) aggregate_ = &syntax;
  std::vector<Node> parameters, arguments;
  const bool bound = BindAll(syntax.parameters, parameters) && BindAll(syntax.arguments, arguments);
  aggregate_ = outer;
  if (!bound) return std::nullopt;
  if (syntax.has_parameters && !is_aggregate) {
    return refusal_.Fail(ProblemCode::kBadArguments, syntax.range,
                         syntax.text + " has no parameters, only arguments",
                         "write " + std::string(function->usage));
  }
  return BindCall(*function, syntax, std::move(parameters), std::move(arguments), refusal_);
}

}  // namespace levada::aesql
