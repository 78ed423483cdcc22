#pragma once
// Carrying files: their hashes, and several at once.

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "backup/backup_store.h"
#include "base/context.h"
#include "base/fault.h"
#include "os/disk.h"

namespace levada::backup {

/// How far something is. Written by its threads, read by anyone.
struct CarryCounts {
  std::atomic<int64_t> files{0};
  std::atomic<int64_t> bytes{0};  ///< of these files
  std::atomic<int64_t> carried_files{0};
  std::atomic<int64_t> carried_bytes{0};  ///< of them, those that had to be read and written
};

/// Runs `work(0)` to `work(count - 1)` on so many threads, and `tick` on this one every tenth of a
/// second. The first failure ends it; nothing runs any more when it returns.
Status ForEach(const Context& ctx, int threads, size_t count,
               const std::function<Status(size_t)>& work, const std::function<void()>& tick);

/// SHA-256 in hex of a local file.
Result<std::string> HashFile(const Context& ctx, os::Disk& disk, const std::string& path);

/// What is read of `path` of the store until it ends is `bytes` long and has this hash, and `take`
/// has had all of it. kStoreDamaged, kTargetFileMissing.
Status ReadChecked(const Context& ctx, BackupStore& store, const std::string& path, int64_t bytes,
                   const std::string& sha256,
                   const std::function<Status(std::span<const uint8_t>)>& take);

}  // namespace levada::backup
