#include "backup/backup_store.h"

#include <arrow/buffer.h>
#include <fmt/format.h>

#include "backup/directory_store.h"
#include "backup/s3_store.h"

namespace levada::backup {
namespace {

constexpr std::string_view kS3 = "s3://";
constexpr int64_t kReadBytes = int64_t{1} << 20;

}  // namespace

int TransfersAtOnce(const std::string& location) {
  // A disk has one head or one queue; a server far away is waited for.
  return location.starts_with(kS3) ? 8 : 2;
}

Result<std::unique_ptr<BackupStore>> OpenBackupStore(os::Disk& disk, const std::string& location) {
  if (location.starts_with(kS3)) return OpenS3Store(disk, location);
  if (location.empty() || location.find("://") != location.npos) {
    return Fault(FaultCode::kBadValue, fmt::format("\"{}\" is no place for backups", location))
        .Help("name a directory, or s3://BUCKET/PREFIX");
  }
  return MakeDirectoryStore(disk, location);
}

Result<std::optional<std::string>> ReadWhole(BackupStore& store, const std::string& path,
                                             int64_t limit_bytes) {
  auto opened = store.Open(path);
  if (CodeOf(opened.status()) == FaultCode::kTargetFileMissing) return std::nullopt;
  ARROW_ASSIGN_OR_RAISE(const auto stream, std::move(opened));
  std::string content;
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const auto piece, stream->Read(kReadBytes));
    if (piece->size() == 0) return content;
    content += std::string_view(*piece);
    if (static_cast<int64_t>(content.size()) > limit_bytes) {
      return Fault(FaultCode::kManifestCorrupt,
                   fmt::format("\"{}\": expected at most {} bytes, got more", store.Location(path),
                               limit_bytes));
    }
  }
}

}  // namespace levada::backup
