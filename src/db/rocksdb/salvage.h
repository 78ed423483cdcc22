#pragma once
// Salvage: what can still be read of a damaged store, as a new one. Nothing of the damaged one is
// changed, nothing that was not written is ever read, and what may be lost is named.

#include <string>
#include <vector>

#include "base/context.h"
#include "base/fault.h"
#include "db/rocksdb/store.h"

namespace levada::db::rocks {

/// Keys of which some are lost: those behind `after` and before `before`, which were read. "": the
/// family's beginning or end. Both alike: this one key.
struct LostKeys {
  FamilyIndex family = 0;
  std::string after;
  std::string before;
  std::string why;
};

struct Salvaged {
  std::vector<LostKeys> keys;
  /// In RocksDB's words: records of the log, and tables, that were left out. Nobody knows which
  /// keys were in them.
  std::vector<std::string> left_out;
  /// The list of tables was damaged, and is made anew from the tables that lie there: what was
  /// deleted or written over may be back.
  bool is_rebuilt = false;
};

/// Makes a store at `options.path` of what is readable of the one at `damaged`, which nobody else
/// has open. `work` is a directory beside both that is made for it and removed again. What a killed
/// salvage left in these two places is removed first. Blocks, long. Errors: kStopped; kStoreDamaged
/// when nothing of it can be opened; kTargetIo, kDiskFull.
Result<Salvaged> Salvage(const Context& ctx, const std::string& damaged,
                         const StoreOptions& options, const std::string& work);

}  // namespace levada::db::rocks
