#pragma once
// One family of a damaged store, read around the damage: see salvage.h. Blocking.

#include <rocksdb/db.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/context.h"
#include "db/rocksdb/blob_values.h"
#include "db/rocksdb/salvage.h"
#include "db/rocksdb/store.h"

namespace levada::db::rocks {

struct DamagedFamily {
  rocksdb::DB& db;
  rocksdb::ColumnFamilyHandle& handle;
  BlobValues* blobs = nullptr;  ///< not null: the store does not know its blob files, this does
};

/// Writes to `family` of `target` all that can be read of `damaged`. Where a block is damaged, keys
/// that lie there in other tables are found too, unless the family has values in blob files; of a
/// key with a newer record in the damage nothing is taken.
Result<std::vector<LostKeys>> SalvageFamily(const Context& ctx, const DamagedFamily& damaged,
                                            FamilyIndex family, Store& target);

/// A string between two, if there is one that differs within some 32 bytes behind what they begin
/// with alike; `low` otherwise. `low` < `high`.
std::string Between(std::string_view low, std::string_view high);

}  // namespace levada::db::rocks
