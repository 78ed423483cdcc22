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

rocksdb::Status CopyFile(rocksdb::Env& env, const std::string& from, const std::string& to) {
  std::unique_ptr<rocksdb::SequentialFile> source;
  std::unique_ptr<rocksdb::WritableFile> target;
  rocksdb::Status status = env.NewSequentialFile(from, &source, rocksdb::EnvOptions());
  if (status.ok()) status = env.NewWritableFile(to, &target, rocksdb::EnvOptions());
  std::string room(size_t{1} << 20, '\0');
  while (status.ok()) {
    rocksdb::Slice piece;
    status = source->Read(room.size(), &piece, room.data());
    if (!status.ok() || piece.empty()) break;
    status = target->Append(piece);
  }
  return status.ok() ? target->Close() : status;
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

rocksdb::Status CopyStore(rocksdb::Env& env, const std::string& from, const std::string& to) {
  std::vector<std::string> names;
  rocksdb::Status status = env.GetChildren(from, &names);
  if (status.ok()) status = env.CreateDir(to);
  for (const std::string& name : names) {
    if (!status.ok()) return status;
    if (name == "LOCK" || name.starts_with("LOG")) continue;
    const std::string source = os::JoinPath(from, name);
    const std::string target = os::JoinPath(to, name);
    const bool is_immutable = name.ends_with(".sst") || name.ends_with(".blob");
    if (is_immutable && env.LinkFile(source, target).ok()) continue;
    status = CopyFile(env, source, target);
  }
  return status;
}

rocksdb::Status RemoveTree(rocksdb::Env& env, const std::string& directory) {
  std::vector<std::string> names;
  if (env.FileExists(directory).IsNotFound()) return rocksdb::Status::OK();
  rocksdb::Status status = env.GetChildren(directory, &names);
  for (const std::string& name : names) {
    if (!status.ok()) return status;
    const std::string path = os::JoinPath(directory, name);
    bool is_directory = false;
    status = env.IsDirectory(path, &is_directory);
    if (status.ok()) status = is_directory ? RemoveTree(env, path) : env.DeleteFile(path);
  }
  return status.ok() ? env.DeleteDir(directory) : status;
}

}  // namespace levada::db::rocks
