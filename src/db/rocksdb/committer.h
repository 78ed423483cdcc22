#pragma once
// Committer: the one thread that writes to a Store. Whoever wants something written hands it a
// batch and hears when it is durable; what arrives while the disk is busy is written together, with
// one fsync for all (group commit). While many write it waits a moment for a group to grow.

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "base/clock.h"
#include "base/log.h"
#include "db/rocksdb/store.h"

namespace levada::db::rocks {

struct CommitterOptions {
  size_t waiting_max = 8192;                     ///< batches
  size_t waiting_bytes_max = size_t{256} << 20;  ///< keys and values of those that wait
  size_t group_bytes_max = size_t{8} << 20;      ///< of one write, a single larger batch apart
  /// Hears of each failed write, before the store is opened again. On the committer's thread.
  std::function<void(const Status&)> on_failure = {};
  /// Batches build on those before them: when one fails, all behind it fail with it, and none is
  /// taken until Mend().
  bool is_chained = false;
  const Clock* clock = nullptr;  ///< of what is counted; outlives it. Null: no time is counted
  /// How long a group may wait to grow while many write, at most half of what the last one took.
  std::chrono::nanoseconds patience_max = std::chrono::milliseconds(2);
};

/// What it has done since it was made, and has to do.
struct CommitterCounts {
  size_t waiting = 0;  ///< batches
  size_t waiting_bytes = 0;
  uint64_t batches = 0;   ///< written
  uint64_t groups = 0;    ///< writes with an fsync each
  uint64_t failures = 0;  ///< groups that failed
  double busy_s = 0;      ///< spent in writes
};

/// Thread-safe.
class Committer final {
 public:
  /// What a batch came to: OK is durable; after an error it may or may not have been written. Runs
  /// on the committer's thread.
  using Done = std::function<void(const Status&)>;

  /// `store` and `log` outlive it.
  Committer(Store& store, CommitterOptions options, Logger& log);
  /// Writes what was taken.
  ~Committer();
  Committer(const Committer&) = delete;
  Committer& operator=(const Committer&) = delete;

  /// In the order of submission. False, and `done` is not run, when too much waits already.
  [[nodiscard]] bool Submit(Batch batch, Done done);
  /// Of a chained one: whoever submits knows again what the store has.
  void Mend();
  /// Whether a batch of so many bytes would be taken now. Whoever alone submits may count on it.
  bool HasRoomFor(size_t bytes) const;
  /// For metrics.
  CommitterCounts counts() const;

 private:
  struct Waiting {
    Batch batch;
    Done done;
  };
  void Run();
  Status Write(const std::deque<Waiting>& group);
  SteadyTime Now() const { return options_.clock ? options_.clock->Steady() : SteadyTime(); }
  std::deque<Waiting> TakeGroup();
  bool IsGroup() const;                // under the lock
  bool IsRoomFor(size_t bytes) const;  // under the lock
  /// Of a chained one: all that wait go the way of `group`.
  void Break(std::deque<Waiting>& group);
  /// The store takes no write after a failed one until it was opened again.
  void Recover(const Status& failure);

  Store& store_;
  const CommitterOptions options_;
  Logger& log_;
  mutable std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<Waiting> waiting_;
  size_t waiting_bytes_ = 0;
  bool stopping_ = false;
  bool is_broken_ = false;
  size_t wanted_ = 1;  // batches that are worth a sync
  std::chrono::nanoseconds patience_{0};
  CommitterCounts counts_;  // without those that wait
  // Last: it uses all of the above. tidy: allow a thread, it waits for the disk all its life
  std::thread thread_;
};

}  // namespace levada::db::rocks
