#pragma once
// What the doors of queues share: the store as tasks of the loop. A change is answered when it is
// durable; what reads runs on a thread.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "net/loop.h"
#include "services/core/control.h"
#include "services/queues/queue_store.h"

namespace levada::services::queues {

/// How a door waits for the store: the loop to come back to, and the threads that may block.
struct QueueAccess {
  QueueStore& store;
  Control& control;
  net::Loop& loop;
  net::Workers& workers;
  /// Of whoever delivers: some queue may have more to give. On the loop.
  std::function<void()> on_more = [] {};
};

// Of all of these: Busy (core/on_thread.h) when too much waits, IsNoSuchQueue for one that is not
// there any more, or what the store fails with.

/// What a sender is told: where the queue stands then.
struct SendAnswer {
  SendOutcome outcome = SendOutcome::kStored;
  Backlog backlog;
};
net::Task<Result<SendAnswer>> SendMessages(const QueueAccess& access, uint64_t queue,
                                           std::vector<NewMessage> messages);
net::Task<Result<std::vector<Delivered>>> ReceiveMessages(const QueueAccess& access, uint64_t queue,
                                                          size_t count, int64_t visibility_ms);
net::Task<Result<SettledAll>> SettleMessages(const QueueAccess& access, uint64_t queue,
                                             Settlement settlement);
net::Task<Result<Backlog>> ReadBacklog(const QueueAccess& access, uint64_t queue);
net::Task<Result<PeekPage>> PeekMessages(const QueueAccess& access, uint64_t queue, uint64_t from,
                                         size_t count);
/// How many messages there were.
net::Task<Result<uint64_t>> PurgeQueue(const QueueAccess& access, uint64_t queue);
net::Task<Result<uint64_t>> DropQueue(const QueueAccess& access, uint64_t queue);
/// Up to `count` messages, in steps that hold nobody up. How many were moved.
net::Task<Result<uint64_t>> RedriveQueue(const QueueAccess& access, uint64_t queue,
                                         std::optional<uint64_t> to, uint64_t count);

}  // namespace levada::services::queues
