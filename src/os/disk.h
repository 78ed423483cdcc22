#pragma once
// Disk: the local file system as an argument, so that tests can run every path against one that
// fails, fills up or forgets what was not synced. Paths are UTF-8 and absolute or relative to the
// working directory.
//
// Errors carry the errno as a Fault of code kTargetIo, kTargetUnwritable (EACCES, EROFS, EPERM),
// kDiskFull (ENOSPC, EDQUOT), kTargetFileMissing (ENOENT), with details "path" and "errno". Callers
// that read sources rewrap them.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/fault.h"

namespace levada::os {

/// A file being written sequentially from its start. One thread at a time. Not closed = left as it
/// is, undurable.
class WritableFile {
 public:
  virtual ~WritableFile() = default;
  virtual Status Append(std::span<const uint8_t> bytes) = 0;
  /// Has what was appended begin its way to the disk, so that a later Sync waits for less. It makes
  /// nothing durable, and what goes wrong is Sync's to say.
  virtual void StartSync() {}
  /// fsync. After an error the file's content is unknown and Sync must not be tried again: the file
  /// is to be dropped.
  virtual Status Sync() = 0;
  /// Closes without syncing. Idempotent.
  virtual Status Close() = 0;
};

/// Random reads of a file that does not change. Thread-safe.
class ReadableFile {
 public:
  virtual ~ReadableFile() = default;
  virtual Result<int64_t> Size() const = 0;
  /// Reads up to out.size() bytes at `offset`; fewer only at the end of the file.
  virtual Result<int64_t> ReadAt(int64_t offset, std::span<uint8_t> out) const = 0;
};

/// A file whose bytes change in place. Reads of any thread; one thread at a time changes it, and
/// not where others read. What is written is durable after Sync.
class MutableFile {
 public:
  virtual ~MutableFile() = default;
  virtual Result<int64_t> Size() const = 0;
  /// As ReadableFile::ReadAt.
  virtual Result<int64_t> ReadAt(int64_t offset, std::span<uint8_t> out) const = 0;
  /// Beyond the end too: what lies between is zeros.
  virtual Status WriteAt(int64_t offset, std::span<const uint8_t> bytes) = 0;
  /// Cuts, or lengthens by zeros.
  virtual Status Truncate(int64_t size) = 0;
  /// fsync. After an error of this, of WriteAt or of Truncate the content is unknown, and every
  /// further change fails with the same error: the file is to be made good from elsewhere.
  virtual Status Sync() = 0;
};

struct DirectoryEntry {
  std::string name;
  bool is_directory = false;
  int64_t size_bytes = 0;
  /// When its bytes were last changed, since 1970; of two contents of one file as good as never the
  /// same.
  int64_t modified_ns = 0;
};

/// An advisory whole-file lock that ends with the object or the process (flock). Not inherited by
/// children.
class FileLock {
 public:
  virtual ~FileLock() = default;
};

/// Thread-safe.
class Disk {  // tidy: allow more than five methods: it is the file system's own interface, split it
              // and callers carry two
 public:
  virtual ~Disk() = default;
  /// Creates or truncates.
  virtual Result<std::unique_ptr<WritableFile>> Create(const std::string& path) = 0;
  /// Creates a file that no other user can open. kTargetIo (EEXIST) when there is one already.
  virtual Result<std::unique_ptr<WritableFile>> CreatePrivate(const std::string& path) = 0;
  virtual Result<std::unique_ptr<ReadableFile>> Open(const std::string& path) = 0;
  /// To change in place; made when absent, and that is durable only after SyncDirectory.
  virtual Result<std::unique_ptr<MutableFile>> OpenMutable(const std::string& path) = 0;
  /// Atomic within one file system; replaces `to`. Durable only after SyncDirectory of both
  /// directories.
  virtual Status Rename(const std::string& from, const std::string& to) = 0;
  /// Gives a file of the same file system a further name. kTargetIo (EEXIST) when something has it,
  /// kTargetIo (EXDEV, EOPNOTSUPP) where that cannot be. Durable only after SyncDirectory.
  virtual Status Link(const std::string& from, const std::string& to) = 0;
  /// OK when it is already gone.
  virtual Status Remove(const std::string& path) = 0;
  /// Removes an empty directory; OK when it is gone or not empty.
  virtual Status RemoveEmptyDirectory(const std::string& path) = 0;
  /// With parents; OK when it exists. Each new directory's parent is synced.
  virtual Status CreateDirectories(const std::string& path) = 0;
  virtual Status SyncDirectory(const std::string& path) = 0;
  /// Sorted by name. kTargetFileMissing when there is no such directory.
  virtual Result<std::vector<DirectoryEntry>> List(const std::string& path) = 0;
  /// nullopt when there is nothing at `path`.
  virtual Result<std::optional<DirectoryEntry>> Stat(const std::string& path) = 0;
  /// Creates the file when absent. nullptr when somebody else (another process or another FileLock)
  /// holds it.
  virtual Result<std::unique_ptr<FileLock>> TryLock(const std::string& path) = 0;
};

/// The operating system's.
std::unique_ptr<Disk> MakeSystemDisk();

/// Reads a whole file of at most `limit_bytes`. nullopt when there is none; kTargetIo when it is
/// larger.
Result<std::optional<std::string>> ReadFile(Disk& disk, const std::string& path,
                                            int64_t limit_bytes);
/// Writes `path` so that readers see the old or the new content and never a mix, and it survives
/// power loss once OK is returned: temporary name in the same directory (starting with "."), fsync,
/// rename, fsync of the directory. Two writers of one path must exclude each other: the temporary
/// name is ".<name>.tmp", so that the next write takes over what a killed one left.
Status WriteFileDurably(Disk& disk, const std::string& path, std::string_view content);

/// Removes a directory and all in it; OK when it is gone. Symbolic links are followed: for what we
/// made ourselves.
Status RemoveTree(Disk& disk, const std::string& path);
/// `to` becomes what `from` is, and is not synced. Of a file that grows meanwhile it is what was
/// there at some moment: one that was also cut and written anew is read again. kTargetIo when that
/// goes on and on.
Status CopyFile(Disk& disk, const std::string& from, const std::string& to);

/// "a/b" + "c" -> "a/b/c"; an absolute second part wins.
std::string JoinPath(std::string_view directory, std::string_view name);
/// "a/b/c" -> "a/b"; "c" -> "."; "/c" -> "/"
std::string ParentPath(std::string_view path);
/// "a/b/c" -> "c"
std::string_view BaseName(std::string_view path);

}  // namespace levada::os
