#pragma once
// History: all states of a database for thirty days, and its promise of durability. Each
// transaction's pages are here, synced, before the transaction is visible to anybody
// (db/sqlite/page_files.h); what SQLite keeps in its log is not needed after a crash. From the
// pages any point can be made again: a base image, and the newest version of each page since.
//
// It is kept as segments of some 64 MiB and a base image a day. After an hour a segment is thinned
// to one version of a page a second; after thirty days it goes. Layout: docs/wire/d1.md; why:
// docs/decisions/0018.

#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>

#include "base/clock.h"
#include "db/sqlite/page_files.h"
#include "os/disk.h"
#include "services/d1/history_reader.h"
#include "services/d1/history_segment.h"

namespace levada::services::d1 {

struct HistoryLimits {
  int64_t segment_bytes_max = int64_t{64} << 20;
  int64_t whole_ms = int64_t{3600} * 1000;  ///< until it is thinned
  int64_t base_every_ms = int64_t{24} * 3600 * 1000;
  int64_t kept_ms = int64_t{30} * 24 * 3600 * 1000;
};

/// Thread-safe; one thread at a time commits.
class History final : public db::sqlite::CommitSink {
 public:
  /// Makes the directory and the point 0, of now.
  static Status Create(os::Disk& disk, const std::string& directory, uint64_t database,
                       const Clock& clock);
  /// Reads the last segment. What it refers to outlives it.
  static Result<std::unique_ptr<History>> Open(os::Disk& disk, const std::string& directory,
                                               uint64_t database, std::string name,
                                               const Clock& clock, const HistoryLimits& limits);

  Status Keep(const db::sqlite::CommittedPages& pages) override;
  /// From here on what Keep takes is durable, and last(), only after Settle: transactions of a
  /// group, one point each. Settle syncs them, and ends that; after an error all of them are what a
  /// failed Keep is, there or not.
  void Defer();
  Status Settle();
  /// Adds a point in a new epoch whose state is that of `target`: its base image first, durable,
  /// then the record that makes it so.
  Result<Point> Restore(const Point& target);
  /// The same with a state from elsewhere: an image as WriteImage makes it, of `page_count` pages,
  /// at `path` on the disk of the history, from where it is taken. Durable and whole already.
  Result<Point> Adopt(const std::string& path, uint32_t page_count);
  /// Ends the last segment, so that its end can be told from a loss. Nothing is added after it.
  Status Close();

  /// Of what is durable.
  Point last() const;
  /// Of what was kept, durable or not.
  Point newest() const;
  /// What there was when it was opened.
  const HistoryEnd& found() const { return found_; }
  Result<Point> PointAt(int64_t ms) const;
  Result<Point> PointOf(const Bookmark& bookmark) const;
  Status Visit(uint64_t from_seq, const Point& to, const HistoryReader::Visitor& visitor) const;
  Status WriteImage(const Point& point, const std::string& path) const;

  /// What is due: a base image, thinning, pruning. `written_seq`: up to there the database file has
  /// everything. Of any thread, one at a time; it holds up no commit.
  Status Tend(uint64_t written_seq);

 private:
  History(os::Disk& disk, HistoryReader reader, const Clock& clock, const HistoryLimits& limits)
      : disk_(disk), reader_(std::move(reader)), clock_(clock), limits_(limits) {}
  /// What was found at the end and was perhaps never synced is, before anybody builds on it.
  Status MakeSure();
  int64_t NowMs() const;
  /// The next point's number and time. Under mutex_.
  Point Next(uint32_t page_count) const;
  // Under mutex_. Failures stay: what is on the disk is not known then.
  Status Add(const Point& point, const db::sqlite::CommittedPages* pages);
  Status Append(const Point& point, const db::sqlite::CommittedPages* pages);
  Status Sync();
  Status WriteBase(const Point& state, const Point& named);
  /// `end`: the point that the next segment begins with.
  Status Thin(const HistoryFile& segment, const Point& end);
  Status Prune(uint64_t written_seq);

  os::Disk& disk_;
  const HistoryReader reader_;
  HistoryEnd found_;
  const Clock& clock_;
  const HistoryLimits limits_;
  mutable std::shared_mutex files_mutex_;  ///< exclusive: files are removed or take others' place
  mutable std::mutex last_mutex_;          ///< of what is asked while the disk is busy
  Point last_;
  mutable std::mutex mutex_;  ///< of what follows; before last_mutex_
  Point newest_;
  bool is_deferred_ = false;
  std::unique_ptr<SegmentWriter> writer_;  ///< null until something is to be written
  Status failure_;
};

}  // namespace levada::services::d1
