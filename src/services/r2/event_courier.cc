#include "services/r2/event_courier.h"

#include <utility>

namespace levada::services::r2 {
namespace {

using net::Task;

// What one send to a queue takes (services/queues), with room to spare.
constexpr size_t kMessagesMax = 100;
constexpr size_t kBytesMax = 200'000;
constexpr auto kStopTick = std::chrono::milliseconds(10);

}  // namespace

void EventCourier::Poke() {
  is_stale_ = true;
  if (is_carrying_ || is_stopped_) return;
  is_carrying_ = true;
  loop_.Spawn(Carry());
}

Task<void> EventCourier::Carry() {
  bool is_done = true;
  while (is_stale_ && !is_stopped_) {
    is_stale_ = false;
    is_done = co_await CarryAll();
  }
  is_carrying_ = false;
  if (!is_done && !is_waiting_ && !is_stopped_) {
    is_waiting_ = true;
    loop_.Spawn(PokeLater());
  }
}

Task<void> EventCourier::PokeLater() {
  co_await loop_.Sleep(again_);
  is_waiting_ = false;
  Poke();
}

Task<bool> EventCourier::CarryAll() {
  bool is_done = true;
  uint64_t queue = 0;
  while (!is_stopped_) {
    Result<WaitingEvents> waiting = co_await store_.Events(queue, kMessagesMax, kBytesMax);
    if (!waiting.ok()) {
      log_.Error("r2: event notifications cannot be read, they wait",
                 {{"cause", waiting.status().ToString()}});
      co_return false;
    }
    if (waiting->keys.empty()) co_return is_done;
    queue = waiting->queue;
    const bool is_sent = co_await CarrySome(*std::move(waiting));
    if (is_sent) continue;
    is_done = false;
    ++queue;
  }
  co_return false;
}

Task<bool> EventCourier::CarrySome(WaitingEvents waiting) {
  const auto count = static_cast<int64_t>(waiting.messages.size());
  const auto queue = static_cast<int64_t>(waiting.queue);
  const Result<EventSent> sent = co_await send_(waiting.queue, std::move(waiting.messages));
  if (!sent.ok() || *sent == EventSent::kNotNow) {
    log_.Warning(
        "r2: a queue takes no event notifications now, they wait",
        {{"queue", queue}, {"cause", sent.ok() ? "it is full or busy" : sent.status().ToString()}});
    co_return false;
  }
  if (*sent == EventSent::kNoQueue) {
    log_.Warning("r2: event notifications for a queue that is gone",
                 {{"queue", queue}, {"dropped", count}});
  }
  const Status forgotten = co_await store_.ForgetEvents(std::move(waiting.keys));
  if (!forgotten.ok()) {
    log_.Error("r2: event notifications that arrived could not be forgotten, they come again",
               {{"queue", queue}, {"cause", forgotten.ToString()}});
  }
  co_return forgotten.ok();
}

Task<void> EventCourier::Stop() {
  is_stopped_ = true;
  while (is_carrying_) co_await loop_.Sleep(kStopTick);
}

}  // namespace levada::services::r2
