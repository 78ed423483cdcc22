#pragma once
// Store: RocksDB as the stores of the platform use it: column families of byte strings, read by
// many threads, written by one committer (committer.h) in batches that are durable when they are
// acknowledged.
//
// It is opened so that nothing acknowledged is lost in silence: a log that is damaged anywhere but
// in the torn record at its end (log_tail.h) is refused (kStoreDamaged) where RocksDB's default
// would drop what stands behind the damage. After a failed write the store takes no further one
// until it has been closed and opened again from its log (Reopen): a failed fsync is never tried
// again into success.

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/fault.h"
#include "os/disk.h"

namespace rocksdb {
class DB;
class ColumnFamilyHandle;
class FileSystem;
class Snapshot;
class Status;
}  // namespace rocksdb

namespace levada::db::rocks {

/// Which family a call means: its index in StoreOptions::families.
using FamilyIndex = size_t;

struct Family {
  std::string name;
  /// Values of at least so many bytes live in blob files, which compactions do not copy. 0: none.
  uint64_t blob_bytes_min = 0;
  /// Whether a compaction may forget a record, since no reader will see it any more. On RocksDB's
  /// threads. May be empty. Not asked about values in blob files: `value` is nullopt then, and what
  /// the key says decides.
  std::function<bool(std::string_view key, std::optional<std::string_view> value)> is_dead = {};
};

struct StoreOptions {
  std::string path;  ///< a directory; made when absent, its parent must exist
  std::vector<Family> families;
  size_t cache_bytes = size_t{64} << 20;
  /// Below this much log a restart has nothing long to replay, and damage has little to hit.
  uint64_t log_bytes_max = uint64_t{64} << 20;
  /// Of a store that nobody else has open: nothing of it is changed, a write fails, and what stands
  /// in its log is read into memory.
  bool is_read_only = false;
  /// Hears of damage that a compaction met, once of each in a row. On RocksDB's threads.
  std::function<void(const std::string& what)> on_damage = {};
  /// Tests put faults between RocksDB and the disk. Null: the system's.
  std::shared_ptr<rocksdb::FileSystem> files;
};

/// Changes that become visible and durable together. Later ones of a key win.
class Batch {
 public:
  void Put(FamilyIndex family, std::string key, std::string value);
  void Delete(FamilyIndex family, std::string key);
  /// All keys in [begin, end).
  void DeleteRange(FamilyIndex family, std::string begin, std::string end);
  bool empty() const { return changes_.empty(); }
  size_t bytes() const { return bytes_; }

  enum class Kind : uint8_t { kPut, kDelete, kDeleteRange };
  struct Change {
    Kind kind;
    FamilyIndex family;
    std::string key;
    std::string value;  ///< of a range its end
  };
  /// In the order they were made.
  const std::vector<Change>& changes() const { return changes_; }

 private:
  std::vector<Change> changes_;
  size_t bytes_ = 0;
};

/// What a read without the disk found.
struct CachedRead {
  bool known = false;  ///< false: the disk has to be asked
  std::optional<std::string> value;
};

class Store;

/// The state at one moment. Dies before its Store is closed; while it lives, Reopen waits.
class View final {
 public:
  View(View&&) noexcept;
  ~View();
  /// May block on the disk.
  Result<std::optional<std::string>> Get(FamilyIndex family, std::string_view key) const;

 private:
  friend class Store;
  friend class Cursor;
  explicit View(const Store& store);
  const Store* store_;
  std::shared_lock<std::shared_mutex> open_;
  const rocksdb::Snapshot* snapshot_ = nullptr;
};

/// Walks the keys of one family in byte order, at the moment it was made. May block on the disk.
class Cursor final {
 public:
  ~Cursor();
  bool Valid() const;
  std::string_view key() const;    ///< until the next move
  std::string_view value() const;  ///< until the next move
  void Next();
  void Seek(std::string_view key);
  /// Why it stopped being valid: OK at the end, kStoreDamaged or kTargetIo otherwise.
  Status status() const;

 private:
  friend class Store;
  struct Position;
  Cursor(const Store& store, FamilyIndex family, std::string end);
  const Store* store_;
  std::shared_lock<std::shared_mutex> open_;
  std::unique_ptr<Position> position_;  // null: the store is closed
};

/// Thread-safe, Write and Reopen apart: these are one thread's, the committer's.
class Store final {
 public:
  /// Errors: kStoreDamaged (the log or a table), kLeaseHeld (open elsewhere), kTargetIo, kDiskFull.
  static Result<std::unique_ptr<Store>> Open(StoreOptions options);
  /// As Open, but a damaged one is there and closed: whatever is asked of it fails with
  /// closed_because(), and Reopen may be tried.
  static Result<std::unique_ptr<Store>> OpenOrStayClosed(StoreOptions options);
  /// What is in memory is written into tables, if that can be done: then the next start has no log
  /// to replay, and damage to one has nothing to hit.
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  /// May block on the disk.
  Result<std::optional<std::string>> Get(FamilyIndex family, std::string_view key) const;
  /// From memory only. Errors as Get.
  Result<CachedRead> GetCached(FamilyIndex family, std::string_view key) const;
  /// False: certainly absent. True: perhaps there. Reads nothing from the disk.
  bool MayHave(FamilyIndex family, std::string_view key) const;
  View MakeView() const { return View(*this); }
  /// From the first key >= `begin` up to `end`, which is not included; "" is no end.
  std::unique_ptr<Cursor> MakeCursor(FamilyIndex family, std::string_view begin,
                                     std::string end) const;

  /// Durable when OK. After an error nothing of `batches` may be taken for written or for not
  /// written until Reopen has said OK.
  Status Write(const std::vector<const Batch*>& batches);
  /// Closes and opens again from the log; waits for views and cursors to end, and readers wait for
  /// it. After an error the store is closed: every read fails with it, and Reopen may be called
  /// again.
  Status Reopen();
  /// OK while it is open. kStoreDamaged: nothing but fsck makes it whole again.
  Status closed_because() const;
  /// Empties memtables into tables, so that the next start has no log to replay.
  Status Flush();
  /// A store of its own at `path`, which must not exist, in a directory of the same file system:
  /// what this one has now. Tables are shared between the two by links, so that it costs little.
  Status Checkpoint(const std::string& path) const;
  /// Flushes, and merges all tables into as few as there can be.
  Status Compact();

  const std::string& path() const { return options_.path; }
  /// Of a write that a loss of power had cut short: what its openings took off the end of the log.
  uint64_t torn_bytes() const { return torn_bytes_; }
  /// For metrics: a property of RocksDB as a number, summed over families; 0 if it has none.
  uint64_t Property(std::string_view name) const;

 private:
  friend class View;
  friend class Cursor;
  explicit Store(StoreOptions options);
  static Result<std::unique_ptr<Store>> Make(StoreOptions options, bool stays_closed);
  Status OpenFiles();
  void CloseFiles();
  Status Fail(const char* doing, const rocksdb::Status& status) const;

  const StoreOptions options_;
  struct Shared;  // cache and the filters, which outlive a reopening
  std::unique_ptr<Shared> shared_;
  mutable std::shared_mutex open_mutex_;  // shared: reads; exclusive: closing and opening
  std::unique_ptr<rocksdb::DB> db_;       // null while closed
  Status closed_because_;                 // OK while open
  std::atomic<uint64_t> torn_bytes_{0};
  std::vector<rocksdb::ColumnFamilyHandle*> families_;
  rocksdb::ColumnFamilyHandle* empty_ = nullptr;  // RocksDB's own default one: nobody writes to it
};

/// The same of a store that nobody has open, damaged or not: its log is copied.
Status CopyClosedStore(os::Disk& disk, const std::string& from, const std::string& path);

/// The first key behind all that start with `prefix`; "" when there is none.
std::string PrefixEnd(std::string_view prefix);

}  // namespace levada::db::rocks
