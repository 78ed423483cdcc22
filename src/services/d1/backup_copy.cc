#include "services/d1/backup_copy.h"

#include <algorithm>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "db/sqlite/database.h"
#include "db/sqlite/page_checksum.h"
#include "formats/checksums/checksum.h"

namespace levada::services::d1 {
namespace {

using db::sqlite::kPageBytes;

constexpr size_t kPieceBytes = size_t{1} << 20;
static_assert(kPieceBytes % kPageBytes == 0);

Fault FaultOfSqlite(const db::sqlite::Error& error) {
  return db::sqlite::FaultFrom(FaultCode::kStoreDamaged, "the copy is no whole database", error);
}

/// Page size, journal and reserved bytes (sqlite.org/fileformat2.html#the_database_header): of
/// another file SQLite would put content where our checksums stand.
bool IsOfD1(std::span<const uint8_t> first) {
  constexpr size_t kFormatBytes = 24;
  if (first.size() < kPageBytes) return false;
  const db::sqlite::PageBytes ours = db::sqlite::EmptyDatabase();
  return std::ranges::equal(first.first(kFormatBytes),
                            std::span<const uint8_t>(ours).first(kFormatBytes));
}

/// Looks at the pages of a piece that begins with page `first`.
void LookAtPages(std::span<const uint8_t> piece, int64_t first, CopyRead& read) {
  for (size_t at = 0; at < piece.size() && !read.damaged_page; at += kPageBytes) {
    const int64_t number = first + static_cast<int64_t>(at / kPageBytes);
    const std::span<const uint8_t> rest = piece.subspan(at);
    if (number > UINT32_MAX || rest.size() < kPageBytes ||
        !db::sqlite::IsPageIntact(static_cast<uint32_t>(number), rest.first<kPageBytes>())) {
      read.damaged_page = number;
    } else {
      read.page_count = static_cast<uint32_t>(number);
    }
  }
}

}  // namespace

Result<CopyRead> ReadCopy(os::Disk& disk, const std::string& path,
                          const std::function<bool()>& is_stopping) {
  ARROW_ASSIGN_OR_RAISE(const auto file, disk.Open(path));
  ARROW_ASSIGN_OR_RAISE(auto hash, checksums::Checksum::Make(checksums::Algorithm::kSha256));
  CopyRead read;
  std::vector<uint8_t> piece(kPieceBytes);
  while (true) {
    if (is_stopping()) return Fault(FaultCode::kStopped, "the daemon stops");
    ARROW_ASSIGN_OR_RAISE(const int64_t got, file->ReadAt(read.bytes, piece));
    if (got == 0) break;
    const auto size = static_cast<size_t>(got);
    ARROW_RETURN_NOT_OK(hash.Update({reinterpret_cast<const char*>(piece.data()), size}));
    if (read.bytes == 0) read.is_of_d1 = IsOfD1({piece.data(), size});
    LookAtPages({piece.data(), size}, read.bytes / int64_t{kPageBytes} + 1, read);
    read.bytes += got;
  }
  if (read.bytes == 0) read.damaged_page = 1;
  ARROW_ASSIGN_OR_RAISE(const checksums::Digest digest, hash.Finish());
  read.sha256 = digest.Hex();
  return read;
}

Status CheckIntegrityOfCopy(const Context& ctx, const std::string& path) {
  db::sqlite::OpenOptions options;
  options.immutable = true;
  ARROW_ASSIGN_OR_RAISE(const auto database,
                        db::sqlite::Database::Open(ctx, path, options, FaultOfSqlite));
  // Who asked for rows that break a CHECK has them.
  ARROW_ASSIGN_OR_RAISE(auto lenient,
                        database->Prepare(ctx, "PRAGMA ignore_check_constraints = ON"));
  ARROW_RETURN_NOT_OK(lenient.Run(ctx));
  return database->CheckIntegrity(ctx, true);
}

}  // namespace levada::services::d1
