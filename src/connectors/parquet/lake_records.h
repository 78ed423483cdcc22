#pragma once
// The records below `_levada` that elt/run.h does not define already: lock, owner, manifest and
// intents. docs/wire/manifest.md is their specification; each carries a kind and a version, and a
// reader refuses what it does not know (kManifestCorrupt).

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/fault.h"
#include "elt/run.h"

namespace levada::parquet {

/// A file of rejected rows, published beside the data files of a slice. Lives in Receipt::state.
struct RejectsFile {
  std::string path;    ///< relative to the dataset's root
  std::string staged;  ///< empty once published
  int64_t rows = 0;
  int64_t bytes = 0;
  std::string sha256;
};

/// Receipt::state of this loader.
struct ReceiptState {
  std::optional<RejectsFile> rejects;

  std::string ToJson() const;
  /// Empty text: no state.
  static Result<ReceiptState> FromJson(std::string_view json);
};

/// The text in `<label>.lock`: who holds the run, as last written.
struct Generation {
  static constexpr int kVersion = 1;
  int64_t number = 0;
  std::string holder;   ///< 16 hex digits, of one Begin: two holders of one number never agree
  std::string process;  ///< "host 4242", for people
  std::string since;    ///< RFC 3339

  std::string ToJson() const;
  static Result<Generation> FromJson(std::string_view json);
};

/// `_levada/_owner`: whose dataset it is.
struct Owner {
  static constexpr int kVersion = 1;
  std::string pipeline;

  std::string ToJson() const;
  static Result<Owner> FromJson(std::string_view json);
};

/// `<label>.json`: a finished run. Its appearance is the commit.
struct Manifest {
  static constexpr int kVersion = 1;
  std::string pipeline;
  std::string label;
  std::optional<elt::Window> window;
  std::optional<elt::Increment> increment;
  std::string plan_hash;
  std::string schema;  ///< SchemaFingerprint of the source, as the Split has it
  std::string snapshot;
  std::string writer;  ///< JSON, as the Split has it
  int revision = 0;
  int64_t generation = 0;
  std::string begun_at;               ///< created_at of the Split, so before its first read
  std::string finished_at;            ///< RFC 3339
  std::vector<std::string> replaces;  ///< files of the previous manifest, deleted by this run
  std::vector<elt::PartitionRecord> partitions;  ///< in the order of the Split

  int64_t Rows() const;
  int64_t Bytes() const;      ///< of the data files
  int64_t FileCount() const;  ///< of the data files
  std::string ToJson() const;
  static Result<Manifest> FromJson(std::string_view json);
};

/// `<label>/<partition>.intent.json`: this publication was begun and is to be completed or undone.
struct PublishIntent {
  static constexpr int kVersion = 1;
  elt::PartitionRecord record;

  std::string ToJson() const;
  static Result<PublishIntent> FromJson(std::string_view json);
};

/// `<label>.switch.json`: the whole Finish, decided. Every staged file that the manifest's
/// partitions still name is to be published, then the manifest written, then `replaces` deleted.
struct SwitchIntent {
  static constexpr int kVersion = 1;
  Manifest manifest;

  std::string ToJson() const;
  static Result<SwitchIntent> FromJson(std::string_view json);
};

/// `<label>.abandon.json`: a split that was begun and never finished is given up: remove `files`,
/// then the partitions' records of `revision`, then the split.
struct AbandonIntent {
  static constexpr int kVersion = 1;
  int revision = 0;
  std::vector<std::string> files;
  std::vector<std::string> partitions;

  std::string ToJson() const;
  static Result<AbandonIntent> FromJson(std::string_view json);
};

/// One file of a receipt on its way from staged to final, rejects included.
struct Placement {
  std::string path;
  std::string staged;  ///< empty: it is at `path` already
  int64_t bytes = 0;
};

/// Every file of a record. kManifestCorrupt for paths that leave the dataset.
Result<std::vector<Placement>> PlacementsOf(const elt::PartitionRecord& record);
Result<std::vector<Placement>> PlacementsOf(const std::vector<elt::PartitionRecord>& records);
/// The record with nothing staged any more: every file is at its path.
Result<elt::PartitionRecord> Published(elt::PartitionRecord record);

}  // namespace levada::parquet
