#pragma once
// The runner: from a plan to published runs. Written once; no stage carries its own retry or thread
// loop.
//
// Prepare: ask the targets what is published and decide what is to do; then describe the source,
// bind every stage, split, plan memory. RunPlan: for each run to do fence, split, partitions
// through the controller, finish, report.
//
// One partition at a time is the unit of retry (partition_run.h).

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/context.h"
#include "elt/controller.h"
#include "elt/ledger.h"
#include "elt/observer.h"
#include "elt/plan.h"
#include "elt/report.h"
#include "elt/stages.h"

namespace levada::elt {

/// What the command line says beyond the plan.
struct RunOptions {
  std::vector<std::string> windows;  ///< labels; empty: every closed and unpublished window
  std::string first_window;          ///< label: none before it, closed ones only; empty: no bound
  std::string last_window;           ///< label: none after it
  int windows_parallel = 0;          ///< 0: as the plan says
  bool replace = false;              ///< run published windows again, under another plan if need be
  bool only_begun = false;           ///< `retry`: only runs that were begun and not finished
  bool keep_other_plans = false;     ///< not even a whole table of another plan is replaced
  bool patient = false;              ///< a source that cannot be reached now is asked again
  int64_t memory_bytes = 0;          ///< --memory; 0: the plan's, or none
};

enum class Decision : uint8_t {
  kRun,      ///< nothing published
  kResume,   ///< begun by an earlier process under the same plan
  kReplace,  ///< published, to be replaced
  kSkip,     ///< published under this plan
  kRefuse,   ///< published or begun under another plan, and no --replace
};

struct RunDecision {
  RunInstance run;
  Decision decision = Decision::kRun;
  std::string reason;  ///< for people: "published 2026-11-22T16:04:52Z, 48,211 rows"
  Status refusal;      ///< kRefuse
  std::vector<PublishedRun> published;  ///< per loader
  std::vector<bool> loader_pending;     ///< per loader: it takes part
};

struct MemoryPlan {
  int64_t budget_bytes = 0;   ///< 0: none
  int64_t fixed_bytes = 0;    ///< the process before any stage
  int64_t slice_bytes = 0;    ///< one slice in flight
  int64_t minimum_bytes = 0;  ///< what --memory must at least be
  int windows = 1;            ///< runs at a time
  int slots = 1;              ///< partitions of one run at a time
  int slices = 1;             ///< slices of one partition at a time
};

/// The answer of `plan`, and the first half of `run`.
struct Prepared {
  Source source;
  std::vector<std::unique_ptr<BoundTransformer>> transformers;  ///< bound for the first run
  std::vector<BoundTarget> targets;      ///< per loader, bound for the first run
  std::vector<ColumnHint> output_hints;  ///< per column of the loaders' input
  std::vector<RunDecision> runs;         ///< oldest first
  bool is_first = false;  ///< there is something to do, and no target has a record of any run
  BatchLimits batches;
  MemoryPlan memory;
  std::vector<std::string> notes;
  std::vector<Diagnostic> warnings;  ///< beside those of the plan, which the file alone gives
  /// The partitions of the first run to do: recorded ones when it resumes, else what Split would
  /// record.
  std::vector<Partition> partitions;

  /// What reaches the loaders.
  const SchemaPtr& OutputSchema() const {
    return transformers.empty() ? source.schema : transformers.back()->schema();
  }
  /// Those of `plan`, then its own.
  std::vector<Diagnostic> AllWarnings(const Plan& plan) const;
  /// Runs that are to be done, refused ones not among them.
  int64_t PendingCount() const;
  bool AnyPending() const { return PendingCount() > 0; }
  /// Of the first run that is refused, OK when none is. One refused run refuses the invocation
  /// (docs/decisions/0005).
  Status Refusal() const;
};

/// Everything the runner works with; outlives the call.
struct Engine {
  const Plan& plan;
  const Stages& stages;
  JobController& controller;
  Random& random;
  os::Disk& disk;
  std::string version;

  SplitLimits LimitsOfSplit() const;
};

/// Those that `options` ask for, oldest first, whatever is published; without labels the closed
/// ones. kBadCommandLine for windows of a plan that has none, kBadWindow.
Result<std::vector<RunInstance>> ListRuns(const Plan& plan, const RunOptions& options,
                                          WallMicros now);

/// kBudgetTooSmall when memory does not suffice. With `split_first` the partitions of the first
/// pending run are asked for.
Result<Prepared> Prepare(Context& ctx, const Engine& engine, const RunOptions& options,
                         bool split_first);

/// Runs everything that `prepared` says is to do, nothing when a run is refused. The report is
/// complete even when it failed: its status decides the exit. `ledger` may be null. ctx.pool must
/// be the BudgetPool of the run.
RunReport RunPlan(Context& ctx, const Engine& engine, const Prepared& prepared, Ledger* ledger,
                  RunObserver& observer);

}  // namespace levada::elt
