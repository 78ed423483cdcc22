#pragma once
// What the tests of backups share: a snapshot and a store on one disk, and contents to compare.

#include <gmock/gmock.h>

#include <map>
#include <memory>
#include <string>

#include "backup/backup.h"
#include "backup/directory_store.h"
#include "backup/restore.h"
#include "base/clock.h"
#include "base/testing.h"
#include "os/memory_disk.h"

namespace levada::backup {

using Contents = std::map<std::string, std::string>;

inline void WriteTree(os::Disk& disk, const std::string& root, const Contents& contents) {
  ASSERT_THAT(os::RemoveTree(disk, root), IsOk());
  ASSERT_THAT(disk.CreateDirectories(root), IsOk());
  for (const auto& [path, content] : contents) {
    const std::string full = os::JoinPath(root, path);
    ASSERT_THAT(disk.CreateDirectories(os::ParentPath(full)), IsOk());
    ASSERT_THAT(os::WriteFileDurably(disk, full, content), IsOk());
  }
}

inline void ReadTree(os::Disk& disk, const std::string& root, const std::string& below,
                     Contents& contents) {
  for (const os::DirectoryEntry& entry : ValueOf(disk.List(os::JoinPath(root, below)))) {
    const std::string path = below.empty() ? entry.name : os::JoinPath(below, entry.name);
    if (entry.is_directory) {
      ReadTree(disk, root, path, contents);
    } else {
      contents[path] = *ValueOf(os::ReadFile(disk, os::JoinPath(root, path), int64_t{1} << 30));
    }
  }
}

inline Contents TreeOf(os::Disk& disk, const std::string& root) {
  Contents contents;
  ReadTree(disk, root, "", contents);
  return contents;
}

}  // namespace levada::backup
