#pragma once
// Making a backup: a copy of a snapshot of a data directory in a store of backups. What an earlier
// backup has is not copied again: files that look unchanged since the last one (path, size, time of
// change) are not even read, and of the others only those whose bytes are not there yet are
// written.
//
// Whatever ends it, the store has the backups it had, and what was carried is not carried again.

#include <functional>
#include <string>

#include "backup/backup_store.h"
#include "backup/carry.h"
#include "backup/head.h"
#include "base/context.h"
#include "base/fault.h"
#include "os/disk.h"

namespace levada::backup {

struct BackupOptions {
  std::string snapshot;  ///< a directory that does not change
  std::string levada;    ///< the version of this program
  int keep = 0;          ///< so many backups, the newest, are left; 0: all
  int threads = 2;
  std::function<void(const CarryCounts&)> on_progress = {};  ///< ten times a second
};

struct BackupDone {
  Head head;
  int64_t new_files = 0;
  int64_t backups_removed = 0;
  int64_t files_removed = 0;
};

/// Durable when OK. One at a time for one store. Errors: kForeignTarget, kManifestCorrupt of the
/// backup before it, kStopped, those of the store and of the disk.
Result<BackupDone> MakeBackup(const Context& ctx, os::Disk& disk, BackupStore& store,
                              const BackupOptions& options);

/// Leaves the newest `keep` backups and the bytes they have. Fills what it counts in `done`.
Status Prune(const Context& ctx, BackupStore& store, int keep, BackupDone& done);

}  // namespace levada::backup
