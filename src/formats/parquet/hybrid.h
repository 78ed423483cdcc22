#pragma once
// Parquet's RLE / bit-packing hybrid (parquet-format, Encodings.md, "RLE/BP"): levels and
// dictionary indices. Runs of eight and more equal values are run-length encoded, the rest is
// packed in groups of eight. Internal.

#include <arrow/buffer_builder.h>

#include <cstdint>

#include "base/fault.h"

namespace levada::parquet_format {

/// Bits that hold every value of 0..max: 0 for 0.
int BitWidthOf(uint32_t max);

/// Appends `count` values below 2^bit_width. bit_width 0 appends one run of zeros. T is uint32_t or
/// int16_t.
template <typename T>
Status AppendHybrid(const T* values, int64_t count, int bit_width, arrow::BufferBuilder* out);

/// The same for values of one bit that are a bitmap already (least significant bit first, `bitmap`
/// at a byte boundary, bits past `count` in the last byte are written as they are).
Status AppendHybridBits(const uint8_t* bitmap, int64_t count, arrow::BufferBuilder* out);

/// Appends one run of `count` times `value`.
Status AppendHybridRun(uint32_t value, int64_t count, int bit_width, arrow::BufferBuilder* out);

}  // namespace levada::parquet_format
