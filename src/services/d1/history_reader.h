#pragma once
// HistoryReader: a history looked at from its files: which points there are, and a database file as
// it was at one of them. It changes nothing but the file it is asked to make, and keeps nothing
// between calls.

#include <functional>
#include <optional>
#include <string>

#include "os/disk.h"
#include "services/d1/history_files.h"
#include "services/d1/history_segment.h"
#include "services/d1/point.h"

namespace levada::services::d1 {

/// How a history ends.
struct HistoryEnd {
  Point last;             ///< the newest point
  std::string path;       ///< of the last segment
  int64_t cut_bytes = 0;  ///< of a transaction behind it that is not whole, and left out
  /// Of the last segment, unless it was ended in order: where the transactions stand that may have
  /// been read and be lost with the power, since nothing says that they were synced.
  int64_t unsure_begin = 0, unsure_end = 0;
};

class HistoryReader final {
 public:
  /// `name` is what people call the database, for errors. `disk` outlives this.
  HistoryReader(os::Disk& disk, std::string directory, uint64_t database, std::string name)
      : disk_(disk),
        directory_(std::move(directory)),
        database_(database),
        name_(std::move(name)) {}

  /// Reads the last segment.
  Result<HistoryEnd> End() const;
  /// The newest point that is not later than `ms`; kBadValue where the history does not reach back
  /// so far.
  Result<Point> PointAt(int64_t ms) const;
  /// The point of a bookmark; of a second that was thinned, its last point. kBadValue for one that
  /// is not (or no more) of this history.
  Result<Point> PointOf(const Bookmark& bookmark) const;

  /// The transactions behind point `from` up to `to`, in order. kStoreDamaged where one is missing.
  using Visitor = std::function<Status(const SegmentReader&, const SegmentCommit&)>;
  Status Visit(uint64_t from_seq, const Point& to, const Visitor& visitor) const;

  /// Writes the database as it was at `point`, with checksums, synced, to `path`, which is made
  /// anew.
  Status WriteImage(const Point& point, const std::string& path) const;

  const std::string& directory() const { return directory_; }
  uint64_t database() const { return database_; }
  const std::string& name() const { return name_; }

 private:
  Fault Damaged(const std::string& what) const;
  /// The points of one segment; none of one that lost its header.
  Result<std::vector<Point>> PointsOf(const HistoryFile& file) const;
  Status CheckReach(const HistoryFiles& files, const Point& point) const;

  os::Disk& disk_;
  const std::string directory_;
  const uint64_t database_;
  const std::string name_;
};

}  // namespace levada::services::d1
