#include "backup/directory_store.h"

#include <fmt/format.h>

#include <array>
#include <atomic>
#include <functional>
#include <mutex>
#include <set>
#include <span>
#include <utility>

#include "places/local_reader.h"

namespace levada::backup {
namespace {

constexpr size_t kCopyBytes = size_t{1} << 20;

class DirectoryStore final : public BackupStore {
 public:
  DirectoryStore(os::Disk& disk, std::string root) : disk_(disk), root_(std::move(root)) {}

  std::string Location(const std::string& path) const override {
    return path.empty() ? root_ : os::JoinPath(root_, path);
  }

  Result<bool> Has(const std::string& path) override {
    ARROW_ASSIGN_OR_RAISE(const auto found, disk_.Stat(Location(path)));
    return found.has_value();
  }

  Status PutFile(const std::string& path, const std::string& local_path) override {
    ARROW_ASSIGN_OR_RAISE(const auto source, disk_.Open(local_path));
    return Write(path, [&](os::WritableFile& file) -> Status {
      std::vector<uint8_t> piece(kCopyBytes);
      for (int64_t offset = 0;;) {
        ARROW_ASSIGN_OR_RAISE(const int64_t got, source->ReadAt(offset, piece));
        if (got == 0) return Status::OK();
        ARROW_RETURN_NOT_OK(file.Append(std::span(piece).first(static_cast<size_t>(got))));
        offset += got;
      }
    });
  }

  Status Put(const std::string& path, std::string_view content) override {
    return Write(path, [&](os::WritableFile& file) {
      return file.Append({reinterpret_cast<const uint8_t*>(content.data()), content.size()});
    });
  }

  Status Settle() override {
    std::set<std::string> changed;
    {
      const std::lock_guard lock(mutex_);
      changed.swap(changed_);
    }
    for (const std::string& directory : changed) {
      ARROW_RETURN_NOT_OK(disk_.SyncDirectory(directory));
    }
    return Status::OK();
  }

  Result<std::shared_ptr<arrow::io::InputStream>> Open(const std::string& path) override {
    return places::OpenLocal(disk_, Location(path));
  }

  Result<std::vector<std::string>> List(const std::string& directory) override {
    auto listed = disk_.List(Location(directory));
    std::vector<std::string> names;
    if (CodeOf(listed.status()) == FaultCode::kTargetFileMissing) return names;
    ARROW_ASSIGN_OR_RAISE(const auto entries, std::move(listed));
    for (const os::DirectoryEntry& entry : entries) names.push_back(entry.name);
    return names;
  }

  Status Remove(const std::string& path) override {
    ARROW_RETURN_NOT_OK(disk_.Remove(Location(path)));
    Note(os::ParentPath(Location(path)));
    return Status::OK();
  }

 private:
  void Note(const std::string& directory) {
    const std::lock_guard lock(mutex_);
    changed_.insert(directory);
  }

  Status Write(const std::string& path, const std::function<Status(os::WritableFile&)>& fill) {
    const std::string final_path = Location(path);
    const std::string directory = os::ParentPath(final_path);
    ARROW_RETURN_NOT_OK(disk_.CreateDirectories(directory));
    // Two may put the same at once.
    const std::string unfinished =
        os::JoinPath(directory, fmt::format(".{}.{}.tmp", os::BaseName(final_path), ++writes_));
    const Status written = WriteSynced(unfinished, fill);
    const Status put = written.ok() ? disk_.Rename(unfinished, final_path) : written;
    if (!put.ok()) {
      (void)disk_.Remove(unfinished);  // the first error is the one to tell
      return put;
    }
    Note(directory);
    return Status::OK();
  }

  Status WriteSynced(const std::string& path,
                     const std::function<Status(os::WritableFile&)>& fill) {
    ARROW_RETURN_NOT_OK(disk_.Remove(path));  // of one that was killed
    ARROW_ASSIGN_OR_RAISE(const auto file, disk_.CreatePrivate(path));
    ARROW_RETURN_NOT_OK(fill(*file));
    ARROW_RETURN_NOT_OK(file->Sync());
    return file->Close();
  }

  os::Disk& disk_;
  const std::string root_;
  std::atomic<uint64_t> writes_{0};
  std::mutex mutex_;               // guards changed_
  std::set<std::string> changed_;  // directories whose names are not durable yet
};

}  // namespace

std::unique_ptr<BackupStore> MakeDirectoryStore(os::Disk& disk, std::string root) {
  return std::make_unique<DirectoryStore>(disk, std::move(root));
}

}  // namespace levada::backup
