#pragma once
// FileSequence: the numbered Parquet files that one slice writes into one directory, one under
// construction at a time. Rows in, staged files out; where a file ends follows from the rows alone
// and from what its owner ends.

#include <arrow/record_batch.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/context.h"
#include "connectors/parquet/lake_layout.h"
#include "connectors/parquet/lake_names.h"
#include "elt/run.h"
#include "formats/parquet/file_encoder.h"
#include "places/place.h"

namespace levada::parquet {

/// What the files of one slice have in common. Everything pointed to outlives the writers.
struct SliceTarget {
  places::Place* place = nullptr;
  const LakeNames* names = nullptr;
  const LakeLayout* layout = nullptr;
  const elt::Attempt* attempt = nullptr;
  int revision = 0;
  arrow::internal::Executor* executor = nullptr;  ///< may be null: encode on the calling thread
  int threads = 1;
  /// Called with each staged name before a byte is written to it.
  std::function<void(const std::string& staged)> on_staged;
};

class FileSequence final {
 public:
  /// `plan` is that of all the files. `directory` is relative to the dataset's root.
  FileSequence(const SliceTarget& target, parquet_format::FilePlanPtr plan, std::string directory);
  FileSequence(FileSequence&&) noexcept;
  ~FileSequence();

  /// Begins a file where none is under construction; a full one is closed and staged. A file is
  /// created when its first row group is written.
  Status Write(Context& ctx, const arrow::RecordBatch& batch);
  /// FileEncoder::EndChunk and EndRowGroup of the file under construction, if there is one. When it
  /// is full then, it is closed.
  Status EndChunk(Context& ctx);
  Status EndRowGroup(Context& ctx);
  /// Ends the file under construction, if there is one; rows that follow go to the next number.
  Status CloseFile(Context& ctx);
  /// Makes a file without rows when there is no file at all.
  Status EnsureOne(Context& ctx);

  /// What the file under construction costs.
  struct Cost {
    int64_t held_bytes = 0;     ///< FileEncoder::held_bytes
    int64_t column_chunks = 0;  ///< written, and remembered for the footer
    bool created = false;       ///< on the place, with a file descriptor and a buffer
  };
  /// nullopt when none is under construction.
  std::optional<Cost> cost() const;

  /// Those that are closed, in the order of their numbers.
  std::vector<elt::WrittenFile> TakeFiles() { return std::move(files_); }

 private:
  struct Open;
  Status OpenFile(Context& ctx);
  Status CloseFullFile(Context& ctx);

  const SliceTarget* target_;
  parquet_format::FilePlanPtr plan_;
  std::string directory_;
  int next_number_ = 0;
  std::unique_ptr<Open> open_;
  std::vector<elt::WrittenFile> files_;
};

}  // namespace levada::parquet
