#include <fmt/format.h>

#include <map>
#include <optional>

#include "services/d1/history.h"

namespace levada::services::d1 {
namespace {

/// The last version of each page of some transactions of one segment.
class NewestPages final : public db::sqlite::CommittedPages {
 public:
  explicit NewestPages(const SegmentReader& segment) : segment_(segment) {}
  void Add(const SegmentCommit& commit) {
    for (const auto& page : commit.pages) offsets_[page.number] = page.offset;
    point_ = commit.point;
  }
  /// Before it is handed on.
  void Settle() {
    std::erase_if(offsets_, [&](const auto& page) { return page.first > point_.page_count; });
    numbers_.clear();
    for (const auto& [number, offset] : offsets_) numbers_.push_back(number);
  }
  const Point& point() const { return point_; }

  std::span<const uint32_t> numbers() const override { return numbers_; }
  uint32_t page_count() const override { return point_.page_count; }
  Status Read(uint32_t number, std::span<uint8_t, db::sqlite::kPageBytes> out) const override {
    return segment_.ReadPage({number, offsets_.at(number)}, out);
  }

 private:
  const SegmentReader& segment_;
  std::map<uint32_t, int64_t> offsets_;
  std::vector<uint32_t> numbers_;
  Point point_;
};

}  // namespace

Status History::WriteBase(const Point& state, const Point& named) {
  const std::string path = HistoryPath(reader_.directory(), HistoryFileKind::kBase, named);
  const Status written = reader_.WriteImage(state, path + kUnfinished);
  if (!written.ok()) {
    (void)disk_.Remove(path + kUnfinished);  // the room may be what was missing
    return written;
  }
  ARROW_RETURN_NOT_OK(disk_.Rename(path + kUnfinished, path));
  return disk_.SyncDirectory(reader_.directory());
}

Result<Point> History::Adopt(const std::string& path, uint32_t page_count) {
  Point made;
  {
    std::lock_guard lock(mutex_);
    ARROW_RETURN_NOT_OK(failure_);
    made = Next(page_count);
    ++made.epoch;
  }
  {
    // Until the record is there it is the base of a point that is not: opening removes it.
    std::shared_lock files(files_mutex_);
    ARROW_RETURN_NOT_OK(
        disk_.Rename(path, HistoryPath(reader_.directory(), HistoryFileKind::kBase, made)));
    ARROW_RETURN_NOT_OK(disk_.SyncDirectory(reader_.directory()));
    ARROW_RETURN_NOT_OK(disk_.SyncDirectory(os::ParentPath(path)));
  }
  std::lock_guard lock(mutex_);
  if (made.seq != newest_.seq + 1) {
    return Fault(FaultCode::kInternal, "a commit while a state was put in place");
  }
  ARROW_RETURN_NOT_OK(Add(made, nullptr));
  return made;
}

Status History::Thin(const HistoryFile& segment, const Point& end) {
  ARROW_ASSIGN_OR_RAISE(const auto reader,
                        SegmentReader::Open(disk_, segment.path, reader_.database()));
  if (reader == nullptr) return Status::OK();
  const std::string path =
      HistoryPath(reader_.directory(), HistoryFileKind::kThinned, segment.point);
  ARROW_ASSIGN_OR_RAISE(
      const auto writer,
      SegmentWriter::Create(disk_, path + kUnfinished, reader_.database(), segment.point));
  std::optional<NewestPages> second;
  uint64_t reached = segment.point.seq;
  const auto finish = [&]() -> Status {
    if (!second) return Status::OK();
    second->Settle();
    const Status written = writer->Append(second->point(), *second);
    second.reset();
    return written;
  };
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const auto commit, reader->Next());
    if (!commit) break;
    reached = commit->point.seq;
    if (second && (second->point().epoch != commit->point.epoch ||
                   SecondOf(second->point().ms) != SecondOf(commit->point.ms))) {
      ARROW_RETURN_NOT_OK(finish());
    }
    if (commit->is_restore) {
      ARROW_RETURN_NOT_OK(finish());
      ARROW_RETURN_NOT_OK(writer->AppendRestore(commit->point));
      continue;
    }
    if (!second) second.emplace(*reader);
    second->Add(*commit);
  }
  if (reached != end.seq) {
    // Acknowledged, and gone: thinning would hide it.
    return Fault(FaultCode::kStoreDamaged,
                 fmt::format("history of database \"{}\": {} to {} are missing", reader_.name(),
                             reached + 1, end.seq))
        .With("path", segment.path);
  }
  ARROW_RETURN_NOT_OK(finish());
  ARROW_RETURN_NOT_OK(writer->End());
  std::unique_lock files(files_mutex_);
  ARROW_RETURN_NOT_OK(disk_.Rename(path + kUnfinished, path));
  ARROW_RETURN_NOT_OK(disk_.SyncDirectory(reader_.directory()));
  return disk_.Remove(segment.path);
}

Status History::Prune(uint64_t written_seq) {
  ARROW_ASSIGN_OR_RAISE(const HistoryFiles files, ListHistory(disk_, reader_.directory()));
  const int64_t horizon_ms = NowMs() - limits_.kept_ms;
  const HistoryFile* oldest = nullptr;  // what the first point to keep is made from
  for (const HistoryFile& base : files.bases) {
    if (base.point.ms <= horizon_ms && base.point.seq <= written_seq) oldest = &base;
  }
  if (oldest == nullptr) return Status::OK();
  std::unique_lock lock(files_mutex_);
  for (size_t i = 0; i + 1 < files.segments.size(); ++i) {
    if (files.segments[i + 1].point.seq > oldest->point.seq) break;
    ARROW_RETURN_NOT_OK(disk_.Remove(files.segments[i].path));
  }
  for (const HistoryFile& base : files.bases) {
    if (base.point.seq < oldest->point.seq) ARROW_RETURN_NOT_OK(disk_.Remove(base.path));
  }
  return disk_.SyncDirectory(reader_.directory());
}

Status History::Tend(uint64_t written_seq) {
  const Point last = this->last();
  ARROW_ASSIGN_OR_RAISE(const HistoryFiles files, ListHistory(disk_, reader_.directory()));
  const Point newest = !files.bases.empty()      ? files.bases.back().point
                       : !files.segments.empty() ? files.segments.front().point
                                                 : last;
  if (last.seq > newest.seq && NowMs() - newest.ms >= limits_.base_every_ms) {
    std::shared_lock lock(files_mutex_);
    ARROW_RETURN_NOT_OK(WriteBase(last, last));
  }
  // The last segment is the one that is written.
  for (size_t i = 0; i + 1 < files.segments.size(); ++i) {
    const HistoryFile& segment = files.segments[i];
    const Point& end = files.segments[i + 1].point;
    if (segment.kind != HistoryFileKind::kSegment || end.seq > written_seq) continue;
    if (end.ms <= NowMs() - limits_.whole_ms) ARROW_RETURN_NOT_OK(Thin(segment, end));
  }
  return Prune(written_seq);
}

}  // namespace levada::services::d1
