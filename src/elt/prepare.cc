// The first half of the runner: ask source and targets, decide what is to do, and whether memory
// suffices.

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/clock.h"
#include "base/quantity.h"
#include "elt/batch_bytes.h"
#include "elt/increments.h"
#include "elt/partition_run.h"
#include "elt/retry.h"
#include "elt/runner.h"
#include "os/process.h"

namespace levada::elt {
namespace {

// Windows one invocation looks at: a wrong `start` must not ask a target a million questions.
constexpr size_t kWindowsMax = 20'000;

// Outside any pool: thread stacks, zstd contexts, libpq buffers, footers. Measured on lineitem with
// two connections.
constexpr int64_t kAllowanceBytes = 8 << 20;

// The resident set differs by some pages from one start to the next. What `plan` names is rounded
// up to steps, so that it reads the same each time, and from a little above the figure, so that a
// budget it named is still enough a minute later.
constexpr int64_t kFixedStepBytes = 8 << 20;
constexpr int64_t kFixedSpreadBytes = 1 << 20;

// Batches one slice holds at a time: one being decoded, those queued, one being written.
constexpr int64_t kBatchesPerSlice = 2 + int64_t{kBatchesAhead};

// One column of one row group at a time is read back: its pages, and the batch made of them.
constexpr int64_t kReadBackBytes = 4 << 20;

// Of `windows` those that backfill asks for.
Status KeepBetween(const WindowSpec& spec, const RunOptions& options,
                   std::vector<Window>& windows) {
  if (!options.first_window.empty()) {
    ARROW_ASSIGN_OR_RAISE(const Window first, WindowByLabel(spec, options.first_window));
    std::erase_if(windows, [&](const Window& window) { return window.start < first.start; });
  }
  if (!options.last_window.empty()) {
    ARROW_ASSIGN_OR_RAISE(const Window last, WindowByLabel(spec, options.last_window));
    std::erase_if(windows, [&](const Window& window) { return window.start > last.start; });
  }
  return Status::OK();
}

// What one target's state means for a run, before the others are looked at.
struct Verdict {
  Decision decision = Decision::kRun;
  std::string reason;
  bool other_build = false;  ///< kRefuse for what another build began, not for another plan
};

// What the runner knows of a run beside what the targets say.
struct Circumstances {
  bool run_again = false;  ///< one of the last windows, of `lookback`
  bool retry = false;      ///< only what was begun goes on, nothing begins anew
  bool keep_other_plans = false;
  std::string closes_at;  ///< when the last row of its window is there, RFC 3339; else empty
};

// Of a run that cannot be gone on with.
std::string BegunBy(const SplitRecord& pending, const RunInstance& run) {
  return fmt::format("begun {} {}", pending.created_at,
                     pending.plan_hash == run.plan_hash
                         ? "by another build of levada"
                         : fmt::format("under another plan ({})", pending.plan_hash));
}

Verdict JudgeTarget(const RunInstance& run, const PublishedRun& state,
                    const Circumstances& circumstances) {
  const bool begun = state.pending.has_value();
  const bool same_plan_begun = begun && state.pending->plan_hash == run.plan_hash;
  if (const SplitRecord* split = state.SplitToGoOnWith(run.plan_hash)) {
    return {Decision::kResume, fmt::format("begun {}, {} of {} partitions done", split->created_at,
                                           state.partitions.size(), split->partitions.size())};
  }
  // What nobody has seen needs nobody's leave: the file was put right after a first failure, or
  // levada was exchanged before the first partition, or in the middle of a replacement.
  const bool is_unseen = state.finished ? same_plan_begun : state.partitions.empty();
  const bool may_begin_anew =
      run.replace || (!circumstances.retry && (run.IsWrittenEachTime() || is_unseen));
  if (begun && !may_begin_anew) {
    return {Decision::kRefuse, BegunBy(*state.pending, run) + ", not finished", same_plan_begun};
  }
  if (!state.finished) {
    return {Decision::kRun,
            begun ? BegunBy(*state.pending, run) + ", given up" : "not published yet"};
  }
  std::string published =
      state.damage.ok()
          ? fmt::format("published {}, {} rows", state.finished_at, FormatCount(state.rows))
          : "published, but its records are damaged";
  const bool is_same_plan = state.plan_hash == run.plan_hash;
  const bool is_written_anew =
      run.IsWrittenEachTime() && (is_same_plan || !circumstances.keep_other_plans);
  if (run.replace || circumstances.run_again || is_written_anew) {
    return {Decision::kReplace, published};
  }
  if (same_plan_begun) {
    return {Decision::kReplace, published + ", a replacement was begun by another build of levada"};
  }
  // `--window` of an open one: what came after it was read is still missing.
  if (is_same_plan && state.begun_at < circumstances.closes_at) {
    return {Decision::kReplace,
            published + fmt::format(", before it closed {}", circumstances.closes_at)};
  }
  if (is_same_plan) return {Decision::kSkip, published};
  return {Decision::kRefuse, published + fmt::format(" under another plan ({})", state.plan_hash)};
}

std::string ClosesAt(const Plan& plan, const RunInstance& run) {
  if (!run.window || !plan.window) return {};
  const auto delay = std::chrono::ceil<std::chrono::microseconds>(plan.window->delay).count();
  return FormatTimestamp(run.window->end + delay);
}

void Refuse(RunDecision& decision, std::string reason, std::string key, std::string value,
            std::string help) {
  decision.decision = Decision::kRefuse;
  decision.reason = std::move(reason);
  decision.refusal = Fault(FaultCode::kPlanChanged,
                           fmt::format("run \"{}\" of pipeline \"{}\": {}", decision.run.Label(),
                                       decision.run.pipeline, decision.reason))
                         .With("window", decision.run.Label())
                         .With(std::move(key), std::move(value))
                         .Help(std::move(help));
}

Result<RunDecision> Decide(Context& ctx, const Engine& engine, RunInstance run,
                           Circumstances circumstances) {
  RunDecision decided;
  decided.run = std::move(run);
  circumstances.closes_at = ClosesAt(engine.plan, decided.run);
  bool gives_up = false;  // a run that was begun and cannot be gone on with
  bool any_resume = false, any_replace = false, any_run = false, any_refuse = false;
  bool other_build = false;
  for (const auto& loader : engine.stages.loaders) {
    ARROW_ASSIGN_OR_RAISE(PublishedRun state, loader->Inspect(ctx, decided.run));
    Verdict verdict = JudgeTarget(decided.run, state, circumstances);
    gives_up |= state.pending && state.SplitToGoOnWith(decided.run.plan_hash) == nullptr;
    other_build |= verdict.other_build;
    any_resume |= verdict.decision == Decision::kResume;
    any_replace |= verdict.decision == Decision::kReplace;
    any_run |= verdict.decision == Decision::kRun;
    any_refuse |= verdict.decision == Decision::kRefuse;
    decided.loader_pending.push_back(verdict.decision != Decision::kSkip);
    if (decided.reason.empty() || verdict.decision == Decision::kRefuse) {
      decided.reason = std::move(verdict.reason);
    }
    decided.published.push_back(std::move(state));
  }
  if (any_refuse) {
    Refuse(decided, decided.reason, "plan_hash", decided.run.plan_hash,
           other_build
               ? "finish it with that build, or run with --replace to begin it anew"
               : "run with --replace to publish it again under this plan, or undo the change");
  } else if (any_resume) {
    decided.decision = Decision::kResume;
  } else if (any_replace) {
    decided.decision = Decision::kReplace;
  } else if (any_run) {
    decided.decision = Decision::kRun;
  } else {
    decided.decision = Decision::kSkip;
  }
  if (gives_up && decided.decision != Decision::kRefuse) decided.run.replace = true;
  return decided;
}

bool Overlap(const PublishedRun& a, const RunInstance& b) {
  // Each begins behind the one before it.
  if (a.increment && b.increment) return false;
  return !a.window || !b.window ||
         (a.window->start < b.window->end && b.window->start < a.window->end);
}

// A run that shows rows of `decision`'s window under another label, in loader `index`; nullptr when
// there is none.
const PublishedRun* FindSameRows(const RunDecision& decision, size_t index,
                                 const std::vector<RunDecision>& decisions,
                                 const std::vector<PublishedRun>& others) {
  const auto has_same_rows = [&](const PublishedRun& other) {
    const bool is_visible = other.finished || !other.partitions.empty() || !other.damage.ok();
    return is_visible && other.label != decision.run.Label() && Overlap(other, decision.run);
  };
  const auto found = std::ranges::find_if(others, has_same_rows);
  if (found != others.end()) return &*found;
  for (const RunDecision& inspected : decisions) {
    if (has_same_rows(inspected.published[index])) return &inspected.published[index];
  }
  return nullptr;
}

bool IsNew(const RunDecision& each) { return each.decision == Decision::kRun; }

// Per loader the runs it has beside those of `decisions`. Nothing unless rows or columns may come
// beside theirs.
Result<std::vector<std::vector<PublishedRun>>> OtherRuns(
    Context& ctx, const Engine& engine, const std::vector<RunDecision>& decisions) {
  std::vector<std::vector<PublishedRun>> others(engine.stages.loaders.size());
  const auto matters = [](const RunDecision& each) {
    return IsNew(each) || (!each.run.IsWrittenEachTime() && each.decision == Decision::kReplace);
  };
  if (std::ranges::none_of(decisions, matters)) return others;
  std::set<std::string> inspected;
  for (const RunDecision& decision : decisions) inspected.insert(decision.run.Label());
  for (size_t i = 0; i < others.size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(others[i],
                          engine.stages.loaders[i]->Inventory(ctx, engine.plan.name, inspected));
  }
  return others;
}

// A dataset that was cut in another way (whole, by other windows) has rows of this run already, in
// files that this run would not replace.
void RefuseOverlaps(const std::vector<std::vector<PublishedRun>>& others,
                    std::vector<RunDecision>& decisions) {
  for (size_t i = 0; i < others.size(); ++i) {
    for (RunDecision& decision : decisions) {
      if (!IsNew(decision)) continue;
      const PublishedRun* same_rows = FindSameRows(decision, i, decisions, others[i]);
      if (same_rows == nullptr) continue;
      if (!same_rows->damage.ok() && !same_rows->window && !same_rows->increment) {
        // It may have any rows. Its own error says how it is mended, and then this run can go on.
        decision.decision = Decision::kRefuse;
        decision.reason =
            fmt::format("its rows may be there already, in run \"{}\", whose records are damaged",
                        same_rows->label);
        decision.refusal = same_rows->damage;
        continue;
      }
      Refuse(decision, fmt::format("its rows are there already, as run \"{}\"", same_rows->label),
             "published_as", same_rows->label,
             "write to another path:, or remove what is there first: both together would have "
             "every row twice");
    }
  }
}

// The last window or increment that stays as it is, of this plan; nullptr when there is none.
const PublishedRun* LastThatStays(const std::vector<std::vector<PublishedRun>>& others,
                                  const std::vector<RunDecision>& decisions,
                                  const std::string& plan_hash) {
  const PublishedRun* last = nullptr;
  const auto look_at = [&](const PublishedRun& run) {
    if (!run.finished || run.schema.empty() || run.plan_hash != plan_hash) return;
    if (!run.window && !run.increment) return;
    if (last == nullptr || run.Position() > last->Position()) last = &run;
  };
  for (const auto& of_loader : others) std::ranges::for_each(of_loader, look_at);
  for (const RunDecision& decision : decisions) {
    if (decision.decision == Decision::kSkip) std::ranges::for_each(decision.published, look_at);
  }
  return last;
}

bool IsPending(const RunDecision& decision) {
  return decision.decision != Decision::kSkip && decision.decision != Decision::kRefuse;
}

// What a whole table's run will take the place of; nullptr when there is nothing, or another
// plan's.
const PublishedRun* WholeBefore(const std::vector<RunDecision>& decisions,
                                const std::string& plan_hash) {
  for (const RunDecision& decision : decisions) {
    if (!IsPending(decision) || decision.run.window || decision.run.increment) continue;
    for (const PublishedRun& run : decision.published) {
      if (run.finished && !run.schema.empty() && run.plan_hash == plan_hash) return &run;
    }
  }
  return nullptr;
}

// Of windows: files of two schemas in one dataset, and some readers look at one file's only. Of a
// whole table: who asks for the old columns finds them gone.
void WarnOfOtherColumns(const PublishedRun& last, Prepared& prepared) {
  const std::string difference =
      SchemaDifference(last.schema, SchemaFingerprint(*prepared.source.schema));
  if (difference.empty()) return;
  Diagnostic warning;
  warning.severity = Severity::kWarning;
  warning.code = FaultCode::kSchemaDrift;
  const bool is_whole = !last.window && !last.increment;
  warning.message =
      is_whole
          ? "the source has other columns than what is published was written with: " + difference
          : fmt::format("the source has other columns than window \"{}\" was written with: {}",
                        last.label, difference);
  warning.help = is_whole ? "the dataset is replaced by one with these columns; who reads it by "
                            "the old ones has to know"
                          : "unless a cast keeps them alike, readers that take one file's schema "
                            "for all (Spark) miss this; --replace writes the published windows "
                            "anew";
  prepared.warnings.push_back(std::move(warning));
}

// A run that is written each time does not hold on to a split that the source has outgrown.
void GiveUpOutgrown(const Source& source, std::vector<RunDecision>& decisions) {
  for (RunDecision& decision : decisions) {
    if (decision.decision != Decision::kResume || !decision.run.IsWrittenEachTime()) continue;
    const std::string schema = SchemaFingerprint(*source.schema);
    const auto is_outgrown = [&](const PublishedRun& state) {
      return state.pending && state.pending->schema != schema;
    };
    if (std::ranges::none_of(decision.published, is_outgrown)) continue;
    decision.run.replace = true;
    decision.decision = Decision::kRun;
    decision.reason += ", with another schema: begun anew";
  }
}

// Estimates of the columns at the loaders' input: a column keeps its hints while it keeps its name
// or, through rename, its field's position.
std::vector<ColumnHint> OutputHints(const Source& source, const SchemaPtr& output) {
  std::vector<ColumnHint> hints(static_cast<size_t>(output->num_fields()));
  const bool same_shape = output->num_fields() == source.schema->num_fields();
  for (int i = 0; i < output->num_fields(); ++i) {
    int from = source.schema->GetFieldIndex(output->field(i)->name());
    if (from < 0 && same_shape) from = i;
    if (from >= 0 && static_cast<size_t>(from) < source.hints.size()) {
      hints[static_cast<size_t>(i)] = source.hints[static_cast<size_t>(from)];
    }
  }
  return hints;
}

// How much goes on at a time. Without a budget as much as was asked for; with one, slices of a
// partition come before partitions and partitions before windows: one partition soon done is worth
// more than two half done.
Result<MemoryPlan> PlanMemory(const Engine& engine, const RunOptions& options, Prepared& prepared,
                              size_t slices) {
  MemoryPlan memory;
  memory.budget_bytes = options.memory_bytes > 0 ? options.memory_bytes : engine.plan.memory_bytes;
  const int64_t fixed = os::ReadResidentMemory().now_bytes + kAllowanceBytes;
  const int64_t most_fixed = fixed + kFixedSpreadBytes;
  memory.fixed_bytes = (most_fixed + kFixedStepBytes - 1) / kFixedStepBytes * kFixedStepBytes;
  int64_t stages = prepared.source.memory_bytes_per_slice;
  for (const BoundTarget& target : prepared.targets) {
    stages += target.memory_bytes_per_slice;
    if (engine.plan.verify == Verify::kReadback) stages += kReadBackBytes;
  }
  for (const auto& transformer : prepared.transformers) stages += transformer->pass_bytes();
  // Each further loader has a queue of its own, of batches that it may be the last to let go.
  stages += static_cast<int64_t>((prepared.targets.size() - 1) * kBatchesAhead) * kBatchBytesMin;
  const int64_t least =
      std::min(LeastBatchBytes(prepared.source.schema->num_fields()), prepared.batches.bytes);
  memory.minimum_bytes = memory.fixed_bytes + stages + kBatchesPerSlice * least;
  memory.windows =
      options.windows_parallel > 0 ? options.windows_parallel : engine.plan.windows_parallel;
  // A later run may be larger than the first one, whose slices are known.
  memory.slices = std::max(static_cast<int>(slices), os::ProcessorCount());
  memory.slots = engine.plan.partitions_parallel;
  if (memory.slots == 0) {
    memory.slots = std::max(1, os::ProcessorCount() / (2 * static_cast<int>(slices)));
  }
  if (memory.budget_bytes > 0) {
    const int64_t lacking = memory.minimum_bytes - memory.budget_bytes;
    if (lacking > 0 && lacking <= memory.fixed_bytes - fixed) {
      // Enough for this start, though not for the rounded figure.
      memory.fixed_bytes -= lacking;
      memory.minimum_bytes -= lacking;
    }
    if (memory.budget_bytes < memory.minimum_bytes) {
      return Fault(FaultCode::kBudgetTooSmall,
                   fmt::format("memory budget: this plan needs at least {}, got {}",
                               FormatBytes(memory.minimum_bytes), FormatBytes(memory.budget_bytes)))
          .With("minimum_bytes", std::to_string(memory.minimum_bytes))
          .Help(
              fmt::format("give --memory {}MiB, or read fewer columns or write smaller row groups",
                          (memory.minimum_bytes >> 20) + 1));
    }
    const int64_t room = memory.budget_bytes - memory.fixed_bytes;
    const auto slice = [&] { return stages + kBatchesPerSlice * prepared.batches.bytes; };
    while (prepared.batches.bytes > least && slice() * static_cast<int64_t>(slices) > room) {
      prepared.batches.bytes = std::max(least, prepared.batches.bytes / 2);
    }
    const int64_t fit = room / slice();
    memory.slices = static_cast<int>(std::clamp<int64_t>(fit, 1, memory.slices));
    memory.slots = static_cast<int>(std::clamp<int64_t>(fit / memory.slices, 1, memory.slots));
    memory.windows = static_cast<int>(
        std::clamp<int64_t>(fit / (int64_t{memory.slices} * memory.slots), 1, memory.windows));
  }
  memory.slice_bytes = stages + kBatchesPerSlice * prepared.batches.bytes;
  return memory;
}

Status BindStages(Context& ctx, const Engine& engine, const RetrySpec& retry,
                  const RunInstance& run, Prepared& prepared) {
  ARROW_ASSIGN_OR_RAISE(prepared.transformers, Retried(ctx, retry, engine.random, "bind", [&] {
                          return BindTransformers(ctx, engine.stages, prepared.source.schema, run);
                        }));
  const SchemaPtr& schema = prepared.OutputSchema();
  prepared.output_hints = OutputHints(prepared.source, schema);
  for (const auto& loader : engine.stages.loaders) {
    ARROW_ASSIGN_OR_RAISE(BoundTarget target,
                          loader->Bind(ctx, schema, prepared.output_hints, run));
    for (const std::string& note : target.notes) prepared.notes.push_back(note);
    prepared.targets.push_back(std::move(target));
  }
  return Status::OK();
}

// The recorded partitions of a run that resumes, else nullptr.
const SplitRecord* RecordedSplit(const RunDecision& decision) {
  if (decision.decision != Decision::kResume) return nullptr;
  for (const PublishedRun& state : decision.published) {
    if (const SplitRecord* split = state.SplitToGoOnWith(decision.run.plan_hash)) return split;
  }
  return nullptr;
}

RetrySpec RetryOf(const Engine& engine, const RunOptions& options) {
  return options.patient ? engine.plan.retry : RetrySpec{.attempts = 1};
}

// The rows that came since the last increment, if there are any.
Status AddNextIncrement(Context& ctx, const Engine& engine, const RunOptions& options,
                        Prepared& prepared) {
  const IncrementSpec& spec = *engine.plan.increment;
  MarkRequest request{spec.column, {}, spec.after, spec.lag, spec.timezone, options.patient};
  Increment next{1, spec.column, {}, {}};
  if (!prepared.runs.empty()) {
    const Increment& last = *prepared.runs.back().run.increment;
    next.number = last.number + 1;
    request.low = last.high;
  }
  ARROW_ASSIGN_OR_RAISE(Mark mark,
                        Retried(ctx, RetryOf(engine, options), engine.random, "mark",
                                [&] { return engine.stages.consumer->FindMark(ctx, request); }));
  prepared.notes = std::move(mark.notes);
  if (!mark.high) return Status::OK();
  next.low = std::move(mark.low);
  next.high = std::move(mark.high);
  next.position = std::move(mark.position);
  RunInstance run = RunOf(engine.plan, std::nullopt);
  run.increment = std::move(next);
  run.replace = options.replace;
  ARROW_ASSIGN_OR_RAISE(RunDecision decision, Decide(ctx, engine, std::move(run), {}));
  prepared.runs.push_back(std::move(decision));
  return Status::OK();
}

// What is told of transformers that compare rows, which two partitions never are.
void NotePartitionsApart(const Engine& engine, Prepared& prepared) {
  if (prepared.partitions.size() < 2) return;
  for (size_t i = 0; i < engine.stages.transformers.size(); ++i) {
    if (!engine.stages.transformers[i]->sees_whole_partition()) continue;
    prepared.notes.push_back(
        fmt::format("{} compares the rows of one partition, and there are {}: rows of two are not "
                    "compared",
                    engine.plan.transformers[i].kind, prepared.partitions.size()));
  }
}

}  // namespace

Result<std::vector<RunInstance>> ListRuns(const Plan& plan, const RunOptions& options,
                                          WallMicros now) {
  if (!plan.window) {
    if (plan.increment && !options.windows.empty()) {
      return Fault(
                 FaultCode::kBadCommandLine,
                 fmt::format("the increments of pipeline \"{}\" are known to its targets only, got "
                             "--window {}",
                             plan.name, options.windows.front()))
          .Help("leave --window out");
    }
    if (!options.windows.empty()) {
      return Fault(FaultCode::kBadCommandLine,
                   fmt::format("pipeline \"{}\" has no windows, got --window {}", plan.name,
                               options.windows.front()))
          .Help("leave --window out, or give the pipeline `run: { every: day, column: ... }`");
    }
    if (!options.first_window.empty()) {
      return Fault(FaultCode::kBadCommandLine,
                   fmt::format("pipeline \"{}\" has no windows, got --from {}", plan.name,
                               options.first_window))
          .Help("a whole table is written by `levada run`");
    }
    RunInstance run = RunOf(plan, std::nullopt);
    run.replace = options.replace;
    return std::vector<RunInstance>{std::move(run)};
  }
  const WindowSpec& spec = *plan.window;
  std::vector<Window> windows;
  if (options.windows.empty()) {
    ARROW_ASSIGN_OR_RAISE(windows, ClosedWindows(spec, now, kWindowsMax));
    ARROW_RETURN_NOT_OK(KeepBetween(spec, options, windows));
  } else {
    for (const std::string& label : options.windows) {
      ARROW_ASSIGN_OR_RAISE(Window window, WindowByLabel(spec, label));
      windows.push_back(std::move(window));
    }
  }
  std::vector<RunInstance> runs;
  for (Window& window : windows) {
    RunInstance run = RunOf(plan, std::move(window));
    run.replace = options.replace;
    runs.push_back(std::move(run));
  }
  return runs;
}

SplitLimits Engine::LimitsOfSplit() const {
  return {plan.partition_bytes, stages.AnyWholePartitions() ? 1 : os::ProcessorCount()};
}

std::vector<Diagnostic> Prepared::AllWarnings(const Plan& plan) const {
  std::vector<Diagnostic> all = plan.warnings;
  all.insert(all.end(), warnings.begin(), warnings.end());
  return all;
}

int64_t Prepared::PendingCount() const { return std::ranges::count_if(runs, IsPending); }

Status Prepared::Refusal() const {
  Status first;
  int count = 0;
  for (const RunDecision& decision : runs) {
    if (decision.decision == Decision::kRefuse && count++ == 0) first = decision.refusal;
  }
  return count > 1 ? WithDetail(first, "refused_windows", std::to_string(count)) : first;
}

namespace {

// What is to do with each run that `options` ask for.
Status DecideRuns(Context& ctx, const Engine& engine, const RunOptions& options,
                  Prepared& prepared) {
  ARROW_ASSIGN_OR_RAISE(auto runs, engine.plan.increment&& options.first_window.empty()
                                       ? ListIncrements(ctx, engine, options)
                                       : ListRuns(engine.plan, options, ctx.clock->Now()));
  const size_t lookback =
      engine.plan.window && options.windows.empty() && options.first_window.empty()
          ? std::min(runs.size(), static_cast<size_t>(engine.plan.window->lookback))
          : 0;
  const size_t run_count = runs.size();
  for (size_t i = 0; i < run_count; ++i) {
    const Circumstances circumstances{
        i + lookback >= run_count, options.only_begun, options.keep_other_plans, {}};
    ARROW_ASSIGN_OR_RAISE(RunDecision decision,
                          Decide(ctx, engine, std::move(runs[i]), circumstances));
    // A run begun under another plan stays, to be refused by name.
    const bool begun = std::ranges::any_of(
        decision.published, [](const PublishedRun& state) { return state.pending.has_value(); });
    if (options.only_begun && !begun) continue;
    prepared.runs.push_back(std::move(decision));
  }
  const bool goes_on = engine.plan.increment && options.windows.empty() && !options.only_begun;
  return goes_on && prepared.Refusal().ok() ? AddNextIncrement(ctx, engine, options, prepared)
                                            : Status::OK();
}

/// Each thing once: what is said of one partition is often said of all.
void NoteCosts(Prepared& prepared) {
  for (const Partition& partition : prepared.partitions) {
    const std::string& note = partition.cost.note;
    const bool is_said = std::ranges::find(prepared.notes, note) != prepared.notes.end();
    if (!note.empty() && !is_said) prepared.notes.push_back(note);
  }
}

}  // namespace

Result<Prepared> Prepare(Context& ctx, const Engine& engine, const RunOptions& options,
                         bool split_first) {
  Prepared prepared;
  ARROW_RETURN_NOT_OK(DecideRuns(ctx, engine, options, prepared));
  ARROW_ASSIGN_OR_RAISE(const auto others, OtherRuns(ctx, engine, prepared.runs));
  RefuseOverlaps(others, prepared.runs);
  const auto first = std::ranges::find_if(prepared.runs, IsPending);
  prepared.is_first = !prepared.runs.empty() && std::ranges::all_of(prepared.runs, IsNew) &&
                      std::ranges::all_of(others, &std::vector<PublishedRun>::empty);
  // Nothing to do and nothing to show: do not disturb the source.
  if (first == prepared.runs.end() && !split_first) return prepared;

  const RetrySpec retry = RetryOf(engine, options);
  ARROW_ASSIGN_OR_RAISE(prepared.source, Retried(ctx, retry, engine.random, "describe", [&] {
                          return engine.stages.consumer->Describe(ctx);
                        }));
  prepared.notes.insert(prepared.notes.begin(), prepared.source.notes.begin(),
                        prepared.source.notes.end());
  if (!options.only_begun) GiveUpOutgrown(prepared.source, prepared.runs);
  if (first != prepared.runs.end()) {
    const PublishedRun* last = LastThatStays(others, prepared.runs, engine.plan.hash);
    if (last == nullptr) last = WholeBefore(prepared.runs, engine.plan.hash);
    if (last != nullptr) WarnOfOtherColumns(*last, prepared);
  }
  RunInstance shown;
  if (first != prepared.runs.end()) {
    shown = first->run;
  } else if (!prepared.runs.empty()) {
    shown = prepared.runs.back().run;
  } else {
    // No window is closed yet: what the first one will be like.
    std::optional<Window> window;
    if (engine.plan.window) {
      ARROW_ASSIGN_OR_RAISE(window, FirstWindow(*engine.plan.window));
    }
    shown = RunOf(engine.plan, std::move(window));
  }
  ARROW_RETURN_NOT_OK(BindStages(ctx, engine, retry, shown, prepared));
  size_t slices = 1;
  if (first != prepared.runs.end()) {
    if (const SplitRecord* recorded = RecordedSplit(*first)) {
      prepared.partitions = recorded->partitions;
    } else {
      ARROW_ASSIGN_OR_RAISE(prepared.partitions, Retried(ctx, retry, engine.random, "split", [&] {
                              return engine.stages.consumer->Split(ctx, first->run, prepared.source,
                                                                   engine.LimitsOfSplit());
                            }));
    }
    NotePartitionsApart(engine, prepared);
    NoteCosts(prepared);
    for (const Partition& partition : prepared.partitions) {
      slices = std::max(slices, partition.slices.size());
    }
  }
  ARROW_ASSIGN_OR_RAISE(prepared.memory, PlanMemory(engine, options, prepared, slices));
  return prepared;
}

}  // namespace levada::elt
