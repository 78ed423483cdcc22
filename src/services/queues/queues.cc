#include "services/queues/queues.h"

#include <algorithm>
#include <utility>

#include "net/ascii.h"
#include "services/core/on_thread.h"
#include "services/queues/queue_error.h"
#include "services/queues/queue_rules.h"

namespace levada::services::queues {
namespace {

using net::Task;

constexpr size_t kNameBytesMax = 63;

QueueChange Denied(ApiError error) { return {std::move(error), nullptr}; }

QueueChange Denied(const Status& status) {
  return Denied(ErrorOfQueue(status, QueueDoor::kControl));
}

ApiError BadName(std::string_view name) {
  return {400, kBadSchema,
          "a queue's name has 1 to 63 letters, digits, hyphens and underscores, the last two not "
          "at an end: \"" +
              std::string(name.substr(0, kNameBytesMax)) + "\"",
          std::nullopt};
}

ApiError NameIsTaken(std::string_view name) {
  return {409, kNameTaken, "queue name \"" + std::string(name) + "\" is already taken",
          std::nullopt};
}

std::optional<ApiError> CheckQueueSettings(const QueueLimits& limits, uint64_t number,
                                           const QueueConfig& config) {
  QueueSettings settings = StoreSettingsOf(config);
  if (auto refusal = CheckSettings(limits, number, settings)) {
    return ApiError{400, kBadQueueSettings, std::move(refusal->message), std::nullopt};
  }
  return std::nullopt;
}

std::optional<ApiError> CheckConsumerSettings(const QueueLimits& limits, uint64_t number,
                                              const QueueConfig& config) {
  const QueueConsumer& consumer = *config.consumer;
  // A size that is negative would be a large one there.
  std::optional<Refusal> refusal =
      CheckReceive(limits, consumer.batch_size, consumer.visibility_ms);
  if (!refusal) refusal = CheckConsumer(limits, PushSettingsOf(consumer));
  if (!refusal) refusal = CheckSettings(limits, number, StoreSettingsOf(config));
  if (!refusal) return std::nullopt;
  return ApiError{400, kBadConsumerSettings, std::move(refusal->message), std::nullopt};
}

}  // namespace

ApiError NoSuchConsumer() {
  return {404, kNoRoute,
          "the queue has no such consumer, perhaps your object identifier is invalid?",
          std::nullopt};
}

bool IsQueueName(std::string_view name) {
  if (name.empty() || name.size() > kNameBytesMax) return false;
  return net::IsLetterOrDigit(name.front()) && net::IsLetterOrDigit(name.back()) &&
         std::ranges::all_of(
             name, [](char c) { return net::IsLetterOrDigit(c) || c == '-' || c == '_'; });
}

void Queues::Configure(const QueueRef& queue) {
  const uint64_t number = queue->resource.number;
  access_.store.Configure(number, StoreSettingsOf(queue->config));
  known_[number] = queue;
  observer_(number, queue);
}

void Queues::ConfigureAll() {
  for (Resource& resource : access_.control.Resources(0, ResourceKind::kQueue)) {
    const std::string name = resource.name;
    const Result<QueueRef> queue = Know(std::move(resource));
    if (queue.ok()) {
      Configure(*queue);
    } else {
      log_.Error("queues: a queue is not served",
                 {{"queue", name}, {"cause", queue.status().ToString()}});
    }
  }
}

Result<QueueRef> Queues::Know(std::optional<Resource> resource) {
  if (!resource || resource->kind != ResourceKind::kQueue) return QueueRef();
  QueueRef& known = known_[resource->number];
  if (known == nullptr || known->resource.settings != resource->settings ||
      known->resource.name != resource->name) {
    ARROW_ASSIGN_OR_RAISE(QueueConfig config, ParseQueueConfig(resource->settings));
    known = std::make_shared<KnownQueue>(KnownQueue{*std::move(resource), std::move(config)});
  }
  return known;
}

Result<QueueRef> Queues::Find(int64_t account, std::string_view id) {
  return Know(access_.control.FindResource(account, ResourceKind::kQueue, id));
}

Result<QueueRef> Queues::FindByName(int64_t account, std::string_view name) {
  return Know(access_.control.FindResourceByName(account, ResourceKind::kQueue, name));
}

Result<QueueRef> Queues::FindByNumber(uint64_t number) {
  return Know(access_.control.FindResourceByNumber(number));
}

std::vector<QueueRef> Queues::List(int64_t account) {
  std::vector<QueueRef> list;
  for (Resource& resource : access_.control.Resources(account, ResourceKind::kQueue)) {
    Result<QueueRef> queue = Know(std::move(resource));
    if (queue.ok()) list.push_back(*std::move(queue));
  }
  std::ranges::sort(list, {}, [](const QueueRef& queue) { return queue->resource.name; });
  return list;
}

std::string Queues::NameOfNumber(uint64_t number) const {
  const std::optional<Resource> resource = access_.control.FindResourceByNumber(number);
  return resource ? resource->name : std::string();
}

Task<KeyLocks::Hold> Queues::Lock(int64_t account) {
  co_return co_await changes_.Acquire(std::to_string(account));
}

QueueChange Queues::Again(const QueueRef& queue) {
  const Result<QueueRef> now = FindByNumber(queue->resource.number);
  if (!now.ok()) return Denied(now.status());
  if (*now == nullptr) return Denied(NoSuchQueue(QueueDoor::kControl));
  return {std::nullopt, *now};
}

std::optional<std::string> Queues::DeadLettersOf(int64_t account, uint64_t number) {
  for (const QueueRef& other : List(account)) {
    if (other->resource.number == number || !other->config.consumer) continue;
    if (other->config.consumer->dead_letter_queue == number) return other->resource.name;
  }
  return std::nullopt;
}

// ---- changes

Task<QueueChange> Queues::Make(Account account, std::string name, QueueConfig config, Actor actor) {
  if (!IsQueueName(name)) co_return Denied(BadName(name));
  if (auto error = CheckQueueSettings(access_.store.limits(), 0, config)) {
    co_return Denied(*std::move(error));
  }
  const std::string text = TextOf(config);
  const auto made = co_await OnThread(access_.loop, access_.workers, [&] {
    return access_.control.CreateResource(account, ResourceKind::kQueue, name, text, actor);
  });
  if (!made.ok()) co_return Denied(made.status());
  if (!*made) co_return Denied(NameIsTaken(name));
  auto queue = std::make_shared<KnownQueue>(KnownQueue{**made, std::move(config)});
  Configure(queue);
  co_return QueueChange{std::nullopt, std::move(queue)};
}

Task<QueueChange> Queues::Keep(QueueRef queue, std::string name, QueueConfig config,
                               std::string what, Actor actor) {
  Resource resource = queue->resource;
  if (!name.empty() && name != resource.name) {
    if (!IsQueueName(name)) co_return Denied(BadName(name));
    const auto renamed = co_await OnThread(access_.loop, access_.workers, [&] {
      return access_.control.RenameResource(resource, name, actor);
    });
    if (!renamed.ok()) co_return Denied(renamed.status());
    if (!*renamed) co_return Denied(NameIsTaken(name));
    resource.name = name;
  }
  config.modified = clock_.Now();
  const std::string text = TextOf(config);
  const Status changed = co_await OnThread(access_.loop, access_.workers, [&] {
    return access_.control.ChangeSettings(resource, text, what, actor);
  });
  if (!changed.ok()) co_return Denied(changed);
  resource.settings = text;
  auto now = std::make_shared<KnownQueue>(KnownQueue{std::move(resource), std::move(config)});
  Configure(now);
  co_return QueueChange{std::nullopt, std::move(now)};
}

Task<QueueChange> Queues::Create(Account account, std::string name, QueueConfig config,
                                 Actor actor) {
  const KeyLocks::Hold hold = co_await Lock(account.row);
  co_return co_await Make(account, std::move(name), std::move(config), std::move(actor));
}

Task<QueueChange> Queues::Change(Account account, QueueRef queue, std::string name, Edit edit,
                                 std::string what, Actor actor) {
  const KeyLocks::Hold hold = co_await Lock(account.row);
  const QueueChange now = Again(queue);
  if (now.error) co_return now;
  QueueConfig config = now.queue->config;
  if (auto error = edit(config)) co_return Denied(*std::move(error));
  if (auto error = CheckQueueSettings(access_.store.limits(), now.queue->resource.number, config)) {
    co_return Denied(*std::move(error));
  }
  co_return co_await Keep(now.queue, std::move(name), std::move(config), std::move(what),
                          std::move(actor));
}

Task<std::optional<ApiError>> Queues::Delete(Account account, QueueRef queue, Actor actor) {
  const KeyLocks::Hold hold = co_await Lock(account.row);
  const QueueChange now = Again(queue);
  if (now.error) co_return now.error;
  const uint64_t number = now.queue->resource.number;
  if (const auto other = DeadLettersOf(account.row, number)) {
    co_return ApiError{409, kBadRequest,
                       "it is the dead letter queue of \"" + *other + "\": remove it there first",
                       std::nullopt};
  }
  // The messages first: a daemon that dies in between leaves an empty queue to be deleted again,
  // and never messages that nobody owns.
  const Result<uint64_t> dropped = co_await DropQueue(access_, number);
  if (!dropped.ok() && !IsNoSuchQueue(dropped.status())) {
    co_return ErrorOfQueue(dropped.status(), QueueDoor::kControl);
  }
  const Status deleted = co_await OnThread(access_.loop, access_.workers, [&] {
    return access_.control.DeleteResource(now.queue->resource, actor);
  });
  if (!deleted.ok()) {
    Configure(now.queue);
    co_return ErrorOfQueue(deleted, QueueDoor::kControl);
  }
  known_.erase(number);
  observer_(number, nullptr);
  co_return std::nullopt;
}

Task<QueueChange> Queues::NotePurge(Account account, QueueRef queue, Actor actor) {
  const KeyLocks::Hold hold = co_await Lock(account.row);
  const QueueChange now = Again(queue);
  if (now.error) co_return now;
  QueueConfig config = now.queue->config;
  config.purged = clock_.Now();
  co_return co_await Keep(now.queue, "", std::move(config), "purge", std::move(actor));
}

// ---- consumers

Task<QueueChange> Queues::KeepConsumer(Account account, QueueRef queue, WantedConsumer wanted,
                                       std::string what, Actor actor) {
  QueueConfig config = queue->config;
  config.consumer = std::move(wanted.consumer);
  config.consumer->dead_letter_queue.reset();
  // Before a queue is made for it.
  if (auto error = CheckConsumerSettings(access_.store.limits(), queue->resource.number, config)) {
    co_return Denied(*std::move(error));
  }
  if (wanted.dead_letter_queue) {
    const Result<QueueRef> there = FindByName(account.row, *wanted.dead_letter_queue);
    if (!there.ok()) co_return Denied(there.status());
    QueueRef dead = *there;
    if (dead == nullptr) {
      QueueChange made = co_await Make(account, *wanted.dead_letter_queue, QueueConfig{}, actor);
      if (made.error) co_return made;
      dead = made.queue;
    }
    config.consumer->dead_letter_queue = dead->resource.number;
    if (auto error =
            CheckConsumerSettings(access_.store.limits(), queue->resource.number, config)) {
      co_return Denied(*std::move(error));
    }
  }
  co_return co_await Keep(queue, "", std::move(config), std::move(what), std::move(actor));
}

Task<QueueChange> Queues::AddConsumer(Account account, QueueRef queue, WantedConsumer wanted,
                                      Actor actor) {
  const KeyLocks::Hold hold = co_await Lock(account.row);
  const QueueChange now = Again(queue);
  if (now.error) co_return now;
  if (now.queue->config.consumer) {
    co_return Denied(ApiError{409, kConsumerExists,
                              "the queue has a consumer already: remove that one first",
                              std::nullopt});
  }
  wanted.consumer.id = NewId(ids_) + NewId(ids_);
  wanted.consumer.created = clock_.Now();
  co_return co_await KeepConsumer(account, now.queue, std::move(wanted), "consumer.add",
                                  std::move(actor));
}

Task<QueueChange> Queues::ReplaceConsumer(Account account, QueueRef queue, std::string id,
                                          WantedConsumer wanted, Actor actor) {
  const KeyLocks::Hold hold = co_await Lock(account.row);
  const QueueChange now = Again(queue);
  if (now.error) co_return now;
  const std::optional<QueueConsumer>& old = now.queue->config.consumer;
  if (!old || old->id != id) co_return Denied(NoSuchConsumer());
  wanted.consumer.id = std::move(id);
  wanted.consumer.created = old->created;
  co_return co_await KeepConsumer(account, now.queue, std::move(wanted), "consumer.change",
                                  std::move(actor));
}

Task<QueueChange> Queues::RemoveConsumer(Account account, QueueRef queue, std::string id,
                                         Actor actor) {
  const KeyLocks::Hold hold = co_await Lock(account.row);
  const QueueChange now = Again(queue);
  if (now.error) co_return now;
  QueueConfig config = now.queue->config;
  if (!config.consumer || config.consumer->id != id) co_return Denied(NoSuchConsumer());
  config.consumer.reset();
  co_return co_await Keep(now.queue, "", std::move(config), "consumer.remove", std::move(actor));
}

}  // namespace levada::services::queues
