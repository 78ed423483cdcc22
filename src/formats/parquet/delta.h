#pragma once
// DELTA_BINARY_PACKED (parquet-format, Encodings.md, "Delta Encoding"): integers as the packed
// differences between neighbours, a hundredth of PLAIN for a serial number. Texts have their
// lengths in this form (DELTA_LENGTH_BYTE_ARRAY). Internal.

#include <arrow/buffer.h>
#include <parquet/encoding.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "base/fault.h"

namespace levada::parquet_format {

/// The encoding beside PLAIN that values of a physical type may have; none for most.
inline std::optional<parquet::Encoding::type> DeltaEncodingOf(parquet::Type::type physical) {
  switch (physical) {
    case parquet::Type::INT32:
    case parquet::Type::INT64:
      return parquet::Encoding::DELTA_BINARY_PACKED;
    case parquet::Type::BYTE_ARRAY:
      return parquet::Encoding::DELTA_LENGTH_BYTE_ARRAY;
    default:
      return std::nullopt;
  }
}

/// Arrow's encoders, kept from page to page. One thread at a time.
class DeltaEncoder {
 public:
  explicit DeltaEncoder(arrow::MemoryPool* pool) : pool_(pool) {}

  /// DELTA_BINARY_PACKED of one page's INT32 or INT64. At most INT32_MAX of them.
  Result<std::shared_ptr<arrow::Buffer>> Encode(std::span<const uint32_t> words);
  Result<std::shared_ptr<arrow::Buffer>> Encode(std::span<const uint64_t> words);

 private:
  arrow::MemoryPool* const pool_;
  std::unique_ptr<parquet::Int32Encoder> words32_;
  std::unique_ptr<parquet::Int64Encoder> words64_;
};

}  // namespace levada::parquet_format
