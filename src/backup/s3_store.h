#pragma once
// A BackupStore below a prefix of an S3 bucket, by Arrow's client.

#include <memory>
#include <string>

#include "backup/backup_store.h"

namespace levada::backup {

/// One a process: Arrow's client ends with it. `disk` outlives it. kBadValue for what is no such
/// URI.
Result<std::unique_ptr<BackupStore>> OpenS3Store(os::Disk& disk, const std::string& uri);

}  // namespace levada::backup
