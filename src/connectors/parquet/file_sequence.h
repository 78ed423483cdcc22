#pragma once
// FileSequence: the numbered Parquet files that one slice writes into one directory, one open at a
// time. Rows in, staged files out; where a file ends follows from the rows alone.

#include <arrow/record_batch.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/context.h"
#include "connectors/parquet/lake_layout.h"
#include "connectors/parquet/lake_names.h"
#include "elt/run.h"
#include "places/place.h"

namespace arrow::internal {
class Executor;
}

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
  /// `schema` is that of the files. `directory` is relative to the dataset's root.
  FileSequence(const SliceTarget& target, std::shared_ptr<arrow::Schema> schema,
               std::string directory);
  FileSequence(FileSequence&&) noexcept;
  ~FileSequence();

  /// Opens a file where none is open; a full one is closed and staged.
  Status Write(Context& ctx, const arrow::RecordBatch& batch);
  /// Ends the open file, if there is one; rows that follow go to the next number.
  Status CloseFile(Context& ctx);
  /// Makes a file without rows when there is no file at all.
  Status EnsureOne(Context& ctx);

  /// Those that are closed, in the order of their numbers.
  std::vector<elt::WrittenFile> TakeFiles() { return std::move(files_); }

 private:
  struct Open;
  Status OpenFile(Context& ctx);

  const SliceTarget* target_;
  std::shared_ptr<arrow::Schema> schema_;
  std::string directory_;
  int next_number_ = 0;
  std::unique_ptr<Open> open_;
  std::vector<elt::WrittenFile> files_;
};

}  // namespace levada::parquet
