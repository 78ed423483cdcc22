#pragma once
// ColumnInput: the bytes of a block with the memory that they may become. Memory grows with what
// has come and not with what a length says.

#include <arrow/buffer.h>
#include <arrow/memory_pool.h>

#include <cstdint>
#include <memory>

#include "formats/chnative/byte_reader.h"

namespace levada::chnative {

/// Most values of one column and block, those inside of its arrays too: what Arrow's offsets count.
inline constexpr int64_t kValuesMax = 0x7fffffff;

struct ColumnInput {
  ByteReader& bytes;
  arrow::MemoryPool* pool;
  int64_t bytes_left;  ///< that the block may still become

  /// kSourceUnsupported when a block becomes more than it may.
  Status Take(int64_t size);
  /// `count` values of `width` bytes as they come.
  Result<std::shared_ptr<arrow::Buffer>> Values(int64_t count, int64_t width);
  /// A buffer to write `size` bytes into.
  Result<std::shared_ptr<arrow::Buffer>> Room(int64_t size);
};

}  // namespace levada::chnative
