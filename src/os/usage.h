#pragma once
// What this process uses of its machine, and what of a disk is left; for metrics.

#include <cstdint>
#include <optional>
#include <string>

namespace levada::os {

struct ProcessUsage {
  double cpu_s = 0;
  int64_t resident_bytes = 0;
  int64_t virtual_bytes = 0;
  int64_t threads = 0;
  int64_t open_files = 0;
  int64_t open_files_max = 0;
  double start_s = 0;  ///< since the epoch
};
/// From /proc/self: milliseconds when thousands of files are open. What cannot be read is 0.
ProcessUsage ReadProcessUsage();

struct DiskSpace {
  int64_t size_bytes = 0;
  int64_t free_bytes = 0;  ///< for this user
};
/// Of the disk that has `path`; nullopt when it cannot be asked.
std::optional<DiskSpace> ReadDiskSpace(const std::string& path);

}  // namespace levada::os
