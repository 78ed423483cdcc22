#include "services/analytics/analytics_copy.h"

#include <algorithm>
#include <vector>

#include "services/analytics/segment.h"

namespace levada::services::analytics {
namespace {

constexpr int kTriesMax = 100;

Status CopyLog(os::Disk& disk, const std::string& from, const std::string& into) {
  ARROW_RETURN_NOT_OK(disk.CreateDirectories(into));
  ARROW_ASSIGN_OR_RAISE(auto entries, disk.List(from));
  std::erase_if(entries, [](const os::DirectoryEntry& entry) {
    return entry.is_directory || !NumberOfSegment(entry.name);
  });
  for (const os::DirectoryEntry& entry : entries) {
    const std::string path = os::JoinPath(from, entry.name);
    const std::string copy = os::JoinPath(into, entry.name);
    const bool grows = &entry == &entries.back();
    const Status copied = grows ? os::CopyFile(disk, path, copy) : disk.Link(path, copy);
    // The engine has it.
    if (CodeOf(copied) == FaultCode::kTargetFileMissing) continue;
    ARROW_RETURN_NOT_OK(copied);
  }
  return Status::OK();
}

/// What the engine is making, or taking down: "tmp_insert_...", "delete_tmp_...", "tmp-fetch_...".
bool IsUnfinished(std::string_view name) {
  return name.starts_with("tmp") || name.starts_with("delete_tmp");
}

Status CopyTree(os::Disk& disk, const std::string& from, const std::string& into) {
  ARROW_RETURN_NOT_OK(disk.CreateDirectories(into));
  ARROW_ASSIGN_OR_RAISE(const auto entries, disk.List(from));
  const bool is_part = std::ranges::any_of(
      entries, [](const os::DirectoryEntry& entry) { return entry.name == "checksums.txt"; });
  for (const os::DirectoryEntry& entry : entries) {
    const std::string path = os::JoinPath(from, entry.name);
    const std::string copy = os::JoinPath(into, entry.name);
    if (IsUnfinished(entry.name)) continue;
    if (entry.is_directory) {
      ARROW_RETURN_NOT_OK(CopyTree(disk, path, copy));
    } else {
      ARROW_RETURN_NOT_OK(is_part ? disk.Link(path, copy) : os::CopyFile(disk, path, copy));
    }
  }
  return Status::OK();
}

/// The engine makes anew what is missing here: its directories of links to `store`.
Status CopyEngineOnce(os::Disk& disk, const std::string& from, const std::string& into) {
  ARROW_RETURN_NOT_OK(os::RemoveTree(disk, into));
  const std::string metadata = os::JoinPath(into, "metadata");
  ARROW_RETURN_NOT_OK(disk.CreateDirectories(metadata));
  auto databases = disk.List(os::JoinPath(from, "metadata"));
  if (CodeOf(databases.status()) == FaultCode::kTargetFileMissing) return Status::OK();
  ARROW_RETURN_NOT_OK(databases.status());
  for (const os::DirectoryEntry& entry : *databases) {
    if (entry.is_directory || !entry.name.ends_with(".sql")) continue;
    ARROW_RETURN_NOT_OK(os::CopyFile(disk, os::JoinPath(os::JoinPath(from, "metadata"), entry.name),
                                     os::JoinPath(metadata, entry.name)));
  }
  const std::string store = os::JoinPath(from, "store");
  ARROW_ASSIGN_OR_RAISE(const auto there, disk.Stat(store));
  return there ? CopyTree(disk, store, os::JoinPath(into, "store")) : Status::OK();
}

}  // namespace

Status CopyAnalytics(os::Disk& disk, const std::string& directory, const std::string& into) {
  ARROW_ASSIGN_OR_RAISE(const auto there, disk.Stat(LogOf(directory)));
  if (!there) return Status::OK();
  ARROW_RETURN_NOT_OK(CopyLog(disk, LogOf(directory), LogOf(into)));
  ARROW_ASSIGN_OR_RAISE(const auto owner, disk.Stat(OwnerFileOf(directory)));
  if (owner) ARROW_RETURN_NOT_OK(os::CopyFile(disk, OwnerFileOf(directory), OwnerFileOf(into)));
  for (int tries = 0; tries < kTriesMax; ++tries) {
    const Status copied =
        CopyEngineOnce(disk, os::JoinPath(directory, "engine"), os::JoinPath(into, "engine"));
    // A part went; what took its place has been there for long.
    if (CodeOf(copied) != FaultCode::kTargetFileMissing) return copied;
  }
  return Fault(FaultCode::kTargetIo,
               "analytics: the engine's files in \"" + directory + "\" change all the time")
      .With("path", directory);
}

}  // namespace levada::services::analytics
