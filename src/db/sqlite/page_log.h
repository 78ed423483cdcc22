#pragma once
// PageLog: the write-ahead log of one database that we own, as it is written and read through
// page_files.h. It knows which frames the running transaction has written, and the checksum of each
// frame's page, so that a page which comes back otherwise is found. Internal to this folder.
//
// Layout: sqlite.org/fileformat2.html#the_write_ahead_log. 32 bytes, then frames of a header of 24
// bytes (page number, and the size of the database in the last frame of a transaction) and a page.

#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "db/sqlite/page_files.h"
#include "os/disk.h"

namespace levada::db::sqlite {

/// Thread-safe; SQLite lets one connection write at a time.
class PageLog final {
 public:
  static constexpr int64_t kHeaderBytes = 32;
  static constexpr int64_t kFrameHeaderBytes = 24;
  static constexpr int64_t kFrameBytes = kFrameHeaderBytes + int64_t{kPageBytes};

  /// Empties the log.
  static Result<std::unique_ptr<PageLog>> Open(os::Disk& disk, const std::string& path,
                                               CommitSink& sink);

  /// One of the three things that SQLite writes: the log's header, a frame's header, a page.
  Status Write(int64_t offset, std::span<const uint8_t> bytes);
  /// kStoreDamaged for a frame whose page is not what was written; the message names both.
  Result<int64_t> Read(int64_t offset, std::span<uint8_t> out) const;
  Status Truncate(int64_t size);
  Result<int64_t> Size() const { return file_->Size(); }
  /// Hands a transaction whose last frame is there to the sink. What failed once fails for good.
  Status Sync();

 private:
  struct Frame {
    uint32_t page = 0;
    uint32_t page_count = 0;  ///< of the database; 0: not the last frame of a transaction
    uint64_t checksum = 0;
  };
  class Transaction;
  PageLog(std::unique_ptr<os::MutableFile> file, CommitSink& sink)
      : file_(std::move(file)), sink_(sink) {}
  static int64_t OffsetOf(size_t frame) {
    return kHeaderBytes + static_cast<int64_t>(frame) * kFrameBytes;
  }

  const std::unique_ptr<os::MutableFile> file_;
  CommitSink& sink_;
  mutable std::mutex mutex_;
  std::vector<Frame> frames_;  ///< from 0; as they were last written
  size_t kept_ = 0;            ///< frames that the sink has, or that an earlier round of it had
  size_t written_ = 0;         ///< behind the newest frame that was begun
  Status failure_;
};

}  // namespace levada::db::sqlite
