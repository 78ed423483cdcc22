#pragma once
// Types: what kinds of values the language has, and the columns that every dataset has. Fewer than
// the engine has, for the checker only asks what may stand where.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace levada::aesql {

enum class Kind : uint8_t {
  kInteger,
  kDouble,
  kText,
  kBoolean,   ///< what comparisons give; a number too, 0 or 1
  kTime,      ///< a datetime, in seconds
  kDate,      ///< what today() gives
  kInterval,  ///< INTERVAL '1' DAY
  kList,      ///< what topK gives
};

struct Type {
  Kind kind = Kind::kInteger;
  std::string zone;  ///< of a datetime; empty: Etc/UTC
  bool operator==(const Type&) const = default;
};

/// As messages and Cloudflare's reference call it: "integer", "double", "string", "datetime", ...
std::string_view NameOf(Kind kind);

/// Integers, doubles and booleans.
bool IsNumber(Kind kind);
/// Datetimes and dates.
bool IsTime(Kind kind);

struct Column {
  std::string name;
  Type type;
  std::string_view engine_type;  ///< of the column of the engine's table
};

/// dataset, timestamp, _sample_interval, index1, blob1 to blob20, double1 to double20: in the order
/// of SELECT *. The engine's tables have columns of the same names. Their datetimes name UTC: a
/// plain DateTime of a table keeps the zone of the machine, whatever that of the session is.
const std::vector<Column>& DatasetColumns();

}  // namespace levada::aesql
