#include "app/files_below.h"

#include <fmt/format.h>

#include <algorithm>

namespace levada::app {
namespace {

// A link to a directory above it would go on for ever.
constexpr int kDepthMax = 32;

Status Find(os::Disk& disk, const std::string& directory, int depth,
            const std::function<bool(std::string_view name)>& is_wanted,
            std::vector<std::string>& files) {
  if (depth > kDepthMax) {
    return Fault(FaultCode::kFileUnreadable,
                 fmt::format("directories below each other more than {} deep: \"{}\"", kDepthMax,
                             directory))
        .Help("is there a link to a directory above it?");
  }
  ARROW_ASSIGN_OR_RAISE(auto entries, disk.List(directory));
  std::ranges::sort(entries, {}, &os::DirectoryEntry::name);
  for (const os::DirectoryEntry& entry : entries) {
    const bool is_hidden = entry.name.starts_with('.') || entry.name.starts_with('_');
    const std::string path = os::JoinPath(directory, entry.name);
    if (entry.is_directory && !is_hidden) {
      ARROW_RETURN_NOT_OK(Find(disk, path, depth + 1, is_wanted, files));
    } else if (!entry.is_directory && !is_hidden && is_wanted(entry.name)) {
      files.push_back(path);
    }
  }
  return Status::OK();
}

}  // namespace

Status FindFilesBelow(os::Disk& disk, const std::string& directory,
                      const std::function<bool(std::string_view name)>& is_wanted,
                      std::vector<std::string>& files) {
  return Find(disk, directory, 0, is_wanted, files);
}

}  // namespace levada::app
