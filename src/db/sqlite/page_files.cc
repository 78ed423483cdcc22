#include "db/sqlite/page_files.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <cstring>
#include <mutex>
#include <utility>

#include "db/sqlite/file_locks.h"
#include "db/sqlite/page_log.h"
#include "db/sqlite/read_gate.h"

namespace levada::db::sqlite {

/// Everything that the connections to one database share, and the VFS that leads to it.
class PageFiles::Shared final {
 public:
  Shared(std::string path, std::string name) : path_(std::move(path)), name_(std::move(name)) {}
  ~Shared() { sqlite3_vfs_unregister(&vfs_); }

  Status Open(os::Disk& disk, CommitSink& sink) {
    ARROW_ASSIGN_OR_RAISE(file_, disk.OpenMutable(path_));
    ARROW_ASSIGN_OR_RAISE(log_, PageLog::Open(disk, path_ + "-wal", sink));
    return Register();
  }

  const char* vfs_name() const { return vfs_name_.c_str(); }
  const std::string& path() const { return path_; }
  PageLog& log() { return *log_; }

  /// Remembers what SQLite has no words for and gives back its number.
  int Failed(const Status& status, int code) {
    const bool damaged = CodeOf(status) == FaultCode::kStoreDamaged;
    const bool full = CodeOf(status) == FaultCode::kDiskFull;
    std::lock_guard lock(mutex_);
    if (!failure_) {
      failure_ = status;
      if (damaged) {
        Fault named = FaultOf(status);
        Fault fault(named.code(), fmt::format("database \"{}\": {}", name_, named.message()));
        for (const auto& [key, value] : named.details()) fault.With(key, value);
        failure_ = std::move(fault);
      }
    }
    return damaged ? SQLITE_CORRUPT : full ? SQLITE_FULL : code;
  }
  std::optional<Status> TakeFailure() {
    std::lock_guard lock(mutex_);
    return std::exchange(failure_, std::nullopt);
  }

  Result<int64_t> ReadPages(int64_t offset, std::span<uint8_t> out) const;
  Status WritePage(int64_t offset, std::span<const uint8_t> bytes);
  Status Resize(int64_t size);
  Result<int64_t> Size() const { return file_->Size(); }
  Status Sync() { return file_->Sync(); }

  FileLocks locks;
  LogIndex index;
  ReadGate gate;

 private:
  Status Register();
  /// Stamped pages of zeros up to `size`: SQLite does not write a page that is free from its start,
  /// and a page without checksum would be damage.
  Status FillTo(int64_t size);

  const std::string path_;
  const std::string name_;
  std::unique_ptr<os::MutableFile> file_;
  std::unique_ptr<PageLog> log_;
  sqlite3_vfs vfs_{};
  std::string vfs_name_;
  std::mutex mutex_;
  std::optional<Status> failure_;
};

namespace {

constexpr int64_t kPage = int64_t{kPageBytes};

uint32_t NumberAt(int64_t offset) { return static_cast<uint32_t>(offset / kPage + 1); }

}  // namespace

Result<int64_t> PageFiles::Shared::ReadPages(int64_t offset, std::span<uint8_t> out) const {
  // SQLite reads pages, and pieces of the first one: of these too the whole page is looked at.
  PageBytes page;
  int64_t done = 0;
  const auto wanted = static_cast<int64_t>(out.size());
  while (done < wanted) {
    const int64_t at = offset + done;
    const int64_t begin = at / kPage * kPage;
    ARROW_ASSIGN_OR_RAISE(const int64_t read, file_->ReadAt(begin, page));
    if (read == 0) break;
    if (read < kPage || !IsPageIntact(NumberAt(begin), page)) {
      return Fault(FaultCode::kStoreDamaged,
                   fmt::format("page {} is not what was written", NumberAt(begin)))
          .With("path", path_)
          .With("page", std::to_string(NumberAt(begin)));
    }
    const int64_t count = std::min(begin + kPage - at, wanted - done);
    std::memcpy(out.data() + done, page.data() + (at - begin), static_cast<size_t>(count));
    done += count;
  }
  return done;
}

Status PageFiles::Shared::FillTo(int64_t size) {
  ARROW_ASSIGN_OR_RAISE(const int64_t before, file_->Size());
  for (int64_t at = before / kPage * kPage; at < size; at += kPage) {
    PageBytes page{};
    StampPage(NumberAt(at), page);
    ARROW_RETURN_NOT_OK(file_->WriteAt(at, page));
  }
  return Status::OK();
}

Status PageFiles::Shared::WritePage(int64_t offset, std::span<const uint8_t> bytes) {
  if (bytes.size() != kPageBytes || offset % kPage != 0) {
    return Fault(FaultCode::kInternal,
                 fmt::format("{} bytes at {} are no page", bytes.size(), offset));
  }
  ARROW_RETURN_NOT_OK(FillTo(offset));
  PageBytes page;
  std::memcpy(page.data(), bytes.data(), kPageBytes);
  StampPage(NumberAt(offset), page);
  return file_->WriteAt(offset, page);
}

Status PageFiles::Shared::Resize(int64_t size) {
  ARROW_ASSIGN_OR_RAISE(const int64_t before, file_->Size());
  return size < before ? file_->Truncate(size) : FillTo(size);
}

namespace {

/// What SQLite allocates and calls an open file. `methods` comes first, as in sqlite3_file.
template <typename Shared>
struct OpenFile {
  const sqlite3_io_methods* methods;
  Shared* shared;
  FileLocks::Holder locks;
  LogIndex::Holder index;
};

/// SQLite's way of asking for a short read: the rest is zeros.
int FinishRead(int64_t read, std::span<uint8_t> out) {
  if (read == static_cast<int64_t>(out.size())) return SQLITE_OK;
  std::memset(out.data() + read, 0, out.size() - static_cast<size_t>(read));
  return SQLITE_IOERR_SHORT_READ;
}

std::span<uint8_t> Out(void* bytes, int size) {
  return {static_cast<uint8_t*>(bytes), static_cast<size_t>(size)};
}
std::span<const uint8_t> In(const void* bytes, int size) {
  return {static_cast<const uint8_t*>(bytes), static_cast<size_t>(size)};
}

/// The callbacks of both kinds of file. A template, since Shared is a private name.
template <typename Shared>
struct Callbacks {
  using File = OpenFile<Shared>;
  static File& Of(sqlite3_file* file) { return *reinterpret_cast<File*>(file); }
  static Shared& SharedOf(sqlite3_file* file) { return *Of(file).shared; }

  static int CloseMain(sqlite3_file* file) {
    Of(file).shared->index.Release(Of(file).index);
    Of(file).shared->locks.Unlock(Of(file).locks, SQLITE_LOCK_NONE);
    return SQLITE_OK;
  }
  static int ReadMain(sqlite3_file* file, void* bytes, int size, sqlite3_int64 offset) {
    const auto read = SharedOf(file).ReadPages(offset, Out(bytes, size));
    if (!read.ok()) return SharedOf(file).Failed(read.status(), SQLITE_IOERR_READ);
    return FinishRead(*read, Out(bytes, size));
  }
  static int WriteMain(sqlite3_file* file, const void* bytes, int size, sqlite3_int64 offset) {
    const Status status = SharedOf(file).WritePage(offset, In(bytes, size));
    return status.ok() ? SQLITE_OK : SharedOf(file).Failed(status, SQLITE_IOERR_WRITE);
  }
  static int TruncateMain(sqlite3_file* file, sqlite3_int64 size) {
    const Status status = SharedOf(file).Resize(size);
    return status.ok() ? SQLITE_OK : SharedOf(file).Failed(status, SQLITE_IOERR_TRUNCATE);
  }
  static int SyncMain(sqlite3_file* file, int) {
    const Status status = SharedOf(file).Sync();
    return status.ok() ? SQLITE_OK : SharedOf(file).Failed(status, SQLITE_IOERR_FSYNC);
  }
  static int SizeOfMain(sqlite3_file* file, sqlite3_int64* out) {
    const auto size = SharedOf(file).Size();
    if (!size.ok()) return SharedOf(file).Failed(size.status(), SQLITE_IOERR_FSTAT);
    *out = *size;
    return SQLITE_OK;
  }
  static int Lock(sqlite3_file* file, int level) {
    return SharedOf(file).locks.Lock(Of(file).locks, level);
  }
  static int Unlock(sqlite3_file* file, int level) {
    SharedOf(file).locks.Unlock(Of(file).locks, level);
    return SQLITE_OK;
  }
  static int CheckReserved(sqlite3_file* file, int* out) {
    *out = SharedOf(file).locks.IsReserved() ? 1 : 0;
    return SQLITE_OK;
  }
  static int Control(sqlite3_file*, int operation, void* argument) {
    switch (operation) {
      case SQLITE_FCNTL_PERSIST_WAL:
      case SQLITE_FCNTL_POWERSAFE_OVERWRITE:
        *static_cast<int*>(argument) = 1;
        return SQLITE_OK;
      case SQLITE_FCNTL_HAS_MOVED:
        *static_cast<int*>(argument) = 0;
        return SQLITE_OK;
      default:
        return SQLITE_NOTFOUND;
    }
  }
  static int SectorSize(sqlite3_file*) { return static_cast<int>(kPageBytes); }
  static int Characteristics(sqlite3_file*) {
    // Without the first SQLite repeats the last frame of a transaction up to a sector's end.
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE | SQLITE_IOCAP_UNDELETABLE_WHEN_OPEN;
  }
  static int Map(sqlite3_file* file, int region, int bytes, int extend, void volatile** out) {
    *out = SharedOf(file).index.Region(region, bytes, extend != 0);
    return SQLITE_OK;
  }
  static int LockIndex(sqlite3_file* file, int first, int count, int flags) {
    const bool exclusive = (flags & SQLITE_SHM_EXCLUSIVE) != 0;
    if ((flags & SQLITE_SHM_LOCK) != 0) {
      return SharedOf(file).index.Lock(Of(file).index, first, count, exclusive);
    }
    SharedOf(file).index.Unlock(Of(file).index, first, count, exclusive);
    return SQLITE_OK;
  }
  static void Barrier(sqlite3_file* file) { SharedOf(file).index.Barrier(); }
  static int Unmap(sqlite3_file* file, int) {
    // The index stays for the connections to come: the log does too.
    SharedOf(file).index.Release(Of(file).index);
    return SQLITE_OK;
  }

  static int CloseLog(sqlite3_file*) { return SQLITE_OK; }
  static int ReadLog(sqlite3_file* file, void* bytes, int size, sqlite3_int64 offset) {
    const auto read = SharedOf(file).log().Read(offset, Out(bytes, size));
    if (!read.ok()) return SharedOf(file).Failed(read.status(), SQLITE_IOERR_READ);
    return FinishRead(*read, Out(bytes, size));
  }
  static int WriteLog(sqlite3_file* file, const void* bytes, int size, sqlite3_int64 offset) {
    const Status status = SharedOf(file).log().Write(offset, In(bytes, size));
    return status.ok() ? SQLITE_OK : SharedOf(file).Failed(status, SQLITE_IOERR_WRITE);
  }
  static int TruncateLog(sqlite3_file* file, sqlite3_int64 size) {
    const Status status = SharedOf(file).log().Truncate(size);
    return status.ok() ? SQLITE_OK : SharedOf(file).Failed(status, SQLITE_IOERR_TRUNCATE);
  }
  static int SyncLog(sqlite3_file* file, int) {
    const Status status = SharedOf(file).log().Sync();
    return status.ok() ? SQLITE_OK : SharedOf(file).Failed(status, SQLITE_IOERR_FSYNC);
  }
  static int SizeOfLog(sqlite3_file* file, sqlite3_int64* out) {
    const auto size = SharedOf(file).log().Size();
    if (!size.ok()) return SharedOf(file).Failed(size.status(), SQLITE_IOERR_FSTAT);
    *out = *size;
    return SQLITE_OK;
  }
  static int NoLock(sqlite3_file*, int) { return SQLITE_OK; }
  static int NotReserved(sqlite3_file*, int* out) {
    *out = 0;
    return SQLITE_OK;
  }

  static constexpr sqlite3_io_methods kMain{
      2,         CloseMain, ReadMain,      WriteMain, TruncateMain, SyncMain,        SizeOfMain,
      Lock,      Unlock,    CheckReserved, Control,   SectorSize,   Characteristics, Map,
      LockIndex, Barrier,   Unmap,         nullptr,   nullptr};
  static constexpr sqlite3_io_methods kLog{
      1,       CloseLog, ReadLog,     WriteLog, TruncateLog, SyncLog,         SizeOfLog,
      NoLock,  NoLock,   NotReserved, Control,  SectorSize,  Characteristics, nullptr,
      nullptr, nullptr,  nullptr,     nullptr,  nullptr};

  static Shared& SharedOf(sqlite3_vfs* vfs) { return *static_cast<Shared*>(vfs->pAppData); }
  static sqlite3_vfs* System() { return sqlite3_vfs_find(nullptr); }

  static int Open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out) {
    Shared& shared = SharedOf(vfs);
    const bool is_main = name != nullptr && name == shared.path();
    const bool is_log = name != nullptr && name == shared.path() + "-wal";
    if (!is_main && !is_log) return System()->xOpen(System(), name, file, flags, out);
    Of(file) = File{is_main ? &kMain : &kLog, &shared, {}, {}};
    if (out != nullptr) *out = flags;
    return SQLITE_OK;
  }
  static int Delete(sqlite3_vfs* vfs, const char* name, int sync) {
    if (name == SharedOf(vfs).path() + "-wal") return SQLITE_OK;  // it is the sink's to end
    return System()->xDelete(System(), name, sync);
  }
  static int Access(sqlite3_vfs* vfs, const char* name, int flags, int* out) {
    const Shared& shared = SharedOf(vfs);
    if (name == shared.path() || name == shared.path() + "-wal") {
      *out = 1;
      return SQLITE_OK;
    }
    return System()->xAccess(System(), name, flags, out);
  }
  static int FullPathname(sqlite3_vfs* vfs, const char* name, int size, char* out) {
    if (name == SharedOf(vfs).path()) {
      sqlite3_snprintf(size, out, "%s", name);
      return SQLITE_OK;
    }
    return System()->xFullPathname(System(), name, size, out);
  }
};

}  // namespace

Status PageFiles::Shared::Register() {
  using Calls = Callbacks<Shared>;
  const sqlite3_vfs* system = sqlite3_vfs_find(nullptr);
  if (system == nullptr) return Fault(FaultCode::kInternal, "SQLite has no way to files");
  vfs_name_ = fmt::format("pages-{:x}", reinterpret_cast<uintptr_t>(this));
  vfs_ = *system;
  vfs_.pNext = nullptr;
  vfs_.szOsFile = std::max<int>(system->szOsFile, sizeof(OpenFile<Shared>));
  vfs_.mxPathname = std::max<int>(system->mxPathname, static_cast<int>(path_.size()) + 16);
  vfs_.zName = vfs_name_.c_str();
  vfs_.pAppData = this;
  vfs_.xOpen = Calls::Open;
  vfs_.xDelete = Calls::Delete;
  vfs_.xAccess = Calls::Access;
  vfs_.xFullPathname = Calls::FullPathname;
  const int code = sqlite3_vfs_register(&vfs_, /*makeDflt=*/0);
  if (code == SQLITE_OK) return Status::OK();
  return Fault(FaultCode::kInternal, fmt::format("SQLite takes no files of ours ({})", code));
}

PageFiles::PageFiles(std::unique_ptr<Shared> shared) : shared_(std::move(shared)) {}
PageFiles::~PageFiles() = default;

Result<std::unique_ptr<PageFiles>> PageFiles::Open(os::Disk& disk, std::string path,
                                                   std::string name, CommitSink& sink) {
  auto shared = std::make_unique<Shared>(std::move(path), std::move(name));
  ARROW_RETURN_NOT_OK(shared->Open(disk, sink));
  return std::unique_ptr<PageFiles>(new PageFiles(std::move(shared)));
}

const char* PageFiles::vfs_name() const { return shared_->vfs_name(); }
const std::string& PageFiles::path() const { return shared_->path(); }
std::optional<Status> PageFiles::TakeFailure() { return shared_->TakeFailure(); }
ReadGate& PageFiles::gate() { return shared_->gate; }
int64_t PageFiles::log_bytes() const { return shared_->log().Size().ValueOr(0); }

}  // namespace levada::db::sqlite
