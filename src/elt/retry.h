#pragma once
// Trying again what is worth trying again: one rule for the steps before the partitions and for the
// partitions themselves (partition_run.h).

#include <chrono>
#include <string_view>

#include "base/clock.h"
#include "base/context.h"
#include "base/log.h"
#include "elt/plan.h"

namespace levada::elt {

/// Exponential backoff with full jitter in [1/2, 1]: attempt 1 waits about `backoff`, each next
/// twice as long, at most `backoff_max`.
std::chrono::nanoseconds BackoffBefore(const RetrySpec& retry, int failed_attempts, Random& random);

/// Waits before the attempt that follows `failed_attempts`, and says so in the log. False when
/// there is none: the failure cannot be mended by trying again, the attempts are used up, the
/// deadline is nearer than the wait, or the work was stopped.
bool WaitForAnother(Context& ctx, const RetrySpec& retry, int failed_attempts, Random& random,
                    const Status& failure, std::string_view step);

/// `step` until it succeeds or WaitForAnother says no; the last result.
template <typename Step>
auto Retried(Context& ctx, const RetrySpec& retry, Random& random, std::string_view name,
             const Step& step) {
  auto result = step();
  for (int failed = 1; !result.ok(); ++failed) {
    if (!WaitForAnother(ctx, retry, failed, random, result.status(), name)) break;
    result = step();
  }
  return result;
}

}  // namespace levada::elt
