#pragma once
// Simulation: the machine, the dispatcher and the clock of queues with a disk that is a map, users
// that do whatever chance says, and a model that remembers what was told to them. One seed is one
// history. For *_test.cc only.

#include <array>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "services/queues/dispatcher.h"
#include "services/queues/queue_clock.h"
#include "services/queues/queue_machine.h"
#include "services/queues/queue_records.h"

namespace levada::services::queues {

/// What the disk has. Writes come to it whole and in order, or not at all, as a log brings them.
class MapRecords final : public QueueRecords {
 public:
  Result<std::optional<std::string>> Get(Family family, std::string_view key) const override {
    const auto at = families_[family].find(key);
    if (at == families_[family].end()) return std::optional<std::string>();
    return std::optional<std::string>(at->second);
  }
  Status Scan(Family family, std::string_view begin, std::string end,
              const Visit& visit) const override {
    const auto& all = families_[family];
    for (auto at = all.lower_bound(begin); at != all.end() && (end.empty() || at->first < end);
         ++at) {
      ++visited_;
      if (!visit(at->first, at->second)) break;
    }
    return Status::OK();
  }
  /// Records that were looked at since it was made.
  uint64_t visited() const { return visited_; }
  void Apply(const db::rocks::Batch& batch) {
    using Kind = db::rocks::Batch::Kind;
    for (const db::rocks::Batch::Change& change : batch.changes()) {
      auto& all = families_[change.family];
      if (change.kind == Kind::kPut) {
        all[change.key] = change.value;
      } else if (change.kind == Kind::kDelete) {
        all.erase(change.key);
      } else {
        all.erase(all.lower_bound(change.key), all.lower_bound(change.value));
      }
    }
  }

 private:
  std::array<std::map<std::string, std::string, std::less<>>, 4> families_;
  mutable uint64_t visited_ = 0;
};

class Simulation {
 public:
  explicit Simulation(uint64_t seed);
  /// "" when nothing was wrong; else what, and at which step.
  std::string Run(int steps);
  uint64_t delivered() const { return delivered_; }
  uint64_t crashes() const { return crashes_; }
  uint64_t redriven() const { return redriven_; }

 private:
  // The queues: one is pulled from, one pushed to a Worker, and one takes the dead of both.
  static constexpr uint64_t kPulled = 1;
  static constexpr uint64_t kPushed = 2;
  static constexpr uint64_t kDead = 3;

  using Done = std::function<void(bool is_durable)>;
  struct Submitted {
    Write write;
    Done done;
  };
  /// What is known of a message, which its body is the name of.
  struct Told {
    bool is_sent = false;      // its sender was told that it is there
    bool is_ended = false;     // its consumer was told that it is gone
    bool may_be_gone = false;  // somebody asked for its end and got no answer, or it was purged
    int64_t held_until_ms = 0;
    bool may_be_free = false;  // its holder asked to give it back and got no answer
  };
  struct Held {
    std::string body;
    std::string id;
    LeaseId lease;
  };
  /// Whose lease is answered, in the order of a Settlement.
  struct Asked {
    std::vector<std::string> acks;
    std::vector<std::string> retries;
  };

  uint64_t Chance(uint64_t below) { return random_->Next() % below; }
  Moment Now() const { return {clock_->NowMs(), clock_->WallMs()}; }
  void Fail(const std::string& what);
  void Start();
  void Submit(Write write, Done done);
  void Commit(size_t count);
  /// What was submitted reaches the disk up to somewhere, and nobody is told.
  void LoseTheRest();

  void Step();
  void Send();
  void Receive(uint64_t queue, size_t count, bool is_pushed);
  void Deliver(uint64_t queue, const Received& received, int64_t at_ms, bool is_pushed);
  void CheckDelivery(const std::string& body, const Taken& taken, int64_t at_ms);
  void SettlePulled();
  void AnswerPushed();
  void Settle(uint64_t queue, const Settlement& settlement, Asked asked);
  void NoteSettled(const std::optional<SettledAll>& settled, const Asked& asked);
  void Dispatch();
  void Purge();
  void Redrive();
  void PassTime();
  void Reconfigure();
  void Crash();
  void BreakDisk();
  void CheckDisk();
  void Drain();
  void DrainOnce();

  const std::unique_ptr<Random> random_;
  ManualClock machine_clock_{1'700'000'000'000'000};
  QueueLimits limits_;
  std::map<uint64_t, QueueSettings> settings_;
  PushSettings push_;
  DispatcherLimits dispatcher_limits_;
  MapRecords disk_;
  std::unique_ptr<QueueMachine> machine_;
  std::unique_ptr<QueueClock> clock_;
  std::unique_ptr<Dispatcher> dispatcher_;
  std::deque<Submitted> submitted_;
  std::map<std::string, Told> told_;
  std::map<std::pair<uint64_t, uint64_t>, int> attempts_;  // by queue and seq
  std::vector<Held> held_;                                 // by consumers that pull
  std::vector<std::vector<Held>> batches_;                 // with the Worker
  uint64_t next_body_ = 0;
  bool was_purged_ = false;  // by the writes of this commit
  int step_ = 0;
  std::string wrong_;
  uint64_t delivered_ = 0;
  uint64_t crashes_ = 0;
  uint64_t redriven_ = 0;
};

}  // namespace levada::services::queues
