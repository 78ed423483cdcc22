#include "base/context.h"

#include <algorithm>

#include "base/clock.h"

namespace levada {
namespace {

SteadyTime Now(const Clock* clock) {
  return clock != nullptr ? clock->Steady() : std::chrono::steady_clock::now();
}

}  // namespace

Status Context::Check() const {
  if (stop.stop_requested()) return Fault(FaultCode::kStopped, "the work was told to stop");
  if (deadline != SteadyTime::max() && Now(clock) >= deadline) {
    return Fault(FaultCode::kSourceTimeout, "the time allowed for this operation is over");
  }
  return Status::OK();
}

Context Context::Within(std::chrono::nanoseconds limit) const {
  Context narrowed = *this;
  const SteadyTime now = Now(clock);
  if (limit < SteadyTime::max() - now) {
    narrowed.deadline = std::min(deadline, now + std::max(limit, std::chrono::nanoseconds(0)));
  }
  return narrowed;
}

int Context::PollTimeoutMs(int limit_ms) const {
  if (deadline == SteadyTime::max()) return std::max(limit_ms, 0);
  const SteadyTime now = Now(clock);
  if (now >= deadline || limit_ms <= 0) return 0;
  // Rounded up: a poll that ends a fraction early would spin until the deadline.
  const int64_t left_ms = std::chrono::ceil<std::chrono::milliseconds>(deadline - now).count();
  return static_cast<int>(std::min<int64_t>(left_ms, limit_ms));
}

}  // namespace levada
