#pragma once
// What the runner and the loaders have to know alike of the size of batches, so that the memory a
// plan names is the memory that a run takes.

#include <algorithm>
#include <cstdint>

namespace levada::elt {

/// Under a tight budget batches shrink to this before a plan is refused.
inline constexpr int64_t kBatchBytesMin = 256 << 10;
/// Beside its values each column of a batch costs its objects, which a loader keeps as long as
/// those: up to this many bytes, measured on 500 columns of text.
inline constexpr int64_t kObjectBytesPerColumn = 900;
/// So of each column at least this much is in a batch.
inline constexpr int64_t kBatchBytesPerColumnMin = 4 << 10;

/// The least size of a batch of that many columns.
inline int64_t LeastBatchBytes(int64_t columns) {
  return std::max(kBatchBytesMin, kBatchBytesPerColumnMin * columns);
}

}  // namespace levada::elt
