#include "connectors/postgres/loader_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include "base/failpoint.h"
#include "base/log.h"
#include "connectors/postgres/loader_hold.h"
#include "connectors/postgres/loader_session.h"
#include "elt/recorded_split.h"
#include "elt/retry.h"

namespace levada::postgres {
namespace {

// Each is a table that the one transaction of Finish locks, of the 6400 locks that a server has by
// default.
constexpr size_t kStagesMax = 1000;
// A lost connection is made anew; whether the last COMMIT happened is then there to be read.
constexpr int kFinishAttempts = 3;
constexpr auto kFinishPause = std::chrono::milliseconds(200);

class TableRun final : public elt::TargetRun {
 public:
  TableRun(LoaderOptions options, elt::RunInstance run, elt::BoundTarget bound, LoadPlan plan,
           std::unique_ptr<RunHold> hold, RunState state)
      : options_(std::move(options)),
        run_(std::move(run)),
        bound_(std::move(bound)),
        plan_(std::move(plan)),
        hold_(std::move(hold)),
        published_(Compose(state, hold_->key())),
        finished_(std::move(state.finished)) {
    if (state.split) done_ = std::move(state.records);
  }

  int64_t generation() const override { return hold_->generation(); }
  const elt::PublishedRun& state() const override { return published_; }

  Result<elt::SplitRecord> RecordSplit(Context& ctx, const elt::SplitRecord& split) override;
  Result<elt::Receipt> Load(Context& ctx, const elt::Attempt& attempt,
                            elt::BatchStream& stream) override;
  Result<std::unique_ptr<elt::BatchStream>> ReadBack(Context& ctx, const elt::Attempt& attempt,
                                                     const elt::Receipt& receipt) override;
  Status Publish(Context& ctx, const elt::Attempt& attempt,
                 std::span<const elt::Receipt> receipts) override;
  Status Finish(Context& ctx) override;
  Status Discard(Context& ctx, const elt::Attempt& attempt) override;
  Status Abandon(Context& ctx) override;

 private:
  Status CheckHeld(const elt::Attempt& attempt) const;
  Status CheckNewSplit(const elt::SplitRecord& split) const;
  Result<bool> SliceHasRows(const Context& ctx, pq::Connection& connection) const;
  Status GiveUp(const Context& ctx, pq::Connection& connection, const elt::SplitRecord& split);
  Status Move(Context& ctx, pq::Connection& connection, const elt::PartitionRecord& record);
  Status CountRecord(Context& ctx, pq::Connection& connection, const elt::PartitionRecord& record,
                     bool check_slice) const;
  std::vector<std::string> StagesOf(const elt::PartitionRecord& record) const;
  Status FinishOnce(Context& ctx);
  Status Switch(Context& ctx, pq::Connection& connection);
  Status Run(const Context& ctx, pq::Connection& connection, const std::string& sql) const {
    if (sql.empty()) return Status::OK();
    return Ask(ctx, connection, plan_.table, "cannot write to", sql).status();
  }

  const LoaderOptions options_;
  const elt::RunInstance run_;
  const elt::BoundTarget bound_;
  const LoadPlan plan_;
  const std::unique_ptr<RunHold> hold_;
  elt::PublishedRun published_;
  const std::optional<elt::SplitRecord> finished_;  // what this run takes the place of
  std::optional<elt::SplitRecord> split_;           // of RecordSplit
  bool committed_ = false;

  mutable std::mutex mutex_;      // guards what follows; never held over I/O
  elt::SchemaPtr loaded_schema_;  // the same for every Load
  std::map<std::string, elt::PartitionRecord> done_;
};

Status TableRun::CheckHeld(const elt::Attempt& attempt) const {
  if (attempt.generation == hold_->generation()) return Status::OK();
  return Fault(FaultCode::kFenced,
               fmt::format("attempt {} was made under generation {}, got {}", attempt.attempt_id,
                           attempt.generation, hold_->generation()));
}

Status TableRun::CheckNewSplit(const elt::SplitRecord& split) const {
  ARROW_RETURN_NOT_OK(elt::CheckSplitOfRun(run_, hold_->key().label, split));
  size_t stages = 0;
  for (const elt::Partition& partition : split.partitions) stages += partition.slices.size();
  if (!plan_.StagesAll(split) || stages <= kStagesMax) return Status::OK();
  return Fault(FaultCode::kImpossiblePlan,
               fmt::format("run \"{}\" has {} slices, and one that is published whole may have {}",
                           split.label, stages, kStagesMax))
      .With("table", plan_.table.Written())
      .Help("cut the source into fewer, larger partitions");
}

Result<bool> TableRun::SliceHasRows(const Context& ctx, pq::Connection& connection) const {
  if (!plan_.slice) return false;
  ARROW_ASSIGN_OR_RAISE(const pq::Rows rows,
                        Ask(ctx, connection, plan_.table, "cannot look for rows of",
                            "select exists (select from " + plan_.table.Quoted() +
                                (plan_.slice->empty() ? ")" : " where " + *plan_.slice + ")")));
  return !rows.empty() && rows[0][0] == "t";
}

// In a transaction: no trace of the split, and of what it took the place of everything.
Status TableRun::GiveUp(const Context& ctx, pq::Connection& connection,
                        const elt::SplitRecord& split) {
  if (!plan_.StagesAll(split)) ARROW_RETURN_NOT_OK(Run(ctx, connection, plan_.DeleteSlice()));
  ARROW_ASSIGN_OR_RAISE(const auto stages, ListStages(ctx, connection, plan_.table, hold_->stages(),
                                                      hold_->stages().RunPrefix()));
  ARROW_RETURN_NOT_OK(DropStages(ctx, connection, plan_.table, hold_->stages(), stages));
  return DropSplit(ctx, connection, hold_->key(), split.revision);
}

Result<elt::SplitRecord> TableRun::RecordSplit(Context& ctx, const elt::SplitRecord& split) {
  elt::SplitRecord record = split;
  record.revision = finished_ ? finished_->revision + 1 : 0;
  if (record.writer.empty()) record.writer = bound_.frozen;
  if (published_.pending) {
    const elt::SplitRecord pending = *published_.pending;
    if (pending.plan_hash == split.plan_hash && pending.schema == split.schema) {
      split_ = pending;
      return pending;
    }
    if (!run_.replace) return elt::RefuseOtherSplit(pending, split);
  }
  ARROW_RETURN_NOT_OK(hold_->Transact(ctx, [&](pq::Connection& connection) -> Status {
    if (published_.pending) {
      ARROW_RETURN_NOT_OK(GiveUp(ctx, connection, *published_.pending));
    }
    // Only with --replace are there rows of nobody's: they go when the run's own come.
    if (record.revision == 0 && !record.held) {
      ARROW_ASSIGN_OR_RAISE(record.held, SliceHasRows(ctx, connection));
    }
    ARROW_RETURN_NOT_OK(CheckNewSplit(record));
    // Of a run whose records were damaged receipts may be left.
    ARROW_RETURN_NOT_OK(DropSplit(ctx, connection, hold_->key(), record.revision));
    return PutSplit(ctx, connection, hold_->key(), record);
  }));
  LEVADA_FAILPOINT(ctx, "split.recorded");
  {
    const std::lock_guard lock(mutex_);
    done_.clear();
  }
  published_.partitions.clear();
  published_.pending = record;
  split_ = record;
  return record;
}

Result<elt::Receipt> TableRun::Load(Context& ctx, const elt::Attempt& attempt,
                                    elt::BatchStream& stream) {
  ARROW_RETURN_NOT_OK(CheckHeld(attempt));
  if (!split_) return Fault(FaultCode::kInternal, "a partition was loaded before its split");
  {
    const std::lock_guard lock(mutex_);
    loaded_schema_ = stream.schema();
  }
  return LoadStage(ctx, options_, plan_, hold_->stages(), attempt, stream);
}

Result<std::unique_ptr<elt::BatchStream>> TableRun::ReadBack(Context& ctx,
                                                             const elt::Attempt& attempt,
                                                             const elt::Receipt& receipt) {
  ARROW_RETURN_NOT_OK(CheckHeld(attempt));
  elt::SchemaPtr schema;
  {
    const std::lock_guard lock(mutex_);
    schema = loaded_schema_;
  }
  const StageNames& names = hold_->stages();
  return ReadStage(ctx, options_, plan_, names.Quoted(names.Of(attempt.attempt_id, receipt.slice)),
                   *schema);
}

std::vector<std::string> TableRun::StagesOf(const elt::PartitionRecord& record) const {
  std::vector<std::string> stages;
  for (const elt::Receipt& receipt : record.receipts) {
    stages.push_back(hold_->stages().Of(record.attempt_id, receipt.slice));
  }
  return stages;
}

// After a crash of the server a stage is empty, and its COPY had been acknowledged.
Status TableRun::CountRecord(Context& ctx, pq::Connection& connection,
                             const elt::PartitionRecord& record, bool check_slice) const {
  for (const elt::Receipt& receipt : record.receipts) {
    const std::string stage = hold_->stages().Of(record.attempt_id, receipt.slice);
    ARROW_ASSIGN_OR_RAISE(const int64_t rows,
                          CountStage(ctx, connection, plan_, hold_->stages(), stage, check_slice));
    if (rows == receipt.rows) continue;
    return Fault(FaultCode::kTargetIo,
                 fmt::format("stage \"{}\": expected {} rows, {}", stage, receipt.rows,
                             rows < 0 ? "it is not there" : fmt::format("got {}", rows)))
        .With("table", plan_.table.Written())
        .Help(
            "the server crashed, or something else removes tables: the partition is loaded "
            "again");
  }
  return Status::OK();
}

// In a transaction: the partition's rows come to the table.
Status TableRun::Move(Context& ctx, pq::Connection& connection,
                      const elt::PartitionRecord& record) {
  const std::vector<std::string> stages = StagesOf(record);
  for (const std::string& stage : stages) {
    ARROW_RETURN_NOT_OK(Run(ctx, connection, plan_.InsertFrom({hold_->stages().Quoted(stage)})));
    LEVADA_FAILPOINT(ctx, "publish.file_renamed");
  }
  return DropStages(ctx, connection, plan_.table, hold_->stages(), stages);
}

Status TableRun::Publish(Context& ctx, const elt::Attempt& attempt,
                         std::span<const elt::Receipt> receipts) {
  LEVADA_FAILPOINT(ctx, "publish.before_intent");
  ARROW_RETURN_NOT_OK(CheckHeld(attempt));
  if (!split_) return Fault(FaultCode::kInternal, "a partition was published before its split");
  ARROW_ASSIGN_OR_RAISE(const elt::PartitionRecord record,
                        elt::RecordOf(*split_, hold_->generation(), attempt, receipts));
  bool other = false;
  ARROW_RETURN_NOT_OK(hold_->Transact(ctx, [&](pq::Connection& connection) -> Status {
    // An earlier COMMIT may have happened without an answer.
    ARROW_ASSIGN_OR_RAISE(
        const auto committed,
        CommittedAttempt(ctx, connection, hold_->key(), record.revision, record.partition));
    other = committed && *committed != record.attempt_id;
    if (committed) return Status::OK();
    LEVADA_FAILPOINT(ctx, "publish.intent_written");
    ARROW_RETURN_NOT_OK(CountRecord(ctx, connection, record, /*check_slice=*/true));
    if (!plan_.StagesAll(*split_)) ARROW_RETURN_NOT_OK(Move(ctx, connection, record));
    LEVADA_FAILPOINT(ctx, "publish.before_record");
    return PutCommit(ctx, connection, hold_->key(), record);
  }));
  LEVADA_FAILPOINT(ctx, "publish.recorded");
  // The partition stays as the other attempt left it.
  if (other) return Discard(ctx, attempt);
  const std::lock_guard lock(mutex_);
  done_[record.partition] = record;
  return Status::OK();
}

// In a transaction: from staged partitions to a run that is there.
Status TableRun::Switch(Context& ctx, pq::Connection& connection) {
  std::vector<std::string> stages, quoted;
  int64_t rows = 0;
  {
    const std::lock_guard lock(mutex_);
    for (const elt::Partition& partition : split_->partitions) {
      const elt::PartitionRecord& record = done_.at(partition.id);
      rows += record.Rows();
      for (std::string& stage : StagesOf(record)) stages.push_back(std::move(stage));
    }
  }
  LEVADA_FAILPOINT(ctx, "finish.intent_written");
  if (plan_.StagesAll(*split_)) {
    for (const std::string& stage : stages) quoted.push_back(hold_->stages().Quoted(stage));
    ARROW_RETURN_NOT_OK(Run(ctx, connection, plan_.DeleteSlice()));
    LEVADA_FAILPOINT(ctx, "finish.success_removed");
    if (plan_.mode == LoadMode::kUpsert) {
      // In one statement, which refuses two rows of one key whichever partitions they came in.
      ARROW_RETURN_NOT_OK(Run(ctx, connection, plan_.InsertFrom(quoted)));
    } else {
      for (const std::string& stage : quoted) {
        ARROW_RETURN_NOT_OK(Run(ctx, connection, plan_.InsertFrom({stage})));
        LEVADA_FAILPOINT(ctx, "finish.file_renamed");
      }
    }
    ARROW_RETURN_NOT_OK(DropStages(ctx, connection, plan_.table, hold_->stages(), stages));
  }
  LEVADA_FAILPOINT(ctx, "finish.before_manifest");
  return PutFinished(ctx, connection, hold_->key(), *split_, rows,
                     FormatTimestamp(ctx.clock->Now()));
}

Status TableRun::FinishOnce(Context& ctx) {
  return hold_->Transact(ctx, [&](pq::Connection& connection) -> Status {
    // No commit of the split is left when an earlier COMMIT happened without an answer.
    ARROW_ASSIGN_OR_RAISE(const pq::Rows pending,
                          Ask(ctx, connection, plan_.table, "cannot read the records of",
                              "select split is not null from " + hold_->key().Runs() +
                                  " where table_name = $1 and pipeline = $2 and label = $3",
                              {plan_.table.name, run_.pipeline, hold_->key().label}));
    if (!pending.empty() && pending[0][0] != "t") return Status::OK();
    if (plan_.StagesAll(*split_)) {
      std::vector<elt::PartitionRecord> records;
      {
        const std::lock_guard lock(mutex_);
        for (const auto& [id, record] : done_) records.push_back(record);
      }
      for (const auto& record : records) {
        ARROW_RETURN_NOT_OK(CountRecord(ctx, connection, record, /*check_slice=*/false));
      }
    }
    return Switch(ctx, connection);
  });
}

Status TableRun::Finish(Context& ctx) {
  if (committed_) return Status::OK();
  if (!split_) return Fault(FaultCode::kInternal, "a run was finished before it was split");
  for (const elt::Partition& partition : split_->partitions) {
    const std::lock_guard lock(mutex_);
    if (done_.contains(partition.id)) continue;
    return Fault(FaultCode::kInternal,
                 fmt::format("a run was finished without partition \"{}\"", partition.id));
  }
  LEVADA_FAILPOINT(ctx, "finish.before_intent");
  Status finished;
  for (int tries = 1;; ++tries) {
    finished = FinishOnce(ctx);
    const FaultCode code = finished.ok() ? FaultCode::kInternal : CodeOf(finished);
    const bool again = code == FaultCode::kTargetConnectionLost ||
                       code == FaultCode::kTargetUnreachable || code == FaultCode::kTargetBusy;
    if (!again || tries == kFinishAttempts || !elt::WaitOut(ctx, kFinishPause)) break;
    ctx.log->Warning("the run could not be finished, will try again",
                     {{"window", hold_->key().label}, {"error", finished.message()}});
  }
  ARROW_RETURN_NOT_OK(finished);
  LEVADA_FAILPOINT(ctx, "finish.manifest_written");
  committed_ = true;
  return Status::OK();
}

Status TableRun::Discard(Context& ctx, const elt::Attempt& attempt) {
  LEVADA_FAILPOINT(ctx, "discard.before_remove");
  ARROW_RETURN_NOT_OK(CheckHeld(attempt));
  return hold_->Transact(ctx, [&](pq::Connection& connection) -> Status {
    const int revision = split_ ? split_->revision : 0;
    ARROW_ASSIGN_OR_RAISE(const auto committed, CommittedAttempt(ctx, connection, hold_->key(),
                                                                 revision, attempt.partition->id));
    if (committed == attempt.attempt_id) return Status::OK();
    ARROW_ASSIGN_OR_RAISE(const auto stages,
                          ListStages(ctx, connection, plan_.table, hold_->stages(),
                                     hold_->stages().AttemptPrefix(attempt.attempt_id)));
    return DropStages(ctx, connection, plan_.table, hold_->stages(), stages);
  });
}

Status TableRun::Abandon(Context& ctx) {
  if (!split_ || committed_) {
    return Fault(FaultCode::kInternal, "a run was given up that is not begun, or is committed");
  }
  ARROW_RETURN_NOT_OK(hold_->Transact(
      ctx, [&](pq::Connection& connection) { return GiveUp(ctx, connection, *split_); }));
  split_.reset();
  published_.pending.reset();
  const std::lock_guard lock(mutex_);
  done_.clear();
  return Status::OK();
}

/// What an earlier process left.
class Recovery {
 public:
  Recovery(Context& ctx, RunHold& hold, const LoadPlan& plan, bool table_was_there,
           const elt::RunInstance& run)
      : ctx_(ctx), hold_(hold), plan_(plan), table_was_there_(table_was_there), run_(run) {}

  Result<RunState> Run() {
    ARROW_ASSIGN_OR_RAISE(RunState state, ReadRunState(ctx_, hold_.connection(), hold_.key()));
    if (!state.damage.ok()) {
      if (!run_.replace) return state.damage;
      state = WithoutDamage(std::move(state));
    }
    const bool visible = state.split && !plan_.StagesAll(*state.split) && !state.records.empty();
    if (visible && !table_was_there_ && !run_.replace) return TableGone();
    ARROW_RETURN_NOT_OK(hold_.Transact(ctx_, [&](pq::Connection& connection) -> Status {
      if (state.split && plan_.StagesAll(*state.split)) {
        ARROW_RETURN_NOT_OK(DropLost(connection, state));
      }
      return Sweep(connection, state);
    }));
    return state;
  }

 private:
  // What can be read of it says which rows are the run's own, and that is all a replacement needs.
  static RunState WithoutDamage(RunState state) {
    state.damage = Status::OK();
    state.records.clear();
    return state;
  }

  Status TableGone() const {
    return Fault(FaultCode::kTargetFileMissing,
                 fmt::format("table {} was dropped while run \"{}\" was half published",
                             plan_.table.Written(), hold_.key().label))
        .With("table", plan_.table.Written())
        .Help("restore it, or run with --replace to begin the run anew");
  }

  // Partitions whose staged rows did not outlive a crash of the server are done again.
  Status DropLost(pq::Connection& connection, RunState& state) {
    for (auto record = state.records.begin(); record != state.records.end();) {
      bool whole = true;
      for (const elt::Receipt& receipt : record->second.receipts) {
        const std::string stage = hold_.stages().Of(record->second.attempt_id, receipt.slice);
        ARROW_ASSIGN_OR_RAISE(
            const int64_t rows,
            CountStage(ctx_, connection, plan_, hold_.stages(), stage, /*check_slice=*/false));
        whole &= rows == receipt.rows;
      }
      if (whole) {
        ++record;
        continue;
      }
      ctx_.log->Warning("staged rows of a partition are gone, it will be done again",
                        {{"window", hold_.key().label}, {"partition", record->first}});
      ARROW_RETURN_NOT_OK(
          DropCommit(ctx_, connection, hold_.key(), state.split->revision, record->first));
      record = state.records.erase(record);
    }
    return Status::OK();
  }

  Status Sweep(pq::Connection& connection, const RunState& state) {
    ARROW_ASSIGN_OR_RAISE(auto stages, ListStages(ctx_, connection, plan_.table, hold_.stages(),
                                                  hold_.stages().RunPrefix()));
    std::erase_if(stages, [&](const std::string& stage) {
      return state.split && std::ranges::any_of(state.records, [&](const auto& record) {
               return stage.starts_with(hold_.stages().AttemptPrefix(record.second.attempt_id));
             });
    });
    return DropStages(ctx_, connection, plan_.table, hold_.stages(), stages);
  }

  Context& ctx_;
  RunHold& hold_;
  const LoadPlan& plan_;
  const bool table_was_there_;
  const elt::RunInstance& run_;
};

// Serves one start at a time: two that make one table at once would meet in the catalog.
constexpr const char* kMaking =
    "select pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended($1, 7203911))";

}  // namespace

Result<std::unique_ptr<elt::TargetRun>> BeginTableRun(Context& ctx, const LoaderOptions& options,
                                                      const elt::RunInstance& run,
                                                      const elt::BoundTarget& bound,
                                                      Random& random) {
  TargetTable table;
  {
    ARROW_ASSIGN_OR_RAISE(auto connection, OpenTarget(ctx, options));
    ARROW_ASSIGN_OR_RAISE(table, FindTargetTable(ctx, *connection, options));
  }
  ARROW_ASSIGN_OR_RAISE(auto hold,
                        RunHold::Take(ctx, options, {table.name, run.pipeline, run.Label()}));
  LEVADA_FAILPOINT(ctx, "fence.acquired");
  pq::Connection& connection = hold->connection();
  LoadPlan plan;
  bool was_there = false;
  ARROW_RETURN_NOT_OK(InTransaction(ctx, connection, table.name, [&]() -> Status {
    ARROW_RETURN_NOT_OK(Ask(ctx, connection, table.name, "cannot lock the records of", kMaking,
                            {"levada records of " + table.name.schema}));
    ARROW_ASSIGN_OR_RAISE(table, FindTargetTable(ctx, connection, options));
    was_there = table.exists;
    ARROW_ASSIGN_OR_RAISE(plan, PlanLoad(options, table, *bound.schema, run));
    if (!plan.create.empty()) {
      ARROW_RETURN_NOT_OK(Ask(ctx, connection, table.name, "cannot create", plan.create));
    }
    ARROW_ASSIGN_OR_RAISE(const bool has_records, HasRecordTables(ctx, connection, table.name));
    if (!has_records) ARROW_RETURN_NOT_OK(CreateRecordTables(ctx, connection, table.name));
    return hold->Raise(ctx, random);
  }));
  LEVADA_FAILPOINT(ctx, "fence.generation_written");
  ARROW_ASSIGN_OR_RAISE(RunState state, Recovery(ctx, *hold, plan, was_there, run).Run());
  return std::make_unique<TableRun>(options, run, bound, std::move(plan), std::move(hold),
                                    std::move(state));
}

}  // namespace levada::postgres
