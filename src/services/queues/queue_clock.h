#pragma once
// QueueClock: the time that leases, delays and retention are measured in. It goes on as the steady
// clock does and never back, so that an operator who sets the machine's clock neither ends a lease
// before its time nor makes a message wait for hours. Behind a restart it begins at the machine's
// time, or where it had been if that is later.

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "base/clock.h"

namespace levada::services::queues {

/// Thread-safe.
class QueueClock final {
 public:
  /// `seen_ms`: the latest time in the store. `clock` outlives it.
  QueueClock(const Clock& clock, int64_t seen_ms)
      : clock_(clock),
        began_(clock.Steady()),
        base_ms_(std::max({seen_ms, clock.Now() / 1000, int64_t{0}})) {}

  int64_t NowMs() const {
    const auto passed = clock_.Steady() - began_;
    return base_ms_ + std::chrono::duration_cast<std::chrono::milliseconds>(passed).count();
  }
  /// What the machine's clock says: for people.
  int64_t WallMs() const { return clock_.Now() / 1000; }

 private:
  const Clock& clock_;
  const SteadyTime began_;
  const int64_t base_ms_;
};

}  // namespace levada::services::queues
