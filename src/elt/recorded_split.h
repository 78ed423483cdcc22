#pragma once
// What the runs of every target have in common about the split they recorded: which new one they
// take, why they refuse another, and the record of a partition that is done.

#include <span>
#include <string>

#include "elt/run.h"
#include "elt/stages.h"

namespace levada::elt {

/// kInternal unless `split` is of `run`, whose label is `label`, and has partitions.
Status CheckSplitOfRun(const RunInstance& run, const std::string& label, const SplitRecord& split);

/// kSchemaDrift or kPlanChanged: `pending` was begun and not finished, and `split` is another.
Status RefuseOtherSplit(const SplitRecord& pending, const SplitRecord& split);

/// nullptr when the split has none of that id.
const Partition* FindPartition(const SplitRecord& split, const std::string& id);

/// The record of the attempt's partition. kInternal unless there is one receipt of each slice.
Result<PartitionRecord> RecordOf(const SplitRecord& split, int64_t generation,
                                 const Attempt& attempt, std::span<const Receipt> receipts);

}  // namespace levada::elt
