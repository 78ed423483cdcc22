#pragma once
// JobController: where partitions run. The contract is an indexed array of idempotent partitions;
// the threads of this process are the first backend, child processes and clusters follow behind the
// same interface.

#include <memory>
#include <optional>
#include <vector>

#include "base/context.h"

namespace levada::elt {

/// What a controller runs: partition `index`, to its end, retries included. Thread-safe.
class PartitionJob {
 public:
  virtual ~PartitionJob() = default;
  virtual Status Run(Context& ctx, int index) const = 0;
};

struct JobResult {
  int index = 0;
  Status status;
};

class JobHandle {
 public:
  virtual ~JobHandle() = default;  ///< cancels and waits
  /// The next partition that ended, in any order; nullopt after the last. After one that failed
  /// nothing more is started.
  virtual std::optional<JobResult> Next() = 0;
  /// Starts nothing more and lets what runs finish. Idempotent.
  virtual void Drain() = 0;
  /// Starts nothing more and stops what runs; Next then gives the rest. Idempotent.
  virtual void Cancel() = 0;
};

class JobController {
 public:
  virtual ~JobController() = default;
  /// Runs `indexes` in this order, at most `slots` at a time. `job` outlives the handle.
  virtual Result<std::unique_ptr<JobHandle>> Start(Context& ctx, const PartitionJob& job,
                                                   std::vector<int> indexes, int slots) = 0;
};

}  // namespace levada::elt
