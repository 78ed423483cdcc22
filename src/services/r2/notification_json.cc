#include "services/r2/notification_json.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/json.h"
#include "services/r2/r2_error.h"

namespace levada::services::r2 {
namespace {

constexpr size_t kTextBytesMax = 1024;

Status Bad(const std::string& what) { return R2Error(R2ErrorCode::kBadArgument, what); }

Result<std::string> TextOf(const Json& rule, const char* name) {
  const auto at = rule.find(name);
  if (at == rule.end() || at->is_null()) return std::string();
  if (!at->is_string() || at->get_ref<const std::string&>().size() > kTextBytesMax) {
    return Bad(std::string(name) + ": expected a text of up to 1024 bytes");
  }
  return at->get<std::string>();
}

Result<NotificationRule> ReadRule(const Json& json) {
  NotificationRule rule;
  if (!json.is_object()) return Bad("rules: expected objects");
  ARROW_ASSIGN_OR_RAISE(rule.prefix, TextOf(json, "prefix"));
  ARROW_ASSIGN_OR_RAISE(rule.suffix, TextOf(json, "suffix"));
  ARROW_ASSIGN_OR_RAISE(rule.description, TextOf(json, "description"));
  const auto actions = json.find("actions");
  if (actions == json.end() || !actions->is_array() || actions->empty()) {
    return Bad(
        "actions: expected some of PutObject, CopyObject, CompleteMultipartUpload, "
        "DeleteObject, LifecycleDeletion");
  }
  for (const Json& each : *actions) {
    const auto action = each.is_string() ? ObjectActionOf(each.get_ref<const std::string&>())
                                         : std::optional<ObjectAction>();
    if (!action) return Bad("actions: no action of objects: " + Dump(each));
    if (std::ranges::find(rule.actions, *action) == rule.actions.end()) {
      rule.actions.push_back(*action);
    }
  }
  return rule;
}

Json ShowRule(const NotificationRule& rule) {
  Json actions = Json::array();
  for (const ObjectAction action : rule.actions) actions.push_back(NameOf(action));
  Json json{{"ruleId", rule.id},
            {"createdAt", FormatTimestamp(rule.created)},
            {"prefix", rule.prefix},
            {"suffix", rule.suffix},
            {"actions", std::move(actions)}};
  if (!rule.description.empty()) json["description"] = rule.description;
  return json;
}

}  // namespace

Result<std::vector<NotificationRule>> ReadNotificationRules(std::string_view text) {
  const Json body = ParseJson(text);
  const bool has_rules = body.is_object() && body.contains("rules") && body["rules"].is_array();
  if (!has_rules || body["rules"].empty() || body["rules"].size() > kNotificationRulesMax) {
    return Bad(R"(expected {"rules": [{"actions": [...], "prefix": ..., "suffix": ...}]})");
  }
  std::vector<NotificationRule> rules;
  for (const Json& each : body["rules"]) {
    ARROW_ASSIGN_OR_RAISE(NotificationRule rule, ReadRule(each));
    rules.push_back(std::move(rule));
  }
  return rules;
}

Result<std::set<std::string>> ReadRuleIds(std::string_view text) {
  std::set<std::string> ids;
  if (text.empty()) return ids;
  const Json body = ParseJson(text);
  if (!body.is_object()) return Bad(R"(expected {"ruleIds": [...]}, or nothing)");
  if (!body.contains("ruleIds")) return ids;
  if (!body["ruleIds"].is_array()) return Bad("ruleIds: expected a list of texts");
  for (const Json& each : body["ruleIds"]) {
    if (!each.is_string()) return Bad("ruleIds: expected a list of texts");
    ids.insert(each.get<std::string>());
  }
  return ids;
}

std::string ShowRules(const std::vector<NotificationRule>& rules, uint64_t queue) {
  Json shown = Json::array();
  for (const NotificationRule& rule : rules) {
    if (rule.queue == queue) shown.push_back(ShowRule(rule));
  }
  return Dump(shown);
}

}  // namespace levada::services::r2
