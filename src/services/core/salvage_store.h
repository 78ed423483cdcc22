#pragma once
// Puts what is readable of a damaged store in its place, for `levada fsck --salvage`.

#include <functional>
#include <string>
#include <string_view>

#include "base/context.h"
#include "db/rocksdb/store.h"
#include "os/disk.h"
#include "services/core/findings.h"

namespace levada::services {

struct DamagedStore {
  std::string path;
  std::vector<db::rocks::Family> families;
  /// Of a store's key, for people.
  std::function<std::string(db::rocks::FamilyIndex family, std::string_view key)> where;
  /// Adds what the service needs beside the records, before the new one is in place. May be empty.
  std::function<Status(db::rocks::Store& fresh)> complete = {};
};

/// What is lost becomes a finding each. The damaged one is kept, under a name beside its old one
/// that is returned. Killed at any moment the one in place is either whole. Blocks, long. Errors:
/// those of db::rocks::Salvage; then nothing was changed.
Result<std::string> SalvageStore(const Context& ctx, os::Disk& disk, const DamagedStore& damaged,
                                 Findings& findings);

}  // namespace levada::services
