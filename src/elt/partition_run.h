#pragma once
// One partition, from first attempt to publication: the unit of retry.
//
// An attempt opens the source, pulls every slice through the transformers into every loader that
// still lacks the partition, verifies the account of rows, and publishes loader by loader in YAML
// order. Whatever fails before the first publication is discarded; what is retryable is tried again
// after a backoff, until the attempts or the deadline of the run are used up.

#include <memory>
#include <span>
#include <vector>

#include "base/context.h"
#include "elt/ledger.h"
#include "elt/observer.h"
#include "elt/plan.h"
#include "elt/report.h"
#include "elt/stages.h"

namespace levada::elt {

/// Batches in flight between the reading and the writing thread of a slice: one being written, one
/// ready. What a plan needs of memory counts them.
inline constexpr size_t kBatchesAhead = 2;

/// One loader's part in a run.
struct TargetOfRun {
  TargetRun* target = nullptr;
  std::vector<bool> done;  ///< per partition index: published by an earlier process
};

/// What all partitions of one run share. Immutable while partitions run.
struct PartitionWork {
  const Plan* plan = nullptr;
  const Consumer* consumer = nullptr;
  const Source* source = nullptr;
  std::span<const std::unique_ptr<BoundTransformer>> transformers;
  std::vector<TargetOfRun> targets;  ///< in YAML order, those that take part
  /// Rejected rows are kept once, by the first loader of the pipeline: null when it has published
  /// them with an earlier run.
  const TargetRun* keeps_rejects = nullptr;
  const RunInstance* run = nullptr;
  std::vector<Partition> partitions;
  BatchLimits batches;
  int slices_parallel = 1;  ///< slices of one partition at a time
  Random* random = nullptr;
  RunObserver* observer = nullptr;
  Ledger* ledger = nullptr;  ///< may be null
};

/// Thread-safe for different partitions. The report is filled on success and on failure; its status
/// is the outcome.
PartitionReport RunPartition(Context& ctx, const PartitionWork& work, int index);

/// verify: count. What the source said it sent = decoded = out + filtered + rejected = written,
/// else kCountMismatch.
Status VerifyCounts(const StreamEnd& end, int64_t rows_written);

}  // namespace levada::elt
