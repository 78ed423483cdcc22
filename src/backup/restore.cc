#include "backup/restore.h"

#include <algorithm>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "backup/file_list.h"

namespace levada::backup {
namespace {

constexpr size_t kFilesAtOnce = 256;
constexpr const char* kVersion = "VERSION";
constexpr int64_t kVersionBytesMax = 4096;
// Begins with a dot: a data directory may have such files. services/core/data_directory.cc knows
// it.
constexpr const char* kUnfinished = ".restoring";
constexpr const char* kUnmarked = "..restoring.tmp";  // of os::WriteFileDurably

Result<Head> HeadOf(BackupStore& store, const std::string& id) {
  ARROW_ASSIGN_OR_RAISE(const auto ids, ListBackups(store));
  if (!id.empty()) return ReadHead(store, id);
  if (!ids.empty()) return ReadHead(store, ids.back());
  return Fault(FaultCode::kTargetFileMissing,
               "there is no backup in \"" + store.Location("") + "\"");
}

class Restoring final {
 public:
  Restoring(const Context& ctx, os::Disk& disk, BackupStore& store, const RestoreOptions& options)
      : ctx_(ctx), disk_(disk), store_(store), options_(options) {}

  Result<Head> Run() {
    ARROW_ASSIGN_OR_RAISE(head_, HeadOf(store_, options_.id));
    ARROW_ASSIGN_OR_RAISE(const std::string list, ReadList(store_, head_));
    if (writes()) ARROW_RETURN_NOT_OK(Begin());
    ARROW_ASSIGN_OR_RAISE(FileListReader reader, FileListReader::Make(list));
    std::vector<FileEntry> files;
    std::optional<FileEntry> version;
    while (true) {
      ARROW_ASSIGN_OR_RAISE(auto file, reader.Next());
      if (file && file->path == kVersion) {
        version = *std::move(file);
        continue;
      }
      if (file) files.push_back(*std::move(file));
      if (file && files.size() < kFilesAtOnce) continue;
      if (files.empty()) break;
      ARROW_RETURN_NOT_OK(CarryThese(files));
      files.clear();
    }
    if (!version || version->bytes > kVersionBytesMax) return Missing();
    if (writes()) ARROW_RETURN_NOT_OK(SyncDirectories());
    ARROW_RETURN_NOT_OK(End(*version));
    return head_;
  }

 private:
  bool writes() const { return !options_.directory.empty(); }
  std::string At(const std::string& path) const { return os::JoinPath(options_.directory, path); }

  Status Missing() const {
    return Fault(
        FaultCode::kManifestCorrupt,
        "the backup " + head_.id + " is of no data directory: it has no VERSION that could be one");
  }

  Status Begin() {
    ARROW_RETURN_NOT_OK(disk_.CreateDirectories(options_.directory));
    ARROW_ASSIGN_OR_RAISE(const auto mark, disk_.Stat(At(kUnfinished)));
    ARROW_ASSIGN_OR_RAISE(const auto version, disk_.Stat(At(kVersion)));
    ARROW_ASSIGN_OR_RAISE(const auto entries, disk_.List(options_.directory));
    // One that was interrupted before it had its mark has left what was to become it.
    const auto foreign = std::ranges::find_if(
        entries, [](const os::DirectoryEntry& entry) { return entry.name != kUnmarked; });
    if (version || (!mark && foreign != entries.end())) {
      return Fault(FaultCode::kForeignTarget,
                   "\"" + options_.directory + "\" is not empty: it holds \"" +
                       (version ? std::string(kVersion) : foreign->name) + "\"")
          .With("path", options_.directory)
          .Help("name a directory that is empty or not there; nothing is restored over another");
    }
    // What an interrupted one left may be another backup's.
    ARROW_RETURN_NOT_OK(os::WriteFileDurably(disk_, At(kUnfinished), head_.id + "\n"));
    for (const os::DirectoryEntry& entry : entries) {
      if (entry.name == kUnfinished) continue;
      ARROW_RETURN_NOT_OK(entry.is_directory ? os::RemoveTree(disk_, At(entry.name))
                                             : disk_.Remove(At(entry.name)));
    }
    return Status::OK();
  }

  /// VERSION is there whole, behind all else, or not at all.
  Status End(const FileEntry& version) {
    std::string content;
    ARROW_RETURN_NOT_OK(ReadChecked(ctx_, store_, PathOfFile(version.sha256), version.bytes,
                                    version.sha256, [&](std::span<const uint8_t> piece) {
                                      content.append(piece.begin(), piece.end());
                                      return Status::OK();
                                    }));
    Count(version);
    if (!writes()) return Status::OK();
    ARROW_RETURN_NOT_OK(os::WriteFileDurably(disk_, At(kVersion), content));
    ARROW_RETURN_NOT_OK(disk_.Remove(At(kUnfinished)));
    return disk_.SyncDirectory(options_.directory);
  }

  void Count(const FileEntry& file) {
    ++counts_.files;
    counts_.bytes += file.bytes;
  }

  Status CarryThese(const std::vector<FileEntry>& files) {
    for (const FileEntry& file : files) {
      if (!writes()) break;
      const std::string directory = os::ParentPath(At(file.path));
      if (directories_.insert(directory).second) {
        ARROW_RETURN_NOT_OK(disk_.CreateDirectories(directory));
      }
    }
    ARROW_RETURN_NOT_OK(ForEach(
        ctx_, options_.threads, files.size(), [&](size_t i) { return Carry(files[i]); },
        [this] { Tell(); }));
    Tell();
    return Status::OK();
  }

  Status Carry(const FileEntry& file) {
    std::unique_ptr<os::WritableFile> target;
    if (writes()) {
      ARROW_ASSIGN_OR_RAISE(target, disk_.CreatePrivate(At(file.path)));
    }
    ARROW_RETURN_NOT_OK(ReadChecked(ctx_, store_, PathOfFile(file.sha256), file.bytes, file.sha256,
                                    [&](std::span<const uint8_t> piece) {
                                      return target ? target->Append(piece) : Status::OK();
                                    }));
    if (target != nullptr) {
      ARROW_RETURN_NOT_OK(target->Sync());
      ARROW_RETURN_NOT_OK(target->Close());
    }
    Count(file);
    return Status::OK();
  }

  Status SyncDirectories() {
    for (const std::string& directory : directories_) {
      ARROW_RETURN_NOT_OK(disk_.SyncDirectory(directory));
    }
    return Status::OK();
  }

  void Tell() const {
    if (options_.on_progress) options_.on_progress(counts_, head_);
  }

  const Context& ctx_;
  os::Disk& disk_;
  BackupStore& store_;
  const RestoreOptions& options_;
  Head head_;
  CarryCounts counts_;
  std::set<std::string> directories_;
};

}  // namespace

Result<Head> Restore(const Context& ctx, os::Disk& disk, BackupStore& store,
                     const RestoreOptions& options) {
  return Restoring(ctx, disk, store, options).Run();
}

}  // namespace levada::backup
