#pragma once
// What a partition and a slice are, as Split records them: data, from which the SQL is made again.
//
// The record lies in the target, where others may write; so it holds values and names, never SQL,
// and every one of them is quoted when a statement is built.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/fault.h"
#include "connectors/postgres/postgres_types.h"

namespace levada::postgres {

/// A place between the values of a column: just before or just after one of them.
struct Cut {
  std::string value;
  bool after = false;
  bool operator==(const Cut&) const = default;
};

/// Which rows belong to a partition, by the value of one column.
struct PartitionBounds {
  enum class Kind : uint8_t {
    kAll,
    kRange,  ///< between two cuts, either may be absent
    kValue,  ///< values[0]
    kRest,   ///< none of `values`, or NULL
    kHash,   ///< hash(value) modulo `modulus` is `remainder`
  };
  Kind kind = Kind::kAll;
  std::string by{};
  Order order = Order::kNone;  ///< of the column; kText is compared byte by byte, whatever its
                               ///< collation
  std::optional<Cut> from{};
  std::optional<Cut> to{};
  bool nulls = false;  ///< kRange: with the rows where it is NULL
  std::vector<std::string> values{};
  int64_t modulus = 0;
  int64_t remainder = 0;
  Order run_order = Order::kNone;  ///< of the column that the run goes by, if it has one

  bool operator==(const PartitionBounds&) const = default;
  std::string ToJson() const;
  /// kManifestCorrupt for anything that ToJson does not write.
  static Result<PartitionBounds> FromJson(const std::string& json);
  /// An SQL condition; empty: all rows.
  std::string Predicate() const;
  /// "account_id in [0, 500)": for people and for other systems.
  std::string Meaning() const;
};

/// The ranges between `cuts`, which are in order: the first is open below and has the NULLs, the
/// last is open above. One partition more than cuts.
std::vector<PartitionBounds> RangesBetween(const std::string& by, Order order,
                                           const std::vector<Cut>& cuts);

/// Blocks of a table's main file, [from, to). `to` absent: to its end, wherever that is by then.
struct SliceBounds {
  bool whole = true;
  int64_t from = 0;
  std::optional<int64_t> to;

  bool operator==(const SliceBounds&) const = default;
  std::string ToJson() const;
  static Result<SliceBounds> FromJson(const std::string& json);
  /// A condition on ctid; empty: all rows.
  std::string Predicate() const;
};

/// `count` slices of a table of `blocks` blocks; the last one is open.
std::vector<SliceBounds> SlicesOf(int64_t blocks, int count);

}  // namespace levada::postgres
