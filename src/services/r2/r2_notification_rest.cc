#include "services/r2/r2_notification_rest.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "base/json.h"
#include "services/core/api.h"
#include "services/r2/notification_json.h"
#include "services/r2/r2_call.h"
#include "services/r2/r2_error.h"

namespace levada::services::r2 {
namespace {

using net::Response;
using net::Task;

constexpr int64_t kQueueNotFound = 11000;
constexpr int64_t kNotAllowed = 10106;

std::optional<Resource> QueueOf(const R2Access& access, const Call& call) {
  return access.control.FindResource(call.account.row, ResourceKind::kQueue,
                                     call.Parameter("queue"));
}

Response NoQueue() { return Failure({404, kQueueNotFound, "queue not found", std::nullopt}); }

std::string ShowQueue(const Resource& queue, const std::vector<NotificationRule>& rules) {
  return R"({"queueId":)" + QuoteJson(queue.id) + R"(,"queueName":)" + QuoteJson(queue.name) +
         R"(,"rules":)" + ShowRules(rules, queue.number) + "}";
}

/// What is known of queues that are gone is not shown: nothing is sent to them.
std::string ShowAll(const R2Access& access, const KnownBucket& bucket) {
  std::map<std::string, std::string> by_name;
  for (const NotificationRule& rule : bucket.settings.notifications) {
    const auto queue = access.control.FindResourceByNumber(rule.queue);
    if (queue) by_name[queue->name] = ShowQueue(*queue, bucket.settings.notifications);
  }
  std::string queues;
  for (const auto& [name, queue] : by_name) queues += (queues.empty() ? "" : ",") + queue;
  return R"({"bucketName":)" + QuoteJson(bucket.resource.name) + R"(,"queues":[)" + queues + "]}";
}

Task<Response> GetAll(const R2Access& access, Call& call) {
  const auto bucket = BucketOf(access, call);
  if (!bucket.ok()) co_return Refusal(bucket.status());
  co_return Success(ShowAll(access, **bucket));
}

Task<Response> GetOfQueue(const R2Access& access, Call& call) {
  const auto bucket = BucketOf(access, call);
  if (!bucket.ok()) co_return Refusal(bucket.status());
  const std::optional<Resource> queue = QueueOf(access, call);
  if (!queue) co_return NoQueue();
  co_return Success(ShowQueue(*queue, (*bucket)->settings.notifications));
}

Task<Response> Add(const R2Access& access, Call& call) {
  const auto bucket = BucketOf(access, call);
  if (!bucket.ok()) co_return Refusal(bucket.status());
  const std::string body = co_await ReadSmall(call);
  Result<std::vector<NotificationRule>> rules = ReadNotificationRules(body);
  if (!rules.ok()) co_return Refusal(rules.status());
  const std::optional<Resource> queue = QueueOf(access, call);
  if (!queue) co_return NoQueue();
  // Whoever makes a rule sends, though later and by way of a bucket.
  if (!call.principal.May(Service::kQueues, Action::kWrite, queue->id)) {
    co_return Failure({403, kNotAllowed,
                       "this token may not send to the queue: it needs queues:write:" + queue->id,
                       std::nullopt});
  }
  const auto change = [&access, &rules, &queue](BucketSettings& settings) -> Status {
    for (NotificationRule rule : *rules) {
      rule.id = access.store.NewId();
      rule.queue = queue->number;
      rule.created = access.store.NowMs() * 1000;
      settings.notifications.push_back(std::move(rule));
    }
    if (settings.notifications.size() <= kNotificationRulesMax) return Status::OK();
    return R2Error(R2ErrorCode::kBadArgument, "a bucket has at most 100 rules");
  };
  const auto changed =
      co_await access.buckets.Change(*bucket, change, "notifications", call.actor());
  if (!changed.ok()) co_return Refusal(changed.status());
  co_return Success(ShowQueue(*queue, changed->notifications));
}

Task<Response> Remove(const R2Access& access, Call& call) {
  const auto bucket = BucketOf(access, call);
  if (!bucket.ok()) co_return Refusal(bucket.status());
  const std::string body = co_await ReadSmall(call);
  const Result<std::set<std::string>> ids = ReadRuleIds(body);
  if (!ids.ok()) co_return Refusal(ids.status());
  const std::optional<Resource> queue = QueueOf(access, call);
  if (!queue) co_return NoQueue();
  const auto change = [&ids, &queue](BucketSettings& settings) -> Status {
    const size_t removed = std::erase_if(settings.notifications, [&](const NotificationRule& rule) {
      return rule.queue == queue->number && (ids->empty() || ids->contains(rule.id));
    });
    if (removed >= ids->size()) return Status::OK();
    return R2Error(R2ErrorCode::kBadArgument,
                   "ruleIds: the bucket has no such rule for this queue");
  };
  const auto changed =
      co_await access.buckets.Change(*bucket, change, "notifications", call.actor());
  if (!changed.ok()) co_return Refusal(changed.status());
  co_return Success(ShowQueue(*queue, changed->notifications));
}

}  // namespace

std::vector<RouteOf<R2Access>> NotificationRoutes() {
  constexpr std::string_view kAll =
      "/accounts/{account}/event_notifications/r2/{bucket}/configuration";
  constexpr std::string_view kQueue =
      "/accounts/{account}/event_notifications/r2/{bucket}/configuration/queues/{queue}";
  const Need read = Need::ScopeOf(Service::kR2, Action::kRead, "bucket");
  const Need admin = Need::ScopeOf(Service::kR2, Action::kAdmin, "bucket");
  return {
      {"GET", kAll, read, "which queues hear of a bucket's objects, and of what", GetAll},
      {"GET", kQueue, read, "the rules for one queue", GetOfQueue},
      {"PUT", kQueue, admin, "adds rules for a queue, which the token may send to", Add},
      {"DELETE", kQueue, admin, "removes rules for a queue, those that are named or all", Remove},
  };
}

}  // namespace levada::services::r2
