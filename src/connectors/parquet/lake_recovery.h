#pragma once
// Recovery: what the next Begin does, under the fence, with what a dead process left: intents are
// completed or undone, staged files that no record names are removed. Never touches a file whose
// name is not one of this run's own.

#include <string>

#include "base/context.h"
#include "connectors/parquet/lake_names.h"
#include "connectors/parquet/lake_state.h"
#include "elt/run.h"
#include "places/place.h"

namespace levada::parquet {

struct Recovered {
  LakeState state;
  /// A Finish was decided by an earlier process and has been completed now: `state.split` is that
  /// of the finished run.
  bool finished_now = false;
  /// And its manifest was written now, not by that process.
  bool committed_now = false;
};

/// `layout` is that of the coming run, searched for leftovers beside that of the recorded split.
/// kTargetFileMissing when a published file of an unfinished run is gone, unless run.replace: then
/// its partition is undone and to be done again.
Result<Recovered> Recover(Context& ctx, places::Place& place, const LakeNames& names,
                          const elt::RunInstance& run, const std::string& layout);

/// Gives up the pending split of `state` with everything published and staged for it.
Status AbandonSplit(Context& ctx, places::Place& place, const LakeNames& names,
                    const LakeState& state);

}  // namespace levada::parquet
