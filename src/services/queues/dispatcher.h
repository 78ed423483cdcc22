#pragma once
// Dispatcher: when a consumer that is pushed to gets its next batch, and what its answer means. A
// state machine: it is told what waits (Glance) and what ended, and says what is to be started;
// whoever has it takes the messages, calls the Worker, and settles. It never sees a message.

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "services/queues/queue_machine.h"

namespace levada::services::queues {

/// Of a consumer: what its owner chose.
struct PushSettings {
  size_t batch_size = 10;
  int64_t wait_ms = 5000;  ///< for a batch to become full, from its first message on
  int64_t concurrency_max = 250;
};

struct DispatcherLimits {
  /// Batches under way at once, of all queues: each is a request to a Worker.
  int64_t under_way_max = 250;
  /// A consumer that cannot be reached is tried again after this, then after twice as long, ...
  int64_t backoff_first_ms = 1000;
  int64_t backoff_max_ms = 60'000;
};

/// A batch to be taken and delivered now; Ended follows, even when there was nothing to take.
struct BatchStart {
  uint64_t queue = 0;
  size_t count = 0;  ///< at most
  bool operator==(const BatchStart&) const = default;
};

struct DispatchPlan {
  std::vector<BatchStart> starts;
  /// When there may be more to start, if nothing is sent and nothing ends before.
  std::optional<int64_t> wake_ms;
};

enum class BatchEnd : uint8_t {
  kAnswered,     ///< whatever the answer
  kEmpty,        ///< there was nothing to take
  kUnreachable,  ///< no answer: the messages are tried again, and the consumer is given time
};

/// One thread's.
class Dispatcher final {
 public:
  using Look = std::function<Glance(uint64_t queue, size_t count)>;

  explicit Dispatcher(DispatcherLimits limits) : limits_(limits) {}

  /// The one consumer of the queue, or its new settings.
  void SetConsumer(uint64_t queue, const PushSettings& settings);
  /// What is under way still ends.
  void RemoveConsumer(uint64_t queue);

  /// Counts what it starts as under way. Queues take turns: where not all can start, the one that
  /// waited longest is first the next time.
  DispatchPlan Plan(int64_t now_ms, const Look& look);
  void Ended(uint64_t queue, BatchEnd end, int64_t now_ms);
  int64_t under_way() const { return under_way_; }

 private:
  struct Consumer {
    PushSettings settings;
    int64_t under_way = 0;
    int failures = 0;  // in a row
    int64_t not_before_ms = 0;
    bool is_removed = false;
  };
  void EndOne(Consumer& consumer, BatchEnd end, int64_t now_ms) const;
  int64_t FreeFor(const Consumer& consumer) const;
  void PlanOne(uint64_t queue, Consumer& consumer, int64_t now_ms, const Look& look,
               DispatchPlan& plan);

  const DispatcherLimits limits_;
  std::map<uint64_t, Consumer> consumers_;
  int64_t under_way_ = 0;
  uint64_t first_ = 0;  // the queue whose turn it is, or the next one behind it
};

/// What a Worker said of its batch: the members of the answer of `queue()`.
struct BatchAnswer {
  bool is_ok = false;  ///< its handler ended without an exception
  bool acks_all = false;
  bool retries_all = false;
  std::optional<int64_t> retry_all_delay_s = {};
  std::vector<std::string> acks = {};  ///< ids of messages
  struct MessageRetry {
    std::string id;
    std::optional<int64_t> delay_s;
  };
  std::vector<MessageRetry> retries = {};
};

/// A message of a batch that is under way.
struct Pushed {
  std::string id;
  LeaseId lease;
};

/// What becomes of each message of the batch. What was said of one message holds whatever was said
/// of all; of the others, an exception or retryAll() means again, else they are done. nullopt for
/// `answer`: there was none. Ids that are not of the batch mean nothing; delays are cut to
/// `delay_s_max`.
/// Source: developers.cloudflare.com/queues/configuration/batching-retries.
Settlement SettlementOf(const std::vector<Pushed>& batch, const std::optional<BatchAnswer>& answer,
                        int64_t delay_s_max);

}  // namespace levada::services::queues
