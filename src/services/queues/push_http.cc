#include "services/queues/push_http.h"

#include <limits>
#include <utility>

#include "base/binary_text.h"
#include "base/json.h"
#include "base/utf8.h"
#include "net/client.h"
#include "services/queues/queue_json.h"

namespace levada::services::queues {
namespace {

using net::Task;

// More than a batch has messages.
constexpr size_t kMembersMax = 1000;

/// Text and JSON as they are, if they are; other bytes in base64.
void AddBody(const Delivered& message, Json& json) {
  if (message.type == ContentType::kText && IsUtf8(message.body)) {
    json["text"] = message.body;
    return;
  }
  if (message.type == ContentType::kJson) {
    Json body = ParseJson(message.body);
    if (!body.is_discarded()) {
      json["json"] = std::move(body);
      return;
    }
  }
  json["b64"] = Base64Of(message.body);
  json["fmt"] = NameOf(message.type == ContentType::kV8 ? ContentType::kV8 : ContentType::kBytes);
}

/// A flag, false when it is not there; nullopt when it is something else.
std::optional<bool> FlagOf(const Json& json, const char* name) {
  const auto at = json.find(name);
  if (at == json.end()) return false;
  if (!at->is_boolean()) return std::nullopt;
  return at->get<bool>();
}

struct Delay {
  bool is_bad = false;
  std::optional<int64_t> seconds = {};
};

Delay DelayOf(const Json& json) {
  const auto at = json.find("delaySeconds");
  if (at == json.end() || at->is_null()) return {};
  // Workers count in doubles.
  constexpr double kMost = std::numeric_limits<int32_t>::max();
  if (!at->is_number() || !(at->get<double>() >= 0) || at->get<double>() > kMost) {
    return {.is_bad = true};
  }
  return {.seconds = static_cast<int64_t>(at->get<double>())};
}

bool ReadAcks(const Json& json, BatchAnswer& answer) {
  const auto at = json.find("explicitAcks");
  if (at == json.end()) return true;
  if (!at->is_array() || at->size() > kMembersMax) return false;
  for (const Json& each : *at) {
    if (!each.is_string()) return false;
    answer.acks.push_back(each.get<std::string>());
  }
  return true;
}

bool ReadRetries(const Json& json, BatchAnswer& answer) {
  const auto at = json.find("retryMessages");
  if (at == json.end()) return true;
  if (!at->is_array() || at->size() > kMembersMax) return false;
  for (const Json& each : *at) {
    if (!each.is_object() || !each.contains("msgId") || !each["msgId"].is_string()) return false;
    const Delay delay = DelayOf(each);
    if (delay.is_bad) return false;
    answer.retries.push_back({each["msgId"].get<std::string>(), delay.seconds});
  }
  return true;
}

bool ReadRetryOfAll(const Json& json, BatchAnswer& answer) {
  const auto at = json.find("retryBatch");
  if (at == json.end()) return true;
  if (!at->is_object()) return false;
  const std::optional<bool> retries = FlagOf(*at, "retry");
  const Delay delay = DelayOf(*at);
  if (!retries || delay.is_bad) return false;
  answer.retries_all = *retries;
  answer.retry_all_delay_s = delay.seconds;
  return true;
}

}  // namespace

std::string TextOf(const PushBatch& batch) {
  Json messages = Json::array();
  for (const Delivered& message : batch.messages) {
    Json json{
        {"id", message.id}, {"ts", message.timestamp_ms}, {"attempts", message.lease.attempt}};
    AddBody(message, json);
    messages.push_back(std::move(json));
  }
  return Dump(
      Json{{"queue", batch.target.queue},
           {"messages", std::move(messages)},
           {"metadata", Json{{"metrics", ParseJson(ShowBacklogToBinding(batch.backlog))}}}});
}

std::optional<BatchAnswer> ReadBatchAnswer(std::string_view text) {
  const Json json = ParseJson(text);
  if (!json.is_object() || !json.contains("outcome") || !json["outcome"].is_string()) {
    return std::nullopt;
  }
  BatchAnswer answer{.is_ok = json["outcome"] == "ok"};
  const std::optional<bool> acks_all = FlagOf(json, "ackAll");
  if (!acks_all || !ReadRetryOfAll(json, answer) || !ReadAcks(json, answer) ||
      !ReadRetries(json, answer)) {
    return std::nullopt;
  }
  answer.acks_all = *acks_all;
  return answer;
}

Task<std::optional<BatchAnswer>> HttpDeliver::Run(PushBatch batch) {
  net::ClientRequest request;
  request.url = address_;
  if (request.url.target.ends_with('/')) request.url.target.pop_back();
  // A Worker's name has nothing in it that a path would have to escape.
  request.url.target += "/queue/" + batch.target.script;
  request.headers.Add("Content-Type", "application/json");
  request.body = TextOf(batch);
  request.timeout = timeout_;
  const Result<net::ClientAnswer> answered = co_await net::Post(loop_, nullptr, std::move(request));
  std::optional<BatchAnswer> answer;
  if (answered.ok() && answered->status == 200) answer = ReadBatchAnswer(answered->body);
  if (!answer) {
    log_.Warning(
        "queues: a batch had no answer, its messages come again",
        {{"queue", batch.target.queue},
         {"script", batch.target.script},
         {"cause", answered.ok() ? "the answer has status " + std::to_string(answered->status) +
                                       ", or is not the one of a batch"
                                 : answered.status().ToString()}});
  }
  co_return answer;
}

}  // namespace levada::services::queues
