#pragma once
// Plan: a validated pipeline file as an immutable value. Making one never connects and never
// writes.

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "elt/catalog.h"
#include "elt/options.h"
#include "elt/run.h"

namespace levada::elt {

enum class Every : uint8_t { kMonth, kDay, kHour };

/// `run: { every, column, start, end, timezone, delay, lookback, null }`
struct WindowSpec {
  Every every = Every::kDay;
  std::string column;
  WallMicros start = 0;           ///< start of the first window, aligned to `every` in `timezone`
  std::optional<WallMicros> end;  ///< no window starts at or after it
  std::string timezone = "UTC";
  std::chrono::nanoseconds delay{0};  ///< a window closes this long after its end
  int lookback = 0;                   ///< the last n closed windows run again each time
  std::string null_window = "error";  ///< "error", or the label of the window that takes NULLs
};

/// `run: { mode: incremental, column, after, lag, timezone }`
struct IncrementSpec {
  std::string column;
  std::optional<std::string> after;  ///< the mark before the first increment
  std::string lag;                   ///< empty: as the consumer thinks best
  std::string timezone = "UTC";
};

struct StagePlan {
  std::string kind;
  Options options;
  Span span;  ///< of the kind's name
};

enum class Verify : uint8_t { kCount, kReadback };

/// `retry: { attempts, backoff, backoff_max, deadline }`, of one partition.
struct RetrySpec {
  int attempts = 5;
  std::chrono::nanoseconds backoff = std::chrono::seconds(1);
  std::chrono::nanoseconds backoff_max = std::chrono::minutes(1);
  std::chrono::nanoseconds deadline{0};  ///< of the whole run; 0: none
};

struct Plan {
  std::string name;
  std::vector<std::string> tags;
  bool has_tables = false;  ///< `tables:` stands for several: to be made into a plan of each
  std::optional<WindowSpec> window;
  std::optional<IncrementSpec> increment;
  bool once = false;  ///< `run: once`
  StagePlan consumer;
  std::vector<StagePlan> transformers;
  std::vector<StagePlan> loaders;  ///< at least one
  int partitions_parallel = 0;     ///< 0: from cores and memory
  int windows_parallel = 1;
  int transform_workers =
      1;  ///< `parallel: { transform }`: threads for the transformers of one slice
  int64_t memory_bytes = 0;  ///< 0: not said
  int64_t partition_bytes = int64_t{8} << 30;
  Verify verify = Verify::kCount;
  RetrySpec retry;
  std::string hash;  ///< 16 hex digits: everything that shapes the output
  std::shared_ptr<const SourceText> source;
  std::vector<Diagnostic> warnings;

  /// What its runs are called: "window", "increment"; empty when the whole table is one.
  std::string_view run_word() const { return window ? "window" : increment ? "increment" : ""; }
};

struct Defaults;

/// What a plan is made of beside its own file.
struct PlanParts {
  /// Opens the file that `defaults:` names, as it stands there. Null: none can be opened.
  std::function<Result<std::shared_ptr<const Defaults>>(const std::string& path)> open_defaults =
      nullptr;
  /// Of the tables that `tables:` stands for, the one that this plan is of. Null: of all of them,
  /// which no run can be.
  const FoundTable* table = nullptr;
};

/// Parses and validates. The Fault carries one diagnostic for every problem of the file, in the
/// order of the file.
Result<Plan> ParsePlan(const std::shared_ptr<const SourceText>& source, const Catalog& catalog,
                       const std::shared_ptr<const Environment>& environment,
                       const PlanParts& parts = {});

/// The tables of a plan whose consumer has `tables:`; of each a plan is to be made.
/// kTableNotFound when there is none.
Result<std::vector<FoundTable>> FindTables(Context& ctx, const Plan& plan, const Catalog& catalog,
                                           const StageInput& input);

/// Where the loaders write, as "parquet lake/orders": equal for two ways to write one path.
std::vector<std::string> TargetPaths(const Plan& plan, const Catalog& catalog);

/// The options outside the stages (name, run, parallel, memory, verify, retry, ...) as specs: for
/// the reference.
const OptionSpec& PipelineSpec();

/// The stages of a plan, made. Problems of all stages come together in one Fault.
struct Stages {
  std::unique_ptr<Consumer> consumer;
  std::vector<std::unique_ptr<Transformer>> transformers;
  std::vector<std::unique_ptr<Loader>> loaders;

  /// A transformer must see every partition whole, in one slice.
  bool AnyWholePartitions() const;
  /// Of all transformers.
  std::vector<RowCountRule> RowCountRules() const;
};
Result<Stages> MakeStages(const Plan& plan, const Catalog& catalog, const StageInput& input);

/// The transformers of `stages` in order, bound one behind the other for the rows of one run.
Result<std::vector<std::unique_ptr<BoundTransformer>>> BindTransformers(Context& ctx,
                                                                        const Stages& stages,
                                                                        SchemaPtr schema,
                                                                        const RunInstance& run);

/// The run of one window of `plan`; without one of the whole table, or of an increment whose marks
/// are open.
RunInstance RunOf(const Plan& plan, std::optional<Window> window);
/// One like the runs of `plan`, to try texts with before any is known.
RunInstance SampleRun(const Plan& plan);

/// The windows of `spec` that are closed at `now`, oldest first; kBadWindow when there would be
/// more than `limit`.
Result<std::vector<Window>> ClosedWindows(const WindowSpec& spec, WallMicros now, size_t limit);
/// Closed or not.
Result<Window> FirstWindow(const WindowSpec& spec);
/// The one with this label, closed or not; kBadWindow with the nearest valid label otherwise.
Result<Window> WindowByLabel(const WindowSpec& spec, const std::string& label);

/// strftime-like: {run.start:%Y-%m-%d}, {run.end:...}, in the window's time zone; {run.label},
/// {pipeline}. Used by path layouts and `add`. kBadLayout for unknown names and for a whole-table
/// run that has no window.
Result<std::string> ExpandTemplate(std::string_view text, const RunInstance& run);

}  // namespace levada::elt
