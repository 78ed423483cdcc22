#include "expressions/functions.h"

#include <arrow/compute/api.h>
#include <arrow/scalar.h>

#include <algorithm>
#include <array>
#include <functional>
#include <limits>
#include <map>
#include <string>
#include <utility>

#include "elt/type_name.h"

namespace levada::expressions {
namespace {

using arrow::compute::CalendarUnit;
using Bound = Binder::Bound;

/// One call while it is bound.
struct Call {
  Binder& binder;
  const FunctionEntry& entry;
  Range range;
  Arguments arguments;

  Bound Wrong(const Node& node, const std::string& expected) const {
    return binder.Fail(node.range,
                       std::string(entry.name) + ": expected " + expected + ", got " +
                           (node.is_bare_text ? "a text" : elt::TypeName(*node.type)),
                       std::string(entry.signature) + ": " + std::string(entry.doc));
  }
  /// NULL in the place of an argument takes the type that is expected there.
  bool Require(size_t index, bool (*is)(const arrow::DataType&), const TypePtr& of_null,
               const std::string& expected) {
    Node& node = arguments[index];
    if (node.type->id() == arrow::Type::NA) node = *binder.Converted(std::move(node), of_null);
    if (is(*node.type)) return true;
    Wrong(node, expected);
    return false;
  }
  bool RequireText(size_t index) { return Require(index, IsText, arrow::utf8(), "text"); }
  bool RequireInteger(size_t index) {
    return Require(index, IsInteger, arrow::int64(), "an integer");
  }
  bool RequireNumber(size_t index) { return Require(index, IsNumber, arrow::int64(), "a number"); }

  /// The value of an argument that must be written out.
  std::optional<std::string> ConstantText(size_t index) {
    const Node& node = arguments[index];
    if (node.constant && node.constant->is_valid && IsText(*node.type)) {
      return node.constant->ToString();
    }
    Wrong(node, "a text that is written out");
    return std::nullopt;
  }
  std::optional<int64_t> ConstantInteger(size_t index, int64_t min, int64_t max) {
    const Node& node = arguments[index];
    if (node.constant && node.constant->is_valid && node.type->id() == arrow::Type::INT64) {
      const int64_t value = static_cast<const arrow::Int64Scalar&>(*node.constant).value;
      if (value >= min && value <= max) return value;
    }
    Wrong(node, "an integer that is written out, from " + std::to_string(min) + " to " +
                    std::to_string(max));
    return std::nullopt;
  }

  Bound Kernel(std::string function, Arguments of, TypePtr type,
               FunctionOptions options = nullptr) {
    return binder.Kernel(std::move(function), std::move(of), std::move(type), range,
                         std::move(options));
  }
};

template <typename Options, typename... Parameters>
FunctionOptions Make(Parameters&&... parameters) {
  return std::make_shared<const Options>(std::forward<Parameters>(parameters)...);
}

constexpr int64_t kTextUnitsMax = int64_t{1} << 30;

// ---- one text in, one text out

Bound TextToText(Call& call, const char* kernel) {
  if (!call.RequireText(0)) return std::nullopt;
  const TypePtr type = call.arguments[0].type;
  return call.Kernel(kernel, call.arguments, type);
}
Bound Lower(Call& call) { return TextToText(call, "utf8_lower"); }
Bound Upper(Call& call) { return TextToText(call, "utf8_upper"); }
Bound Reverse(Call& call) { return TextToText(call, "utf8_reverse"); }

Bound TrimBy(Call& call, const char* kernel) {
  if (!call.RequireText(0)) return std::nullopt;
  std::string characters = " ";
  if (call.arguments.size() == 2) {
    const auto given = call.ConstantText(1);
    if (!given) return std::nullopt;
    characters = *given;
  }
  const TypePtr type = call.arguments[0].type;
  return call.Kernel(kernel, {call.arguments[0]}, type,
                     Make<arrow::compute::TrimOptions>(std::move(characters)));
}
Bound Trim(Call& call) { return TrimBy(call, "utf8_trim"); }
Bound LeftTrim(Call& call) { return TrimBy(call, "utf8_ltrim"); }
Bound RightTrim(Call& call) { return TrimBy(call, "utf8_rtrim"); }

Bound PadBy(Call& call, const char* kernel) {
  if (!call.RequireText(0)) return std::nullopt;
  const auto width = call.ConstantInteger(1, 0, 1 << 20);
  if (!width) return std::nullopt;
  std::string padding = " ";
  if (call.arguments.size() == 3) {
    const auto given = call.ConstantText(2);
    if (!given) return std::nullopt;
    padding = *given;
    const auto units = std::ranges::count_if(
        padding, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
    if (units != 1) return call.Wrong(call.arguments[2], "one character");
  }
  const TypePtr type = call.arguments[0].type;
  return call.Kernel(kernel, {call.arguments[0]}, type,
                     Make<arrow::compute::PadOptions>(*width, std::move(padding)));
}
Bound LeftPad(Call& call) { return PadBy(call, "utf8_lpad"); }
Bound RightPad(Call& call) { return PadBy(call, "utf8_rpad"); }

Bound Slice(Call& call, int64_t start, int64_t stop) {
  const TypePtr type = call.arguments[0].type;
  return call.Kernel("utf8_slice_codeunits", {call.arguments[0]}, type,
                     Make<arrow::compute::SliceOptions>(start, stop));
}
Bound Substring(Call& call) {
  if (!call.RequireText(0)) return std::nullopt;
  const auto start = call.ConstantInteger(1, 1, kTextUnitsMax);
  if (!start) return std::nullopt;
  int64_t stop = std::numeric_limits<int64_t>::max();
  if (call.arguments.size() == 3) {
    const auto length = call.ConstantInteger(2, 0, kTextUnitsMax);
    if (!length) return std::nullopt;
    stop = *start - 1 + *length;
  }
  return Slice(call, *start - 1, stop);
}
Bound Left(Call& call) {
  if (!call.RequireText(0)) return std::nullopt;
  const auto length = call.ConstantInteger(1, 0, kTextUnitsMax);
  return length ? Slice(call, 0, *length) : std::nullopt;
}
Bound Right(Call& call) {
  if (!call.RequireText(0)) return std::nullopt;
  const auto length = call.ConstantInteger(1, 1, kTextUnitsMax);
  return length ? Slice(call, -*length, std::numeric_limits<int64_t>::max()) : std::nullopt;
}

// A pattern that is none fails for every row alike: it is tried before there is one.
bool IsPattern(Call& call, const char* kernel, const FunctionOptions& options) {
  arrow::compute::ExecContext exec;
  const auto tried =
      arrow::compute::CallFunction(kernel, {arrow::MakeScalar("")}, options.get(), &exec);
  if (tried.ok()) return true;
  const std::string& said = tried.status().message();
  const size_t reason = said.find(": ");
  call.binder.Fail(call.arguments[1].range,
                   "not a pattern: " + (reason == said.npos ? said : said.substr(reason + 2)),
                   "regular expressions are RE2's; a character that means something is taken as it "
                   "is behind a \\");
  return false;
}

Bound ReplaceBy(Call& call, const char* kernel) {
  if (!call.RequireText(0)) return std::nullopt;
  auto pattern = call.ConstantText(1);
  auto replacement = call.ConstantText(2);
  if (!pattern || !replacement) return std::nullopt;
  if (pattern->empty()) return call.Wrong(call.arguments[1], "something to look for");
  const TypePtr type = call.arguments[0].type;
  auto options =
      Make<arrow::compute::ReplaceSubstringOptions>(*std::move(pattern), *std::move(replacement));
  if (!IsPattern(call, kernel, options)) return std::nullopt;
  return call.Kernel(kernel, {call.arguments[0]}, type, std::move(options));
}
Bound Replace(Call& call) { return ReplaceBy(call, "replace_substring"); }
Bound RegexpReplace(Call& call) { return ReplaceBy(call, "replace_substring_regex"); }

// ---- questions about texts

Bound MatchBy(Call& call, const char* kernel) {
  if (!call.RequireText(0)) return std::nullopt;
  auto pattern = call.ConstantText(1);
  if (!pattern) return std::nullopt;
  auto options = Make<arrow::compute::MatchSubstringOptions>(*std::move(pattern));
  if (!IsPattern(call, kernel, options)) return std::nullopt;
  return call.Kernel(kernel, {call.arguments[0]}, arrow::boolean(), std::move(options));
}
Bound StartsWith(Call& call) { return MatchBy(call, "starts_with"); }
Bound EndsWith(Call& call) { return MatchBy(call, "ends_with"); }
Bound Contains(Call& call) { return MatchBy(call, "match_substring"); }
Bound RegexpMatches(Call& call) { return MatchBy(call, "match_substring_regex"); }
Bound Like(Call& call) { return MatchBy(call, "match_like"); }

Bound LengthBy(Call& call, const char* kernel) {
  if (!call.RequireText(0)) return std::nullopt;
  const bool is_large = call.arguments[0].type->id() == arrow::Type::LARGE_STRING;
  Bound length = call.Kernel(kernel, call.arguments, is_large ? arrow::int64() : arrow::int32());
  return length ? call.binder.Converted(std::move(*length), arrow::int64()) : length;
}
Bound Length(Call& call) { return LengthBy(call, "utf8_length"); }
Bound OctetLength(Call& call) { return LengthBy(call, "binary_length"); }

// a || b: NULL as soon as one is.
Bound Concatenate(Call& call) {
  Arguments pieces;
  for (size_t i = 0; i < call.arguments.size(); ++i) {
    if (!call.RequireText(i)) return std::nullopt;
  }
  auto unified = call.binder.Unified(call.arguments, call.range);
  if (!unified) return std::nullopt;
  const TypePtr type = unified->front().type;
  auto separator = call.binder.Converted(MakeConstant(arrow::MakeScalar(""), call.range), type);
  if (!separator) return std::nullopt;
  unified->push_back(std::move(*separator));
  return call.Kernel("binary_join_element_wise", std::move(*unified), type,
                     Make<arrow::compute::JoinOptions>(arrow::compute::JoinOptions::EMIT_NULL));
}

// ---- numbers

Bound SameNumber(Call& call, const char* kernel, FunctionOptions options = nullptr) {
  if (!call.RequireNumber(0)) return std::nullopt;
  const TypePtr type = call.arguments[0].type;
  return call.Kernel(kernel, {call.arguments[0]}, type, std::move(options));
}
Bound Abs(Call& call) { return SameNumber(call, "abs_checked"); }
Bound Negate(Call& call) { return SameNumber(call, "negate_checked"); }
// Integers have nothing to round; the kernels would make floats of them.
Bound Rounded(Call& call, const char* kernel, FunctionOptions options = nullptr) {
  if (!call.RequireNumber(0)) return std::nullopt;
  if (IsInteger(*call.arguments[0].type)) return call.arguments[0];
  return SameNumber(call, kernel, std::move(options));
}
Bound Floor(Call& call) { return Rounded(call, "floor"); }
Bound Ceil(Call& call) { return Rounded(call, "ceil"); }
Bound Trunc(Call& call) { return Rounded(call, "trunc"); }
Bound Round(Call& call) {
  int64_t digits = 0;
  if (call.arguments.size() == 2) {
    const auto given = call.ConstantInteger(1, 0, 76);
    if (!given) return std::nullopt;
    digits = *given;
  }
  return Rounded(
      call, "round",
      Make<arrow::compute::RoundOptions>(digits, arrow::compute::RoundMode::HALF_TOWARDS_INFINITY));
}
Bound Sign(Call& call) {
  if (!call.RequireNumber(0)) return std::nullopt;
  const TypePtr type = call.arguments[0].type;
  const bool is_float = IsFloat(*type);
  Bound sign = call.Kernel("sign", call.arguments, is_float ? type : arrow::int8());
  return sign && !is_float ? call.binder.Converted(std::move(*sign), arrow::int64()) : sign;
}

Bound FloatBy(Call& call, const char* kernel) {
  Arguments floats;
  for (size_t i = 0; i < call.arguments.size(); ++i) {
    if (!call.RequireNumber(i)) return std::nullopt;
    Bound wide = call.binder.Converted(call.arguments[i], arrow::float64());
    if (!wide) return std::nullopt;
    floats.push_back(std::move(*wide));
  }
  return call.Kernel(kernel, std::move(floats), arrow::float64());
}
Bound Sqrt(Call& call) { return FloatBy(call, "sqrt_checked"); }
Bound Ln(Call& call) { return FloatBy(call, "ln_checked"); }
Bound Log10(Call& call) { return FloatBy(call, "log10_checked"); }
Bound Exp(Call& call) { return FloatBy(call, "exp"); }
Bound Power(Call& call) { return FloatBy(call, "power_checked"); }

Bound Div(Call& call) {
  if (!call.RequireInteger(0) || !call.RequireInteger(1)) return std::nullopt;
  Arguments wide;
  for (const Node& node : call.arguments) {
    Bound one = call.binder.Converted(node, arrow::int64());
    if (!one) return std::nullopt;
    wide.push_back(std::move(*one));
  }
  return call.Kernel("divide_checked", std::move(wide), arrow::int64());
}
Bound Mod(Call& call) {
  if (!call.RequireInteger(0) || !call.RequireInteger(1)) return std::nullopt;
  return Remainder(call.binder, call.arguments, call.range);
}

Bound ExtremeBy(Call& call, const char* kernel) {
  auto unified = call.binder.Unified(call.arguments, call.range);
  if (!unified) return std::nullopt;
  const TypePtr type = unified->front().type;
  return call.Kernel(kernel, std::move(*unified), type,
                     Make<arrow::compute::ElementWiseAggregateOptions>(true));
}
Bound Greatest(Call& call) { return ExtremeBy(call, "max_element_wise"); }
Bound Least(Call& call) { return ExtremeBy(call, "min_element_wise"); }

// ---- conditions and NULL

Bound Not(Call& call) {
  constexpr auto is_bool = [](const arrow::DataType& type) {
    return type.id() == arrow::Type::BOOL;
  };
  if (!call.Require(0, is_bool, arrow::boolean(), "a condition")) return std::nullopt;
  return call.Kernel("invert", call.arguments, arrow::boolean());
}

Bound NullTest(Call& call, const char* kernel) {
  Bound test = call.Kernel(kernel, call.arguments, arrow::boolean());
  if (test) test->nullable = false;
  return test;
}
Bound IsNull(Call& call) { return NullTest(call, "is_null"); }
Bound IsNotNull(Call& call) { return NullTest(call, "is_valid"); }

Bound Composite(Call& call, std::shared_ptr<const Operation> operation, const Arguments& of,
                TypePtr type, bool nullable) {
  Node node = call.arguments.front();
  node.constant = nullptr;
  node.is_bare_text = false;
  node.operation = std::move(operation);
  node.type = std::move(type);
  node.range = call.range;
  node.nullable = nullable;
  node.columns.clear();
  for (const Node& argument : of) {
    node.columns.insert(node.columns.end(), argument.columns.begin(), argument.columns.end());
  }
  std::ranges::sort(node.columns);
  const auto repeated = std::ranges::unique(node.columns);
  node.columns.erase(repeated.begin(), repeated.end());
  return call.binder.Folded(std::move(node));
}

Bound CoalesceOf(Call& call) {
  auto unified = call.binder.Unified(call.arguments, call.range);
  if (!unified) return std::nullopt;
  const bool nullable = std::ranges::all_of(*unified, &Node::nullable);
  const TypePtr type = unified->front().type;
  return Composite(call, MakeCoalesce(*unified), *unified, type, nullable);
}

// nullif(a, b): NULL where a = b, else a.
Bound NullIf(Call& call) {
  auto unified = call.binder.Unified(call.arguments, call.range);
  if (!unified) return std::nullopt;
  unified->front().is_shared = true;
  const TypePtr type = unified->front().type;
  Bound equal = call.Kernel("equal", *unified, arrow::boolean());
  Bound null =
      call.binder.Converted(MakeConstant(arrow::MakeNullScalar(arrow::null()), call.range), type);
  if (!equal || !null) return std::nullopt;
  const Arguments arms = {*equal, *null, unified->front()};
  return Composite(call, MakeCase(arms), arms, type, true);
}

Bound If(Call& call) {
  constexpr auto is_bool = [](const arrow::DataType& type) {
    return type.id() == arrow::Type::BOOL;
  };
  if (!call.Require(0, is_bool, arrow::boolean(), "a condition")) return std::nullopt;
  auto unified = call.binder.Unified({call.arguments[1], call.arguments[2]}, call.range);
  if (!unified) return std::nullopt;
  const TypePtr type = unified->front().type;
  const bool nullable = std::ranges::any_of(*unified, &Node::nullable);
  const Arguments arms = {call.arguments[0], (*unified)[0], (*unified)[1]};
  return Composite(call, MakeCase(arms), arms, type, nullable);
}

// ---- dates and times

bool HasDate(const arrow::DataType& type) {
  return type.id() == arrow::Type::DATE32 || IsTimestamp(type);
}
bool HasClock(const arrow::DataType& type) {
  return IsTimestamp(type) || type.id() == arrow::Type::TIME32 || type.id() == arrow::Type::TIME64;
}

Bound PartBy(Call& call, const char* kernel, bool of_date, FunctionOptions options = nullptr) {
  if (of_date ? !call.Require(0, HasDate, arrow::date32(), "a date or a timestamp")
              : !call.Require(0, HasClock, arrow::time64(arrow::TimeUnit::MICRO),
                              "a timestamp or a time")) {
    return std::nullopt;
  }
  return call.Kernel(kernel, call.arguments, arrow::int64(), std::move(options));
}
Bound Year(Call& call) { return PartBy(call, "year", true); }
Bound Quarter(Call& call) { return PartBy(call, "quarter", true); }
Bound Month(Call& call) { return PartBy(call, "month", true); }
Bound Week(Call& call) { return PartBy(call, "iso_week", true); }
Bound Day(Call& call) { return PartBy(call, "day", true); }
Bound DayOfYear(Call& call) { return PartBy(call, "day_of_year", true); }
Bound DayOfWeek(Call& call) {
  return PartBy(
      call, "day_of_week", true,
      Make<arrow::compute::DayOfWeekOptions>(/*count_from_zero=*/false, /*week_start=*/1));
}
Bound Hour(Call& call) { return PartBy(call, "hour", false); }
Bound Minute(Call& call) { return PartBy(call, "minute", false); }
Bound Second(Call& call) { return PartBy(call, "second", false); }

Bound DateTrunc(Call& call) {
  static const std::map<std::string, CalendarUnit> kUnits = {
      {"second", CalendarUnit::SECOND},   {"minute", CalendarUnit::MINUTE},
      {"hour", CalendarUnit::HOUR},       {"day", CalendarUnit::DAY},
      {"week", CalendarUnit::WEEK},       {"month", CalendarUnit::MONTH},
      {"quarter", CalendarUnit::QUARTER}, {"year", CalendarUnit::YEAR}};
  const auto name = call.ConstantText(0);
  if (!name) return std::nullopt;
  const auto unit = kUnits.find(*name);
  if (unit == kUnits.end()) {
    return call.binder.Fail(call.arguments[0].range, "date_trunc: no unit \"" + *name + "\"",
                            "one of second, minute, hour, day, week, month, quarter, year");
  }
  if (!call.Require(1, HasDate, arrow::date32(), "a date or a timestamp")) return std::nullopt;
  const Node& node = call.arguments[1];
  if (node.type->id() == arrow::Type::DATE32 && unit->second < CalendarUnit::DAY) return node;
  const TypePtr type = node.type;
  return call.Kernel("floor_temporal", {node}, type,
                     Make<arrow::compute::RoundTemporalOptions>(1, unit->second));
}

Bound DateOf(Call& call) {
  if (!call.Require(0, HasDate, arrow::date32(), "a date or a timestamp")) return std::nullopt;
  const Node& node = call.arguments[0];
  if (node.type->id() == arrow::Type::DATE32) return node;
  Bound day = call.Kernel("floor_temporal", {node}, node.type,
                          Make<arrow::compute::RoundTemporalOptions>(1, CalendarUnit::DAY));
  if (!day) return day;
  return call.Kernel("cast", {*day}, arrow::date32(),
                     std::make_shared<arrow::compute::CastOptions>(
                         arrow::compute::CastOptions::Safe(arrow::date32())));
}

/// An entry and how it is bound. Operators have no signature: the grammar tells of them.
struct Function {
  FunctionEntry entry;
  size_t min = 1;
  size_t max = 1;
  Bound (*bind)(Call&) = nullptr;
};

constexpr size_t kAny = 64;  // arguments of one call

constexpr std::array kFunctions = {
    Function{{"abs", "abs(number)", "the number without its sign"}, 1, 1, Abs},
    Function{{"ceil", "ceil(number)", "the next whole number above"}, 1, 1, Ceil},
    Function{
        {"coalesce", "coalesce(a, b, ...)", "the first that is not null"}, 1, kAny, CoalesceOf},
    Function{{"concat", "concat(text, ...)", "the texts joined; null as soon as one is"},
             1,
             kAny,
             Concatenate},
    Function{
        {"contains", "contains(text, 'part')", "is the part anywhere in the text"}, 2, 2, Contains},
    Function{{"date", "date(timestamp)", "its day; of an instant in UTC"}, 1, 1, DateOf},
    Function{{"date_trunc", "date_trunc('unit', x)",
              "the beginning of the second, minute, hour, day, week, month, quarter or year"},
             2,
             2,
             DateTrunc},
    Function{{"day", "day(x)", "day of the month"}, 1, 1, Day},
    Function{{"day_of_week", "day_of_week(x)", "1 is Monday, 7 is Sunday"}, 1, 1, DayOfWeek},
    Function{{"day_of_year", "day_of_year(x)", "1 to 366"}, 1, 1, DayOfYear},
    Function{{"div", "div(a, b)", "whole quotient of integers, towards zero"}, 2, 2, Div},
    Function{{"ends_with", "ends_with(text, 'end')", "does the text end so"}, 2, 2, EndsWith},
    Function{{"exp", "exp(x)", "e to the power of x"}, 1, 1, Exp},
    Function{{"floor", "floor(number)", "the next whole number below"}, 1, 1, Floor},
    Function{
        {"greatest", "greatest(a, b, ...)", "the greatest; nulls are left out"}, 1, kAny, Greatest},
    Function{{"hour", "hour(x)", "0 to 23; of an instant in UTC"}, 1, 1, Hour},
    Function{{"if", "if(condition, a, b)", "a where the condition is true, else b"}, 3, 3, If},
    Function{{"least", "least(a, b, ...)", "the least; nulls are left out"}, 1, kAny, Least},
    Function{{"left", "left(text, n)", "its first n characters"}, 2, 2, Left},
    Function{{"length", "length(text)", "its characters"}, 1, 1, Length},
    Function{{"ln", "ln(x)", "natural logarithm"}, 1, 1, Ln},
    Function{{"log10", "log10(x)", "decimal logarithm"}, 1, 1, Log10},
    Function{{"lower", "lower(text)", "in small letters"}, 1, 1, Lower},
    Function{{"lpad", "lpad(text, n[, 'fill'])", "filled on the left up to n characters"},
             2,
             3,
             LeftPad},
    Function{
        {"ltrim", "ltrim(text[, 'characters'])", "without spaces on the left"}, 1, 2, LeftTrim},
    Function{{"minute", "minute(x)", "0 to 59"}, 1, 1, Minute},
    Function{
        {"mod", "mod(a, b)", "a % b: the remainder of integers, with the sign of a"}, 2, 2, Mod},
    Function{{"month", "month(x)", "1 to 12"}, 1, 1, Month},
    Function{{"nullif", "nullif(a, b)", "null where a = b, else a"}, 2, 2, NullIf},
    Function{{"octet_length", "octet_length(text)", "its bytes in UTF-8"}, 1, 1, OctetLength},
    Function{{"power", "power(x, y)", "x to the power of y, as a float"}, 2, 2, Power},
    Function{{"quarter", "quarter(x)", "1 to 4"}, 1, 1, Quarter},
    Function{{"regexp_matches", "regexp_matches(text, 'pattern')",
              "does the RE2 pattern match anywhere in the text"},
             2,
             2,
             RegexpMatches},
    Function{{"regexp_replace", "regexp_replace(text, 'pattern', 'by')",
              "each match of the RE2 pattern replaced; \\1 is the first group"},
             3,
             3,
             RegexpReplace},
    Function{{"replace", "replace(text, 'part', 'by')", "each occurrence replaced"}, 3, 3, Replace},
    Function{
        {"reverse", "reverse(text)", "its characters from the last to the first"}, 1, 1, Reverse},
    Function{{"right", "right(text, n)", "its last n characters"}, 2, 2, Right},
    Function{{"round", "round(number[, digits])", "halves go away from zero"}, 1, 2, Round},
    Function{{"rpad", "rpad(text, n[, 'fill'])", "filled on the right up to n characters"},
             2,
             3,
             RightPad},
    Function{
        {"rtrim", "rtrim(text[, 'characters'])", "without spaces on the right"}, 1, 2, RightTrim},
    Function{{"second", "second(x)", "whole seconds, 0 to 59"}, 1, 1, Second},
    Function{{"sign", "sign(number)", "-1, 0 or 1"}, 1, 1, Sign},
    Function{{"sqrt", "sqrt(x)", "square root"}, 1, 1, Sqrt},
    Function{
        {"starts_with", "starts_with(text, 'begin')", "does the text begin so"}, 2, 2, StartsWith},
    Function{{"substring", "substring(text, start[, length])",
              "characters from the start-th, counted from 1"},
             2,
             3,
             Substring},
    Function{{"trim", "trim(text[, 'characters'])", "without spaces on both sides"}, 1, 2, Trim},
    Function{{"trunc", "trunc(number)", "without what is behind the point"}, 1, 1, Trunc},
    Function{{"upper", "upper(text)", "in capitals"}, 1, 1, Upper},
    Function{{"week", "week(x)", "week of the year by ISO 8601"}, 1, 1, Week},
    Function{{"year", "year(x)", "the year"}, 1, 1, Year},
};

constexpr std::array kOperators = {
    Function{{"not", "not CONDITION", "false where it is true"}, 1, 1, Not},
    Function{{"negate", "-x", "the number with the other sign"}, 1, 1, Negate},
    Function{{"is null", "x is null", "is there no value"}, 1, 1, IsNull},
    Function{{"is not null", "x is not null", "is there a value"}, 1, 1, IsNotNull},
    Function{{"like", "text like 'a%'", "% stands for anything, _ for one character"}, 2, 2, Like},
    Function{{"||", "text || text", "the texts joined; null as soon as one is"}, 2, 2, Concatenate},
};

const Function* Find(std::string_view name) {
  for (const Function& function : kFunctions) {
    if (function.entry.name == name) return &function;
  }
  for (const Function& function : kOperators) {
    if (function.entry.name == name) return &function;
  }
  return nullptr;
}

std::string Wanted(const Function& function) {
  if (function.min == function.max) {
    return std::to_string(function.min) + (function.min == 1 ? " argument" : " arguments");
  }
  return std::to_string(function.min) + " to " + std::to_string(function.max) + " arguments";
}

}  // namespace

std::span<const FunctionEntry> FunctionEntries() {
  static const auto kEntries = [] {
    std::array<FunctionEntry, kFunctions.size()> entries;
    std::ranges::transform(kFunctions, entries.begin(), &Function::entry);
    return entries;
  }();
  return kEntries;
}

Bound CallFunction(Binder& binder, const Syntax& syntax, Arguments arguments) {
  const Function* function = Find(syntax.text);
  if (function == nullptr) {
    std::vector<std::string> names;
    for (const FunctionEntry& entry : FunctionEntries()) names.emplace_back(entry.name);
    const std::string nearest = NearestName(syntax.text, names);
    return binder.Fail(syntax.range, "no function \"" + syntax.text + "\"",
                       nearest.empty() ? "" : "did you mean \"" + nearest + "\"?");
  }
  if (arguments.size() < function->min || arguments.size() > function->max) {
    return binder.Fail(syntax.range,
                       syntax.text + ": expected " + Wanted(*function) + ", got " +
                           std::to_string(arguments.size()),
                       std::string(function->entry.signature));
  }
  Call call{binder, function->entry, syntax.range, std::move(arguments)};
  return function->bind(call);
}

Bound Remainder(Binder& binder, Arguments arguments, Range range) {
  for (Node& node : arguments) {
    if (!IsInteger(*node.type)) {
      return binder.Fail(range, "no remainder of " + elt::TypeName(*node.type),
                         "% is for integers");
    }
    Bound wide = binder.Converted(std::move(node), arrow::int64());
    if (!wide) return wide;
    node = std::move(*wide);
    node.is_shared = true;
  }
  // a - (a div b) * b; the parts cannot overflow where the quotient does not.
  Bound quotient = binder.Kernel("divide_checked", arguments, arrow::int64(), range);
  if (!quotient) return quotient;
  Bound whole = binder.Kernel("multiply_checked", {*quotient, arguments[1]}, arrow::int64(), range);
  if (!whole) return whole;
  return binder.Kernel("subtract_checked", {arguments[0], *whole}, arrow::int64(), range);
}

}  // namespace levada::expressions
