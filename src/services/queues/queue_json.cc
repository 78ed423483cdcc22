#include "services/queues/queue_json.h"

#include <limits>
#include <utility>

#include "base/binary_text.h"
#include "base/json.h"

namespace levada::services::queues {
namespace {

// Cloudflare names here by what way a message came; that is not kept.
constexpr std::string_view kSource = "levada";
constexpr size_t kMembersMax = 1000;  // of a list in a request: more than any limit takes

ApiError BadMember(std::string_view name, std::string_view expected) {
  return {400, kBadSchema, "\"" + std::string(name) + "\": expected " + std::string(expected),
          std::nullopt};
}

const Json* Member(const Json& body, std::string_view name) {
  const auto at = body.find(name);
  return at == body.end() || at->is_null() ? nullptr : &*at;
}

/// A text; nullopt when it is not there, or is something else, which `error` says.
std::optional<std::string> TextMember(const Json& body, std::string_view name,
                                      std::optional<ApiError>& error) {
  const Json* member = Member(body, name);
  if (member == nullptr) return std::nullopt;
  if (!member->is_string()) {
    error = BadMember(name, "a text");
    return std::nullopt;
  }
  return member->get<std::string>();
}

/// A whole number, if it is there and is one.
struct AskedNumber {
  std::optional<ApiError> error;
  std::optional<int64_t> value;
};

AskedNumber ReadNumber(const Json& body, std::string_view name) {
  const Json* member = Member(body, name);
  if (member == nullptr) return {};
  constexpr auto kMost = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
  const bool is_whole = member->is_number_integer() &&
                        (!member->is_number_unsigned() || member->get<uint64_t>() <= kMost);
  if (!is_whole) return {BadMember(name, "a whole number"), std::nullopt};
  return {std::nullopt, member->get<int64_t>()};
}

template <typename Of>
std::optional<ApiError> ReadNumbers(const Json& settings, std::span<const NumberMember<Of>> members,
                                    Of& of) {
  for (const NumberMember<Of>& member : members) {
    const AskedNumber number = ReadNumber(settings, member.name);
    if (number.error) return number.error;
    if (number.value) of.*(member.at) = *number.value;
  }
  return std::nullopt;
}

std::optional<ApiError> ReadBody(const Json& item, NewMessage& message) {
  std::optional<ApiError> error;
  const auto named = TextMember(item, "content_type", error);
  if (error) return error;
  const auto type = named ? ContentTypeOf(*named) : ContentType::kJson;
  if (!type) return BadMember("content_type", R"("json", "text", "bytes" or "v8")");
  message.type = *type;
  const auto body = item.find("body");
  if (body == item.end()) return BadMember("body", "what is to be sent");
  if (*type == ContentType::kJson) {
    message.body = Dump(*body);
    return std::nullopt;
  }
  if (!body->is_string()) return BadMember("body", "a text, for that is its content type");
  message.body = body->get<std::string>();
  if (*type == ContentType::kText) return std::nullopt;
  std::optional<std::string> bytes = BytesOfBase64(message.body);
  if (!bytes) return BadMember("body", "base64, for its content type is bytes");
  message.body = *std::move(bytes);
  return std::nullopt;
}

std::optional<ApiError> ReadMessage(const Json& item, std::optional<int64_t> delay_s,
                                    NewMessage& message) {
  if (!item.is_object()) return BadMember("messages", "objects");
  if (auto error = ReadBody(item, message)) return error;
  const AskedNumber own = ReadNumber(item, "delay_seconds");
  message.delay_s = own.value ? own.value : delay_s;
  return own.error;
}

std::string BodyText(ContentType type, const std::string& body) {
  return type == ContentType::kText ? body : Base64Of(body);
}

Json MetadataOf(ContentType type) {
  return {{"CF-sourceMessageSource", kSource}, {"CF-Content-Type", NameOf(type)}};
}

Json ConsumerJsonOf(const KnownQueue& queue, const NameOfQueue& name_of) {
  const QueueConsumer& consumer = *queue.config.consumer;
  Json json = {{"consumer_id", consumer.id},
               {"type", NameOf(consumer.kind)},
               {"queue_id", queue.resource.id},
               {"queue_name", queue.resource.name},
               {"created_on", FormatTimestamp(consumer.created)}};
  if (consumer.kind == ConsumerKind::kWorker) {
    // wrangler looks for the first, Cloudflare's SDKs for the second.
    json["script"] = consumer.script;
    json["script_name"] = consumer.script;
  }
  if (consumer.dead_letter_queue) {
    json["dead_letter_queue"] = name_of(*consumer.dead_letter_queue);
  }
  Json settings = Json::object();
  for (const auto& member : SettingsOf(consumer.kind)) {
    settings[std::string(member.name)] = consumer.*(member.at);
  }
  json["settings"] = std::move(settings);
  return json;
}

std::optional<Json> ParseObject(std::string_view text) {
  if (text.empty()) return Json::object();
  Json json = ParseJson(text);
  if (!json.is_object()) return std::nullopt;
  return json;
}

ApiError NotAnObject() {
  return {400, kMalformedJson, "the body is not a JSON object", std::nullopt};
}

std::optional<ApiError> ReadSettings(const Json& body, QueueConfig& config) {
  const Json* settings = Member(body, "settings");
  if (settings == nullptr) return std::nullopt;
  if (!settings->is_object()) return BadMember("settings", "an object");
  if (const Json* paused = Member(*settings, "delivery_paused")) {
    if (!paused->is_boolean()) return BadMember("delivery_paused", "true or false");
    config.is_paused = paused->get<bool>();
  }
  return ReadNumbers(*settings, NumbersOfQueues(), config);
}

std::optional<ApiError> ReadOfBinding(const Json& item, std::optional<int64_t> delay_s,
                                      NewMessage& message) {
  if (!item.is_object()) return BadMember("messages", "objects");
  const Json* body = Member(item, "body");
  std::optional<std::string> bytes = body != nullptr && body->is_string()
                                         ? BytesOfBase64(body->get_ref<const std::string&>())
                                         : std::nullopt;
  if (!bytes) return BadMember("body", "base64");
  message.body = *std::move(bytes);
  std::optional<ApiError> error;
  const auto named = TextMember(item, "contentType", error);
  if (error) return BadContentType();
  // A Worker that says nothing has it serialized.
  const auto type = named ? ContentTypeOf(*named) : ContentType::kV8;
  if (!type) return BadContentType();
  message.type = *type;
  const AskedNumber own = ReadNumber(item, "delaySecs");
  message.delay_s = own.value ? own.value : delay_s;
  return own.error;
}

/// `read` of each member of "messages".
template <typename Read>
AskedMessages ReadEach(const Json& body, Read read) {
  AskedMessages asked;
  const Json* items = Member(body, "messages");
  if (items == nullptr || !items->is_array()) {
    asked.error = BadMember("messages", "an array");
  } else if (items->size() > kMembersMax) {
    asked.error = ApiError{400, kBadBatchCount, "messages: too many", std::nullopt};
  } else {
    for (const Json& item : *items) {
      asked.error = read(item, asked.messages.emplace_back());
      if (asked.error) break;
    }
  }
  return asked;
}

/// The leases of "acks" or "retries".
std::optional<ApiError> ReadLeases(const Json& body, std::string_view name,
                                   std::vector<std::string>& leases,
                                   std::vector<std::optional<int64_t>>& delays_s) {
  const Json* items = Member(body, name);
  if (items == nullptr) return std::nullopt;
  if (!items->is_array()) return BadMember(name, "an array");
  if (items->size() > kMembersMax) {
    return ApiError{400, kBadBatchCount, std::string(name) + ": too many", std::nullopt};
  }
  for (const Json& item : *items) {
    std::optional<ApiError> error;
    std::optional<std::string> lease;
    if (item.is_object()) lease = TextMember(item, "lease_id", error);
    if (!lease) return BadMember(name, R"([{"lease_id": ...}])");
    const AskedNumber delay = ReadNumber(item, "delay_seconds");
    if (delay.error) return delay.error;
    leases.push_back(*std::move(lease));
    delays_s.push_back(delay.value);
  }
  return std::nullopt;
}

}  // namespace

// ---- shown

std::string ShowConsumer(const KnownQueue& queue, const NameOfQueue& name_of) {
  return Dump(ConsumerJsonOf(queue, name_of));
}

std::string ShowQueue(const KnownQueue& queue, const NameOfQueue& name_of) {
  const QueueConfig& config = queue.config;
  const WallMicros modified = config.modified == 0 ? queue.resource.created : config.modified;
  Json consumers = Json::array();
  if (config.consumer) consumers.push_back(ConsumerJsonOf(queue, name_of));
  return Dump(Json{{"queue_id", queue.resource.id},
                   {"queue_name", queue.resource.name},
                   {"created_on", FormatTimestamp(queue.resource.created)},
                   {"modified_on", FormatTimestamp(modified)},
                   {"producers_total_count", 0},
                   {"producers", Json::array()},
                   {"consumers_total_count", consumers.size()},
                   {"consumers", consumers},
                   {"settings",
                    {{"delivery_delay", config.delivery_delay_s},
                     {"delivery_paused", config.is_paused},
                     {"message_retention_period", config.retention_s}}}});
}

std::string ShowBacklog(const Backlog& backlog) {
  return Dump(Json{{"backlog_count", backlog.count},
                   {"backlog_bytes", backlog.bytes},
                   {"oldest_message_timestamp_ms", backlog.oldest_ms}});
}

std::string ShowBacklogToBinding(const Backlog& backlog) {
  return Dump(Json{{"backlogCount", backlog.count},
                   {"backlogBytes", backlog.bytes},
                   {"oldestMessageTimestamp", backlog.oldest_ms}});
}

std::string ShowMessage(const Delivered& message, const std::string& lease_id) {
  return Dump(Json{{"id", message.id},
                   {"body", BodyText(message.type, message.body)},
                   {"timestamp_ms", message.timestamp_ms},
                   {"attempts", message.lease.attempt},
                   {"lease_id", lease_id},
                   {"metadata", MetadataOf(message.type)}});
}

std::string ShowMessage(const Peeked& message) {
  return Dump(Json{{"id", message.id},
                   {"body", BodyText(message.type, message.body)},
                   {"timestamp_ms", message.timestamp_ms},
                   {"metadata", MetadataOf(message.type)}});
}

std::string ListOf(const std::vector<std::string>& texts) {
  std::string list = "[";
  for (const std::string& text : texts) {
    if (list.size() > 1) list += ",";
    list += text;
  }
  return list + "]";
}

// ---- asked

AskedQueue ReadQueue(std::string_view text, QueueConfig& config) {
  const std::optional<Json> body = ParseObject(text);
  if (!body) return {NotAnObject(), std::nullopt};
  AskedQueue asked;
  asked.name = TextMember(*body, "queue_name", asked.error);
  if (!asked.error) asked.error = ReadSettings(*body, config);
  return asked;
}

AskedConsumer ReadConsumer(std::string_view text) {
  AskedConsumer read;
  const std::optional<Json> body = ParseObject(text);
  if (!body) return {NotAnObject(), {}};
  const auto type = TextMember(*body, "type", read.error);
  if (read.error) return read;
  if (type != "worker" && type != "http_pull") {
    return {BadMember("type", R"("worker" or "http_pull")"), {}};
  }
  QueueConsumer& consumer = read.wanted.consumer;
  consumer = DefaultConsumer(type == "worker" ? ConsumerKind::kWorker : ConsumerKind::kHttpPull);
  if (consumer.kind == ConsumerKind::kWorker) {
    const auto script = TextMember(*body, "script_name", read.error);
    if (read.error) return read;
    if (!script || !IsScriptName(*script)) {
      return {BadMember("script_name", "a Worker's name: letters, digits, hyphens, underscores"),
              {}};
    }
    consumer.script = *script;
  }
  read.wanted.dead_letter_queue = TextMember(*body, "dead_letter_queue", read.error);
  if (read.error) return read;
  if (const Json* settings = Member(*body, "settings")) {
    if (!settings->is_object()) return {BadMember("settings", "an object"), {}};
    read.error = ReadNumbers(*settings, SettingsOf(consumer.kind), consumer);
  }
  return read;
}

AskedMessages ReadOne(std::string_view text) {
  const std::optional<Json> body = ParseObject(text);
  if (!body) return {NotAnObject(), {}};
  AskedMessages asked;
  asked.error = ReadMessage(*body, std::nullopt, asked.messages.emplace_back());
  return asked;
}

AskedMessages ReadBatch(std::string_view text) {
  const std::optional<Json> body = ParseObject(text);
  if (!body) return {NotAnObject(), {}};
  const AskedNumber delay = ReadNumber(*body, "delay_seconds");
  if (delay.error) return {delay.error, {}};
  return ReadEach(*body, [&delay](const Json& item, NewMessage& message) {
    return ReadMessage(item, delay.value, message);
  });
}

AskedMessages ReadBindingBatch(std::string_view text, std::optional<int64_t> delay_s) {
  const std::optional<Json> body = ParseObject(text);
  if (!body) return {NotAnObject(), {}};
  return ReadEach(*body, [delay_s](const Json& item, NewMessage& message) {
    return ReadOfBinding(item, delay_s, message);
  });
}

AskedPull ReadPull(std::string_view text, const QueueConsumer& consumer) {
  const std::optional<Json> body = ParseObject(text);
  if (!body) return {NotAnObject(), 0, 0};
  const AskedNumber count = ReadNumber(*body, "batch_size");
  AskedNumber visibility = ReadNumber(*body, "visibility_timeout_ms");
  // As wrangler's own example has it.
  if (!visibility.value && !visibility.error) {
    visibility = ReadNumber(*body, "visibility_timeout");
  }
  return {count.error ? count.error : visibility.error, count.value.value_or(consumer.batch_size),
          visibility.value.value_or(consumer.visibility_ms)};
}

AskedAnswers ReadAnswers(std::string_view text) {
  AskedAnswers read;
  const std::optional<Json> body = ParseObject(text);
  if (!body) {
    read.error = NotAnObject();
    return read;
  }
  std::vector<std::optional<int64_t>> none;
  read.error = ReadLeases(*body, "acks", read.acks, none);
  if (!read.error) read.error = ReadLeases(*body, "retries", read.retries, read.delays_s);
  return read;
}

std::optional<ApiError> ReadPurge(std::string_view text) {
  const std::optional<Json> body = ParseObject(text);
  if (!body) return NotAnObject();
  const Json* is_meant = Member(*body, "delete_messages_permanently");
  if (is_meant != nullptr && *is_meant == true) return std::nullopt;
  return BadMember("delete_messages_permanently", "true, for that is what is done");
}

AskedRedrive ReadRedrive(std::string_view text) {
  AskedRedrive asked;
  const std::optional<Json> body = ParseObject(text);
  if (!body) {
    asked.error = NotAnObject();
    return asked;
  }
  asked.to = TextMember(*body, "queue_name", asked.error);
  if (asked.error) return asked;
  AskedNumber count = ReadNumber(*body, "count");
  asked.error = std::move(count.error);
  asked.count = count.value;
  return asked;
}

}  // namespace levada::services::queues
