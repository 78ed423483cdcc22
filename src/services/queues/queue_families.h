#pragma once
// The families of the store of queues: see queue_record.h for what is in them.

#include <vector>

#include "db/rocksdb/store.h"

namespace levada::services::queues {

enum Family : db::rocks::FamilyIndex {
  kQueues,
  kMessages,
  kReady,
  kLeases,
};

/// In the order of Family. No record is dead in them.
inline std::vector<db::rocks::Family> QueueFamilies() {
  return {{.name = "queues"},
          {.name = "messages", .blob_bytes_min = 16 * 1024},
          {.name = "ready"},
          {.name = "leases"}};
}

}  // namespace levada::services::queues
