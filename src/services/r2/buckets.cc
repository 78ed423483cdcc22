#include "services/r2/buckets.h"

#include <algorithm>
#include <utility>

#include "base/json.h"
#include "services/core/on_thread.h"
#include "services/r2/r2_error.h"

namespace levada::services::r2 {
namespace {

constexpr size_t kNameBytesMin = 3;
constexpr size_t kNameBytesMax = 63;

bool IsLowerOrDigit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

/// Four numbers with dots would be taken for a host.
bool LooksLikeAddress(std::string_view name) {
  return std::ranges::count(name, '.') == 3 &&
         std::ranges::all_of(name, [](char c) { return c == '.' || (c >= '0' && c <= '9'); });
}

Status BadSettings() {
  return Fault(FaultCode::kStoreDamaged, "r2: the settings of a bucket are damaged");
}

}  // namespace

bool IsBucketName(std::string_view name) {
  if (name.size() < kNameBytesMin || name.size() > kNameBytesMax) return false;
  if (!IsLowerOrDigit(name.front()) || !IsLowerOrDigit(name.back())) return false;
  const bool are_allowed =
      std::ranges::all_of(name, [](char c) { return IsLowerOrDigit(c) || c == '-' || c == '.'; });
  // Each label is one of a host's name.
  constexpr std::string_view kOutside[] = {"..", ".-", "-."};
  const bool has_odd_label = std::ranges::any_of(
      kOutside, [name](std::string_view part) { return name.find(part) != name.npos; });
  return are_allowed && !has_odd_label && !LooksLikeAddress(name);
}

std::string TextOf(const BucketSettings& settings) {
  Json json = Json::object();
  if (settings.versioning != Versioning::kOff) {
    json["versioning"] = settings.versioning == Versioning::kEnabled ? "enabled" : "suspended";
  }
  if (!settings.cors.empty()) json["cors"] = s3xml::WriteCorsConfiguration(settings.cors);
  if (!settings.lifecycle.empty()) {
    json["lifecycle"] = s3xml::WriteLifecycleConfiguration(settings.lifecycle);
  }
  if (settings.is_public) json["public"] = true;
  if (!settings.notifications.empty()) json["notifications"] = TextOf(settings.notifications);
  return Dump(json);
}

Result<BucketSettings> ParseSettings(std::string_view text) {
  BucketSettings settings;
  if (text.empty()) return settings;
  const Json json = ParseJson(text);
  if (!json.is_object()) return BadSettings();
  for (const auto& [name, value] : json.items()) {
    if (name == "public" && value.is_boolean()) {
      settings.is_public = value.get<bool>();
      continue;
    }
    if (!value.is_string()) return BadSettings();
    const std::string& word = value.get_ref<const std::string&>();
    if (name == "versioning" && (word == "enabled" || word == "suspended")) {
      settings.versioning = word == "enabled" ? Versioning::kEnabled : Versioning::kSuspended;
    } else if (name == "cors") {
      ARROW_ASSIGN_OR_RAISE(settings.cors, s3xml::ParseCorsConfiguration(word));
    } else if (name == "lifecycle") {
      ARROW_ASSIGN_OR_RAISE(settings.lifecycle, s3xml::ParseLifecycleConfiguration(word));
    } else if (name == "notifications") {
      auto rules = ParseNotificationRules(word);
      if (!rules) return BadSettings();
      settings.notifications = *std::move(rules);
    } else {
      return BadSettings();
    }
  }
  return settings;
}

void Buckets::Tell(const Resource& bucket, const BucketSettings& settings) {
  store_.SetVersioning(bucket.number, settings.versioning);
  std::shared_ptr<const BucketEvents> events;
  if (!settings.notifications.empty()) {
    const std::vector<Account> accounts = control_.Accounts();
    const auto account = std::ranges::find(accounts, bucket.account, &Account::row);
    events = std::make_shared<BucketEvents>(
        BucketEvents{account == accounts.end() ? std::string() : account->id, bucket.name,
                     settings.notifications});
  }
  store_.SetEvents(bucket.number, std::move(events));
}

Result<std::shared_ptr<const KnownBucket>> Buckets::Find(std::string_view name) {
  std::optional<Resource> resource = control_.FindResourceByName(0, ResourceKind::kBucket, name);
  if (!resource) return std::shared_ptr<const KnownBucket>();
  std::shared_ptr<const KnownBucket>& known = known_[resource->number];
  if (known == nullptr || known->resource.settings != resource->settings) {
    ARROW_ASSIGN_OR_RAISE(BucketSettings settings, ParseSettings(resource->settings));
    Tell(*resource, settings);
    known = std::make_shared<KnownBucket>(KnownBucket{*std::move(resource), std::move(settings)});
  }
  return known;
}

Result<Bucket> Buckets::FindByNumber(int64_t account, uint64_t number) {
  const std::optional<Resource> resource = control_.FindResourceByNumber(number);
  if (!resource || resource->account != account || resource->kind != ResourceKind::kBucket) {
    return R2Error(R2ErrorCode::kNoSuchBucket);
  }
  ARROW_ASSIGN_OR_RAISE(const auto known, Find(resource->name));
  if (known == nullptr) return R2Error(R2ErrorCode::kNoSuchBucket);
  return known->bucket();
}

std::vector<Resource> Buckets::List(int64_t account) const {
  std::vector<Resource> buckets = control_.Resources(account, ResourceKind::kBucket);
  std::ranges::sort(buckets, {}, &Resource::name);
  return buckets;
}

net::Task<Result<Resource>> Buckets::Create(Account account, std::string name, Actor actor) {
  if (!IsBucketName(name)) co_return R2Error(R2ErrorCode::kBadBucketName);
  const auto made = co_await OnThread(loop_, workers_, [&] {
    return control_.CreateResource(account, ResourceKind::kBucket, name, "", actor);
  });
  if (!made.ok()) co_return made.status();
  if (*made) co_return **made;
  const auto there = control_.FindResourceByName(0, ResourceKind::kBucket, name);
  const bool is_own = there && there->account == account.row;
  co_return R2Error(is_own ? R2ErrorCode::kBucketExists : R2ErrorCode::kBucketTaken);
}

net::Task<Status> Buckets::Delete(std::shared_ptr<const KnownBucket> bucket, Actor actor) {
  const Status closed = co_await store_.CloseBucket(bucket->bucket());
  if (!closed.ok()) co_return closed;
  const Status deleted = co_await OnThread(
      loop_, workers_, [&] { return control_.DeleteResource(bucket->resource, actor); });
  if (deleted.ok()) {
    known_.erase(bucket->resource.number);
  } else {
    store_.ReopenBucket(bucket->bucket());
  }
  co_return deleted;
}

net::Task<Result<BucketSettings>> Buckets::Change(std::shared_ptr<const KnownBucket> bucket,
                                                  std::function<Status(BucketSettings&)> change,
                                                  std::string what, Actor actor) {
  const KeyLocks::Hold hold = co_await changes_.Acquire(bucket->resource.id);
  // As they are now: another setting may have changed since the request began.
  const Result<std::shared_ptr<const KnownBucket>> now = Find(bucket->resource.name);
  if (!now.ok()) co_return now.status();
  if (*now == nullptr || (*now)->resource.number != bucket->resource.number) {
    co_return R2Error(R2ErrorCode::kNoSuchBucket);
  }
  BucketSettings settings = (*now)->settings;
  const Status status = change(settings);
  if (!status.ok()) co_return status;
  const std::string text = TextOf(settings);
  const Status changed = co_await OnThread(loop_, workers_, [&] {
    return control_.ChangeSettings(bucket->resource, text, what, actor);
  });
  if (!changed.ok()) co_return changed;
  Tell(bucket->resource, settings);
  co_return settings;
}

}  // namespace levada::services::r2
