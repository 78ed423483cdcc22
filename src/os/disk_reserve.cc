#include "os/disk_reserve.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "os/disk.h"
#include "os/usage.h"

namespace levada::os {

std::unique_ptr<DiskReserve> DiskReserve::Open(std::string path, int64_t bytes,
                                               const Clock& clock) {
  std::unique_ptr<DiskReserve> reserve(new DiskReserve(std::move(path), bytes, clock));
  reserve->full_ = !reserve->Allocate().ok();
  return reserve;
}

Status DiskReserve::Allocate() const {
  const int fd = open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return ErrnoFault(FaultCode::kTargetIo, errno, "cannot open \"" + path_ + "\"");
  // Not a hole: the blocks are ours from here on.
  const int error = posix_fallocate(fd, 0, bytes_);
  close(fd);
  if (error == 0) return Status::OK();
  unlink(path_.c_str());
  return ErrnoFault(FaultCode::kTargetIo, error, "cannot keep room in \"" + path_ + "\"");
}

std::optional<int64_t> DiskReserve::FreeBytes() const {
  const auto space = ReadDiskSpace(ParentPath(path_));
  return space ? std::optional(space->free_bytes) : std::nullopt;
}

bool DiskReserve::HasRoomFor(uint64_t bytes) const {
  const std::optional<int64_t> free = FreeBytes();
  return !free || bytes <= static_cast<uint64_t>(*free);
}

void DiskReserve::Release() {
  full_ = true;  // first: whoever is at work is to stop before there is room again
  const std::lock_guard lock(mutex_);
  full_ = true;
  full_until_ = clock_.Steady() + kFullMin;
  unlink(path_.c_str());
}

void DiskReserve::ReleaseIfFull(const Status& status) {
  if (!status.ok() && CodeOf(status) == FaultCode::kDiskFull) Release();
}

bool DiskReserve::TryRestore() {
  if (!full_) return true;
  const std::lock_guard lock(mutex_);
  if (clock_.Steady() < full_until_) return false;
  if (FreeBytes().value_or(0) < 2 * bytes_ || !Allocate().ok()) return false;
  full_ = false;
  return true;
}

}  // namespace levada::os
