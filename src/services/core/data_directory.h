#pragma once
// The daemon's data directory: DATA/VERSION says which layout it has, DATA/LOCK who uses it.
// Opening it is the first thing a daemon does, and the last thing it lets go of.

#include <memory>
#include <string>

#include "base/fault.h"
#include "os/disk.h"

namespace levada::services {

/// Of one daemon or of one command; ends with the object or the process.
class DataDirectory final {
 public:
  /// OK where TryOpen would find one and make none. Errors: kBadValue where nothing says that it is
  /// one, with `help`; kStoreDamaged where only its VERSION is missing; kTargetUnwritable.
  static Status CheckIsThere(os::Disk& disk, const std::string& path, const std::string& help);
  /// Makes the directory when absent, 0700. nullptr: another process has it. Errors: kNewerLayout
  /// for a layout this levada does not know, kStoreDamaged, kTargetUnwritable.
  static Result<std::unique_ptr<DataDirectory>> TryOpen(os::Disk& disk, const std::string& path);

  std::string Path(std::string_view name) const { return os::JoinPath(path_, name); }
  const std::string& path() const { return path_; }
  /// Made by this opening.
  bool is_new() const { return is_new_; }

 private:
  DataDirectory(std::string path, std::unique_ptr<os::FileLock> lock, bool is_new)
      : path_(std::move(path)), lock_(std::move(lock)), is_new_(is_new) {}
  std::string path_;
  std::unique_ptr<os::FileLock> lock_;
  bool is_new_;
};

inline constexpr int kLayoutNumber = 1;

}  // namespace levada::services
