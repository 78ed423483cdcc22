#include "connectors/parquet/lake_run.h"

#include <arrow/util/thread_pool.h>
#include <fmt/format.h>

#include <map>
#include <mutex>
#include <set>
#include <utility>
#include <vector>

#include "base/failpoint.h"
#include "base/log.h"
#include "connectors/parquet/dataset.h"
#include "connectors/parquet/lake_layout.h"
#include "connectors/parquet/lake_publish.h"
#include "connectors/parquet/lake_recovery.h"
#include "connectors/parquet/lake_state.h"
#include "connectors/parquet/lake_switch.h"
#include "connectors/parquet/read_back.h"
#include "connectors/parquet/slice_load.h"
#include "elt/recorded_split.h"

namespace levada::parquet {
namespace {

class LakeRun final : public elt::TargetRun {
 public:
  LakeRun(LakeRunInput input, Fence fence, Recovered recovered,
          std::shared_ptr<arrow::internal::ThreadPool> encoders)
      : place_(std::move(input.place)),
        names_(std::move(input.names)),
        run_(std::move(input.run)),
        bound_(std::move(input.bound)),
        threads_(input.threads),
        fence_(std::move(fence)),
        lake_(std::move(recovered.state)),
        encoders_(std::move(encoders)) {
    published_ = Compose(lake_, run_.pipeline, names_);
    published_.generation = fence_.generation();
    // The finish of this very run was decided by an earlier process and completed just now: for its
    // successor there is nothing left but to hear so from Finish. A whole-table run that was
    // committed back then is done; what comes now replaces it.
    const bool ours = lake_.split && lake_.split->plan_hash == run_.plan_hash;
    const bool kept = recovered.committed_now || !run_.IsWrittenEachTime();
    if (recovered.finished_now && ours && kept) {
      published_.pending = lake_.split;
      committed_ = true;
      for (const auto& record : lake_.manifest->partitions) {
        done_.emplace(record.partition, record);
      }
    } else if (lake_.Pending()) {
      done_ = lake_.records;
    }
  }

  int64_t generation() const override { return fence_.generation(); }
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
  Status CheckHeld(Context& ctx, const elt::Attempt& attempt) const;
  Status CheckNewSplit(const elt::SplitRecord& split) const;
  Status AdoptSplit(elt::SplitRecord split);
  Status CheckStaged(Context& ctx, const elt::PartitionRecord& record);
  Status Commit(Context& ctx, const elt::PartitionRecord& record);
  Status CheckNotUndone(const elt::Attempt& attempt) const;
  Status UndoPending(Context& ctx, const std::string& partition, const std::string& attempt_id);
  Status RemoveStaged(Context& ctx, const std::string& attempt_id,
                      const std::vector<std::string>& paths);
  Manifest MakeManifest(Context& ctx) const;

  const std::shared_ptr<places::Place> place_;
  const LakeNames names_;
  const elt::RunInstance run_;
  const elt::BoundTarget bound_;
  const int threads_;
  const Fence fence_;
  LakeState lake_;  // as recovered; `split` is replaced by RecordSplit
  elt::PublishedRun published_;
  const std::shared_ptr<arrow::internal::ThreadPool> encoders_;  // null: encode where Load runs

  LakeLayout layout_;      // of the recorded split
  bool recorded_ = false;  // RecordSplit was called
  bool committed_ = false;

  mutable std::mutex mutex_;      // guards what follows; never held over I/O
  elt::SchemaPtr loaded_schema_;  // the same for every Load
  std::map<std::string, elt::PartitionRecord> done_;
  // Publications that failed after their intent may have been written: partition -> intent.
  std::map<std::string, PublishIntent> broken_;
  std::set<std::string> undone_;                         // attempts of those, taken back
  std::map<std::string, std::set<std::string>> staged_;  // attempt -> staged names
};

Status LakeRun::CheckHeld(Context& ctx, const elt::Attempt& attempt) const {
  if (attempt.generation != fence_.generation()) {
    return Fault(FaultCode::kFenced,
                 fmt::format("attempt {} was made under generation {}, got {}", attempt.attempt_id,
                             attempt.generation, fence_.generation()));
  }
  return fence_.Check(ctx);
}

Status LakeRun::CheckNewSplit(const elt::SplitRecord& split) const {
  ARROW_RETURN_NOT_OK(elt::CheckSplitOfRun(run_, names_.label(), split));
  for (const elt::Partition& partition : split.partitions) {
    ARROW_RETURN_NOT_OK(CheckPartitionId(partition.id));
  }
  return Status::OK();
}

Status LakeRun::AdoptSplit(elt::SplitRecord split) {
  // Nothing is written any more for a run that is committed.
  if (!committed_) {
    auto layout = LakeLayout::FromJson(split.writer);
    if (!layout.ok()) {
      return CorruptRecord(*place_, names_.Split(), layout.status(), WriteAnew(names_));
    }
    layout_ = std::move(*layout);
  }
  lake_.split = split;
  published_.pending = std::move(split);
  recorded_ = true;
  return Status::OK();
}

Result<elt::SplitRecord> LakeRun::RecordSplit(Context& ctx, const elt::SplitRecord& split) {
  ARROW_RETURN_NOT_OK(fence_.Check(ctx));
  ARROW_RETURN_NOT_OK(CheckNewSplit(split));
  if (published_.pending) {
    const elt::SplitRecord pending = *published_.pending;
    const bool same_plan = pending.plan_hash == split.plan_hash;
    if (same_plan && pending.schema == split.schema) {
      const Status adopted = AdoptSplit(pending);
      // What another build began is given up like what another plan did.
      if (adopted.ok()) return pending;
      if (!run_.replace) return adopted;
    } else if (!run_.replace) {
      return elt::RefuseOtherSplit(pending, split);
    }
    if (!committed_) ARROW_RETURN_NOT_OK(AbandonSplit(ctx, *place_, names_, lake_));
  }
  elt::SplitRecord record = split;
  record.revision = lake_.manifest ? lake_.manifest->revision + 1 : 0;
  if (record.writer.empty()) record.writer = bound_.frozen;
  ARROW_RETURN_NOT_OK(
      place_->WriteRecord(ctx, names_.Split(), record.ToJson(), places::Expectation::Anything()));
  LEVADA_FAILPOINT(ctx, "split.recorded");
  committed_ = false;
  done_.clear();
  published_.partitions.clear();
  ARROW_RETURN_NOT_OK(AdoptSplit(record));
  return record;
}

Result<elt::Receipt> LakeRun::Load(Context& ctx, const elt::Attempt& attempt,
                                   elt::BatchStream& stream) {
  ARROW_RETURN_NOT_OK(CheckHeld(ctx, attempt));
  if (!recorded_ || elt::FindPartition(*lake_.split, attempt.partition->id) == nullptr) {
    return Fault(FaultCode::kInternal, fmt::format("partition \"{}\" is not in the recorded split",
                                                   attempt.partition->id));
  }
  {
    const std::lock_guard lock(mutex_);
    loaded_schema_ = stream.schema();
  }
  std::vector<std::string> staged;
  SliceTarget target;
  target.place = place_.get();
  target.names = &names_;
  target.layout = &layout_;
  target.attempt = &attempt;
  target.revision = lake_.split->revision;
  target.executor = encoders_.get();
  target.threads = threads_;
  target.on_staged = [&](const std::string& path) {
    staged.push_back(path);
    const std::lock_guard lock(mutex_);
    staged_[attempt.attempt_id].insert(path);
  };
  auto receipt = LoadSlice(ctx, target, stream);
  if (receipt.ok()) return receipt;
  const Status removed = RemoveStaged(ctx, attempt.attempt_id, staged);
  if (!removed.ok()) {
    ctx.log->Debug("staged files of a failed load were left for the next start",
                   {{"attempt", attempt.attempt_id}, {"error", removed.ToString()}});
  }
  return receipt;
}

Result<std::unique_ptr<elt::BatchStream>> LakeRun::ReadBack(Context& ctx,
                                                            const elt::Attempt& attempt,
                                                            const elt::Receipt& receipt) {
  ARROW_RETURN_NOT_OK(CheckHeld(ctx, attempt));
  elt::SchemaPtr schema;
  {
    const std::lock_guard lock(mutex_);
    schema = loaded_schema_;
  }
  return ReadStagedFiles(ctx, place_, layout_, std::move(schema), receipt);
}

// Everything staged is there, and no final name is taken by a file that is not ours.
Status LakeRun::CheckStaged(Context& ctx, const elt::PartitionRecord& record) {
  ARROW_ASSIGN_OR_RAISE(const auto placements, PlacementsOf(record));
  for (const Placement& placement : placements) {
    ARROW_ASSIGN_OR_RAISE(const auto staged, place_->Size(ctx, placement.staged));
    if (staged != placement.bytes) {
      return Fault(FaultCode::kTargetFileMissing,
                   fmt::format("staged file \"{}\": expected {} bytes, {}",
                               place_->Location(placement.staged), placement.bytes,
                               staged ? fmt::format("got {}", *staged) : "it is not there"))
          .With("path", place_->Location(placement.staged))
          .Help("something else removes files below this directory; run again");
    }
    ARROW_ASSIGN_OR_RAISE(const auto taken, place_->Size(ctx, placement.path));
    if (taken) {
      return Fault(FaultCode::kForeignTarget,
                   fmt::format("file \"{}\" exists and no record names it",
                               place_->Location(placement.path)))
          .With("path", place_->Location(placement.path))
          .Help("move the file away and run again");
    }
  }
  return Status::OK();
}

Status LakeRun::Publish(Context& ctx, const elt::Attempt& attempt,
                        std::span<const elt::Receipt> receipts) {
  LEVADA_FAILPOINT(ctx, "publish.before_intent");
  ARROW_RETURN_NOT_OK(CheckHeld(ctx, attempt));
  const std::string& id = attempt.partition->id;
  bool done = false, broken = false;
  {
    const std::lock_guard lock(mutex_);
    const auto found = done_.find(id);
    done = found != done_.end();
    if (done && found->second.attempt_id == attempt.attempt_id) return Status::OK();
    broken = broken_.contains(id);
  }
  // An earlier attempt was committed and its answer got lost: the partition stays as it is.
  if (done) return Discard(ctx, attempt);
  // A failed sync may have lost what it should have kept, and the next one would not say so: what
  // was begun is never gone on with in this process.
  if (broken) ARROW_RETURN_NOT_OK(UndoPending(ctx, id, ""));
  ARROW_RETURN_NOT_OK(CheckNotUndone(attempt));
  ARROW_ASSIGN_OR_RAISE(const elt::PartitionRecord record,
                        elt::RecordOf(*lake_.split, fence_.generation(), attempt, receipts));
  ARROW_RETURN_NOT_OK(CheckStaged(ctx, record));
  {
    const std::lock_guard lock(mutex_);
    broken_[id] = PublishIntent{record};  // until it is whole
  }
  ARROW_RETURN_NOT_OK(Commit(ctx, record));
  {
    const std::lock_guard lock(mutex_);
    broken_.erase(id);
    staged_.erase(attempt.attempt_id);
    done_[id] = record;
  }
  LEVADA_FAILPOINT(ctx, "publish.recorded");
  return lake_.StagesAll() ? Status::OK() : ClosePublication(ctx, *place_, names_, id);
}

// From checked staged files to a durable partition record.
Status LakeRun::Commit(Context& ctx, const elt::PartitionRecord& record) {
  if (!lake_.StagesAll()) {
    const PublishIntent intent{record};
    ARROW_RETURN_NOT_OK(BeginPublication(ctx, *place_, names_, intent));
    return CompletePublication(ctx, *place_, names_, intent);
  }
  // Nothing becomes visible before the switch; the staged files are durable already.
  LEVADA_FAILPOINT(ctx, "publish.before_record");
  return place_->WriteRecord(ctx, names_.Partition(record.partition), record.ToJson(),
                             places::Expectation::Anything());
}

// With `attempt_id` only when it is that attempt's.
Status LakeRun::UndoPending(Context& ctx, const std::string& partition,
                            const std::string& attempt_id) {
  PublishIntent intent;
  {
    const std::lock_guard lock(mutex_);
    const auto found = broken_.find(partition);
    if (found == broken_.end()) return Status::OK();
    if (!attempt_id.empty() && found->second.record.attempt_id != attempt_id) return Status::OK();
    intent = found->second;
  }
  ARROW_RETURN_NOT_OK(UndoPublication(ctx, *place_, names_, intent));
  const std::lock_guard lock(mutex_);
  undone_.insert(intent.record.attempt_id);
  broken_.erase(partition);
  return Status::OK();
}

Status LakeRun::CheckNotUndone(const elt::Attempt& attempt) const {
  const std::lock_guard lock(mutex_);
  if (!undone_.contains(attempt.attempt_id)) return Status::OK();
  return Fault(FaultCode::kTargetIo,
               fmt::format("attempt {} at partition \"{}\" was taken back when its publication "
                           "failed, it has to be loaded again",
                           attempt.attempt_id, attempt.partition->id));
}

Status LakeRun::RemoveStaged(Context& ctx, const std::string& attempt_id,
                             const std::vector<std::string>& paths) {
  for (const std::string& path : paths) {
    // There may be thousands, and a stop waits for none of them: Begin sweeps what is left.
    ARROW_RETURN_NOT_OK(ctx.Check());
    ARROW_RETURN_NOT_OK(place_->Remove(ctx, path));
    const std::lock_guard lock(mutex_);
    const auto found = staged_.find(attempt_id);
    if (found != staged_.end()) found->second.erase(path);
  }
  return PruneDirectoriesOf(ctx, *place_, paths);
}

Status LakeRun::Discard(Context& ctx, const elt::Attempt& attempt) {
  LEVADA_FAILPOINT(ctx, "discard.before_remove");
  ARROW_RETURN_NOT_OK(CheckHeld(ctx, attempt));
  ARROW_RETURN_NOT_OK(UndoPending(ctx, attempt.partition->id, attempt.attempt_id));
  std::vector<std::string> paths;
  {
    const std::lock_guard lock(mutex_);
    const auto found = staged_.find(attempt.attempt_id);
    if (found != staged_.end()) paths.assign(found->second.begin(), found->second.end());
  }
  ARROW_RETURN_NOT_OK(RemoveStaged(ctx, attempt.attempt_id, paths));
  const std::lock_guard lock(mutex_);
  staged_.erase(attempt.attempt_id);
  return Status::OK();
}

Status LakeRun::Abandon(Context& ctx) {
  ARROW_RETURN_NOT_OK(fence_.Check(ctx));
  if (!recorded_ || committed_) {
    return Fault(FaultCode::kInternal, "a run was given up that is not begun, or is committed");
  }
  {
    const std::lock_guard lock(mutex_);
    lake_.records = done_;
    done_.clear();
  }
  ARROW_RETURN_NOT_OK(AbandonSplit(ctx, *place_, names_, lake_));
  recorded_ = false;
  lake_.split.reset();
  published_.pending.reset();
  return Status::OK();
}

Manifest LakeRun::MakeManifest(Context& ctx) const {
  const elt::SplitRecord& split = *lake_.split;
  Manifest manifest;
  manifest.pipeline = split.pipeline;
  manifest.label = split.label;
  manifest.window = split.window;
  manifest.increment = split.increment;
  manifest.plan_hash = split.plan_hash;
  manifest.schema = split.schema;
  manifest.snapshot = split.snapshot;
  manifest.writer = split.writer;
  manifest.revision = split.revision;
  manifest.generation = fence_.generation();
  manifest.begun_at = split.created_at;
  manifest.finished_at = FormatTimestamp(ctx.clock->Now());
  const std::lock_guard lock(mutex_);
  for (const elt::Partition& partition : split.partitions) {
    manifest.partitions.push_back(done_.at(partition.id));
  }
  return manifest;
}

Status LakeRun::Finish(Context& ctx) {
  ARROW_RETURN_NOT_OK(fence_.Check(ctx));
  if (committed_) return Status::OK();
  if (!recorded_) return Fault(FaultCode::kInternal, "a run was finished before it was split");
  for (const elt::Partition& partition : lake_.split->partitions) {
    const std::lock_guard lock(mutex_);
    if (done_.contains(partition.id)) continue;
    return Fault(FaultCode::kInternal,
                 fmt::format("a run was finished without partition \"{}\"", partition.id));
  }
  LEVADA_FAILPOINT(ctx, "finish.before_intent");
  SwitchIntent intent{MakeManifest(ctx)};
  if (!lake_.StagesAll()) {
    for (auto& record : intent.manifest.partitions) {
      ARROW_ASSIGN_OR_RAISE(record, Published(std::move(record)));
    }
    ARROW_ASSIGN_OR_RAISE(const auto placements, PlacementsOf(intent.manifest.partitions));
    ARROW_RETURN_NOT_OK(CheckVisible(ctx, *place_, names_, placements));
  } else {
    if (lake_.manifest) {
      ARROW_ASSIGN_OR_RAISE(const auto old, PlacementsOf(lake_.manifest->partitions));
      for (const Placement& placement : old) intent.manifest.replaces.push_back(placement.path);
    }
    ARROW_ASSIGN_OR_RAISE(const auto placements, PlacementsOf(intent.manifest.partitions));
    ARROW_ASSIGN_OR_RAISE(const bool whole, AllThere(ctx, *place_, placements));
    if (!whole) {
      return Fault(FaultCode::kTargetFileMissing, "staged files of this run are gone")
          .Help("something else removes files below this directory; run again");
    }
  }
  ARROW_RETURN_NOT_OK(BeginSwitch(ctx, *place_, names_, intent));
  ARROW_RETURN_NOT_OK(fence_.Check(ctx));
  ARROW_RETURN_NOT_OK(CompleteSwitch(ctx, *place_, names_, intent, lake_.manifest_tag));
  committed_ = true;
  return Status::OK();
}

Result<std::shared_ptr<arrow::internal::ThreadPool>> MakeEncoders(int threads) {
  if (threads <= 1) return nullptr;
  return arrow::internal::ThreadPool::Make(threads - 1);
}

}  // namespace

Result<std::unique_ptr<elt::TargetRun>> BeginLakeRun(Context& ctx, LakeRunInput input,
                                                     Random& random) {
  places::Place& place = *input.place;
  ARROW_RETURN_NOT_OK(CheckForeign(ctx, place, input.run.pipeline));
  ARROW_ASSIGN_OR_RAISE(Fence fence, Fence::Acquire(ctx, place, input.names));
  LEVADA_FAILPOINT(ctx, "fence.acquired");
  ARROW_RETURN_NOT_OK(ClaimDataset(ctx, place, input.run.pipeline));
  ARROW_ASSIGN_OR_RAISE(
      const LakeState found,
      ReadLakeState(ctx, place, input.names, input.run.pipeline, AllowedDamage(input.run)));
  ARROW_RETURN_NOT_OK(fence.Raise(ctx, found.HighestGeneration(), random));
  LEVADA_FAILPOINT(ctx, "fence.generation_written");
  ARROW_ASSIGN_OR_RAISE(Recovered recovered,
                        Recover(ctx, place, input.names, input.run, input.bound.frozen));
  ARROW_ASSIGN_OR_RAISE(auto encoders, MakeEncoders(input.threads));
  return std::make_unique<LakeRun>(std::move(input), std::move(fence), std::move(recovered),
                                   std::move(encoders));
}

}  // namespace levada::parquet
