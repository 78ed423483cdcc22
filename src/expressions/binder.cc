#include "expressions/binder.h"

#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/compute/api.h>
#include <arrow/util/decimal.h>

#include <algorithm>
#include <array>
#include <set>
#include <string_view>
#include <utility>

#include "base/diagnostic.h"
#include "elt/option_problems.h"
#include "elt/type_name.h"
#include "expressions/functions.h"

namespace levada::expressions {
namespace {

using arrow::Datum;

std::string Name(const TypePtr& type) { return elt::TypeName(*type); }

std::vector<int> ColumnsOf(const Arguments& arguments) {
  std::set<int> columns;
  for (const Node& node : arguments) columns.insert(node.columns.begin(), node.columns.end());
  return {columns.begin(), columns.end()};
}

Node MakeNode(std::shared_ptr<const Operation> operation, TypePtr type, const Arguments& arguments,
              Range range) {
  Node node;
  node.type = std::move(type);
  node.range = range;
  node.operation = std::move(operation);
  node.columns = ColumnsOf(arguments);
  node.nullable = std::ranges::any_of(arguments, &Node::nullable);
  return node;
}

// A whole number as written meets decimals as one of its own digits: amount * 2 needs one digit
// more than amount, not nineteen.
int DigitsOf(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  while (text.size() > 1 && text.front() == '0') text.remove_prefix(1);
  return static_cast<int>(text.size());
}

TypePtr DecimalTypeOf(const Node& node) {
  if (node.constant && node.constant->is_valid && IsInteger(*node.type)) {
    return DecimalOf(DigitsOf(node.constant->ToString()), 0);
  }
  return IsNumber(*node.type) && !IsFloat(*node.type) ? AsDecimal(node.type) : node.type;
}

// The types as arithmetic and comparison look at them.
std::pair<TypePtr, TypePtr> Sides(const Node& left, const Node& right) {
  if (IsDecimal(*left.type) && IsInteger(*right.type)) return {left.type, DecimalTypeOf(right)};
  if (IsInteger(*left.type) && IsDecimal(*right.type)) return {DecimalTypeOf(left), right.type};
  return {left.type, right.type};
}

}  // namespace

Binder::Bound Binder::Fail(Range range, std::string message, std::string help) {
  problems_.push_back({range, std::move(message), std::move(help)});
  return std::nullopt;
}

Binder::Bound Binder::Bind(const Syntax& syntax) {
  switch (syntax.kind) {
    case SyntaxKind::kNull:
      return MakeConstant(arrow::MakeNullScalar(arrow::null()), syntax.range);
    case SyntaxKind::kBool:
      return MakeConstant(arrow::MakeScalar(syntax.text == "true"), syntax.range);
    case SyntaxKind::kText: {
      Node node = MakeConstant(arrow::MakeScalar(syntax.text), syntax.range);
      node.is_bare_text = true;
      return node;
    }
    case SyntaxKind::kInteger:
    case SyntaxKind::kDecimal:
    case SyntaxKind::kFloat:
      return Number(syntax);
    case SyntaxKind::kColumn:
      return Column(syntax);
    case SyntaxKind::kCast:
      return Cast(syntax);
    case SyntaxKind::kCall:
      return Call(syntax);
  }
  return std::nullopt;
}

Binder::Bound Binder::Column(const Syntax& syntax) {
  const std::vector<int> found = input_.GetAllFieldIndices(syntax.text);
  if (found.size() == 1) {
    return MakeColumn(found.front(), *input_.field(found.front()), syntax.range);
  }
  if (found.size() > 1) {
    return Fail(syntax.range, "two columns \"" + syntax.text + "\" reach this stage",
                "rename one of them before");
  }
  std::string help = elt::SuggestName(syntax.text, input_.field_names());
  if (NearestName(syntax.text, input_.field_names()).empty()) {
    help = "text is written in single quotes" + (help.empty() ? "" : "; " + help);
  }
  problems_.push_back({syntax.range, "no column \"" + syntax.text + "\" reaches this stage",
                       std::move(help), FaultCode::kUnknownColumn});
  return std::nullopt;
}

// Digits as they are: 64 bits where they suffice, else a decimal; with a point a decimal.
Binder::Bound Binder::Number(const Syntax& syntax) {
  const auto refused = [&] {
    return Fail(syntax.range, "a number of more than 76 digits", "write it with an exponent");
  };
  const std::string& text = syntax.text;
  const size_t digits =
      static_cast<size_t>(std::ranges::count_if(text, [](char c) { return c >= '0' && c <= '9'; }));
  if (syntax.kind == SyntaxKind::kFloat) {
    Node literal = MakeConstant(arrow::MakeScalar(text), syntax.range);
    literal.is_bare_text = true;
    return Converted(std::move(literal), arrow::float64());
  }
  const size_t point = text.find('.');
  const int scale = point == std::string::npos ? 0 : static_cast<int>(text.size() - point - 1);
  if (digits > 76) return refused();
  TypePtr type = DecimalOf(std::max(static_cast<int>(digits), 1), scale);
  if (syntax.kind == SyntaxKind::kInteger && DigitsOf(text) <= 18) type = arrow::int64();
  std::string written = text;
  if (written.ends_with('.')) written.pop_back();
  if (const size_t at = written.find('.'); at == 0 || (at == 1 && written[0] == '-')) {
    written.insert(at, "0");
  }
  Node literal = MakeConstant(arrow::MakeScalar(written), syntax.range);
  literal.is_bare_text = true;
  if (syntax.kind == SyntaxKind::kInteger && DigitsOf(text) == 19) {
    // The last digit decides whether 64 bits hold it.
    auto fits = arrow::Scalar::Parse(arrow::int64(), written);
    if (fits.ok()) return MakeConstant(*std::move(fits), syntax.range);
  }
  return Converted(std::move(literal), type);
}

Binder::Bound Binder::Cast(const Syntax& syntax) {
  auto type = elt::ParseTypeName(syntax.text);
  if (!type.ok()) {
    const Fault fault = FaultOf(type.status());
    return Fail(syntax.range, fault.message(), fault.help());
  }
  Bound argument = Bind(syntax.arguments.front());
  if (!argument) return argument;
  if (argument->type->Equals(**type)) return argument;
  argument->range = syntax.range;
  if (argument->type->id() == arrow::Type::NA) return Converted(std::move(*argument), *type);
  auto operation = MakeConversion(*argument, *type, syntax.range);
  if (!operation.ok()) {
    const Fault fault = FaultOf(operation.status());
    return Fail(syntax.range, fault.message(), fault.help());
  }
  return Folded(MakeNode(*std::move(operation), *type, {*argument}, syntax.range));
}

Binder::Bound Binder::Folded(Node node) {
  if (!node.columns.empty() || node.operation == nullptr) return node;
  arrow::compute::ExecContext exec;
  const auto row = arrow::RecordBatch::Make(arrow::schema({}), 1, arrow::ArrayVector());
  std::map<const Operation*, Values> known;
  auto values = node.Evaluate({*row, exec, known});
  if (!values.ok()) return Fail(node.range, FaultOf(values.status()).message());
  if (!values->failures.empty()) {
    return Fail(values->failures.front().range,
                std::string("never has a value: ") + values->failures.front().reason);
  }
  std::shared_ptr<arrow::Scalar> scalar;
  if (values->datum.is_scalar()) {
    scalar = values->datum.scalar();
  } else {
    auto first = values->datum.make_array()->GetScalar(0);
    if (!first.ok()) return Fail(node.range, first.status().message());
    scalar = *std::move(first);
  }
  return MakeConstant(std::move(scalar), node.range);
}

Binder::Bound Binder::Kernel(std::string function, Arguments arguments, TypePtr type, Range range,
                             FunctionOptions options) {
  auto operation = MakeKernel(std::move(function), arguments, std::move(options), type, range);
  return Folded(MakeNode(std::move(operation), std::move(type), arguments, range));
}

Binder::Bound Binder::Converted(Node node, const TypePtr& type) {
  if (node.type->Equals(*type)) return node;
  const Range range = node.range;
  if (node.type->id() == arrow::Type::NA) return MakeConstant(arrow::MakeNullScalar(type), range);
  if (node.is_bare_text) {
    auto operation = MakeConversion(node, type, range);
    if (!operation.ok()) {
      return Fail(range, "a text where " + Name(type) + " is expected",
                  FaultOf(operation.status()).help());
    }
    const size_t known = problems_.size();
    Bound folded = Folded(MakeNode(*std::move(operation), type, {}, range));
    if (!folded && problems_.size() > known) {
      problems_.back().message =
          "not " + Name(type) + ": " +
          problems_.back().message.substr(std::string_view("never has a value: ").size());
      if (problems_.back().help.empty()) {
        problems_.back().help = "the text is read as " + Name(type) +
                                ", the type of what it stands beside; write such a value, or cast "
                                "the other one to text";
      }
    }
    return folded;
  }
  if (node.constant != nullptr) {
    // By the value: 2 is a decimal of one digit, which a column of integers is not.
    auto operation = MakeConversion(node, type, range);
    if (operation.ok()) return Folded(MakeNode(*std::move(operation), type, {}, range));
  }
  auto options =
      std::make_shared<arrow::compute::CastOptions>(arrow::compute::CastOptions::Safe(type));
  // An integer beyond 2^53 becomes the nearest float; comparing with floats is never exact.
  options->allow_float_truncate = true;
  return Kernel("cast", {std::move(node)}, type, range, std::move(options));
}

std::optional<Arguments> Binder::Unified(Arguments nodes, Range range) {
  const bool has_decimal =
      std::ranges::any_of(nodes, [](const Node& node) { return IsDecimal(*node.type); });
  bool has_bare_text = false;
  TypePtr type = arrow::null();
  for (const Node& node : nodes) {
    has_bare_text = has_bare_text || node.is_bare_text;
    if (node.is_bare_text) continue;  // it becomes what the others are
    const TypePtr joint = JointType(type, has_decimal ? DecimalTypeOf(node) : node.type);
    if (joint == nullptr) {
      Fail(range, Name(type) + " and " + Name(node.type) + " have no type in common",
           "convert one of them: cast(x as " + Name(type) + ")");
      return std::nullopt;
    }
    type = joint;
  }
  if (type->id() == arrow::Type::NA && has_bare_text) type = arrow::utf8();
  Arguments unified;
  for (Node& node : nodes) {
    Bound converted = Converted(std::move(node), type);
    if (!converted) return std::nullopt;
    unified.push_back(std::move(*converted));
  }
  return unified;
}

std::optional<Arguments> Binder::BindAll(const std::vector<Syntax>& arguments) {
  Arguments bound;
  bool complete = true;  // all arguments are looked at, so that all their problems are found
  for (const Syntax& argument : arguments) {
    Bound node = Bind(argument);
    complete = complete && node.has_value();
    if (node) bound.push_back(std::move(*node));
  }
  if (!complete) return std::nullopt;
  return bound;
}

Binder::Bound Binder::Call(const Syntax& syntax) {
  std::optional<Arguments> arguments = BindAll(syntax.arguments);
  const std::string& name = syntax.text;
  if (!arguments) return std::nullopt;
  constexpr std::array<std::string_view, 6> kComparisons = {"=", "!=", "<", "<=", ">", ">="};
  constexpr std::array<std::string_view, 5> kArithmetic = {"+", "-", "*", "/", "%"};
  if (name == "and" || name == "or") return Logic(syntax, std::move(*arguments));
  if (std::ranges::find(kComparisons, name) != kComparisons.end()) {
    return Comparison(syntax, std::move(*arguments));
  }
  if (std::ranges::find(kArithmetic, name) != kArithmetic.end()) {
    return Arithmetic(syntax, std::move(*arguments));
  }
  if (name == "in") return In(syntax, std::move(*arguments));
  if (name == "between") return Between(syntax, std::move(*arguments));
  if (name == "case") return Case(syntax, std::move(*arguments));
  return CallFunction(*this, syntax, std::move(*arguments));
}

bool Binder::RequireBool(const Node& node, const std::string& what) {
  if (node.type->id() == arrow::Type::BOOL) return true;
  Fail(node.range, what + " is a condition, got " + Name(node.type),
       "write x = 1, or x is not null");
  return false;
}

Binder::Bound Binder::Logic(const Syntax& syntax, Arguments arguments) {
  for (Node& node : arguments) {
    if (node.type->id() == arrow::Type::NA) node = *Converted(std::move(node), arrow::boolean());
  }
  const bool left = RequireBool(arguments[0], "the left of " + syntax.text);
  if (!RequireBool(arguments[1], "the right of " + syntax.text) || !left) return std::nullopt;
  auto operation = MakeLogic(syntax.text == "and", arguments[0], arguments[1]);
  return Folded(MakeNode(std::move(operation), arrow::boolean(), arguments, syntax.range));
}

Binder::Bound Binder::Comparison(const Syntax& syntax, Arguments arguments) {
  for (const Node& node : arguments) {
    if (node.type->id() != arrow::Type::NA) continue;
    return Fail(syntax.range, "a comparison with null is never true",
                "write is null or is not null");
  }
  auto sides = Unified(std::move(arguments), syntax.range);
  if (!sides) return std::nullopt;
  static const std::array<std::pair<std::string_view, const char*>, 6> kKernels = {
      {{"=", "equal"},
       {"!=", "not_equal"},
       {"<", "less"},
       {"<=", "less_equal"},
       {">", "greater"},
       {">=", "greater_equal"}}};
  const auto* kernel = std::ranges::find(kKernels, std::string_view(syntax.text),
                                         [](const auto& entry) { return entry.first; });
  return Kernel(kernel->second, std::move(*sides), arrow::boolean(), syntax.range);
}

Binder::Bound Binder::Arithmetic(const Syntax& syntax, Arguments arguments) {
  const char symbol = syntax.text.front();
  Node& left = arguments[0];
  Node& right = arguments[1];
  for (Node* side : {&left, &right}) {
    const Node& other = side == &left ? right : left;
    if (side->type->id() == arrow::Type::NA) *side = *Converted(std::move(*side), other.type);
  }
  if (left.type->id() == arrow::Type::DATE32 && (symbol == '+' || symbol == '-')) {
    return DateArithmetic(syntax, std::move(arguments));
  }
  const auto [a, b] = Sides(left, right);
  if (!IsNumber(*a) || !IsNumber(*b)) {
    return Fail(syntax.range,
                "no " + syntax.text + " of " + Name(left.type) + " and " + Name(right.type),
                IsText(*left.type) ? "texts are joined by ||" : "convert them: cast(x as TYPE)");
  }
  if (symbol == '/') {
    Bound x = Converted(std::move(left), arrow::float64());
    Bound y = Converted(std::move(right), arrow::float64());
    if (!x || !y) return std::nullopt;
    return Kernel("divide_checked", {*x, *y}, arrow::float64(), syntax.range);
  }
  if (symbol == '%') return Remainder(*this, std::move(arguments), syntax.range);
  const TypePtr type = ArithmeticType(symbol, a, b);
  if (type == nullptr) {
    return Fail(
        syntax.range,
        "the result of " + Name(a) + " " + syntax.text + " " + Name(b) + " has more than 76 digits",
        "make one of them smaller: cast(x as decimal(18,2))");
  }
  // The kernels make the result's type of their inputs', but know decimals of one width only.
  TypePtr as_left = type, as_right = type;
  if (IsDecimal(*type)) {
    const auto widened = [&](const TypePtr& side) -> TypePtr {
      const TypePtr exact = AsDecimal(side);
      if (type->id() != arrow::Type::DECIMAL256) return exact;
      const auto& decimal = static_cast<const arrow::DecimalType&>(*exact);
      return arrow::decimal256(decimal.precision(), decimal.scale());
    };
    as_left = widened(a);
    as_right = widened(b);
  }
  Bound x = Converted(std::move(left), as_left);
  Bound y = Converted(std::move(right), as_right);
  if (!x || !y) return std::nullopt;
  const char* kernel = symbol == '+'   ? "add_checked"
                       : symbol == '-' ? "subtract_checked"
                                       : "multiply_checked";
  return Kernel(kernel, {*x, *y}, type, syntax.range);
}

// date + days, date - days, date - date.
Binder::Bound Binder::DateArithmetic(const Syntax& syntax, Arguments arguments) {
  const bool minus = syntax.text == "-";
  const bool is_difference = arguments[1].type->id() == arrow::Type::DATE32;
  if ((is_difference && !minus) || (!is_difference && !IsInteger(*arguments[1].type))) {
    return Fail(syntax.range, "no " + syntax.text + " of a date and " + Name(arguments[1].type),
                "write date + days, date - days or date - date");
  }
  for (Node& node : arguments) {
    if (node.type->id() == arrow::Type::DATE32) {
      Bound days = Converted(std::move(node), arrow::int32());
      if (!days) return days;
      node = std::move(*days);
    }
    Bound wide = Converted(std::move(node), arrow::int64());
    if (!wide) return wide;
    node = std::move(*wide);
  }
  Bound days = Kernel(minus ? "subtract_checked" : "add_checked", std::move(arguments),
                      arrow::int64(), syntax.range);
  if (!days || is_difference) return days;
  auto narrow = std::make_shared<arrow::compute::CastOptions>(
      arrow::compute::CastOptions::Safe(arrow::int32()));
  days = Kernel("cast", {*days}, arrow::int32(), syntax.range, std::move(narrow));
  return days ? Converted(std::move(*days), arrow::date32()) : days;
}

Binder::Bound Binder::In(const Syntax& syntax, Arguments arguments) {
  for (const Node& node : arguments) {
    if (&node == &arguments.front()) continue;
    if (node.constant == nullptr) {
      return Fail(node.range, "a list of in has constants only", "write a = b or a = c");
    }
    if (node.type->id() == arrow::Type::NA) {
      return Fail(node.range, "null is never in a list", "write x in (...) or x is null");
    }
  }
  auto unified = Unified(std::move(arguments), syntax.range);
  if (!unified) return std::nullopt;
  arrow::ScalarVector scalars;
  for (size_t i = 1; i < unified->size(); ++i) scalars.push_back((*unified)[i].constant);
  arrow::ArrayVector pieces;
  for (const auto& scalar : scalars) {
    auto piece = arrow::MakeArrayFromScalar(*scalar, 1);
    if (!piece.ok()) return Fail(syntax.range, piece.status().message());
    pieces.push_back(*std::move(piece));
  }
  auto chunked = arrow::ChunkedArray::Make(std::move(pieces));
  if (!chunked.ok()) return Fail(syntax.range, chunked.status().message());
  // NULL in (...) is NULL, as of every comparison.
  auto options = std::make_shared<arrow::compute::SetLookupOptions>(
      Datum(*chunked), arrow::compute::SetLookupOptions::INCONCLUSIVE);
  return Kernel("is_in", {unified->front()}, arrow::boolean(), syntax.range, std::move(options));
}

Binder::Bound Binder::Between(const Syntax& syntax, Arguments arguments) {
  auto unified = Unified(std::move(arguments), syntax.range);
  if (!unified) return std::nullopt;
  auto operation = MakeBetween((*unified)[0], (*unified)[1], (*unified)[2]);
  return Folded(MakeNode(std::move(operation), arrow::boolean(), *unified, syntax.range));
}

Binder::Bound Binder::Case(const Syntax& syntax, Arguments arguments) {
  Arguments values;
  bool fine = true;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const bool is_value = i % 2 == 1 || i + 1 == arguments.size();
    if (is_value) {
      values.push_back(arguments[i]);
    } else {
      fine = RequireBool(arguments[i], "what stands behind when") && fine;
    }
  }
  if (!fine) return std::nullopt;
  auto unified = Unified(std::move(values), syntax.range);
  if (!unified) return std::nullopt;
  if (unified->front().type->id() == arrow::Type::NA) {
    return Fail(syntax.range, "every branch is null", "give it a type: cast(null as text)");
  }
  for (size_t i = 0; i < unified->size(); ++i) {
    arguments[std::min(2 * i + 1, arguments.size() - 1)] = (*unified)[i];
  }
  Node node = MakeNode(MakeCase(arguments), unified->front().type, arguments, syntax.range);
  node.nullable = std::ranges::any_of(*unified, &Node::nullable);
  return Folded(std::move(node));
}

}  // namespace levada::expressions
