#include "os/disk.h"

#include <fmt/format.h>

#include <algorithm>

namespace levada::os {
namespace {

// Most files that are read whole are records of a few KiB.
constexpr size_t kFirstReadBytes = 16 * 1024;
constexpr size_t kReadBytesMax = 256 * 1024;
constexpr int kCopiesMax = 100;

Status WriteAndSync(Disk& disk, const std::string& path, std::string_view content) {
  ARROW_ASSIGN_OR_RAISE(auto file, disk.Create(path));
  ARROW_RETURN_NOT_OK(
      file->Append({reinterpret_cast<const uint8_t*>(content.data()), content.size()}));
  ARROW_RETURN_NOT_OK(file->Sync());
  return file->Close();
}

/// The first bytes of two files, piece by piece.
class Pieces {
 public:
  explicit Pieces(const ReadableFile& file) : file_(file), piece_(kReadBytesMax) {}
  /// At `offset`, up to `left` bytes; empty at the end.
  Result<std::span<const uint8_t>> At(int64_t offset, int64_t left) {
    const auto wanted = static_cast<size_t>(std::min<int64_t>(left, kReadBytesMax));
    ARROW_ASSIGN_OR_RAISE(const int64_t got, file_.ReadAt(offset, {piece_.data(), wanted}));
    return std::span<const uint8_t>(piece_.data(), static_cast<size_t>(got));
  }

 private:
  const ReadableFile& file_;
  std::vector<uint8_t> piece_;
};

Result<int64_t> CopyOnce(Disk& disk, const ReadableFile& from, const std::string& to) {
  ARROW_ASSIGN_OR_RAISE(const auto file, disk.Create(to));
  Pieces pieces(from);
  for (int64_t offset = 0;;) {
    ARROW_ASSIGN_OR_RAISE(const auto piece, pieces.At(offset, kReadBytesMax));
    if (piece.empty()) {
      ARROW_RETURN_NOT_OK(file->Close());
      return offset;
    }
    ARROW_RETURN_NOT_OK(file->Append(piece));
    offset += static_cast<int64_t>(piece.size());
  }
}

/// Whether a file still begins with what another one is, `bytes` long.
Result<bool> BeginsWith(const ReadableFile& file, const ReadableFile& beginning, int64_t bytes) {
  Pieces left(file), right(beginning);
  for (int64_t offset = 0; offset < bytes;) {
    ARROW_ASSIGN_OR_RAISE(const auto a, left.At(offset, bytes - offset));
    ARROW_ASSIGN_OR_RAISE(const auto b, right.At(offset, bytes - offset));
    if (a.empty() || !std::ranges::equal(a, b)) return false;
    offset += static_cast<int64_t>(a.size());
  }
  return true;
}

}  // namespace

Status RemoveTree(Disk& disk, const std::string& path) {
  auto listed = disk.List(path);
  if (CodeOf(listed.status()) == FaultCode::kTargetFileMissing) return Status::OK();
  ARROW_ASSIGN_OR_RAISE(const auto entries, std::move(listed));
  for (const DirectoryEntry& entry : entries) {
    const std::string inside = JoinPath(path, entry.name);
    ARROW_RETURN_NOT_OK(entry.is_directory ? RemoveTree(disk, inside) : disk.Remove(inside));
  }
  return disk.RemoveEmptyDirectory(path);
}

Status CopyFile(Disk& disk, const std::string& from, const std::string& to) {
  ARROW_ASSIGN_OR_RAISE(const auto source, disk.Open(from));
  for (int tries = 0; tries < kCopiesMax; ++tries) {
    ARROW_ASSIGN_OR_RAISE(const int64_t bytes, CopyOnce(disk, *source, to));
    ARROW_ASSIGN_OR_RAISE(const auto copy, disk.Open(to));
    ARROW_ASSIGN_OR_RAISE(const bool is_same, BeginsWith(*source, *copy, bytes));
    if (is_same) return Status::OK();
  }
  return Fault(FaultCode::kTargetIo, fmt::format("file \"{}\" changes all the time", from))
      .With("path", from);
}

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
