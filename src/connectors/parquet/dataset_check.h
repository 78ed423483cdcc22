#pragma once
// CheckDataset: every file of a dataset is read again and compared with the record that names it,
// and every file that a reader would see is looked for in the records.

#include "base/context.h"
#include "elt/target_check.h"
#include "places/place.h"

namespace levada::parquet {

/// Reads only, and takes no lock: a run that replaces files meanwhile makes problems of those.
/// kForeignTarget where there are no records of ours.
Result<elt::TargetCheck> CheckDataset(Context& ctx, places::Place& place,
                                      const elt::CheckObserver& observer);

}  // namespace levada::parquet
