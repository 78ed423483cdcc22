#pragma once
// The values of a BYTE_ARRAY column in a data page, in the two encodings we write. Internal.

#include <arrow/buffer_builder.h>

#include <span>

#include "base/fault.h"
#include "formats/parquet/delta.h"
#include "formats/parquet/extremes.h"
#include "formats/parquet/levels.h"

namespace levada::parquet_format {

/// PLAIN: each value behind its length. `extremes` (null: none are kept) gets the values.
Status AppendPlainBytes(const LeafPlan& leaf, std::span<const Run> runs, Extremes* extremes,
                        arrow::BufferBuilder* page);

/// DELTA_LENGTH_BYTE_ARRAY: all lengths by `delta`, then the values without a gap. `lengths` is
/// memory to work in.
Status AppendDeltaLengthBytes(const LeafPlan& leaf, std::span<const Run> runs, DeltaEncoder* delta,
                              arrow::BufferBuilder* lengths, Extremes* extremes,
                              arrow::BufferBuilder* page);

}  // namespace levada::parquet_format
