#include "services/queues/queue_access.h"

#include <algorithm>
#include <utility>

#include "services/core/on_thread.h"

namespace levada::services::queues {
namespace {

/// As Durably, for what has a value.
template <typename T, typename Submit>
net::Task<Result<T>> Durable(net::Loop& loop, Submit submit) {
  const net::Arrival<Result<T>> durable(loop);
  const bool taken = submit([durable](Result<T> value) { durable.Set(std::move(value)); });
  if (!taken) co_return Busy();
  co_return co_await durable;
}

/// Of one step of a redrive: each reads as many bodies under the lock of the store.
constexpr uint64_t kStepMax = 20;

}  // namespace

net::Task<Result<SendAnswer>> SendMessages(const QueueAccess& access, uint64_t queue,
                                           std::vector<NewMessage> messages) {
  const auto reply =
      co_await Durable<SendReply>(access.loop, [&](QueueStore::Done<SendReply> done) {
        return access.store.Send(queue, std::move(messages), std::move(done));
      });
  if (!reply.ok()) co_return reply.status();
  access.on_more();
  if (reply->backlog) co_return SendAnswer{reply->outcome, *reply->backlog};
  // It is sent, whatever can be said of the queue.
  const auto backlog = co_await ReadBacklog(access, queue);
  co_return SendAnswer{reply->outcome, backlog.ValueOr(Backlog{})};
}

net::Task<Result<std::vector<Delivered>>> ReceiveMessages(const QueueAccess& access, uint64_t queue,
                                                          size_t count, int64_t visibility_ms) {
  using Messages = std::vector<Taken>;
  auto taken = co_await Durable<Messages>(access.loop, [&](QueueStore::Done<Messages> done) {
    return access.store.Receive(queue, count, visibility_ms, std::move(done));
  });
  if (!taken.ok()) co_return taken.status();
  if (taken->empty()) co_return std::vector<Delivered>();
  co_return co_await OnThread(access.loop, access.workers, [&]() -> Result<std::vector<Delivered>> {
    return access.store.Read(*taken);
  });
}

net::Task<Result<SettledAll>> SettleMessages(const QueueAccess& access, uint64_t queue,
                                             Settlement settlement) {
  const bool gives_back = !settlement.retries.empty();
  auto settled = co_await Durable<SettledAll>(access.loop, [&](QueueStore::Done<SettledAll> done) {
    return access.store.Settle(queue, std::move(settlement), std::move(done));
  });
  if (settled.ok() && gives_back) access.on_more();
  co_return settled;
}

net::Task<Result<Backlog>> ReadBacklog(const QueueAccess& access, uint64_t queue) {
  co_return co_await OnThread(access.loop, access.workers,
                              [&] { return access.store.BacklogOf(queue); });
}

net::Task<Result<PeekPage>> PeekMessages(const QueueAccess& access, uint64_t queue, uint64_t from,
                                         size_t count) {
  co_return co_await OnThread(access.loop, access.workers,
                              [&] { return access.store.Peek(queue, from, count); });
}

net::Task<Result<uint64_t>> PurgeQueue(const QueueAccess& access, uint64_t queue) {
  co_return co_await Durable<uint64_t>(access.loop, [&](QueueStore::Done<uint64_t> done) {
    return access.store.Purge(queue, std::move(done));
  });
}

net::Task<Result<uint64_t>> DropQueue(const QueueAccess& access, uint64_t queue) {
  co_return co_await Durable<uint64_t>(access.loop, [&](QueueStore::Done<uint64_t> done) {
    return access.store.Drop(queue, std::move(done));
  });
}

net::Task<Result<uint64_t>> RedriveQueue(const QueueAccess& access, uint64_t queue,
                                         std::optional<uint64_t> to, uint64_t count) {
  uint64_t moved = 0;
  while (moved < count) {
    const uint64_t step = std::min(count - moved, kStepMax);
    const auto now = co_await Durable<uint64_t>(access.loop, [&](QueueStore::Done<uint64_t> done) {
      return access.store.Redrive(queue, to, step, std::move(done));
    });
    if (!now.ok()) co_return now.status();
    moved += *now;
    if (*now > 0) access.on_more();
    if (*now < step) break;
  }
  co_return moved;
}

}  // namespace levada::services::queues
