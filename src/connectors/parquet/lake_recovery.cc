#include "connectors/parquet/lake_recovery.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "base/log.h"
#include "connectors/parquet/found_files.h"
#include "connectors/parquet/hive.h"
#include "connectors/parquet/lake_layout.h"
#include "connectors/parquet/lake_publish.h"
#include "connectors/parquet/lake_switch.h"
#include "os/disk.h"

namespace levada::parquet {
namespace {

// Removes staged files of this run that nobody claims.
class Sweeper {
 public:
  /// `is_first`: no record of the run is there, so no file of it may be.
  Sweeper(Context& ctx, places::Place& place, const LakeNames& names, std::set<std::string> claimed,
          bool is_first)
      : ctx_(ctx),
        place_(place),
        names_(names),
        claimed_(std::move(claimed)),
        is_first_(is_first) {}

  Status Sweep(const std::string& directory, std::span<const std::string> columns) {
    ARROW_ASSIGN_OR_RAISE(const auto entries, place_.List(ctx_, directory));
    bool removed = false;
    for (const places::PlaceEntry& entry : entries) {
      const std::string path = os::JoinPath(directory, entry.name);
      if (entry.is_directory) {
        const bool partition =
            !columns.empty() && entry.name.starts_with(EscapeHive(columns.front()) + "=");
        if (partition) ARROW_RETURN_NOT_OK(Sweep(path, columns.subspan(1)));
        continue;
      }
      if (is_first_ && names_.RevisionOfDataFile(entry.name)) return Unrecorded(path);
      const std::string& staged = entry.staged.empty() ? path : entry.staged;
      if (!names_.IsStaged(entry.name) || claimed_.contains(staged)) continue;
      ctx_.log->Debug("removing what a dead attempt staged", {{"path", path}});
      ARROW_RETURN_NOT_OK(place_.Remove(ctx_, staged));
      removed = true;
    }
    return removed ? place_.Prune(ctx_, directory) : Status::OK();
  }

 private:
  // Its rows would be there twice.
  Status Unrecorded(const std::string& path) const {
    return Fault(FaultCode::kForeignTarget,
                 fmt::format("file \"{}\" has a name of run \"{}\", of which there is no record",
                             place_.Location(path), names_.label()))
        .With("path", place_.Location(path))
        .With("window", names_.label())
        .Help(
            "restore the records in _levada from a backup, or delete the run's files, named "
            "part-" +
            names_.label() + "-..., and run again");
  }

  Context& ctx_;
  places::Place& place_;
  const LakeNames& names_;
  const std::set<std::string> claimed_;
  const bool is_first_;
};

class Recovery {
 public:
  Recovery(Context& ctx, places::Place& place, const LakeNames& names, const elt::RunInstance& run)
      : ctx_(ctx), place_(place), names_(names), run_(run) {}

  Result<Recovered> Run(const std::string& layout) {
    ARROW_RETURN_NOT_OK(Reread());
    ARROW_RETURN_NOT_OK(NoteLayouts(layout));
    if (state_.abandon) ARROW_RETURN_NOT_OK(FinishAbandon());
    if (state_.switch_intent) ARROW_RETURN_NOT_OK(FinishSwitch());
    ARROW_RETURN_NOT_OK(FinishPublications());
    ARROW_RETURN_NOT_OK(CheckPending());
    ARROW_RETURN_NOT_OK(SweepLeftovers());
    if (!state_.manifest_damage.ok()) ARROW_RETURN_NOT_OK(FindReplaced());
    return Recovered{std::move(state_), finished_now_, committed_now_};
  }

 private:
  Status Reread() {
    return ReadLakeState(ctx_, place_, names_, run_.pipeline, AllowedDamage(run_)).Value(&state_);
  }

  Status NoteLayouts(const std::string& coming) {
    ARROW_ASSIGN_OR_RAISE(layouts_.emplace_back(), LakeDirectories::FromJson(coming));
    if (!state_.split) return Status::OK();
    auto recorded = LakeDirectories::FromJson(state_.split->writer);
    if (!recorded.ok()) return CorruptRecord(place_, names_.Split(), recorded.status());
    layouts_.push_back(std::move(*recorded));
    return Status::OK();
  }

  Status FinishAbandon();

  Status FinishSwitch() {
    const SwitchIntent intent = *state_.switch_intent;
    const int revision = intent.manifest.revision;
    // The intent holds the whole manifest, so a damaged one is written again from it.
    const bool is_read = state_.manifest && state_.manifest_damage.ok();
    const int finished = is_read ? state_.manifest->revision : -1;
    if (revision < finished) {
      // Its removal did not survive a power loss; the run it finished is long replaced.
      ARROW_RETURN_NOT_OK(place_.Remove(ctx_, names_.Switch()));
      return Reread();
    }
    if (!state_.split || state_.split->revision != revision) {
      return CorruptRecord(
          place_, names_.Switch(),
          Fault(FaultCode::kManifestCorrupt,
                fmt::format("it finishes revision {}, which no split record knows", revision)));
    }
    ARROW_ASSIGN_OR_RAISE(const auto placements, PlacementsOf(intent.manifest.partitions));
    ARROW_ASSIGN_OR_RAISE(const bool whole, AllThere(ctx_, place_, placements));
    if (revision == finished || whole) {
      ctx_.log->Info("completing the finish of an earlier process", {{"window", names_.label()}});
      ARROW_RETURN_NOT_OK(CompleteSwitch(ctx_, place_, names_, intent, state_.manifest_tag));
      finished_now_ = true;
      committed_now_ = revision > finished;
    } else {
      ctx_.log->Warning("a finish cannot be completed, staged files are gone",
                        {{"window", names_.label()}});
      ARROW_RETURN_NOT_OK(UndoSwitch(ctx_, place_, names_, intent));
    }
    return Reread();
  }

  Status FinishPublications() {
    for (const std::string& path : state_.stale_intents) {
      ARROW_RETURN_NOT_OK(place_.Remove(ctx_, path));
    }
    if (state_.intents.empty()) return Status::OK();
    for (const auto& [id, intent] : state_.intents) {
      ARROW_RETURN_NOT_OK(FinishPublication(id, intent));
    }
    return Reread();
  }

  Status FinishPublication(const std::string& id, const PublishIntent& intent) {
    const auto record = state_.records.find(id);
    if (record != state_.records.end()) {
      if (record->second.attempt_id == intent.record.attempt_id) {
        return ClosePublication(ctx_, place_, names_, id);
      }
      // Another attempt has the partition: the final names are its own.
      ARROW_ASSIGN_OR_RAISE(const auto placements, PlacementsOf(intent.record));
      for (const Placement& placement : placements) {
        if (placement.staged.empty()) continue;
        ARROW_RETURN_NOT_OK(place_.Remove(ctx_, placement.staged));
      }
      return ClosePublication(ctx_, place_, names_, id);
    }
    ARROW_ASSIGN_OR_RAISE(const auto placements, PlacementsOf(intent.record));
    ARROW_ASSIGN_OR_RAISE(const bool whole, AllThere(ctx_, place_, placements));
    if (!whole) return UndoPublication(ctx_, place_, names_, intent);
    ARROW_RETURN_NOT_OK(CompletePublication(ctx_, place_, names_, intent));
    return ClosePublication(ctx_, place_, names_, id);
  }

  Status CheckPending() {
    if (!state_.Pending()) return Status::OK();
    std::vector<std::string> undone;
    for (const auto& [id, record] : state_.records) {
      ARROW_ASSIGN_OR_RAISE(const auto placements, PlacementsOf(record));
      if (state_.StagesAll()) {
        ARROW_ASSIGN_OR_RAISE(const bool whole, AllThere(ctx_, place_, placements));
        if (whole) continue;
      } else {
        const Status visible = CheckVisible(ctx_, place_, names_, placements);
        if (visible.ok()) continue;
        if (!run_.replace || CodeOf(visible) != FaultCode::kTargetFileMissing) return visible;
        // The intent first: a crash while undoing must find what to go on with.
        ARROW_RETURN_NOT_OK(BeginPublication(ctx_, place_, names_, PublishIntent{record}));
      }
      ctx_.log->Warning("files of a partition are gone, it will be done again",
                        {{"window", names_.label()}, {"partition", id}});
      ARROW_RETURN_NOT_OK(UndoPublication(ctx_, place_, names_, PublishIntent{record}));
      undone.push_back(id);
    }
    return undone.empty() ? Status::OK() : Reread();
  }

  Status SweepLeftovers() {
    std::set<std::string> claimed;
    for (const auto& [id, record] : state_.records) {
      ARROW_ASSIGN_OR_RAISE(const auto placements, PlacementsOf(record));
      for (const Placement& placement : placements) claimed.insert(placement.staged);
    }
    const bool is_first = !state_.split && !state_.manifest;
    Sweeper sweeper(ctx_, place_, names_, std::move(claimed), is_first);
    ARROW_RETURN_NOT_OK(sweeper.Sweep(names_.Records(), {}));
    for (const LakeDirectories& layout : layouts_) {
      ARROW_RETURN_NOT_OK(sweeper.Sweep(layout.directory, layout.partition_by));
    }
    return Status::OK();
  }

  // Gives the stand-in of a damaged manifest the files that the run is going to replace. They stay
  // visible until its switch, and so does the damaged manifest: a crash on the way leaves what was
  // there, and the next run with --replace finds the same again.
  Status FindReplaced() {
    ARROW_ASSIGN_OR_RAISE(FoundFiles found, FindFilesOf(ctx_, place_, names_, layouts_));
    ctx_.log->Warning("the manifest is damaged, the files to replace were found by their names",
                      {{"window", names_.label()}, {"files", std::to_string(found.paths.size())}});
    Manifest& stand_in = *state_.manifest;
    stand_in.revision = std::max(stand_in.revision, found.revision);
    elt::Receipt receipt;
    for (std::string& path : found.paths) receipt.files.emplace_back().path = std::move(path);
    elt::PartitionRecord record;
    record.receipts.push_back(std::move(receipt));
    stand_in.partitions.push_back(std::move(record));
    return Status::OK();
  }

  Context& ctx_;
  places::Place& place_;
  const LakeNames& names_;
  const elt::RunInstance& run_;
  LakeState state_;
  std::vector<LakeDirectories> layouts_;
  bool finished_now_ = false;
  bool committed_now_ = false;
};

// From a durable intent to no trace of the split.
Status CompleteAbandon(Context& ctx, places::Place& place, const LakeNames& names,
                       const AbandonIntent& intent) {
  std::vector<std::string> removed = intent.files;
  for (const std::string& path : intent.files) ARROW_RETURN_NOT_OK(place.Remove(ctx, path));
  ARROW_RETURN_NOT_OK(place.Settle(ctx, removed));
  ARROW_RETURN_NOT_OK(PruneDirectoriesOf(ctx, place, intent.files));
  std::vector<std::string> records;
  for (const std::string& id : intent.partitions) {
    records.push_back(names.Partition(id));
    records.push_back(names.Intent(id));
  }
  for (const std::string& path : records) ARROW_RETURN_NOT_OK(place.Remove(ctx, path));
  ARROW_RETURN_NOT_OK(place.Settle(ctx, records));
  // The split before the intent: without the intent the split is what it was.
  const std::vector<std::string> last = {names.Split(), names.Abandon()};
  for (const std::string& path : last) {
    ARROW_RETURN_NOT_OK(place.Remove(ctx, path));
    ARROW_RETURN_NOT_OK(place.Settle(ctx, last));
  }
  return Status::OK();
}

Status Recovery::FinishAbandon() {
  const AbandonIntent intent = *state_.abandon;
  if (state_.split && state_.split->revision != intent.revision) {
    ARROW_RETURN_NOT_OK(place_.Remove(ctx_, names_.Abandon()));
  } else {
    ARROW_RETURN_NOT_OK(CompleteAbandon(ctx_, place_, names_, intent));
  }
  return Reread();
}

}  // namespace

Result<Recovered> Recover(Context& ctx, places::Place& place, const LakeNames& names,
                          const elt::RunInstance& run, const std::string& layout) {
  return Recovery(ctx, place, names, run).Run(layout);
}

Status AbandonSplit(Context& ctx, places::Place& place, const LakeNames& names,
                    const LakeState& state) {
  AbandonIntent intent;
  intent.revision = state.split->revision;
  for (const auto& [id, record] : state.records) {
    intent.partitions.push_back(id);
    ARROW_ASSIGN_OR_RAISE(const auto placements, PlacementsOf(record));
    for (const Placement& placement : placements) {
      intent.files.push_back(placement.path);
      if (!placement.staged.empty()) intent.files.push_back(placement.staged);
    }
  }
  ARROW_RETURN_NOT_OK(
      place.WriteRecord(ctx, names.Abandon(), intent.ToJson(), places::Expectation::Anything()));
  return CompleteAbandon(ctx, place, names, intent);
}

}  // namespace levada::parquet
