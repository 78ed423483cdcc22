#include "services/r2/notifications.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/json.h"

namespace levada::services::r2 {
namespace {

// In the order of ObjectAction.
constexpr std::array<std::string_view, 5> kActions = {
    "PutObject", "CopyObject", "CompleteMultipartUpload", "DeleteObject", "LifecycleDeletion"};

std::optional<std::string> Member(const Json& json, const char* name) {
  const auto at = json.find(name);
  if (at == json.end() || !at->is_string()) return std::nullopt;
  return at->get<std::string>();
}

std::optional<std::vector<ObjectAction>> ActionsOf(const Json& json) {
  if (!json.is_array()) return std::nullopt;
  std::vector<ObjectAction> actions;
  for (const Json& each : json) {
    const auto action = each.is_string() ? ObjectActionOf(each.get_ref<const std::string&>())
                                         : std::optional<ObjectAction>();
    if (!action) return std::nullopt;
    actions.push_back(*action);
  }
  return actions;
}

Json JsonOf(const NotificationRule& rule) {
  Json actions = Json::array();
  for (const ObjectAction action : rule.actions) actions.push_back(NameOf(action));
  return {{"id", rule.id},          {"queue", rule.queue},   {"actions", actions},
          {"prefix", rule.prefix},  {"suffix", rule.suffix}, {"description", rule.description},
          {"created", rule.created}};
}

std::optional<NotificationRule> RuleOf(const Json& json) {
  if (!json.is_object() || !json.contains("queue") || !json["queue"].is_number_unsigned() ||
      !json.contains("created") || !json["created"].is_number_integer() ||
      !json.contains("actions")) {
    return std::nullopt;
  }
  auto actions = ActionsOf(json["actions"]);
  auto id = Member(json, "id");
  auto prefix = Member(json, "prefix");
  auto suffix = Member(json, "suffix");
  auto description = Member(json, "description");
  if (!actions || !id || !prefix || !suffix || !description) return std::nullopt;
  return NotificationRule{.id = *std::move(id),
                          .queue = json["queue"].get<uint64_t>(),
                          .actions = *std::move(actions),
                          .prefix = *std::move(prefix),
                          .suffix = *std::move(suffix),
                          .description = *std::move(description),
                          .created = json["created"].get<int64_t>()};
}

}  // namespace

std::string_view NameOf(ObjectAction action) { return kActions.at(static_cast<size_t>(action)); }

std::optional<ObjectAction> ObjectActionOf(std::string_view name) {
  const auto at = std::ranges::find(kActions, name);
  if (at == kActions.end()) return std::nullopt;
  return static_cast<ObjectAction>(at - kActions.begin());
}

bool NotificationRule::Matches(ObjectAction action, std::string_view key) const {
  return std::ranges::find(actions, action) != actions.end() && key.starts_with(prefix) &&
         key.ends_with(suffix);
}

std::vector<uint64_t> QueuesOf(const std::vector<NotificationRule>& rules, ObjectAction action,
                               std::string_view key) {
  std::vector<uint64_t> queues;
  for (const NotificationRule& rule : rules) {
    if (rule.Matches(action, key)) queues.push_back(rule.queue);
  }
  std::ranges::sort(queues);
  queues.erase(std::unique(queues.begin(), queues.end()), queues.end());
  return queues;
}

std::string MessageOf(const BucketEvents& of, const ObjectEvent& event) {
  Json object{{"key", event.key}};
  if (event.bytes) {
    object["size"] = *event.bytes;
    object["eTag"] = event.etag;
  }
  Json message{{"account", of.account},
               {"action", NameOf(event.action)},
               {"bucket", of.bucket},
               {"object", std::move(object)},
               {"eventTime", FormatTimestamp(event.at_ms * 1000)}};
  if (event.copied_from != nullptr) {
    message["copySource"] = {{"bucket", event.copied_from->bucket},
                             {"object", event.copied_from->key}};
  }
  return Dump(message);
}

std::string TextOf(const std::vector<NotificationRule>& rules) {
  Json json = Json::array();
  for (const NotificationRule& rule : rules) json.push_back(JsonOf(rule));
  return Dump(json);
}

std::optional<std::vector<NotificationRule>> ParseNotificationRules(std::string_view text) {
  const Json json = ParseJson(text);
  if (!json.is_array()) return std::nullopt;
  std::vector<NotificationRule> rules;
  for (const Json& each : json) {
    std::optional<NotificationRule> rule = RuleOf(each);
    if (!rule) return std::nullopt;
    rules.push_back(*std::move(rule));
  }
  return rules;
}

}  // namespace levada::services::r2
