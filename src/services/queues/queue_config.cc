#include "services/queues/queue_config.h"

#include <algorithm>
#include <utility>

#include "base/json.h"
#include "net/ascii.h"

namespace levada::services::queues {
namespace {

using ConsumerMember = NumberMember<QueueConsumer>;
using QueueMember = NumberMember<QueueConfig>;

constexpr int64_t kPullBatchSize = 5;
constexpr size_t kScriptNameBytesMax = 255;

constexpr ConsumerMember kOfWorkers[] = {
    {"batch_size", &QueueConsumer::batch_size},
    {"max_retries", &QueueConsumer::retries},
    {"max_wait_time_ms", &QueueConsumer::wait_ms},
    {"max_concurrency", &QueueConsumer::concurrency_max},
    {"retry_delay", &QueueConsumer::retry_delay_s},
};
constexpr ConsumerMember kOfPullers[] = {
    {"batch_size", &QueueConsumer::batch_size},
    {"max_retries", &QueueConsumer::retries},
    {"visibility_timeout_ms", &QueueConsumer::visibility_ms},
    {"retry_delay", &QueueConsumer::retry_delay_s},
};
constexpr QueueMember kOfQueues[] = {
    {"delivery_delay", &QueueConfig::delivery_delay_s},
    {"message_retention_period", &QueueConfig::retention_s},
};
// Kept, and not the user's to set.
constexpr QueueMember kTimesOfQueues[] = {
    {"modified", &QueueConfig::modified},
    {"purged", &QueueConfig::purged},
};

Status Damaged() {
  return Fault(FaultCode::kStoreDamaged, "queues: the settings of a queue are damaged");
}

std::optional<ConsumerKind> KindOf(std::string_view name) {
  for (const ConsumerKind kind : {ConsumerKind::kWorker, ConsumerKind::kHttpPull}) {
    if (name == NameOf(kind)) return kind;
  }
  return std::nullopt;
}

/// False: it is none of them, or no number.
template <typename Of>
bool Take(std::span<const NumberMember<Of>> members, std::string_view name, const Json& value,
          Of& of) {
  const auto member = std::ranges::find(members, name, &NumberMember<Of>::name);
  if (member == members.end() || !value.is_number_integer()) return false;
  of.*(member->at) = value.template get<int64_t>();
  return true;
}

Json JsonOf(const QueueConsumer& consumer) {
  Json json = {{"id", consumer.id}, {"type", NameOf(consumer.kind)}, {"created", consumer.created}};
  if (consumer.kind == ConsumerKind::kWorker) json["script"] = consumer.script;
  if (consumer.dead_letter_queue) json["dead_letter_queue"] = *consumer.dead_letter_queue;
  for (const ConsumerMember& member : SettingsOf(consumer.kind)) {
    json[std::string(member.name)] = consumer.*(member.at);
  }
  return json;
}

Result<QueueConsumer> ConsumerOf(const Json& json) {
  if (!json.is_object() || !json.contains("type") || !json["type"].is_string()) return Damaged();
  const auto kind = KindOf(json["type"].get_ref<const std::string&>());
  if (!kind) return Damaged();
  QueueConsumer consumer = DefaultConsumer(*kind);
  for (const auto& [name, value] : json.items()) {
    if (name == "type") continue;
    if (name == "id" && value.is_string()) {
      consumer.id = value.get<std::string>();
    } else if (name == "script" && value.is_string()) {
      consumer.script = value.get<std::string>();
    } else if (name == "created" && value.is_number_integer()) {
      consumer.created = value.get<int64_t>();
    } else if (name == "dead_letter_queue" && value.is_number_unsigned()) {
      consumer.dead_letter_queue = value.get<uint64_t>();
    } else if (!Take(SettingsOf(*kind), name, value, consumer)) {
      return Damaged();
    }
  }
  return consumer;
}

}  // namespace

std::string_view NameOf(ConsumerKind kind) {
  return kind == ConsumerKind::kWorker ? "worker" : "http_pull";
}

bool IsScriptName(std::string_view name) {
  return !name.empty() && name.size() <= kScriptNameBytesMax &&
         std::ranges::all_of(
             name, [](char c) { return net::IsLetterOrDigit(c) || c == '-' || c == '_'; });
}

QueueConsumer DefaultConsumer(ConsumerKind kind) {
  QueueConsumer consumer;
  consumer.kind = kind;
  if (kind == ConsumerKind::kHttpPull) consumer.batch_size = kPullBatchSize;
  return consumer;
}

std::span<const ConsumerMember> SettingsOf(ConsumerKind kind) {
  if (kind == ConsumerKind::kWorker) return kOfWorkers;
  return kOfPullers;
}

std::span<const QueueMember> NumbersOfQueues() { return kOfQueues; }

QueueSettings StoreSettingsOf(const QueueConfig& config) {
  QueueSettings settings{.delivery_delay_s = config.delivery_delay_s,
                         .retention_s = config.retention_s,
                         .is_paused = config.is_paused};
  if (config.consumer) {
    settings.retries = config.consumer->retries;
    settings.retry_delay_s = config.consumer->retry_delay_s;
    settings.dead_letter_queue = config.consumer->dead_letter_queue;
  }
  return settings;
}

PushSettings PushSettingsOf(const QueueConsumer& consumer) {
  return {.batch_size = static_cast<size_t>(std::max<int64_t>(consumer.batch_size, 0)),
          .wait_ms = consumer.wait_ms,
          .concurrency_max = consumer.concurrency_max};
}

std::string TextOf(const QueueConfig& config) {
  Json json = Json::object();
  for (const auto members :
       {std::span<const QueueMember>(kOfQueues), std::span<const QueueMember>(kTimesOfQueues)}) {
    for (const QueueMember& member : members) {
      json[std::string(member.name)] = config.*(member.at);
    }
  }
  if (config.is_paused) json["delivery_paused"] = true;
  if (config.consumer) json["consumer"] = JsonOf(*config.consumer);
  return Dump(json);
}

Result<QueueConfig> ParseQueueConfig(std::string_view text) {
  QueueConfig config;
  if (text.empty()) return config;
  const Json json = ParseJson(text);
  if (!json.is_object()) return Damaged();
  for (const auto& [name, value] : json.items()) {
    if (name == "delivery_paused" && value.is_boolean()) {
      config.is_paused = value.get<bool>();
    } else if (name == "consumer") {
      ARROW_ASSIGN_OR_RAISE(config.consumer, ConsumerOf(value));
    } else if (!Take(std::span<const QueueMember>(kOfQueues), name, value, config) &&
               !Take(std::span<const QueueMember>(kTimesOfQueues), name, value, config)) {
      return Damaged();
    }
  }
  return config;
}

}  // namespace levada::services::queues
