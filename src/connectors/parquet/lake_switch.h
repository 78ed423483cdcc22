#pragma once
// The end of a run: one short switch under a durable intent, from the files of the run that is
// replaced (if there is one) to those of this run. The manifest's appearance is the commit.

#include "base/context.h"
#include "connectors/parquet/lake_names.h"
#include "connectors/parquet/lake_records.h"
#include "places/place.h"

namespace levada::parquet {

/// Writes the intent, durably: from here the next Begin completes the switch.
Status BeginSwitch(Context& ctx, places::Place& place, const LakeNames& names,
                   const SwitchIntent& intent);

/// From a durable intent to a finished run, from whatever step an earlier try reached:
/// `_SUCCESS` away, publish what is staged, manifest, delete what it replaces, `_SUCCESS`, intent
/// away. `manifest_tag` is that of the manifest on disk, empty when there is none; kFenced when it
/// changed.
Status CompleteSwitch(Context& ctx, places::Place& place, const LakeNames& names,
                      const SwitchIntent& intent, const std::string& manifest_tag);

/// Takes back a switch whose manifest is not written: published files are staged again, so that
/// the partitions' records are true again. Where a file is gone its partition is to be done again.
Status UndoSwitch(Context& ctx, places::Place& place, const LakeNames& names,
                  const SwitchIntent& intent);

}  // namespace levada::parquet
