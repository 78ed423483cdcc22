#include "services/queues/dispatcher.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

namespace levada::services::queues {
namespace {

void WakeAt(DispatchPlan& plan, int64_t ms) {
  plan.wake_ms = std::min(plan.wake_ms.value_or(ms), ms);
}

}  // namespace

void Dispatcher::SetConsumer(uint64_t queue, const PushSettings& settings) {
  Consumer& consumer = consumers_[queue];
  consumer.settings = settings;
  consumer.is_removed = false;
}

void Dispatcher::RemoveConsumer(uint64_t queue) {
  const auto at = consumers_.find(queue);
  if (at == consumers_.end()) return;
  at->second.is_removed = true;
  if (at->second.under_way == 0) consumers_.erase(at);
}

int64_t Dispatcher::FreeFor(const Consumer& consumer) const {
  // Of one that could not be reached, one batch finds out whether it can be again.
  const int64_t allowed = consumer.failures > 0 ? 1 : consumer.settings.concurrency_max;
  return std::min(allowed - consumer.under_way, limits_.under_way_max - under_way_);
}

void Dispatcher::PlanOne(uint64_t queue, Consumer& consumer, int64_t now_ms, const Look& look,
                         DispatchPlan& plan) {
  if (consumer.is_removed) return;
  if (consumer.not_before_ms > now_ms) return WakeAt(plan, consumer.not_before_ms);
  if (FreeFor(consumer) <= 0) return;  // what ends makes room
  const size_t size = consumer.settings.batch_size;
  const Glance glance = look(queue, size);
  if (glance.visible_count == 0) {
    if (glance.next_ms) WakeAt(plan, *glance.next_ms);
    return;
  }
  const int64_t due_ms = glance.oldest_ms + consumer.settings.wait_ms;
  if (glance.visible_count < size && due_ms > now_ms) {
    WakeAt(plan, due_ms);
    if (glance.next_ms) WakeAt(plan, *glance.next_ms);  // it may become full
    return;
  }
  ++consumer.under_way;
  ++under_way_;
  plan.starts.push_back({queue, size});
}

/// One batch of each queue at a time: what it left is looked at when it was taken.
DispatchPlan Dispatcher::Plan(int64_t now_ms, const Look& look) {
  DispatchPlan plan;
  const auto turn = consumers_.lower_bound(first_);
  const auto plan_from = [&](auto begin, auto end) {
    for (auto at = begin; at != end; ++at) {
      const size_t before = plan.starts.size();
      PlanOne(at->first, at->second, now_ms, look, plan);
      if (plan.starts.size() > before) first_ = at->first + 1;
    }
  };
  plan_from(turn, consumers_.end());
  plan_from(consumers_.begin(), turn);
  return plan;
}

void Dispatcher::Ended(uint64_t queue, BatchEnd end, int64_t now_ms) {
  const auto at = consumers_.find(queue);
  if (at == consumers_.end() || at->second.under_way == 0) return;
  --under_way_;
  EndOne(at->second, end, now_ms);
  if (at->second.is_removed && at->second.under_way == 0) consumers_.erase(at);
}

void Dispatcher::EndOne(Consumer& consumer, BatchEnd end, int64_t now_ms) const {
  --consumer.under_way;
  if (end == BatchEnd::kEmpty) return;
  if (end == BatchEnd::kAnswered) {
    consumer.failures = 0;
    consumer.not_before_ms = 0;
    return;
  }
  // Of those that were under way together, the first that fails counts.
  if (consumer.not_before_ms > now_ms) return;
  constexpr int kDoublingsMax = 20;  // of a number that must not overflow
  const int doublings = std::min(consumer.failures, kDoublingsMax);
  const int64_t wait_ms = std::min(limits_.backoff_first_ms << doublings, limits_.backoff_max_ms);
  ++consumer.failures;
  consumer.not_before_ms = now_ms + wait_ms;
}

Settlement SettlementOf(const std::vector<Pushed>& batch, const std::optional<BatchAnswer>& answer,
                        int64_t delay_s_max) {
  const auto cut = [delay_s_max](std::optional<int64_t> delay_s) {
    if (delay_s) delay_s = std::clamp<int64_t>(*delay_s, 0, delay_s_max);
    return delay_s;
  };
  Settlement settlement;
  if (!answer) {
    for (const Pushed& each : batch) settlement.retries.push_back({each.lease, std::nullopt});
    return settlement;
  }
  const std::set<std::string_view> acks(answer->acks.begin(), answer->acks.end());
  std::map<std::string_view, std::optional<int64_t>> retries;
  for (const auto& retry : answer->retries) retries.emplace(retry.id, retry.delay_s);
  const bool rest_again = !answer->is_ok || (answer->retries_all && !answer->acks_all);
  for (const Pushed& each : batch) {
    const auto retry = retries.find(each.id);
    if (acks.contains(each.id)) {
      settlement.acks.push_back(each.lease);
    } else if (retry != retries.end()) {
      settlement.retries.push_back({each.lease, cut(retry->second)});
    } else if (rest_again) {
      settlement.retries.push_back({each.lease, cut(answer->retry_all_delay_s)});
    } else {
      settlement.acks.push_back(each.lease);
    }
  }
  return settlement;
}

}  // namespace levada::services::queues
