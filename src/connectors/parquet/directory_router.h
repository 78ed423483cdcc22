#pragma once
// DirectoryRouter: rows of one slice into the directories that their partition columns name
// ("country=DE/year=2026"), with a bounded number of open files.
//
// Which rows share a file follows from the order of the rows alone, never from where a batch ends:
// recency is counted in rows, and each directory numbers its own files.

#include <arrow/record_batch.h>

#include <memory>
#include <string>
#include <vector>

#include "base/context.h"
#include "connectors/parquet/file_sequence.h"

namespace levada::parquet {

class DirectoryRouter final {
 public:
  /// `schema` is that of the batches. Precondition: the layout's partition_by columns are in it.
  static Result<DirectoryRouter> Make(const SliceTarget& target,
                                      const std::shared_ptr<arrow::Schema>& schema);
  DirectoryRouter(DirectoryRouter&&) noexcept;
  ~DirectoryRouter();

  Status Write(Context& ctx, const std::shared_ptr<arrow::RecordBatch>& batch);
  /// A file of no rows where NULLs would go, when there is no file.
  Status EnsureOne(Context& ctx);
  /// Closes what is open; the files in the order of their paths.
  Result<std::vector<elt::WrittenFile>> Finish(Context& ctx);

 private:
  struct State;
  explicit DirectoryRouter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// `schema` without the columns that become directories.
std::shared_ptr<arrow::Schema> FileSchemaOf(const arrow::Schema& schema,
                                            const std::vector<std::string>& partition_by);

}  // namespace levada::parquet
