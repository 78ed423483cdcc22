#pragma once
// DirectoryRouter: rows of one slice into the directories that their partition columns name
// ("country=DE/year=2026"), in whichever order they come, within bounded memory.
//
// Rows are gathered into blocks, grouped by directory, and encoded block by block: each directory
// has one file under construction that keeps its encoded pages until they make a row group worth
// writing. So rows that alternate between hundreds of directories give row groups and files as
// large as the memory allows, not one of each for every jump.
//
// What a file holds and where it ends follows from the order of the rows alone, never from where a
// batch ends: blocks, recency and what files hold are all counted from the rows of the slice.

#include <arrow/record_batch.h>

#include <memory>
#include <string>
#include <vector>

#include "base/context.h"
#include "connectors/parquet/file_sequence.h"

namespace levada::parquet {

/// Directories of one slice: a column with more values than this was not meant for directories.
inline constexpr size_t kDirectoriesMax = 10'000;
/// Files of one slice that are created and not closed: every country has one. Each has a file
/// descriptor, of which a process has 1,024 unless somebody raised that, and a buffer.
inline constexpr size_t kOpenFilesMax = 256;
/// A block ends with the row that reaches this, counted as kBlockRowBytes and what it takes in
/// PLAIN encoding. Each directory in it gets a page of each column: with 250 directories and rows
/// of 100 bytes those have about 1,200 values. The smaller they are, the more of the file and of
/// the time goes into page headers and compression contexts.
inline constexpr int64_t kBlockBytes = 32 << 20;
/// What the block remembers of each row: its directory, and its place after grouping.
inline constexpr int64_t kBlockRowBytes = 8;
/// Row groups under construction share as much memory as this many of full size take.
inline constexpr int64_t kRowGroupsHeld = 16;
/// Files that are not closed share the footers of this many of full size.
inline constexpr int64_t kFootersHeld = 4;

/// Where the router stops holding and begins to write; all of it shapes files.
struct RouterLimits {
  int64_t block_bytes = kBlockBytes;
  size_t open_files = kOpenFilesMax;  ///< beyond, the one that waits longest for a row is closed
  int64_t held_bytes = 0;             ///< beyond, the largest row group is ended
  int64_t column_chunks = 0;          ///< beyond, the file with most of them is closed

  static RouterLimits Of(const parquet_format::EncodeOptions& encode, const places::Place& place);
};

class DirectoryRouter final {
 public:
  /// `schema` is that of the batches. Precondition: the layout's partition_by columns are in it.
  static Result<DirectoryRouter> Make(const SliceTarget& target,
                                      const std::shared_ptr<arrow::Schema>& schema,
                                      const RouterLimits& limits);
  DirectoryRouter(DirectoryRouter&&) noexcept;
  ~DirectoryRouter();

  /// Batches are kept by reference until their block is complete.
  Status Write(Context& ctx, const std::shared_ptr<arrow::RecordBatch>& batch);
  /// A file of no rows where NULLs would go, when there was no row.
  Status EnsureOne(Context& ctx);
  /// Writes what is held and closes every file; the files in the order of their paths.
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
