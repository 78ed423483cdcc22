#pragma once
// PushDriver: gives consumers that are pushed to their batches. It asks the Dispatcher what is to
// be started, takes the messages, has them delivered, and settles them as the answer says. Who
// delivers it does not know: that is a Deliver.
//
// On the loop. It plans when something may have changed (Poke, a batch that ended) and when the
// plan said that time alone will change something.

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/log.h"
#include "services/queues/dispatcher.h"
#include "services/queues/queue_access.h"

namespace levada::services::queues {

/// Whose batches are whose.
struct PushTarget {
  int64_t account = 0;
  std::string queue;   ///< its name, which the Worker sees
  std::string script;  ///< the Worker
};

struct PushBatch {
  PushTarget target;
  std::vector<Delivered> messages;
  Backlog backlog;
};

/// Brings a batch to a Worker.
class Deliver {
 public:
  virtual ~Deliver() = default;
  /// nullopt: nobody could be reached, and no message was seen. Ends before the leases do.
  virtual net::Task<std::optional<BatchAnswer>> Run(PushBatch batch) = 0;
};

struct PushOptions {
  DispatcherLimits limits = {};
  /// A Worker has 15 minutes for a batch; then the messages are free again.
  int64_t lease_ms = int64_t{16} * 60 * 1000;
};

/// Lives until Run of the loop has returned.
class PushDriver final {
 public:
  /// All outlive it. `access.on_more` is to call Poke.
  PushDriver(const QueueAccess& access, Deliver& deliver, PushOptions options, Logger& log)
      : access_(access),
        deliver_(deliver),
        options_(options),
        log_(log),
        dispatcher_(options.limits) {}

  void SetConsumer(uint64_t queue, PushTarget target, const PushSettings& settings);
  /// What is under way still ends.
  void RemoveConsumer(uint64_t queue);
  /// There may be more to deliver.
  void Poke();
  /// Starts nothing more, and waits for what is under way, but no longer than `grace`: what is left
  /// then comes again when its lease has run out.
  net::Task<void> Stop(std::chrono::milliseconds grace);
  int64_t under_way() const { return under_way_; }

 private:
  /// What the dispatcher is to be told. It thinks on a thread, for it looks at the disk, so it is
  /// told before it does.
  struct News {
    enum class Kind : uint8_t { kSet, kRemoved, kEnded };
    Kind kind = Kind::kEnded;
    uint64_t queue = 0;
    PushSettings settings = {};
    BatchEnd end = BatchEnd::kAnswered;
  };
  void Tell();
  net::Task<void> Plan();
  Glance Look(uint64_t queue, size_t count) const;
  void WakeAt(std::optional<int64_t> wake_ms);
  net::Task<void> Wake(int64_t at_ms);
  net::Task<void> RunBatch(BatchStart start);
  net::Task<BatchEnd> Push(BatchStart start);
  bool IsIdle() const { return under_way_ == 0 && !is_planning_; }

  const QueueAccess& access_;
  Deliver& deliver_;
  const PushOptions options_;
  Logger& log_;
  Dispatcher dispatcher_;  // Plan's alone
  std::vector<News> news_;
  std::map<uint64_t, PushTarget> targets_;  // by number of the queue
  bool is_planning_ = false;
  bool is_stale_ = false;  // something changed since the plan was begun
  bool is_stopped_ = false;
  int64_t under_way_ = 0;
  std::optional<int64_t> next_wake_ms_;
};

}  // namespace levada::services::queues
