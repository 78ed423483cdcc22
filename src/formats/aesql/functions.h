#pragma once
// Functions: the one table of what can be called. The checker reads from it what a call may be
// given, the renderer what the engine calls it, and docs/guide/analytics-sql.md is written from it.
//
// Names, order and meaning are those of Cloudflare's SQL reference (2026-11); names know no case.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace levada::aesql {

enum class Group : uint8_t {
  kAggregate,
  kBit,
  kConditional,
  kTime,
  kEncoding,
  kMathematical,
  kText,
  kConversion
};

/// The kind of the result.
enum class Gives : uint8_t {
  kInteger,
  kDouble,
  kText,
  kBoolean,
  kTime,     ///< in the zone of the first argument
  kUtcTime,  ///< now()
  kDate,     ///< today()
  kList,
  kFirst,     ///< as the first argument
  kNumber,    ///< an integer of an integer or boolean, else a double
  kBranches,  ///< what fits both branches of if()
};

/// What is written for the engine when it is not `engine(arguments)`.
enum class Form : uint8_t {
  kPlain,
  kSwapped,        ///< position(needle IN haystack): the engine takes them the other way round
  kParts,          ///< extract(unit FROM t): a function for each unit
  kStrings,        ///< format: every argument as a string
  kDay,            ///< the engine gives a date where the reference has a datetime
  kWeek,           ///< likewise, from Monday
  kInterval,       ///< toStartOfInterval: likewise for months and years
  kToTime,         ///< toDateTime
  kFromText,       ///< toUInt8 and the like: a string may have a fraction
  kWholeNumber,    ///< bitTest: a double counts as the integer it holds
  kLegacyQuantile  ///< quantileWeighted(q, x, w): the parameter stands among the arguments
};

/// What arguments are, a letter each; what stands behind ? may be left out, the letter behind *
/// comes any number of times.
///
///     n number   i integer   s string   t datetime or date   h datetime (a date is its midnight)
///     c condition: a boolean, or an integer that is not 0    a any value   o number or time
///     w weight: an integer   L string literal   N integer literal   Z timezone literal
///     I interval literal     Q literal from 0 to 1           K integer literal from 1
struct Function {
  std::string_view name;
  Group group;
  std::string_view parameters;  ///< of the first of two parentheses, all of which may be left out
  std::string_view arguments;
  Gives gives;
  std::string_view engine;
  std::string_view usage;    ///< for messages and the guide
  std::string_view summary;  ///< for the guide, one sentence without its point
  Form form = Form::kPlain;
  std::string_view distinct_engine = {};  ///< with DISTINCT before the argument; empty: not allowed
};

/// In the order of the reference.
std::span<const Function> Functions();
/// nullptr for a name that is none.
const Function* FindFunction(std::string_view name);
/// All names, for suggestions.
std::vector<std::string> FunctionNames();
/// The function that an extract of this unit is: "YEAR" -> "toYear".
std::string_view PartFunction(std::string_view unit);
/// The function that makes an interval of this unit: "YEAR" -> "toIntervalYear".
std::string_view IntervalFunction(std::string_view unit);

/// The tables of docs/guide/analytics-sql.md, a heading for each group.
std::string FunctionReference();

}  // namespace levada::aesql
