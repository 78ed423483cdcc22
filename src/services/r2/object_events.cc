// The event notifications of ObjectStore.

#include <utility>

#include "services/r2/object_store.h"

namespace levada::services::r2 {

using net::Task;

void ObjectStore::SetEvents(uint64_t bucket, std::shared_ptr<const BucketEvents> events) {
  if (events == nullptr) {
    events_.erase(bucket);
  } else {
    events_[bucket] = std::move(events);
  }
}

/// In the commit of what it tells: neither is there without the other.
void ObjectStore::Announce(Change& change, uint64_t bucket, ObjectEvent event) {
  const auto at = events_.find(bucket);
  if (at == events_.end()) return;
  const std::vector<uint64_t> queues = QueuesOf(at->second->rules, event.action, event.key);
  if (queues.empty()) return;
  event.at_ms = NowMs();
  const std::string message = MessageOf(*at->second, event);
  for (const uint64_t queue : queues) {
    change.batch.Put(kEvents, EventKey(queue, NextStamp()), message);
  }
  change.has_events = true;
}

Task<Result<WaitingEvents>> ObjectStore::Events(uint64_t queue, size_t count, size_t bytes) {
  co_return co_await OnWorker(
      [this, queue, count, bytes] { return index_->Events(queue, count, bytes); });
}

Task<Status> ObjectStore::ForgetEvents(std::vector<std::string> keys) {
  Change change;
  for (std::string& key : keys) change.batch.Delete(kEvents, std::move(key));
  co_return co_await Write(std::move(change));
}

}  // namespace levada::services::r2
