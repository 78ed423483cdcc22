#include "formats/parquet/file_reader.h"

#include <arrow/io/interfaces.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/schema.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>
#include <parquet/properties.h>

#include <algorithm>

#include "formats/parquet/guarded_read.h"
#include "formats/parquet/restore.h"

namespace levada::parquet_format {
namespace {

constexpr ReadFaults kFaults{FaultCode::kReadbackMismatch};

parquet::ReaderProperties PropertiesOf(const ReadOptions& options, arrow::MemoryPool* pool) {
  parquet::ReaderProperties properties(pool);
  properties.enable_buffered_stream();
  properties.set_buffer_size(options.buffer_bytes);
  return properties;
}

Status CheckColumns(const arrow::Schema& expected, const arrow::Schema& got) {
  bool same = expected.num_fields() == got.num_fields();
  for (int i = 0; same && i < got.num_fields(); ++i)
    same = expected.field(i)->name() == got.field(i)->name();
  if (same) return Status::OK();
  return Fault(FaultCode::kReadbackMismatch,
               "the file's columns are others than those written: " + got.ToString());
}

/// Over Arrow's reader: the types of the written schema, the row count of the footer.
class RestoringReader final : public arrow::RecordBatchReader {
 public:
  RestoringReader(std::unique_ptr<parquet::arrow::FileReader> file,
                  std::unique_ptr<arrow::RecordBatchReader> batches,
                  std::shared_ptr<arrow::Schema> schema, int64_t rows_expected,
                  arrow::MemoryPool* pool)
      : file_(std::move(file)),
        batches_(std::move(batches)),
        schema_(std::move(schema)),
        rows_expected_(rows_expected),
        pool_(pool) {}

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
      return Fault(FaultCode::kReadbackMismatch,
                   "the footer says " + std::to_string(rows_expected_) + " rows, the file holds " +
                       std::to_string(rows_));
    }
    arrow::ArrayDataVector columns;
    for (int i = 0; i < read->num_columns(); ++i) {
      const auto& field = schema_->field(i);
      ARROW_ASSIGN_OR_RAISE(auto column,
                            RestoreType(read->column_data(i), field->type(), field->name(), pool_));
      if (!field->nullable() && column->GetNullCount() != 0) {
        return Fault(FaultCode::kReadbackMismatch,
                     "column \"" + field->name() + "\": NULL where none was written")
            .With("column", field->name());
      }
      columns.push_back(std::move(column));
    }
    auto batch = arrow::RecordBatch::Make(schema_, read->num_rows(), std::move(columns));
    ARROW_RETURN_NOT_OK(batch->Validate());
    rows_ += batch->num_rows();
    return batch;
  }

  std::unique_ptr<parquet::arrow::FileReader> file_;
  std::unique_ptr<arrow::RecordBatchReader> batches_;
  const std::shared_ptr<arrow::Schema> schema_;
  const int64_t rows_expected_;
  arrow::MemoryPool* const pool_;
  int64_t rows_ = 0;
};

}  // namespace

Result<Footer> ReadFooter(std::shared_ptr<arrow::io::RandomAccessFile> file,
                          arrow::MemoryPool* pool) {
  return GuardedRead(kFaults, [&]() -> Result<Footer> {
    auto reader = parquet::ParquetFileReader::Open(std::move(file), PropertiesOf({}, pool));
    auto metadata = reader->metadata();
    Footer footer;
    footer.rows = metadata->num_rows();
    footer.leaf_columns = metadata->num_columns();
    footer.created_by = metadata->created_by();
    for (int i = 0; i < metadata->num_row_groups(); ++i) {
      footer.row_group_rows.push_back(metadata->RowGroup(i)->num_rows());
    }
    ARROW_RETURN_NOT_OK(
        parquet::arrow::FromParquetSchema(metadata->schema(), parquet::ArrowReaderProperties(),
                                          metadata->key_value_metadata(), &footer.schema));
    return footer;
  });
}

Result<std::shared_ptr<arrow::RecordBatchReader>> OpenReader(
    std::shared_ptr<arrow::io::RandomAccessFile> file, std::shared_ptr<arrow::Schema> schema,
    const ReadOptions& options, arrow::MemoryPool* pool) {
  return GuardedRead(kFaults, [&]() -> Result<std::shared_ptr<arrow::RecordBatchReader>> {
    parquet::arrow::FileReaderBuilder builder;
    ARROW_RETURN_NOT_OK(builder.Open(std::move(file), PropertiesOf(options, pool)));
    auto metadata = builder.raw_reader()->metadata();
    parquet::ArrowReaderProperties properties(/*use_threads=*/false);
    properties.set_pre_buffer(false);  // it would hold whole row groups
    properties.set_batch_size(BatchRows(*metadata, options));
    builder.memory_pool(pool)->properties(properties);
    std::unique_ptr<parquet::arrow::FileReader> reader;
    ARROW_RETURN_NOT_OK(builder.Build(&reader));
    ARROW_ASSIGN_OR_RAISE(auto batches, reader->GetRecordBatchReader());
    if (schema == nullptr) schema = batches->schema();
    ARROW_RETURN_NOT_OK(CheckColumns(*schema, *batches->schema()));
    return std::make_shared<RestoringReader>(std::move(reader), std::move(batches),
                                             std::move(schema), metadata->num_rows(), pool);
  });
}

}  // namespace levada::parquet_format
