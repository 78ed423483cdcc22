#include "services/queues/queue_store.h"

#include <utility>

#include "services/core/master_key.h"
#include "services/core/on_thread.h"
#include "services/core/service_store.h"
#include "services/queues/queue_families.h"
#include "services/queues/store_records.h"

namespace levada::services::queues {
namespace {

using db::rocks::Batch;

/// Of what is written for a message beside its body, at most.
constexpr size_t kOverheadBytes = 256;
/// A page of messages that nobody takes is not worth more memory.
constexpr size_t kPeekBytesMax = size_t{4} << 20;

Status DiskIsFull() { return Fault(FaultCode::kDiskFull, "queues: the disk is full"); }

size_t BytesOf(const std::vector<NewMessage>& messages) {
  size_t bytes = 0;
  for (const NewMessage& message : messages) bytes += message.body.size() + kOverheadBytes;
  return bytes;
}

}  // namespace

QueueStore::QueueStore(QueueLimits limits, Logger& log, os::DiskReserve* reserve)
    : limits_(limits), log_(log), reserve_(reserve) {}

QueueStore::~QueueStore() = default;

Result<std::unique_ptr<QueueStore>> QueueStore::Open(const std::string& path, QueueLimits limits,
                                                     const Clock& clock, Random& random,
                                                     Logger& log, os::DiskReserve* reserve,
                                                     db::rocks::StoreOptions options) {
  std::unique_ptr<QueueStore> store(new QueueStore(limits, log, reserve));
  options.path = path;
  options.families = QueueFamilies();
  ARROW_ASSIGN_OR_RAISE(store->store_, OpenServiceStore(std::move(options), log));
  store->records_ = std::make_unique<StoreRecords>(*store->store_);
  store->machine_ = std::make_unique<QueueMachine>(limits, *store->records_);
  std::string lease_key = RandomBytes(random, LeaseSeal::kKeyBytes);  // of a damaged one
  if (store->store_->closed_because().ok()) {
    ARROW_ASSIGN_OR_RAISE(lease_key, store->LeaseKey(random));
    store->damaged_ = store->machine_->Load();
    store->is_stale_ = !store->damaged_.ok();
    if (!store->damaged_.ok()) {
      log.Error("the store of queues cannot be read, the others are served: see levada fsck",
                {{"path", path}, {"cause", FaultOf(store->damaged_).message()}});
    }
  }
  store->seal_ = std::make_unique<LeaseSeal>(std::move(lease_key));
  store->clock_ = std::make_unique<QueueClock>(clock, store->machine_->seen_ms());
  db::rocks::CommitterOptions chained;
  chained.is_chained = true;
  store->committer_ = MakeServiceCommitter(*store->store_, clock, log, reserve, std::move(chained));
  return store;
}

/// Before there is a committer.
Result<std::string> QueueStore::LeaseKey(Random& random) {
  ARROW_ASSIGN_OR_RAISE(const auto kept, store_->Get(kQueues, kLeaseKeyKey));
  if (kept && kept->size() == LeaseSeal::kKeyBytes) return *kept;
  std::string key = RandomBytes(random, LeaseSeal::kKeyBytes);
  Batch batch;
  batch.Put(kQueues, std::string(kLeaseKeyKey), key);
  ARROW_RETURN_NOT_OK(store_->Write({&batch}));
  return key;
}

// ---- calls and their writes

Status QueueStore::EnsureLoaded() {
  if (!is_stale_) return Status::OK();
  ARROW_RETURN_NOT_OK(damaged_);
  if (under_way_ > 0) return Busy();
  const Status closed = store_->closed_because();
  if (!closed.ok()) {
    if (CodeOf(closed) != FaultCode::kStoreDamaged) TryReopen();
    return closed;
  }
  const Status loaded = machine_->Load();
  if (!loaded.ok() && CodeOf(loaded) == FaultCode::kStoreDamaged) damaged_ = loaded;
  ARROW_RETURN_NOT_OK(loaded);
  committer_->Mend();
  is_stale_ = false;
  return Status::OK();
}

/// The committer opens a closed store for the next batch, whatever is in it.
void QueueStore::TryReopen() {
  committer_->Mend();
  const bool taken = committer_->Submit({}, [this](const Status&) {
    const std::lock_guard lock(mutex_);
    --under_way_;
  });
  if (taken) ++under_way_;
}

void QueueStore::Ended(uint64_t number, const Status& written) {
  const std::lock_guard lock(mutex_);
  --under_way_;
  if (!written.ok()) {
    is_stale_ = true;
  } else if (number != 0) {
    machine_->Wrote(number);
  }
}

template <typename T, typename Call, typename Pick>
bool QueueStore::Run(size_t bytes, Done<T> done, Call call, Pick pick) {
  Result<T> value = Busy();
  {
    const std::lock_guard lock(mutex_);
    const Status loaded = EnsureLoaded();
    if (IsBusy(loaded) || (loaded.ok() && !committer_->HasRoomFor(bytes))) return false;
    auto called = loaded.ok() ? call() : loaded;
    if (!called.ok()) {
      value = called.status();
    } else {
      Write write = std::move(called->write);
      value = pick(*std::move(called));
      // What is said of a write under way waits for it, even without one of its own.
      if (!write.batch.empty() || under_way_ > 0) {
        const uint64_t number = write.number;
        const bool taken = committer_->Submit(
            std::move(write.batch), [this, number, value, done](const Status& written) mutable {
              Ended(number, written);
              done(written.ok() ? std::move(value) : Result<T>(written));
            });
        // Then the machine has done what nobody will write.
        if (!taken) is_stale_ = true;
        if (taken) ++under_way_;
        return taken;
      }
    }
  }
  done(std::move(value));
  return true;
}

void QueueStore::Configure(uint64_t queue, const QueueSettings& settings) {
  const std::lock_guard lock(mutex_);
  machine_->Configure(queue, settings);
}

bool QueueStore::Send(uint64_t queue, std::vector<NewMessage> messages, Done<SendReply> done) {
  if (IsFull()) {
    done(DiskIsFull());
    return true;
  }
  return Run<SendReply>(
      BytesOf(messages), std::move(done),
      [&] { return machine_->Send(queue, std::move(messages), Now()); },
      [](const Sent& sent) {
        return SendReply{sent.is_full ? SendOutcome::kBacklogFull : SendOutcome::kStored,
                         sent.backlog};
      });
}

bool QueueStore::Receive(uint64_t queue, size_t count, int64_t visibility_ms,
                         Done<std::vector<Taken>> done) {
  return Run<std::vector<Taken>>(
      (count + limits_.tidied_max) * kOverheadBytes, std::move(done),
      [&] { return machine_->Receive(queue, count, visibility_ms, Now()); },
      [&](Received received) {
        for (const uint64_t seq : received.aside) {
          log_.Warning(
              "a message without a retry left cannot be moved to the dead letter queue, and stays "
              "aside for an hour",
              {{"queue", std::to_string(queue)}, {"message", MessageId(queue, seq)}});
        }
        return std::move(received.messages);
      });
}

bool QueueStore::Settle(uint64_t queue, Settlement settlement, Done<SettledAll> done) {
  const size_t count = settlement.acks.size() + settlement.retries.size();
  return Run<SettledAll>(
      count * kOverheadBytes, std::move(done),
      [&] { return machine_->Settle(queue, settlement, Now()); },
      [](SettledAll settled) { return settled; });
}

bool QueueStore::Purge(uint64_t queue, Done<uint64_t> done) {
  return Run<uint64_t>(
      kOverheadBytes, std::move(done), [&] { return machine_->Purge(queue, Now()); },
      [](const Counted& counted) { return counted.count; });
}

bool QueueStore::Drop(uint64_t queue, Done<uint64_t> done) {
  return Run<uint64_t>(
      kOverheadBytes, std::move(done), [&] { return Result<Counted>(machine_->Drop(queue)); },
      [](const Counted& counted) { return counted.count; });
}

bool QueueStore::Redrive(uint64_t queue, std::optional<uint64_t> to, size_t count,
                         Done<uint64_t> done) {
  if (IsFull()) {
    done(DiskIsFull());
    return true;
  }
  return Run<uint64_t>(
      count * (limits_.message_bytes_max + kOverheadBytes), std::move(done),
      [&] { return machine_->Redrive(queue, to, count, Now()); },
      [](const Counted& counted) { return counted.count; });
}

/// Not worth a word to anybody: where it cannot be done now, its lease runs out and it comes again.
void QueueStore::ForgetLater(const LeaseId& id) {
  const auto said = [](const Result<uint64_t>&) {};
  static_cast<void>(Run<uint64_t>(
      kOverheadBytes, Done<uint64_t>(said), [&] { return machine_->Forget(id, Now()); },
      [](const Counted& counted) { return counted.count; }));
}

// ---- reads

std::vector<Delivered> QueueStore::Read(const std::vector<Taken>& taken) {
  std::vector<Delivered> all;
  for (const Taken& each : taken) {
    const LeaseId& id = each.id;
    const auto bytes = ReadMessage(*records_, id.queue, id.seq);
    if (!bytes.ok()) {
      log_.Error("a message cannot be read, and is not delivered: see levada fsck",
                 {{"queue", std::to_string(id.queue)},
                  {"message", MessageId(id.queue, id.seq)},
                  {"cause", FaultOf(bytes.status()).message()}});
      continue;
    }
    const std::optional<Message> message = *bytes ? DecodeMessage(**bytes) : std::nullopt;
    if (!message) {
      ForgetLater(id);
      continue;
    }
    all.push_back({MessageId(id.queue, id.seq), id, each.until_ms, message->type,
                   message->timestamp_ms, std::string(message->body)});
  }
  return all;
}

Result<Backlog> QueueStore::BacklogOf(uint64_t queue) {
  const std::lock_guard lock(mutex_);
  ARROW_RETURN_NOT_OK(EnsureLoaded());
  return machine_->BacklogOf(queue);
}

Result<Glance> QueueStore::GlanceAt(uint64_t queue, size_t count) {
  const std::lock_guard lock(mutex_);
  ARROW_RETURN_NOT_OK(EnsureLoaded());
  return machine_->GlanceAt(queue, count, Now());
}

Result<PeekPage> QueueStore::Peek(uint64_t queue, uint64_t from, size_t count) const {
  ARROW_ASSIGN_OR_RAISE(const auto read,
                        ReadMessages(*records_, queue, from, count, kPeekBytesMax));
  PeekPage page;
  for (const StoredMessage& each : read) {
    const Message message = DecodeMessage(each.bytes).value_or(Message{});
    page.messages.push_back({MessageId(queue, each.seq), message.type, message.timestamp_ms,
                             std::string(message.body)});
    page.next = each.seq + 1;
  }
  return page;
}

}  // namespace levada::services::queues
