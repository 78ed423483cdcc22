#pragma once
// What the doors of queues say when they refuse: Cloudflare's numbers, where it has one for the
// case. Source: developers.cloudflare.com/queues/reference/error-codes; those of the control API
// are what wrangler and its users meet.

#include <cstdint>
#include <string>

#include "base/fault.h"
#include "services/core/api.h"
#include "services/queues/queue_rules.h"

namespace levada::services::queues {

// Of messages.
inline constexpr int64_t kMessageQueueNotFound = 10104;
inline constexpr int64_t kUnauthorized = 10106;
inline constexpr int64_t kBadMetadata = 10203;  ///< a content type, a delay, a body of another type
inline constexpr int64_t kMessageTooLarge = 10204;
inline constexpr int64_t kBatchTooLarge = 10205;
inline constexpr int64_t kBadBatchCount = 10206;
inline constexpr int64_t kBadSchema = 10207;
inline constexpr int64_t kMalformedJson = 10208;
inline constexpr int64_t kOverloaded = 10250;
inline constexpr int64_t kBacklogFull = 10251;
inline constexpr int64_t kUnknownError = 15000;
// Of queues and their consumers.
inline constexpr int64_t kQueueNotFound = 11000;
inline constexpr int64_t kConsumerExists = 11004;
inline constexpr int64_t kNameTaken = 11009;
inline constexpr int64_t kBadConsumerSettings = 100127;
inline constexpr int64_t kBadQueueSettings = 100128;

/// Of the calls about messages, and of those about queues.
enum class QueueDoor : uint8_t { kMessages, kControl };

ApiError NoSuchQueue(QueueDoor door);
/// What the store or the control database failed with.
ApiError ErrorOfQueue(const Status& status, QueueDoor door);
/// Of messages: what CheckSend, CheckReceive and CheckSettle say.
ApiError ErrorOfMessages(Refusal refusal);
ApiError BacklogIsFull();
/// Of a binding's message.
ApiError BadContentType();

}  // namespace levada::services::queues
