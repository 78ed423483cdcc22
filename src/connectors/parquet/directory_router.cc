#include "connectors/parquet/directory_router.h"

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/buffer.h>
#include <arrow/compute/api_vector.h>
#include <arrow/compute/exec.h>
#include <arrow/datum.h>
#include <arrow/type.h>
#include <arrow/util/checked_cast.h>
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <unordered_map>
#include <utility>

#include "connectors/parquet/hive.h"

namespace levada::parquet {
namespace {

using arrow::internal::checked_cast;
using BatchPtr = std::shared_ptr<arrow::RecordBatch>;

constexpr int32_t kNotInBlock = -1;

// One directory, its files, and its rows of the block that is being gathered.
struct Directory {
  explicit Directory(FileSequence sequence) : files(std::move(sequence)) {}
  FileSequence files;
  FileSequence::Cost cost;  // of the file under construction
  bool building = false;    // there is one
  int64_t last_row = -1;    // of the slice, the last one that came here

  int32_t in_block = kNotInBlock;  // its number among the directories of the block
  int64_t first = 0;               // of the block's rows, the first that belongs here
  int64_t count = 0;

  // Whether its rows of the block come one after the other. `block_begin`: the block's first row.
  bool Contiguous(int64_t block_begin) const { return last_row - block_begin - first + 1 == count; }
};

// Rows of one slice that come one after the other, and where each belongs.
struct Block {
  int64_t begin = 0;  // the row of the slice that comes first
  int64_t bytes = 0;
  std::vector<BatchPtr> pieces;         // columns of the files only
  std::vector<int32_t> directory_of;    // by row: Directory::in_block
  std::vector<Directory*> directories;  // in the order of their first rows

  int64_t row_count() const { return static_cast<int64_t>(directory_of.size()); }
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

int64_t BlockBytes(const arrow::RecordBatch& rows, int64_t start, int64_t count) {
  return parquet_format::PlainBytes(rows, start, count) + count * kBlockRowBytes;
}

// How many rows from `start` on make `bytes`, the one that reaches it included; all, when they do
// not.
int64_t RowsUntil(const arrow::RecordBatch& rows, int64_t start, int64_t bytes) {
  int64_t enough = rows.num_rows() - start;
  if (BlockBytes(rows, start, enough) <= bytes) return enough;
  int64_t too_few = 0;
  while (too_few + 1 < enough) {
    const int64_t middle = too_few + (enough - too_few) / 2;
    (BlockBytes(rows, start, middle) < bytes ? too_few : enough) = middle;
  }
  return enough;
}

// The rows of the block by directory, each directory's in their order. Sets Directory::first to
// where they begin then. The block's pieces are given up.
Result<BatchPtr> Grouped(Context& ctx, Block& block, const std::vector<Directory*>& order) {
  int64_t begin = 0;
  std::vector<int64_t> next(order.size());
  for (Directory* directory : order) {
    directory->first = next[static_cast<size_t>(directory->in_block)] = begin;
    begin += directory->count;
  }
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> indices,
                        arrow::AllocateBuffer(begin * sizeof(int32_t), ctx.pool));
  auto* const taken = indices->mutable_data_as<int32_t>();
  for (size_t row = 0; row < block.directory_of.size(); ++row) {
    taken[next[static_cast<size_t>(block.directory_of[row])]++] = static_cast<int32_t>(row);
  }
  const arrow::Datum rows(std::make_shared<arrow::Int32Array>(begin, std::move(indices)));
  const auto schema = block.pieces.front()->schema();
  std::vector<arrow::ArrayVector> columns(static_cast<size_t>(schema->num_fields()));
  for (const BatchPtr& piece : block.pieces) {
    for (size_t i = 0; i < columns.size(); ++i) {
      columns[i].push_back(piece->column(static_cast<int>(i)));
    }
  }
  block.pieces.clear();
  arrow::compute::ExecContext exec(ctx.pool);
  arrow::ArrayVector grouped;
  for (arrow::ArrayVector& pieces : columns) {  // one by one, so that little is there twice
    ARROW_ASSIGN_OR_RAISE(auto whole, arrow::Concatenate(pieces, ctx.pool));
    pieces.clear();
    ARROW_ASSIGN_OR_RAISE(
        const arrow::Datum column,
        arrow::compute::Take(whole, rows, arrow::compute::TakeOptions::NoBoundsCheck(), &exec));
    grouped.push_back(column.make_array());
  }
  return arrow::RecordBatch::Make(schema, begin, std::move(grouped));
}

}  // namespace

struct DirectoryRouter::State {
  const SliceTarget* target;
  RouterLimits limits;
  parquet_format::FilePlanPtr plan;
  std::vector<int> partition_columns;
  std::vector<int> file_columns;
  std::unordered_map<std::string, std::unique_ptr<Directory>> directories;
  Block block;
  std::vector<Directory*> building;  // in the order in which they began to
  int64_t held_bytes = 0;            // sums over all of them
  int64_t column_chunks = 0;
  size_t created = 0;

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
    auto made = std::make_unique<Directory>(FileSequence(*target, plan, PathOf(below)));
    return directories.emplace(below, std::move(made)).first->second.get();
  }

  // Rows [start, start + count) of `batch`, which has the columns of the files only.
  void AddToBlock(const BatchPtr& batch, int64_t start, int64_t count,
                  const std::vector<int32_t>& group_of,
                  const std::vector<Directory*>& directory_of_group) {
    block.bytes += BlockBytes(*batch, start, count);
    block.pieces.push_back(batch->Slice(start, count));
    for (int64_t row = start; row < start + count; ++row) {
      Directory* const directory =
          directory_of_group[static_cast<size_t>(group_of[static_cast<size_t>(row)])];
      if (directory->in_block == kNotInBlock) {
        directory->in_block = static_cast<int32_t>(block.directories.size());
        directory->first = block.row_count();
        directory->count = 0;
        block.directories.push_back(directory);
      }
      ++directory->count;
      directory->last_row = block.begin + block.row_count();
      block.directory_of.push_back(directory->in_block);
    }
  }

  // Encodes the block, each directory once. Those with a file go first, so that none of these is
  // closed for another and then needed again.
  Status EndBlock(Context& ctx) {
    if (block.row_count() == 0) return Status::OK();
    std::vector<Directory*> order = block.directories;
    std::ranges::stable_partition(order, [](const Directory* each) { return each->cost.created; });
    const bool sorted = std::ranges::all_of(
        order, [this](const Directory* each) { return each->Contiguous(block.begin); });
    if (!sorted) {
      ARROW_ASSIGN_OR_RAISE(const BatchPtr grouped, Grouped(ctx, block, order));
      block.pieces = {grouped};
    }
    for (Directory* directory : order) {
      ARROW_RETURN_NOT_OK(ctx.Check());
      ARROW_RETURN_NOT_OK(WriteRows(ctx, *directory));
      ARROW_RETURN_NOT_OK(directory->files.EndChunk(ctx));
      Count(*directory);
      ARROW_RETURN_NOT_OK(KeepLimits(ctx));
      directory->in_block = kNotInBlock;
    }
    Block next;
    next.begin = block.begin + block.row_count();
    block = std::move(next);
    return Status::OK();
  }

  Status WriteRows(Context& ctx, Directory& directory) {
    int64_t piece_begin = 0;
    const int64_t end = directory.first + directory.count;
    for (const BatchPtr& piece : block.pieces) {
      const int64_t from = std::max(directory.first, piece_begin);
      const int64_t to = std::min(end, piece_begin + piece->num_rows());
      if (from < to) {
        ARROW_RETURN_NOT_OK(
            directory.files.Write(ctx, *piece->Slice(from - piece_begin, to - from)));
      }
      piece_begin += piece->num_rows();
    }
    return Status::OK();
  }

  // After a directory's files were written to.
  void Count(Directory& directory) {
    const auto now = directory.files.cost();
    if (now.has_value() != directory.building) {
      directory.building = now.has_value();
      if (directory.building) {
        building.push_back(&directory);
      } else {
        std::erase(building, &directory);
      }
    }
    const FileSequence::Cost cost = now.value_or(FileSequence::Cost{});
    held_bytes += cost.held_bytes - directory.cost.held_bytes;
    column_chunks += cost.column_chunks - directory.cost.column_chunks;
    created += static_cast<size_t>(cost.created);
    created -= static_cast<size_t>(directory.cost.created);
    directory.cost = cost;
  }

  // Of several that are equal the one that began first.
  Status KeepLimits(Context& ctx) {
    while (true) {
      ARROW_RETURN_NOT_OK(ctx.Check());  // each step may write much, and sync
      if (held_bytes > limits.held_bytes) {
        Directory& largest = **std::ranges::max_element(
            building, {}, [](const Directory* each) { return each->cost.held_bytes; });
        ARROW_RETURN_NOT_OK(largest.files.EndRowGroup(ctx));
        Count(largest);
      } else if (column_chunks > limits.column_chunks) {
        ARROW_RETURN_NOT_OK(
            Close(ctx, **std::ranges::max_element(building, {}, [](const Directory* each) {
                    return each->cost.column_chunks;
                  })));
      } else if (created > limits.open_files) {
        ARROW_RETURN_NOT_OK(Close(
            ctx, **std::ranges::min_element(building, {}, [](const Directory* each) {
              return each->cost.created ? each->last_row : std::numeric_limits<int64_t>::max();
            })));
      } else {
        return Status::OK();
      }
    }
  }

  Status Close(Context& ctx, Directory& directory) {
    ARROW_RETURN_NOT_OK(directory.files.CloseFile(ctx));
    Count(directory);
    return Status::OK();
  }
};

RouterLimits RouterLimits::Of(const parquet_format::EncodeOptions& encode,
                              const places::Place& place) {
  RouterLimits limits;
  limits.open_files = std::min(kOpenFilesMax, static_cast<size_t>(place.staging_files_max()));
  limits.held_bytes = kRowGroupsHeld * encode.row_group_bytes;
  limits.column_chunks = kFootersHeld * encode.file_column_chunks;
  return limits;
}

DirectoryRouter::DirectoryRouter(std::unique_ptr<State> state) : state_(std::move(state)) {}
DirectoryRouter::DirectoryRouter(DirectoryRouter&&) noexcept = default;
DirectoryRouter::~DirectoryRouter() = default;

Result<DirectoryRouter> DirectoryRouter::Make(const SliceTarget& target,
                                              const std::shared_ptr<arrow::Schema>& schema,
                                              const RouterLimits& limits) {
  const LakeLayout& layout = *target.layout;
  auto state = std::make_unique<State>();
  state->target = &target;
  state->limits = limits;
  ARROW_ASSIGN_OR_RAISE(state->plan,
                        parquet_format::PlanFile(*FileSchemaOf(*schema, layout.partition_by),
                                                 layout.encode, layout.created_by));
  for (const std::string& column : layout.partition_by) {
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
  const Groups groups = GroupRows(codes, batch->num_rows());
  std::vector<Directory*> directories;
  for (const std::string& below : groups.directories) {
    ARROW_ASSIGN_OR_RAISE(directories.emplace_back(), state.Find(below));
  }
  ARROW_ASSIGN_OR_RAISE(const BatchPtr rest, batch->SelectColumns(state.file_columns));
  for (int64_t at = 0; at < rest->num_rows();) {
    const int64_t count = RowsUntil(*rest, at, state.limits.block_bytes - state.block.bytes);
    state.AddToBlock(rest, at, count, groups.of_row, directories);
    at += count;
    if (state.block.bytes >= state.limits.block_bytes) ARROW_RETURN_NOT_OK(state.EndBlock(ctx));
  }
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
  ARROW_RETURN_NOT_OK(state_->EndBlock(ctx));
  while (!state_->building.empty()) {
    ARROW_RETURN_NOT_OK(ctx.Check());
    ARROW_RETURN_NOT_OK(state_->Close(ctx, *state_->building.front()));
  }
  std::vector<elt::WrittenFile> files;
  for (auto& [below, directory] : state_->directories) {
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
