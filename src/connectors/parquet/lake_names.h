#pragma once
// LakeNames: every path of one run inside a dataset, relative to its root (docs/wire/manifest.md).
// Nothing else in this folder puts a path together, so a record can be believed only where its
// paths have the form that is made here.

#include <optional>
#include <string>
#include <string_view>

#include "base/fault.h"

namespace levada::parquet {

/// The directory of all records, below the dataset's root. Readers pass over it: "_" comes first.
inline constexpr std::string_view kRecordsRoot = "_levada";
/// Marks, as Hadoop's tools expect it, that every visible file belongs to a finished run.
inline constexpr std::string_view kSuccess = "_SUCCESS";

/// kBadValue unless `label` can stand in a file name and in a record's name: 1 to 64 letters,
/// digits, "+", "-", "_", beginning with a letter or digit.
Status CheckLabel(std::string_view label);
/// The same for a partition's id, without "+" and "-".
Status CheckPartitionId(std::string_view id);

class LakeNames final {
 public:
  /// Precondition: CheckLabel(label).ok().
  explicit LakeNames(std::string label) : label_(std::move(label)) {}

  const std::string& label() const { return label_; }

  std::string Lock() const;      ///< "_levada/2026-01.lock"
  std::string Split() const;     ///< "_levada/2026-01.split.json"
  std::string Manifest() const;  ///< "_levada/2026-01.json"
  std::string Switch() const;    ///< "_levada/2026-01.switch.json": the intent of Finish
  std::string Abandon() const;   ///< "_levada/2026-01.abandon.json": a split being given up
  std::string Records() const;   ///< "_levada/2026-01": the directory of the partitions' records
  std::string Partition(std::string_view id) const;  ///< "_levada/2026-01/p0000.json"
  std::string Intent(std::string_view id) const;     ///< "_levada/2026-01/p0000.intent.json"

  /// "part-2026-01-p0000-0-0000[-r1].parquet"
  std::string DataFile(std::string_view partition, int slice, int number, int revision) const;
  /// "_levada/2026-01/p0000-0[-r1].rejects.jsonl"
  std::string Rejects(std::string_view partition, int slice, int revision) const;

  /// What Place::Stage takes: makes staged names that only this run and attempt have.
  std::string StageTag(std::string_view attempt_id) const;
  /// The attempt that staged a file of this name in this run; nullopt for every other name.
  std::optional<std::string> AttemptOfStaged(std::string_view name) const;
  /// Whether a file of this name was staged in this run, also where a place does not say by whom.
  bool IsStaged(std::string_view name) const;

  /// The revision in the name of a data file of this run, whoever recorded it; nullopt for every
  /// other name. Without directories.
  std::optional<int> RevisionOfDataFile(std::string_view name) const;
  /// The same for a file of rejects in Records().
  std::optional<int> RevisionOfRejects(std::string_view name) const;

  /// Of the dataset, not of one run.
  static std::string Owner();     ///< "_levada/_owner"
  static std::string RootLock();  ///< "_levada/_root.lock"

 private:
  std::string label_;
};

/// What a name directly below `_levada` says: "2026-01.split.json" -> {"2026-01", kSplit}. nullopt
/// for names that are none of ours.
struct RecordName {
  enum class Kind : uint8_t { kLock, kSplit, kManifest, kSwitch, kAbandon };
  std::string label;
  Kind kind;
};
std::optional<RecordName> ParseRecordName(std::string_view name);

/// "p0000.json" -> {"p0000", false}, "p0000.intent.json" -> {"p0000", true}; nullopt for others.
struct PartitionRecordName {
  std::string partition;
  bool is_intent;
};
std::optional<PartitionRecordName> ParsePartitionRecordName(std::string_view name);

/// True for a path that stays below the root: relative, no empty, "." or ".." part, no NUL.
bool StaysInside(std::string_view path);

}  // namespace levada::parquet
