#pragma once
// QueueMachine: the queues of one store as a state machine. It decides what a call does and says
// what is to be written for it; whoever has it writes that, in the order it was said, and tells the
// machine. It knows no thread, no clock and no disk beside QueueRecords: the time is an argument.
//
// What is told to be written counts as done at once: a message that was sent may be taken by a
// later call, whose own write then stands behind the one of the send. So nothing is handed out, or
// acknowledged, before the write of the call is durable; and behind a write that failed none may be
// done until everything was loaded anew (Load).

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/fault.h"
#include "db/rocksdb/store.h"
#include "services/queues/lease_id.h"
#include "services/queues/lease_table.h"
#include "services/queues/queue_limits.h"
#include "services/queues/queue_records.h"
#include "services/queues/ready_window.h"

namespace levada::services::queues {

struct NewMessage {
  ContentType type = ContentType::kBytes;
  std::string body;
  /// nullopt: as the queue's settings say.
  std::optional<int64_t> delay_s;
};

/// What a call comes to on the disk: together or not at all. Empty: there is nothing to write, and
/// Wrote is not called.
struct Write {
  db::rocks::Batch batch;
  uint64_t number = 0;
};

/// The two times of a call: see QueueClock.
struct Moment {
  int64_t now_ms = 0;
  int64_t wall_ms = 0;
};

struct Backlog {
  uint64_t count = 0;     ///< of messages, whether they wait or are leased
  uint64_t bytes = 0;     ///< of bodies
  int64_t oldest_ms = 0;  ///< when the oldest was sent, by the machine's clock; 0: there is none
};

struct Sent {
  bool is_full = false;  ///< the backlog is as large as it may be, and nothing was taken
  Write write;
  std::optional<Backlog> backlog = {};  ///< behind it, where no record has to be read for it
};

/// A message in somebody's hands. Its body is read when the lease is written.
struct Taken {
  LeaseId id;
  int64_t until_ms = 0;
};

struct Received {
  std::vector<Taken> messages;
  /// Messages that can be neither delivered nor moved; they are put aside for a while.
  std::vector<uint64_t> aside;
  Write write;
};

/// What a consumer's word about a message came to.
enum class Settled : uint8_t {
  kDone,
  /// The message is not there: acknowledged before, purged, past its retention, or dead.
  kGone,
  /// This delivery is not its last: it is in other hands, or was given back.
  kSuperseded,
};

struct Retry {
  LeaseId id;
  std::optional<int64_t> delay_s;  ///< nullopt: as the queue's settings say
};

struct Settlement {
  std::vector<LeaseId> acks = {};
  std::vector<Retry> retries = {};
};

/// In the order of the Settlement.
struct SettledAll {
  std::vector<Settled> acks;
  std::vector<Settled> retries;
  Write write;
};

/// How many messages were moved, or deleted.
struct Counted {
  uint64_t count = 0;
  Write write;
};

/// Whether a consumer has something to do.
struct Glance {
  size_t visible_count = 0;  ///< as many as were asked for at most
  int64_t oldest_ms = 0;     ///< since when the first of them is visible
  /// When the next one becomes visible, if none is.
  std::optional<int64_t> next_ms;
};

/// One thread's at a time. Calls about a queue that was not configured fail with KeyError, those
/// that read the disk with its errors; then nothing has changed.
class QueueMachine final {
 public:
  /// `records` outlives it.
  QueueMachine(QueueLimits limits, const QueueRecords& records)
      : limits_(limits), records_(records) {}

  /// Takes the state from the records; no write is under way. Settings stay. A queue with a damaged
  /// record fails every call with kStoreDamaged, the others go on.
  Status Load();
  /// The latest time that the records know of.
  int64_t seen_ms() const { return seen_ms_; }
  /// The write, and so all before it, is durable.
  void Wrote(uint64_t number) { done_write_ = number; }

  /// Makes the queue known, or changes its settings.
  void Configure(uint64_t queue, const QueueSettings& settings);
  /// All of it, and it is not known any more.
  Counted Drop(uint64_t queue);

  Result<Sent> Send(uint64_t queue, std::vector<NewMessage> messages, Moment moment);
  /// Takes up to `count` that are visible, each until `visibility_ms` from now. On the way messages
  /// past their retention are deleted, and those without a retry left go where dead ones go.
  Result<Received> Receive(uint64_t queue, size_t count, int64_t visibility_ms, Moment moment);
  Result<SettledAll> Settle(uint64_t queue, const Settlement& settlement, Moment moment);
  /// Drops the entry of a message that was to be delivered and is not there.
  Result<Counted> Forget(const LeaseId& id, Moment moment);
  Result<Counted> Purge(uint64_t queue, Moment moment);
  /// Moves up to `count` that wait back to the queues that they were dead in, or all alike to `to`.
  Result<Counted> Redrive(uint64_t queue, std::optional<uint64_t> to, size_t count, Moment moment);

  Result<Backlog> BacklogOf(uint64_t queue);
  Result<Glance> GlanceAt(uint64_t queue, size_t count, Moment moment);
  /// Whether it was configured.
  bool Knows(uint64_t queue) const;

 private:
  /// Deleted by a write that may not be done.
  struct Leaving {
    uint64_t seq = 0;
    uint64_t write = 0;
  };
  struct Queue {
    Queue(uint64_t queue_number, size_t window_max) : number(queue_number), ready(window_max) {}
    const uint64_t number;
    bool is_known = false;  // configured; false: the store has it, and nobody has named it yet
    QueueSettings settings;
    Status damage;  // not OK: nothing can be done with it
    Totals totals;
    ReadyWindow ready;
    LeaseTable leases;
    uint64_t oldest_seq = 0;           // none before it is there
    std::optional<int64_t> oldest_ms;  // when that one was sent, as long as it is there
    std::deque<Leaving> leaving;
    uint64_t purged_before = 0;  // a seq; since the last Load
  };
  /// One that is next to be given out.
  struct Candidate {
    Place place;
    Entry entry;
    bool is_leased = false;  // its lease may have run out
  };
  /// A call under way.
  struct Work {
    Write write;
    Moment moment;
    std::set<Queue*> changed;  // whose totals are to be written
  };

  Queue& Make(uint64_t number);
  Result<Queue*> Find(uint64_t number);
  Status LoadQueue(Queue& queue);
  Status FillWindow(Queue& queue, size_t count);
  std::optional<Candidate> Next(const Queue& queue, int64_t now_ms) const;
  const Lease* HeldBy(const Queue& queue, const LeaseId& id) const;

  Work Begin(Moment moment) const { return {{{}, last_write_ + 1}, moment, {}}; }
  /// Adds the totals; nothing, and no number, if nothing has changed.
  Write End(Work work);
  void PutReady(Queue& queue, Place place, const Entry& entry, Work& work);
  void PutMessage(Queue& queue, const Message& message, Place place, Entry entry, Work& work);
  /// Takes the entry from where it stands.
  void Lift(Queue& queue, const Candidate& candidate, Work& work);
  void Delete(Queue& queue, const Candidate& candidate, Work& work);
  Taken Take(Queue& queue, const Candidate& candidate, int64_t until_ms, Work& work);
  void PutAside(Queue& queue, const Candidate& candidate, Work& work);
  /// False: it has to stay.
  bool Move(Queue& queue, const Candidate& candidate, uint64_t to, uint64_t source, Work& work);
  /// Of one without a retry left. False: it was put aside.
  bool Bury(Queue& queue, const Candidate& candidate, Work& work);
  static bool IsLeaving(const Queue& queue, uint64_t seq);
  Result<Settled> WhyNot(const Queue& queue, const LeaseId& id) const;
  Result<Settled> GiveBack(Queue& queue, const Retry& retry, Work& work);

  const QueueLimits limits_;
  const QueueRecords& records_;
  std::map<uint64_t, Queue> queues_;
  uint64_t last_write_ = 0;
  uint64_t done_write_ = 0;
  int64_t seen_ms_ = 0;
};

}  // namespace levada::services::queues
