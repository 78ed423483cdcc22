#pragma once
// FileLocks and LogIndex: what SQLite's connections to one file share, kept in memory for files
// that one process alone opens. Both follow the rules of SQLite's own VFS (sqlite.org/c3ref/
// io_methods.html, sqlite.org/walformat.html#wal_locks). Internal to this folder.

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace levada::db::sqlite {

/// The locks of the database file: NONE, SHARED, RESERVED, PENDING, EXCLUSIVE. Thread-safe.
class FileLocks final {
 public:
  /// Of one connection.
  struct Holder {
    int level = 0;
  };
  /// SQLITE_OK or SQLITE_BUSY.
  int Lock(Holder& holder, int level);
  void Unlock(Holder& holder, int level);
  bool IsReserved();

 private:
  std::mutex mutex_;
  int shared_ = 0;                  ///< holders of SHARED and above
  const Holder* writer_ = nullptr;  ///< of RESERVED and above
  bool is_pending_ = false;         ///< the writer waits for the readers to go, or is alone
};

/// The index of the write-ahead log: regions of memory, and eight locks. Thread-safe; what stands
/// in the regions SQLite guards by itself.
class LogIndex final {
 public:
  static constexpr int kLockCount = 8;
  struct Holder {
    uint8_t shared = 0;  ///< bits
    uint8_t exclusive = 0;
  };
  /// nullptr where it is not there and `extend` is false.
  volatile void* Region(int region, int bytes, bool extend);
  /// SQLITE_OK or SQLITE_BUSY; all of the `count` locks or none.
  int Lock(Holder& holder, int first, int count, bool exclusive);
  void Unlock(Holder& holder, int first, int count, bool exclusive);
  void Release(Holder& holder);
  /// What this thread wrote into the regions before it, one that passes it later sees. A lock, for
  /// ThreadSanitizer knows no fences.
  void Barrier() { const std::lock_guard lock(mutex_); }

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<uint64_t[]>> regions_;
  std::array<int, kLockCount> shared_{};
  std::array<bool, kLockCount> exclusive_{};
};

}  // namespace levada::db::sqlite
