#pragma once
// Where a column's values are cut into ranges: pure arithmetic over what the server answered.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/fault.h"
#include "connectors/postgres/bounds.h"
#include "connectors/postgres/postgres_catalog.h"

namespace levada::postgres {

/// Cuts that make about `count` ranges of equal weight. A value that alone weighs more than one and
/// a half of them has a range of its own. With `integers`, the space between two points is cut
/// evenly; otherwise cuts are only at points, so there may be fewer.
std::vector<Cut> CutsByWeight(const std::vector<WeightedValue>& values, int64_t count,
                              bool integers);

/// Cuts inside (least, greatest] that make `count` ranges of equal width, fewer where the numbers
/// are fewer.
std::vector<int64_t> EvenCuts(int64_t least, int64_t greatest, int64_t count);

}  // namespace levada::postgres
