#include "db/rocksdb/store_files.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "db/rocksdb/log_tail.h"
#include "os/disk.h"

namespace levada::db::rocks {
namespace {

/// The newest log that has anything: its last record is the one write that may not be synced yet.
std::string NewestLog(rocksdb::Env& env, const std::string& directory) {
  std::vector<std::string> names;
  if (!env.GetChildren(directory, &names).ok()) return {};
  std::string newest;
  for (const std::string& name : names) {
    uint64_t bytes = 0;
    const std::string path = os::JoinPath(directory, name);
    // Numbers of six digits or more: the longer is the greater.
    if (name.ends_with(".log") && env.GetFileSize(path, &bytes).ok() && bytes > 0) {
      newest = std::max(newest, path, [](const std::string& a, const std::string& b) {
        return std::pair(a.size(), a) < std::pair(b.size(), b);
      });
    }
  }
  return newest;
}

rocksdb::Status CutFile(rocksdb::Env& env, const std::string& path, uint64_t bytes) {
  std::unique_ptr<rocksdb::WritableFile> file;
  rocksdb::Status status = env.ReopenWritableFile(path, &file, rocksdb::EnvOptions());
  if (status.ok()) status = file->Truncate(bytes);
  if (status.ok()) status = file->Sync();
  return status.ok() ? file->Close() : status;
}

}  // namespace

rocksdb::Status CutTornTail(rocksdb::Env& env, const std::string& directory, uint64_t* cut) {
  const std::string path = NewestLog(env, directory);
  std::string log;
  if (path.empty()) return rocksdb::Status::OK();
  const rocksdb::Status read = rocksdb::ReadFileToString(&env, path, &log);
  if (!read.ok()) return read;
  const std::optional<uint64_t> size = SizeWithoutTornTail(log);
  if (!size) return rocksdb::Status::OK();
  *cut = log.size() - *size;
  return CutFile(env, path, *size);
}

bool LacksItsBeginning(rocksdb::Env& env, const std::string& directory) {
  if (!env.FileExists(os::JoinPath(directory, "CURRENT")).IsNotFound()) return false;
  std::vector<std::string> names;
  if (!env.GetChildren(directory, &names).ok()) return false;
  return std::ranges::any_of(names, [](const std::string& name) {
    return name.ends_with(".sst") || name.ends_with(".blob") || name.ends_with(".log");
  });
}

rocksdb::Status MakeDirectory(rocksdb::Env& env, const std::string& path) {
  rocksdb::Status status = env.CreateDirIfMissing(path);
  if (!status.ok()) return status;
  // Also when it is there: whoever made it may have been killed before it was synced.
  std::unique_ptr<rocksdb::Directory> parent;
  status = env.NewDirectory(os::ParentPath(path), &parent);
  return status.ok() ? parent->Fsync() : status;
}

}  // namespace levada::db::rocks
