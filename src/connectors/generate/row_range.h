#pragma once
// RowRange: what a partition and a slice are here. A row is known by its number, from 0.

#include <cstdint>
#include <string>
#include <vector>

#include "base/fault.h"

namespace levada::generate {

/// Rows [from, to).
struct RowRange {
  int64_t from = 0;
  int64_t to = 0;

  int64_t rows() const { return to - from; }
  bool operator==(const RowRange&) const = default;
  std::string ToJson() const;
  /// kManifestCorrupt for anything but a range inside a table of `rows` rows.
  static Result<RowRange> FromJson(const std::string& json, int64_t rows);
};

/// `range` as `count` ranges of as many rows as possible each, fewer where the rows are fewer; at
/// least one.
std::vector<RowRange> EvenRanges(const RowRange& range, int64_t count);

/// `range` cut where the row number is a multiple of `size`; at least one.
std::vector<RowRange> RangesOfSize(const RowRange& range, int64_t size);

/// How many RangesOfSize gives.
int64_t CountOfSize(const RowRange& range, int64_t size);

}  // namespace levada::generate
