#pragma once
// SourceReader: a Parquet file of whoever's as a source: its columns, and the rows of some of them
// in order. What file_reader.h does for files of ours, without knowing what they should hold. The
// file is untrusted: whatever its bytes say, the answer is a Fault.

#include <arrow/io/type_fwd.h>
#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "base/fault.h"
#include "formats/parquet/file_reader.h"

namespace levada::parquet_format {

/// One thread at a time.
class SourceReader final {
 public:
  /// Reads the footer. kSourceFileMalformed for what is no Parquet file; Arrow's own status where
  /// the file system failed. `pool` outlives the reader and its batches.
  static Result<std::unique_ptr<SourceReader>> Open(
      std::shared_ptr<arrow::io::RandomAccessFile> file, const ReadOptions& options,
      arrow::MemoryPool* pool);
  ~SourceReader();

  /// As Arrow reads it.
  const std::shared_ptr<arrow::Schema>& schema() const;
  int64_t rows() const;
  /// What reading takes besides the batches: a page of each column, and its dictionary.
  int64_t memory_bytes() const;

  /// Once: the rows of the fields `fields` of schema(), by index, in that order. A batch is never
  /// longer than ReadOptions asks for. kSourceFileMalformed also where the rows are not as many as
  /// the footer says.
  Result<std::shared_ptr<arrow::RecordBatchReader>> Read(const std::vector<int>& fields);

 private:
  class State;
  explicit SourceReader(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace levada::parquet_format
