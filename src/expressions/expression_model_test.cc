// Expressions against a plain model of them: the tree walked row by row, with optional values, wide
// integers, and a branch looked at only when it is taken. Random expressions over random rows from
// fixed seeds.

#include <arrow/array.h>
#include <arrow/builder.h>

#include <algorithm>
#include <random>
#include <variant>

#include "base/testing.h"
#include "expressions/expression.h"

namespace levada::expressions {
namespace {

struct Failed {
  std::string reason;
  bool operator==(const Failed&) const = default;
};
/// monostate is NULL.
using Value = std::variant<std::monostate, bool, int64_t, std::string, Failed>;
using Row = std::map<std::string, Value>;

bool IsNull(const Value& value) { return std::holds_alternative<std::monostate>(value); }
bool IsFailed(const Value& value) { return std::holds_alternative<Failed>(value); }
bool Is(const Value& value, bool wanted) {
  const bool* known = std::get_if<bool>(&value);
  return known != nullptr && *known == wanted;
}

Value Whole(__int128 value) {
  if (value > INT64_MAX || value < INT64_MIN) return Failed{"overflow"};
  return static_cast<int64_t>(value);
}

Value Evaluate(const Syntax& syntax, const Row& row);

Value Arithmetic(const std::string& name, int64_t a, int64_t b) {
  const __int128 x = a, y = b;
  if (name == "+") return Whole(x + y);
  if (name == "-") return Whole(x - y);
  if (name == "*") return Whole(x * y);
  if (b == 0) return Failed{"division by zero"};
  if (a == INT64_MIN && b == -1) return Failed{"overflow"};
  return Whole(name == "%" ? x % y : x / y);
}

template <typename T>
Value Compared(const std::string& name, const T& a, const T& b) {
  if (name == "=") return a == b;
  if (name == "!=") return a != b;
  if (name == "<") return a < b;
  if (name == "<=") return a <= b;
  if (name == ">") return a > b;
  return a >= b;
}

Value Comparison(const std::string& name, const Value& a, const Value& b) {
  if (const auto* text = std::get_if<std::string>(&a)) {
    return Compared(name, *text, std::get<std::string>(b));
  }
  if (const auto* number = std::get_if<int64_t>(&a)) {
    return Compared(name, *number, std::get<int64_t>(b));
  }
  return Compared(name, std::get<bool>(a), std::get<bool>(b));
}

Value Logic(bool is_and, const Syntax& left, const Syntax& right, const Row& row) {
  const Value a = Evaluate(left, row);
  if (IsFailed(a) || Is(a, !is_and)) return a;
  const Value b = Evaluate(right, row);
  if (IsFailed(b) || Is(b, !is_and)) return b;
  return IsNull(a) ? a : b;
}

Value Chosen(const std::vector<Syntax>& arguments, const Row& row) {
  for (size_t i = 0; i + 1 < arguments.size(); i += 2) {
    const Value condition = Evaluate(arguments[i], row);
    if (IsFailed(condition)) return condition;
    if (Is(condition, true)) return Evaluate(arguments[i + 1], row);
  }
  return Evaluate(arguments.back(), row);
}

Value First(const std::vector<Syntax>& arguments, const Row& row) {
  for (const Syntax& argument : arguments) {
    Value value = Evaluate(argument, row);
    if (!IsNull(value)) return value;
  }
  return {};
}

Value Call(const Syntax& syntax, const Row& row) {
  const std::string& name = syntax.text;
  const auto& arguments = syntax.arguments;
  if (name == "and" || name == "or") return Logic(name == "and", arguments[0], arguments[1], row);
  if (name == "case") return Chosen(arguments, row);
  if (name == "coalesce") return First(arguments, row);
  std::vector<Value> values;
  for (const Syntax& argument : arguments) values.push_back(Evaluate(argument, row));
  for (const Value& value : values) {
    if (IsFailed(value)) return value;
  }
  if (name == "is null") return IsNull(values[0]);
  if (name == "is not null") return !IsNull(values[0]);
  if (name == "nullif") {
    const bool equal = !IsNull(values[0]) && !IsNull(values[1]) && values[0] == values[1];
    return equal ? Value() : values[0];
  }
  if (name == "in") {
    if (IsNull(values[0])) return {};
    return std::find(values.begin() + 1, values.end(), values[0]) != values.end();
  }
  if (name == "between") {
    const auto side = [&](const char* symbol, const Value& bound) {
      return IsNull(values[0]) || IsNull(bound) ? Value() : Comparison(symbol, values[0], bound);
    };
    const Value low = side(">=", values[1]), high = side("<=", values[2]);
    if (Is(low, false) || Is(high, false)) return false;
    return IsNull(low) ? low : high;
  }
  if (std::ranges::any_of(values, IsNull)) return {};
  if (name == "not") return !std::get<bool>(values[0]);
  if (name == "negate") return Whole(-static_cast<__int128>(std::get<int64_t>(values[0])));
  if (name == "||") return std::get<std::string>(values[0]) + std::get<std::string>(values[1]);
  if (name == "length") return static_cast<int64_t>(std::get<std::string>(values[0]).size());
  if (name == "div" || std::string("+-*%").find(name) != std::string::npos) {
    return Arithmetic(name, std::get<int64_t>(values[0]), std::get<int64_t>(values[1]));
  }
  return Comparison(name, values[0], values[1]);
}

Value Evaluate(const Syntax& syntax, const Row& row) {
  switch (syntax.kind) {
    case SyntaxKind::kNull:
      return {};
    case SyntaxKind::kBool:
      return syntax.text == "true";
    case SyntaxKind::kInteger:
      return static_cast<int64_t>(std::stoll(syntax.text));
    case SyntaxKind::kText:
      return syntax.text;
    case SyntaxKind::kColumn:
      return row.at(syntax.text);
    case SyntaxKind::kCall:
      return Call(syntax, row);
    default:
      ADD_FAILURE() << "the model does not know " << syntax.text;
      return {};
  }
}

// ---------------------------------------------------------------------------------------------
// random expressions

class Writer {
 public:
  explicit Writer(uint64_t seed) : random_(seed) {}
  uint64_t Below(uint64_t count) { return random_() % count; }
  const char* Of(std::initializer_list<const char*> words) {
    return words.begin()[Below(words.size())];
  }

  std::string Bool(int depth) {
    if (depth <= 0) return Of({"p", "q", "true", "false"});
    switch (Below(9)) {
      case 0:
        return "(" + Bool(depth - 1) + " and " + Bool(depth - 1) + ")";
      case 1:
        return "(" + Bool(depth - 1) + " or " + Bool(depth - 1) + ")";
      case 2:
        return "(not " + Bool(depth - 1) + ")";
      case 3:
        return "(" + Any(depth - 1) + Of({" is null", " is not null"}) + ")";
      case 4:
        return "(" + Integer(depth - 1) + " in (0, 1, -7))";
      case 5:
        return "(" + Integer(depth - 1) + " between " + Integer(depth - 1) + " and " +
               Integer(depth - 1) + ")";
      case 6:
        return "(" + Text(depth - 1) + Comparison() + Text(depth - 1) + ")";
      case 7:
        return Chosen(&Writer::Bool, depth);
      default:
        return "(" + Integer(depth - 1) + Comparison() + Integer(depth - 1) + ")";
    }
  }

  std::string Integer(int depth) {
    if (depth <= 0) return Of({"a", "b", "c", "0", "1", "-7", "9223372036854775807"});
    switch (Below(7)) {
      case 0:
        return "(- " + Integer(depth - 1) + ")";
      case 1:
        return "div(" + Integer(depth - 1) + ", " + Integer(depth - 1) + ")";
      case 2:
        return "length(" + Text(depth - 1) + ")";
      case 3:
        return Chosen(&Writer::Integer, depth);
      default:
        return "(" + Integer(depth - 1) + Of({" + ", " - ", " * ", " % "}) + Integer(depth - 1) +
               ")";
    }
  }

  std::string Text(int depth) {
    if (depth <= 0) return Of({"s", "t", "''", "'x'"});
    if (Below(3) == 0) return Chosen(&Writer::Text, depth);
    return "(" + Text(depth - 1) + " || " + Text(depth - 1) + ")";
  }

  std::string Any(int depth) {
    return Below(2) == 0 ? Integer(depth) : Below(2) == 0 ? Text(depth) : Bool(depth);
  }

 private:
  std::string Comparison() { return Of({" = ", " != ", " < ", " <= ", " > ", " >= "}); }
  std::string Chosen(std::string (Writer::*of)(int), int depth) {
    switch (Below(3)) {
      case 0:
        return "case when " + Bool(depth - 1) + " then " + (this->*of)(depth - 1) + " when " +
               Bool(depth - 1) + " then " + (this->*of)(depth - 1) +
               (Below(2) == 0 ? "" : " else " + (this->*of)(depth - 1)) + " end";
      case 1:
        return "coalesce(" + (this->*of)(depth - 1) + ", " + (this->*of)(depth - 1) + ")";
      default:
        return "nullif(" + (this->*of)(depth - 1) + ", " + (this->*of)(depth - 1) + ")";
    }
  }

  std::mt19937_64 random_;
};

std::string Shown(const Value& value) {
  if (IsNull(value)) return "null";
  if (const auto* truth = std::get_if<bool>(&value)) return *truth ? "true" : "false";
  if (const auto* number = std::get_if<int64_t>(&value)) return std::to_string(*number);
  if (const auto* text = std::get_if<std::string>(&value)) return "'" + *text + "'";
  return "!" + std::get<Failed>(value).reason;
}

std::string ShownAt(const Evaluated& evaluated, int64_t row) {
  for (const RowFailure& failure : evaluated.failures) {
    if (failure.row == row) return std::string("!") + failure.reason;
  }
  if (evaluated.values->IsNull(row)) return "null";
  const auto text = ValueOf(evaluated.values->GetScalar(row))->ToString();
  return evaluated.values->type_id() == arrow::Type::STRING ? "'" + text + "'" : text;
}

struct Rows {
  std::vector<Row> rows;
  std::shared_ptr<arrow::RecordBatch> batch;
};

Rows MakeRows(Writer& dice, int64_t count) {
  const int64_t integers[] = {0, 1, -1, 2, -7, 100, INT64_MAX, INT64_MIN, 4'000'000'000};
  const std::string texts[] = {"", "x", "xy", "z"};
  Rows made;
  made.rows.resize(static_cast<size_t>(count));
  arrow::FieldVector fields;
  arrow::ArrayVector arrays;
  for (const std::string name : {"a", "b", "c"}) {
    arrow::Int64Builder builder;
    for (Row& row : made.rows) {
      const int64_t value = integers[dice.Below(std::size(integers))];
      const bool null = dice.Below(5) == 0;
      row[name] = null ? Value() : Value(value);
      EXPECT_THAT(null ? builder.AppendNull() : builder.Append(value), IsOk());
    }
    fields.push_back(arrow::field(name, arrow::int64()));
    arrays.push_back(ValueOf(builder.Finish()));
  }
  for (const std::string name : {"s", "t"}) {
    arrow::StringBuilder builder;
    for (Row& row : made.rows) {
      const std::string& value = texts[dice.Below(std::size(texts))];
      const bool null = dice.Below(5) == 0;
      row[name] = null ? Value() : Value(value);
      EXPECT_THAT(null ? builder.AppendNull() : builder.Append(value), IsOk());
    }
    fields.push_back(arrow::field(name, arrow::utf8()));
    arrays.push_back(ValueOf(builder.Finish()));
  }
  for (const std::string name : {"p", "q"}) {
    arrow::BooleanBuilder builder;
    for (Row& row : made.rows) {
      const bool value = dice.Below(2) == 0;
      const bool null = dice.Below(4) == 0;
      row[name] = null ? Value() : Value(value);
      EXPECT_THAT(null ? builder.AppendNull() : builder.Append(value), IsOk());
    }
    fields.push_back(arrow::field(name, arrow::boolean()));
    arrays.push_back(ValueOf(builder.Finish()));
  }
  made.batch = arrow::RecordBatch::Make(arrow::schema(fields), count, arrays);
  return made;
}

TEST(ExpressionModel, AgreesRowByRow) {
  constexpr int kExpressions = 3000;
  int compiled = 0, failures = 0, values = 0;
  for (uint64_t seed = 0; seed < kExpressions; ++seed) {
    Writer dice(seed);
    const Rows rows = MakeRows(dice, 40);
    const int depth = 1 + static_cast<int>(dice.Below(4));
    const std::string text = dice.Any(depth);
    const Compiled made = Compile(text, *rows.batch->schema());
    if (made.expression == nullptr) {
      // Only what is constant can be refused: it never has a value.
      for (const Problem& problem : made.problems) {
        EXPECT_TRUE(problem.message.starts_with("never has a value"))
            << text << ": " << problem.message;
      }
      continue;
    }
    ++compiled;
    const Syntax syntax = *Parse(text).syntax;
    const Evaluated evaluated =
        ValueOf(made.expression->Evaluate(*rows.batch, arrow::default_memory_pool()));
    ASSERT_THAT(evaluated.values->ValidateFull(), IsOk());
    for (int64_t row = 0; row < rows.batch->num_rows(); ++row) {
      const std::string wanted = Shown(Evaluate(syntax, rows.rows[static_cast<size_t>(row)]));
      ASSERT_EQ(ShownAt(evaluated, row), wanted)
          << text << " in row " << row << " of seed " << seed;
      ++(wanted.starts_with('!') ? failures : values);
    }
  }
  // The dice reach everything often enough to mean something.
  EXPECT_GT(compiled, kExpressions * 3 / 4);
  EXPECT_GT(failures, 5000);
  EXPECT_GT(values, 50'000);
}

}  // namespace
}  // namespace levada::expressions
