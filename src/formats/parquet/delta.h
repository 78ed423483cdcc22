#pragma once
// DELTA_BINARY_PACKED (parquet-format, Encodings.md, "Delta Encoding"): integers as the packed
// differences between neighbours, a hundredth of PLAIN for a serial number. Internal.

#include <arrow/buffer.h>
#include <parquet/encoding.h>

#include <cstdint>
#include <memory>
#include <span>

#include "base/fault.h"

namespace levada::parquet_format {

/// Arrow's encoders, kept from page to page. One thread at a time.
class DeltaEncoder {
 public:
  explicit DeltaEncoder(arrow::MemoryPool* pool) : pool_(pool) {}

  /// The values of one page, INT32 or INT64. At most INT32_MAX of them.
  Result<std::shared_ptr<arrow::Buffer>> Encode(std::span<const uint32_t> words);
  Result<std::shared_ptr<arrow::Buffer>> Encode(std::span<const uint64_t> words);

 private:
  arrow::MemoryPool* const pool_;
  std::unique_ptr<parquet::Int32Encoder> words32_;
  std::unique_ptr<parquet::Int64Encoder> words64_;
};

}  // namespace levada::parquet_format
