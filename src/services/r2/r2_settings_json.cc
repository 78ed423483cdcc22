#include "services/r2/r2_settings_json.h"

#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "services/r2/r2_error.h"

namespace levada::services::r2 {
namespace {

using s3xml::CorsRule;
using s3xml::LifecycleRule;

constexpr uint64_t kDaySeconds = 86'400;

Status Bad(const std::string& what) { return R2Error(R2ErrorCode::kBadArgument, what); }

/// A member that has to be there, of a kind.
const Json* Member(const Json& json, const char* name) {
  if (!json.is_object()) return nullptr;
  const auto at = json.find(name);
  return at == json.end() ? nullptr : &*at;
}

Result<std::vector<std::string>> Texts(const Json* json, const char* name) {
  std::vector<std::string> texts;
  if (json == nullptr) return texts;
  if (!json->is_array()) return Bad(std::string(name) + ": expected a list of texts");
  for (const Json& each : *json) {
    if (!each.is_string()) return Bad(std::string(name) + ": expected a list of texts");
    texts.push_back(each.get<std::string>());
  }
  return texts;
}

std::string TextOr(const Json* json, std::string otherwise) {
  return json != nullptr && json->is_string() ? json->get<std::string>() : otherwise;
}

const Json* RulesOf(const Json& body) {
  const Json* rules = Member(body, "rules");
  return rules != nullptr && rules->is_array() ? rules : nullptr;
}

/// {"type":"Age","maxAge":seconds}: whole days, as S3 counts.
Result<uint32_t> DaysOf(const Json* transition, const char* name) {
  const Json* condition = transition == nullptr ? nullptr : Member(*transition, "condition");
  const Json* age = condition == nullptr ? nullptr : Member(*condition, "maxAge");
  if (age == nullptr || !age->is_number_unsigned() || *age == 0U ||
      age->get<uint64_t>() % kDaySeconds != 0 || age->get<uint64_t>() / kDaySeconds > 36'500) {
    return Bad(std::string(name) +
               ": expected a condition with a maxAge in seconds of whole days, at least one");
  }
  return static_cast<uint32_t>(age->get<uint64_t>() / kDaySeconds);
}

Json AgeOf(uint32_t days) {
  return {{"condition", Json{{"type", "Age"}, {"maxAge", days * kDaySeconds}}}};
}

}  // namespace

// ---- CORS

std::string ShowCors(const KnownBucket& bucket) {
  Json rules = Json::array();
  for (const CorsRule& rule : bucket.settings.cors) {
    Json json = Json::object();
    if (!rule.id.empty()) json["id"] = rule.id;
    json["allowed"] = {{"origins", rule.allowed_origins},
                       {"methods", rule.allowed_methods},
                       {"headers", rule.allowed_headers}};
    if (!rule.expose_headers.empty()) json["exposeHeaders"] = rule.expose_headers;
    if (rule.max_age_seconds) json["maxAgeSeconds"] = *rule.max_age_seconds;
    rules.push_back(std::move(json));
  }
  return Dump(Json{{"rules", std::move(rules)}});
}

Status ChangeCors(std::string_view text, BucketSettings& settings) {
  const Json body = ParseJson(text);
  const Json* rules = RulesOf(body);
  if (rules == nullptr) return Bad("expected {\"rules\": [...]}");
  std::vector<CorsRule> wanted;
  for (const Json& each : *rules) {
    CorsRule rule;
    const Json* allowed = Member(each, "allowed");
    if (allowed == nullptr) return Bad("rules: expected \"allowed\" in each");
    rule.id = TextOr(Member(each, "id"), "");
    ARROW_ASSIGN_OR_RAISE(rule.allowed_origins, Texts(Member(*allowed, "origins"), "origins"));
    ARROW_ASSIGN_OR_RAISE(rule.allowed_methods, Texts(Member(*allowed, "methods"), "methods"));
    ARROW_ASSIGN_OR_RAISE(rule.allowed_headers, Texts(Member(*allowed, "headers"), "headers"));
    ARROW_ASSIGN_OR_RAISE(rule.expose_headers,
                          Texts(Member(each, "exposeHeaders"), "exposeHeaders"));
    if (const Json* age = Member(each, "maxAgeSeconds")) {
      if (!age->is_number_unsigned() || age->get<uint64_t>() > 86'400) {
        return Bad("maxAgeSeconds: expected at most 86400");
      }
      rule.max_age_seconds = age->get<uint32_t>();
    }
    wanted.push_back(std::move(rule));
  }
  if (!wanted.empty()) {
    // The rules of rules are those of the document.
    const auto checked = s3xml::ParseCorsConfiguration(s3xml::WriteCorsConfiguration(wanted));
    if (!checked.ok()) return Bad(checked.status().message());
  }
  settings.cors = std::move(wanted);
  return Status::OK();
}

// ---- lifecycle

std::string ShowLifecycle(const KnownBucket& bucket) {
  Json rules = Json::array();
  for (const LifecycleRule& rule : bucket.settings.lifecycle) {
    Json json{{"id", rule.id},
              {"enabled", rule.enabled},
              {"conditions", Json{{"prefix", rule.prefix.value_or("")}}}};
    if (rule.expiration_days) json["deleteObjectsTransition"] = AgeOf(*rule.expiration_days);
    if (rule.expiration_date) {
      json["deleteObjectsTransition"] = {
          {"condition", Json{{"type", "Date"}, {"date", FormatTimestamp(*rule.expiration_date)}}}};
    }
    if (rule.abort_incomplete_days) {
      json["abortMultipartUploadsTransition"] = AgeOf(*rule.abort_incomplete_days);
    }
    if (rule.noncurrent_expiration_days) {
      json["deleteVersionsTransition"] = AgeOf(*rule.noncurrent_expiration_days);
    }
    rules.push_back(std::move(json));
  }
  return Dump(Json{{"rules", std::move(rules)}});
}

Status ChangeLifecycle(std::string_view text, BucketSettings& settings) {
  const Json body = ParseJson(text);
  const Json* rules = RulesOf(body);
  if (rules == nullptr) return Bad("expected {\"rules\": [...]}");
  std::vector<LifecycleRule> wanted;
  for (const Json& each : *rules) {
    LifecycleRule rule;
    rule.id = TextOr(Member(each, "id"), "rule-" + std::to_string(wanted.size() + 1));
    const Json* enabled = Member(each, "enabled");
    rule.enabled = enabled == nullptr || *enabled == true;
    const Json* conditions = Member(each, "conditions");
    rule.prefix = conditions == nullptr ? "" : TextOr(Member(*conditions, "prefix"), "");
    const Json* storage = Member(each, "storageClassTransitions");
    if (storage != nullptr && !storage->empty()) {
      return Bad("storageClassTransitions: there is one kind of storage here");
    }
    if (const Json* remove = Member(each, "deleteObjectsTransition")) {
      const Json* condition = Member(*remove, "condition");
      if (condition != nullptr && TextOr(Member(*condition, "type"), "Age") == "Date") {
        return Bad("deleteObjectsTransition: a date is taken by the S3 API alone; give an age");
      }
      ARROW_ASSIGN_OR_RAISE(rule.expiration_days, DaysOf(remove, "deleteObjectsTransition"));
    }
    if (const Json* abort = Member(each, "abortMultipartUploadsTransition")) {
      ARROW_ASSIGN_OR_RAISE(rule.abort_incomplete_days,
                            DaysOf(abort, "abortMultipartUploadsTransition"));
    }
    if (const Json* versions = Member(each, "deleteVersionsTransition")) {
      ARROW_ASSIGN_OR_RAISE(rule.noncurrent_expiration_days,
                            DaysOf(versions, "deleteVersionsTransition"));
    }
    wanted.push_back(std::move(rule));
  }
  if (!wanted.empty()) {
    const auto checked =
        s3xml::ParseLifecycleConfiguration(s3xml::WriteLifecycleConfiguration(wanted));
    if (!checked.ok()) return Bad(checked.status().message());
  }
  settings.lifecycle = std::move(wanted);
  return Status::OK();
}

// ---- versioning, public reading

std::string ShowVersioning(const KnownBucket& bucket) {
  switch (bucket.settings.versioning) {
    case Versioning::kEnabled:
      return R"({"status":"enabled"})";
    case Versioning::kSuspended:
      return R"({"status":"suspended"})";
    case Versioning::kOff:
      break;
  }
  return R"({"status":"off"})";
}

Status ChangeVersioning(std::string_view text, BucketSettings& settings) {
  const Json body = ParseJson(text);
  const std::string status = TextOr(Member(body, "status"), "");
  if (status != "enabled" && status != "suspended") {
    return Bad("status: expected \"enabled\" or \"suspended\"");
  }
  settings.versioning = status == "enabled" ? Versioning::kEnabled : Versioning::kSuspended;
  return Status::OK();
}

std::string ShowPublic(const KnownBucket& bucket, std::string_view s3_address) {
  std::string domain(s3_address);
  if (!domain.empty()) domain += '/';
  return Dump(Json{{"bucketId", bucket.resource.id},
                   {"domain", domain + bucket.resource.name},
                   {"enabled", bucket.settings.is_public}});
}

Status ChangePublic(std::string_view text, BucketSettings& settings) {
  const Json body = ParseJson(text);
  const Json* enabled = Member(body, "enabled");
  if (enabled == nullptr || !enabled->is_boolean()) return Bad("enabled: expected true or false");
  settings.is_public = enabled->get<bool>();
  return Status::OK();
}

}  // namespace levada::services::r2
