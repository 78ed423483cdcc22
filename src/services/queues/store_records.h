#pragma once
// StoreRecords: QueueRecords of a store of RocksDB.

#include <utility>

#include "db/rocksdb/store.h"
#include "services/queues/queue_records.h"

namespace levada::services::queues {

/// Thread-safe, as the store is, which outlives it.
class StoreRecords final : public QueueRecords {
 public:
  explicit StoreRecords(const db::rocks::Store& store) : store_(store) {}

  Result<std::optional<std::string>> Get(Family family, std::string_view key) const override {
    return store_.Get(family, key);
  }
  Status Scan(Family family, std::string_view begin, std::string end,
              const Visit& visit) const override {
    const auto cursor = store_.MakeCursor(family, begin, std::move(end));
    for (; cursor->Valid(); cursor->Next()) {
      if (!visit(cursor->key(), cursor->value())) return Status::OK();
    }
    return cursor->status();
  }

 private:
  const db::rocks::Store& store_;
};

}  // namespace levada::services::queues
