#include "services/d1/history_copy.h"

#include <algorithm>
#include <utility>

#include "services/d1/database_files.h"
#include "services/d1/history_files.h"

namespace levada::services::d1 {
namespace {

constexpr int kTriesMax = 100;

std::vector<std::string> NamesOf(const HistoryFiles& files) {
  std::vector<std::string> names;
  for (const HistoryFile& file : files.segments) names.push_back(file.path);
  for (const HistoryFile& file : files.bases) names.push_back(file.path);
  return names;
}

/// What is listed, at `into`. kTargetFileMissing when some of it is not there any more.
Status CopyFiles(os::Disk& disk, const HistoryFiles& files, const std::string& into) {
  ARROW_RETURN_NOT_OK(os::RemoveTree(disk, into));
  ARROW_RETURN_NOT_OK(disk.CreateDirectories(into));
  for (const std::string& path : NamesOf(files)) {
    const std::string copy = os::JoinPath(into, os::BaseName(path));
    const bool grows = !files.segments.empty() && path == files.segments.back().path;
    ARROW_RETURN_NOT_OK(grows ? os::CopyFile(disk, path, copy) : disk.Link(path, copy));
  }
  return Status::OK();
}

/// A base image is durable before the record that needs it, and a directory may be listed while
/// both arrive: so it is listed again behind the copy of the records, and has to be the same.
Status CopyHistory(os::Disk& disk, const std::string& directory, const std::string& into) {
  for (int tries = 0; tries < kTriesMax; ++tries) {
    ARROW_ASSIGN_OR_RAISE(const HistoryFiles files, ListHistory(disk, directory));
    const Status copied = CopyFiles(disk, files, into);
    if (CodeOf(copied) == FaultCode::kTargetFileMissing) continue;
    ARROW_RETURN_NOT_OK(copied);
    ARROW_ASSIGN_OR_RAISE(const HistoryFiles after, ListHistory(disk, directory));
    if (NamesOf(after) == NamesOf(files)) return Status::OK();
  }
  return Fault(FaultCode::kTargetIo, "d1: the files of \"" + directory + "\" change all the time")
      .With("path", directory);
}

}  // namespace

Result<bool> CopyDatabases(os::Disk& disk, const std::string& directory,
                           std::span<const uint64_t> numbers, const std::string& into) {
  ARROW_RETURN_NOT_OK(disk.CreateDirectories(into));
  for (const uint64_t number : numbers) {
    const std::string name = os::JoinPath(std::to_string(number), kHistoryDirectory);
    const Status copied =
        CopyHistory(disk, os::JoinPath(directory, name), os::JoinPath(into, name));
    if (CodeOf(copied) == FaultCode::kTargetFileMissing) return false;
    ARROW_RETURN_NOT_OK(copied);
  }
  return true;
}

}  // namespace levada::services::d1
