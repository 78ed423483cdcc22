#include "connectors/parquet/lake_switch.h"

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "base/failpoint.h"
#include "connectors/parquet/dataset.h"
#include "connectors/parquet/lake_publish.h"
#include "connectors/parquet/lake_state.h"

namespace levada::parquet {
namespace {

Status PublishStaged(Context& ctx, places::Place& place, const std::vector<Placement>& placements) {
  std::vector<std::string> paths;
  for (const Placement& placement : placements) {
    if (placement.staged.empty()) continue;
    paths.push_back(placement.path);
    const Status renamed = place.Publish(ctx, placement.staged, placement.path);
    // An earlier try has renamed it; that it is there was checked before this one began.
    if (!renamed.ok() && CodeOf(renamed) != FaultCode::kTargetFileMissing) return renamed;
    LEVADA_FAILPOINT(ctx, "finish.file_renamed");
  }
  return place.Settle(ctx, paths);
}

Status DeleteReplaced(Context& ctx, places::Place& place, const Manifest& manifest,
                      const std::vector<Placement>& placements) {
  std::set<std::string> kept;
  for (const Placement& placement : placements) kept.insert(placement.path);
  std::vector<std::string> deleted;
  for (const std::string& path : manifest.replaces) {
    if (kept.contains(path)) continue;
    ARROW_RETURN_NOT_OK(place.Remove(ctx, path));
    deleted.push_back(path);
    LEVADA_FAILPOINT(ctx, "finish.file_deleted");
  }
  ARROW_RETURN_NOT_OK(place.Settle(ctx, deleted));
  return PruneDirectoriesOf(ctx, place, deleted);
}

// Records of partitions that this run does not have, and every intent.
Status RemoveStaleRecords(Context& ctx, places::Place& place, const LakeNames& names,
                          const Manifest& manifest) {
  std::set<std::string> current;
  for (const auto& record : manifest.partitions) current.insert(record.partition);
  ARROW_ASSIGN_OR_RAISE(const auto entries, place.List(ctx, names.Records()));
  for (const places::PlaceEntry& entry : entries) {
    const auto name = ParsePartitionRecordName(entry.name);
    if (!name || (!name->is_intent && current.contains(name->partition))) continue;
    ARROW_RETURN_NOT_OK(place.Remove(
        ctx, name->is_intent ? names.Intent(name->partition) : names.Partition(name->partition)));
  }
  return Status::OK();
}

// Whether the manifest of this switch is on disk. A manifest that cannot be understood is not, if
// it is the one that `manifest_tag` belongs to: the caller has seen that it is damaged.
Result<bool> IsCommitted(Context& ctx, places::Place& place, const LakeNames& names,
                         const Manifest& decided, const std::string& manifest_tag) {
  std::string tag;
  const auto found = ReadParsed<Manifest>(ctx, place, names.Manifest(), &tag);
  const bool is_known_damage = CodeOf(found.status()) == FaultCode::kManifestCorrupt &&
                               !manifest_tag.empty() && tag == manifest_tag;
  if (is_known_damage) return false;
  ARROW_RETURN_NOT_OK(found.status());
  return *found && (*found)->revision == decided.revision;
}

Status Commit(Context& ctx, places::Place& place, const LakeNames& names, const Manifest& decided,
              const std::string& manifest_tag) {
  Manifest manifest = decided;
  for (auto& record : manifest.partitions) {
    ARROW_ASSIGN_OR_RAISE(record, Published(std::move(record)));
  }
  const auto expected =
      manifest_tag.empty() ? places::Expectation::Absent() : places::Expectation::Tag(manifest_tag);
  return place.WriteRecord(ctx, names.Manifest(), manifest.ToJson(), expected);
}

}  // namespace

Status BeginSwitch(Context& ctx, places::Place& place, const LakeNames& names,
                   const SwitchIntent& intent) {
  ARROW_RETURN_NOT_OK(
      place.WriteRecord(ctx, names.Switch(), intent.ToJson(), places::Expectation::Anything()));
  LEVADA_FAILPOINT(ctx, "finish.intent_written");
  return Status::OK();
}

Status CompleteSwitch(Context& ctx, places::Place& place, const LakeNames& names,
                      const SwitchIntent& intent, const std::string& manifest_tag) {
  const Manifest& manifest = intent.manifest;
  ARROW_ASSIGN_OR_RAISE(const auto placements, PlacementsOf(manifest.partitions));
  ARROW_ASSIGN_OR_RAISE(const bool committed,
                        IsCommitted(ctx, place, names, manifest, manifest_tag));
  if (!committed) {
    ARROW_RETURN_NOT_OK(HideSuccess(ctx, place));
    LEVADA_FAILPOINT(ctx, "finish.success_removed");
    ARROW_RETURN_NOT_OK(PublishStaged(ctx, place, placements));
    LEVADA_FAILPOINT(ctx, "finish.before_manifest");
    ARROW_RETURN_NOT_OK(Commit(ctx, place, names, manifest, manifest_tag));
    LEVADA_FAILPOINT(ctx, "finish.manifest_written");
  }
  ARROW_RETURN_NOT_OK(DeleteReplaced(ctx, place, manifest, placements));
  ARROW_RETURN_NOT_OK(RemoveStaleRecords(ctx, place, names, manifest));
  {
    LEVADA_FAILPOINT(ctx, "finish.before_success");
    ARROW_ASSIGN_OR_RAISE(const auto lock, LockDataset(ctx, place));
    ARROW_RETURN_NOT_OK(ShowSuccess(ctx, place, names));
    LEVADA_FAILPOINT(ctx, "finish.success_written");
    const std::vector<std::string> closed = {names.Switch()};
    ARROW_RETURN_NOT_OK(place.Remove(ctx, closed.front()));
    ARROW_RETURN_NOT_OK(place.Settle(ctx, closed));
  }
  LEVADA_FAILPOINT(ctx, "finish.cleaned");
  return Status::OK();
}

Status UndoSwitch(Context& ctx, places::Place& place, const LakeNames& names,
                  const SwitchIntent& intent) {
  ARROW_ASSIGN_OR_RAISE(const auto placements, PlacementsOf(intent.manifest.partitions));
  std::vector<std::string> paths;
  for (const Placement& placement : placements) {
    if (placement.staged.empty()) continue;
    const Status staged = place.Withdraw(ctx, placement.path, placement.staged);
    if (!staged.ok() && CodeOf(staged) != FaultCode::kTargetFileMissing) return staged;
    paths.push_back(placement.path);
  }
  ARROW_RETURN_NOT_OK(place.Settle(ctx, paths));
  const std::vector<std::string> closed = {names.Switch()};
  ARROW_RETURN_NOT_OK(place.Remove(ctx, closed.front()));
  return place.Settle(ctx, closed);
}

}  // namespace levada::parquet
