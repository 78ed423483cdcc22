#pragma once
// Restoring: a data directory is made of a backup, each file compared with the hash of what was
// copied. VERSION comes last: no daemon opens what is not whole.

#include <functional>
#include <string>

#include "backup/backup_store.h"
#include "backup/carry.h"
#include "backup/head.h"
#include "base/context.h"
#include "base/fault.h"
#include "os/disk.h"

namespace levada::backup {

struct RestoreOptions {
  std::string id;         ///< empty: the newest
  std::string directory;  ///< empty: everything is read and compared, and nothing is written
  int threads = 2;
  std::function<void(const CarryCounts&, const Head&)> on_progress = {};  ///< ten times a second
};

/// Which one it was. The directory must be empty, or not there, or what a restore that was
/// interrupted has left; it is durable when OK. Errors: kForeignTarget, kTargetFileMissing where
/// there is no such backup, kManifestCorrupt, kStoreDamaged for a file that is not what was
/// written, kStopped, those of the store and of the disk.
Result<Head> Restore(const Context& ctx, os::Disk& disk, BackupStore& store,
                     const RestoreOptions& options);

}  // namespace levada::backup
