#pragma once
// KvStore: the KV service's state, without HTTP. Namespaces of keys with values, metadata and an
// expiry. Every write is durable when it is acknowledged and seen by every read after it; there is
// no stale cache anywhere.
//
// How it is kept (db/rocksdb): family "keys" has a record for each key, its value inside when it is
// small; family "values" has the others, those of 64 KiB and more in blob files, so that a list
// reads none of them. Keys start with the namespace's number, big-endian. Layout: docs/wire/kv.md.

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "db/rocksdb/committer.h"
#include "db/rocksdb/store.h"
#include "os/disk_reserve.h"

namespace levada::services::kv {

/// Of the format: enforced. Tests make them small.
struct KvLimits {
  size_t key_bytes_max = 512;
  size_t value_bytes_max = 25 * 1024 * 1024;
  size_t metadata_bytes_max = 1024;
  int64_t ttl_s_min = 60;
  int64_t list_max = 1000;
  int64_t list_scanned_max = 10'000;  ///< of one page, expired ones included
  size_t inline_bytes_max = 4096;     ///< larger values live in "values"
};

struct KvEntry {
  std::string value;
  std::string metadata;              ///< JSON; "" is none
  std::optional<int64_t> expires_s;  ///< since the epoch
};

struct KvPair {
  std::string key;
  KvEntry entry;
};

struct KvListed {
  std::string key;
  std::string metadata;
  std::optional<int64_t> expires_s;
};

struct KvPage {
  std::vector<KvListed> keys;
  std::string cursor;  ///< "" at the end
};

/// What a read without the disk found.
struct KvCachedEntry {
  bool known = false;
  std::optional<KvEntry> entry;
};

/// Thread-safe. A namespace is meant by the number control.db gave it. Limits of keys and values
/// are the caller's to check (kv_limits.h says them in words); what reaches the store is stored.
class KvStore final {
 public:
  /// Opens or makes `path`. All outlive it; `reserve` may be null. Errors: those of
  /// OpenServiceStore.
  static Result<std::unique_ptr<KvStore>> Open(const std::string& path, KvLimits limits,
                                               const Clock& clock, Logger& log,
                                               os::DiskReserve* reserve = nullptr,
                                               db::rocks::StoreOptions options = {});
  ~KvStore();

  /// May block on the disk. nullopt: no such key, or expired.
  Result<std::optional<KvEntry>> Get(uint64_t space, std::string_view key) const;
  Result<KvCachedEntry> GetCached(uint64_t space, std::string_view key) const;
  /// In byte order of the keys, up to `limit`. A page that scanned too much ends early, with a
  /// cursor. nullopt: `cursor` is none of this namespace and prefix. May block on the disk.
  Result<std::optional<KvPage>> List(uint64_t space, std::string_view prefix,
                                     std::string_view cursor, int64_t limit) const;

  /// All of them or none. `done` on the committer's thread; false when too much waits. While the
  /// disk is full a Put fails with kDiskFull and the others go on.
  using Done = std::function<void(const Status&)>;
  [[nodiscard]] bool Put(uint64_t space, std::vector<KvPair> pairs, Done done);
  [[nodiscard]] bool Delete(uint64_t space, const std::vector<std::string>& keys, Done done);
  /// Everything under the number.
  [[nodiscard]] bool DropNamespace(uint64_t space, Done done);

  const KvLimits& limits() const { return limits_; }
  /// For metrics.
  const db::rocks::Store& store() const { return *store_; }
  const db::rocks::Committer& committer() const { return *committer_; }

 private:
  KvStore(KvLimits limits, const Clock& clock, os::DiskReserve* reserve);
  int64_t NowMs() const;
  /// Deletes the value that a write of the key leaves without a record.
  void DeleteOldValue(db::rocks::Batch& batch, const std::string& store_key) const;

  const KvLimits limits_;
  const Clock& clock_;
  os::DiskReserve* const reserve_;
  std::unique_ptr<db::rocks::Store> store_;
  // Keys with a value of their own that are on their way to the disk, so that a write behind them
  // knows of it.
  mutable std::mutex waiting_mutex_;
  std::multiset<std::string> waiting_values_;
  std::unique_ptr<db::rocks::Committer> committer_;  // first to die: it uses all of the above
};

}  // namespace levada::services::kv
