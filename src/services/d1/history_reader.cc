#include "services/d1/history_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

namespace levada::services::d1 {
namespace {

using db::sqlite::kPageBytes;
using db::sqlite::PageBytes;

constexpr size_t kWriteBytes = 1 << 20;

/// The newest of `files` that `point` is not before.
const HistoryFile* NewestUpTo(const std::vector<HistoryFile>& files, uint64_t seq) {
  const HistoryFile* newest = nullptr;
  for (const HistoryFile& file : files) {
    if (file.point.seq <= seq) newest = &file;
  }
  return newest;
}

}  // namespace

Fault HistoryReader::Damaged(const std::string& what) const {
  return Fault(FaultCode::kStoreDamaged, fmt::format("history of database \"{}\": {}", name_, what))
      .With("path", directory_);
}

Result<std::vector<Point>> HistoryReader::PointsOf(const HistoryFile& file) const {
  std::vector<Point> points;
  ARROW_ASSIGN_OR_RAISE(const auto reader, SegmentReader::Open(disk_, file.path, database_));
  if (reader == nullptr) return points;
  if (reader->before() != file.point) return Damaged("a segment has another's name");
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const auto commit, reader->Next());
    if (!commit) return points;
    points.push_back(commit->point);
  }
}

Result<HistoryEnd> HistoryReader::End() const {
  ARROW_ASSIGN_OR_RAISE(const HistoryFiles files, ListHistory(disk_, directory_));
  if (files.segments.empty()) return Damaged("there is none");
  const HistoryFile& file = files.segments.back();
  HistoryEnd end{file.point, file.path};
  ARROW_ASSIGN_OR_RAISE(const auto reader, SegmentReader::Open(disk_, file.path, database_));
  if (reader == nullptr) return end;
  if (reader->before() != file.point) return Damaged("a segment has another's name");
  while (true) {
    const int64_t begin = reader->offset();
    ARROW_ASSIGN_OR_RAISE(const auto commit, reader->Next());
    if (!commit) break;
    end.last = commit->point;
    // A group is begun when all before it is durable.
    if (commit->unsynced == 0) end.unsure_begin = begin;
    end.unsure_end = reader->offset();
  }
  if (reader->end() == SegmentEnd::kEnded) end.unsure_begin = end.unsure_end = 0;
  end.cut_bytes = reader->cut_bytes();
  return end;
}

Status HistoryReader::CheckReach(const HistoryFiles& files, const Point& point) const {
  const uint64_t first = files.segments.empty() ? UINT64_MAX : files.segments.front().point.seq;
  if (first == 0 || (!files.bases.empty() && files.bases.front().point.seq <= point.seq)) {
    return Status::OK();
  }
  return Fault(FaultCode::kBadValue,
               fmt::format("database \"{}\": the history does not reach back so far", name_));
}

Result<Point> HistoryReader::PointAt(int64_t ms) const {
  ARROW_ASSIGN_OR_RAISE(const HistoryFiles files, ListHistory(disk_, directory_));
  const HistoryFile* segment = nullptr;
  for (const HistoryFile& file : files.segments) {
    if (file.point.ms <= ms) segment = &file;
  }
  if (segment == nullptr) {
    return Fault(FaultCode::kBadValue,
                 fmt::format("database \"{}\": the history does not reach back so far", name_));
  }
  Point found = segment->point;
  ARROW_ASSIGN_OR_RAISE(const auto points, PointsOf(*segment));
  for (const Point& point : points) {
    if (point.ms <= ms) found = point;
  }
  ARROW_RETURN_NOT_OK(CheckReach(files, found));
  return found;
}

Result<Point> HistoryReader::PointOf(const Bookmark& bookmark) const {
  ARROW_ASSIGN_OR_RAISE(const HistoryFiles files, ListHistory(disk_, directory_));
  const auto is_it = [&](const Point& point, bool is_thinned) {
    const bool same_second = SecondOf(point.ms) == SecondOf(bookmark.ms);
    return point.epoch == bookmark.epoch &&
           (point.seq == bookmark.seq || (is_thinned && point.seq > bookmark.seq && same_second));
  };
  // A point behind which a segment begins is found by the segment's name, whatever was pruned.
  for (const HistoryFile& file : files.segments) {
    if (!is_it(file.point, false)) continue;
    ARROW_RETURN_NOT_OK(CheckReach(files, file.point));
    return file.point;
  }
  if (const HistoryFile* segment = NewestUpTo(files.segments, bookmark.seq)) {
    ARROW_ASSIGN_OR_RAISE(const auto points, PointsOf(*segment));
    for (const Point& point : points) {
      if (!is_it(point, segment->kind == HistoryFileKind::kThinned)) continue;
      ARROW_RETURN_NOT_OK(CheckReach(files, point));
      return point;
    }
  }
  return Fault(FaultCode::kBadValue,
               fmt::format("database \"{}\": no point of its history has this bookmark", name_));
}

Status HistoryReader::Visit(uint64_t from_seq, const Point& to, const Visitor& visitor) const {
  if (to.seq <= from_seq) return Status::OK();
  ARROW_ASSIGN_OR_RAISE(const HistoryFiles files, ListHistory(disk_, directory_));
  const HistoryFile* first = NewestUpTo(files.segments, from_seq);
  if (first == nullptr) return Damaged(fmt::format("nothing is there behind {}", from_seq));
  uint64_t reached = first->point.seq;
  for (const HistoryFile* file = first; file != files.segments.data() + files.segments.size();
       ++file) {
    if (file->point.seq != reached) {
      return Damaged(fmt::format("{} to {} are missing", reached + 1, file->point.seq));
    }
    ARROW_ASSIGN_OR_RAISE(const auto reader, SegmentReader::Open(disk_, file->path, database_));
    if (reader == nullptr) continue;
    if (reader->before() != file->point) return Damaged("a segment has another's name");
    const bool is_thinned = file->kind == HistoryFileKind::kThinned;
    while (reached < to.seq) {
      ARROW_ASSIGN_OR_RAISE(const auto commit, reader->Next());
      if (!commit) {
        if (is_thinned && reader->end() != SegmentEnd::kEnded) return Damaged("a segment is cut");
        break;
      }
      if (!is_thinned && commit->point.seq != reached + 1) {
        return Damaged(fmt::format("{} to {} are missing", reached + 1, commit->point.seq - 1));
      }
      reached = commit->point.seq;
      if (reached > from_seq && reached <= to.seq) ARROW_RETURN_NOT_OK(visitor(*reader, *commit));
    }
    if (reached >= to.seq) break;
  }
  if (reached == to.seq) return Status::OK();
  return Damaged(fmt::format("{} is not there, only {}", to.seq, reached));
}

Status HistoryReader::WriteImage(const Point& point, const std::string& path) const {
  ARROW_ASSIGN_OR_RAISE(const HistoryFiles files, ListHistory(disk_, directory_));
  ARROW_RETURN_NOT_OK(CheckReach(files, point));
  const HistoryFile* base = NewestUpTo(files.bases, point.seq);

  struct Where {
    std::shared_ptr<const SegmentReader> segment;
    int64_t offset = 0;
  };
  std::vector<Where> newest(point.page_count);
  std::shared_ptr<const SegmentReader> segment;
  uint64_t segment_seq = UINT64_MAX;
  ARROW_RETURN_NOT_OK(
      Visit(base != nullptr ? base->point.seq : 0, point,
            [&](const SegmentReader& reader, const SegmentCommit& commit) -> Status {
              if (commit.is_restore)
                return Damaged(fmt::format("base {} is gone", commit.point.seq));
              if (reader.before().seq != segment_seq) {
                segment_seq = reader.before().seq;
                // One of our own, which outlives the visit.
                const HistoryFile* file = NewestUpTo(files.segments, segment_seq);
                ARROW_ASSIGN_OR_RAISE(segment, SegmentReader::Open(disk_, file->path, database_));
              }
              for (const SegmentCommit::PageAt& page : commit.pages) {
                if (page.number <= newest.size()) newest[page.number - 1] = {segment, page.offset};
              }
              return Status::OK();
            }));

  std::unique_ptr<os::ReadableFile> base_file;
  if (base != nullptr) {
    ARROW_ASSIGN_OR_RAISE(base_file, disk_.Open(base->path));
  }
  const uint32_t base_pages = base != nullptr ? base->point.page_count : 1;
  ARROW_ASSIGN_OR_RAISE(auto out, disk_.Create(path));
  std::vector<uint8_t> buffer;
  for (uint32_t number = 1; number <= point.page_count; ++number) {
    PageBytes page{};
    const Where& where = newest[number - 1];
    if (where.segment != nullptr) {
      ARROW_RETURN_NOT_OK(where.segment->ReadPage({number, where.offset}, page));
      db::sqlite::StampPage(number, page);
    } else if (number > base_pages) {
      db::sqlite::StampPage(number, page);  // free from its start, and never written
    } else if (base_file != nullptr) {
      ARROW_ASSIGN_OR_RAISE(const int64_t read,
                            base_file->ReadAt(int64_t{number - 1} * int64_t{kPageBytes}, page));
      if (read != int64_t{kPageBytes} || !db::sqlite::IsPageIntact(number, page)) {
        return Damaged(
            fmt::format("page {} of base {} is not what was written", number, base->point.seq));
      }
    } else {
      page = db::sqlite::EmptyDatabase();
    }
    buffer.insert(buffer.end(), page.begin(), page.end());
    if (buffer.size() >= kWriteBytes || number == point.page_count) {
      ARROW_RETURN_NOT_OK(out->Append(buffer));
      buffer.clear();
    }
  }
  ARROW_RETURN_NOT_OK(out->Sync());
  return out->Close();
}

}  // namespace levada::services::d1
