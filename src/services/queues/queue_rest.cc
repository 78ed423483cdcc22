#include "services/queues/queue_rest.h"

#include <algorithm>
#include <utility>

#include "base/json.h"
#include "base/url.h"
#include "services/queues/queue_error.h"
#include "services/queues/queue_json.h"
#include "services/queues/queue_messages_rest.h"

namespace levada::services::queues {
namespace {

using net::Response;
using net::Task;

constexpr uint64_t kSmallBodyMax = 64 * 1024;
constexpr size_t kPerPageDefault = 100;
constexpr size_t kPerPageMax = 1000;

NameOfQueue NamesOf(const QueueServices& with) {
  return [&queues = with.queues](uint64_t number) { return queues.NameOfNumber(number); };
}

Response Shown(const QueueServices& with, const QueueChange& change) {
  if (change.error) return Failure(*change.error);
  return Success(ShowQueue(*change.queue, NamesOf(with)));
}

Response ShownConsumer(const QueueServices& with, const QueueChange& change) {
  if (change.error) return Failure(*change.error);
  return Success(ShowConsumer(*change.queue, NamesOf(with)));
}

// ---- queues

/// The names in the query; none: every queue.
std::vector<std::string> NamesIn(const Call& call) {
  std::vector<std::string> names;
  for (const UrlParameter& parameter : UrlParameters(call.request.query)) {
    if (FormDecoded(parameter.name) != "name" || !parameter.value) continue;
    names.push_back(FormDecoded(*parameter.value).value_or(""));
  }
  return names;
}

Task<Response> ListQueues(const QueueServices& with, Call& call) {
  std::vector<QueueRef> queues = with.queues.List(call.account.row);
  const std::vector<std::string> names = NamesIn(call);
  if (!names.empty()) {
    std::erase_if(queues, [&names](const QueueRef& queue) {
      return std::ranges::find(names, queue->resource.name) == names.end();
    });
  }
  const size_t per_page = call.QueryCount("per_page", kPerPageDefault, kPerPageMax);
  const size_t page = call.QueryCount("page", 1, 1'000'000);
  // Behind the last page is an empty one: wrangler asks until it gets that.
  const size_t begin = std::min(queues.size(), (page - 1) * per_page);
  const size_t end = std::min(queues.size(), begin + per_page);
  std::vector<std::string> shown;
  for (size_t i = begin; i < end; ++i) shown.push_back(ShowQueue(*queues[i], NamesOf(with)));
  const Json info = {{"page", page},
                     {"per_page", per_page},
                     {"count", end - begin},
                     {"total_count", queues.size()},
                     {"total_pages", (queues.size() + per_page - 1) / per_page}};
  co_return Success(ListOf(shown), Dump(info));
}

Task<Response> CreateQueue(const QueueServices& with, Call& call) {
  const Asked asked = co_await ReadAsked(call, kSmallBodyMax);
  if (asked.error) co_return Failure(*asked.error);
  QueueConfig config;
  const AskedQueue read = ReadQueue(asked.text, config);
  if (read.error) co_return Failure(*read.error);
  co_return Shown(with, co_await with.queues.Create(call.account, read.name.value_or(""), config,
                                                    call.actor()));
}

Task<Response> GetQueue(const QueueServices& with, Call&, QueueRef queue) {
  co_return Success(ShowQueue(*queue, NamesOf(with)));
}

Task<Response> ChangeQueue(const QueueServices& with, Call& call, QueueRef queue, bool is_whole) {
  const Asked asked = co_await ReadAsked(call, kSmallBodyMax);
  if (asked.error) co_return Failure(*asked.error);
  QueueConfig unused;
  const AskedQueue read = ReadQueue(asked.text, unused);
  if (read.error) co_return Failure(*read.error);
  if (read.name && read.name->empty()) {
    co_return Failure({400, kBadSchema, "\"queue_name\": expected a name", std::nullopt});
  }
  const Queues::Edit edit = [&asked, is_whole](QueueConfig& config) {
    if (is_whole) {
      const QueueConfig defaults;
      config.delivery_delay_s = defaults.delivery_delay_s;
      config.retention_s = defaults.retention_s;
      config.is_paused = defaults.is_paused;
    }
    return ReadQueue(asked.text, config).error;
  };
  co_return Shown(with, co_await with.queues.Change(call.account, queue, read.name.value_or(""),
                                                    edit, "settings", call.actor()));
}

Task<Response> PutQueue(const QueueServices& with, Call& call, QueueRef queue) {
  return ChangeQueue(with, call, std::move(queue), true);
}

Task<Response> PatchQueue(const QueueServices& with, Call& call, QueueRef queue) {
  return ChangeQueue(with, call, std::move(queue), false);
}

Task<Response> DeleteQueue(const QueueServices& with, Call& call, QueueRef queue) {
  const auto error = co_await with.queues.Delete(call.account, queue, call.actor());
  if (error) co_return Failure(*error);
  co_return Success("null");
}

// ---- consumers

bool HasConsumer(const Call& call, const KnownQueue& queue) {
  return queue.config.consumer && queue.config.consumer->id == call.Parameter("consumer");
}

Task<Response> ListConsumers(const QueueServices& with, Call&, QueueRef queue) {
  std::vector<std::string> shown;
  if (queue->config.consumer) shown.push_back(ShowConsumer(*queue, NamesOf(with)));
  co_return Success(ListOf(shown));
}

Task<Response> GetConsumer(const QueueServices& with, Call& call, QueueRef queue) {
  if (!HasConsumer(call, *queue)) co_return Failure(NoSuchConsumer());
  co_return Success(ShowConsumer(*queue, NamesOf(with)));
}

Task<Response> AddConsumer(const QueueServices& with, Call& call, QueueRef queue) {
  const Asked asked = co_await ReadAsked(call, kSmallBodyMax);
  if (asked.error) co_return Failure(*asked.error);
  AskedConsumer read = ReadConsumer(asked.text);
  if (read.error) co_return Failure(*read.error);
  co_return ShownConsumer(with, co_await with.queues.AddConsumer(
                                    call.account, queue, std::move(read.wanted), call.actor()));
}

Task<Response> PutConsumer(const QueueServices& with, Call& call, QueueRef queue) {
  const Asked asked = co_await ReadAsked(call, kSmallBodyMax);
  if (asked.error) co_return Failure(*asked.error);
  AskedConsumer read = ReadConsumer(asked.text);
  if (read.error) co_return Failure(*read.error);
  co_return ShownConsumer(
      with, co_await with.queues.ReplaceConsumer(call.account, queue, call.Parameter("consumer"),
                                                 std::move(read.wanted), call.actor()));
}

Task<Response> DeleteConsumer(const QueueServices& with, Call& call, QueueRef queue) {
  const QueueChange removed = co_await with.queues.RemoveConsumer(
      call.account, queue, call.Parameter("consumer"), call.actor());
  if (removed.error) co_return Failure(*removed.error);
  co_return Success("null");
}

// ---- what a queue holds, as a whole

Json PurgeJsonOf(const QueueConfig& config) {
  // A purge is done when it is answered.
  Json json = {{"completed", "true"}};
  if (config.purged != 0) json["started_at"] = FormatTimestamp(config.purged);
  return json;
}

Task<Response> PurgeAll(const QueueServices& with, Call& call, QueueRef queue) {
  const Asked asked = co_await ReadAsked(call, kSmallBodyMax);
  if (asked.error) co_return Failure(*asked.error);
  if (const auto error = ReadPurge(asked.text)) co_return Failure(*error);
  const Result<uint64_t> purged = co_await PurgeQueue(with.access, queue->resource.number);
  if (!purged.ok()) co_return Failure(ErrorOfQueue(purged.status(), QueueDoor::kControl));
  const QueueChange noted = co_await with.queues.NotePurge(call.account, queue, call.actor());
  if (noted.error) co_return Failure(*noted.error);
  Json json = PurgeJsonOf(noted.queue->config);
  json["deleted_count"] = *purged;
  co_return Success(Dump(json));
}

Task<Response> GetPurge(const QueueServices&, Call&, QueueRef queue) {
  co_return Success(Dump(PurgeJsonOf(queue->config)));
}

Task<Response> GetMetrics(const QueueServices& with, Call&, QueueRef queue) {
  const Result<Backlog> backlog = co_await ReadBacklog(with.access, queue->resource.number);
  if (!backlog.ok()) co_return Failure(ErrorOfQueue(backlog.status(), QueueDoor::kControl));
  co_return Success(ShowBacklog(*backlog));
}

Task<Response> Answered(ApiError error) { co_return Failure(error); }

std::function<Task<Response>(const QueueServices&, Call&)> In(QueueHandler handler,
                                                              QueueDoor door) {
  return [handler, door](const QueueServices& with, Call& call) {
    const Result<QueueRef> queue = with.queues.Find(call.account.row, call.Parameter("queue"));
    if (!queue.ok()) return Answered(ErrorOfQueue(queue.status(), door));
    if (*queue == nullptr) return Answered(NoSuchQueue(door));
    return handler(with, call, *queue);
  };
}

}  // namespace

std::vector<RouteOf<QueueServices>> QueueRoutes() {
  const auto in = [](QueueHandler handler) { return In(handler, QueueDoor::kControl); };
  const auto at = [](QueueHandler handler) { return In(handler, QueueDoor::kMessages); };
  constexpr std::string_view kAll = "/accounts/{account}/queues";
  constexpr std::string_view kOne = "/accounts/{account}/queues/{queue}";
  constexpr std::string_view kConsumers = "/accounts/{account}/queues/{queue}/consumers";
  constexpr std::string_view kConsumer = "/accounts/{account}/queues/{queue}/consumers/{consumer}";
  constexpr std::string_view kMessages = "/accounts/{account}/queues/{queue}/messages";
  constexpr std::string_view kBatch = "/accounts/{account}/queues/{queue}/messages/batch";
  constexpr std::string_view kPull = "/accounts/{account}/queues/{queue}/messages/pull";
  constexpr std::string_view kAck = "/accounts/{account}/queues/{queue}/messages/ack";
  constexpr std::string_view kPurge = "/accounts/{account}/queues/{queue}/purge";
  constexpr std::string_view kMetrics = "/accounts/{account}/queues/{queue}/metrics";
  constexpr std::string_view kRedrive = "/accounts/{account}/queues/{queue}/redrive";
  const Need list = Need::ScopeOf(Service::kQueues, Action::kRead);
  const Need make = Need::ScopeOf(Service::kQueues, Action::kAdmin);
  const Need own = Need::ScopeOf(Service::kQueues, Action::kAdmin, "queue");
  const Need read = Need::ScopeOf(Service::kQueues, Action::kRead, "queue");
  const Need write = Need::ScopeOf(Service::kQueues, Action::kWrite, "queue");
  return {
      {"POST", kMessages, write, "sends a message", at(SendOne)},
      {"POST", kBatch, write, "sends up to 100 messages, all or none", at(SendBatch)},
      {"POST", kPull, write, "takes messages for a time", at(Pull)},
      {"POST", kAck, write, "ends messages, or gives them back", at(Acknowledge)},
      {"GET", kMessages, read, "shows messages and leaves them where they are", at(Peek)},
      {"POST", kRedrive, write, "moves dead messages back to where they came from", at(Redrive)},
      {"GET", kMetrics, read, "how many messages there are", in(GetMetrics)},
      {"GET", kAll, list, "lists queues, all or by name", ListQueues},
      {"POST", kAll, make, "makes a queue", CreateQueue},
      {"GET", kOne, read, "one queue", in(GetQueue)},
      {"PUT", kOne, own, "name and settings of a queue, all of them", in(PutQueue)},
      {"PATCH", kOne, own, "name and settings of a queue, those that are named", in(PatchQueue)},
      {"DELETE", kOne, own, "deletes a queue with its messages", in(DeleteQueue)},
      {"GET", kConsumers, read, "the consumer of a queue, if it has one", in(ListConsumers)},
      {"POST", kConsumers, own, "gives a queue its consumer", in(AddConsumer)},
      {"GET", kConsumer, read, "the consumer", in(GetConsumer)},
      {"PUT", kConsumer, own, "changes the consumer", in(PutConsumer)},
      {"DELETE", kConsumer, own, "removes the consumer", in(DeleteConsumer)},
      {"POST", kPurge, write, "deletes every message of a queue", in(PurgeAll)},
      {"GET", kPurge, read, "when a queue was purged", in(GetPurge)},
  };
}

}  // namespace levada::services::queues
