#pragma once
// From Arrow's nested arrays to Dremel's definition and repetition levels, one leaf column and one
// chunk at a time. Internal.

#include <arrow/array/data.h>
#include <arrow/buffer_builder.h>

#include <cstdint>
#include <span>
#include <vector>

#include "base/fault.h"
#include "formats/parquet/leaf_plan.h"

namespace levada::parquet_format {

/// Rows [start, start + length) of a column; start counts from the array's first slot, before
/// ArrayData::offset.
struct ColumnSlice {
  const arrow::ArrayData* data;
  int64_t start;
  int64_t length;
};

/// Slots [start, start + length) of a leaf array that all hold values; start as in ColumnSlice.
struct Run {
  const arrow::ArrayData* leaf;
  int64_t start;
  int64_t length;
};

/// What one chunk holds of one leaf column. Reused from chunk to chunk.
struct LeafChunk {
  std::vector<int16_t> definition;  ///< nested columns only
  std::vector<int16_t> repetition;  ///< nested columns only
  std::vector<Run> runs;            ///< the values, in order
  int64_t level_count = 0;          ///< entries of the page: rows of a flat column
  int64_t value_count = 0;          ///< sum of the runs
};

/// Fills `out` from the rows of `slices`. A NULL where the schema allows none is kValueRefused.
Status ReadChunk(const LeafPlan& leaf, std::span<const ColumnSlice> slices, LeafChunk* out);

/// Appends the levels as a data page V1 begins: repetition, then definition, each after its length;
/// nothing for a level that is always 0.
Status AppendLevels(const LeafPlan& leaf, std::span<const ColumnSlice> slices,
                    const LeafChunk& chunk, arrow::BufferBuilder* out);

/// What rows [start, start + length) of a column take in PLAIN encoding, levels aside; a bool
/// counts 1 byte, a NULL as much as a value. Adds up: the sum over two halves is that of the whole.
int64_t PlainBytes(const arrow::ArrayData& data, int64_t start, int64_t length);

}  // namespace levada::parquet_format
