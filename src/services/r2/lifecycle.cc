#include "services/r2/lifecycle.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace levada::services::r2 {
namespace {

using net::Task;
using s3xml::LifecycleRule;

constexpr int64_t kDayMs = 86'400'000;

/// S3: at the first midnight (UTC) behind so many days.
int64_t MidnightBehind(int64_t since_ms, uint32_t days) {
  const int64_t then_ms = since_ms + int64_t{days} * kDayMs;
  return (then_ms / kDayMs + 1) * kDayMs;
}

bool IsOlder(int64_t since_ms, uint32_t days, int64_t now_ms) {
  return now_ms >= MidnightBehind(since_ms, days);
}

bool IsPast(WallMicros date, int64_t now_ms) { return now_ms >= date / 1000; }

bool Applies(const LifecycleRule& rule, std::string_view key) {
  return rule.enabled && !rule.has_tags && (!rule.prefix || key.starts_with(*rule.prefix));
}

bool Applies(const LifecycleRule& rule, std::string_view key, uint64_t bytes) {
  return Applies(rule, key) && (!rule.size_greater_than || bytes > *rule.size_greater_than) &&
         (!rule.size_less_than || bytes < *rule.size_less_than);
}

/// What is seen of one key's versions, the newest first.
struct KeyWalk {
  std::string key;
  uint64_t noncurrent_seen = 0;
  int64_t successor_ms = 0;  ///< when the version before it in the walk was written
};

/// One pass over the versions of a bucket.
class Pass {
 public:
  Pass(ObjectStore& store, Bucket bucket, std::vector<LifecycleRule> rules,
       std::function<bool()> is_stopping)
      : store_(store),
        bucket_(bucket),
        rules_(std::move(rules)),
        is_stopping_(std::move(is_stopping)),
        now_ms_(store.NowMs()) {}

  Task<Result<LifecycleCounts>> Run() {
    Status status = co_await WalkObjects();
    if (status.ok()) status = co_await WalkUploads();
    if (!status.ok()) co_return status;
    co_return counts_;
  }

 private:
  Task<Status> WalkObjects() {
    const bool has_work = std::ranges::any_of(rules_, [](const LifecycleRule& rule) {
      return rule.enabled &&
             (rule.expiration_days || rule.expiration_date || rule.expired_object_delete_marker ||
              rule.noncurrent_expiration_days || !rule.transitions.empty());
    });
    if (!has_work) co_return Status::OK();
    ListRequest request;
    do {
      if (is_stopping_()) co_return Status::OK();
      Result<ListPage> page = co_await store_.ListVersions(bucket_, request);
      if (!page.ok()) co_return page.status();
      for (size_t i = 0; i < page->objects.size(); ++i) {
        const bool is_last = i + 1 == page->objects.size();
        // Of the last of a page nobody knows whether it is the only one of its key.
        const bool has_older =
            is_last ? !page->next.empty() : page->objects[i + 1].key == page->objects[i].key;
        const Status done = co_await Treat(page->objects[i], has_older);
        if (!done.ok()) co_return done;
      }
      request.after = page->next;
      request.after_version = page->next_version;
    } while (!request.after.empty());
    co_return Status::OK();
  }

  Task<Status> Treat(const ListedObject& object, bool has_older) {
    const ObjectRecord& record = object.record;
    if (walk_.key != object.key || object.is_latest) walk_ = {object.key, 0, 0};
    const int64_t successor_ms = std::exchange(walk_.successor_ms, record.uploaded_ms);
    if (!object.is_latest) {
      ++walk_.noncurrent_seen;
      co_return co_await TreatNoncurrent(object, successor_ms);
    }
    if (record.is_delete_marker) co_return co_await TreatMarker(object, has_older);
    const ObjectFate fate = FateOf(rules_, object.key, record, now_ms_);
    if (fate.expires) co_return co_await Expire(object);
    if (fate.becomes_infrequent && !record.attributes.infrequent_access) {
      const Result<bool> moved =
          co_await store_.MarkInfrequent(bucket_, object.key, record.version);
      if (!moved.ok()) co_return moved.status();
      counts_.objects_moved += *moved ? 1 : 0;
    }
    co_return Status::OK();
  }

  /// What was written again meanwhile has another ETag or time, and stays.
  Task<Status> Expire(const ListedObject& object) {
    DeleteTarget target;
    target.key = object.key;
    target.if_version = object.record.version;
    target.is_by_lifecycle = true;
    const Result<Deleted> deleted = co_await store_.Delete(bucket_, std::move(target));
    if (!deleted.ok()) co_return deleted.status();
    counts_.objects_expired += deleted->was_there ? 1 : 0;
    co_return Status::OK();
  }

  Task<Status> Remove(const ListedObject& object, uint64_t& count) {
    DeleteTarget target;
    target.key = object.key;
    target.version = {VersionChoice::Kind::kStamp, object.record.version};
    target.is_by_lifecycle = true;
    const Result<Deleted> deleted = co_await store_.Delete(bucket_, std::move(target));
    if (!deleted.ok()) co_return deleted.status();
    count += deleted->was_there ? 1 : 0;
    co_return Status::OK();
  }

  Task<Status> TreatMarker(const ListedObject& object, bool has_older) {
    if (has_older) co_return Status::OK();
    const bool goes = std::ranges::any_of(rules_, [&](const LifecycleRule& rule) {
      if (!Applies(rule, object.key)) return false;
      return rule.expired_object_delete_marker || rule.expiration_days.has_value();
    });
    if (goes) co_return co_await Remove(object, counts_.markers_removed);
    co_return Status::OK();
  }

  Task<Status> TreatNoncurrent(const ListedObject& object, int64_t successor_ms) {
    const bool goes = std::ranges::any_of(rules_, [&](const LifecycleRule& rule) {
      if (!rule.noncurrent_expiration_days) return false;
      if (!Applies(rule, object.key, object.record.bytes)) return false;
      if (walk_.noncurrent_seen <= rule.newer_noncurrent_versions.value_or(0)) return false;
      return IsOlder(successor_ms, *rule.noncurrent_expiration_days, now_ms_);
    });
    if (goes) co_return co_await Remove(object, counts_.versions_removed);
    co_return Status::OK();
  }

  Task<Status> WalkUploads() {
    ListRequest request;
    do {
      if (is_stopping_()) co_return Status::OK();
      const Result<UploadPage> page = co_await store_.ListUploads(bucket_, request);
      if (!page.ok()) co_return page.status();
      for (const ListedUpload& upload : page->uploads) {
        if (!IsOlder(upload.record.begun_ms, AbortDays(upload.key), now_ms_)) continue;
        const Status aborted =
            co_await store_.AbortUpload(bucket_, upload.key, upload.record.upload);
        if (aborted.ok()) ++counts_.uploads_aborted;  // else somebody was quicker
      }
      request.after = page->next;
      request.after_version = page->next_upload;
    } while (!request.after.empty());
    co_return Status::OK();
  }

  uint32_t AbortDays(std::string_view key) const {
    std::optional<uint32_t> days;
    for (const LifecycleRule& rule : rules_) {
      if (!rule.abort_incomplete_days || !Applies(rule, key)) continue;
      days = std::min(days.value_or(UINT32_MAX), *rule.abort_incomplete_days);
    }
    return days.value_or(kAbortDaysDefault);
  }

  ObjectStore& store_;
  const Bucket bucket_;
  const std::vector<LifecycleRule> rules_;
  const std::function<bool()> is_stopping_;
  const int64_t now_ms_;
  KeyWalk walk_;
  LifecycleCounts counts_;
};

}  // namespace

ObjectFate FateOf(const std::vector<LifecycleRule>& rules, std::string_view key,
                  const ObjectRecord& record, int64_t now_ms) {
  ObjectFate fate;
  for (const LifecycleRule& rule : rules) {
    if (!Applies(rule, key, record.bytes)) continue;
    if (rule.expiration_days && IsOlder(record.uploaded_ms, *rule.expiration_days, now_ms)) {
      fate.expires = true;
    }
    if (rule.expiration_date && IsPast(*rule.expiration_date, now_ms)) fate.expires = true;
    for (const s3xml::LifecycleTransition& transition : rule.transitions) {
      const bool is_due = transition.days ? IsOlder(record.uploaded_ms, *transition.days, now_ms)
                                          : transition.date && IsPast(*transition.date, now_ms);
      if (is_due) fate.becomes_infrequent = true;
    }
  }
  return fate;
}

std::optional<ObjectExpiry> ExpiryOf(const std::vector<LifecycleRule>& rules, std::string_view key,
                                     const ObjectRecord& record) {
  std::optional<ObjectExpiry> first;
  for (const LifecycleRule& rule : rules) {
    if (!Applies(rule, key, record.bytes)) continue;
    if (!rule.expiration_days && !rule.expiration_date) continue;
    const int64_t at_ms = rule.expiration_days
                              ? MidnightBehind(record.uploaded_ms, *rule.expiration_days)
                              : *rule.expiration_date / 1000;
    if (!first || at_ms < first->at_ms) first = ObjectExpiry{at_ms, rule.id};
  }
  return first;
}

Task<Result<LifecycleCounts>> RunLifecycle(ObjectStore& store, Bucket bucket,
                                           std::vector<LifecycleRule> rules,
                                           std::function<bool()> is_stopping) {
  Pass pass(store, bucket, std::move(rules), std::move(is_stopping));
  co_return co_await pass.Run();
}

}  // namespace levada::services::r2
