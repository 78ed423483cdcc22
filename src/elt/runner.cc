#include "elt/runner.h"

#include <fmt/format.h>

#include <algorithm>
#include <future>
#include <mutex>
#include <set>
#include <thread>
#include <utility>

#include "base/clock.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "base/memory.h"
#include "elt/bounded_queue.h"
#include "elt/partition_run.h"
#include "elt/retry.h"
#include "os/process.h"

namespace levada::elt {
namespace {

// Hands partitions to the controller and keeps their reports.
class WorkJob final : public PartitionJob {
 public:
  explicit WorkJob(const PartitionWork& work) : work_(work), reports_(work.partitions.size()) {}

  Status Run(Context& ctx, int index) const override {
    PartitionReport report = RunPartition(ctx, work_, index);
    std::lock_guard lock(mutex_);
    auto& slot = reports_[static_cast<size_t>(index)];
    slot = std::move(report);
    return slot.status;
  }

  std::vector<PartitionReport> TakeReports() { return std::move(reports_); }

 private:
  const PartitionWork& work_;
  mutable std::mutex mutex_;
  mutable std::vector<PartitionReport> reports_;
};

// A failed cache write is worth a line, not the run.
void Note(Context& ctx, const Status& ledger_write) {
  if (!ledger_write.ok()) {
    ctx.log->Warning("the ledger could not be written; the target has the truth",
                     {{"error", ledger_write.message()}});
  }
}

bool IsStop(const Status& status) {
  const FaultCode code = CodeOf(status);
  return code == FaultCode::kStopped || code == FaultCode::kInterrupted ||
         code == FaultCode::kTerminated;
}

// One RunInstance, from fence to manifest.
class InstanceRun {
 public:
  InstanceRun(Context& ctx, const Engine& engine, const Prepared& prepared,
              const RunDecision& decision, RowHistory& history, Ledger* ledger,
              RunObserver& observer)
      : ctx_(ctx),
        engine_(engine),
        prepared_(prepared),
        decision_(decision),
        history_(history),
        ledger_(ledger),
        observer_(observer) {}

  RunInstanceReport Run() {
    const auto started = ctx_.clock->Steady();
    started_at_ = FormatTimestamp(ctx_.clock->Now());
    report_.label = decision_.run.Label();
    report_.status = RunSteps();
    report_.elapsed_ns = (ctx_.clock->Steady() - started).count();
    if (report_.status.ok()) {
      report_.outcome = RunOutcome::kPublished;
    } else {
      report_.status = WithDetail(report_.status, "window", report_.label);
      report_.outcome = IsStop(report_.status) ? RunOutcome::kInterrupted : RunOutcome::kFailed;
    }
    // Of a run that another process holds, that process keeps the account.
    if (CodeOf(report_.status) != FaultCode::kLeaseHeld) PutLedger(NameOf(report_.outcome));
    observer_.RunEnds(report_.label, report_.outcome, report_.status);
    targets_.clear();  // releases the fences
    return std::move(report_);
  }

 private:
  Status RunSteps() {
    ARROW_RETURN_NOT_OK(Begin());
    ARROW_RETURN_NOT_OK(Split());
    ARROW_RETURN_NOT_OK(RunPartitions());
    ARROW_RETURN_NOT_OK(CheckRows());
    // In YAML order: a failure between two leaves the later ones pending, and the next run
    // converges.
    for (auto& target : targets_) ARROW_RETURN_NOT_OK(target->Finish(ctx_));
    history_.Add(decision_.run.Position(), report_.rows);
    return Status::OK();
  }

  // A run of too few rows is not kept to be asked again: the next one reads what there is then.
  Status CheckRows() {
    Status refused;
    for (const RowCountRule& rule : engine_.stages.RowCountRules()) {
      refused = CheckRowCount(rule, report_.rows, history_.Before(decision_.run, rule.history));
      if (!refused.ok()) break;
    }
    if (refused.ok()) return refused;
    for (auto& target : targets_) {
      const Status abandoned = target->Abandon(ctx_);
      if (!abandoned.ok()) {
        ctx_.log->Warning("what was read is left for the next run to ask again",
                          {{"window", report_.label}, {"error", abandoned.message()}});
      }
    }
    return refused;
  }

  Status Begin() {
    ARROW_ASSIGN_OR_RAISE(transformers_, BindTransformers(ctx_, engine_.stages,
                                                          prepared_.source.schema, decision_.run));
    for (size_t i = 0; i < engine_.stages.loaders.size(); ++i) {
      if (!decision_.loader_pending[i]) continue;
      const Loader& loader = *engine_.stages.loaders[i];
      ARROW_ASSIGN_OR_RAISE(BoundTarget bound, loader.Bind(ctx_, prepared_.OutputSchema(),
                                                           prepared_.output_hints, decision_.run));
      ARROW_ASSIGN_OR_RAISE(auto target, loader.Begin(ctx_, decision_.run, bound));
      ARROW_RETURN_NOT_OK(CheckSameIncrement(target->state()));
      writers_.push_back(bound.frozen);
      targets_.push_back(std::move(target));
    }
    return Status::OK();
  }

  // Two processes that ask the source at once both find the next increment, with other ends: the
  // second one to hold the run must not write over what the first has published.
  Status CheckSameIncrement(const PublishedRun& now) const {
    const bool counts = now.finished || now.SplitToGoOnWith(decision_.run.plan_hash) != nullptr;
    if (!decision_.run.increment || !counts || now.increment == decision_.run.increment) {
      return Status::OK();
    }
    return Fault(FaultCode::kLeaseHeld,
                 fmt::format("increment \"{}\" was begun by another process in the meantime",
                             decision_.run.Label()))
        .Help("run again: it goes on behind that one");
  }

  // The recorded split of a run that goes on, else a new one, recorded in every target before any
  // data.
  Status Split() {
    SplitRecord split;
    const SplitRecord* recorded = nullptr;
    for (const auto& target : targets_) {
      recorded = target->state().SplitToGoOnWith(decision_.run.plan_hash);
      if (recorded != nullptr) break;
    }
    const std::string fingerprint = SchemaFingerprint(*prepared_.source.schema);
    const bool drifted = recorded != nullptr && recorded->schema != fingerprint;
    if (drifted && !decision_.run.replace) {
      return Fault(FaultCode::kSchemaDrift,
                   fmt::format("run \"{}\" was begun with another schema of the source: {}",
                               decision_.run.Label(),
                               SchemaDifference(recorded->schema, fingerprint)))
          .Help("run with --replace to begin it anew with the schema of now");
    }
    if (recorded != nullptr && !drifted) {
      split = *recorded;
    } else {
      split.pipeline = decision_.run.pipeline;
      split.label = decision_.run.Label();
      split.window = decision_.run.window;
      split.increment = decision_.run.increment;
      split.plan_hash = decision_.run.plan_hash;
      split.schema = fingerprint;
      split.created_at = FormatTimestamp(ctx_.clock->Now());
      split.held = !engine_.stages.RowCountRules().empty();
      ARROW_ASSIGN_OR_RAISE(split.partitions,
                            Retried(ctx_, engine_.plan.retry, engine_.random, "split", [&] {
                              return engine_.stages.consumer->Split(
                                  ctx_, decision_.run, prepared_.source, engine_.LimitsOfSplit());
                            }));
    }
    LEVADA_FAILPOINT(ctx_, "split.before_record");
    for (size_t i = 0; i < targets_.size(); ++i) {
      split.writer = writers_[i];
      ARROW_ASSIGN_OR_RAISE(SplitRecord kept, targets_[i]->RecordSplit(ctx_, split));
      if (kept.partitions != split.partitions) {
        return Fault(FaultCode::kPlanChanged,
                     fmt::format("run \"{}\": two targets recorded different partitions",
                                 decision_.run.Label()))
            .Help("run with --replace to begin it anew in all of them");
      }
      report_.revision = std::max(report_.revision, kept.revision);
    }
    partitions_ = std::move(split.partitions);
    const bool in_slices = std::ranges::any_of(
        partitions_, [](const Partition& partition) { return partition.slices.size() > 1; });
    if (in_slices && engine_.stages.AnyWholePartitions()) {
      return Fault(FaultCode::kInternal, "a partition that must be seen whole was cut into slices");
    }
    return Status::OK();
  }

  PartitionWork MakeWork() {
    PartitionWork work;
    work.plan = &engine_.plan;
    work.consumer = engine_.stages.consumer.get();
    work.source = &prepared_.source;
    work.transformers = transformers_;
    work.run = &decision_.run;
    work.partitions = partitions_;
    work.batches = prepared_.batches;
    work.slices_parallel = prepared_.memory.slices;
    work.random = &engine_.random;
    work.observer = &observer_;
    work.ledger = ledger_;
    for (const auto& target : targets_) {
      TargetOfRun of_run{target.get(), std::vector<bool>(partitions_.size(), false)};
      // Without a pending split the state's records belong to the run that is being replaced.
      if (target->state().pending) {
        for (const PartitionRecord& record : target->state().partitions) {
          for (size_t i = 0; i < partitions_.size(); ++i) {
            if (partitions_[i].id == record.partition) of_run.done[i] = true;
          }
        }
      }
      work.targets.push_back(std::move(of_run));
    }
    if (decision_.loader_pending.front()) work.keeps_rejects = targets_.front().get();
    return work;
  }

  Status RunPartitions() {
    const PartitionWork work = MakeWork();
    std::vector<int> to_do;
    RunView view{decision_.run.pipeline, report_.label, static_cast<int>(partitions_.size()), 0, 0};
    for (size_t i = 0; i < partitions_.size(); ++i) {
      const bool done =
          std::ranges::all_of(work.targets, [&](const TargetOfRun& t) { return t.done[i]; });
      if (done) {
        ++view.partitions_done;
        continue;
      }
      to_do.push_back(static_cast<int>(i));
      if (partitions_[i].estimated_rows < 0 || view.estimated_rows < 0) {
        view.estimated_rows = -1;
      } else {
        view.estimated_rows += partitions_[i].estimated_rows;
      }
    }
    partitions_done_ = view.partitions_done;
    PutLedger("running");
    observer_.RunBegins(view);

    WorkJob job(work);
    Status status = Drive(job, to_do);
    Collect(job.TakeReports(), work, to_do);
    return status;
  }

  // Lets the controller run what is to do. After a failure that more attempts cannot mend nothing
  // more is started, but what runs may finish: a published partition is not repeated.
  Status Drive(const WorkJob& job, const std::vector<int>& to_do) {
    ARROW_ASSIGN_OR_RAISE(auto handle,
                          engine_.controller.Start(ctx_, job, to_do, prepared_.memory.slots));
    std::vector<Status> failures;
    while (auto result = handle->Next()) {
      if (result->status.ok()) {
        ++partitions_done_;
        PutLedger("running");
      } else {
        failures.push_back(result->status);
        handle->Drain();
      }
    }
    if (Status stopped = ctx_.Check(); !stopped.ok()) return stopped;
    std::erase_if(failures, IsStop);
    if (failures.empty()) {
      return partitions_done_ == static_cast<int>(partitions_.size())
                 ? Status::OK()
                 : Fault(FaultCode::kInternal, "partitions were left out without an error");
    }
    return failures[MostImportant(failures)];
  }

  void Collect(std::vector<PartitionReport> reports, const PartitionWork& work,
               const std::vector<int>& to_do) {
    for (size_t i = 0; i < partitions_.size(); ++i) {
      PartitionReport& partition = reports[i];
      if (!std::ranges::binary_search(to_do, static_cast<int>(i))) {
        partition.id = partitions_[i].id;
        partition.meaning = partitions_[i].meaning;
        partition.published_before = true;
        for (size_t t = 0; t < work.targets.size(); ++t) {
          for (const PartitionRecord& record : targets_[t]->state().partitions) {
            if (record.partition != partition.id) continue;
            partition.receipts.push_back(record.receipts);
            if (t == 0) partition.rows = record.Rows();
          }
        }
      } else if (partition.attempts == 0) {
        continue;  // never started
      }
      if (partition.status.ok()) AddUp(partition);
      report_.partitions.push_back(std::move(partition));
    }
  }

  void AddUp(const PartitionReport& partition) {
    report_.rows += partition.rows;
    for (const auto& of_loader : partition.receipts) {
      for (const Receipt& receipt : of_loader) {
        report_.files += static_cast<int64_t>(receipt.files.size());
        for (const WrittenFile& file : receipt.files) report_.bytes += file.bytes;
        const std::string& snapshot = receipt.end.position;
        if (!snapshot.empty() &&
            std::ranges::find(report_.snapshots, snapshot) == report_.snapshots.end()) {
          report_.snapshots.push_back(snapshot);
        }
      }
    }
  }

  // What was published before stays until its replacement is; of one that was not published whole
  // nothing may be there.
  void TellWhatIsThere(LedgerRun& run) const {
    const auto& published = decision_.published;
    const bool is_kept = !published.empty() && published.back().finished;
    if (is_kept) {
      run.rows = published.back().rows;
      run.files = published.back().files;
      run.bytes = published.back().bytes;
    } else if (CodeOf(report_.status) == FaultCode::kRowCountRefused) {
      run.rows = run.files = run.bytes = 0;
    }
  }

  void PutLedger(std::string_view state) {
    if (ledger_ == nullptr) return;
    LedgerRun run;
    run.pipeline = decision_.run.pipeline;
    run.label = report_.label;
    run.state = state;
    run.plan_hash = decision_.run.plan_hash;
    run.revision = report_.revision;
    run.partitions_total = static_cast<int64_t>(partitions_.size());
    run.partitions_done = partitions_done_;
    run.rows = report_.rows;
    run.files = report_.files;
    run.bytes = report_.bytes;
    run.started_at = started_at_;
    if (state != "running") run.finished_at = FormatTimestamp(ctx_.clock->Now());
    if (report_.outcome == RunOutcome::kFailed) run.error = report_.status.message();
    if (state == "failed" || state == "interrupted") TellWhatIsThere(run);
    Note(ctx_, ledger_->PutRun(ctx_, run));
  }

  Context& ctx_;
  const Engine& engine_;
  const Prepared& prepared_;
  const RunDecision& decision_;
  RowHistory& history_;
  Ledger* ledger_;
  RunObserver& observer_;
  RunInstanceReport report_;
  std::string started_at_;
  std::vector<std::unique_ptr<TargetRun>> targets_;
  std::vector<std::string> writers_;
  std::vector<std::unique_ptr<BoundTransformer>> transformers_;
  std::vector<Partition> partitions_;
  int partitions_done_ = 0;
};

// The status of the invocation from those of its runs (docs/decisions/0006: data, schema,
// config/auth, target, source; 50 only when some were published).
Status Conclude(Context& ctx, const RunReport& report, int runs_to_do) {
  std::vector<Status> failures;
  int published = 0;
  for (const RunInstanceReport& run : report.runs) {
    if (run.outcome == RunOutcome::kPublished) ++published;
    if (!run.status.ok() && !IsStop(run.status)) failures.push_back(run.status);
    // Its partitions are whole and not visible.
    if (CodeOf(run.status) == FaultCode::kRowCountRefused) continue;
    for (const PartitionReport& partition : run.partitions) {
      if (!run.status.ok() && partition.status.ok()) ++published;
    }
  }
  if (failures.empty()) return ctx.Check();
  const Status& worst = failures[MostImportant(failures)];
  if (published == 0 || KindOf(CodeOf(worst)).blame == Blame::kLease) return worst;
  std::string not_begun;
  if (const int count = runs_to_do - static_cast<int>(report.runs.size()); count > 0) {
    not_begun = fmt::format(" and {} {} not begun", count, count == 1 ? "was" : "were");
  }
  return Fault(FaultCode::kSomePartitionsFailed,
               fmt::format("{} of {} runs failed{}, what was published stays", failures.size(),
                           runs_to_do, not_begun))
      .Help("the next `levada run` does only what is left")
      .Because(worst);
}

// What the first target has of the pipeline's runs, for rules that look at it.
Status ReadHistory(Context& ctx, const Engine& engine, RowHistory& history) {
  const auto rules = engine.stages.RowCountRules();
  if (std::ranges::none_of(rules,
                           [](const auto& rule) { return rule.change_percent.has_value(); })) {
    return Status::OK();
  }
  ARROW_ASSIGN_OR_RAISE(const auto published,
                        engine.stages.loaders.front()->Inventory(ctx, engine.plan.name, {}));
  for (const PublishedRun& run : published) {
    if (run.finished && run.damage.ok()) history.Add(run.Position(), run.rows);
  }
  return Status::OK();
}

RunReport BeginReport(Context& ctx, const Engine& engine, const Prepared& prepared) {
  RunReport report;
  report.run_id = NewId(engine.random);
  report.pipeline = engine.plan.name;
  report.plan_hash = engine.plan.hash;
  report.version = engine.version;
  report.host = os::HostName();
  report.source = prepared.source.description;
  for (const BoundTarget& target : prepared.targets) report.targets.push_back(target.description);
  report.started_at = ctx.clock->Now();
  report.warnings = prepared.AllWarnings(engine.plan);
  report.verify = engine.plan.verify == Verify::kReadback ? "readback" : "count";
  return report;
}

}  // namespace

RunReport RunPlan(Context& ctx, const Engine& engine, const Prepared& prepared, Ledger* ledger,
                  RunObserver& observer) {
  const auto started = ctx.clock->Steady();
  const int64_t cpu_before = os::CpuTimeNs();
  RunReport report = BeginReport(ctx, engine, prepared);
  std::vector<const RunDecision*> to_do;
  for (const RunDecision& decision : prepared.runs) {
    if (decision.decision == Decision::kSkip) {
      ++report.runs_published_before;
    } else {
      to_do.push_back(&decision);
    }
  }
  RowHistory history;
  report.status = prepared.Refusal();
  if (report.status.ok()) report.status = ReadHistory(ctx, engine, history);
  if (!report.status.ok()) return report;
  observer.InvocationBegins(engine.plan.name, static_cast<int>(to_do.size()),
                            report.runs_published_before);

  Context run_ctx =
      engine.plan.retry.deadline.count() > 0 ? ctx.Within(engine.plan.retry.deadline) : ctx;
  // Windows run side by side when asked to; each takes the next one until none is left or one
  // failed.
  std::mutex mutex;
  size_t next = 0;
  bool failed = false;
  std::vector<std::optional<RunInstanceReport>> results(to_do.size());
  const auto work = [&] {
    while (true) {
      size_t mine = 0;
      {
        std::lock_guard lock(mutex);
        if (failed || next == to_do.size() || !run_ctx.Check().ok()) return;
        mine = next++;
      }
      RunInstanceReport run =
          InstanceRun(run_ctx, engine, prepared, *to_do[mine], history, ledger, observer).Run();
      std::lock_guard lock(mutex);
      failed |= !run.status.ok();
      results[mine] = std::move(run);
    }
  };
  {
    std::vector<std::jthread> threads;
    for (int i = 1; i < prepared.memory.windows; ++i) threads.emplace_back(work);
    work();
  }
  for (auto& result : results) {
    if (!result) continue;
    report.rows += result->rows;
    report.files += result->files;
    report.bytes += result->bytes;
    report.runs.push_back(std::move(*result));
  }
  report.status = Conclude(ctx, report, static_cast<int>(to_do.size()));
  report.elapsed_ns = (ctx.clock->Steady() - started).count();
  report.cpu_ns = os::CpuTimeNs() - cpu_before;
  report.peak_memory_bytes = os::ReadResidentMemory().peak_bytes;
  return report;
}

}  // namespace levada::elt
