#pragma once
// What is readable of a damaged store of queues, put in its place.

#include <string>

#include "base/context.h"
#include "db/rocksdb/store.h"
#include "os/disk.h"
#include "services/core/findings.h"

namespace levada::services::queues {

/// Of the store at `path`. As SalvageStore.
Result<std::string> SalvageQueues(const Context& ctx, os::Disk& disk, const std::string& path,
                                  const KnownResources& queues, Findings& findings);

/// Makes the records of a store fit each other again, that lost some: a message without an entry
/// waits once more, from the beginning; an entry without a message goes; totals are counted anew,
/// and leases from before are not taken for those of later deliveries. For SalvageQueues.
/// `now_ms`: since when they wait, unless the store has seen a later time.
Status MendQueues(db::rocks::Store& store, int64_t now_ms);

}  // namespace levada::services::queues
