#include "elt/recorded_split.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

namespace levada::elt {

Status CheckSplitOfRun(const RunInstance& run, const std::string& label, const SplitRecord& split) {
  if (split.pipeline == run.pipeline && split.label == label && !split.partitions.empty()) {
    return Status::OK();
  }
  return Fault(FaultCode::kInternal,
               fmt::format("split of \"{}\" \"{}\" given to run \"{}\" \"{}\"", split.pipeline,
                           split.label, run.pipeline, label));
}

Status RefuseOtherSplit(const SplitRecord& pending, const SplitRecord& split) {
  const bool same_plan = pending.plan_hash == split.plan_hash;
  Fault fault(same_plan ? FaultCode::kSchemaDrift : FaultCode::kPlanChanged,
              fmt::format("run \"{}\" was begun {} and not finished, with another {}",
                          pending.label, pending.created_at, same_plan ? "schema" : "plan"));
  if (same_plan) {
    fault.With("difference", SchemaDifference(pending.schema, split.schema));
  } else {
    fault.With("recorded", pending.plan_hash).With("got", split.plan_hash);
  }
  return fault.Help("run with --replace to begin it anew");
}

const Partition* FindPartition(const SplitRecord& split, const std::string& id) {
  const auto found = std::ranges::find(split.partitions, id, &Partition::id);
  return found == split.partitions.end() ? nullptr : &*found;
}

Result<PartitionRecord> RecordOf(const SplitRecord& split, int64_t generation,
                                 const Attempt& attempt, std::span<const Receipt> receipts) {
  const Partition* partition = FindPartition(split, attempt.partition->id);
  std::set<int> slices;
  for (const Receipt& receipt : receipts) slices.insert(receipt.slice);
  const bool whole = partition != nullptr && slices.size() == receipts.size() &&
                     slices.size() == partition->slices.size() && *slices.begin() == 0 &&
                     *slices.rbegin() + 1 == static_cast<int>(slices.size());
  if (!whole) {
    return Fault(FaultCode::kInternal,
                 fmt::format("partition \"{}\": expected one receipt of each slice, got {}",
                             attempt.partition->id, receipts.size()));
  }
  PartitionRecord record;
  record.partition = attempt.partition->id;
  record.attempt_id = attempt.attempt_id;
  record.generation = generation;
  record.revision = split.revision;
  record.receipts.assign(receipts.begin(), receipts.end());
  return record;
}

}  // namespace levada::elt
