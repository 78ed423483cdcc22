#pragma once
// Trace: some rows on their way through the transformers of a plan, kept as each of them leaves
// them. For `levada test` and `levada preview`; a run does not work so.

#include <string>
#include <vector>

#include "elt/plan.h"
#include "elt/stages.h"

namespace levada::elt {

/// The rows behind one stage.
struct TracedStage {
  std::string name;  ///< "cast"; of a kind that is there twice "cast#2", the second time
  BatchPtr rows;
  int64_t filtered = 0;
  int64_t rejected = 0;
  int64_t values_discarded = 0;
};

struct Trace {
  std::vector<TracedStage> stages;  ///< the first is "read"; up to one that failed
  std::vector<Reject> rejects;
  Status status;  ///< of the stage that failed; OK when all are there
};

/// Of every stage of a trace of `plan`.
std::vector<std::string> StageNames(const Plan& plan);

/// `rows` is what the consumer would give to `run`, in one batch, a whole partition. An error of
/// binding a transformer is in the trace like one of rows.
Trace TraceRows(Context& ctx, const Plan& plan, const Stages& stages, BatchPtr rows,
                const RunInstance& run);

}  // namespace levada::elt
