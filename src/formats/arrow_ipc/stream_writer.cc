#include "formats/arrow_ipc/stream_writer.h"

#include <arrow/io/buffered.h>
#include <arrow/io/interfaces.h>
#include <arrow/ipc/options.h>
#include <arrow/ipc/writer.h>

#include <utility>

namespace levada::arrow_ipc {
namespace {

// Of a batch the writer gives each buffer and each padding by itself.
constexpr int64_t kGatheredBytes = 64 << 10;

}  // namespace

class StreamWriter::Output final : public arrow::io::OutputStream {
 public:
  explicit Output(ByteSink sink) : sink_(std::move(sink)) {}

  Status Write(const void* data, int64_t size) override {
    ARROW_RETURN_NOT_OK(failure_);
    failure_ = sink_({static_cast<const uint8_t*>(data), static_cast<size_t>(size)});
    position_ += size;
    return failure_;
  }
  Status Close() override {
    is_closed_ = true;
    return Status::OK();
  }
  bool closed() const override { return is_closed_; }
  Result<int64_t> Tell() const override { return position_; }

 private:
  const ByteSink sink_;
  Status failure_;
  int64_t position_ = 0;
  bool is_closed_ = false;
};

StreamWriter::StreamWriter() = default;

StreamWriter::~StreamWriter() {
  // What was gathered and not written belongs to a stream that failed: Abort does not flush.
  if (output_ != nullptr) (void)output_->Abort();
}

Result<std::unique_ptr<StreamWriter>> StreamWriter::Open(
    const std::shared_ptr<arrow::Schema>& schema, ByteSink sink, arrow::MemoryPool* pool) {
  std::unique_ptr<StreamWriter> made(new StreamWriter());
  ARROW_ASSIGN_OR_RAISE(made->output_,
                        arrow::io::BufferedOutputStream::Create(
                            kGatheredBytes, pool, std::make_shared<Output>(std::move(sink))));
  auto options = arrow::ipc::IpcWriteOptions::Defaults();
  options.memory_pool = pool;
  options.use_threads = false;
  ARROW_ASSIGN_OR_RAISE(made->writer_,
                        arrow::ipc::MakeStreamWriter(made->output_, schema, options));
  return made;
}

Status StreamWriter::Write(const arrow::RecordBatch& batch) {
  ARROW_RETURN_NOT_OK(writer_->WriteRecordBatch(batch));
  return output_->Flush();
}

Status StreamWriter::Finish() {
  ARROW_RETURN_NOT_OK(writer_->Close());
  return output_->Flush();
}

}  // namespace levada::arrow_ipc
