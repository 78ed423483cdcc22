#include "services/d1/history.h"

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

namespace levada::services::d1 {

Status History::Create(os::Disk& disk, const std::string& directory, uint64_t database,
                       const Clock& clock) {
  ARROW_RETURN_NOT_OK(disk.CreateDirectories(directory));
  const Point zero{.ms = std::max<int64_t>(clock.Now() / 1000, 0)};
  ARROW_ASSIGN_OR_RAISE(
      const auto writer,
      SegmentWriter::Create(disk, HistoryPath(directory, HistoryFileKind::kSegment, zero), database,
                            zero));
  return Status::OK();
}

Result<std::unique_ptr<History>> History::Open(os::Disk& disk, const std::string& directory,
                                               uint64_t database, std::string name,
                                               const Clock& clock, const HistoryLimits& limits) {
  HistoryReader reader(disk, directory, database, std::move(name));
  std::unique_ptr<History> history(new History(disk, std::move(reader), clock, limits));
  ARROW_ASSIGN_OR_RAISE(history->found_, history->reader_.End());
  ARROW_RETURN_NOT_OK(history->MakeSure());
  history->last_ = history->newest_ = history->found_.last;
  ARROW_ASSIGN_OR_RAISE(const HistoryFiles files, ListHistory(disk, directory));
  for (const std::string& path : files.leftovers) ARROW_RETURN_NOT_OK(disk.Remove(path));
  for (const HistoryFile& base : files.bases) {
    // Of a restore that did not get to its record.
    if (base.point.seq > history->last_.seq) ARROW_RETURN_NOT_OK(disk.Remove(base.path));
  }
  return history;
}

Status History::MakeSure() {
  if (found_.unsure_begin == found_.unsure_end) return Status::OK();
  ARROW_ASSIGN_OR_RAISE(const auto file, disk_.OpenMutable(found_.path));
  // Written again and not only synced: after a sync that failed the kernel takes for written what
  // is not.
  std::vector<uint8_t> piece(1 << 20);
  for (int64_t at = found_.unsure_begin; at < found_.unsure_end;) {
    const auto wanted = std::min<int64_t>(std::ssize(piece), found_.unsure_end - at);
    const std::span<uint8_t> bytes(piece.data(), static_cast<size_t>(wanted));
    ARROW_ASSIGN_OR_RAISE(const int64_t read, file->ReadAt(at, bytes));
    if (read != wanted) {
      return Fault(FaultCode::kInternal, "the history became shorter").With("path", found_.path);
    }
    ARROW_RETURN_NOT_OK(file->WriteAt(at, bytes));
    at += wanted;
  }
  return file->Sync();
}

int64_t History::NowMs() const { return std::max<int64_t>(clock_.Now() / 1000, 0); }

Point History::last() const {
  std::lock_guard lock(last_mutex_);
  return last_;
}

Point History::newest() const {
  std::lock_guard lock(mutex_);
  return newest_;
}

Point History::Next(uint32_t page_count) const {
  return {.epoch = newest_.epoch,
          .seq = newest_.seq + 1,
          .ms = std::max(newest_.ms, NowMs()),
          .page_count = page_count};
}

Status History::Append(const Point& point, const db::sqlite::CommittedPages* pages) {
  if (writer_ == nullptr) {
    const std::string path = HistoryPath(reader_.directory(), HistoryFileKind::kSegment, newest_);
    ARROW_ASSIGN_OR_RAISE(writer_, SegmentWriter::Create(disk_, path, reader_.database(), newest_));
  }
  if (pages == nullptr) return writer_->AppendRestore(point);
  return writer_->Append(point, *pages, static_cast<uint32_t>(newest_.seq - last().seq));
}

Status History::Add(const Point& point, const db::sqlite::CommittedPages* pages) {
  ARROW_RETURN_NOT_OK(failure_);
  failure_ = Append(point, pages);
  ARROW_RETURN_NOT_OK(failure_);
  newest_ = point;
  return is_deferred_ ? Status::OK() : Sync();
}

Status History::Sync() {
  if (newest_ == last()) return Status::OK();
  ARROW_RETURN_NOT_OK(failure_);
  failure_ = writer_->Sync();
  ARROW_RETURN_NOT_OK(failure_);
  {
    std::lock_guard lock(last_mutex_);
    last_ = newest_;
  }
  if (writer_->size_bytes() >= limits_.segment_bytes_max) {
    // What was added is durable: where the end fails, that is the next one's to tell.
    failure_ = writer_->End();
    writer_ = nullptr;
  }
  return Status::OK();
}

Status History::Keep(const db::sqlite::CommittedPages& pages) {
  std::lock_guard lock(mutex_);
  return Add(Next(pages.page_count()), &pages);
}

void History::Defer() {
  std::lock_guard lock(mutex_);
  is_deferred_ = true;
}

Status History::Settle() {
  std::lock_guard lock(mutex_);
  is_deferred_ = false;
  return Sync();
}

Result<Point> History::Restore(const Point& target) {
  Point made;
  {
    std::lock_guard lock(mutex_);
    ARROW_RETURN_NOT_OK(failure_);
    made = Next(target.page_count);
    ++made.epoch;
  }
  {
    std::shared_lock files(files_mutex_);
    ARROW_RETURN_NOT_OK(WriteBase(target, made));
  }
  std::lock_guard lock(mutex_);
  if (made.seq != newest_.seq + 1) {
    return Fault(FaultCode::kInternal, "a commit during a restore");
  }
  ARROW_RETURN_NOT_OK(Add(made, nullptr));
  return made;
}

Status History::Close() {
  std::lock_guard lock(mutex_);
  if (writer_ == nullptr || !failure_.ok()) return failure_;
  failure_ = Fault(FaultCode::kInternal, "the history is closed");
  return std::exchange(writer_, nullptr)->End();
}

Result<Point> History::PointAt(int64_t ms) const {
  std::shared_lock files(files_mutex_);
  ARROW_ASSIGN_OR_RAISE(const Point found, reader_.PointAt(ms));
  // The file may have more already than is durable.
  const Point durable = last();
  return found.seq > durable.seq ? durable : found;
}

Result<Point> History::PointOf(const Bookmark& bookmark) const {
  std::shared_lock files(files_mutex_);
  return reader_.PointOf(bookmark);
}

Status History::Visit(uint64_t from_seq, const Point& to,
                      const HistoryReader::Visitor& visitor) const {
  std::shared_lock files(files_mutex_);
  return reader_.Visit(from_seq, to, visitor);
}

Status History::WriteImage(const Point& point, const std::string& path) const {
  std::shared_lock files(files_mutex_);
  return reader_.WriteImage(point, path);
}

}  // namespace levada::services::d1
