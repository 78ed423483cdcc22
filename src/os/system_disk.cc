#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "os/disk.h"
#include "os/disk_fault.h"

namespace levada::os {
namespace {

// A lock file that somebody keeps replacing; each try needs a rename exactly between our open and
// our stat.
constexpr int kLockTries = 16;

Fault Failed(std::string_view verb, const std::string& path) {
  return DiskFault(errno, verb, path);
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  int get() const { return fd_; }
  int Release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

int OpenRetrying(const std::string& path, int flags, mode_t mode = 0666) {
  int fd = -1;
  do {
    fd = open(path.c_str(), flags | O_CLOEXEC, mode);
  } while (fd < 0 && errno == EINTR);
  return fd;
}

class SystemWritableFile final : public WritableFile {
 public:
  SystemWritableFile(std::string path, Descriptor fd)
      : path_(std::move(path)), fd_(std::move(fd)) {}

  Status Append(std::span<const uint8_t> bytes) override {
    ARROW_RETURN_NOT_OK(CheckUsable());
    while (!bytes.empty()) {
      const ssize_t written = write(fd_.get(), bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return Keep(Failed("write", path_));
      bytes = bytes.subspan(static_cast<size_t>(written));
      appended_ += written;
    }
    return Status::OK();
  }

  void StartSync() override {
    if (!failure_.ok() || fd_.get() < 0) return;
    (void)sync_file_range(fd_.get(), started_, appended_ - started_, SYNC_FILE_RANGE_WRITE);
    started_ = appended_;
  }

  Status Sync() override {
    ARROW_RETURN_NOT_OK(CheckUsable());
    if (fsync(fd_.get()) != 0) return Keep(Failed("sync", path_));
    return Status::OK();
  }

  Status Close() override {
    const int fd = fd_.Release();
    // After EINTR Linux has closed the descriptor all the same, and its number may be somebody
    // else's by now.
    if (fd >= 0 && close(fd) != 0 && errno != EINTR) return Failed("close", path_);
    return Status::OK();
  }

 private:
  // The kernel reports a lost write once and then forgets it: we do not.
  Status Keep(Status failure) { return failure_ = std::move(failure); }
  Status CheckUsable() const {
    if (!failure_.ok()) return failure_;
    if (fd_.get() >= 0) return Status::OK();
    return Fault(FaultCode::kInternal, fmt::format("file \"{}\" is closed", path_));
  }

  const std::string path_;
  Descriptor fd_;
  Status failure_;
  int64_t appended_ = 0;
  int64_t started_ = 0;  // of that, by StartSync
};

class SystemReadableFile final : public ReadableFile {
 public:
  SystemReadableFile(std::string path, Descriptor fd)
      : path_(std::move(path)), fd_(std::move(fd)) {}

  Result<int64_t> Size() const override {
    struct stat found;
    if (fstat(fd_.get(), &found) != 0) return Failed("stat", path_);
    return found.st_size;
  }

  Result<int64_t> ReadAt(int64_t offset, std::span<uint8_t> out) const override {
    size_t done = 0;
    while (done < out.size()) {
      const ssize_t got = pread(fd_.get(), out.data() + done, out.size() - done,
                                offset + static_cast<int64_t>(done));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return Failed("read", path_);
      if (got == 0) break;
      done += static_cast<size_t>(got);
    }
    return static_cast<int64_t>(done);
  }

  const std::string& path() const { return path_; }
  int fd() const { return fd_.get(); }

 private:
  const std::string path_;
  const Descriptor fd_;
};

class SystemMutableFile final : public MutableFile {
 public:
  SystemMutableFile(std::string path, Descriptor fd) : file_(std::move(path), std::move(fd)) {}

  Result<int64_t> Size() const override { return file_.Size(); }

  Result<int64_t> ReadAt(int64_t offset, std::span<uint8_t> out) const override {
    return file_.ReadAt(offset, out);
  }

  Status WriteAt(int64_t offset, std::span<const uint8_t> bytes) override {
    ARROW_RETURN_NOT_OK(failure_);
    while (!bytes.empty()) {
      const ssize_t written = pwrite(file_.fd(), bytes.data(), bytes.size(), offset);
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return failure_ = Failed("write", file_.path());
      bytes = bytes.subspan(static_cast<size_t>(written));
      offset += written;
    }
    return Status::OK();
  }

  Status Truncate(int64_t size) override {
    ARROW_RETURN_NOT_OK(failure_);
    if (ftruncate(file_.fd(), size) != 0) return failure_ = Failed("truncate", file_.path());
    return Status::OK();
  }

  Status Sync() override {
    ARROW_RETURN_NOT_OK(failure_);
    if (fsync(file_.fd()) != 0) return failure_ = Failed("sync", file_.path());
    return Status::OK();
  }

 private:
  const SystemReadableFile file_;
  Status failure_;
};

class SystemFileLock final : public FileLock {
 public:
  explicit SystemFileLock(Descriptor fd) : fd_(std::move(fd)) {}

 private:
  const Descriptor fd_;  // closing it unlocks: nobody else has this open file
};

DirectoryEntry EntryOf(std::string_view name, const struct stat& found) {
  const bool is_directory = S_ISDIR(found.st_mode);
  constexpr int64_t kSecondNs = 1'000'000'000;
  return {std::string(name), is_directory, is_directory ? 0 : int64_t{found.st_size},
          int64_t{found.st_mtim.tv_sec} * kSecondNs + found.st_mtim.tv_nsec};
}

struct CloseDirectory {
  void operator()(DIR* directory) const { closedir(directory); }
};

class SystemDisk final : public Disk {
 public:
  Result<std::unique_ptr<WritableFile>> Create(const std::string& path) override {
    Descriptor fd(OpenRetrying(path, O_WRONLY | O_CREAT | O_TRUNC));
    if (fd.get() < 0) return Failed("create", path);
    return std::make_unique<SystemWritableFile>(path, std::move(fd));
  }

  Result<std::unique_ptr<WritableFile>> CreatePrivate(const std::string& path) override {
    Descriptor fd(OpenRetrying(path, O_WRONLY | O_CREAT | O_EXCL, 0600));
    if (fd.get() < 0) return Failed("create", path);
    return std::make_unique<SystemWritableFile>(path, std::move(fd));
  }

  Result<std::unique_ptr<ReadableFile>> Open(const std::string& path) override {
    Descriptor fd(OpenRetrying(path, O_RDONLY));
    if (fd.get() < 0) return Failed("open", path);
    struct stat found;
    if (fstat(fd.get(), &found) != 0) return Failed("open", path);
    if (S_ISDIR(found.st_mode)) return DiskFault(EISDIR, "open", path);
    return std::make_unique<SystemReadableFile>(path, std::move(fd));
  }

  Result<std::unique_ptr<MutableFile>> OpenMutable(const std::string& path) override {
    Descriptor fd(OpenRetrying(path, O_RDWR | O_CREAT));
    if (fd.get() < 0) return Failed("open", path);
    return std::make_unique<SystemMutableFile>(path, std::move(fd));
  }

  Status Rename(const std::string& from, const std::string& to) override {
    if (rename(from.c_str(), to.c_str()) == 0) return Status::OK();
    return Failed("rename", from).With("to", to);
  }

  Status Link(const std::string& from, const std::string& to) override {
    if (link(from.c_str(), to.c_str()) == 0) return Status::OK();
    return Failed("link", from).With("to", to);
  }

  Status Remove(const std::string& path) override {
    if (unlink(path.c_str()) == 0 || errno == ENOENT) return Status::OK();
    return Failed("remove", path);
  }

  Status RemoveEmptyDirectory(const std::string& path) override {
    if (rmdir(path.c_str()) == 0) return Status::OK();
    if (errno == ENOENT || errno == ENOTEMPTY || errno == EEXIST) return Status::OK();
    return Failed("remove directory", path);
  }

  Status CreateDirectories(const std::string& path) override {
    struct stat found;
    if (stat(path.c_str(), &found) == 0) {
      return S_ISDIR(found.st_mode) ? Status::OK() : DiskFault(ENOTDIR, "create directory", path);
    }
    if (errno != ENOENT) return Failed("create directory", path);
    const std::string parent = ParentPath(path);
    if (parent != path) ARROW_RETURN_NOT_OK(CreateDirectories(parent));
    if (mkdir(path.c_str(), 0777) != 0 && errno != EEXIST) return Failed("create directory", path);
    return SyncDirectory(parent);
  }

  Status SyncDirectory(const std::string& path) override {
    const Descriptor fd(OpenRetrying(path, O_RDONLY | O_DIRECTORY));
    if (fd.get() < 0) return Failed("sync directory", path);
    // EINVAL: a file system without directories to sync (some network and FUSE ones); nothing more
    // can be done there.
    if (fsync(fd.get()) == 0 || errno == EINVAL) return Status::OK();
    return Failed("sync directory", path);
  }

  Result<std::vector<DirectoryEntry>> List(const std::string& path) override {
    const std::unique_ptr<DIR, CloseDirectory> directory(opendir(path.c_str()));
    if (directory == nullptr) return Failed("list", path);
    std::vector<DirectoryEntry> entries;
    while (true) {
      errno = 0;
      const dirent* read = readdir(directory.get());
      if (read == nullptr && errno != 0) return Failed("list", path);
      if (read == nullptr) break;
      const std::string_view name = read->d_name;
      if (name == "." || name == "..") continue;
      struct stat found;
      // A symbolic link counts as what it leads to, a dangling one as itself; an entry gone since
      // is not listed.
      if (fstatat(dirfd(directory.get()), read->d_name, &found, 0) != 0 &&
          fstatat(dirfd(directory.get()), read->d_name, &found, AT_SYMLINK_NOFOLLOW) != 0) {
        if (errno == ENOENT) continue;
        return Failed("list", path);
      }
      entries.push_back(EntryOf(name, found));
    }
    std::ranges::sort(entries, {}, &DirectoryEntry::name);
    return entries;
  }

  Result<std::optional<DirectoryEntry>> Stat(const std::string& path) override {
    struct stat found;
    if (stat(path.c_str(), &found) == 0) return EntryOf(BaseName(path), found);
    if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
    return Failed("stat", path);
  }

  Result<std::unique_ptr<FileLock>> TryLock(const std::string& path) override {
    for (int tries = 0; tries < kLockTries; ++tries) {
      Descriptor fd(OpenRetrying(path, O_RDWR | O_CREAT));
      if (fd.get() < 0) return Failed("lock", path);
      if (flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK) return nullptr;
        if (errno == EINTR) continue;
        return Failed("lock", path);
      }
      // Locked, but maybe a file that was removed or replaced since it was opened: that lock would
      // exclude nobody.
      struct stat locked, named;
      if (fstat(fd.get(), &locked) != 0) return Failed("lock", path);
      if (stat(path.c_str(), &named) == 0 && named.st_ino == locked.st_ino &&
          named.st_dev == locked.st_dev) {
        return std::make_unique<SystemFileLock>(std::move(fd));
      }
    }
    return nullptr;
  }
};

}  // namespace

std::unique_ptr<Disk> MakeSystemDisk() { return std::make_unique<SystemDisk>(); }

}  // namespace levada::os
