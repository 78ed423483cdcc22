#pragma once
// Publication of one partition of a first run: an intent written before the first rename makes the
// whole of it a redo log, so that after a crash it is either completed or leaves no trace.

#include "base/context.h"
#include "connectors/parquet/lake_names.h"
#include "connectors/parquet/lake_records.h"
#include "places/place.h"

namespace levada::parquet {

/// Writes the intent, durably. Nothing is visible yet.
Status BeginPublication(Context& ctx, places::Place& place, const LakeNames& names,
                        const PublishIntent& intent);

/// From a durable intent to a durable partition record: renames what is still staged, in order.
/// Idempotent. After OK the partition is committed and ClosePublication may follow.
Status CompletePublication(Context& ctx, places::Place& place, const LakeNames& names,
                           const PublishIntent& intent);

/// Removes the intent. Not durable by itself: an intent that comes back is found completed.
Status ClosePublication(Context& ctx, places::Place& place, const LakeNames& names,
                        const std::string& partition);

/// Removes record, files (staged and final), then the intent, in an order that a crash cannot turn
/// into files that no record names. The intent is durable, or nothing was ever renamed.
Status UndoPublication(Context& ctx, places::Place& place, const LakeNames& names,
                       const PublishIntent& intent);

/// Directories of `paths` that are empty now are removed, up to the root.
Status PruneDirectoriesOf(Context& ctx, places::Place& place,
                          const std::vector<std::string>& paths);

}  // namespace levada::parquet
