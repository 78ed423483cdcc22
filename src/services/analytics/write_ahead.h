#pragma once
// WriteAhead: where points are durable before the engine has them. One thread writes all that waits
// with one fsync (that is the acknowledgement), and ends a segment when it is old or large enough;
// the flusher takes ended segments oldest first, and removes each when the engine has it.
//
// A segment that a crash or a failed write left without its end is mended before it is read: what
// it holds never changes from then on, so that an insert that is tried again is the same.

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "os/disk.h"
#include "os/disk_reserve.h"
#include "services/analytics/segment.h"

namespace levada::services::analytics {

struct WriteAheadOptions {
  size_t waiting_max = 8192;                    ///< submissions
  size_t waiting_bytes_max = size_t{64} << 20;  ///< of those that wait
  size_t group_bytes_max = size_t{8} << 20;     ///< of one write, a single larger submission apart
  uint64_t segment_rows_max = 100'000;          ///< a segment with so many is ended
  int64_t segment_bytes_max = int64_t{32} << 20;
  /// From its first row: half of the second in which a flush has to begin.
  std::chrono::milliseconds segment_age_max{500};
  /// Of segments that wait for the engine; nothing is taken beyond it.
  int64_t unflushed_bytes_max = int64_t{1} << 30;
};

struct WriteAheadCounts {
  size_t waiting = 0;
  uint64_t rows = 0;              ///< acknowledged since it was made
  uint64_t groups = 0;            ///< writes with an fsync each
  uint64_t failures = 0;          ///< of them
  size_t unflushed_segments = 0;  ///< ended, not removed
  int64_t unflushed_bytes = 0;
  size_t damaged_segments = 0;
};

/// Thread-safe.
class WriteAhead final {
 public:
  /// What a submission came to: OK is durable; after an error it may or may not have been written.
  /// Runs on the thread of this.
  using Done = std::function<void(const Status&)>;

  /// Makes `directory` when absent. `reserve` may be null. All outlive it.
  static Result<std::unique_ptr<WriteAhead>> Open(os::Disk& disk, std::string directory,
                                                  WriteAheadOptions options, const Clock& clock,
                                                  Random& random, Logger& log,
                                                  os::DiskReserve* reserve = nullptr);
  /// Writes what was taken, and ends its segment.
  ~WriteAhead();
  WriteAhead(const WriteAhead&) = delete;
  WriteAhead& operator=(const WriteAhead&) = delete;

  /// All of `rows` or nothing. False, and `done` is not run, when too much waits for the disk or
  /// for the engine. Precondition: BodyBytesOf(rows) <= kBodyBytesMax.
  [[nodiscard]] bool Submit(std::vector<Rows> rows, Done done);

  // ---- the flusher's; one thread
  /// The oldest ended segment. Waits for one until `stop`.
  std::optional<uint64_t> WaitForSegment(const std::stop_token& stop);
  /// kStoreDamaged: see SetAside.
  Result<std::vector<Rows>> Read(uint64_t number);
  /// The engine has it. Durable when this returns.
  Status Remove(uint64_t number);
  /// Leaves a damaged one where it is, for people, and goes on with the next.
  void SetAside(uint64_t number);
  /// Whether it was there when this was opened, or may have been given to the engine before.
  bool MayBeInEngine(uint64_t number) const;

  WriteAheadCounts counts() const;

 private:
  struct Waiting {
    std::vector<Rows> rows;
    size_t bytes = 0;
    Done done;
  };
  struct Ended {
    int64_t bytes = 0;
    bool is_whole = false;    ///< its end is durable
    bool is_removed = false;  ///< and that is perhaps not durable
  };
  WriteAhead(os::Disk& disk, std::string directory, WriteAheadOptions options, const Clock& clock,
             Random& random, Logger& log, os::DiskReserve* reserve);
  Status Load();
  void Run();
  std::deque<Waiting> TakeGroup();
  void Write(std::deque<Waiting> group);
  Status Append(const std::vector<Rows>& rows);
  Status MakeSegment();
  void EndSegmentIfDue();
  bool IsDue() const;
  /// It takes no more; `is_whole`: its end is durable.
  void HandOver(const SegmentWriter& segment, bool is_whole);
  std::string PathOf(uint64_t number) const;
  void Failed(const Status& status);

  os::Disk& disk_;
  const std::string directory_;
  const WriteAheadOptions options_;
  const Clock& clock_;
  Random& random_;
  Logger& log_;
  os::DiskReserve* const reserve_;

  // Of the thread alone.
  std::unique_ptr<SegmentWriter> segment_;
  std::optional<SteadyTime> first_row_;
  bool has_failed_ = false;

  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable arrived_;
  std::condition_variable_any ended_arrived_;
  std::deque<Waiting> waiting_;
  size_t waiting_bytes_ = 0;
  bool is_stopping_ = false;
  uint64_t newest_ = 0;  // number of the newest segment that is durable
  std::map<uint64_t, Ended> ended_;
  std::set<uint64_t> found_;  // by Load
  int64_t ended_bytes_ = 0;
  WriteAheadCounts counts_;
  // Last: it uses all of the above. tidy: allow a thread, it waits for the disk all its life
  std::thread thread_;
};

}  // namespace levada::services::analytics
