#include "services/queues/push_driver.h"

#include <algorithm>
#include <utility>

#include "services/core/on_thread.h"

namespace levada::services::queues {
namespace {

using net::Task;

// A wake that is farther away is looked at again then: sleeps cannot be ended, and a queue that
// changes much would leave one behind each time.
constexpr int64_t kSleepMaxMs = 1000;
constexpr auto kStopTick = std::chrono::milliseconds(10);

}  // namespace

void PushDriver::SetConsumer(uint64_t queue, PushTarget target, const PushSettings& settings) {
  targets_[queue] = std::move(target);
  news_.push_back({.kind = News::Kind::kSet, .queue = queue, .settings = settings});
  Poke();
}

void PushDriver::RemoveConsumer(uint64_t queue) {
  if (targets_.erase(queue) == 0) return;
  news_.push_back({.kind = News::Kind::kRemoved, .queue = queue});
  Poke();
}

void PushDriver::Poke() {
  is_stale_ = true;
  if (is_planning_ || is_stopped_ || targets_.empty()) return;
  is_planning_ = true;
  access_.loop.Spawn(Plan());
}

void PushDriver::Tell() {
  const int64_t now_ms = access_.store.NowMs();
  for (const News& each : std::exchange(news_, {})) {
    switch (each.kind) {
      case News::Kind::kSet:
        dispatcher_.SetConsumer(each.queue, each.settings);
        break;
      case News::Kind::kRemoved:
        dispatcher_.RemoveConsumer(each.queue);
        break;
      case News::Kind::kEnded:
        dispatcher_.Ended(each.queue, each.end, now_ms);
        break;
    }
  }
}

/// Of a queue that cannot be looked at nothing is known, and it is looked at again a little later.
Glance PushDriver::Look(uint64_t queue, size_t count) const {
  const Result<Glance> glance = access_.store.GlanceAt(queue, count);
  if (glance.ok()) return *glance;
  return {.next_ms = access_.store.NowMs() + kSleepMaxMs};
}

Task<void> PushDriver::Plan() {
  std::optional<int64_t> wake_ms;
  while (is_stale_ && !is_stopped_) {
    is_stale_ = false;
    Tell();
    const Result<DispatchPlan> plan =
        co_await OnThread(access_.loop, access_.workers, [this]() -> Result<DispatchPlan> {
          return dispatcher_.Plan(access_.store.NowMs(), [this](uint64_t queue, size_t count) {
            return Look(queue, count);
          });
        });
    // Too many wait for a thread.
    wake_ms = plan.ok() ? plan->wake_ms : access_.store.NowMs() + kSleepMaxMs;
    if (!plan.ok()) break;
    for (const BatchStart& start : plan->starts) {
      ++under_way_;
      access_.loop.Spawn(RunBatch(start));
    }
  }
  is_planning_ = false;
  WakeAt(wake_ms);
}

void PushDriver::WakeAt(std::optional<int64_t> wake_ms) {
  if (!wake_ms || is_stopped_) return;
  const int64_t at_ms = std::min(*wake_ms, access_.store.NowMs() + kSleepMaxMs);
  if (next_wake_ms_ && *next_wake_ms_ <= at_ms) return;
  next_wake_ms_ = at_ms;
  access_.loop.Spawn(Wake(at_ms));
}

Task<void> PushDriver::Wake(int64_t at_ms) {
  const int64_t left_ms = std::max<int64_t>(at_ms - access_.store.NowMs(), 1);
  co_await access_.loop.Sleep(std::chrono::milliseconds(left_ms));
  if (next_wake_ms_ == at_ms) next_wake_ms_.reset();
  Poke();
}

Task<void> PushDriver::RunBatch(BatchStart start) {
  const BatchEnd end = co_await Push(start);
  --under_way_;
  news_.push_back({.kind = News::Kind::kEnded, .queue = start.queue, .end = end});
  Poke();
}

Task<BatchEnd> PushDriver::Push(BatchStart start) {
  const auto target = targets_.find(start.queue);
  // Its consumer went away since.
  if (target == targets_.end() || is_stopped_) co_return BatchEnd::kEmpty;
  PushBatch batch;
  batch.target = target->second;
  Result<std::vector<Delivered>> received =
      co_await ReceiveMessages(access_, start.queue, start.count, options_.lease_ms);
  if (!received.ok()) {
    log_.Error("queues: a batch could not be taken",
               {{"queue", batch.target.queue}, {"cause", received.status().ToString()}});
    co_return BatchEnd::kUnreachable;
  }
  if (received->empty()) co_return BatchEnd::kEmpty;
  Poke();  // what is left may be another batch
  std::vector<Pushed> pushed;
  for (const Delivered& message : *received) pushed.push_back({message.id, message.lease});
  batch.messages = *std::move(received);
  const Result<Backlog> backlog = co_await ReadBacklog(access_, start.queue);
  batch.backlog = backlog.ValueOr(Backlog{});
  const std::string name = batch.target.queue;
  const std::optional<BatchAnswer> answer = co_await deliver_.Run(std::move(batch));
  Settlement settlement = SettlementOf(pushed, answer, access_.store.limits().delay_s_max);
  const Result<SettledAll> settled =
      co_await SettleMessages(access_, start.queue, std::move(settlement));
  if (!settled.ok()) {
    log_.Error("queues: the answer to a batch was not kept, its messages come again",
               {{"queue", name}, {"cause", settled.status().ToString()}});
  }
  co_return answer ? BatchEnd::kAnswered : BatchEnd::kUnreachable;
}

Task<void> PushDriver::Stop(std::chrono::milliseconds grace) {
  is_stopped_ = true;
  const int64_t until_ms = access_.store.NowMs() + grace.count();
  while (!IsIdle() && access_.store.NowMs() < until_ms) co_await access_.loop.Sleep(kStopTick);
  if (!IsIdle()) {
    log_.Warning("queues: batches are left under way; their messages come again",
                 {{"batches", under_way_}});
  }
}

}  // namespace levada::services::queues
