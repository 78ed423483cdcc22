#pragma once
// JSON of queues, both ways: what is asked of a queue, its consumer and its messages, and how they
// are shown. Shapes: Cloudflare's API reference, "Queues"; what wrangler sends is in
// tests/platform/test_wrangler.py; the batch of a binding is workerd's. Nothing here knows a store.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "services/queues/queue_error.h"
#include "services/queues/queues.h"

namespace levada::services::queues {

/// Of a dead letter queue, for whoever reads: its name; "" when there is none of that number.
using NameOfQueue = std::function<std::string(uint64_t number)>;

// JSON texts.

std::string ShowQueue(const KnownQueue& queue, const NameOfQueue& name_of);
/// Of a queue that has one.
std::string ShowConsumer(const KnownQueue& queue, const NameOfQueue& name_of);
std::string ShowBacklog(const Backlog& backlog);
std::string ShowBacklogToBinding(const Backlog& backlog);
/// As a consumer that pulls gets it: bodies that are no text in base64.
std::string ShowMessage(const Delivered& message, const std::string& lease_id);
std::string ShowMessage(const Peeked& message);
/// "[a,b]"
std::string ListOf(const std::vector<std::string>& texts);

// Of all below: `body` is a JSON object, "" counts as {}. An error says what is not as it should
// be; whether numbers are in their ranges is for queue_rules.h to say.

struct AskedQueue {
  std::optional<ApiError> error;
  std::optional<std::string> name;
};
/// Changes the settings that are named, of `config` as it is.
AskedQueue ReadQueue(std::string_view body, QueueConfig& config);

struct AskedConsumer {
  std::optional<ApiError> error;
  WantedConsumer wanted;
};
AskedConsumer ReadConsumer(std::string_view body);

struct AskedMessages {
  std::optional<ApiError> error;
  std::vector<NewMessage> messages;
};
/// {"body", "content_type"?, "delay_seconds"?}
AskedMessages ReadOne(std::string_view body);
/// {"messages": [...], "delay_seconds"?}
AskedMessages ReadBatch(std::string_view body);
/// Of a binding: {"messages": [{"body": base64, "contentType"?, "delaySecs"?}]}. `delay_s`: of
/// those that have none of their own.
AskedMessages ReadBindingBatch(std::string_view body, std::optional<int64_t> delay_s);

struct AskedPull {
  std::optional<ApiError> error;
  int64_t count = 0;
  int64_t visibility_ms = 0;
};
/// Where it does not say, as the consumer has it.
AskedPull ReadPull(std::string_view body, const QueueConsumer& consumer);

/// Leases by their texts.
struct AskedAnswers {
  std::optional<ApiError> error;
  std::vector<std::string> acks;
  std::vector<std::string> retries;
  std::vector<std::optional<int64_t>> delays_s;  ///< of the retries
};
AskedAnswers ReadAnswers(std::string_view body);

/// Whether it says that it means it.
std::optional<ApiError> ReadPurge(std::string_view body);

struct AskedRedrive {
  std::optional<ApiError> error;
  std::optional<std::string> to;  ///< the name of a queue
  std::optional<int64_t> count;
};
AskedRedrive ReadRedrive(std::string_view body);

}  // namespace levada::services::queues
