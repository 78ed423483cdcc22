#include "db/sqlite/page_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/byte_order.h"
#include "formats/checksums/crc.h"

namespace levada::db::sqlite {
namespace {

std::string_view TextOf(std::span<const uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

uint32_t NumberIn(std::span<const uint8_t> bytes) {
  return static_cast<uint32_t>(ReadBigEndian(TextOf(bytes)));
}

uint64_t ChecksumOf(std::span<const uint8_t> page) {
  return checksums::ExtendCrc(checksums::CrcKind::kCrc64Nvme, 0, TextOf(page));
}

}  // namespace

/// The frames of one transaction, the last one of each page.
class PageLog::Transaction final : public CommittedPages {
 public:
  Transaction(const PageLog& log, size_t begin, size_t end) : log_(log) {
    for (size_t i = begin; i < end; ++i) frames_[log.frames_[i].page] = i;
    numbers_.reserve(frames_.size());
    page_count_ = log.frames_[end - 1].page_count;
    // A page beyond the end was written before the transaction made the database smaller.
    for (const auto& [page, frame] : frames_) {
      if (page <= page_count_) numbers_.push_back(page);
    }
  }
  std::span<const uint32_t> numbers() const override { return numbers_; }
  uint32_t page_count() const override { return page_count_; }
  Status Read(uint32_t number, std::span<uint8_t, kPageBytes> out) const override {
    const auto found = frames_.find(number);
    if (found == frames_.end()) {
      return Fault(FaultCode::kInternal, fmt::format("page {} is not of this transaction", number));
    }
    ARROW_ASSIGN_OR_RAISE(const int64_t read,
                          log_.Read(OffsetOf(found->second) + kFrameHeaderBytes, out));
    if (read == int64_t{kPageBytes}) return Status::OK();
    return Fault(FaultCode::kStoreDamaged,
                 fmt::format("the log ends inside of page {} of a transaction", number));
  }

 private:
  const PageLog& log_;
  std::map<uint32_t, size_t> frames_;
  std::vector<uint32_t> numbers_;
  uint32_t page_count_ = 0;
};

Result<std::unique_ptr<PageLog>> PageLog::Open(os::Disk& disk, const std::string& path,
                                               CommitSink& sink) {
  ARROW_ASSIGN_OR_RAISE(auto file, disk.OpenMutable(path));
  ARROW_RETURN_NOT_OK(file->Truncate(0));
  return std::unique_ptr<PageLog>(new PageLog(std::move(file), sink));
}

Status PageLog::Write(int64_t offset, std::span<const uint8_t> bytes) {
  const auto size = static_cast<int64_t>(bytes.size());
  const int64_t within = (offset - kHeaderBytes) % kFrameBytes;
  {
    std::lock_guard lock(mutex_);
    ARROW_RETURN_NOT_OK(failure_);
    const auto frame =
        static_cast<size_t>(std::max<int64_t>(offset - kHeaderBytes, 0) / kFrameBytes);
    if (offset == 0 && size == kHeaderBytes) {
      frames_.clear();
      kept_ = written_ = 0;
    } else if (offset >= kHeaderBytes && within == 0 && size == kFrameHeaderBytes) {
      if (frame > frames_.size()) {
        return Fault(FaultCode::kInternal, fmt::format("frame {} of the log leaves a gap", frame));
      }
      if (frame == frames_.size()) frames_.emplace_back();
      frames_[frame].page = NumberIn(bytes.first(4));
      frames_[frame].page_count = NumberIn(bytes.subspan(4, 4));
      written_ = frame + 1;
    } else if (offset >= kHeaderBytes && within == kFrameHeaderBytes &&
               size == int64_t{kPageBytes} && frame < frames_.size()) {
      frames_[frame].checksum = ChecksumOf(bytes);
    } else {
      return Fault(FaultCode::kInternal,
                   fmt::format("{} bytes at {} are no part of a log", size, offset));
    }
  }
  return file_->WriteAt(offset, bytes);
}

Result<int64_t> PageLog::Read(int64_t offset, std::span<uint8_t> out) const {
  ARROW_ASSIGN_OR_RAISE(const int64_t read, file_->ReadAt(offset, out));
  // Every page that lies wholly in what was read: SQLite reads pages, and frames with their
  // headers.
  int64_t frame = std::max<int64_t>(offset - kHeaderBytes, 0) / kFrameBytes;
  for (;; ++frame) {
    const int64_t begin = OffsetOf(static_cast<size_t>(frame)) + kFrameHeaderBytes;
    if (begin + int64_t{kPageBytes} > offset + read) return read;
    if (begin < offset) continue;
    Frame known;
    {
      std::lock_guard lock(mutex_);
      if (static_cast<size_t>(frame) >= frames_.size()) return read;
      known = frames_[static_cast<size_t>(frame)];
    }
    const auto page = out.subspan(static_cast<size_t>(begin - offset), kPageBytes);
    if (ChecksumOf(page) == known.checksum) continue;
    return Fault(FaultCode::kStoreDamaged,
                 fmt::format("page {} in frame {} of the log is not what was written", known.page,
                             frame + 1))
        .With("page", std::to_string(known.page));
  }
}

Status PageLog::Truncate(int64_t size) {
  {
    std::lock_guard lock(mutex_);
    ARROW_RETURN_NOT_OK(failure_);
    const auto frames =
        static_cast<size_t>(std::max<int64_t>(size - kHeaderBytes, 0) / kFrameBytes);
    if (frames < frames_.size()) frames_.resize(frames);
    kept_ = std::min(kept_, frames_.size());
    written_ = std::min(written_, frames_.size());
  }
  return file_->Truncate(size);
}

Status PageLog::Sync() {
  size_t begin, end;
  {
    std::lock_guard lock(mutex_);
    ARROW_RETURN_NOT_OK(failure_);
    begin = kept_;
    end = written_;
  }
  // The writer's own call: nobody else changes frames_ meanwhile. Without a last frame it is the
  // sync of a new header, or the one before a checkpoint.
  if (end <= begin || frames_[end - 1].page_count == 0) return Status::OK();
  const Status kept = sink_.Keep(Transaction(*this, begin, end));
  std::lock_guard lock(mutex_);
  if (kept.ok()) {
    kept_ = end;
  } else {
    failure_ = kept;
  }
  return kept;
}

}  // namespace levada::db::sqlite
