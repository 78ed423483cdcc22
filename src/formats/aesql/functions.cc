#include "formats/aesql/functions.h"

#include <algorithm>
#include <array>

#include "base/ascii.h"

namespace levada::aesql {
namespace {

using enum Group;

// Bits: what the engine does with the width of an integer is what the reference shows
// (bitShiftLeft(128, 1) is 0): a literal up to 255 has eight bits.
constexpr auto kFunctions = std::to_array<Function>({
    // Aggregates
    {"count", kAggregate, "", "", Gives::kInteger, "count", "count()", "the number of rows",
     Form::kPlain, "uniqExact"},
    {"sum", kAggregate, "", "n", Gives::kNumber, "sum", "sum([DISTINCT] number)",
     "the sum, with DISTINCT of the values that differ", Form::kPlain, "sumDistinct"},
    {"avg", kAggregate, "", "n", Gives::kDouble, "avg", "avg([DISTINCT] number)",
     "the mean, with DISTINCT of the values that differ", Form::kPlain, "avgDistinct"},
    {"min", kAggregate, "", "o", Gives::kFirst, "min", "min(value)",
     "the smallest number or the earliest time"},
    {"max", kAggregate, "", "o", Gives::kFirst, "max", "max(value)",
     "the largest number or the latest time"},
    {"quantileExactWeighted", kAggregate, "Q", "ow", Gives::kFirst, "quantileExactWeighted",
     "quantileExactWeighted(q)(value, weight)",
     "the value below which the share `q` of all weight lies"},
    {"quantileWeighted", kAggregate, "", "Qow", Gives::kFirst, "quantileExactWeighted",
     "quantileWeighted(q, value, weight)",
     "the same, as it was once written; quantileWeighted(q)(value, weight) too",
     Form::kLegacyQuantile},
    {"argMax", kAggregate, "", "ao", Gives::kFirst, "argMax", "argMax(value, by)",
     "the value in the row with the largest `by`"},
    {"argMin", kAggregate, "", "ao", Gives::kFirst, "argMin", "argMin(value, by)",
     "the value in the row with the smallest `by`"},
    {"first_value", kAggregate, "", "a", Gives::kFirst, "first_value", "first_value(value)",
     "the value in the first row of ORDER BY"},
    {"last_value", kAggregate, "", "a", Gives::kFirst, "last_value", "last_value(value)",
     "the value in the last row of ORDER BY"},
    {"topK", kAggregate, "?K", "a", Gives::kList, "topK", "topK(n)(value)",
     "the `n` most frequent values, 10 without `n`"},
    {"topKWeighted", kAggregate, "?K", "aw", Gives::kList, "topKWeighted",
     "topKWeighted(n)(value, weight)", "the `n` values of most weight, 10 without `n`"},
    {"countIf", kAggregate, "", "c", Gives::kInteger, "countIf", "countIf(condition)",
     "the number of rows for which the condition is true"},
    {"sumIf", kAggregate, "", "nc", Gives::kNumber, "sumIf", "sumIf(number, condition)",
     "the sum over the rows for which the condition is true"},
    {"avgIf", kAggregate, "", "nc", Gives::kDouble, "avgIf", "avgIf(number, condition)",
     "the mean over the rows for which the condition is true"},
    // Bits
    {"bitAnd", kBit, "", "ii", Gives::kInteger, "bitAnd", "bitAnd(a, b)", "bits set in both"},
    {"bitCount", kBit, "", "n", Gives::kInteger, "bitCount", "bitCount(a)",
     "how many bits are set; of a double, in its IEEE 754 form"},
    {"bitHammingDistance", kBit, "", "ii", Gives::kInteger, "bitHammingDistance",
     "bitHammingDistance(a, b)", "how many bits differ"},
    {"bitNot", kBit, "", "i", Gives::kInteger, "bitNot", "bitNot(a)", "all bits turned over"},
    {"bitOr", kBit, "", "ii", Gives::kInteger, "bitOr", "bitOr(a, b)", "bits set in one or both"},
    {"bitRotateLeft", kBit, "", "ii", Gives::kInteger, "bitRotateLeft", "bitRotateLeft(a, n)",
     "rotated left by `n` bits"},
    {"bitRotateRight", kBit, "", "ii", Gives::kInteger, "bitRotateRight", "bitRotateRight(a, n)",
     "rotated right by `n` bits"},
    {"bitShiftLeft", kBit, "", "ii", Gives::kInteger, "bitShiftLeft", "bitShiftLeft(a, n)",
     "shifted left by `n` bits; what leaves the width of `a` is lost"},
    {"bitShiftRight", kBit, "", "ii", Gives::kInteger, "bitShiftRight", "bitShiftRight(a, n)",
     "shifted right by `n` bits"},
    {"bitTest", kBit, "", "ni", Gives::kInteger, "bitTest", "bitTest(a, n)",
     "bit `n`, counted from 0 for the least", Form::kWholeNumber},
    {"bitXor", kBit, "", "ii", Gives::kInteger, "bitXor", "bitXor(a, b)",
     "bits set in one and not in both"},
    // Conditional
    {"if", kConditional, "", "caa", Gives::kBranches, "if", "if(condition, value, otherwise)",
     "one of two values of the same kind"},
    // Date and time
    {"formatDateTime", kTime, "", "tL?Z", Gives::kText, "formatDateTime",
     "formatDateTime(time, 'format', 'timezone')",
     "printed by ClickHouse's letters: %Y-%m-%d %H:%i:%S"},
    {"now", kTime, "", "", Gives::kUtcTime, "now", "now()", "the time of the query"},
    {"today", kTime, "", "", Gives::kDate, "today", "today()", "the date of the query"},
    {"toDateTime", kTime, "", "a?Z", Gives::kTime, "toDateTime", "toDateTime(value, 'timezone')",
     "of a number: seconds since 1970; of a string: '2025-10-27 16:55:25', or such seconds",
     Form::kToTime},
    {"toYear", kTime, "", "t", Gives::kInteger, "toYear", "toYear(time)", "2025"},
    {"toMonth", kTime, "", "t", Gives::kInteger, "toMonth", "toMonth(time)", "1 to 12"},
    {"toDayOfWeek", kTime, "", "t", Gives::kInteger, "toDayOfWeek", "toDayOfWeek(time)",
     "1 for Monday to 7 for Sunday"},
    {"toDayOfMonth", kTime, "", "t", Gives::kInteger, "toDayOfMonth", "toDayOfMonth(time)",
     "1 to 31"},
    {"toHour", kTime, "", "h", Gives::kInteger, "toHour", "toHour(time)", "0 to 23"},
    {"toMinute", kTime, "", "h", Gives::kInteger, "toMinute", "toMinute(time)", "0 to 59"},
    {"toSecond", kTime, "", "h", Gives::kInteger, "toSecond", "toSecond(time)", "0 to 59"},
    {"toUnixTimestamp", kTime, "", "h", Gives::kInteger, "toUnixTimestamp", "toUnixTimestamp(time)",
     "seconds since 1970"},
    {"toStartOfInterval", kTime, "", "hI?Z", Gives::kTime, "toStartOfInterval",
     "toStartOfInterval(time, INTERVAL '15' MINUTE, 'timezone')", "rounded down", Form::kInterval},
    {"toStartOfYear", kTime, "", "t", Gives::kTime, "toStartOfYear", "toStartOfYear(time)",
     "the first second of the year", Form::kDay},
    {"toStartOfMonth", kTime, "", "t", Gives::kTime, "toStartOfMonth", "toStartOfMonth(time)",
     "the first second of the month", Form::kDay},
    {"toStartOfWeek", kTime, "", "t", Gives::kTime, "toStartOfWeek", "toStartOfWeek(time)",
     "the first second of the Monday before", Form::kWeek},
    {"toStartOfDay", kTime, "", "t", Gives::kTime, "toStartOfDay", "toStartOfDay(time)",
     "the first second of the day"},
    {"toStartOfHour", kTime, "", "h", Gives::kTime, "toStartOfHour", "toStartOfHour(time)",
     "the first second of the hour"},
    {"toStartOfFifteenMinutes", kTime, "", "h", Gives::kTime, "toStartOfFifteenMinutes",
     "toStartOfFifteenMinutes(time)", "the first second of the quarter of an hour"},
    {"toStartOfTenMinutes", kTime, "", "h", Gives::kTime, "toStartOfTenMinutes",
     "toStartOfTenMinutes(time)", "the first second of the ten minutes"},
    {"toStartOfFiveMinutes", kTime, "", "h", Gives::kTime, "toStartOfFiveMinutes",
     "toStartOfFiveMinutes(time)", "the first second of the five minutes"},
    {"toStartOfMinute", kTime, "", "h", Gives::kTime, "toStartOfMinute", "toStartOfMinute(time)",
     "the first second of the minute"},
    {"toYYYYMM", kTime, "", "t", Gives::kInteger, "toYYYYMM", "toYYYYMM(time)",
     "year and month as one number: 202510"},
    // Encoding
    {"bin", kEncoding, "", "a", Gives::kText, "bin", "bin(value)", "the bits, whole bytes of them"},
    {"hex", kEncoding, "", "a", Gives::kText, "hex", "hex(value)",
     "the bytes in hexadecimal; of an integer, without leading zero bytes"},
    // Mathematical
    {"intDiv", kMathematical, "", "nn", Gives::kInteger, "intDiv", "intDiv(a, b)",
     "the quotient without its fraction"},
    {"log", kMathematical, "", "n", Gives::kDouble, "log", "log(number)", "the natural logarithm"},
    {"ln", kMathematical, "", "n", Gives::kDouble, "log", "ln(number)", "the same as log"},
    {"pow", kMathematical, "", "nn", Gives::kDouble, "pow", "pow(base, exponent)", "the power"},
    {"round", kMathematical, "", "n?N", Gives::kNumber, "round", "round(number, digits)",
     "to the nearest; half goes to the even neighbour for doubles"},
    {"floor", kMathematical, "", "n?N", Gives::kNumber, "floor", "floor(number, digits)",
     "rounded down"},
    {"ceil", kMathematical, "", "n?N", Gives::kNumber, "ceil", "ceil(number, digits)",
     "rounded up"},
    // Strings
    {"length", kText, "", "s", Gives::kInteger, "lengthUTF8", "length(string)",
     "how many code points"},
    {"empty", kText, "", "s", Gives::kBoolean, "empty", "empty(string)", "whether it is ''"},
    {"lower", kText, "", "s", Gives::kText, "lower", "lower(string)", "a to z of A to Z"},
    {"lowerUTF8", kText, "", "s", Gives::kText, "lowerUTF8", "lowerUTF8(string)",
     "lower case of every alphabet"},
    {"toLower", kText, "", "s", Gives::kText, "lowerUTF8", "toLower(string)",
     "the same as lowerUTF8"},
    {"upper", kText, "", "s", Gives::kText, "upper", "upper(string)", "A to Z of a to z"},
    {"upperUTF8", kText, "", "s", Gives::kText, "upperUTF8", "upperUTF8(string)",
     "upper case of every alphabet"},
    {"toUpper", kText, "", "s", Gives::kText, "upperUTF8", "toUpper(string)",
     "the same as upperUTF8"},
    {"startsWith", kText, "", "ss", Gives::kBoolean, "startsWith", "startsWith(string, start)",
     "whether it begins so"},
    {"endsWith", kText, "", "ss", Gives::kBoolean, "endsWith", "endsWith(string, end)",
     "whether it ends so"},
    {"position", kText, "", "ss", Gives::kInteger, "positionUTF8", "position(needle IN haystack)",
     "from which code point on, from 1; 0 if nowhere", Form::kSwapped},
    {"substring", kText, "", "si?i", Gives::kText, "substringUTF8",
     "substring(string, from, length)", "code points, counted from 1"},
    {"format", kText, "", "L*a", Gives::kText, "format", "format('{} of {}', a, b)",
     "the values in the places of {}, or of {0}, {1}", Form::kStrings},
    {"extract", kText, "", "h", Gives::kInteger, "", "extract(YEAR FROM time)",
     "the year, month, day, hour, minute or second", Form::kParts},
    // Conversion
    {"toUInt8", kConversion, "", "a", Gives::kInteger, "toUInt8", "toUInt8(value)",
     "an integer of 8 bits, of a number or of a string that holds one", Form::kFromText},
    {"toUInt32", kConversion, "", "a", Gives::kInteger, "toUInt32", "toUInt32(value)",
     "an integer of 32 bits, of a number, a string that holds one or a time", Form::kFromText},
});

struct Unit {
  std::string_view name;
  std::string_view part;
  std::string_view interval;
};
constexpr std::array<Unit, 6> kUnits = {{
    {"YEAR", "toYear", "toIntervalYear"},
    {"MONTH", "toMonth", "toIntervalMonth"},
    {"DAY", "toDayOfMonth", "toIntervalDay"},
    {"HOUR", "toHour", "toIntervalHour"},
    {"MINUTE", "toMinute", "toIntervalMinute"},
    {"SECOND", "toSecond", "toIntervalSecond"},
}};

}  // namespace

std::span<const Function> Functions() { return kFunctions; }

const Function* FindFunction(std::string_view name) {
  const auto found = std::ranges::find_if(kFunctions, [&](const Function& function) {
    return EqualsIgnoringCase(function.name, name);
  });
  return found == kFunctions.end() ? nullptr : &*found;
}

std::vector<std::string> FunctionNames() {
  std::vector<std::string> names;
  for (const Function& function : kFunctions) names.emplace_back(function.name);
  return names;
}

std::string_view PartFunction(std::string_view unit) {
  return std::ranges::find(kUnits, unit, &Unit::name)->part;
}

std::string_view IntervalFunction(std::string_view unit) {
  return std::ranges::find(kUnits, unit, &Unit::name)->interval;
}

std::string FunctionReference() {
  constexpr std::array<std::string_view, 8> kHeadings = {
      "Aggregates", "Bits",    "Conditions", "Dates and times",
      "Encoding",   "Numbers", "Strings",    "Conversion"};
  std::string text;
  for (size_t group = 0; group < kHeadings.size(); ++group) {
    text += "\n### " + std::string(kHeadings[group]) + "\n| | gives |\n|---|---|\n";
    for (const Function& function : kFunctions) {
      if (function.group != static_cast<Group>(group)) continue;
      text += "| `" + std::string(function.usage) + "` | " + std::string(function.summary) + " |\n";
    }
  }
  return text;
}

}  // namespace levada::aesql
