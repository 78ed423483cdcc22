#include "services/r2/blob_directory.h"

#include <set>
#include <utility>

namespace levada::services::r2 {

Result<std::unique_ptr<BlobDirectory>> BlobDirectory::Open(os::Disk& disk, std::string path,
                                                           os::DiskReserve* reserve) {
  ARROW_RETURN_NOT_OK(disk.CreateDirectories(path));
  return std::unique_ptr<BlobDirectory>(new BlobDirectory(disk, std::move(path), reserve));
}

Status BlobDirectory::CheckRoom() const {
  if (reserve_ == nullptr || !reserve_->is_full()) return Status::OK();
  return Fault(FaultCode::kDiskFull, "r2: the disk is full");
}

Status BlobDirectory::Noted(Status status) const {
  if (reserve_ != nullptr) reserve_->ReleaseIfFull(status);
  return status;
}

std::string BlobDirectory::FolderOf(const Stamp& blob) const {
  return os::JoinPath(path_, blob.Text().substr(16, 2));
}

std::string BlobDirectory::PathOf(const Stamp& blob) const {
  return os::JoinPath(FolderOf(blob), blob.Text());
}

Result<std::unique_ptr<BlobWriter>> BlobDirectory::Create(
    const Stamp& blob, const std::optional<CustomerKey>& key) const {
  ARROW_RETURN_NOT_OK(CheckRoom());
  ARROW_RETURN_NOT_OK(Noted(disk_.CreateDirectories(FolderOf(blob))));
  auto writer = BlobWriter::Create(disk_, PathOf(blob), blob, key);
  ARROW_RETURN_NOT_OK(Noted(writer.status()));
  return writer;
}

// What is let go for one upload is not there for the others to fill.
Status BlobDirectory::Append(BlobWriter& writer, std::string_view bytes) const {
  ARROW_RETURN_NOT_OK(CheckRoom());
  return Noted(writer.Append(bytes));
}

Status BlobDirectory::Finish(const Stamp& blob, BlobWriter& writer) const {
  ARROW_RETURN_NOT_OK(Noted(writer.Finish()));
  ARROW_RETURN_NOT_OK(Noted(disk_.SyncDirectory(FolderOf(blob))));
  // Whoever made the folder may not have synced it yet, or was killed before: that it is there says
  // nothing.
  std::atomic<bool>& is_durable = durable_folders_[blob.random >> 56];
  if (is_durable) return Status::OK();
  ARROW_RETURN_NOT_OK(Noted(disk_.SyncDirectory(path_)));
  is_durable = true;
  return Status::OK();
}

Result<std::unique_ptr<BlobReader>> BlobDirectory::Open(
    const Segment& segment, const std::optional<CustomerKey>& key) const {
  return BlobReader::Open(disk_, PathOf(segment.blob), segment.bytes, key);
}

Status BlobDirectory::Check(const Segment& segment,
                            const std::function<bool()>& is_stopping) const {
  return BlobReader::Check(disk_, PathOf(segment.blob), segment.bytes, is_stopping);
}

Status BlobDirectory::Remove(const Stamp& blob) const {
  {
    const std::lock_guard lock(held_mutex_);
    if (holds_ > 0) {
      held_.push_back(blob);
      return Status::OK();
    }
  }
  return disk_.Remove(PathOf(blob));
}

BlobDirectory::Hold::Hold(const BlobDirectory& directory) : directory_(directory) {
  const std::lock_guard lock(directory_.held_mutex_);
  ++directory_.holds_;
}

BlobDirectory::Hold::~Hold() {
  std::vector<Stamp> released;
  {
    const std::lock_guard lock(directory_.held_mutex_);
    if (--directory_.holds_ == 0) released.swap(directory_.held_);
  }
  // What stays is removed by the next start.
  for (const Stamp& blob : released) (void)directory_.disk_.Remove(directory_.PathOf(blob));
}

Status BlobDirectory::LinkAll(const std::string& path) const {
  ARROW_RETURN_NOT_OK(disk_.CreateDirectories(path));
  std::set<std::string> made;
  return Walk([&](const Stamp& blob) -> Status {
    const std::string from = PathOf(blob);
    const std::string folder = os::JoinPath(path, os::BaseName(os::ParentPath(from)));
    if (made.insert(folder).second) ARROW_RETURN_NOT_OK(disk_.CreateDirectories(folder));
    const Status linked = disk_.Link(from, os::JoinPath(folder, os::BaseName(from)));
    // One that was not finished and given up meanwhile.
    return CodeOf(linked) == FaultCode::kTargetFileMissing ? Status::OK() : linked;
  });
}

Status BlobDirectory::Walk(const std::function<Status(const Stamp&)>& visit) const {
  ARROW_ASSIGN_OR_RAISE(const auto folders, disk_.List(path_));
  for (const os::DirectoryEntry& folder : folders) {
    if (!folder.is_directory) continue;
    ARROW_ASSIGN_OR_RAISE(const auto files, disk_.List(os::JoinPath(path_, folder.name)));
    for (const os::DirectoryEntry& file : files) {
      const std::optional<Stamp> blob = Stamp::Parse(file.name);
      if (blob) ARROW_RETURN_NOT_OK(visit(*blob));
    }
  }
  return Status::OK();
}

Result<uint64_t> BlobDirectory::Sweep(uint64_t before,
                                      const std::function<Result<bool>(const Stamp&)>& is_named,
                                      const std::function<bool()>& is_stopping) const {
  uint64_t removed = 0;
  ARROW_RETURN_NOT_OK(Walk([&](const Stamp& blob) -> Status {
    if (is_stopping() || blob.sequence >= before) return Status::OK();
    ARROW_ASSIGN_OR_RAISE(const bool named, is_named(blob));
    if (named) return Status::OK();
    ++removed;
    return Remove(blob);
  }));
  return removed;
}

}  // namespace levada::services::r2
