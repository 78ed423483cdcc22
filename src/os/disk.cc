#include "os/disk.h"

#include <fmt/format.h>

#include <algorithm>

namespace levada::os {
namespace {

// Most files that are read whole are records of a few KiB.
constexpr size_t kFirstReadBytes = 16 * 1024;
constexpr size_t kReadBytesMax = 256 * 1024;

Status WriteAndSync(Disk& disk, const std::string& path, std::string_view content) {
  ARROW_ASSIGN_OR_RAISE(auto file, disk.Create(path));
  ARROW_RETURN_NOT_OK(
      file->Append({reinterpret_cast<const uint8_t*>(content.data()), content.size()}));
  ARROW_RETURN_NOT_OK(file->Sync());
  return file->Close();
}

}  // namespace

Result<std::optional<std::string>> ReadFile(Disk& disk, const std::string& path,
                                            int64_t limit_bytes) {
  auto opened = disk.Open(path);
  if (!opened.ok() && CodeOf(opened.status()) == FaultCode::kTargetFileMissing) return std::nullopt;
  ARROW_ASSIGN_OR_RAISE(const auto file, std::move(opened));
  std::string content;
  // To the end and not to Size(): files of /proc say 0, and a growing one may pass the limit after
  // it was asked.
  while (true) {
    const size_t offset = content.size();
    const int64_t left = limit_bytes - static_cast<int64_t>(offset);
    const size_t as_much_again = std::clamp(offset, kFirstReadBytes, kReadBytesMax);
    const size_t wanted = std::min(as_much_again, static_cast<size_t>(left) + 1);
    content.resize(offset + wanted);
    ARROW_ASSIGN_OR_RAISE(
        const int64_t got,
        file->ReadAt(static_cast<int64_t>(offset),
                     {reinterpret_cast<uint8_t*>(content.data()) + offset, wanted}));
    content.resize(offset + static_cast<size_t>(got));
    if (got == 0) return content;
    if (static_cast<int64_t>(content.size()) > limit_bytes) {
      return Fault(
                 FaultCode::kTargetIo,
                 fmt::format("file \"{}\": expected at most {} bytes, got more", path, limit_bytes))
          .With("path", path);
    }
  }
}

Status WriteFileDurably(Disk& disk, const std::string& path, std::string_view content) {
  const std::string directory = ParentPath(path);
  const std::string temporary = JoinPath(directory, fmt::format(".{}.tmp", BaseName(path)));
  Status status = WriteAndSync(disk, temporary, content);
  if (status.ok()) status = disk.Rename(temporary, path);
  if (!status.ok()) {
    (void)disk.Remove(temporary);  // the first error is the one to tell
    return status;
  }
  return disk.SyncDirectory(directory);
}

}  // namespace levada::os
