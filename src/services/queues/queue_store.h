#pragma once
// QueueStore: the queues of a daemon, without HTTP: QueueMachine over RocksDB. Whatever is
// acknowledged is on the disk, a delivery too before it is handed out: so attempts never go back,
// and no message is in two hands within its lease, not even across a loss of power.
//
// Every call decides under one lock, which is held for microseconds, or for one read of the next
// few thousand places of a long queue; the bodies of what was received are read outside of it.

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "db/rocksdb/committer.h"
#include "db/rocksdb/store.h"
#include "os/disk_reserve.h"
#include "services/queues/lease_id.h"
#include "services/queues/queue_clock.h"
#include "services/queues/queue_limits.h"
#include "services/queues/queue_machine.h"

namespace levada::services::queues {

enum class SendOutcome : uint8_t {
  kStored,
  kBacklogFull,  ///< nothing was taken
};

struct SendReply {
  SendOutcome outcome = SendOutcome::kStored;
  std::optional<Backlog> backlog;  ///< behind it; nullopt: BacklogOf knows
};

/// A message as a consumer gets it.
struct Delivered {
  std::string id;
  LeaseId lease;
  int64_t until_ms = 0;  ///< of QueueClock
  ContentType type = ContentType::kBytes;
  int64_t timestamp_ms = 0;
  std::string body;
};

struct Peeked {
  std::string id;
  ContentType type = ContentType::kBytes;
  int64_t timestamp_ms = 0;
  std::string body;
};
struct PeekPage {
  std::vector<Peeked> messages;
  /// Where the next page begins; nullopt: this one is empty, for there are no more.
  std::optional<uint64_t> next;
};

/// Of a call about a queue that was never configured, or was dropped.
inline bool IsNoSuchQueue(const Status& status) { return status.IsKeyError(); }

/// Thread-safe. A queue is meant by the number that control.db gave it. Limits of what is asked are
/// the caller's to check (queue_rules.h).
///
/// What changes something returns false, and does not run `done`, when too much waits; `done` runs
/// on the committer's thread, or at once when there is nothing to write.
class QueueStore final {
 public:
  template <typename T>
  using Done = std::function<void(Result<T>)>;

  /// Opens or makes `path`. All outlive it; `reserve` may be null. A damaged one is there, and
  /// every call fails with kStoreDamaged. Errors: those of OpenServiceStore.
  static Result<std::unique_ptr<QueueStore>> Open(const std::string& path, QueueLimits limits,
                                                  const Clock& clock, Random& random, Logger& log,
                                                  os::DiskReserve* reserve = nullptr,
                                                  db::rocks::StoreOptions options = {});
  ~QueueStore();

  /// Before anything else about a queue, and when its settings change. Keeps nothing on the disk.
  void Configure(uint64_t queue, const QueueSettings& settings);

  /// All of them or none. kDiskFull while the disk is full; what takes messages out goes on.
  [[nodiscard]] bool Send(uint64_t queue, std::vector<NewMessage> messages, Done<SendReply> done);
  [[nodiscard]] bool Receive(uint64_t queue, size_t count, int64_t visibility_ms,
                             Done<std::vector<Taken>> done);
  /// What they say: in their order, without those that were purged meanwhile. One that cannot be
  /// read is logged and left out; its lease runs out. May block on the disk.
  std::vector<Delivered> Read(const std::vector<Taken>& taken);
  [[nodiscard]] bool Settle(uint64_t queue, Settlement settlement, Done<SettledAll> done);
  /// How many were deleted; Drop ends the queue itself too.
  [[nodiscard]] bool Purge(uint64_t queue, Done<uint64_t> done);
  [[nodiscard]] bool Drop(uint64_t queue, Done<uint64_t> done);
  /// How many were moved: see QueueMachine::Redrive. Fewer than `count`: there are no more that
  /// wait. kDiskFull as Send.
  [[nodiscard]] bool Redrive(uint64_t queue, std::optional<uint64_t> to, size_t count,
                             Done<uint64_t> done);

  /// May block on the disk, all four.
  Result<Backlog> BacklogOf(uint64_t queue);
  Result<Glance> GlanceAt(uint64_t queue, size_t count);
  /// In the order they were sent, whether they wait or are in somebody's hands; changes nothing.
  Result<PeekPage> Peek(uint64_t queue, uint64_t from, size_t count) const;

  std::string Seal(const LeaseId& id) const { return seal_->Seal(id); }
  /// nullopt: not an id that was given out here.
  std::optional<LeaseId> OpenLease(std::string_view text) const { return seal_->Open(text); }
  int64_t NowMs() const { return clock_->NowMs(); }
  const QueueLimits& limits() const { return limits_; }
  /// For metrics.
  const db::rocks::Store& store() const { return *store_; }
  const db::rocks::Committer& committer() const { return *committer_; }

 private:
  QueueStore(QueueLimits limits, Logger& log, os::DiskReserve* reserve);
  Result<std::string> LeaseKey(Random& random);
  Status EnsureLoaded();  // under the lock
  void TryReopen();       // under the lock
  Moment Now() const { return {clock_->NowMs(), clock_->WallMs()}; }
  bool IsFull() const { return reserve_ != nullptr && reserve_->is_full(); }
  /// Runs `call` of the machine, which gives a Result of a value with a `write`, and hands what
  /// `pick` makes of it to `done` when that is durable.
  template <typename T, typename Call, typename Pick>
  bool Run(size_t bytes, Done<T> done, Call call, Pick pick);
  void Ended(uint64_t number, const Status& written);
  void ForgetLater(const LeaseId& id);

  const QueueLimits limits_;
  Logger& log_;
  os::DiskReserve* const reserve_;
  std::unique_ptr<db::rocks::Store> store_;
  std::unique_ptr<QueueRecords> records_;
  std::unique_ptr<LeaseSeal> seal_;
  std::unique_ptr<QueueClock> clock_;
  std::mutex mutex_;  // of all below, the committer apart
  std::unique_ptr<QueueMachine> machine_;
  Status damaged_;                                   // not OK: it is not tried again
  bool is_stale_ = true;                             // the machine does not know what the store has
  size_t under_way_ = 0;                             // writes
  std::unique_ptr<db::rocks::Committer> committer_;  // first to die: it uses all of the above
};

}  // namespace levada::services::queues
