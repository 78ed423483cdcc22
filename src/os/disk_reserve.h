#pragma once
// DiskReserve: room that is kept back for a full disk. A store that meets ENOSPC lets it go, and
// has room then to be opened again, to be read, and to delete; what grows is refused until the room
// can be kept back anew.

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "base/fault.h"

namespace levada::os {

/// Thread-safe.
class DiskReserve final {
 public:
  /// Allocates `path` with `bytes`, or takes over what is there. On a disk without that room it is
  /// full from the start.
  static std::unique_ptr<DiskReserve> Open(std::string path, int64_t bytes);

  /// Nothing that grows may be written.
  bool is_full() const { return full_; }
  /// Gives the room away. Any number of times.
  void Release();
  /// Keeps it back again, when the disk has twice as much: so that one that is almost full does not
  /// go to and fro. True when it is kept.
  bool TryRestore();

 private:
  DiskReserve(std::string path, int64_t bytes) : path_(std::move(path)), bytes_(bytes) {}
  Status Allocate() const;

  const std::string path_;
  const int64_t bytes_;
  std::atomic<bool> full_{false};
};

}  // namespace levada::os
