#pragma once
// RunRecords: what levada itself remembers of one run that a loader's program was given, as files
// in the directory `state`. The program's target is out of our sight, so this is the only account
// of what it holds.
//
//   STATE/PIPELINE/LABEL/lock            held while a process works on the run
//                        run.json        generation, the split that is under way, the last finish
//                        attempt.ID      the program was given rows under this attempt id
//                        part.ID.json    a partition: loaded and verified, and whether published
//
// Each file is written whole and durably before what it announces is done.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "elt/stages.h"
#include "os/disk.h"

namespace levada::exec {

/// What run.json says.
struct RunRecord {
  static constexpr int kVersion = 1;
  std::string pipeline;
  int64_t generation = 0;
  int revision = -1;                         ///< the highest that any split had
  std::optional<elt::SplitRecord> split;     ///< under way
  std::optional<elt::SplitRecord> finished;  ///< the last one that was finished
  int64_t finished_rows = 0;
  std::string finished_at;  ///< RFC 3339

  std::string ToJson() const;
  /// kManifestCorrupt for anything else.
  static Result<RunRecord> FromJson(std::string_view json);
};

/// A partition that was loaded and verified.
struct PartRecord {
  bool published = false;  ///< the program has been told, and has done it
  elt::PartitionRecord record;

  std::string ToJson() const;
  static Result<PartRecord> FromJson(std::string_view json);
};

/// All of a run's records.
struct RunState {
  RunRecord run;
  std::map<std::string, PartRecord> parts;  ///< by partition, of the split under way or finished
  std::set<std::string> attempts;           ///< given to the program and not accounted for

  /// For the engine.
  elt::PublishedRun Seen(const std::string& pipeline, const std::string& label) const;
  /// Nothing of the split under way may be seen before its Finish.
  bool StagesAll() const { return run.split && (run.split->held || run.finished); }
};

/// The files of one run. Thread-safe, as the disk is.
class RunRecords final {
 public:
  RunRecords(os::Disk* disk, const std::string& state, const std::string& pipeline,
             const std::string& label);

  /// kLeaseHeld when another process works on the run.
  Result<std::unique_ptr<os::FileLock>> Lock() const;
  /// An empty state when there is none. kManifestCorrupt.
  Result<RunState> Read() const;
  Status Write(const RunRecord& run) const;
  Status Write(const PartRecord& part) const;
  Status NoteAttempt(const std::string& attempt_id) const;
  Status ForgetAttempt(const std::string& attempt_id) const;
  Status ForgetPart(const std::string& partition) const;

 private:
  os::Disk* const disk_;
  const std::string directory_;
};

/// The labels of the runs of `pipeline` that have records in `state`.
Result<std::vector<std::string>> LabelsOf(os::Disk& disk, const std::string& state,
                                          const std::string& pipeline);

}  // namespace levada::exec
