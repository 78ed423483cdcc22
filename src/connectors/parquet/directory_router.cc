#include "connectors/parquet/directory_router.h"

#include <arrow/array.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/compute/api_vector.h>
#include <arrow/compute/exec.h>
#include <arrow/datum.h>
#include <arrow/type.h>
#include <arrow/util/checked_cast.h>
#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "connectors/parquet/hive.h"
#include "connectors/parquet/slice_load.h"

namespace levada::parquet {
namespace {

using arrow::internal::checked_cast;
using BatchPtr = std::shared_ptr<arrow::RecordBatch>;

// Rows of rare values come a few per batch; so many pieces are joined before they go to the
// encoder, which keeps what it is given until a chunk of thousands of rows is complete.
constexpr size_t kPiecesJoined = 64;
constexpr int64_t kRowsJoined = 4096;

// One directory and what waits for it.
struct Directory {
  explicit Directory(FileSequence sequence) : files(std::move(sequence)) {}
  FileSequence files;
  bool open = false;
  int64_t last_row = -1;          // of the slice, the last one that came here
  std::vector<int64_t> selected;  // rows of the current batch
  std::vector<BatchPtr> pieces;   // of earlier batches, not yet written
  int64_t piece_rows = 0;
};

// The values of one partition column in one batch, each distinct one once.
struct Codes {
  std::shared_ptr<arrow::Int32Array> of_row;  // null: NULL
  std::vector<std::string> directories;       // by code; the last one is that of NULL
  int64_t At(int64_t row) const {
    return of_row->IsNull(row) ? static_cast<int64_t>(directories.size()) - 1 : of_row->Value(row);
  }
};

std::string NullDirectory(std::string_view column) {
  return fmt::format("{}={}", EscapeHive(column), kHiveNull);
}

Result<Codes> Encode(Context& ctx, const std::string& column,
                     const std::shared_ptr<arrow::Array>& values) {
  arrow::compute::ExecContext exec(ctx.pool);
  ARROW_ASSIGN_OR_RAISE(const arrow::Datum encoded,
                        arrow::compute::DictionaryEncode(
                            values, arrow::compute::DictionaryEncodeOptions::Defaults(), &exec));
  const auto array = encoded.make_array();
  const auto& dictionary = checked_cast<const arrow::DictionaryArray&>(*array);
  Codes codes;
  codes.of_row = std::static_pointer_cast<arrow::Int32Array>(dictionary.indices());
  const arrow::Array& distinct = *dictionary.dictionary();
  for (int64_t i = 0; i < distinct.length(); ++i) {
    ARROW_ASSIGN_OR_RAISE(codes.directories.emplace_back(), HiveDirectory(column, distinct, i));
  }
  codes.directories.push_back(NullDirectory(column));
  return codes;
}

// The rows of a batch by directory: a number for each row, a directory for each number.
struct Groups {
  std::vector<int32_t> of_row;
  std::vector<std::string> directories;
};

// Column by column, so that the numbers stay below the count of rows.
Groups GroupRows(const std::vector<Codes>& columns, int64_t row_count) {
  Groups groups;
  groups.of_row.assign(static_cast<size_t>(row_count), 0);
  groups.directories = {""};
  for (const Codes& column : columns) {
    std::unordered_map<int64_t, int32_t> numbers;
    std::vector<std::string> directories;
    const auto width = static_cast<int64_t>(column.directories.size());
    for (int64_t row = 0; row < row_count; ++row) {
      int32_t& group = groups.of_row[static_cast<size_t>(row)];
      const int64_t code = column.At(row);
      const auto [found, added] =
          numbers.try_emplace(group * width + code, static_cast<int32_t>(directories.size()));
      if (added) {
        std::string below = groups.directories[static_cast<size_t>(group)];
        if (!below.empty()) below.push_back('/');
        directories.push_back(below + column.directories[static_cast<size_t>(code)]);
      }
      group = found->second;
    }
    groups.directories = std::move(directories);
  }
  return groups;
}

Result<BatchPtr> Select(Context& ctx, const BatchPtr& batch, const std::vector<int64_t>& rows) {
  // A slice keeps the whole batch alive, so only (nearly) whole batches are sliced.
  const auto count = static_cast<int64_t>(rows.size());
  const bool contiguous = rows.back() - rows.front() + 1 == count;
  if (contiguous && 2 * count >= batch->num_rows()) return batch->Slice(rows.front(), count);
  arrow::Int64Builder builder(ctx.pool);
  ARROW_RETURN_NOT_OK(builder.AppendValues(rows));
  ARROW_ASSIGN_OR_RAISE(const auto indices, builder.Finish());
  arrow::compute::ExecContext exec(ctx.pool);
  ARROW_ASSIGN_OR_RAISE(
      const arrow::Datum taken,
      arrow::compute::Take(batch, indices, arrow::compute::TakeOptions::NoBoundsCheck(), &exec));
  return taken.record_batch();
}

}  // namespace

struct DirectoryRouter::State {
  const SliceTarget* target;
  std::shared_ptr<arrow::Schema> file_schema;
  std::vector<int> partition_columns;
  std::vector<int> file_columns;
  std::unordered_map<std::string, std::unique_ptr<Directory>> directories;
  std::vector<Directory*> open;  // at most kOpenFilesMax
  int64_t rows = 0;

  std::string PathOf(const std::string& below) const {
    const std::string& root = target->layout->directory;
    return root.empty() ? below : fmt::format("{}/{}", root, below);
  }

  Result<Directory*> Find(const std::string& below) {
    auto found = directories.find(below);
    if (found != directories.end()) return found->second.get();
    if (directories.size() >= kDirectoriesMax) {
      return Fault(FaultCode::kValueRefused,
                   fmt::format("partition_by: more than {} directories in one slice, the last one "
                               "\"{}\"",
                               kDirectoriesMax, below))
          .Help("partition by columns with fewer values, dates instead of timestamps for example");
    }
    auto made = std::make_unique<Directory>(FileSequence(*target, file_schema, PathOf(below)));
    return directories.emplace(below, std::move(made)).first->second.get();
  }

  // Writes what waits for a directory.
  Status Flush(Context& ctx, Directory& directory) {
    if (directory.pieces.empty()) return Status::OK();
    BatchPtr joined = directory.pieces.front();
    if (directory.pieces.size() > 1) {
      ARROW_ASSIGN_OR_RAISE(joined, arrow::ConcatenateRecordBatches(directory.pieces, ctx.pool));
    }
    directory.pieces.clear();
    directory.piece_rows = 0;
    return directory.files.Write(ctx, *joined);
  }

  // Moves the rows selected of `batch` (file columns only) to what waits.
  Status Collect(Context& ctx, const BatchPtr& batch, Directory& directory) {
    if (directory.selected.empty()) return Status::OK();
    ARROW_ASSIGN_OR_RAISE(auto piece, Select(ctx, batch, directory.selected));
    directory.selected.clear();
    directory.piece_rows += piece->num_rows();
    directory.pieces.push_back(std::move(piece));
    const bool enough =
        directory.pieces.size() >= kPiecesJoined || directory.piece_rows >= kRowsJoined;
    return enough ? Flush(ctx, directory) : Status::OK();
  }

  Status CloseLeastRecent(Context& ctx, const BatchPtr& batch) {
    ARROW_RETURN_NOT_OK(ctx.Check());  // a file is closed and synced: one batch may take seconds
    Directory& oldest = **std::ranges::min_element(open, {}, &Directory::last_row);
    ARROW_RETURN_NOT_OK(Collect(ctx, batch, oldest));
    return Close(ctx, oldest);
  }

  Status Close(Context& ctx, Directory& directory) {
    ARROW_RETURN_NOT_OK(Flush(ctx, directory));
    ARROW_RETURN_NOT_OK(directory.files.CloseFile(ctx));
    directory.open = false;
    std::erase(open, &directory);
    return Status::OK();
  }
};

DirectoryRouter::DirectoryRouter(std::unique_ptr<State> state) : state_(std::move(state)) {}
DirectoryRouter::DirectoryRouter(DirectoryRouter&&) noexcept = default;
DirectoryRouter::~DirectoryRouter() = default;

Result<DirectoryRouter> DirectoryRouter::Make(const SliceTarget& target,
                                              const std::shared_ptr<arrow::Schema>& schema) {
  auto state = std::make_unique<State>();
  state->target = &target;
  state->file_schema = FileSchemaOf(*schema, target.layout->partition_by);
  for (const std::string& column : target.layout->partition_by) {
    state->partition_columns.push_back(schema->GetFieldIndex(column));
  }
  for (int i = 0; i < schema->num_fields(); ++i) {
    if (std::ranges::find(state->partition_columns, i) == state->partition_columns.end()) {
      state->file_columns.push_back(i);
    }
  }
  return DirectoryRouter(std::move(state));
}

Status DirectoryRouter::Write(Context& ctx, const BatchPtr& batch) {
  State& state = *state_;
  std::vector<Codes> codes;
  for (const int column : state.partition_columns) {
    ARROW_ASSIGN_OR_RAISE(codes.emplace_back(), Encode(ctx, batch->schema()->field(column)->name(),
                                                       batch->column(column)));
  }
  ARROW_ASSIGN_OR_RAISE(const BatchPtr rest, batch->SelectColumns(state.file_columns));
  const Groups groups = GroupRows(codes, batch->num_rows());
  std::vector<Directory*> touched(groups.directories.size());
  for (int64_t row = 0; row < batch->num_rows(); ++row) {
    const auto group = static_cast<size_t>(groups.of_row[static_cast<size_t>(row)]);
    Directory*& directory = touched[group];
    if (directory == nullptr) {
      ARROW_ASSIGN_OR_RAISE(directory, state.Find(groups.directories[group]));
    }
    if (!directory->open) {
      if (state.open.size() == kOpenFilesMax) {
        ARROW_RETURN_NOT_OK(state.CloseLeastRecent(ctx, rest));
      }
      directory->open = true;
      state.open.push_back(directory);
    }
    directory->selected.push_back(row);
    directory->last_row = state.rows++;
  }
  for (Directory* directory : touched) ARROW_RETURN_NOT_OK(state.Collect(ctx, rest, *directory));
  return Status::OK();
}

Status DirectoryRouter::EnsureOne(Context& ctx) {
  if (!state_->directories.empty()) return Status::OK();
  std::string below;
  for (const std::string& column : state_->target->layout->partition_by) {
    if (!below.empty()) below.push_back('/');
    below += NullDirectory(column);
  }
  ARROW_ASSIGN_OR_RAISE(Directory* const directory, state_->Find(below));
  return directory->files.EnsureOne(ctx);
}

Result<std::vector<elt::WrittenFile>> DirectoryRouter::Finish(Context& ctx) {
  std::vector<elt::WrittenFile> files;
  for (auto& [below, directory] : state_->directories) {
    if (directory->open) ARROW_RETURN_NOT_OK(state_->Close(ctx, *directory));
    auto of_directory = directory->files.TakeFiles();
    files.insert(files.end(), std::make_move_iterator(of_directory.begin()),
                 std::make_move_iterator(of_directory.end()));
  }
  std::ranges::sort(files, {}, &elt::WrittenFile::path);
  return files;
}

std::shared_ptr<arrow::Schema> FileSchemaOf(const arrow::Schema& schema,
                                            const std::vector<std::string>& partition_by) {
  arrow::FieldVector fields;
  for (const auto& field : schema.fields()) {
    if (std::ranges::find(partition_by, field->name()) == partition_by.end()) {
      fields.push_back(field);
    }
  }
  return arrow::schema(std::move(fields));
}

}  // namespace levada::parquet
