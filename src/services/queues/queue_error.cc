#include "services/queues/queue_error.h"

#include <utility>

#include "services/core/on_thread.h"
#include "services/queues/queue_store.h"

namespace levada::services::queues {

ApiError NoSuchQueue(QueueDoor door) {
  const int64_t code = door == QueueDoor::kMessages ? kMessageQueueNotFound : kQueueNotFound;
  return {404, code, "queue not found", std::nullopt};
}

ApiError ErrorOfQueue(const Status& status, QueueDoor door) {
  if (IsNoSuchQueue(status)) return NoSuchQueue(door);
  ApiError error = ErrorOf(status);
  if (IsBusy(status)) error.code = kOverloaded;
  return error;
}

ApiError ErrorOfMessages(Refusal refusal) {
  switch (refusal.why) {
    case Refused::kTooLarge:
      return {413, kMessageTooLarge, std::move(refusal.message), std::nullopt};
    case Refused::kTooLargeTogether:
      return {413, kBatchTooLarge, std::move(refusal.message), std::nullopt};
    case Refused::kTooMany:
      return {400, kBadBatchCount, std::move(refusal.message), std::nullopt};
    case Refused::kBadValue:
      break;
  }
  return {400, kBadMetadata, std::move(refusal.message), std::nullopt};
}

ApiError BacklogIsFull() {
  return {429, kBacklogFull, "queue storage limit exceeded: consume or purge what it has",
          std::nullopt};
}

ApiError BadContentType() {
  return {400, kBadMetadata, "content type: expected text, bytes, json or v8", std::nullopt};
}

}  // namespace levada::services::queues
