#pragma once
// PageFiles: the files of one database that we own, as SQLite sees them (a VFS of its own,
// sqlite.org/vfs.html), over os::Disk. It stands between the connections to a D1 database and the
// disk, and does three things that SQLite does not:
//
//   - every page of the database file carries a checksum (page_checksum.h), which each read
//     compares; of the log's frames the checksums are kept in memory, and compared too;
//   - a transaction reaches its CommitSink before anybody sees it: SQLite asks for a sync of the
//     log after the last frame, and that sync is the sink's. Where the sink fails, the commit does;
//   - faults of the disk reach SQLite, since everything goes through os::Disk.
//
// The write-ahead log is a buffer here and no promise: it is emptied when the files are opened and
// never synced. What was committed is the sink's to keep, and to put into the database file before
// the files are opened again.
//
// One process, any number of connections in it: locks and the log's index are memory of this
// object. Temporary files are SQLite's own business, in its default place.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/fault.h"
#include "db/sqlite/page_checksum.h"
#include "os/disk.h"

namespace levada::db::sqlite {

/// What one transaction wrote, valid during the call that it is handed to.
class CommittedPages {
 public:
  virtual ~CommittedPages() = default;
  /// Ascending, each once.
  virtual std::span<const uint32_t> numbers() const = 0;
  /// Of the whole database after the transaction.
  virtual uint32_t page_count() const = 0;
  /// The content of page `number`, one of numbers(). Its last eight bytes mean nothing.
  virtual Status Read(uint32_t number, std::span<uint8_t, kPageBytes> out) const = 0;
};

class CommitSink {
 public:
  virtual ~CommitSink() = default;
  /// OK: the transaction will be there after a loss of power, or the sink was told to see to that
  /// later and readers are held back until then (read_gate.h). Else nobody knows, and no further
  /// one is handed over: the files are to be closed, and the database made good by what was kept.
  /// On the thread of the commit, one at a time.
  virtual Status Keep(const CommittedPages& pages) = 0;
};

class ReadGate;

class PageFiles final {
 public:
  /// `path` is the database, which exists; its log is `path`-wal. `name` is what people call it,
  /// for errors. All of them outlive this.
  static Result<std::unique_ptr<PageFiles>> Open(os::Disk& disk, std::string path, std::string name,
                                                 CommitSink& sink);
  /// After the last connection.
  ~PageFiles();
  PageFiles(const PageFiles&) = delete;
  PageFiles& operator=(const PageFiles&) = delete;

  /// For sqlite3_open_v2. A file of another name than path() opens as by SQLite's default: what
  /// VACUUM INTO makes.
  const char* vfs_name() const;
  const std::string& path() const;

  /// What went wrong underneath since the last call, the first of it: SQLite has only a number for
  /// it. A damaged page is kStoreDamaged and named. Thread-safe.
  std::optional<Status> TakeFailure();
  /// Of the log.
  int64_t log_bytes() const;
  /// What keeps readers from transactions that are not durable yet (read_gate.h).
  ReadGate& gate();

 private:
  class Shared;
  explicit PageFiles(std::unique_ptr<Shared> shared);
  const std::unique_ptr<Shared> shared_;
};

}  // namespace levada::db::sqlite
