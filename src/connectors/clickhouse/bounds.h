#pragma once
// What a partition is, as Split records it: data, from which the SQL is made again. The record lies
// in the target, where others may write; so it holds values and names, never SQL.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/fault.h"
#include "formats/chnative/type.h"

namespace levada::clickhouse {

/// How the values of a column are compared.
enum class Order : uint8_t {
  kNone,        ///< as texts and for equality alone
  kText,        ///< a String
  kInteger,     ///< of up to 64 bits
  kDate,        ///< days since 1970, 16 bits
  kDate32,      ///< days since 1970
  kDateTime,    ///< seconds since 1970, 32 bits
  kDateTime64,  ///< instants before and behind that
};
std::string_view NameOf(Order order);
/// Of what is inside of Nullable and LowCardinality.
Order OrderOf(const chnative::Type& type);
bool MayBeNull(const chnative::Type& type);

struct PartitionBounds {
  enum class Kind : uint8_t {
    kAll,
    kRange,  ///< [from, to), either may be absent
    kValue,  ///< values[0]
    kRest,   ///< none of `values`, or NULL
  };
  Kind kind = Kind::kAll;
  std::string by{};
  Order order = Order::kNone;
  std::optional<int64_t> from{};  ///< of a date days, of a DateTime seconds
  std::optional<int64_t> to{};
  std::vector<std::string> values{};

  bool operator==(const PartitionBounds&) const = default;
  std::string ToJson() const;
  /// kManifestCorrupt for anything that ToJson does not write.
  static Result<PartitionBounds> FromJson(const std::string& json);
  /// An SQL condition; empty: all rows. The range that is open below has the rows with NULL.
  std::string Predicate() const;
  /// "id in [0, 500)": for people and for other systems.
  std::string Meaning() const;
};

/// The ranges between `cuts`, which are in order: one more than cuts.
std::vector<PartitionBounds> RangesBetween(const std::string& by, Order order,
                                           const std::vector<int64_t>& cuts);

}  // namespace levada::clickhouse
