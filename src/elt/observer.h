#pragma once
// RunObserver: how the runner tells a display what happens. Calls come from any thread and must
// return quickly.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/counters.h"
#include "base/fault.h"

namespace levada::elt {

/// A RunInstance that begins.
struct RunView {
  std::string pipeline;
  std::string label;
  int partitions_total = 0;
  int partitions_done = 0;      ///< published by an earlier process
  int64_t estimated_rows = -1;  ///< of the partitions still to do
};

enum class RunOutcome : uint8_t {
  kPublished,  ///< finished by this process
  kSkipped,    ///< was published already
  kFailed,
  kInterrupted,  ///< stopped by a signal; the next run continues
};

/// "published", "skipped", "failed", "interrupted": in reports, the ledger and for people.
std::string_view NameOf(RunOutcome outcome);

class RunObserver {
 public:
  virtual ~RunObserver() = default;
  /// The whole invocation: how many runs there are to do and how many are published already.
  virtual void InvocationBegins(const std::string& pipeline, int runs_to_do,
                                int runs_published) = 0;
  virtual void RunBegins(const RunView& run) = 0;
  /// `counters` grows until AttemptEnds for the same pointer.
  virtual void AttemptBegins(const std::string& label, const std::string& partition, int attempt,
                             const Counters* counters) = 0;
  /// After a failed attempt with a retry to come, `retry_in_ms` >= 0.
  virtual void AttemptEnds(const std::string& label, const std::string& partition,
                           const Counters* counters, const Status& status, int64_t retry_in_ms) = 0;
  virtual void RunEnds(const std::string& label, RunOutcome outcome, const Status& status) = 0;
};

}  // namespace levada::elt
