#pragma once
// Whole numbers cut by a grid, for consumers that partition by size.

#include <cstdint>
#include <optional>
#include <vector>

namespace levada::elt {

/// The multiples of `step` in (least, greatest]; nullopt when they are `limit` or more.
std::optional<std::vector<int64_t>> GridCuts(int64_t least, int64_t greatest, int64_t step,
                                             int64_t limit);

}  // namespace levada::elt
