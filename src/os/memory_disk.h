#pragma once
// MemoryDisk: a Disk for tests that forgets, as a machine does whose power fails, what was not
// synced.
//
// It keeps two states: what the processes see, and what is on the platter. Append and
// WriteAt change the first, Sync copies a file's content to the second, SyncDirectory a directory's
// entries. Crash() makes the second the first again, after it let chance decide how much of the
// rest had reached the platter by itself:
//   - of the changes of directories (create, rename, remove, make a directory) a prefix in the
//   order they were made, so
//     that a rename within one directory is there or not, but never half;
//   - of a file's unsynced content any of its 512-byte sectors, so that it is torn, full of zeros,
//   or of a size between.
// A rename between two directories of which only one was synced may lose the file or show it twice:
// Disk::Rename tells to sync both.

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "os/disk.h"

namespace levada::os {

/// Thread-safe. Paths are names below one root, which always exists; "/a", "a" and "./a" are the
/// same. No "..", no links, no permissions, no capacity (see FaultyDisk for errors).
class MemoryDisk final : public Disk {
 public:
  MemoryDisk();
  ~MemoryDisk() override;

  /// The power fails and comes back. The same seed and history give the same disk; with seed 0
  /// nothing that was not synced survives. Open files and locks are dead: the files fail with
  /// kTargetIo (EIO), the locks are free.
  void Crash(uint64_t seed);

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
  struct Node;
  static DirectoryEntry EntryOf(std::string name, const Node& node);
  struct State;
  class Writable;
  class Readable;
  class Mutable;
  class Lock;
  std::shared_ptr<State> state_;  // shared with the open files, which may outlive the disk
};

}  // namespace levada::os
