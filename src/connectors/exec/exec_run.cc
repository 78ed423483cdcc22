#include "connectors/exec/exec_run.h"

#include <map>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/counters.h"
#include "base/failpoint.h"
#include "formats/arrow_ipc/stream_writer.h"
#include "programs/running_program.h"

namespace levada::exec {
namespace {

using programs::Call;
using programs::RunningProgram;

class ExecRun final : public elt::TargetRun {
 public:
  ExecRun(const LoaderOptions& options, RunRecords records, elt::RunInstance run,
          std::unique_ptr<os::FileLock> lock, RunState state)
      : options_(options),
        records_(std::move(records)),
        run_(std::move(run)),
        lock_(std::move(lock)),
        state_(std::move(state)),
        seen_(state_.Seen(run_.pipeline, run_.Label())) {}

  /// Ends what an earlier process left.
  Status Recover(Context& ctx);

  int64_t generation() const override { return state_.run.generation; }
  const elt::PublishedRun& state() const override { return seen_; }
  Result<elt::SplitRecord> RecordSplit(Context& ctx, const elt::SplitRecord& split) override;
  Result<elt::Receipt> Load(Context& ctx, const elt::Attempt& attempt,
                            elt::BatchStream& stream) override;
  Result<std::unique_ptr<elt::BatchStream>> ReadBack(Context&, const elt::Attempt&,
                                                     const elt::Receipt&) override {
    return Fault(FaultCode::kImpossiblePlan, "exec: nothing that a program loaded can be read back")
        .Help("write verify: count, or leave it out");
  }
  Status Publish(Context& ctx, const elt::Attempt& attempt,
                 std::span<const elt::Receipt> receipts) override;
  Status Finish(Context& ctx) override;
  Status Discard(Context& ctx, const elt::Attempt& attempt) override;
  Status Abandon(Context& ctx) override;

 private:
  Call CallFor(const std::string& ask) const;
  Call CallFor(const std::string& ask, const std::string& partition,
               const std::string& attempt_id) const;
  Status Ask(Context& ctx, const Call& call) const;
  Status CheckHeld(const elt::Attempt& attempt) const;
  Status NoteAttempt(const std::string& attempt_id);
  Status PublishPart(Context& ctx, PartRecord part);
  Status TakeBack(Context& ctx, const std::string& attempt_id);
  Status TakeBackLeftovers(Context& ctx);
  Status GiveUpSplit(Context& ctx);
  void Refresh() { seen_ = state_.Seen(run_.pipeline, run_.Label()); }

  const LoaderOptions& options_;
  const RunRecords records_;
  const elt::RunInstance run_;
  const std::unique_ptr<os::FileLock> lock_;
  RunState state_;
  elt::PublishedRun seen_;  ///< as of Begin and RecordSplit
  bool finished_ = false;
  mutable std::mutex mutex_;         // guards the parts of state_ and leftovers_; not held over I/O
  std::set<std::string> leftovers_;  ///< attempts to take back before the next one
  std::mutex noting_;                // one slice notes the attempt, the others wait
  std::set<std::string> noted_;
};

Call ExecRun::CallFor(const std::string& ask) const {
  Call call;
  call.ask = ask;
  call.run = &run_;
  call.partition_index = -1;
  call.has_output = false;
  call.more.emplace_back("GENERATION", std::to_string(state_.run.generation));
  if (state_.run.split) {
    call.partition_count = static_cast<int>(state_.run.split->partitions.size());
    call.more.emplace_back("REVISION", std::to_string(state_.run.split->revision));
  }
  return call;
}

Call ExecRun::CallFor(const std::string& ask, const std::string& partition,
                      const std::string& attempt_id) const {
  Call call = CallFor(ask);
  call.more.emplace_back("ATTEMPT", attempt_id);
  if (!partition.empty()) call.more.emplace_back("PARTITION", partition);
  if (!state_.run.split) return call;
  for (const elt::Partition& each : state_.run.split->partitions) {
    if (each.id == partition) call.partition_index = each.index;
  }
  return call;
}

Status ExecRun::Ask(Context& ctx, const Call& call) const {
  Timed timed(ctx.counters->target_wait_ns);
  ARROW_ASSIGN_OR_RAISE(auto program, RunningProgram::Start(ctx, options_.program, call));
  const Status end = program->End();
  return end.ok() ? end : WithDetail(end, "asked", call.ask);
}

Status ExecRun::CheckHeld(const elt::Attempt& attempt) const {
  if (attempt.generation == state_.run.generation) return Status::OK();
  return Fault(FaultCode::kFenced, "attempt " + attempt.attempt_id + " was made under generation " +
                                       std::to_string(attempt.generation) + ", got " +
                                       std::to_string(state_.run.generation));
}

Status ExecRun::Recover(Context& ctx) {
  if (!state_.StagesAll()) {
    for (const auto& [id, part] : std::map(state_.parts)) {
      if (!part.published) ARROW_RETURN_NOT_OK(PublishPart(ctx, part));
    }
  }
  leftovers_ = std::move(state_.attempts);
  ARROW_RETURN_NOT_OK(TakeBackLeftovers(ctx));
  Refresh();
  return Status::OK();
}

Result<elt::SplitRecord> ExecRun::RecordSplit(Context& ctx, const elt::SplitRecord& split) {
  if (state_.run.split) {
    const elt::SplitRecord pending = *state_.run.split;
    const bool same_plan = pending.plan_hash == split.plan_hash;
    if (same_plan && pending.schema == split.schema) return pending;
    if (!run_.replace) {
      return Fault(same_plan ? FaultCode::kSchemaDrift : FaultCode::kPlanChanged,
                   "run \"" + run_.Label() + "\" was begun " + pending.created_at +
                       " and not finished, with another " + (same_plan ? "schema" : "plan"))
          .Help("run with --replace to begin it anew");
    }
    ARROW_RETURN_NOT_OK(GiveUpSplit(ctx));
  }
  RunRecord run = state_.run;
  run.pipeline = run_.pipeline;
  run.revision += 1;
  run.split = split;
  run.split->revision = run.revision;
  ARROW_RETURN_NOT_OK(records_.Write(run));
  state_.run = std::move(run);
  state_.parts.clear();
  finished_ = false;
  Refresh();
  LEVADA_FAILPOINT(ctx, "split.recorded");
  return *state_.run.split;
}

Status ExecRun::NoteAttempt(const std::string& attempt_id) {
  const std::lock_guard lock(noting_);
  if (noted_.contains(attempt_id)) return Status::OK();
  ARROW_RETURN_NOT_OK(records_.NoteAttempt(attempt_id));
  noted_.insert(attempt_id);
  return Status::OK();
}

/// All rows of `stream` to the program, and the end of its input once the source has confirmed its
/// own.
Result<elt::Receipt> Feed(Context& ctx, RunningProgram& program, elt::BatchStream& stream) {
  const auto sink = [&](std::span<const uint8_t> bytes) -> Status {
    Timed timed(ctx.counters->target_wait_ns);
    ARROW_ASSIGN_OR_RAISE(const bool taken, program.Write(bytes));
    if (!taken) {
      return Fault(FaultCode::kTargetUnwritable,
                   "the program stopped reading before the end of its input")
          .Help("read standard input to the end of the stream");
    }
    ctx.counters->bytes_written.fetch_add(static_cast<int64_t>(bytes.size()),
                                          std::memory_order_relaxed);
    return Status::OK();
  };
  ARROW_ASSIGN_OR_RAISE(auto writer,
                        arrow_ipc::StreamWriter::Open(stream.schema(), sink, ctx.pool));
  elt::Receipt receipt;
  while (true) {
    ARROW_RETURN_NOT_OK(ctx.Check());
    elt::BatchPtr batch;
    ARROW_RETURN_NOT_OK(stream.ReadNext(&batch));
    if (batch == nullptr) break;
    ARROW_RETURN_NOT_OK(writer->Write(*batch));
    receipt.rows += batch->num_rows();
    ctx.counters->rows_written.fetch_add(batch->num_rows(), std::memory_order_relaxed);
  }
  ARROW_ASSIGN_OR_RAISE(receipt.end, stream.Finish());
  ARROW_RETURN_NOT_OK(writer->Finish());
  program.CloseInput();
  return receipt;
}

/// Rows that a transformer put aside have no place in a program's target, and must not vanish.
Status RefuseRejects(const elt::Attempt& attempt) {
  if (attempt.rejects == nullptr || attempt.rejects->size() == 0) return Status::OK();
  return Fault(FaultCode::kImpossiblePlan,
               "exec: a transformer put rows aside, and a program has no place for them")
      .Help("let a parquet loader come first, which keeps them, or write on_error: discard_row");
}

Result<elt::Receipt> ExecRun::Load(Context& ctx, const elt::Attempt& attempt,
                                   elt::BatchStream& stream) {
  ARROW_RETURN_NOT_OK(CheckHeld(attempt));
  if (!state_.run.split) return Fault(FaultCode::kInternal, "exec: a load before the split");
  ARROW_RETURN_NOT_OK(TakeBackLeftovers(ctx));
  ARROW_RETURN_NOT_OK(NoteAttempt(attempt.attempt_id));
  Call call = CallFor("load", attempt.partition->id, attempt.attempt_id);
  call.more.emplace_back("SLICE", std::to_string(attempt.slice));
  call.has_input = true;
  ARROW_ASSIGN_OR_RAISE(auto program, RunningProgram::Start(ctx, options_.program, call));
  LEVADA_FAILPOINT(ctx, "load.file_created");
  Result<elt::Receipt> receipt = Feed(ctx, *program, stream);
  if (!receipt.ok()) {
    // Of a source that failed the program is not the cause.
    if (CodeOf(receipt.status()) == FaultCode::kTargetUnwritable) {
      return program->Explain(receipt.status());
    }
    program->Stop();
    return receipt.status();
  }
  ARROW_RETURN_NOT_OK(program->End());
  ARROW_RETURN_NOT_OK(RefuseRejects(attempt));
  LEVADA_FAILPOINT(ctx, "load.done");
  return receipt;
}

Status ExecRun::Publish(Context& ctx, const elt::Attempt& attempt,
                        std::span<const elt::Receipt> receipts) {
  LEVADA_FAILPOINT(ctx, "publish.before_intent");
  ARROW_RETURN_NOT_OK(CheckHeld(attempt));
  if (!state_.run.split) return Fault(FaultCode::kInternal, "exec: a publication before the split");
  const std::string& id = attempt.partition->id;
  {
    const std::lock_guard lock(mutex_);
    const auto found = state_.parts.find(id);
    if (found != state_.parts.end() && (found->second.published || state_.StagesAll())) {
      // An earlier attempt was committed and its answer got lost: the partition stays as it is.
      if (found->second.record.attempt_id != attempt.attempt_id) {
        leftovers_.insert(attempt.attempt_id);
      }
      return Status::OK();
    }
  }
  PartRecord part;
  part.record.partition = id;
  part.record.attempt_id = attempt.attempt_id;
  part.record.generation = state_.run.generation;
  part.record.revision = state_.run.split->revision;
  part.record.receipts.assign(receipts.begin(), receipts.end());
  ARROW_RETURN_NOT_OK(records_.Write(part));
  {
    const std::lock_guard lock(mutex_);
    state_.parts[id] = part;
  }
  LEVADA_FAILPOINT(ctx, "publish.intent_written");
  return state_.StagesAll() ? records_.ForgetAttempt(attempt.attempt_id)
                            : PublishPart(ctx, std::move(part));
}

/// A decided partition: the program is asked, then it is recorded that it was done.
Status ExecRun::PublishPart(Context& ctx, PartRecord part) {
  ARROW_RETURN_NOT_OK(Ask(ctx, CallFor("publish", part.record.partition, part.record.attempt_id)));
  LEVADA_FAILPOINT(ctx, "publish.before_record");
  part.published = true;
  ARROW_RETURN_NOT_OK(records_.Write(part));
  ARROW_RETURN_NOT_OK(records_.ForgetAttempt(part.record.attempt_id));
  const std::lock_guard lock(mutex_);
  state_.parts[part.record.partition] = std::move(part);
  return Status::OK();
}

Status ExecRun::Finish(Context& ctx) {
  if (finished_) return Status::OK();
  if (!state_.run.split) return Fault(FaultCode::kInternal, "exec: finished before it was split");
  ARROW_RETURN_NOT_OK(TakeBackLeftovers(ctx));
  RunRecord run = state_.run;
  run.finished_rows = 0;
  for (const elt::Partition& partition : run.split->partitions) {
    const auto found = state_.parts.find(partition.id);
    if (found == state_.parts.end()) {
      return Fault(FaultCode::kInternal,
                   "exec: finished without partition \"" + partition.id + "\"");
    }
    run.finished_rows += found->second.record.Rows();
  }
  LEVADA_FAILPOINT(ctx, "finish.before_intent");
  for (const auto& [id, part] : std::map(state_.parts)) {
    if (!part.published) ARROW_RETURN_NOT_OK(PublishPart(ctx, part));
  }
  ARROW_RETURN_NOT_OK(Ask(ctx, CallFor("finish")));
  LEVADA_FAILPOINT(ctx, "finish.before_manifest");
  run.finished = std::exchange(run.split, std::nullopt);
  run.finished_at = FormatTimestamp(ctx.clock->Now());
  ARROW_RETURN_NOT_OK(records_.Write(run));
  LEVADA_FAILPOINT(ctx, "finish.manifest_written");
  state_.run = std::move(run);
  finished_ = true;
  return Status::OK();
}

/// Only notes it: the program may take longer than a failing run has left. It is asked before the
/// next attempt, or by the next process.
Status ExecRun::Discard(Context& ctx, const elt::Attempt& attempt) {
  LEVADA_FAILPOINT(ctx, "discard.before_remove");
  ARROW_RETURN_NOT_OK(CheckHeld(attempt));
  const std::lock_guard lock(mutex_);
  leftovers_.insert(attempt.attempt_id);
  return Status::OK();
}

/// Whatever of an attempt the target holds, published or not.
Status ExecRun::TakeBack(Context& ctx, const std::string& attempt_id) {
  std::string partition;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [id, part] : state_.parts) {
      if (part.record.attempt_id == attempt_id) partition = id;
    }
  }
  ARROW_RETURN_NOT_OK(Ask(ctx, CallFor("discard", partition, attempt_id)));
  if (!partition.empty()) {
    ARROW_RETURN_NOT_OK(records_.ForgetPart(partition));
    const std::lock_guard lock(mutex_);
    state_.parts.erase(partition);
  }
  return records_.ForgetAttempt(attempt_id);
}

Status ExecRun::TakeBackLeftovers(Context& ctx) {
  while (true) {
    std::string attempt_id;
    {
      const std::lock_guard lock(mutex_);
      if (leftovers_.empty()) return Status::OK();
      attempt_id = *leftovers_.begin();
      leftovers_.erase(attempt_id);
    }
    const Status taken = TakeBack(ctx, attempt_id);
    if (taken.ok()) continue;
    const std::lock_guard lock(mutex_);
    leftovers_.insert(attempt_id);
    return taken;
  }
}

Status ExecRun::GiveUpSplit(Context& ctx) {
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [id, part] : state_.parts) leftovers_.insert(part.record.attempt_id);
  }
  return TakeBackLeftovers(ctx);
}

Status ExecRun::Abandon(Context& ctx) {
  if (!state_.run.split) return Fault(FaultCode::kInternal, "exec: nothing that could be given up");
  ARROW_RETURN_NOT_OK(GiveUpSplit(ctx));
  RunRecord run = state_.run;
  run.split.reset();
  ARROW_RETURN_NOT_OK(records_.Write(run));
  state_.run = std::move(run);
  Refresh();
  return Status::OK();
}

}  // namespace

Result<std::unique_ptr<elt::TargetRun>> BeginExecRun(Context& ctx, const LoaderOptions& options,
                                                     RunRecords records,
                                                     const elt::RunInstance& run) {
  ARROW_ASSIGN_OR_RAISE(auto lock, records.Lock());
  LEVADA_FAILPOINT(ctx, "fence.acquired");
  ARROW_ASSIGN_OR_RAISE(RunState state, records.Read());
  state.run.pipeline = run.pipeline;
  state.run.generation += 1;
  ARROW_RETURN_NOT_OK(records.Write(state.run));
  LEVADA_FAILPOINT(ctx, "fence.generation_written");
  auto begun = std::make_unique<ExecRun>(options, std::move(records), run, std::move(lock),
                                         std::move(state));
  ARROW_RETURN_NOT_OK(begun->Recover(ctx));
  return begun;
}

}  // namespace levada::exec
