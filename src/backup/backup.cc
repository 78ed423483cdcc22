#include "backup/backup.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <unordered_set>
#include <utility>
#include <vector>

#include "backup/file_list.h"
#include "base/clock.h"
#include "places/sha256.h"

namespace levada::backup {
namespace {

// What is hashed and written side by side, and then listed in order.
constexpr size_t kFilesAtOnce = 256;

/// The files of a directory tree, in the order of lists.
class Walk final {
 public:
  Walk(os::Disk& disk, std::string root) : disk_(disk), root_(std::move(root)) {}

  Status Begin() { return Enter(""); }
  /// Its hash is empty. nullopt behind the last.
  Result<std::optional<FileEntry>> Next() {
    while (!open_.empty()) {
      if (open_.back().next == open_.back().entries.size()) {
        open_.pop_back();
        continue;
      }
      const os::DirectoryEntry entry = open_.back().entries[open_.back().next++];
      const std::string path =
          open_.back().path.empty() ? entry.name : open_.back().path + "/" + entry.name;
      if (!entry.is_directory) return FileEntry{path, entry.size_bytes, entry.modified_ns, ""};
      ARROW_RETURN_NOT_OK(Enter(path));
    }
    return std::nullopt;
  }

 private:
  struct Open {
    std::string path;
    std::vector<os::DirectoryEntry> entries;
    size_t next = 0;
  };
  Status Enter(const std::string& path) {
    ARROW_ASSIGN_OR_RAISE(auto entries,
                          disk_.List(path.empty() ? root_ : os::JoinPath(root_, path)));
    open_.push_back({path, std::move(entries)});
    return Status::OK();
  }

  os::Disk& disk_;
  const std::string root_;
  std::vector<Open> open_;
};

/// The files of the backup before, walked beside those that are there now.
class Before final {
 public:
  static Result<Before> Of(BackupStore& store) {
    Before before;
    ARROW_ASSIGN_OR_RAISE(const auto ids, ListBackups(store));
    if (ids.empty()) return before;
    ARROW_ASSIGN_OR_RAISE(const Head head, ReadHead(store, ids.back()));
    before.id_ = head.id;
    ARROW_ASSIGN_OR_RAISE(std::string list, ReadList(store, head));
    before.list_ = std::make_unique<const std::string>(std::move(list));
    ARROW_ASSIGN_OR_RAISE(FileListReader reader, FileListReader::Make(*before.list_));
    before.reader_ = std::make_unique<FileListReader>(std::move(reader));
    ARROW_ASSIGN_OR_RAISE(before.entry_, before.reader_->Next());
    return before;
  }

  const std::string& id() const { return id_; }
  /// The hash of a file that has not changed; empty for another. In order of paths.
  Result<std::string> HashOf(const FileEntry& file) {
    while (entry_ && ComparePaths(entry_->path, file.path) < 0) {
      ARROW_ASSIGN_OR_RAISE(entry_, reader_->Next());
    }
    const bool is_it = entry_ && entry_->path == file.path && entry_->bytes == file.bytes &&
                       entry_->modified_ns == file.modified_ns;
    return is_it ? entry_->sha256 : std::string();
  }

 private:
  std::string id_;
  std::unique_ptr<const std::string> list_;
  std::unique_ptr<FileListReader> reader_;
  std::optional<FileEntry> entry_;
};

/// Later than that of the backup before, for which it may wait a second.
Result<std::string> NextId(const Context& ctx, const std::string& before) {
  constexpr WallMicros kMoment = 2'000'000;
  while (true) {
    ARROW_RETURN_NOT_OK(ctx.Check());
    const std::string id = IdOf(ctx.clock->Now());
    if (id > before) return id;
    if (IdOf(ctx.clock->Now() + kMoment) <= before) break;
    ctx.clock->SleepUntil(ctx.clock->Steady() + std::chrono::milliseconds(100), ctx.stop);
  }
  return Fault(FaultCode::kBadValue,
               "the newest backup, " + before + ", is of a later time than now")
      .Help("set this machine's clock");
}

class Making final {
 public:
  Making(const Context& ctx, os::Disk& disk, BackupStore& store, const BackupOptions& options)
      : ctx_(ctx), disk_(disk), store_(store), options_(options) {}

  Result<BackupDone> Run() {
    ARROW_ASSIGN_OR_RAISE(Before before, Before::Of(store_));
    BackupDone done;
    ARROW_ASSIGN_OR_RAISE(done.head.id, NextId(ctx_, before.id()));
    ARROW_ASSIGN_OR_RAISE(const bool marked, store_.Has(kMark));
    if (!marked) ARROW_RETURN_NOT_OK(store_.Put(kMark, MarkText()));
    ARROW_ASSIGN_OR_RAISE(const std::string list, CarryAll(before));
    // What a head names is durable before it.
    done.head.list_bytes = static_cast<int64_t>(list.size());
    ARROW_ASSIGN_OR_RAISE(done.head.list_sha256, places::Sha256Of(list));
    ARROW_RETURN_NOT_OK(store_.Put(PathOfList(done.head.id), list));
    ARROW_RETURN_NOT_OK(store_.Settle());
    done.head.levada = options_.levada;
    done.head.files = counts_.files;
    done.head.bytes = counts_.bytes;
    done.head.new_bytes = counts_.carried_bytes;
    done.head.has_master_key = has_master_key_;
    done.new_files = counts_.carried_files;
    ARROW_RETURN_NOT_OK(store_.Put(PathOfHead(done.head.id), EncodeHead(done.head)));
    ARROW_RETURN_NOT_OK(store_.Settle());
    if (options_.keep > 0) ARROW_RETURN_NOT_OK(Prune(ctx_, store_, options_.keep, done));
    return done;
  }

 private:
  Result<std::string> CarryAll(Before& before) {
    ARROW_ASSIGN_OR_RAISE(FileListWriter list, FileListWriter::Make());
    Walk walk(disk_, options_.snapshot);
    ARROW_RETURN_NOT_OK(walk.Begin());
    std::vector<FileEntry> files;
    while (true) {
      ARROW_ASSIGN_OR_RAISE(auto file, walk.Next());
      if (file) {
        ARROW_ASSIGN_OR_RAISE(file->sha256, before.HashOf(*file));
        has_master_key_ = has_master_key_ || file->path == "master.key";
        files.push_back(*std::move(file));
      }
      if (file && files.size() < kFilesAtOnce) continue;
      if (files.empty()) break;
      ARROW_RETURN_NOT_OK(ForEach(
          ctx_, options_.threads, files.size(), [&](size_t i) { return Carry(files[i]); },
          [this] { Tell(); }));
      for (const FileEntry& each : files) ARROW_RETURN_NOT_OK(list.Add(each));
      files.clear();
    }
    Tell();
    return list.Finish();
  }

  Status Carry(FileEntry& file) {
    if (file.sha256.empty()) {
      const std::string path = os::JoinPath(options_.snapshot, file.path);
      ARROW_ASSIGN_OR_RAISE(file.sha256, HashFile(ctx_, disk_, path));
      const std::string target = PathOfFile(file.sha256);
      ARROW_ASSIGN_OR_RAISE(const bool there, store_.Has(target));
      if (!there) {
        ARROW_RETURN_NOT_OK(store_.PutFile(target, path));
        ++counts_.carried_files;
        counts_.carried_bytes += file.bytes;
      }
    }
    ++counts_.files;
    counts_.bytes += file.bytes;
    return Status::OK();
  }

  void Tell() const {
    if (options_.on_progress) options_.on_progress(counts_);
  }

  const Context& ctx_;
  os::Disk& disk_;
  BackupStore& store_;
  const BackupOptions& options_;
  CarryCounts counts_;
  bool has_master_key_ = false;
};

}  // namespace

Result<BackupDone> MakeBackup(const Context& ctx, os::Disk& disk, BackupStore& store,
                              const BackupOptions& options) {
  return Making(ctx, disk, store, options).Run();
}

Status Prune(const Context& ctx, BackupStore& store, int keep, BackupDone& done) {
  ARROW_ASSIGN_OR_RAISE(auto ids, ListBackups(store));
  const size_t kept = std::min(ids.size(), static_cast<size_t>(keep));
  const std::vector<std::string> old(ids.begin(), ids.end() - static_cast<ptrdiff_t>(kept));
  ids.erase(ids.begin(), ids.end() - static_cast<ptrdiff_t>(kept));
  std::unordered_set<std::string> named;
  for (const std::string& id : ids) {
    ARROW_ASSIGN_OR_RAISE(const Head head, ReadHead(store, id));
    ARROW_ASSIGN_OR_RAISE(const std::string list, ReadList(store, head));
    ARROW_ASSIGN_OR_RAISE(FileListReader reader, FileListReader::Make(list));
    while (true) {
      ARROW_ASSIGN_OR_RAISE(auto file, reader.Next());
      if (!file) break;
      named.insert(std::move(file->sha256));
    }
  }
  // A head goes, durably, before anything that it names.
  for (const std::string& id : old) {
    ARROW_RETURN_NOT_OK(store.Remove(PathOfHead(id)));
    ++done.backups_removed;
  }
  ARROW_RETURN_NOT_OK(store.Settle());
  for (const std::string& id : old) ARROW_RETURN_NOT_OK(store.Remove(PathOfList(id)));
  ARROW_ASSIGN_OR_RAISE(const auto folders, store.List("files"));
  for (const std::string& folder : folders) {
    const std::string directory = os::JoinPath("files", folder);
    ARROW_ASSIGN_OR_RAISE(const auto names, store.List(directory));
    for (const std::string& name : names) {
      ARROW_RETURN_NOT_OK(ctx.Check());
      if (named.contains(name)) continue;
      ARROW_RETURN_NOT_OK(store.Remove(os::JoinPath(directory, name)));
      ++done.files_removed;
    }
  }
  return store.Settle();
}

}  // namespace levada::backup
