#pragma once
// Reading Parquet back: for `verify: readback`, which compares what is on disk with what the loader
// was given, and for looking at files that are already in a dataset. The file is untrusted:
// whatever its bytes say, the answer is a Fault.

#include <arrow/io/type_fwd.h>
#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/fault.h"

namespace levada::parquet_format {

struct Footer {
  int64_t rows = 0;
  int64_t leaf_columns = 0;
  std::vector<int64_t> row_group_rows;
  std::string created_by;
  std::shared_ptr<arrow::Schema> schema;  ///< as Arrow reads it; never null
};

/// kReadbackMismatch for a file that is no Parquet file; kTargetIo, or the file's own fault, where
/// reading failed.
Result<Footer> ReadFooter(std::shared_ptr<arrow::io::RandomAccessFile> file,
                          arrow::MemoryPool* pool);

struct ReadOptions {
  int64_t batch_rows = 16 * 1024;    ///< at most
  int64_t batch_bytes = 8 << 20;     ///< aimed at, from the sizes in the footer
  int64_t buffer_bytes = 64 * 1024;  ///< read ahead per column
};

/// The rows in order. With `schema`, the one the file was written with, columns are given back in
/// its very types (large_string, decimal64, time zones, non-null), so that a row hashes as it did
/// before it was written; a file whose columns are others is kReadbackMismatch, as is one whose
/// rows are not as many as its footer says. Null `schema`: the file's own. Reads on the calling
/// thread, one batch at a time. `pool` outlives the batches; give a capped one for files of unknown
/// origin, for a page may claim any size.
Result<std::shared_ptr<arrow::RecordBatchReader>> OpenReader(
    std::shared_ptr<arrow::io::RandomAccessFile> file, std::shared_ptr<arrow::Schema> schema,
    const ReadOptions& options, arrow::MemoryPool* pool);

}  // namespace levada::parquet_format
