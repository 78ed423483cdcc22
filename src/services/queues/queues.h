#pragma once
// Queues: the queues of all accounts by their names and settings, as Control keeps them; the store
// knows each by its number. What changes a queue or its consumer goes through here, one change of
// an account at a time, so that none is lost to another. On the loop.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "services/core/api.h"
#include "services/core/control.h"
#include "services/core/key_locks.h"
#include "services/queues/queue_access.h"
#include "services/queues/queue_config.h"

namespace levada::services::queues {

struct KnownQueue {
  Resource resource;
  QueueConfig config;
};
using QueueRef = std::shared_ptr<const KnownQueue>;

/// The queue as it is then, or why nothing was changed.
struct QueueChange {
  std::optional<ApiError> error;
  QueueRef queue;
};

/// A consumer as somebody asks for it: its dead letter queue by name, to be made when it is not
/// there. nullopt: none.
struct WantedConsumer {
  QueueConsumer consumer;
  std::optional<std::string> dead_letter_queue;
};

/// Of a consumer's id that is none of the queue's.
ApiError NoSuchConsumer();

/// 1 to 63 letters, digits, hyphens and underscores; no hyphen or underscore at an end.
bool IsQueueName(std::string_view name);

class Queues final {
 public:
  /// Changes a config, or says why not.
  using Edit = std::function<std::optional<ApiError>(QueueConfig&)>;
  /// Hears of each queue that is new or has changed, and of one that is gone (nullptr).
  using Observer = std::function<void(uint64_t number, const QueueRef&)>;

  /// All outlive it.
  Queues(const QueueAccess& access, const Clock& clock, Random& ids, Logger& log)
      : access_(access), clock_(clock), ids_(ids), log_(log), changes_(access.loop) {}
  /// Before ConfigureAll.
  void set_observer(Observer observer) { observer_ = std::move(observer); }

  /// Makes every queue known to the store: before anybody asks for one. What cannot be read is
  /// logged, and its queue is not served.
  void ConfigureAll();

  /// null: the account has none of it. kStoreDamaged for settings that cannot be read.
  Result<QueueRef> Find(int64_t account, std::string_view id);
  Result<QueueRef> FindByName(int64_t account, std::string_view name);
  Result<QueueRef> FindByNumber(uint64_t number);
  /// By name; without those whose settings cannot be read.
  std::vector<QueueRef> List(int64_t account);
  /// Of a number that there may be no queue of any more: "".
  std::string NameOfNumber(uint64_t number) const;

  net::Task<QueueChange> Create(Account account, std::string name, QueueConfig config, Actor actor);
  /// Under `name`, or with the old one where it is empty. `what` is for the audit log.
  net::Task<QueueChange> Change(Account account, QueueRef queue, std::string name, Edit edit,
                                std::string what, Actor actor);
  /// With all its messages. Not while it is the dead letter queue of another one.
  net::Task<std::optional<ApiError>> Delete(Account account, QueueRef queue, Actor actor);

  /// That it was purged.
  net::Task<QueueChange> NotePurge(Account account, QueueRef queue, Actor actor);

  net::Task<QueueChange> AddConsumer(Account account, QueueRef queue, WantedConsumer wanted,
                                     Actor actor);
  /// `id`: the consumer that is to be another one.
  net::Task<QueueChange> ReplaceConsumer(Account account, QueueRef queue, std::string id,
                                         WantedConsumer wanted, Actor actor);
  net::Task<QueueChange> RemoveConsumer(Account account, QueueRef queue, std::string id,
                                        Actor actor);

 private:
  net::Task<KeyLocks::Hold> Lock(int64_t account);
  Result<QueueRef> Know(std::optional<Resource> resource);
  /// What it is now: another change may have come first. An error when it is gone.
  QueueChange Again(const QueueRef& queue);
  void Configure(const QueueRef& queue);

  // Of all below: the account is locked.
  net::Task<QueueChange> Make(Account account, std::string name, QueueConfig config, Actor actor);
  net::Task<QueueChange> Keep(QueueRef queue, std::string name, QueueConfig config,
                              std::string what, Actor actor);
  net::Task<QueueChange> KeepConsumer(Account account, QueueRef queue, WantedConsumer wanted,
                                      std::string what, Actor actor);
  std::optional<std::string> DeadLettersOf(int64_t account, uint64_t number);

  const QueueAccess& access_;
  const Clock& clock_;
  Random& ids_;
  Logger& log_;
  KeyLocks changes_;  // of the queues of an account
  Observer observer_ = [](uint64_t, const QueueRef&) {};
  std::unordered_map<uint64_t, QueueRef> known_;  // by number
};

/// What the v4 door of queues works with. All outlive it.
struct QueueServices {
  const QueueAccess& access;
  Queues& queues;
};

}  // namespace levada::services::queues
