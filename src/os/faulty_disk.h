#pragma once
// FaultyDisk: a Disk for tests that fails on demand, in front of another (MemoryDisk or the
// system's).
//
// A test sweeps every point at which a piece of work can fail:
//
//     for (int64_t n = 1;; ++n) {
//       MemoryDisk memory;
//       FaultyDisk disk(memory);
//       disk.Arm({.operations = {DiskOperation::kAppend, DiskOperation::kSync}, .nth = n, .error =
//       ENOSPC}); const Status status = Work(disk); if (!disk.fired()) break;  // n is beyond the
//       last operation: the sweep is complete
//       ... status failed, and what is on `memory` is one of the states that are allowed
//     }

#include <cerrno>
#include <cstdint>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "os/disk.h"

namespace levada::os {

/// The calls of Disk and of its files.
enum class DiskOperation : uint8_t {
  kCreate,
  kAppend,
  kSync,
  kClose,  ///< the first Close of a file; later ones do nothing
  kOpen,
  kSize,
  kRead,
  kOpenMutable,
  kWriteAt,
  kTruncate,
  kRename,
  kLink,
  kRemove,
  kRemoveEmptyDirectory,
  kCreateDirectories,
  kSyncDirectory,
  kList,
  kStat,
  kTryLock,
};

/// All that change the disk or make it durable: what a writer has to survive.
std::set<DiskOperation> WritingOperations();

/// Which operation is to fail, and how.
struct DiskFailure {
  std::set<DiskOperation> operations{};  ///< the kinds that are counted
  int64_t nth = 1;                       ///< the first of them to fail, from 1
  int error = EIO;                       ///< errno
  bool keeps_failing = false;            ///< and all of these kinds after it too, as on a full disk
  /// A failing Append or WriteAt writes the first half of its bytes before it fails, as write(2)
  /// does on a disk that fills up.
  bool short_write = false;
};

/// Thread-safe. An operation that fails is not passed on (a short write apart). As the system's
/// disk does, a file that a change or a Sync failed on once fails every one after it in the same
/// way; these are not counted.
class FaultyDisk final : public Disk {
 public:
  /// `disk` outlives this and its files.
  explicit FaultyDisk(Disk& disk);
  ~FaultyDisk() override;

  /// Replaces what was armed and counts from zero again.
  void Arm(DiskFailure failure);
  /// Nothing fails any more. Files that failed stay so.
  void Disarm();
  /// Whether the armed failure has happened.
  bool fired() const;
  /// Operations of the armed kinds since Arm, failed ones included.
  int64_t count() const;

  Result<std::unique_ptr<WritableFile>> Create(const std::string& path) override;
  Result<std::unique_ptr<WritableFile>> CreatePrivate(const std::string& path) override;
  Result<std::unique_ptr<ReadableFile>> Open(const std::string& path) override;
  Result<std::unique_ptr<MutableFile>> OpenMutable(const std::string& path) override;
  Status Rename(const std::string& from, const std::string& to) override;
  Status Link(const std::string& from, const std::string& to) override;
  Status Remove(const std::string& path) override;
  Status RemoveEmptyDirectory(const std::string& path) override;
  Status CreateDirectories(const std::string& path) override;
  Status SyncDirectory(const std::string& path) override;
  Result<std::vector<DirectoryEntry>> List(const std::string& path) override;
  Result<std::optional<DirectoryEntry>> Stat(const std::string& path) override;
  Result<std::unique_ptr<FileLock>> TryLock(const std::string& path) override;

 private:
  class Script;
  class Writable;
  class Readable;
  class Mutable;
  Disk& disk_;
  std::shared_ptr<Script> script_;  // shared with the open files
};

}  // namespace levada::os
