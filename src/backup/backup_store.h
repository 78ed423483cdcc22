#pragma once
// BackupStore: where backups are kept: a directory, or a prefix of an S3 bucket. Files are written
// whole and never changed. Paths are relative, with "/" between their parts.
//
// Errors of all: those of os/disk.h; of S3 kTargetIo with what the server said.

#include <arrow/io/interfaces.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/fault.h"
#include "os/disk.h"

namespace levada::backup {

/// Thread-safe.
class BackupStore {  // tidy: allow more than five methods: a file system's least
 public:
  virtual ~BackupStore() = default;
  /// As a person would write it.
  virtual std::string Location(const std::string& path) const = 0;
  virtual Result<bool> Has(const std::string& path) = 0;
  /// Replaces what is there; nobody sees a part of it. Durable after Settle.
  virtual Status PutFile(const std::string& path, const std::string& local_path) = 0;
  virtual Status Put(const std::string& path, std::string_view content) = 0;
  /// Makes what was put and removed durable.
  virtual Status Settle() = 0;
  /// kTargetFileMissing.
  virtual Result<std::shared_ptr<arrow::io::InputStream>> Open(const std::string& path) = 0;
  /// Names of files and directories in a directory, sorted; none where there is no such directory.
  virtual Result<std::vector<std::string>> List(const std::string& directory) = 0;
  /// OK when it is gone.
  virtual Status Remove(const std::string& path) = 0;
};

/// How many files are worth being carried at once.
int TransfersAtOnce(const std::string& location);

/// "/backups/levada", "backups", "s3://bucket/prefix?region=...&endpoint_override=...&scheme=...":
/// the last as Arrow reads it, with credentials from where AWS's tools have them. Nothing is made.
/// `disk` outlives it. One S3 store a process. Errors: kBadValue.
Result<std::unique_ptr<BackupStore>> OpenBackupStore(os::Disk& disk, const std::string& location);

/// The whole of a small file; nullopt when there is none. kManifestCorrupt when it is larger.
Result<std::optional<std::string>> ReadWhole(BackupStore& store, const std::string& path,
                                             int64_t limit_bytes);

}  // namespace levada::backup
