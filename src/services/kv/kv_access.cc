#include "services/kv/kv_access.h"

#include <utility>

#include "base/json.h"
#include "services/core/on_thread.h"
#include "services/kv/kv_rules.h"

namespace levada::services::kv {

net::Task<Result<std::optional<KvEntry>>> ReadEntry(const KvAccess& access, uint64_t space,
                                                    std::string key) {
  Result<KvCachedEntry> cached = access.store.GetCached(space, key);
  if (!cached.ok()) co_return cached.status();
  if (cached->known) co_return std::move(cached->entry);
  const KvStore& store = access.store;
  co_return co_await OnThread(access.loop, access.workers,
                              [&store, space, &key] { return store.Get(space, key); });
}

net::Task<Status> WritePairs(const KvAccess& access, uint64_t space, std::vector<KvPair> pairs) {
  co_return co_await Durably(access.loop, [&](KvStore::Done done) {
    return access.store.Put(space, std::move(pairs), std::move(done));
  });
}

net::Task<Status> DeleteKeys(const KvAccess& access, uint64_t space,
                             std::vector<std::string> keys) {
  co_return co_await Durably(access.loop, [&](KvStore::Done done) {
    return access.store.Delete(space, keys, std::move(done));
  });
}

net::Task<Status> DropNamespace(const KvAccess& access, uint64_t space) {
  co_return co_await Durably(access.loop, [&](KvStore::Done done) {
    return access.store.DropNamespace(space, std::move(done));
  });
}

net::Task<Result<std::optional<KvPage>>> ListKeys(const KvAccess& access, uint64_t space,
                                                  std::string prefix, std::string cursor,
                                                  int64_t limit) {
  const KvStore& store = access.store;
  co_return co_await OnThread(access.loop, access.workers,
                              [&store, space, &prefix, &cursor, limit] {
                                return store.List(space, prefix, cursor, limit);
                              });
}

namespace {

constexpr uint64_t kBulkReadBytesMax = 25 * 1024 * 1024;

/// One member of a bulk read; nullopt: the value is no JSON where JSON was asked for.
std::optional<std::string> MemberOf(const std::optional<KvEntry>& entry, BulkGetOptions options) {
  if (!entry) return "null";
  if (options.as_json && ParseJson(entry->value).is_discarded()) return std::nullopt;
  std::string value = options.as_json ? entry->value : QuoteJson(entry->value);
  if (!options.with_metadata) return value;
  return R"({"value":)" + std::move(value) + R"(,"metadata":)" +
         (entry->metadata.empty() ? "null" : entry->metadata) + "}";
}

}  // namespace

net::Task<BulkRead> ReadBulk(const KvAccess& access, uint64_t space, std::vector<std::string> keys,
                             BulkGetOptions options) {
  BulkRead read;
  read.json = "{";
  for (const std::string& key : keys) {
    const auto entry = co_await ReadEntry(access, space, key);
    if (!entry.ok()) {
      read.error = ErrorOf(entry.status());
      co_return read;
    }
    const std::optional<std::string> member = MemberOf(*entry, options);
    if (!member) {
      read.error = ApiError{400, kBadArgument,
                            "At least one of the requested keys corresponds to a non-json value",
                            std::nullopt};
      co_return read;
    }
    if (read.json.size() > 1) read.json += ",";
    read.json += QuoteJson(key) + ":" + *member;
    if (read.json.size() > kBulkReadBytesMax) {
      read.error = ApiError{413, kOverLimit,
                            "the values of these keys are more than 25 MiB together", std::nullopt};
      co_return read;
    }
  }
  read.json += "}";
  co_return read;
}

}  // namespace levada::services::kv
