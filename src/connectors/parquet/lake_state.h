#pragma once
// What the records of one run in a dataset say, read without judging what should be done about it.

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/context.h"
#include "connectors/parquet/lake_names.h"
#include "connectors/parquet/lake_records.h"
#include "elt/run.h"
#include "elt/stages.h"
#include "places/place.h"

namespace levada::parquet {

/// The records of one label. Absent ones are empty.
struct LakeState {
  std::optional<Manifest> manifest;
  std::string manifest_tag;  ///< for the conditional write that replaces it
  /// Not OK: the manifest is lost or cannot be understood, and `manifest` stands in for it: it has
  /// the window and the highest revision that the other records know, and names no file.
  Status manifest_damage;
  std::optional<elt::SplitRecord> split;
  std::optional<SwitchIntent> switch_intent;
  std::optional<AbandonIntent> abandon;
  std::map<std::string, elt::PartitionRecord> records;  ///< of the split's revision, while pending
  std::map<std::string, PublishIntent> intents;         ///< likewise; stale ones are left out
  std::vector<std::string> stale_intents;  ///< left by the finish of an earlier revision
  std::optional<Generation> generation;    ///< nullopt: no lock file, or its writer died writing it

  /// A run was begun and its Finish is not behind us.
  bool Pending() const;
  /// The pending run replaces a finished one, or is held: nothing of it is visible before its
  /// switch.
  bool StagesAll() const { return split && (split->revision > 0 || split->held); }
  /// The highest generation any record carries: a lock that lost its text goes on from here.
  int64_t HighestGeneration() const;
};

/// What to do about a manifest that is lost or cannot be understood.
enum class Damage : uint8_t {
  kRefuse,
  kStandIn,  ///< for a run that replaces: it needs no more of the manifest than a name for its own
};

inline Damage AllowedDamage(const elt::RunInstance& run) {
  return run.replace ? Damage::kStandIn : Damage::kRefuse;
}

/// Reads them all. kManifestCorrupt names the file that cannot be understood, or the one that must
/// be there and is not; kForeignTarget when they belong to another pipeline.
Result<LakeState> ReadLakeState(Context& ctx, places::Place& place, const LakeNames& names,
                                const std::string& pipeline, Damage damage = Damage::kRefuse);

/// Sets window and increment of everything this label shows, from its split alone: for a label that
/// ReadLakeState refuses. Neither when that is not certain, and when the run is of the whole table.
Status FindVisibleRows(Context& ctx, places::Place& place, const LakeNames& names,
                       elt::PublishedRun& run);

/// As the engine wants it.
elt::PublishedRun Compose(const LakeState& state, const std::string& pipeline,
                          const LakeNames& names);

/// kTargetFileMissing for the first file of `placements` that is not at its path with its size.
Status CheckVisible(Context& ctx, places::Place& place, const LakeNames& names,
                    const std::vector<Placement>& placements);
/// True when every file is either staged or at its path, with its size.
Result<bool> AllThere(Context& ctx, places::Place& place, const std::vector<Placement>& placements);

/// The way out of a damaged record that nothing can stand in for.
inline constexpr std::string_view kMoveAway =
    "restore the file from a backup, or move the dataset's directory away and run again";

/// The way out where --replace is one: "write this window anew with `levada run ...`".
std::string WriteAnew(const LakeNames& names);

/// Reads and parses one record; nullopt when there is none. `tag`, when given, gets what a
/// conditional write of the record expects.
template <typename T>
Result<std::optional<T>> ReadParsed(Context& ctx, places::Place& place, const std::string& path,
                                    std::string* tag = nullptr,
                                    std::string_view way_out = kMoveAway);

/// kManifestCorrupt for the record at `path`; the help is what `why` hints at, and the way out.
Status CorruptRecord(const places::Place& place, const std::string& path, const Status& why,
                     std::string_view way_out = kMoveAway);

inline constexpr int64_t kRecordBytesMax = int64_t{1} << 30;

template <typename T>
Result<std::optional<T>> ReadParsed(Context& ctx, places::Place& place, const std::string& path,
                                    std::string* tag, std::string_view way_out) {
  ARROW_ASSIGN_OR_RAISE(auto record, place.ReadRecord(ctx, path, kRecordBytesMax));
  if (!record) return std::nullopt;
  if (tag != nullptr) *tag = std::move(record->tag);
  auto parsed = T::FromJson(record->content);
  if (!parsed.ok()) return CorruptRecord(place, path, parsed.status(), way_out);
  return std::move(parsed).ValueUnsafe();
}

}  // namespace levada::parquet
