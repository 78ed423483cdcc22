#pragma once
// The families of the store of KV: see kv_record.h for what is in them.

#include <vector>

#include "db/rocksdb/store.h"

namespace levada::services::kv {

enum Family : db::rocks::FamilyIndex {
  kKeys,
  kValues,
};

/// In the order of Family. No record is dead in them.
inline std::vector<db::rocks::Family> KvFamilies() {
  return {{.name = "keys"}, {.name = "values", .blob_bytes_min = 64 * 1024}};
}

}  // namespace levada::services::kv
