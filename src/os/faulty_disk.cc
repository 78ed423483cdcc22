#include "os/faulty_disk.h"

#include <utility>

#include "os/disk_fault.h"

namespace levada::os {

std::set<DiskOperation> WritingOperations() {
  using enum DiskOperation;
  return {kCreate,        kAppend, kSync, kClose,  kOpenMutable,          kWriteAt,
          kTruncate,      kRename, kLink, kRemove, kRemoveEmptyDirectory, kCreateDirectories,
          kSyncDirectory, kTryLock};
}

class FaultyDisk::Script {
 public:
  void Arm(DiskFailure failure) {
    std::lock_guard lock(mutex_);
    failure_ = std::move(failure);
    count_ = 0;
    fired_ = false;
  }

  // Counts one operation. OK, or the failure that it has instead of being done.
  Status Pass(DiskOperation operation, std::string_view verb, const std::string& path) {
    std::lock_guard lock(mutex_);
    if (!failure_.operations.contains(operation)) return Status::OK();
    ++count_;
    if (count_ < failure_.nth || (count_ > failure_.nth && !failure_.keeps_failing)) {
      return Status::OK();
    }
    fired_ = true;
    return DiskFault(failure_.error, verb, path).With("injected", "true");
  }

  bool writes_short() const {
    std::lock_guard lock(mutex_);
    return failure_.short_write;
  }
  bool fired() const {
    std::lock_guard lock(mutex_);
    return fired_;
  }
  int64_t count() const {
    std::lock_guard lock(mutex_);
    return count_;
  }

 private:
  mutable std::mutex mutex_;
  DiskFailure failure_;
  int64_t count_ = 0;
  bool fired_ = false;
};

class FaultyDisk::Writable final : public WritableFile {
 public:
  Writable(std::unique_ptr<WritableFile> file, std::string path, std::shared_ptr<Script> script)
      : file_(std::move(file)), path_(std::move(path)), script_(std::move(script)) {}

  Status Append(std::span<const uint8_t> bytes) override {
    ARROW_RETURN_NOT_OK(failure_);
    failure_ = script_->Pass(DiskOperation::kAppend, "write", path_);
    if (failure_.ok()) return file_->Append(bytes);
    if (script_->writes_short()) ARROW_RETURN_NOT_OK(file_->Append(bytes.first(bytes.size() / 2)));
    return failure_;
  }
  void StartSync() override { file_->StartSync(); }
  Status Sync() override {
    ARROW_RETURN_NOT_OK(failure_);
    failure_ = script_->Pass(DiskOperation::kSync, "sync", path_);
    return failure_.ok() ? file_->Sync() : failure_;
  }
  Status Close() override {
    if (std::exchange(closed_, true)) return Status::OK();
    const Status failure = script_->Pass(DiskOperation::kClose, "close", path_);
    const Status status = file_->Close();  // close(2) that fails has closed all the same
    return failure.ok() ? status : failure;
  }

 private:
  const std::unique_ptr<WritableFile> file_;
  const std::string path_;
  const std::shared_ptr<Script> script_;
  Status failure_;
  bool closed_ = false;
};

class FaultyDisk::Readable final : public ReadableFile {
 public:
  Readable(std::unique_ptr<ReadableFile> file, std::string path, std::shared_ptr<Script> script)
      : file_(std::move(file)), path_(std::move(path)), script_(std::move(script)) {}

  Result<int64_t> Size() const override {
    ARROW_RETURN_NOT_OK(script_->Pass(DiskOperation::kSize, "stat", path_));
    return file_->Size();
  }
  Result<int64_t> ReadAt(int64_t offset, std::span<uint8_t> out) const override {
    ARROW_RETURN_NOT_OK(script_->Pass(DiskOperation::kRead, "read", path_));
    return file_->ReadAt(offset, out);
  }

 private:
  const std::unique_ptr<ReadableFile> file_;
  const std::string path_;
  const std::shared_ptr<Script> script_;
};

class FaultyDisk::Mutable final : public MutableFile {
 public:
  Mutable(std::unique_ptr<MutableFile> file, std::string path, std::shared_ptr<Script> script)
      : file_(std::move(file)), path_(std::move(path)), script_(std::move(script)) {}

  Result<int64_t> Size() const override {
    ARROW_RETURN_NOT_OK(script_->Pass(DiskOperation::kSize, "stat", path_));
    return file_->Size();
  }
  Result<int64_t> ReadAt(int64_t offset, std::span<uint8_t> out) const override {
    ARROW_RETURN_NOT_OK(script_->Pass(DiskOperation::kRead, "read", path_));
    return file_->ReadAt(offset, out);
  }
  Status WriteAt(int64_t offset, std::span<const uint8_t> bytes) override {
    ARROW_RETURN_NOT_OK(failure_);
    failure_ = script_->Pass(DiskOperation::kWriteAt, "write", path_);
    if (failure_.ok()) return file_->WriteAt(offset, bytes);
    if (script_->writes_short()) {
      ARROW_RETURN_NOT_OK(file_->WriteAt(offset, bytes.first(bytes.size() / 2)));
    }
    return failure_;
  }
  Status Truncate(int64_t size) override {
    ARROW_RETURN_NOT_OK(failure_);
    failure_ = script_->Pass(DiskOperation::kTruncate, "truncate", path_);
    return failure_.ok() ? file_->Truncate(size) : failure_;
  }
  Status Sync() override {
    ARROW_RETURN_NOT_OK(failure_);
    failure_ = script_->Pass(DiskOperation::kSync, "sync", path_);
    return failure_.ok() ? file_->Sync() : failure_;
  }

 private:
  const std::unique_ptr<MutableFile> file_;
  const std::string path_;
  const std::shared_ptr<Script> script_;
  Status failure_;
};

FaultyDisk::FaultyDisk(Disk& disk) : disk_(disk), script_(std::make_shared<Script>()) {}
FaultyDisk::~FaultyDisk() = default;

void FaultyDisk::Arm(DiskFailure failure) { script_->Arm(std::move(failure)); }
void FaultyDisk::Disarm() { script_->Arm({}); }
bool FaultyDisk::fired() const { return script_->fired(); }
int64_t FaultyDisk::count() const { return script_->count(); }

Result<std::unique_ptr<WritableFile>> FaultyDisk::Create(const std::string& path) {
  ARROW_RETURN_NOT_OK(script_->Pass(DiskOperation::kCreate, "create", path));
  ARROW_ASSIGN_OR_RAISE(auto file, disk_.Create(path));
  return std::make_unique<Writable>(std::move(file), path, script_);
}

Result<std::unique_ptr<WritableFile>> FaultyDisk::CreatePrivate(const std::string& path) {
  ARROW_RETURN_NOT_OK(script_->Pass(DiskOperation::kCreate, "create", path));
  ARROW_ASSIGN_OR_RAISE(auto file, disk_.CreatePrivate(path));
  return std::make_unique<Writable>(std::move(file), path, script_);
}

Result<std::unique_ptr<ReadableFile>> FaultyDisk::Open(const std::string& path) {
  ARROW_RETURN_NOT_OK(script_->Pass(DiskOperation::kOpen, "open", path));
  ARROW_ASSIGN_OR_RAISE(auto file, disk_.Open(path));
  return std::make_unique<Readable>(std::move(file), path, script_);
}

Result<std::unique_ptr<MutableFile>> FaultyDisk::OpenMutable(const std::string& path) {
  ARROW_RETURN_NOT_OK(script_->Pass(DiskOperation::kOpenMutable, "open", path));
  ARROW_ASSIGN_OR_RAISE(auto file, disk_.OpenMutable(path));
  return std::make_unique<Mutable>(std::move(file), path, script_);
}

Status FaultyDisk::Rename(const std::string& from, const std::string& to) {
  ARROW_RETURN_NOT_OK(script_->Pass(DiskOperation::kRename, "rename", from));
  return disk_.Rename(from, to);
}

Status FaultyDisk::Link(const std::string& from, const std::string& to) {
  ARROW_RETURN_NOT_OK(script_->Pass(DiskOperation::kLink, "link", from));
  return disk_.Link(from, to);
}

Status FaultyDisk::Remove(const std::string& path) {
  ARROW_RETURN_NOT_OK(script_->Pass(DiskOperation::kRemove, "remove", path));
  return disk_.Remove(path);
}

Status FaultyDisk::RemoveEmptyDirectory(const std::string& path) {
  ARROW_RETURN_NOT_OK(
      script_->Pass(DiskOperation::kRemoveEmptyDirectory, "remove directory", path));
  return disk_.RemoveEmptyDirectory(path);
}

Status FaultyDisk::CreateDirectories(const std::string& path) {
  ARROW_RETURN_NOT_OK(script_->Pass(DiskOperation::kCreateDirectories, "create directory", path));
  return disk_.CreateDirectories(path);
}

Status FaultyDisk::SyncDirectory(const std::string& path) {
  ARROW_RETURN_NOT_OK(script_->Pass(DiskOperation::kSyncDirectory, "sync directory", path));
  return disk_.SyncDirectory(path);
}

Result<std::vector<DirectoryEntry>> FaultyDisk::List(const std::string& path) {
  ARROW_RETURN_NOT_OK(script_->Pass(DiskOperation::kList, "list", path));
  return disk_.List(path);
}

Result<std::optional<DirectoryEntry>> FaultyDisk::Stat(const std::string& path) {
  ARROW_RETURN_NOT_OK(script_->Pass(DiskOperation::kStat, "stat", path));
  return disk_.Stat(path);
}

Result<std::unique_ptr<FileLock>> FaultyDisk::TryLock(const std::string& path) {
  ARROW_RETURN_NOT_OK(script_->Pass(DiskOperation::kTryLock, "lock", path));
  return disk_.TryLock(path);
}

}  // namespace levada::os
