#pragma once
// The values of one chunk of a leaf column in Parquet's physical form, NULLs left out. Internal.

#include <cstdint>
#include <span>

#include "base/fault.h"
#include "formats/parquet/levels.h"

namespace levada::parquet_format {

/// INT32 and FLOAT, by their bits. Small integers are widened, decimals narrowed; a decimal that
/// does not fit its precision is kValueRefused.
Status GatherWords(const LeafPlan& leaf, std::span<const Run> runs, uint32_t* out);
/// INT64 and DOUBLE.
Status GatherWords(const LeafPlan& leaf, std::span<const Run> runs, uint64_t* out);
/// FIXED_LEN_BYTE_ARRAY, one after the other: fixed-size binary as it is, decimals big-endian.
Status GatherFixed(const LeafPlan& leaf, std::span<const Run> runs, uint8_t* out);
/// BOOLEAN: bits from the least significant on.
void GatherBools(std::span<const Run> runs, uint8_t* bitmap);

/// The words of `runs` where they already are as GatherWords would write them, else nullptr.
const void* WordsInPlace(const LeafPlan& leaf, std::span<const Run> runs);

/// Whether the values of a BYTE_ARRAY column begin at offsets of 64 bits.
inline bool HasLargeOffsets(const LeafPlan& leaf) {
  return leaf.type->id() == arrow::Type::LARGE_STRING ||
         leaf.type->id() == arrow::Type::LARGE_BINARY;
}

/// Calls `visit(std::string_view)` for each value of a BYTE_ARRAY column.
template <typename Visit>
void VisitBytes(const LeafPlan& leaf, std::span<const Run> runs, Visit visit) {
  const bool large = HasLargeOffsets(leaf);
  auto visit_run = [&](const auto* offsets, const Run& run) {
    const char* bytes = run.leaf->buffers[2]
                            ? reinterpret_cast<const char*>(run.leaf->buffers[2]->data())
                            : nullptr;
    for (int64_t i = 0; i < run.length; ++i) {
      visit(std::string_view(bytes + offsets[i], static_cast<size_t>(offsets[i + 1] - offsets[i])));
    }
  };
  for (const Run& run : runs) {
    if (run.length == 0) continue;
    if (large) {
      visit_run(run.leaf->GetValues<int64_t>(1) + run.start, run);
    } else {
      visit_run(run.leaf->GetValues<int32_t>(1) + run.start, run);
    }
  }
}

/// How many values `runs` have.
int64_t CountOf(std::span<const Run> runs);
/// Sum of the lengths of the values of a BYTE_ARRAY column.
int64_t SumOfLengths(const LeafPlan& leaf, std::span<const Run> runs);
/// Each of these lengths; returns their sum. None may be 2^32 or more.
int64_t GatherLengths(const LeafPlan& leaf, std::span<const Run> runs, uint32_t* out);
/// The values of a BYTE_ARRAY column, one after the other.
void GatherBytes(const LeafPlan& leaf, std::span<const Run> runs, uint8_t* out);

}  // namespace levada::parquet_format
