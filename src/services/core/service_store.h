#pragma once
// A RocksDB store as the daemon's services have it: one that is damaged stays closed and the others
// go on, and the log hears of what is wrong with it.

#include <memory>

#include "base/clock.h"
#include "base/log.h"
#include "db/rocksdb/committer.h"
#include "db/rocksdb/store.h"
#include "os/disk_reserve.h"

namespace levada::services {

/// As Store::OpenOrStayClosed. `log` outlives it.
Result<std::unique_ptr<db::rocks::Store>> OpenServiceStore(db::rocks::StoreOptions options,
                                                           Logger& log);

/// Its committer: a write that found the disk full lets go of `reserve`, which may be null. All
/// outlive it. `options`: what is of this store; the clock and what follows a failure are set here.
std::unique_ptr<db::rocks::Committer> MakeServiceCommitter(
    db::rocks::Store& store, const Clock& clock, Logger& log, os::DiskReserve* reserve,
    db::rocks::CommitterOptions options = {});

}  // namespace levada::services
