#pragma once
// ProgressModel: what the display knows of a running pipeline, computed from the runner's events
// and the counters of the attempts. No thread, no terminal, no clock of its own: progress.h has
// those.

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/context.h"
#include "base/counters.h"
#include "elt/observer.h"

namespace levada::app {

/// The side that the others wait for.
enum class Bottleneck : uint8_t { kUnknown, kSource, kDecode, kTransform, kEncode, kTarget };
/// "source", "decoding", ...; empty for kUnknown.
std::string_view NameOf(Bottleneck bottleneck);

/// One run in flight.
struct RunProgress {
  std::string label;
  std::optional<double> fraction;  ///< 0..1; absent when the source gave no estimate
  int64_t rows = 0;
  int partitions_done = 0;
  int partitions_total = 0;
  std::chrono::nanoseconds age{0};
  std::string trouble;  ///< "trying again in 4s: the server closed the connection"; mostly empty
};

/// A pipeline at one moment.
struct ProgressView {
  std::string pipeline;
  int runs_done = 0;
  int runs_total = 0;
  std::optional<double> fraction;  ///< of everything this invocation has to do
  int64_t rows = 0;                ///< read, of everything so far
  double rows_per_second = 0;      ///< of the last seconds
  double bytes_per_second = 0;     ///< of the source's bytes
  std::optional<std::chrono::nanoseconds> time_left;
  Bottleneck bottleneck = Bottleneck::kUnknown;
  std::vector<RunProgress> runs;  ///< in the order they began
};

/// One thread at a time.
class ProgressModel final {
 public:
  void InvocationBegins(const std::string& pipeline, int runs_to_do, SteadyTime now);
  void RunBegins(const elt::RunView& run, SteadyTime now);
  void AttemptBegins(const std::string& label, const Counters* counters);
  void AttemptEnds(const std::string& label, const Counters* counters, const Status& status,
                   int64_t retry_in_ms, SteadyTime now);
  /// What became of the run, as it was last.
  RunProgress RunEnds(const std::string& label, SteadyTime now);
  void InvocationEnds();

  /// Reads the counters. nullopt between invocations. Call it regularly: rates are between calls.
  std::optional<ProgressView> Look(SteadyTime now);

 private:
  struct Totals {
    int64_t rows = 0;
    int64_t bytes = 0;
    int64_t source_wait_ns = 0;
    int64_t decode_ns = 0;
    int64_t transform_ns = 0;
    int64_t encode_ns = 0;
    int64_t target_wait_ns = 0;
    void Add(const Counters& counters);
  };
  struct Run {
    elt::RunView view;
    SteadyTime began;
    int64_t rows_ended = 0;  ///< of attempts that succeeded
    int partitions_done = 0;
    std::set<const Counters*> attempts;
    std::string trouble;
    SteadyTime trouble_until;
  };
  struct Sample {
    SteadyTime time;
    Totals totals;
  };

  Totals TotalsNow() const;
  RunProgress LookAt(const Run& run, SteadyTime now) const;
  void ComputeRates(SteadyTime now, ProgressView& view);

  bool active_ = false;
  std::string pipeline_;
  int runs_done_ = 0;
  int runs_total_ = 0;
  SteadyTime began_;
  Totals ended_;  ///< of all attempts that ended
  std::map<std::string, Run> runs_;
  std::vector<std::string> order_;  ///< labels of runs_, as they began
  std::deque<Sample> samples_;
};

}  // namespace levada::app
