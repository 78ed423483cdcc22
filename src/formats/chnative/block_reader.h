#pragma once
// BlockReader: blocks of ClickHouse's Native format, as its TCP protocol and FORMAT Native have
// them, into Arrow arrays. Pure: bytes come from a ByteReader, memory from a pool.

#include <arrow/array/array_base.h>
#include <arrow/memory_pool.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "formats/chnative/byte_reader.h"
#include "formats/chnative/type.h"

namespace levada::chnative {

class ColumnReader;

// Revisions of the protocol from which blocks have more in them.
inline constexpr uint64_t kRevisionWithBlockInfo = 51903;
inline constexpr uint64_t kRevisionWithSerializationFlag = 54454;

inline constexpr int64_t kColumnsMax = 10'000;
inline constexpr int64_t kNameBytesMax = int64_t{64} << 10;
/// ClickHouse sends 65,505 unless it is told otherwise.
inline constexpr int64_t kBlockRowsMax = int64_t{1} << 24;

struct BlockOptions {
  TypeOptions types{};
  uint64_t revision = 0;  ///< 0: FORMAT Native, without anything of the protocol
  int64_t block_bytes_max = int64_t{1} << 30;  ///< that a block may become
};

struct BlockColumn {
  std::string name;
  std::string type;  ///< ClickHouse's name of it
  std::shared_ptr<arrow::Field> field;
};

struct Block {
  std::vector<BlockColumn> columns;
  int64_t rows = 0;
  arrow::ArrayVector arrays;  ///< as many as columns; empty without rows
  bool empty() const { return columns.empty() && rows == 0; }
};

/// One thread at a time. Errors name the column: kSourceProtocol, kUnsupportedType, kInvalidUtf8
/// (a String that is none), kValueRefused (a value that its Arrow type does not hold),
/// kSourceUnsupported (sizes, forms of columns), and those of the source.
class BlockReader {
 public:
  BlockReader(const BlockOptions& options, arrow::MemoryPool* pool);
  ~BlockReader();
  BlockReader(const BlockReader&) = delete;
  BlockReader& operator=(const BlockReader&) = delete;

  /// The next block, which is there. Readers of columns are kept for the blocks behind it.
  Result<Block> Read(ByteReader& bytes);

 private:
  struct Column;
  Status ReadColumn(ByteReader& bytes, size_t index, int64_t rows, int64_t& bytes_left,
                    Block& block);

  const BlockOptions options_;
  arrow::MemoryPool* const pool_;
  std::vector<std::unique_ptr<Column>> columns_;
};

}  // namespace levada::chnative
