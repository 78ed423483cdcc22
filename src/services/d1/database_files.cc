#include "services/d1/database_files.h"

#include <fmt/format.h>

#include <utility>

namespace levada::services::d1 {
namespace {

using db::sqlite::kPageBytes;
using db::sqlite::PageBytes;

constexpr const char* kDatabase = "database";
constexpr const char* kWritten = "written";

constexpr int64_t OffsetOf(uint32_t page) { return int64_t{page - 1} * int64_t{kPageBytes}; }

std::span<const uint8_t> Bytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

}  // namespace

Status DatabaseFiles::Create(os::Disk& disk, const std::string& directory, uint64_t database,
                             const Clock& clock) {
  // `written` comes last: without it, opening makes `database` from the history.
  return History::Create(disk, os::JoinPath(directory, kHistoryDirectory), database, clock);
}

Result<std::unique_ptr<DatabaseFiles>> DatabaseFiles::Open(os::Disk& disk,
                                                           const std::string& directory,
                                                           uint64_t database, std::string name,
                                                           const Clock& clock,
                                                           const HistoryLimits& limits) {
  std::unique_ptr<DatabaseFiles> files(
      new DatabaseFiles(disk, directory, database, std::move(name)));
  ARROW_ASSIGN_OR_RAISE(files->history_, History::Open(disk, files->Path(kHistoryDirectory),
                                                       database, files->name_, clock, limits));
  ARROW_RETURN_NOT_OK(files->Recover());
  ARROW_RETURN_NOT_OK(files->OpenPages());
  return files;
}

Status DatabaseFiles::OpenPages() {
  ARROW_ASSIGN_OR_RAISE(pages_,
                        db::sqlite::PageFiles::Open(disk_, Path(kDatabase), name_, *history_));
  return Status::OK();
}

Result<std::optional<Point>> DatabaseFiles::ReadWritten() const {
  ARROW_ASSIGN_OR_RAISE(const auto content, os::ReadFile(disk_, Path(kWritten), kHeaderBytes));
  if (!content) return std::nullopt;
  return DecodeHeader(database_, Bytes(*content));
}

Status DatabaseFiles::WriteWritten(const Point& point) {
  ARROW_RETURN_NOT_OK(os::WriteFileDurably(disk_, Path(kWritten), EncodeHeader(database_, point)));
  written_ = point;
  return Status::OK();
}

Status DatabaseFiles::NoteWritten() {
  const Point last = history_->last();
  return last == written_ ? Status::OK() : WriteWritten(last);
}

Status DatabaseFiles::Recover() {
  const Point last = history_->last();
  ARROW_ASSIGN_OR_RAISE(const auto written, ReadWritten());
  ARROW_ASSIGN_OR_RAISE(const auto found, disk_.Stat(Path(kDatabase)));
  if (!written || !found || written->epoch < last.epoch) return MakeFile();
  if (written->seq > last.seq || written->epoch > last.epoch) {
    return Fault(FaultCode::kStoreDamaged,
                 fmt::format("history of database \"{}\": {} to {} are missing", name_,
                             last.seq + 1, written->seq))
        .With("path", directory_);
  }
  written_ = *written;
  return written_.seq == last.seq ? Status::OK() : Redo(last);
}

Status DatabaseFiles::Redo(const Point& last) {
  ARROW_ASSIGN_OR_RAISE(const auto file, disk_.OpenMutable(Path(kDatabase)));
  uint32_t pages = written_.page_count;
  // A checkpoint that did not get to its end may have made it longer.
  ARROW_RETURN_NOT_OK(file->Truncate(OffsetOf(pages + 1)));
  const auto resize = [&](uint32_t wanted) -> Status {
    if (wanted < pages) ARROW_RETURN_NOT_OK(file->Truncate(OffsetOf(wanted + 1)));
    for (uint32_t number = pages + 1; number <= wanted; ++number) {
      PageBytes page{};
      db::sqlite::StampPage(number, page);
      ARROW_RETURN_NOT_OK(file->WriteAt(OffsetOf(number), page));
    }
    pages = wanted;
    return Status::OK();
  };
  ARROW_RETURN_NOT_OK(history_->Visit(
      written_.seq, last, [&](const SegmentReader& segment, const SegmentCommit& commit) -> Status {
        ARROW_RETURN_NOT_OK(resize(commit.point.page_count));
        for (const SegmentCommit::PageAt& at : commit.pages) {
          PageBytes page;
          ARROW_RETURN_NOT_OK(segment.ReadPage(at, page));
          if (at.number > pages) continue;
          db::sqlite::StampPage(at.number, page);
          ARROW_RETURN_NOT_OK(file->WriteAt(OffsetOf(at.number), page));
        }
        return Status::OK();
      }));
  ARROW_RETURN_NOT_OK(file->Sync());
  return WriteWritten(last);
}

Status DatabaseFiles::MakeFile() {
  const Point last = history_->last();
  const std::string made = Path(kDatabase) + kUnfinished;
  ARROW_RETURN_NOT_OK(history_->WriteImage(last, made));
  ARROW_RETURN_NOT_OK(disk_.Rename(made, Path(kDatabase)));
  ARROW_RETURN_NOT_OK(disk_.SyncDirectory(directory_));
  return WriteWritten(last);
}

Status DatabaseFiles::Rebuild() {
  pages_.reset();
  ARROW_RETURN_NOT_OK(MakeFile());
  return OpenPages();
}

Result<Point> DatabaseFiles::Restore(const Point& target) {
  ARROW_ASSIGN_OR_RAISE(const Point made, history_->Restore(target));
  ARROW_RETURN_NOT_OK(Rebuild());
  return made;
}

Result<Point> DatabaseFiles::Adopt(const std::string& path, uint32_t page_count) {
  ARROW_ASSIGN_OR_RAISE(const Point made, history_->Adopt(path, page_count));
  ARROW_RETURN_NOT_OK(Rebuild());
  return made;
}

Status DatabaseFiles::Close() {
  pages_.reset();
  return history_->Close();
}

}  // namespace levada::services::d1
