#include "connectors/parquet/lake_state.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "connectors/parquet/lake_layout.h"

namespace levada::parquet {
namespace {

// While another process works on the run its records change between two of our reads.
constexpr int kReadTries = 4;

Status Missing(const places::Place& place, const std::string& path, const std::string& because,
               std::string_view way_out = kMoveAway) {
  return CorruptRecord(
      place, path,
      Fault(FaultCode::kManifestCorrupt, fmt::format("the file is missing, {}", because)), way_out);
}

Status CheckOwned(const places::Place& place, const std::string& path, const std::string& expected,
                  const std::string& found) {
  if (expected == found) return Status::OK();
  return Fault(FaultCode::kForeignTarget,
               fmt::format("\"{}\" belongs to pipeline \"{}\", not to \"{}\"", place.Location(path),
                           found, expected))
      .With("path", place.Location(path))
      .With("pipeline", found)
      .Help("give each pipeline a directory of its own");
}

Status CheckNamed(const places::Place& place, const std::string& path, const std::string& expected,
                  const std::string& found, std::string_view way_out = kMoveAway) {
  if (expected == found) return Status::OK();
  return CorruptRecord(
      place, path,
      Fault(FaultCode::kManifestCorrupt,
            fmt::format("expected the record of \"{}\", got that of \"{}\"", expected, found)),
      way_out);
}

Result<std::optional<Generation>> ReadGeneration(Context& ctx, places::Place& place,
                                                 const std::string& path) {
  ARROW_ASSIGN_OR_RAISE(const auto record, place.ReadRecord(ctx, path, kRecordBytesMax));
  if (!record) return std::nullopt;
  auto parsed = Generation::FromJson(record->content);
  if (parsed.ok()) return std::move(parsed).ValueUnsafe();
  // Written in place: after a crash in the middle of it empty, cut off, or zeros. Nothing is lost
  // with it, because the holder's id fences and every record carries its generation.
  if (!record->content.ends_with('}')) return std::nullopt;
  return FaultOf(CorruptRecord(place, path, parsed.status()))
      .Help("if no levada process works on this dataset, remove the file and run again")
      .ToStatus();
}

class StateReader {
 public:
  StateReader(Context& ctx, places::Place& place, const LakeNames& names,
              const std::string& pipeline, Damage damage)
      : ctx_(ctx), place_(place), names_(names), pipeline_(pipeline), damage_(damage) {}

  // nullopt: the records changed while they were read.
  Result<std::optional<LakeState>> Read() {
    LakeState state;
    std::string split_tag;
    ARROW_ASSIGN_OR_RAISE(state.split,
                          ReadParsed<elt::SplitRecord>(ctx_, place_, names_.Split(), &split_tag));
    // Of all records only the manifest can be done without: the files it named are found by name.
    const std::string way_out = "restore the file from a backup, or " + WriteAnew(names_);
    // The manifest before the intent of its Finish: a reader that sees the new manifest without
    // the intent may call the run finished.
    auto manifest =
        ReadParsed<Manifest>(ctx_, place_, names_.Manifest(), &state.manifest_tag, way_out);
    if (manifest.ok()) {
      state.manifest = std::move(*manifest);
    } else if (CodeOf(manifest.status()) != FaultCode::kManifestCorrupt) {
      return manifest.status();
    }
    ARROW_ASSIGN_OR_RAISE(state.switch_intent,
                          ReadParsed<SwitchIntent>(ctx_, place_, names_.Switch()));
    ARROW_ASSIGN_OR_RAISE(state.abandon, ReadParsed<AbandonIntent>(ctx_, place_, names_.Abandon()));
    ARROW_RETURN_NOT_OK(JudgeManifest(state, manifest.status(), way_out));
    ARROW_ASSIGN_OR_RAISE(state.generation, ReadGeneration(ctx_, place_, names_.Lock()));
    const Status partitions = ReadPartitions(state);
    // Partitions and the intent belong to the split they were read with; split and manifest alone
    // always fit.
    const bool split_is_lost = state.switch_intent && !state.split;
    if (state.Pending() || !partitions.ok() || split_is_lost) {
      ARROW_ASSIGN_OR_RAISE(const bool same, Unchanged(split_tag, state.manifest_tag));
      if (!same) return std::nullopt;
    }
    ARROW_RETURN_NOT_OK(partitions);
    if (split_is_lost) return Missing(place_, names_.Split(), "but a finish of the run has begun");
    ARROW_RETURN_NOT_OK(Judge(state));
    return state;
  }

 private:
  Status JudgeManifest(LakeState& state, Status damage, std::string_view way_out) const {
    if (state.manifest) {
      ARROW_RETURN_NOT_OK(
          CheckOwned(place_, names_.Manifest(), pipeline_, state.manifest->pipeline));
      damage =
          CheckNamed(place_, names_.Manifest(), names_.label(), state.manifest->label, way_out);
    }
    // Without the manifest that a run replaces nobody knows which files are the old ones.
    const int finished = state.manifest ? state.manifest->revision : -1;
    if (damage.ok() && state.split && state.split->revision > finished + 1) {
      damage = Missing(
          place_, names_.Manifest(),
          fmt::format("but the run was split to replace revision {}", state.split->revision - 1),
          way_out);
    }
    if (damage.ok()) return Status::OK();
    damage = FaultOf(damage).With("window", names_.label()).ToStatus();
    if (damage_ == Damage::kRefuse) return damage;
    Manifest stand_in;
    stand_in.pipeline = pipeline_;
    stand_in.label = names_.label();
    if (state.split) {
      stand_in.window = state.split->window;
      stand_in.increment = state.split->increment;
      stand_in.revision = state.split->revision;
    }
    if (state.switch_intent) {
      stand_in.revision = std::max(stand_in.revision, state.switch_intent->manifest.revision);
    }
    state.manifest = std::move(stand_in);
    state.manifest_damage = std::move(damage);
    return Status::OK();
  }

  Status ReadPartitions(LakeState& state) {
    if (!state.split && state.manifest) return Status::OK();
    ARROW_ASSIGN_OR_RAISE(const auto entries, place_.List(ctx_, names_.Records()));
    const bool pending = state.Pending();
    for (const places::PlaceEntry& entry : entries) {
      const auto name = ParsePartitionRecordName(entry.name);
      if (!name || entry.is_directory) continue;
      if (!state.split) {
        return Missing(place_, names_.Split(), "but partitions of the run are recorded");
      }
      if (!pending) continue;
      ARROW_RETURN_NOT_OK(name->is_intent ? ReadIntent(state, name->partition)
                                          : ReadPartition(state, name->partition));
    }
    return Status::OK();
  }

  Status ReadPartition(LakeState& state, const std::string& id) {
    const std::string path = names_.Partition(id);
    ARROW_ASSIGN_OR_RAISE(auto record, ReadParsed<elt::PartitionRecord>(ctx_, place_, path));
    if (!record) return Status::OK();
    ARROW_RETURN_NOT_OK(CheckNamed(place_, path, id, record->partition));
    const auto placements = PlacementsOf(*record);
    if (!placements.ok()) return CorruptRecord(place_, path, placements.status());
    if (record->revision == state.split->revision) {
      state.records.emplace(id, std::move(*record));
    }
    return Status::OK();
  }

  Status ReadIntent(LakeState& state, const std::string& id) {
    const std::string path = names_.Intent(id);
    ARROW_ASSIGN_OR_RAISE(auto intent, ReadParsed<PublishIntent>(ctx_, place_, path));
    if (!intent) return Status::OK();
    ARROW_RETURN_NOT_OK(CheckNamed(place_, path, id, intent->record.partition));
    if (intent->record.revision == state.split->revision) {
      state.intents.emplace(id, std::move(*intent));
    } else {
      state.stale_intents.push_back(path);
    }
    return Status::OK();
  }

  Result<bool> Unchanged(const std::string& split_tag, const std::string& manifest_tag) {
    ARROW_ASSIGN_OR_RAISE(const auto split,
                          place_.ReadRecord(ctx_, names_.Split(), kRecordBytesMax));
    ARROW_ASSIGN_OR_RAISE(const auto manifest,
                          place_.ReadRecord(ctx_, names_.Manifest(), kRecordBytesMax));
    return (split ? split->tag : "") == split_tag &&
           (manifest ? manifest->tag : "") == manifest_tag;
  }

  Status Judge(const LakeState& state) const {
    if (state.split) {
      ARROW_RETURN_NOT_OK(CheckOwned(place_, names_.Split(), pipeline_, state.split->pipeline));
      ARROW_RETURN_NOT_OK(CheckNamed(place_, names_.Split(), names_.label(), state.split->label));
      for (const elt::Partition& partition : state.split->partitions) {
        if (const Status named = CheckPartitionId(partition.id); !named.ok()) {
          return CorruptRecord(place_, names_.Split(), named);
        }
      }
    }
    return Status::OK();
  }

  Context& ctx_;
  places::Place& place_;
  const LakeNames& names_;
  const std::string& pipeline_;
  const Damage damage_;
};

// A switch publishes the files of a replacing run; until then all of them are staged.
Result<bool> IsSwitched(Context& ctx, places::Place& place, const LakeNames& names,
                        const elt::SplitRecord& split) {
  ARROW_ASSIGN_OR_RAISE(const auto begun, place.ReadRecord(ctx, names.Switch(), kRecordBytesMax));
  if (begun) return false;
  for (const elt::Partition& partition : split.partitions) {
    if (!CheckPartitionId(partition.id).ok()) continue;
    const auto record = ReadParsed<elt::PartitionRecord>(ctx, place, names.Partition(partition.id));
    if (!record.ok() || !*record || (*record)->revision != split.revision) continue;
    const auto placements = PlacementsOf(**record);
    if (!placements.ok() || placements->empty()) continue;
    ARROW_ASSIGN_OR_RAISE(const auto size, place.Size(ctx, placements->front().path));
    if (size) return true;
  }
  return false;
}

}  // namespace

std::string WriteAnew(const LakeNames& names) {
  if (names.label() == elt::RunInstance().Label()) {
    return "write the table anew with `levada run FILE --replace`";
  }
  return fmt::format("write this window anew with `levada run FILE --window {} --replace`",
                     names.label());
}

bool LakeState::Pending() const {
  if (!split) return false;
  if (!manifest || split->revision > manifest->revision) return true;
  return switch_intent && switch_intent->manifest.revision == manifest->revision;
}

int64_t LakeState::HighestGeneration() const {
  int64_t highest = generation ? generation->number : 0;
  if (manifest) highest = std::max(highest, manifest->generation);
  for (const auto& [id, record] : records) highest = std::max(highest, record.generation);
  for (const auto& [id, intent] : intents) highest = std::max(highest, intent.record.generation);
  return highest;
}

Result<LakeState> ReadLakeState(Context& ctx, places::Place& place, const LakeNames& names,
                                const std::string& pipeline, Damage damage) {
  for (int tries = 1;; ++tries) {
    ARROW_ASSIGN_OR_RAISE(auto state, StateReader(ctx, place, names, pipeline, damage).Read());
    if (state) return std::move(*state);
    if (tries == kReadTries) {
      return Fault(FaultCode::kTargetIo,
                   fmt::format("the records of run \"{}\" keep changing while they are read",
                               names.label()));
    }
  }
}

// A manifest has the rows of the split that it finishes. With a first split there is no other. A
// later one may have been cut otherwise and not be finished, so that an older run still shows.
Status FindVisibleRows(Context& ctx, places::Place& place, const LakeNames& names,
                       elt::PublishedRun& run) {
  run.window.reset();
  run.increment.reset();
  const auto split = ReadParsed<elt::SplitRecord>(ctx, place, names.Split());
  if (!split.ok() && CodeOf(split.status()) != FaultCode::kManifestCorrupt) return split.status();
  if (!split.ok() || !*split) return Status::OK();
  const elt::SplitRecord& last = **split;
  if (last.pipeline != run.pipeline || last.label != names.label()) return Status::OK();
  bool shows = last.revision == 0;
  if (!shows) {
    ARROW_ASSIGN_OR_RAISE(shows, IsSwitched(ctx, place, names, last));
  }
  if (!shows) return Status::OK();
  run.ShowRowsOf(last);
  return Status::OK();
}

elt::PublishedRun Compose(const LakeState& state, const std::string& pipeline,
                          const LakeNames& names) {
  elt::PublishedRun run;
  run.pipeline = pipeline;
  run.label = names.label();
  run.damage = state.manifest_damage;
  run.generation = state.HighestGeneration();
  const bool pending = state.Pending();
  // While its intent stands, a Finish is not complete: old files may still lie beside the new.
  const bool finishing =
      pending && state.manifest && state.manifest->revision == state.split->revision;
  if (state.manifest && !finishing) {
    run.window = state.manifest->window;
    run.increment = state.manifest->increment;
    run.finished = true;
    run.plan_hash = state.manifest->plan_hash;
    run.schema = state.manifest->schema;
    run.revision = state.manifest->revision;
    run.rows = state.manifest->Rows();
    run.bytes = state.manifest->Bytes();
    run.files = state.manifest->FileCount();
    run.begun_at = state.manifest->begun_at;
    run.finished_at = state.manifest->finished_at;
    run.partitions = state.manifest->partitions;
  }
  if (!pending) return run;
  run.ShowRowsOf(*state.split);
  run.pending = state.split;
  run.resumable = LakeLayout::FromJson(state.split->writer).ok();
  run.partitions.clear();
  for (const elt::Partition& partition : state.split->partitions) {
    const auto record = state.records.find(partition.id);
    if (record != state.records.end()) run.partitions.push_back(record->second);
  }
  return run;
}

Status CheckVisible(Context& ctx, places::Place& place, const LakeNames& names,
                    const std::vector<Placement>& placements) {
  for (const Placement& placement : placements) {
    ARROW_ASSIGN_OR_RAISE(const auto size, place.Size(ctx, placement.path));
    if (size == placement.bytes) continue;
    const std::string found = size ? fmt::format("got {} bytes", *size) : "it is not there";
    return Fault(FaultCode::kTargetFileMissing,
                 fmt::format("published file \"{}\": expected {} bytes, {}",
                             place.Location(placement.path), placement.bytes, found))
        .With("path", place.Location(placement.path))
        .With("window", names.label())
        .Help("restore the file, or " + WriteAnew(names));
  }
  return Status::OK();
}

Result<bool> AllThere(Context& ctx, places::Place& place,
                      const std::vector<Placement>& placements) {
  for (const Placement& placement : placements) {
    std::optional<int64_t> size;
    if (!placement.staged.empty()) {
      ARROW_ASSIGN_OR_RAISE(size, place.Size(ctx, placement.staged));
    }
    if (!size) {
      ARROW_ASSIGN_OR_RAISE(size, place.Size(ctx, placement.path));
    }
    if (size != placement.bytes) return false;
  }
  return true;
}

Status CorruptRecord(const places::Place& place, const std::string& path, const Status& why,
                     std::string_view way_out) {
  const Fault inner = FaultOf(why);
  Fault fault(FaultCode::kManifestCorrupt,
              fmt::format("record \"{}\": {}", place.Location(path), inner.message()));
  fault.With("path", place.Location(path));
  const std::string with_hint = inner.help().empty() ? "" : inner.help() + "; or ";
  fault.Help(with_hint + std::string(way_out));
  return fault;
}

}  // namespace levada::parquet
