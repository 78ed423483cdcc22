#include "spill/row_spool.h"

#include <arrow/buffer.h>
#include <arrow/io/buffered.h>
#include <arrow/io/interfaces.h>
#include <arrow/ipc/options.h>
#include <arrow/ipc/reader.h>
#include <arrow/ipc/writer.h>
#include <arrow/util/compression.h>

#include <algorithm>
#include <utility>

namespace levada::spill {
namespace {

constexpr int64_t kBufferBytes = 256 << 10;

arrow::ipc::IpcWriteOptions WriteOptions(arrow::MemoryPool* pool) {
  auto options = arrow::ipc::IpcWriteOptions::Defaults();
  options.memory_pool = pool;
  options.use_threads = false;
  options.codec = *arrow::util::Codec::Create(arrow::Compression::LZ4_FRAME);
  return options;
}

}  // namespace

class RowSpool::Output final : public arrow::io::OutputStream {
 public:
  explicit Output(ScratchFile& file) : file_(file) {}
  ~Output() override = default;
  using arrow::io::Writable::Write;

  Status Write(const void* data, int64_t size) override {
    return file_.Append({static_cast<const uint8_t*>(data), static_cast<size_t>(size)});
  }
  Result<int64_t> Tell() const override { return file_.size(); }
  Status Close() override {
    closed_ = true;
    return Status::OK();
  }
  bool closed() const override { return closed_; }

 private:
  ScratchFile& file_;
  bool closed_ = false;
};

class RowSpool::Input final : public arrow::io::InputStream {
 public:
  Input(const ScratchFile& file, arrow::MemoryPool* pool) : file_(file), pool_(pool) {}
  ~Input() override = default;

  Result<int64_t> Read(int64_t size, void* out) override {
    const int64_t count = std::min(size, file_.size() - position_);
    ARROW_RETURN_NOT_OK(
        file_.ReadAt(position_, {static_cast<uint8_t*>(out), static_cast<size_t>(count)}));
    position_ += count;
    return count;
  }
  Result<std::shared_ptr<arrow::Buffer>> Read(int64_t size) override {
    const int64_t count = std::min(size, file_.size() - position_);
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> buffer,
                          arrow::AllocateBuffer(count, pool_));
    ARROW_RETURN_NOT_OK(Read(count, buffer->mutable_data()).status());
    return buffer;
  }
  Result<int64_t> Tell() const override { return position_; }
  Status Close() override {
    closed_ = true;
    return Status::OK();
  }
  bool closed() const override { return closed_; }

 private:
  const ScratchFile& file_;
  arrow::MemoryPool* const pool_;
  int64_t position_ = 0;
  bool closed_ = false;
};

RowSpool::~RowSpool() = default;

Result<std::unique_ptr<RowSpool>> RowSpool::Create(const Context& ctx, const ScratchSpace& space,
                                                   const std::shared_ptr<arrow::Schema>& schema) {
  std::unique_ptr<RowSpool> spool(new RowSpool());
  spool->pool_ = ctx.pool;
  ARROW_ASSIGN_OR_RAISE(spool->file_, ScratchFile::Create(space));
  spool->output_ = std::make_shared<Output>(*spool->file_);
  ARROW_ASSIGN_OR_RAISE(
      spool->writer_, arrow::ipc::MakeStreamWriter(spool->output_, schema, WriteOptions(ctx.pool)));
  return spool;
}

Status RowSpool::Append(const arrow::RecordBatch& batch) {
  rows_ += batch.num_rows();
  return writer_->WriteRecordBatch(batch);
}

Result<std::shared_ptr<arrow::RecordBatch>> RowSpool::Next() {
  if (reader_ == nullptr) {
    ARROW_RETURN_NOT_OK(writer_->Close());
    auto options = arrow::ipc::IpcReadOptions::Defaults();
    options.memory_pool = pool_;
    options.use_threads = false;
    ARROW_ASSIGN_OR_RAISE(auto buffered,
                          arrow::io::BufferedInputStream::Create(
                              kBufferBytes, pool_, std::make_shared<Input>(*file_, pool_)));
    ARROW_ASSIGN_OR_RAISE(reader_,
                          arrow::ipc::RecordBatchStreamReader::Open(std::move(buffered), options));
  }
  std::shared_ptr<arrow::RecordBatch> batch;
  ARROW_RETURN_NOT_OK(reader_->ReadNext(&batch));
  return batch;
}

}  // namespace levada::spill
