// Parquet, Arrow IPC and ORC: formats that say what their columns are.

#include <arrow/adapters/orc/adapter.h>
#include <arrow/buffer.h>
#include <arrow/io/interfaces.h>
#include <arrow/ipc/options.h>
#include <arrow/ipc/reader.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <algorithm>
#include <functional>
#include <utility>

#include "connectors/files/open_file.h"
#include "formats/arrow_ipc/stream_reader.h"
#include "formats/parquet/source_reader.h"

namespace levada::files {
namespace {

constexpr std::string_view kArrowMagic = "ARROW1";
// A batch of somebody else's comes whole, whatever we would like.
constexpr int64_t kArrowBatchBytesMax = int64_t{256} << 20;
constexpr int64_t kArrowMemoryBytes = int64_t{32} << 20;
// A stripe's streams, of which ORC decompresses a block each.
constexpr int64_t kOrcMemoryBytes = int64_t{64} << 20;

/// Some columns of other batches, by name; and as many rows as the file says.
class ChosenRows final : public arrow::RecordBatchReader {
 public:
  using Source = std::function<Result<elt::BatchPtr>()>;
  ChosenRows(Source next, elt::SchemaPtr schema, int64_t rows_expected)
      : next_(std::move(next)), schema_(std::move(schema)), rows_expected_(rows_expected) {}

  elt::SchemaPtr schema() const override { return schema_; }

  Status ReadNext(elt::BatchPtr* out) override {
    ARROW_ASSIGN_OR_RAISE(const elt::BatchPtr read, next_());
    *out = nullptr;
    if (read == nullptr) {
      if (rows_expected_ < 0 || rows_ == rows_expected_) return Status::OK();
      return Fault(FaultCode::kSourceFileMalformed, "its footer says " +
                                                        std::to_string(rows_expected_) +
                                                        " rows, it holds " + std::to_string(rows_));
    }
    rows_ += read->num_rows();
    arrow::ArrayVector columns;
    for (const auto& field : schema_->fields()) {
      auto column = read->GetColumnByName(field->name());
      if (column == nullptr) {
        return Fault(FaultCode::kSourceFileMalformed,
                     "column \"" + field->name() + "\" is not in all of its batches");
      }
      columns.push_back(std::move(column));
    }
    *out = arrow::RecordBatch::Make(schema_, read->num_rows(), std::move(columns));
    return Status::OK();
  }

 private:
  const Source next_;
  const elt::SchemaPtr schema_;
  const int64_t rows_expected_;
  int64_t rows_ = 0;
};

elt::SchemaPtr Chosen(const arrow::Schema& schema, const arrow::FieldVector& columns) {
  arrow::FieldVector fields;
  for (const auto& column : columns) fields.push_back(schema.GetFieldByName(column->name()));
  return arrow::schema(std::move(fields));
}

class ParquetFile final : public OpenFile {
 public:
  explicit ParquetFile(std::unique_ptr<parquet_format::SourceReader> reader)
      : reader_(std::move(reader)) {}
  const elt::SchemaPtr& schema() const override { return reader_->schema(); }
  int64_t memory_bytes() const override { return reader_->memory_bytes(); }
  Result<std::shared_ptr<arrow::RecordBatchReader>> Read(
      const arrow::FieldVector& columns) override {
    std::vector<int> fields;
    for (const auto& column : columns) {
      fields.push_back(reader_->schema()->GetFieldIndex(column->name()));
    }
    return reader_->Read(fields);
  }

 private:
  const std::unique_ptr<parquet_format::SourceReader> reader_;
};

class ArrowFile final : public OpenFile {
 public:
  explicit ArrowFile(std::shared_ptr<arrow::ipc::RecordBatchFileReader> reader)
      : reader_(std::move(reader)), schema_(reader_->schema()) {}
  const elt::SchemaPtr& schema() const override { return schema_; }
  int64_t memory_bytes() const override { return kArrowMemoryBytes; }
  Result<std::shared_ptr<arrow::RecordBatchReader>> Read(
      const arrow::FieldVector& columns) override {
    const auto next = [reader = reader_, at = 0]() mutable -> Result<elt::BatchPtr> {
      if (at == reader->num_record_batches()) return nullptr;
      return reader->ReadRecordBatch(at++);
    };
    return std::make_shared<ChosenRows>(next, Chosen(*schema_, columns), -1);
  }

 private:
  const std::shared_ptr<arrow::ipc::RecordBatchFileReader> reader_;
  const elt::SchemaPtr schema_;
};

class ArrowStream final : public OpenFile {
 public:
  explicit ArrowStream(std::unique_ptr<arrow_ipc::StreamReader> reader)
      : reader_(std::move(reader)) {}
  const elt::SchemaPtr& schema() const override { return reader_->schema(); }
  int64_t memory_bytes() const override { return kArrowMemoryBytes; }
  Result<std::shared_ptr<arrow::RecordBatchReader>> Read(
      const arrow::FieldVector& columns) override {
    return std::make_shared<ChosenRows>([reader = reader_.get()] { return reader->Next(); },
                                        Chosen(*reader_->schema(), columns), -1);
  }

 private:
  const std::unique_ptr<arrow_ipc::StreamReader> reader_;
};

class OrcFile final : public OpenFile {
 public:
  OrcFile(std::unique_ptr<arrow::adapters::orc::ORCFileReader> reader, elt::SchemaPtr schema,
          int64_t batch_rows)
      : reader_(std::move(reader)), schema_(std::move(schema)), batch_rows_(batch_rows) {}
  const elt::SchemaPtr& schema() const override { return schema_; }
  int64_t memory_bytes() const override { return kOrcMemoryBytes; }
  Result<std::shared_ptr<arrow::RecordBatchReader>> Read(
      const arrow::FieldVector& columns) override {
    std::vector<std::string> names;
    for (const auto& column : columns) names.push_back(column->name());
    ARROW_ASSIGN_OR_RAISE(auto batches, reader_->GetRecordBatchReader(batch_rows_, names));
    return std::make_shared<ChosenRows>(
        [batches]() -> Result<elt::BatchPtr> { return batches->Next(); }, Chosen(*schema_, columns),
        reader_->NumberOfRows());
  }

 private:
  const std::unique_ptr<arrow::adapters::orc::ORCFileReader> reader_;
  const elt::SchemaPtr schema_;
  const int64_t batch_rows_;
};

Result<std::unique_ptr<OpenFile>> OpenParquet(const Context& ctx,
                                              std::shared_ptr<arrow::io::RandomAccessFile> file,
                                              const elt::BatchLimits& limits) {
  parquet_format::ReadOptions options;
  options.batch_rows = limits.rows;
  options.batch_bytes = limits.bytes;
  ARROW_ASSIGN_OR_RAISE(auto reader,
                        parquet_format::SourceReader::Open(std::move(file), options, ctx.pool));
  return std::make_unique<ParquetFile>(std::move(reader));
}

Result<std::unique_ptr<OpenFile>> OpenArrow(const Context& ctx,
                                            std::shared_ptr<arrow::io::RandomAccessFile> file) {
  ARROW_ASSIGN_OR_RAISE(const auto magic,
                        file->ReadAt(0, static_cast<int64_t>(kArrowMagic.size())));
  if (magic->ToString() == kArrowMagic) {
    auto options = arrow::ipc::IpcReadOptions::Defaults();
    options.memory_pool = ctx.pool;
    options.use_threads = false;
    ARROW_ASSIGN_OR_RAISE(auto reader,
                          arrow::ipc::RecordBatchFileReader::Open(std::move(file), options));
    return std::make_unique<ArrowFile>(std::move(reader));
  }
  ARROW_RETURN_NOT_OK(file->Seek(0));  // ReadAt leaves the position anywhere
  const auto source = [file](std::span<uint8_t> out) -> Result<size_t> {
    ARROW_ASSIGN_OR_RAISE(const int64_t read,
                          file->Read(static_cast<int64_t>(out.size()), out.data()));
    return static_cast<size_t>(read);
  };
  arrow_ipc::ReadLimits limits;
  limits.batch_bytes = kArrowBatchBytesMax;
  ARROW_ASSIGN_OR_RAISE(auto reader, arrow_ipc::StreamReader::Open(source, limits, ctx.pool));
  return std::make_unique<ArrowStream>(std::move(reader));
}

Result<std::unique_ptr<OpenFile>> OpenOrc(const Context& ctx,
                                          std::shared_ptr<arrow::io::RandomAccessFile> file,
                                          const elt::BatchLimits& limits) {
  ARROW_ASSIGN_OR_RAISE(auto reader,
                        arrow::adapters::orc::ORCFileReader::Open(std::move(file), ctx.pool));
  ARROW_ASSIGN_OR_RAISE(auto schema, reader->ReadSchema());
  return std::make_unique<OrcFile>(std::move(reader), std::move(schema), limits.rows);
}

}  // namespace

Result<std::unique_ptr<OpenFile>> OpenColumnar(const Context& ctx,
                                               std::shared_ptr<arrow::io::RandomAccessFile> file,
                                               Format format, const elt::BatchLimits& limits) {
  if (format == Format::kParquet) return OpenParquet(ctx, std::move(file), limits);
  return format == Format::kOrc ? OpenOrc(ctx, std::move(file), limits)
                                : OpenArrow(ctx, std::move(file));
}

}  // namespace levada::files
