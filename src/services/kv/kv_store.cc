#include "services/kv/kv_store.h"

#include <algorithm>
#include <utility>

#include "services/core/service_store.h"
#include "services/kv/kv_families.h"
#include "services/kv/kv_record.h"

namespace levada::services::kv {
namespace {

using db::rocks::Batch;
using db::rocks::CachedRead;

bool IsPast(int64_t expires_ms, int64_t now_ms) { return expires_ms != 0 && expires_ms <= now_ms; }

Status Damaged(uint64_t space, std::string_view key) {
  return Fault(FaultCode::kStoreDamaged, "kv: the record of a key is damaged")
      .With("namespace", std::to_string(space))
      .With("key", std::string(key));
}

std::optional<int64_t> SecondsOf(int64_t expires_ms) {
  if (expires_ms == 0) return std::nullopt;
  return expires_ms / 1000;
}

KvEntry EntryOf(const KvRecord& record, std::string value) {
  return {std::move(value), std::string(record.metadata), SecondsOf(record.expires_ms)};
}

/// Of a record with its value in it; `bytes` are the record, and become the value.
KvEntry EntryWithin(const KvRecord& record, std::string bytes) {
  const size_t value_begin = bytes.size() - record.value.size();
  KvEntry entry = EntryOf(record, {});
  entry.value = std::move(bytes);
  entry.value.erase(0, value_begin);
  return entry;
}

std::string NamespaceEnd(uint64_t space) { return StoreKey(space + 1, {}); }

}  // namespace

KvStore::KvStore(KvLimits limits, const Clock& clock, os::DiskReserve* reserve)
    : limits_(limits), clock_(clock), reserve_(reserve) {}

KvStore::~KvStore() = default;

int64_t KvStore::NowMs() const { return clock_.Now() / 1000; }

Result<std::unique_ptr<KvStore>> KvStore::Open(const std::string& path, KvLimits limits,
                                               const Clock& clock, Logger& log,
                                               os::DiskReserve* reserve,
                                               db::rocks::StoreOptions options) {
  std::unique_ptr<KvStore> store(new KvStore(limits, clock, reserve));
  options.path = path;
  const KvStore* self = store.get();
  // What is past by our clock stays so unless an operator sets it back: then what was forgotten
  // meanwhile is gone, as it was for everyone who asked.
  options.families = KvFamilies();
  options.families[kKeys].is_dead = [self](std::string_view,
                                           std::optional<std::string_view> bytes) {
    const auto record = bytes ? DecodeRecord(*bytes) : std::nullopt;
    return record && IsPast(record->expires_ms, self->NowMs());
  };
  options.families[kValues].is_dead = [self](std::string_view key,
                                             std::optional<std::string_view>) {
    return IsPast(ExpiryOfValueKey(key), self->NowMs());
  };
  ARROW_ASSIGN_OR_RAISE(store->store_, OpenServiceStore(std::move(options), log));
  store->committer_ = MakeServiceCommitter(*store->store_, clock, log, reserve);
  return store;
}

Result<KvCachedEntry> KvStore::GetCached(uint64_t space, std::string_view key) const {
  ARROW_ASSIGN_OR_RAISE(CachedRead read, store_->GetCached(kKeys, StoreKey(space, key)));
  if (!read.known) return KvCachedEntry{};
  if (!read.value) return KvCachedEntry{true, std::nullopt};
  const std::optional<KvRecord> record = DecodeRecord(*read.value);
  if (!record) return Damaged(space, key);
  if (IsPast(record->expires_ms, NowMs())) return KvCachedEntry{true, std::nullopt};
  if (record->value_elsewhere) return KvCachedEntry{};
  return KvCachedEntry{true, EntryWithin(*record, *std::move(read.value))};
}

/// Record and value of one moment: between two reads the key may be written again.
Result<std::optional<KvEntry>> KvStore::Get(uint64_t space, std::string_view key) const {
  const db::rocks::View view = store_->MakeView();
  const std::string store_key = StoreKey(space, key);
  ARROW_ASSIGN_OR_RAISE(std::optional<std::string> bytes, view.Get(kKeys, store_key));
  if (!bytes) return std::optional<KvEntry>();
  const std::optional<KvRecord> record = DecodeRecord(*bytes);
  if (!record) return Damaged(space, key);
  if (IsPast(record->expires_ms, NowMs())) return std::optional<KvEntry>();
  if (!record->value_elsewhere) {
    return std::optional<KvEntry>(EntryWithin(*record, *std::move(bytes)));
  }
  ARROW_ASSIGN_OR_RAISE(std::optional<std::string> value,
                        view.Get(kValues, ValueKey(store_key, record->expires_ms)));
  if (!value) return Damaged(space, key);
  return std::optional<KvEntry>(EntryOf(*record, *std::move(value)));
}

Result<std::optional<KvPage>> KvStore::List(uint64_t space, std::string_view prefix,
                                            std::string_view cursor, int64_t limit) const {
  std::string begin = StoreKey(space, prefix);
  if (!cursor.empty()) {
    const std::optional<std::string> last = DecodeCursor(cursor, space, prefix);
    if (!last) return std::optional<KvPage>();
    begin = StoreKey(space, *last) + '\0';  // the first key behind it
  }
  const std::string end =
      prefix.empty() ? NamespaceEnd(space) : db::rocks::PrefixEnd(StoreKey(space, prefix));
  const int64_t now_ms = NowMs();
  const auto at = store_->MakeCursor(kKeys, begin, end);
  KvPage page;
  std::string last_seen;
  int64_t scanned = 0;
  for (; at->Valid(); at->Next()) {
    if (static_cast<int64_t>(page.keys.size()) == limit || scanned == limits_.list_scanned_max) {
      page.cursor = EncodeCursor(space, prefix, last_seen);
      break;
    }
    ++scanned;
    last_seen = at->key().substr(sizeof(uint64_t));
    const std::optional<KvRecord> record = DecodeRecord(at->value());
    if (!record) return Damaged(space, last_seen);
    if (IsPast(record->expires_ms, now_ms)) continue;
    page.keys.push_back({last_seen, std::string(record->metadata), SecondsOf(record->expires_ms)});
  }
  ARROW_RETURN_NOT_OK(at->status());
  return std::optional<KvPage>(std::move(page));
}

void KvStore::DeleteOldValue(Batch& batch, const std::string& store_key) const {
  std::string never = ValueKey(store_key, 0);
  bool waits = false;
  {
    const std::lock_guard lock(waiting_mutex_);
    waits = waiting_values_.contains(store_key);
  }
  if (waits || store_->MayHave(kValues, never)) batch.Delete(kValues, std::move(never));
  // One that expires is found by its record, if that is in memory; else it goes when it expires.
  const Result<CachedRead> old = store_->GetCached(kKeys, store_key);
  if (!old.ok() || !old->value) return;
  const std::optional<KvRecord> record = DecodeRecord(*old->value);
  if (record && record->value_elsewhere && record->expires_ms != 0) {
    batch.Delete(kValues, ValueKey(store_key, record->expires_ms));
  }
}

bool KvStore::Put(uint64_t space, std::vector<KvPair> pairs, Done done) {
  if (reserve_ != nullptr && reserve_->is_full()) {
    done(Fault(FaultCode::kDiskFull, "kv: the disk is full"));
    return true;
  }
  Batch batch;
  std::vector<std::string> waiting;
  for (KvPair& pair : pairs) {
    std::string key = StoreKey(space, pair.key);
    KvRecord record;
    record.expires_ms = pair.entry.expires_s.value_or(0) * 1000;
    record.metadata = pair.entry.metadata;
    record.value_elsewhere = pair.entry.value.size() > limits_.inline_bytes_max;
    if (!record.value_elsewhere) record.value = pair.entry.value;
    std::string bytes = EncodeRecord(record);
    DeleteOldValue(batch, key);
    if (record.value_elsewhere) {
      batch.Put(kValues, ValueKey(key, record.expires_ms), std::move(pair.entry.value));
      waiting.push_back(key);
    }
    batch.Put(kKeys, std::move(key), std::move(bytes));
  }
  if (waiting.empty()) return committer_->Submit(std::move(batch), std::move(done));
  {
    const std::lock_guard lock(waiting_mutex_);
    waiting_values_.insert(waiting.begin(), waiting.end());
  }
  const auto forget = [this, waiting = std::move(waiting)] {
    const std::lock_guard lock(waiting_mutex_);
    for (const std::string& key : waiting) waiting_values_.erase(waiting_values_.find(key));
  };
  const bool taken =
      committer_->Submit(std::move(batch), [forget, done = std::move(done)](const Status& status) {
        forget();
        done(status);
      });
  if (!taken) forget();
  return taken;
}

bool KvStore::Delete(uint64_t space, const std::vector<std::string>& keys, Done done) {
  Batch batch;
  for (const std::string& each : keys) {
    std::string key = StoreKey(space, each);
    DeleteOldValue(batch, key);
    batch.Delete(kKeys, std::move(key));
  }
  return committer_->Submit(std::move(batch), std::move(done));
}

bool KvStore::DropNamespace(uint64_t space, Done done) {
  Batch batch;
  for (const db::rocks::FamilyIndex family : {kKeys, kValues}) {
    batch.DeleteRange(family, StoreKey(space, {}), NamespaceEnd(space));
  }
  return committer_->Submit(std::move(batch), std::move(done));
}

}  // namespace levada::services::kv
