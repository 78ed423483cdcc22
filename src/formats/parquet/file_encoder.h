#pragma once
// FileEncoder: record batches in, one Parquet file out, the same bytes for the same rows.
//
// It cuts the rows itself (EncodeOptions: chunks and row groups), so that nothing in the file
// depends on how the source or a transformer happened to cut its batches, on threads, or on time.
// It keeps the batches of one unfinished chunk and the encoded pages of one unfinished row group in
// memory, and writes a row group when it is complete. Whoever writes many files side by side ends
// chunks and row groups earlier: between two row groups an encoder holds next to nothing. It knows
// no file system: names, syncing and publishing are the loader's.

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

/// What files of one schema have in common. Immutable, shared by their encoders.
struct FilePlan;
using FilePlanPtr = std::shared_ptr<const FilePlan>;

/// `created_by` is fixed per build: "levada version 0.1.0". Refuses what CheckSchema and
/// CheckOptions refuse.
Result<FilePlanPtr> PlanFile(const arrow::Schema& schema, const EncodeOptions& options,
                             const std::string& created_by);

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
class FileEncoder {  // tidy: allow more than five methods: one file, from its first row to its
                     // footer
 public:
  /// `sink` stands at 0 and stays open after Close; it should buffer (page headers are some 30
  /// bytes). Nothing is written to it before the first row group, or the footer, is.
  static Result<std::unique_ptr<FileEncoder>> Make(FilePlanPtr plan,
                                                   std::shared_ptr<arrow::io::OutputStream> sink,
                                                   EncodeEnvironment environment);
  /// The same with a plan of its own.
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

  /// Ends the chunk under construction, if there is one, where it stands. No batch is kept, nor
  /// what only encoding needs.
  virtual Status EndChunk() = 0;
  /// Ends the chunk and the row group under construction, if there are, and writes them. What is
  /// kept until the next row is a few hundred bytes for each column chunk written.
  virtual Status EndRowGroup() = 0;
  /// About what the row group under construction takes in memory, the unfinished chunk and what is
  /// needed while encoding left aside. Follows from the rows alone; 0 after EndRowGroup.
  virtual int64_t held_bytes() const = 0;

  /// True from the end of the row group that reached file_bytes or file_column_chunks; Write takes
  /// nothing then.
  virtual bool ShouldRoll() const = 0;

  /// Writes what is left and the footer. A file of no rows is valid.
  virtual Result<FileSummary> Close() = 0;

  virtual FileSummary summary() const = 0;
};

/// What rows [start, start + length) of a batch take in PLAIN encoding, levels aside. Adds up over
/// consecutive rows. Takes time by columns, not by rows.
int64_t PlainBytes(const arrow::RecordBatch& batch, int64_t start, int64_t length);

}  // namespace levada::parquet_format
