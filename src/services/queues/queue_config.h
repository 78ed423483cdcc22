#pragma once
// QueueConfig: what is kept of a queue beside its messages: its settings, and the one consumer that
// it may have. Control keeps it as JSON; the store and the dispatcher are told what it comes to.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/fault.h"
#include "services/queues/dispatcher.h"
#include "services/queues/queue_limits.h"

namespace levada::services::queues {

enum class ConsumerKind : uint8_t {
  kWorker,    ///< is pushed to
  kHttpPull,  ///< asks for what there is
};
/// "worker", "http_pull"
std::string_view NameOf(ConsumerKind kind);

/// 1 to 255 letters, digits, hyphens and underscores.
bool IsScriptName(std::string_view name);

struct QueueConsumer {
  ConsumerKind kind = ConsumerKind::kWorker;
  std::string id;      ///< 32 hex digits
  std::string script;  ///< of a Worker
  /// By number, so that it stays the same queue under another name.
  std::optional<uint64_t> dead_letter_queue;
  WallMicros created = 0;
  int64_t batch_size = 10;
  int64_t wait_ms = 5000;
  int64_t concurrency_max = 250;
  int64_t retries = 3;
  int64_t retry_delay_s = 0;
  int64_t visibility_ms = 30'000;  ///< where a pull does not say
  bool operator==(const QueueConsumer&) const = default;
};
/// One that nobody has said anything about.
QueueConsumer DefaultConsumer(ConsumerKind kind);

struct QueueConfig {
  int64_t delivery_delay_s = 0;
  int64_t retention_s = 4 * 86'400;
  bool is_paused = false;
  WallMicros modified = 0;  ///< 0: not since it was made
  WallMicros purged = 0;    ///< the last time; 0: never
  std::optional<QueueConsumer> consumer;
  bool operator==(const QueueConfig&) const = default;
};

/// Numbers that a consumer or a queue is given, by their names in JSON: those of the API.
template <typename Of>
struct NumberMember {
  std::string_view name;
  int64_t Of::* at;
};
/// The settings of a consumer of that kind; of one that is kept all are written.
std::span<const NumberMember<QueueConsumer>> SettingsOf(ConsumerKind kind);
std::span<const NumberMember<QueueConfig>> NumbersOfQueues();

/// What the store goes by.
QueueSettings StoreSettingsOf(const QueueConfig& config);
/// What the dispatcher goes by.
PushSettings PushSettingsOf(const QueueConsumer& consumer);

/// JSON, and back; what Control keeps of a queue. kStoreDamaged for what is not such a text.
std::string TextOf(const QueueConfig& config);
Result<QueueConfig> ParseQueueConfig(std::string_view text);

}  // namespace levada::services::queues
