#include "elt/retry.h"

#include <algorithm>
#include <string>

#include "base/log.h"

namespace levada::elt {

std::chrono::nanoseconds BackoffBefore(const RetrySpec& retry, int failed_attempts,
                                       Random& random) {
  auto wait = retry.backoff;
  for (int i = 1; i < failed_attempts && wait < retry.backoff_max; ++i) wait *= 2;
  wait = std::min(wait, retry.backoff_max);
  const double share = 0.5 + 0.5 * static_cast<double>(random.Next() >> 11) * 0x1.0p-53;
  return std::chrono::nanoseconds(static_cast<int64_t>(static_cast<double>(wait.count()) * share));
}

std::optional<std::chrono::nanoseconds> PauseBeforeAnother(const Context& ctx,
                                                           const RetrySpec& retry,
                                                           int failed_attempts, Random& random,
                                                           const Status& failure) {
  const bool mendable = !failure.ok() && IsRetryable(failure);
  if (!mendable || failed_attempts >= retry.attempts || !ctx.Check().ok()) return std::nullopt;
  return BackoffBefore(retry, failed_attempts, random);
}

bool WaitOut(const Context& ctx, std::chrono::nanoseconds pause) {
  const auto until = ctx.clock->Steady() + pause;
  return until <= ctx.deadline && ctx.clock->SleepUntil(until, ctx.stop);
}

bool WaitForAnother(const Context& ctx, const RetrySpec& retry, int failed_attempts, Random& random,
                    const Status& failure, std::string_view step) {
  const auto pause = PauseBeforeAnother(ctx, retry, failed_attempts, random, failure);
  if (!pause) return false;
  ctx.log->Warning(
      "failed, will try again",
      {{"step", std::string(step)},
       {"attempt", int64_t{failed_attempts}},
       {"retry_in_ms", std::chrono::duration_cast<std::chrono::milliseconds>(*pause).count()},
       {"error", failure.message()}});
  return WaitOut(ctx, *pause);
}

}  // namespace levada::elt
