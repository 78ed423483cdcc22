// A library for LD_PRELOAD that records what a process does to the files below one directory, in
// the order in which it does it: reconstruct.py makes of the record what a disk may hold if the
// power had failed at any moment of it. Every call goes on to the system, but for syncs: these are
// only recorded, for nothing here outlives a real loss of power, and the disk is spared.
//
//   LEVADA_RECORDED_DIRECTORY  an absolute path without links
//   LEVADA_RECORD              the file that is appended to
//   LEVADA_RECORD_WITHOUT      "sync" or "sync_directory": of files, or of directories, no sync is
//                              recorded. Proves that a campaign would notice its absence.
//
// One lock is held from before a call until its record is written: what a thread was told happened
// is in the record, and the order of the record is the order of the disk. A process killed between
// the two has told nobody.
//
// A record is u32 bytes behind it, u8 kind, then little-endian fields; texts end the record.
//   1 open     u64 file, u8 created, u8 truncated, path     `file` numbers openings
//   2 write    u64 file, u64 offset, bytes
//   3 truncate u64 file, u64 size
//   4 sync     u64 file                                     of a directory: of its entries
//   5 rename   u16 size of the first path, first path, second path
//   6 unlink   path
//   7 mkdir    path
//   8 rmdir    path
//   9 link     u16 size of the first path, first path, second path
//  10 extend   u64 file, u64 size                           at least so large
//
// Not seen: what stdio and mappings write. RocksDB's own logs and SQLite's index of its WAL are
// these, and both may be lost at any time. A call that would need what is not written here ends
// the process.

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstdarg>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string>
#include <string_view>

namespace {

enum Kind : uint8_t {
  kOpen = 1,
  kWrite,
  kTruncate,
  kSync,
  kRename,
  kUnlink,
  kMkdir,
  kRmdir,
  kLink,
  kExtend,
};

constexpr size_t kDescriptorsMax = 65536;

template <class Call>
Call Next(const char* name) {
  return reinterpret_cast<Call>(dlsym(RTLD_NEXT, name));
}

#define LEVADA_NEXT(name) static const auto next = Next<decltype(&name)>(#name)

struct Recorder {
  std::recursive_mutex mutex;
  std::string root;
  int record = -1;
  bool with_sync = true;
  bool with_directories = true;
  uint64_t opened = 0;
  struct Descriptor {
    uint64_t file = 0;  // 0: not ours
    bool is_directory = false;
    bool may_be_mapped = false;
  };
  std::array<Descriptor, kDescriptorsMax> descriptors{};
};

[[noreturn]] void GiveUp(const char* what) {
  constexpr std::string_view kSaid = "disk_recorder: cannot record ";
  static const auto next = Next<decltype(&write)>("write");
  (void)!next(2, kSaid.data(), kSaid.size());
  (void)!next(2, what, strlen(what));
  (void)!next(2, "\n", 1);
  _exit(99);
}

/// Null in a process that is not recorded.
Recorder* TheRecorder() {
  static Recorder* const recorder = []() -> Recorder* {
    const char* root = getenv("LEVADA_RECORDED_DIRECTORY");
    const char* record = getenv("LEVADA_RECORD");
    if (root == nullptr || record == nullptr) return nullptr;
    static Recorder made;
    made.root = root;
    static const auto open_next = Next<int (*)(const char*, int, ...)>("open");
    made.record = open_next(record, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (made.record < 0) GiveUp("without a record");
    const char* without = getenv("LEVADA_RECORD_WITHOUT");
    const std::string_view left_out = without == nullptr ? "" : without;
    made.with_sync = left_out != "sync";
    made.with_directories = left_out != "sync_directory";
    return &made;
  }();
  return recorder;
}

std::string AbsolutePath(const char* path) {
  std::string whole(path);
  if (!whole.starts_with('/')) {
    std::array<char, PATH_MAX> here{};
    if (getcwd(here.data(), here.size()) == nullptr) GiveUp("without a working directory");
    whole = std::string(here.data()) + "/" + whole;
  }
  for (size_t at; (at = whole.find("//")) != std::string::npos;) whole.erase(at, 1);
  while (whole.size() > 1 && whole.ends_with('/')) whole.pop_back();
  return whole;
}

/// Empty: not below the directory.
std::string Within(const Recorder& recorder, const char* path) {
  std::string whole = AbsolutePath(path);
  const bool is_within = whole == recorder.root || whole.starts_with(recorder.root + "/");
  return is_within ? whole : std::string();
}

class Entry {
 public:
  explicit Entry(Kind kind) { Add(kind); }
  template <class Number>
  Entry& Add(Number number) {
    bytes_.append(reinterpret_cast<const char*>(&number), sizeof number);
    return *this;
  }
  Entry& Add(std::string_view text) {
    bytes_ += text;
    return *this;
  }
  Entry& AddPaths(const std::string& first, const std::string& second) {
    return Add(static_cast<uint16_t>(first.size()))
        .Add(std::string_view(first))
        .Add(std::string_view(second));
  }
  void Write(const Recorder& recorder) {
    const auto size = static_cast<uint32_t>(bytes_.size());
    std::string whole(reinterpret_cast<const char*>(&size), sizeof size);
    whole += bytes_;
    static const auto next = Next<decltype(&write)>("write");
    if (next(recorder.record, whole.data(), whole.size()) != static_cast<ssize_t>(whole.size())) {
      GiveUp("on a full disk");
    }
  }

 private:
  std::string bytes_;
};

Recorder::Descriptor DescriptorOf(const Recorder& recorder, int fd) {
  if (fd < 0 || static_cast<size_t>(fd) >= kDescriptorsMax) return {};
  return recorder.descriptors[static_cast<size_t>(fd)];
}

using Lock = std::lock_guard<std::recursive_mutex>;

int Sync(int fd, int (*next)(int)) {
  Recorder* recorder = TheRecorder();
  if (recorder == nullptr) return next(fd);
  const Lock lock(recorder->mutex);
  const Recorder::Descriptor descriptor = DescriptorOf(*recorder, fd);
  if (descriptor.file == 0) return next(fd);
  const bool is_recorded =
      descriptor.is_directory ? recorder->with_directories : recorder->with_sync;
  if (is_recorded) Entry(kSync).Add(descriptor.file).Write(*recorder);
  return 0;
}

ssize_t RecordWrite(Recorder& recorder, uint64_t file, int64_t offset, const void* bytes,
                    ssize_t written) {
  if (written > 0) {
    Entry(kWrite)
        .Add(file)
        .Add(static_cast<uint64_t>(offset))
        .Add(std::string_view(static_cast<const char*>(bytes), static_cast<size_t>(written)))
        .Write(recorder);
  }
  return written;
}

/// Where a plain write goes to: behind what is there, or at the descriptor's place.
int64_t PlaceOf(int fd) {
  const int flags = fcntl(fd, F_GETFL);
  const int64_t place = (flags & O_APPEND) != 0 ? lseek(fd, 0, SEEK_END) : lseek(fd, 0, SEEK_CUR);
  if (flags < 0 || place < 0) GiveUp("a write that has no place");
  return place;
}

int Extend(int fd, int64_t size) {
  Recorder* recorder = TheRecorder();
  const Recorder::Descriptor descriptor = DescriptorOf(*recorder, fd);
  Entry(kExtend).Add(descriptor.file).Add(static_cast<uint64_t>(size)).Write(*recorder);
  return 0;
}

template <class Call>
int RecordPath(Kind kind, const char* path, Call call) {
  Recorder* recorder = TheRecorder();
  if (recorder == nullptr) return call();
  const Lock lock(recorder->mutex);
  const std::string within = Within(*recorder, path);
  const int result = call();
  const int error = errno;
  if (result == 0 && !within.empty()) Entry(kind).Add(std::string_view(within)).Write(*recorder);
  errno = error;
  return result;
}

template <class Call>
int RecordPaths(Kind kind, const char* first, const char* second, Call call) {
  Recorder* recorder = TheRecorder();
  if (recorder == nullptr) return call();
  const Lock lock(recorder->mutex);
  const std::string from = Within(*recorder, first);
  const std::string to = Within(*recorder, second);
  if (from.empty() != to.empty()) GiveUp("a file that moves across the border");
  const int result = call();
  const int error = errno;
  if (result == 0 && !from.empty()) Entry(kind).AddPaths(from, to).Write(*recorder);
  errno = error;
  return result;
}

}  // namespace

extern "C" {

int open(const char* path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const auto mode =
      static_cast<mode_t>((flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(more, int) : 0);
  va_end(more);
  LEVADA_NEXT(open);
  Recorder* recorder = TheRecorder();
  if (recorder == nullptr) return next(path, flags, mode);
  const Lock lock(recorder->mutex);
  const std::string within = Within(*recorder, path);
  struct stat before{};
  const bool was_there = !within.empty() && stat(path, &before) == 0;
  const int fd = next(path, flags, mode);
  if (fd < 0 || within.empty()) return fd;
  const int error = errno;
  if ((flags & O_TMPFILE) == O_TMPFILE || static_cast<size_t>(fd) >= kDescriptorsMax) {
    GiveUp("this file");
  }
  struct stat found{};
  fstat(fd, &found);
  recorder->descriptors[static_cast<size_t>(fd)] = {++recorder->opened, S_ISDIR(found.st_mode),
                                                    within.ends_with("-shm")};
  const bool truncated = was_there && (flags & O_TRUNC) != 0;
  Entry(kOpen)
      .Add(recorder->opened)
      .Add(static_cast<uint8_t>(!was_there))
      .Add(static_cast<uint8_t>(truncated))
      .Add(std::string_view(within))
      .Write(*recorder);
  errno = error;
  return fd;
}

int open64(const char* path, int flags, ...) __attribute__((alias("open")));

int close(int fd) {
  LEVADA_NEXT(close);
  Recorder* recorder = TheRecorder();
  if (recorder == nullptr || fd < 0 || static_cast<size_t>(fd) >= kDescriptorsMax) return next(fd);
  const Lock lock(recorder->mutex);
  recorder->descriptors[static_cast<size_t>(fd)] = {};
  return next(fd);
}

ssize_t write(int fd, const void* bytes, size_t size) {
  LEVADA_NEXT(write);
  Recorder* recorder = TheRecorder();
  if (recorder == nullptr || DescriptorOf(*recorder, fd).file == 0) return next(fd, bytes, size);
  const Lock lock(recorder->mutex);
  const int64_t offset = PlaceOf(fd);
  return RecordWrite(*recorder, DescriptorOf(*recorder, fd).file, offset, bytes,
                     next(fd, bytes, size));
}

ssize_t pwrite(int fd, const void* bytes, size_t size, off_t offset) {
  LEVADA_NEXT(pwrite);
  Recorder* recorder = TheRecorder();
  if (recorder == nullptr || DescriptorOf(*recorder, fd).file == 0) {
    return next(fd, bytes, size, offset);
  }
  const Lock lock(recorder->mutex);
  return RecordWrite(*recorder, DescriptorOf(*recorder, fd).file, offset, bytes,
                     next(fd, bytes, size, offset));
}

ssize_t pwrite64(int fd, const void* bytes, size_t size, off_t offset)
    __attribute__((alias("pwrite")));

ssize_t writev(int fd, const iovec* pieces, int count) {
  LEVADA_NEXT(writev);
  Recorder* recorder = TheRecorder();
  if (recorder == nullptr || DescriptorOf(*recorder, fd).file == 0) return next(fd, pieces, count);
  GiveUp("writev");
}

int ftruncate(int fd, off_t size) {
  LEVADA_NEXT(ftruncate);
  Recorder* recorder = TheRecorder();
  if (recorder == nullptr || DescriptorOf(*recorder, fd).file == 0) return next(fd, size);
  const Lock lock(recorder->mutex);
  const int result = next(fd, size);
  if (result == 0) {
    Entry(kTruncate)
        .Add(DescriptorOf(*recorder, fd).file)
        .Add(static_cast<uint64_t>(size))
        .Write(*recorder);
  }
  return result;
}

int ftruncate64(int fd, off_t size) __attribute__((alias("ftruncate")));

int fallocate(int fd, int mode, off_t offset, off_t size) {
  LEVADA_NEXT(fallocate);
  Recorder* recorder = TheRecorder();
  if (recorder == nullptr || DescriptorOf(*recorder, fd).file == 0) {
    return next(fd, mode, offset, size);
  }
  const Lock lock(recorder->mutex);
  struct stat before{};
  fstat(fd, &before);
  const int result = next(fd, mode, offset, size);
  if (result != 0) return result;
  if ((mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE)) != 0) GiveUp("fallocate");
  // A hole behind the end gives room back and nothing more.
  if ((mode & FALLOC_FL_PUNCH_HOLE) != 0 && offset < before.st_size) GiveUp("a hole");
  return (mode & FALLOC_FL_KEEP_SIZE) != 0 ? 0 : Extend(fd, offset + size);
}

int fallocate64(int fd, int mode, off_t offset, off_t size) __attribute__((alias("fallocate")));

int posix_fallocate(int fd, off_t offset, off_t size) {
  LEVADA_NEXT(posix_fallocate);
  Recorder* recorder = TheRecorder();
  if (recorder == nullptr || DescriptorOf(*recorder, fd).file == 0) return next(fd, offset, size);
  const Lock lock(recorder->mutex);
  const int result = next(fd, offset, size);
  return result != 0 ? result : Extend(fd, offset + size);
}

int posix_fallocate64(int fd, off_t offset, off_t size) __attribute__((alias("posix_fallocate")));

int fsync(int fd) {
  LEVADA_NEXT(fsync);
  return Sync(fd, next);
}

int fdatasync(int fd) {
  LEVADA_NEXT(fdatasync);
  return Sync(fd, next);
}

// It promises nothing of what a loss of power leaves.
int sync_file_range(int fd, off_t offset, off_t size, unsigned flags) {
  LEVADA_NEXT(sync_file_range);
  Recorder* recorder = TheRecorder();
  if (recorder == nullptr || DescriptorOf(*recorder, fd).file == 0) {
    return next(fd, offset, size, flags);
  }
  return 0;
}

void* mmap(void* at, size_t size, int protection, int flags, int fd, off_t offset) {
  LEVADA_NEXT(mmap);
  if (fd >= 0 && (flags & MAP_SHARED) != 0 && (protection & PROT_WRITE) != 0) {
    Recorder* recorder = TheRecorder();
    const Recorder::Descriptor descriptor =
        recorder == nullptr ? Recorder::Descriptor{} : DescriptorOf(*recorder, fd);
    if (descriptor.file != 0 && !descriptor.may_be_mapped) GiveUp("a mapping that is written");
  }
  return next(at, size, protection, flags, fd, offset);
}

void* mmap64(void* at, size_t size, int protection, int flags, int fd, off_t offset)
    __attribute__((alias("mmap")));

int rename(const char* from, const char* to) {
  LEVADA_NEXT(rename);
  return RecordPaths(kRename, from, to, [&] { return next(from, to); });
}

int link(const char* from, const char* to) {
  LEVADA_NEXT(link);
  return RecordPaths(kLink, from, to, [&] { return next(from, to); });
}

int unlink(const char* path) {
  LEVADA_NEXT(unlink);
  return RecordPath(kUnlink, path, [&] { return next(path); });
}

int mkdir(const char* path, mode_t mode) {
  LEVADA_NEXT(mkdir);
  return RecordPath(kMkdir, path, [&] { return next(path, mode); });
}

int rmdir(const char* path) {
  LEVADA_NEXT(rmdir);
  return RecordPath(kRmdir, path, [&] { return next(path); });
}
}
