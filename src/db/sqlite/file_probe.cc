#include "db/sqlite/file_probe.h"

#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include <cstring>

namespace levada::db::sqlite {
namespace {

// The index of a log begins with two copies of this
// (sqlite.org/walformat.html#the_wal_index_header).
struct LogIndexHeader {
  uint32_t version;
  uint32_t unused;
  uint32_t changes;
  uint8_t is_initialised;
  uint8_t is_big_endian;
  uint16_t page_size;
  uint32_t frame_last;
  uint32_t page_count;
  uint32_t frame_checksum[2];  ///< over all frames up to the last
  uint32_t salt[2];            ///< another one for each log
  uint32_t checksum[2];
};
static_assert(sizeof(LogIndexHeader) == 48);
constexpr uint32_t kLogIndexVersion = 3007000;
constexpr int kLogRegionBytes = 32 * 1024;

/// Others write it meanwhile, so it is read as SQLite reads it: both copies, which must agree.
std::optional<LogIndexHeader> Copied(const volatile void* region) {
  LogIndexHeader copies[2];
  uint32_t words[2 * sizeof(LogIndexHeader) / sizeof(uint32_t)];
  static_assert(sizeof(words) == sizeof(copies));
  const auto* shared = static_cast<const volatile uint32_t*>(region);
  for (size_t i = 0; i < std::size(words); ++i) words[i] = shared[i];
  std::memcpy(copies, words, sizeof(copies));
  if (std::memcmp(&copies[0], &copies[1], sizeof(LogIndexHeader)) != 0) return std::nullopt;
  if (copies[0].version != kLogIndexVersion || copies[0].is_initialised == 0) return std::nullopt;
  return copies[0];
}

}  // namespace

Status FileProbe::Failure(int code, ErrorKind kind, const std::string& message) const {
  Error error;
  error.kind = kind;
  error.extended_code = code;
  error.message = message;
  const char* name = sqlite3_db_filename(database_.connection_, schema_.c_str());
  error.path = name == nullptr || *name == '\0' ? database_.path_ : std::string(name);
  return database_.fault_of_(error);
}

Result<sqlite3_file*> FileProbe::File() const {
  sqlite3_file* file = nullptr;
  const int code = sqlite3_file_control(database_.connection_, schema_.c_str(),
                                        SQLITE_FCNTL_FILE_POINTER, &file);
  if (code != SQLITE_OK || file == nullptr || file->pMethods == nullptr) {
    return Failure(code, ErrorKind::kIo, "the file is not open");
  }
  return file;
}

Result<FileProbe::Header> FileProbe::ReadHeader() const {
  ARROW_ASSIGN_OR_RAISE(sqlite3_file * file, File());
  Header header{};
  const int code = file->pMethods->xRead(file, header.data(), static_cast<int>(header.size()), 0);
  // An empty file is a database without tables; what is missing is read as zeros.
  if (code != SQLITE_OK && code != SQLITE_IOERR_SHORT_READ) {
    return Failure(code, ErrorKind::kIo, "its header cannot be read");
  }
  return header;
}

Result<int64_t> FileProbe::Size() const {
  ARROW_ASSIGN_OR_RAISE(sqlite3_file * file, File());
  sqlite3_int64 size = 0;
  const int code = file->pMethods->xFileSize(file, &size);
  if (code != SQLITE_OK) return Failure(code, ErrorKind::kIo, "its size cannot be read");
  return int64_t{size};
}

Result<bool> FileProbe::IsMoved() const {
  int moved = 0;
  const int code =
      sqlite3_file_control(database_.connection_, schema_.c_str(), SQLITE_FCNTL_HAS_MOVED, &moved);
  if (code == SQLITE_NOTFOUND) return false;
  if (code != SQLITE_OK) return Failure(code, ErrorKind::kIo, "the file cannot be looked at");
  return moved != 0;
}

bool FileProbe::IsImmutable() const {
  const char* name = sqlite3_db_filename(database_.connection_, schema_.c_str());
  return name != nullptr && sqlite3_uri_boolean(name, "immutable", 0) != 0;
}

std::optional<std::string> FileProbe::LogMark() const {
  const auto file = File();
  if (!file.ok() || (*file)->pMethods->iVersion < 2) return std::nullopt;
  volatile void* region = nullptr;
  const int code = (*file)->pMethods->xShmMap(*file, 0, kLogRegionBytes, 0, &region);
  // READONLY: mapped, and not to be written.
  if ((code != SQLITE_OK && code != SQLITE_READONLY) || region == nullptr) return std::nullopt;
  const std::optional<LogIndexHeader> header = Copied(region);
  if (!header) return std::nullopt;
  if (header->frame_last == 0) {
    // All that was committed is in the file, and logs that were begun and removed left no number.
    struct stat status{};
    const char* name = sqlite3_db_filename(database_.connection_, schema_.c_str());
    if (name == nullptr || stat(name, &status) != 0) return std::nullopt;
    return fmt::format("file of {}.{:09}", int64_t{status.st_mtim.tv_sec},
                       int64_t{status.st_mtim.tv_nsec});
  }
  return fmt::format("log {:08x}{:08x} frame {} {:08x}{:08x}", header->salt[0], header->salt[1],
                     header->frame_last, header->frame_checksum[0], header->frame_checksum[1]);
}

}  // namespace levada::db::sqlite
