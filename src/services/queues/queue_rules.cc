#include "services/queues/queue_rules.h"

#include <fmt/format.h>

#include "base/json.h"
#include "base/utf8.h"

namespace levada::services::queues {
namespace {

std::optional<Refusal> CheckRange(const char* name, int64_t value, int64_t min, int64_t max) {
  if (value >= min && value <= max) return std::nullopt;
  return Refusal{Refused::kBadValue,
                 fmt::format("{}: expected {} to {}, got {}", name, min, max, value)};
}

std::optional<Refusal> CheckDelay(const QueueLimits& limits, std::optional<int64_t> delay_s) {
  if (!delay_s) return std::nullopt;
  return CheckRange("delay_seconds", *delay_s, 0, limits.delay_s_max);
}

/// The first of them that is one.
std::optional<Refusal> FirstOf(std::initializer_list<std::optional<Refusal>> all) {
  for (const std::optional<Refusal>& each : all) {
    if (each) return each;
  }
  return std::nullopt;
}

int64_t Signed(size_t size) { return static_cast<int64_t>(size); }

}  // namespace

std::optional<Refusal> CheckSend(const QueueLimits& limits,
                                 const std::vector<NewMessage>& messages) {
  if (messages.empty() || messages.size() > limits.send_count_max) {
    return Refusal{Refused::kTooMany, fmt::format("messages: expected 1 to {}, got {}",
                                                  limits.send_count_max, messages.size())};
  }
  size_t bytes = 0;
  for (const NewMessage& message : messages) {
    if (message.body.size() > limits.message_bytes_max) {
      return Refusal{Refused::kTooLarge,
                     fmt::format("message length of {} bytes exceeds limit of {}",
                                 message.body.size(), limits.message_bytes_max)};
    }
    bytes += message.body.size();
    if (message.type == ContentType::kText && !IsUtf8(message.body)) {
      return Refusal{Refused::kBadValue, "a body of content type \"text\" is not UTF-8"};
    }
    if (message.type == ContentType::kJson && ParseJson(message.body).is_discarded()) {
      return Refusal{Refused::kBadValue, "a body of content type \"json\" is not JSON"};
    }
    if (const auto refusal = CheckDelay(limits, message.delay_s)) return refusal;
  }
  if (bytes > limits.send_bytes_max) {
    return Refusal{Refused::kTooLargeTogether,
                   fmt::format("messages of {} bytes together exceed limit of {}", bytes,
                               limits.send_bytes_max)};
  }
  return std::nullopt;
}

std::optional<Refusal> CheckReceive(const QueueLimits& limits, int64_t count,
                                    int64_t visibility_ms) {
  return FirstOf({CheckRange("batch_size", count, 1, Signed(limits.receive_count_max)),
                  CheckRange("visibility_timeout_ms", visibility_ms, 0, limits.visibility_ms_max)});
}

std::optional<Refusal> CheckSettle(const QueueLimits& limits, size_t ack_count,
                                   const std::vector<std::optional<int64_t>>& delays_s) {
  const size_t count = ack_count + delays_s.size();
  if (count > limits.settle_count_max) {
    return Refusal{Refused::kTooMany, fmt::format("acks and retries: expected at most {}, got {}",
                                                  limits.settle_count_max, count)};
  }
  for (const std::optional<int64_t>& delay_s : delays_s) {
    if (const auto refusal = CheckDelay(limits, delay_s)) return refusal;
  }
  return std::nullopt;
}

std::optional<Refusal> CheckSettings(const QueueLimits& limits, uint64_t queue,
                                     const QueueSettings& settings) {
  if (settings.dead_letter_queue == queue) {
    return Refusal{Refused::kBadValue, "dead_letter_queue: expected another queue, got the same"};
  }
  return FirstOf({CheckRange("delivery_delay", settings.delivery_delay_s, 0, limits.delay_s_max),
                  CheckRange("message_retention_period", settings.retention_s,
                             limits.retention_s_min, limits.retention_s_max),
                  CheckRange("max_retries", settings.retries, 0, limits.retries_max),
                  CheckRange("retry_delay", settings.retry_delay_s, 0, limits.delay_s_max)});
}

std::optional<Refusal> CheckConsumer(const QueueLimits& limits, const PushSettings& settings) {
  return FirstOf(
      {CheckRange("batch_size", Signed(settings.batch_size), 1, Signed(limits.batch_size_max)),
       CheckRange("max_wait_time_ms", settings.wait_ms, 0, limits.wait_ms_max),
       CheckRange("max_concurrency", settings.concurrency_max, 1, limits.concurrency_max)});
}

}  // namespace levada::services::queues
