#pragma once
// What may be asked of a queue, in words: the doors ask here before they ask the store.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "services/queues/dispatcher.h"
#include "services/queues/queue_limits.h"
#include "services/queues/queue_machine.h"

namespace levada::services::queues {

enum class Refused : uint8_t {
  kTooLarge,          ///< a message
  kTooLargeTogether,  ///< the messages of one call
  kTooMany,           ///< of messages in one call
  kBadValue,          ///< a number that is out of its range, a body that is not of its type
};

struct Refusal {
  Refused why = Refused::kBadValue;
  std::string message;  ///< for whoever asked
};

// nullopt, of all: it may be done.

std::optional<Refusal> CheckSend(const QueueLimits& limits,
                                 const std::vector<NewMessage>& messages);
std::optional<Refusal> CheckReceive(const QueueLimits& limits, int64_t count,
                                    int64_t visibility_ms);
/// Their number and the delays.
std::optional<Refusal> CheckSettle(const QueueLimits& limits, size_t ack_count,
                                   const std::vector<std::optional<int64_t>>& delays_s);
/// `queue`: of which they are.
std::optional<Refusal> CheckSettings(const QueueLimits& limits, uint64_t queue,
                                     const QueueSettings& settings);
std::optional<Refusal> CheckConsumer(const QueueLimits& limits, const PushSettings& settings);

}  // namespace levada::services::queues
