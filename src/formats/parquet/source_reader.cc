#include "formats/parquet/source_reader.h"

#include <arrow/io/interfaces.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/schema.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>
#include <parquet/properties.h>

#include <algorithm>
#include <string>
#include <utility>

#include "formats/parquet/guarded_read.h"

namespace levada::parquet_format {
namespace {

// A writer's usual page and dictionary page, of which a column holds one each while it is read.
constexpr int64_t kPageBytes = int64_t{2} << 20;

constexpr ReadFaults kFaults{FaultCode::kSourceFileMalformed, /*wraps_io=*/false};

void AddLeaves(const parquet::arrow::SchemaField& field, std::vector<int>& leaves) {
  if (field.is_leaf()) leaves.push_back(field.column_index);
  for (const auto& child : field.children) AddLeaves(child, leaves);
}

}  // namespace

class SourceReader::State {
 public:
  std::unique_ptr<parquet::arrow::FileReader> file;
  std::shared_ptr<arrow::Schema> schema;
  int64_t rows = 0;
};

namespace {

/// Over Arrow's reader: the order that was asked for, the row count of the footer.
class OrderedReader final : public arrow::RecordBatchReader {
 public:
  OrderedReader(std::shared_ptr<void> file, std::unique_ptr<arrow::RecordBatchReader> batches,
                std::shared_ptr<arrow::Schema> schema, std::vector<int> order, int64_t rows)
      : file_(std::move(file)),
        batches_(std::move(batches)),
        schema_(std::move(schema)),
        order_(std::move(order)),
        rows_expected_(rows) {}

  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }

  Status ReadNext(std::shared_ptr<arrow::RecordBatch>* out) override {
    ARROW_ASSIGN_OR_RAISE(*out, GuardedRead(kFaults, [this] { return Read(); }));
    return Status::OK();
  }

 private:
  Result<std::shared_ptr<arrow::RecordBatch>> Read() {
    std::shared_ptr<arrow::RecordBatch> read;
    ARROW_RETURN_NOT_OK(batches_->ReadNext(&read));
    if (read == nullptr) {
      if (rows_ == rows_expected_) return nullptr;
      return Fault(FaultCode::kSourceFileMalformed,
                   "the footer says " + std::to_string(rows_expected_) + " rows, the file holds " +
                       std::to_string(rows_));
    }
    rows_ += read->num_rows();
    arrow::ArrayVector columns;
    for (const int index : order_) columns.push_back(read->column(index));
    return arrow::RecordBatch::Make(schema_, read->num_rows(), std::move(columns));
  }

  const std::shared_ptr<void> file_;
  const std::unique_ptr<arrow::RecordBatchReader> batches_;
  const std::shared_ptr<arrow::Schema> schema_;
  const std::vector<int> order_;
  const int64_t rows_expected_;
  int64_t rows_ = 0;
};

}  // namespace

SourceReader::SourceReader(std::shared_ptr<State> state) : state_(std::move(state)) {}
SourceReader::~SourceReader() = default;

Result<std::unique_ptr<SourceReader>> SourceReader::Open(
    std::shared_ptr<arrow::io::RandomAccessFile> file, const ReadOptions& options,
    arrow::MemoryPool* pool) {
  return GuardedRead(kFaults, [&]() -> Result<std::unique_ptr<SourceReader>> {
    parquet::ReaderProperties reading(pool);
    reading.enable_buffered_stream();
    reading.set_buffer_size(options.buffer_bytes);
    parquet::arrow::FileReaderBuilder builder;
    ARROW_RETURN_NOT_OK(builder.Open(std::move(file), reading));
    const auto metadata = builder.raw_reader()->metadata();
    parquet::ArrowReaderProperties properties(/*use_threads=*/false);
    properties.set_pre_buffer(false);  // it would hold whole row groups
    properties.set_batch_size(BatchRows(*metadata, options));
    builder.memory_pool(pool)->properties(properties);
    auto state = std::make_shared<State>();
    ARROW_RETURN_NOT_OK(builder.Build(&state->file));
    ARROW_RETURN_NOT_OK(state->file->GetSchema(&state->schema));
    state->rows = metadata->num_rows();
    return std::unique_ptr<SourceReader>(new SourceReader(std::move(state)));
  });
}

const std::shared_ptr<arrow::Schema>& SourceReader::schema() const { return state_->schema; }

int64_t SourceReader::rows() const { return state_->rows; }

int64_t SourceReader::memory_bytes() const {
  const auto metadata = state_->file->parquet_reader()->metadata();
  int64_t most = 0;
  for (int i = 0; i < metadata->num_row_groups(); ++i) {
    const auto group = metadata->RowGroup(i);
    int64_t bytes = 0;
    for (int c = 0; c < group->num_columns(); ++c) {
      const int64_t chunk = group->ColumnChunk(c)->total_uncompressed_size();
      bytes += std::clamp<int64_t>(chunk, 0, kPageBytes);
    }
    most = std::max(most, bytes);
  }
  return most;
}

Result<std::shared_ptr<arrow::RecordBatchReader>> SourceReader::Read(
    const std::vector<int>& fields) {
  return GuardedRead(kFaults, [&]() -> Result<std::shared_ptr<arrow::RecordBatchReader>> {
    // Arrow gives columns in the order of the file, whatever is asked for.
    std::vector<int> sorted = fields;
    std::ranges::sort(sorted);
    std::vector<int> leaves;
    const auto& tree = state_->file->manifest().schema_fields;
    for (const int field : sorted) AddLeaves(tree.at(static_cast<size_t>(field)), leaves);
    std::vector<int> order;
    arrow::FieldVector chosen;
    for (const int field : fields) {
      order.push_back(static_cast<int>(std::ranges::find(sorted, field) - sorted.begin()));
      chosen.push_back(state_->schema->field(field));
    }
    std::vector<int> groups;
    for (int i = 0; i < state_->file->num_row_groups(); ++i) groups.push_back(i);
    ARROW_ASSIGN_OR_RAISE(auto batches, state_->file->GetRecordBatchReader(groups, leaves));
    return std::make_shared<OrderedReader>(state_, std::move(batches),
                                           arrow::schema(std::move(chosen)), std::move(order),
                                           state_->rows);
  });
}

}  // namespace levada::parquet_format
