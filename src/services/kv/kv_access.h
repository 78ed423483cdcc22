#pragma once
// What the doors of KV share: the store as tasks of the loop. A read that finds what it needs in
// memory is answered at once, the others by a thread; a write is answered when it is durable.

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "net/loop.h"
#include "services/core/api.h"
#include "services/core/control.h"
#include "services/kv/kv_store.h"

namespace levada::services::kv {

/// How a door waits for the store: the loop to come back to, and the threads that may block.
struct KvAccess {
  KvStore& store;
  Control& control;
  const Clock& clock;
  net::Loop& loop;
  net::Workers& workers;
};

// Of all of these: Busy (core/on_thread.h) when too much waits, or what the store fails with.

/// nullopt: no such key.
net::Task<Result<std::optional<KvEntry>>> ReadEntry(const KvAccess& access, uint64_t space,
                                                    std::string key);
/// OK when durable.
net::Task<Status> WritePairs(const KvAccess& access, uint64_t space, std::vector<KvPair> pairs);
net::Task<Status> DeleteKeys(const KvAccess& access, uint64_t space, std::vector<std::string> keys);
net::Task<Status> DropNamespace(const KvAccess& access, uint64_t space);
/// nullopt: `cursor` is none of this list.
net::Task<Result<std::optional<KvPage>>> ListKeys(const KvAccess& access, uint64_t space,
                                                  std::string prefix, std::string cursor,
                                                  int64_t limit);

struct BulkGetOptions {
  bool as_json = false;  ///< values are JSON texts, and given as what they say
  bool with_metadata = false;
};

/// {"key": value | null, ...} in the order asked, with metadata {"key": {"value","metadata"}, ...}.
struct BulkRead {
  std::optional<ApiError> error;
  std::string json;
};
net::Task<BulkRead> ReadBulk(const KvAccess& access, uint64_t space, std::vector<std::string> keys,
                             BulkGetOptions options);

}  // namespace levada::services::kv
