#pragma once
// What the runs of one dataset share: whose it is, and the mark that all of it is finished. Each
// change is a short critical section under the dataset's own lock, because runs of several windows
// work side by side, in one process or in several.

#include <memory>
#include <string>

#include "base/context.h"
#include "connectors/parquet/lake_names.h"
#include "places/place.h"

namespace levada::parquet {

/// kForeignTarget when there are files but no records of ours, or records of another pipeline.
/// Reads only.
Status CheckForeign(Context& ctx, places::Place& place, const std::string& pipeline);

/// Writes the owner's record where there is none. kForeignTarget when somebody else was first.
Status ClaimDataset(Context& ctx, places::Place& place, const std::string& pipeline);

/// The dataset's lock; waits for it. kStopped, kSourceTimeout when `ctx` ends first.
Result<std::unique_ptr<places::PlaceLock>> LockDataset(Context& ctx, places::Place& place);

/// Removes `_SUCCESS`, durably: something of an unfinished run is about to be visible. The caller
/// has recorded durably what it is about to do, or ShowSuccess of another run could not know it.
Status HideSuccess(Context& ctx, places::Place& place);

/// Writes `_SUCCESS`, unless another run than `names` has files visible and is not finished. The
/// caller holds the dataset's lock until the intent of its own Finish is removed: of two runs that
/// finish at once the second must not pass over the mark because of the first.
Status ShowSuccess(Context& ctx, places::Place& place, const LakeNames& names);

}  // namespace levada::parquet
