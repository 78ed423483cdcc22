#pragma once
// What an invocation did: the summary a person sees, and run.json.

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "elt/observer.h"
#include "elt/run.h"

namespace levada::elt {

/// Where the time of a partition went; threads overlap, so the parts may add up to more than the
/// wall time.
struct StageTimes {
  int64_t source_wait_ns = 0;
  int64_t decode_ns = 0;
  int64_t transform_ns = 0;
  int64_t encode_ns = 0;
  int64_t target_wait_ns = 0;
};

struct PartitionReport {
  std::string id;
  std::string meaning;
  bool published_before = false;  ///< by an earlier process
  int attempts = 0;
  Status status;
  int64_t rows = 0;  ///< at the loaders' input
  int64_t rows_filtered = 0;
  int64_t rows_rejected = 0;
  int64_t values_discarded = 0;
  int64_t bytes_read = 0;
  int64_t bytes_written = 0;  ///< of all loaders
  std::string snapshot;
  StageTimes times;
  std::vector<std::vector<Receipt>> receipts;  ///< per loader
};

struct RunInstanceReport {
  std::string label;
  RunOutcome outcome = RunOutcome::kFailed;
  Status status;
  int revision = 0;
  int64_t rows = 0;
  int64_t files = 0;
  int64_t bytes = 0;
  int64_t elapsed_ns = 0;
  std::vector<std::string> snapshots;  ///< more than one: read at several moments, which is said
  std::vector<PartitionReport> partitions;
};

struct RunReport {
  static constexpr int kVersion = 1;
  std::string run_id;
  std::string pipeline;
  std::string plan_hash;
  std::string version;
  std::string host;
  std::string source;                ///< Source::description
  std::vector<std::string> targets;  ///< BoundTarget::description
  WallMicros started_at = 0;
  int64_t elapsed_ns = 0;
  int64_t cpu_ns = 0;
  int64_t peak_memory_bytes = 0;
  std::string verify;
  std::vector<Diagnostic> warnings;     ///< of the plan
  std::vector<std::string> relaxed;     ///< promises this configuration gives up, by name
  std::vector<RunInstanceReport> runs;  ///< those that this invocation touched
  int runs_published_before = 0;
  int64_t rows = 0;
  int64_t files = 0;
  int64_t bytes = 0;
  Status status;  ///< decides the exit

  std::string ToJson() const;
};

}  // namespace levada::elt
