#include "connectors/parquet/dataset.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <map>

#include "base/clock.h"
#include "connectors/parquet/lake_records.h"
#include "connectors/parquet/lake_state.h"

namespace levada::parquet {
namespace {

// The section it guards takes a few file operations; a holder that died has released it.
constexpr std::chrono::milliseconds kRootLockPause{2};

// Hidden names by which other table formats claim a directory.
constexpr auto kForeignMarks =
    std::to_array<std::string_view>({"_delta_log", "_spark_metadata", ".hoodie"});

Status Foreign(const std::string& what) {
  return Fault(FaultCode::kForeignTarget, what)
      .Help("give the pipeline a directory of its own; nothing in this one was touched");
}

Status CheckOwner(const places::Place& place, const std::string& found,
                  const std::string& pipeline) {
  if (found == pipeline) return Status::OK();
  return Foreign(fmt::format("dataset \"{}\" belongs to pipeline \"{}\", not to \"{}\"",
                             place.Location(""), found, pipeline));
}

// The owner's record may be gone while the runs' own records still name the pipeline.
Status CheckOwnerBySplits(Context& ctx, places::Place& place, const std::string& pipeline,
                          const std::vector<places::PlaceEntry>& records) {
  for (const places::PlaceEntry& entry : records) {
    const auto name = ParseRecordName(entry.name);
    if (!name) continue;
    const std::string path = fmt::format("{}/{}", kRecordsRoot, entry.name);
    if (name->kind == RecordName::Kind::kSplit) {
      ARROW_ASSIGN_OR_RAISE(const auto split, ReadParsed<elt::SplitRecord>(ctx, place, path));
      if (split) ARROW_RETURN_NOT_OK(CheckOwner(place, split->pipeline, pipeline));
    } else if (name->kind == RecordName::Kind::kManifest) {
      ARROW_ASSIGN_OR_RAISE(const auto manifest, ReadParsed<Manifest>(ctx, place, path));
      if (manifest) ARROW_RETURN_NOT_OK(CheckOwner(place, manifest->pipeline, pipeline));
    }
  }
  return Status::OK();
}

// Labels other than `own` that have something visible and no manifest, or are in their switch.
Result<bool> AnotherIsVisible(Context& ctx, places::Place& place, const LakeNames& own) {
  ARROW_ASSIGN_OR_RAISE(const auto entries, place.List(ctx, std::string(kRecordsRoot)));
  std::map<std::string, bool> begun;  // label -> has a manifest
  for (const places::PlaceEntry& entry : entries) {
    const auto name = ParseRecordName(entry.name);
    if (!name || name->label == own.label()) continue;
    if (name->kind == RecordName::Kind::kSwitch) return true;
    if (name->kind == RecordName::Kind::kSplit) begun.try_emplace(name->label, false);
    if (name->kind == RecordName::Kind::kManifest) begun[name->label] = true;
  }
  for (const auto& [label, finished] : begun) {
    if (finished) continue;
    ARROW_ASSIGN_OR_RAISE(const auto records, place.List(ctx, LakeNames(label).Records()));
    const bool visible = std::ranges::any_of(records, [](const auto& entry) {
      return ParsePartitionRecordName(entry.name).has_value();
    });
    if (visible) return true;
  }
  return false;
}

}  // namespace

Result<std::unique_ptr<places::PlaceLock>> LockDataset(Context& ctx, places::Place& place) {
  while (true) {
    ARROW_ASSIGN_OR_RAISE(auto lock, place.TryLock(ctx, LakeNames::RootLock()));
    if (lock != nullptr) return lock;
    ARROW_RETURN_NOT_OK(ctx.Check());
    ctx.clock->SleepUntil(ctx.clock->Steady() + kRootLockPause, ctx.stop);
  }
}

Status CheckForeign(Context& ctx, places::Place& place, const std::string& pipeline) {
  ARROW_ASSIGN_OR_RAISE(const auto owner, ReadParsed<Owner>(ctx, place, LakeNames::Owner()));
  if (owner) return CheckOwner(place, owner->pipeline, pipeline);
  ARROW_ASSIGN_OR_RAISE(const auto records, place.List(ctx, std::string(kRecordsRoot)));
  if (!records.empty()) return CheckOwnerBySplits(ctx, place, pipeline, records);
  ARROW_ASSIGN_OR_RAISE(const auto entries, place.List(ctx, ""));
  for (const places::PlaceEntry& entry : entries) {
    const bool hidden = entry.name.starts_with('_') || entry.name.starts_with('.');
    if (hidden && std::ranges::find(kForeignMarks, entry.name) == kForeignMarks.end()) continue;
    return Foreign(fmt::format("directory \"{}\" holds \"{}\", which levada did not write",
                               place.Location(""), entry.name));
  }
  return Status::OK();
}

Status ClaimDataset(Context& ctx, places::Place& place, const std::string& pipeline) {
  ARROW_ASSIGN_OR_RAISE(const auto lock, LockDataset(ctx, place));
  ARROW_ASSIGN_OR_RAISE(const auto owner, ReadParsed<Owner>(ctx, place, LakeNames::Owner()));
  if (owner) return CheckOwner(place, owner->pipeline, pipeline);
  return place.WriteRecord(ctx, LakeNames::Owner(), Owner{pipeline}.ToJson(),
                           places::Expectation::Absent());
}

Status HideSuccess(Context& ctx, places::Place& place) {
  ARROW_ASSIGN_OR_RAISE(const auto lock, LockDataset(ctx, place));
  const std::vector<std::string> success = {std::string(kSuccess)};
  ARROW_RETURN_NOT_OK(place.Remove(ctx, success.front()));
  return place.Settle(ctx, success);
}

Status ShowSuccess(Context& ctx, places::Place& place, const LakeNames& names) {
  ARROW_ASSIGN_OR_RAISE(const bool other, AnotherIsVisible(ctx, place, names));
  if (other) return Status::OK();
  return place.WriteRecord(ctx, std::string(kSuccess), "", places::Expectation::Anything());
}

}  // namespace levada::parquet
