#pragma once
// Trying again what is worth trying again: one rule for the steps before the partitions and for the
// partitions themselves (partition_run.h).

#include <chrono>
#include <optional>
#include <string_view>

#include "base/clock.h"
#include "base/context.h"
#include "elt/plan.h"

namespace levada::elt {

/// Exponential backoff with full jitter in [1/2, 1]: attempt 1 waits about `backoff`, each next
/// twice as long, at most `backoff_max`.
std::chrono::nanoseconds BackoffBefore(const RetrySpec& retry, int failed_attempts, Random& random);

/// The wait before the attempt that follows `failed_attempts`. nullopt when there is none: the
/// failure cannot be mended by trying again, the attempts are used up, or the work was stopped.
std::optional<std::chrono::nanoseconds> PauseBeforeAnother(const Context& ctx,
                                                           const RetrySpec& retry,
                                                           int failed_attempts, Random& random,
                                                           const Status& failure);

/// False when the deadline is nearer than the end of the pause, or the work was stopped in it.
bool WaitOut(const Context& ctx, std::chrono::nanoseconds pause);

/// Both of them, with a line in the log in between. For steps that nobody watches.
bool WaitForAnother(const Context& ctx, const RetrySpec& retry, int failed_attempts, Random& random,
                    const Status& failure, std::string_view step);

/// `step` until it succeeds or WaitForAnother says no; the last result.
template <typename Step>
auto Retried(const Context& ctx, const RetrySpec& retry, Random& random, std::string_view name,
             const Step& step) {
  auto result = step();
  for (int failed = 1; !result.ok(); ++failed) {
    if (!WaitForAnother(ctx, retry, failed, random, result.status(), name)) break;
    result = step();
  }
  return result;
}

}  // namespace levada::elt
