#pragma once
// A BackupStore in a directory of the local file system.

#include <memory>
#include <string>

#include "backup/backup_store.h"

namespace levada::backup {

/// Nothing is made before something is put. `disk` outlives it.
std::unique_ptr<BackupStore> MakeDirectoryStore(os::Disk& disk, std::string root);

}  // namespace levada::backup
