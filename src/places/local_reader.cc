#include "places/local_reader.h"

#include <arrow/buffer.h>
#include <fmt/format.h>

#include <atomic>
#include <utility>

namespace levada::places {
namespace {

class LocalReader final : public arrow::io::RandomAccessFile {
 public:
  LocalReader(std::unique_ptr<os::ReadableFile> file, int64_t size)
      : file_(std::move(file)), size_(size) {}

  arrow::Status Close() override {
    closed_ = true;
    return Status::OK();
  }
  bool closed() const override { return closed_; }
  arrow::Result<int64_t> Tell() const override { return position_; }
  arrow::Result<int64_t> GetSize() override { return size_; }

  arrow::Status Seek(int64_t position) override {
    if (position < 0 || position > size_) {
      return Fault(FaultCode::kInternal,
                   fmt::format("seek: expected 0 to {}, got {}", size_, position));
    }
    position_ = position;
    return Status::OK();
  }

  arrow::Result<int64_t> ReadAt(int64_t position, int64_t nbytes, void* out) override {
    if (position < 0 || nbytes < 0) {
      return Fault(FaultCode::kInternal,
                   fmt::format("read: offset {} and length {} make no range", position, nbytes));
    }
    return file_->ReadAt(position, {static_cast<uint8_t*>(out), static_cast<size_t>(nbytes)});
  }

  arrow::Result<std::shared_ptr<arrow::Buffer>> ReadAt(int64_t position, int64_t nbytes) override {
    ARROW_ASSIGN_OR_RAISE(auto buffer, arrow::AllocateResizableBuffer(nbytes));
    ARROW_ASSIGN_OR_RAISE(const int64_t got, ReadAt(position, nbytes, buffer->mutable_data()));
    ARROW_RETURN_NOT_OK(buffer->Resize(got));
    return std::shared_ptr<arrow::Buffer>(std::move(buffer));
  }

  arrow::Result<int64_t> Read(int64_t nbytes, void* out) override {
    ARROW_ASSIGN_OR_RAISE(const int64_t got, ReadAt(position_, nbytes, out));
    position_ += got;
    return got;
  }

  arrow::Result<std::shared_ptr<arrow::Buffer>> Read(int64_t nbytes) override {
    ARROW_ASSIGN_OR_RAISE(auto buffer, ReadAt(position_, nbytes));
    position_ += buffer->size();
    return buffer;
  }

 private:
  const std::unique_ptr<os::ReadableFile> file_;
  const int64_t size_;
  int64_t position_ = 0;
  std::atomic<bool> closed_{false};
};

}  // namespace

Result<std::shared_ptr<arrow::io::RandomAccessFile>> OpenLocal(os::Disk& disk,
                                                               const std::string& full_path) {
  ARROW_ASSIGN_OR_RAISE(auto file, disk.Open(full_path));
  ARROW_ASSIGN_OR_RAISE(const int64_t size, file->Size());
  return std::make_shared<LocalReader>(std::move(file), size);
}

}  // namespace levada::places
