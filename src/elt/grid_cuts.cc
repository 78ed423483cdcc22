#include "elt/grid_cuts.h"

namespace levada::elt {
namespace {

// The distance between two numbers of 64 bits.
__extension__ using Wide = __int128;

}  // namespace

std::optional<std::vector<int64_t>> GridCuts(int64_t least, int64_t greatest, int64_t step,
                                             int64_t limit) {
  // Towards minus infinity, then one up: the first multiple above `least`.
  Wide cut = Wide{least} / step * step;
  if (cut > least) cut -= step;
  cut += step;
  if ((Wide{greatest} - cut) / step + 1 >= limit) return std::nullopt;
  std::vector<int64_t> cuts;
  for (; cut <= greatest; cut += step) cuts.push_back(static_cast<int64_t>(cut));
  return cuts;
}

}  // namespace levada::elt
