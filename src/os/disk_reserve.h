#pragma once
// DiskReserve: room that is kept back for a full disk. Whoever meets ENOSPC lets it go, and there
// is room then for stores to be opened again, to be read, and to delete; what grows is refused, and
// ends where it is under way, until the room can be kept back anew.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/fault.h"

namespace levada::os {

/// Thread-safe.
class DiskReserve final {
 public:
  /// For so long a full disk is told as full. What did not fit is removed when it has failed, and
  /// is often tried again: without a pause the disk would be full and not full with each try.
  static constexpr auto kFullMin = std::chrono::seconds(10);

  /// Allocates `path` with `bytes`, or takes over what is there. On a disk without that room it is
  /// full from the start. `clock` outlives it.
  static std::unique_ptr<DiskReserve> Open(std::string path, int64_t bytes, const Clock& clock);

  /// Nothing that grows may be written.
  bool is_full() const { return full_; }
  /// Whether so many bytes more fit beside it. True when the disk cannot be asked.
  bool HasRoomFor(uint64_t bytes) const;
  /// Gives the room away. Any number of times.
  void Release();
  /// Release, if that is what `status` is about.
  void ReleaseIfFull(const Status& status);
  /// Keeps it back again, kFullMin after the last Release and when the disk has twice as much: so
  /// that one that is almost full does not go to and fro. True when it is kept.
  bool TryRestore();

 private:
  DiskReserve(std::string path, int64_t bytes, const Clock& clock)
      : path_(std::move(path)), bytes_(bytes), clock_(clock) {}
  Status Allocate() const;
  std::optional<int64_t> FreeBytes() const;

  const std::string path_;
  const int64_t bytes_;
  const Clock& clock_;
  std::mutex mutex_;  // a file that is made while another thread removes it would be forgotten
  SteadyTime full_until_;
  std::atomic<bool> full_{false};
};

}  // namespace levada::os
