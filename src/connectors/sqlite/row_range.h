#pragma once
// RowRange: rows between two whole numbers of their rowid or of one column; and PartitionBounds,
// the rows of one partition: those of a window that are in a range. Data, from which the SQL is
// made again: the record of a split lies in the target, where others may write, so it holds names
// and numbers, and never SQL.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/fault.h"
#include "connectors/sqlite/window_bounds.h"

namespace levada::sqlite {

/// [from, to); an absent end is open, and takes what has no place among numbers: NULL sorts before
/// them, texts and blobs behind. So consecutive ranges hold every row once, whatever is stored.
struct RowRange {
  std::string by{};  ///< a column; empty: the rowid
  bool whole = true;
  std::optional<int64_t> from{};
  std::optional<int64_t> to{};

  bool operator==(const RowRange&) const = default;
  /// "{}" for all rows.
  std::string ToJson() const;
  /// kManifestCorrupt for anything that ToJson does not write.
  static Result<RowRange> FromJson(const std::string& json);
  /// `name` is how the column or the rowid is written in SQL. Empty: all rows.
  std::string Condition(const std::string& name) const;
  /// "rowid in [0, 500)": for people and for other systems; empty: all rows.
  std::string Meaning() const;
};

/// One range more than there are cuts, which are in order.
std::vector<RowRange> RangesBetween(const std::string& by, const std::vector<int64_t>& cuts);

struct PartitionBounds {
  WindowBounds window;
  RowRange rows;

  bool operator==(const PartitionBounds&) const = default;
  std::string ToJson() const;
  static Result<PartitionBounds> FromJson(const std::string& json);
  std::string Meaning() const;
};

}  // namespace levada::sqlite
