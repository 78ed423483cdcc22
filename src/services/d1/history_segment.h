#pragma once
// A segment of a history: transactions one behind the other in one file, written once from its
// start to its end. Reading checks every byte, and tells the end that a loss of power leaves (a
// transaction that was never acknowledged) from damage (something that was).

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "db/sqlite/page_files.h"
#include "os/disk.h"
#include "services/d1/history_record.h"

namespace levada::services::d1 {

/// One thread at a time. After an error the segment is to be left as it is, and read anew.
class SegmentWriter final {
 public:
  /// `before` is the point before the first transaction. Durable with its name.
  static Result<std::unique_ptr<SegmentWriter>> Create(os::Disk& disk, const std::string& path,
                                                       uint64_t database, const Point& before);
  /// Durable after Sync, or End; until then some of it may be in memory. `unsynced`: appended since
  /// the last Sync.
  Status Append(const Point& point, const db::sqlite::CommittedPages& pages, uint32_t unsynced = 0);
  Status AppendRestore(const Point& point);
  Status Sync();
  /// Writes that this is all, and syncs.
  Status End();
  int64_t size_bytes() const { return size_bytes_; }  ///< after Sync

 private:
  SegmentWriter(std::unique_ptr<os::WritableFile> file, RecordPlace place)
      : file_(std::move(file)), place_(place) {}
  RecordPlace Place() const;
  Status Flush();

  const std::unique_ptr<os::WritableFile> file_;
  const RecordPlace place_;  ///< its offset aside
  std::string buffer_;
  int64_t size_bytes_ = 0;  ///< written
};

/// One transaction of a segment.
struct SegmentCommit {
  struct PageAt {
    uint32_t number = 0;
    int64_t offset = 0;  ///< of the record
  };
  Point point;
  uint32_t unsynced = 0;  ///< as in CommitRecord
  bool is_restore = false;
  std::vector<PageAt> pages;
};

enum class SegmentEnd : uint8_t {
  kEnded,  ///< in order
  kCut,    ///< behind the last transaction stands nothing, or one that did not get to its end
};

/// Of one thread; ReadPage of any.
class SegmentReader final {
 public:
  /// kStoreDamaged where the header is not what was written. nullptr for a file that a loss of
  /// power took before it had a header.
  static Result<std::unique_ptr<SegmentReader>> Open(os::Disk& disk, const std::string& path,
                                                     uint64_t database);
  const Point& before() const { return before_; }
  /// The next transaction; nullopt behind the last. kStoreDamaged where something that was
  /// acknowledged is not what was written.
  Result<std::optional<SegmentCommit>> Next();
  /// Behind the last transaction that Next gave.
  int64_t offset() const { return place_.offset; }
  /// After Next gave nullopt.
  SegmentEnd end() const { return end_; }
  /// Of kCut: what stands behind the last transaction. Whether it is the beginning of one that was
  /// never acknowledged or what is left of one that was, the file alone cannot tell.
  int64_t cut_bytes() const { return end_ == SegmentEnd::kCut ? size_bytes_ - place_.offset : 0; }
  /// The content of a page of a SegmentCommit.
  Status ReadPage(const SegmentCommit::PageAt& page,
                  std::span<uint8_t, db::sqlite::kPageBytes> out) const;

 private:
  SegmentReader(std::unique_ptr<os::ReadableFile> file, std::string path, uint64_t database)
      : file_(std::move(file)), path_(std::move(path)), place_{.database = database} {}
  /// Whether something that was acknowledged stands behind `offset`, where a transaction was not
  /// whole.
  Result<bool> HasMoreBehind(int64_t offset) const;
  Fault Damaged(int64_t offset) const;

  const std::unique_ptr<os::ReadableFile> file_;
  const std::string path_;
  RecordPlace place_;
  Point before_;
  Point last_;
  int64_t size_bytes_ = 0;
  SegmentEnd end_ = SegmentEnd::kCut;
};

}  // namespace levada::services::d1
