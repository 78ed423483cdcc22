#pragma once
// FileEncoder: record batches in, one Parquet file out, the same bytes for the same rows.
//
// It cuts the rows itself (EncodeOptions: chunks and row groups), so that nothing in the file
// depends on how the source or a transformer happened to cut its batches, on threads, or on time.
// It keeps the batches of one unfinished chunk and the encoded pages of one unfinished row group in
// memory, and writes a row group when it is complete. It knows no file system: names, syncing and
// publishing are the loader's.

#include <arrow/io/type_fwd.h>
#include <arrow/type_fwd.h>
#include <arrow/util/type_fwd.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/fault.h"
#include "formats/parquet/encode_options.h"

namespace levada::parquet_format {

/// What the bytes do not depend on. Everything pointed to outlives the encoder.
struct EncodeEnvironment {
  arrow::MemoryPool* pool = nullptr;  ///< required
  /// Where columns are encoded beside the calling thread, which always works too; null: on the
  /// calling thread only. Never Arrow's global pool, and Write must not be called from one of its
  /// threads.
  arrow::internal::Executor* executor = nullptr;
  int threads = 1;  ///< encoding threads, the calling one included
  /// Called after each row group is written; a failure ends the file. May be empty.
  std::function<Status()> on_row_group;
};

struct FileSummary {
  int64_t rows = 0;
  int64_t bytes = 0;  ///< of the file so far, of the whole file once closed
  int64_t row_groups = 0;
  int64_t column_chunks = 0;
};

/// One file. Not thread-safe. After a failure only destruction is allowed; a file that was not
/// closed has no footer and so is not a Parquet file.
class FileEncoder {
 public:
  /// `sink` stands at 0 and stays open after Close; it should buffer (page headers are some 30
  /// bytes). `created_by` is fixed per build: "levada version 0.1.0". Refuses what CheckSchema and
  /// CheckOptions refuse.
  static Result<std::unique_ptr<FileEncoder>> Make(const arrow::Schema& schema,
                                                   const EncodeOptions& options,
                                                   const std::string& created_by,
                                                   std::shared_ptr<arrow::io::OutputStream> sink,
                                                   EncodeEnvironment environment);
  virtual ~FileEncoder() = default;

  /// Takes rows of `batch` from `offset` on and returns how many: all of them, or those that end
  /// the row group at which ShouldRoll became true; the rest belongs to the next file. Types must
  /// be those of the schema. Columns may be kept by reference until their chunk is complete.
  /// kValueRefused for a value the file cannot hold; the sink's own faults.
  virtual Result<int64_t> Write(const arrow::RecordBatch& batch, int64_t offset = 0) = 0;

  /// True from the end of the row group that reached file_bytes or file_column_chunks; Write takes
  /// nothing then.
  virtual bool ShouldRoll() const = 0;

  /// Writes what is left and the footer. A file of no rows is valid.
  virtual Result<FileSummary> Close() = 0;

  virtual FileSummary summary() const = 0;
};

}  // namespace levada::parquet_format
