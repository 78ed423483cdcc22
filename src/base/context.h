#pragma once
// Context: the first argument of every call that may wait, allocate much, or be told to stop.
//
// A small value; copy it to change the deadline or the pool of a part of the work. Everything it
// points to outlives every copy. All of it may be used from any thread.

#include <arrow/memory_pool.h>

#include <chrono>
#include <optional>
#include <stop_token>

#include "base/fault.h"

namespace levada {

class Clock;
class Failpoints;
class Logger;
struct Counters;

using SteadyTime = std::chrono::steady_clock::time_point;

struct Context {
  std::stop_token stop;                     ///< every wait ends within 1 s of a stop
  SteadyTime deadline = SteadyTime::max();  ///< of the whole operation, retries included
  const Clock* clock = nullptr;             ///< never null once running
  Logger* log = nullptr;                    ///< never null once running
  Counters* counters = nullptr;             ///< where this attempt counts; never null once running
  arrow::MemoryPool* pool = nullptr;        ///< the budgeted pool; never null once running
  const Failpoints* failpoints = nullptr;   ///< never null once running

  /// OK, or the fault that ends the work: kStopped after a stop, kSourceTimeout past the deadline.
  Status Check() const;
  /// A copy whose deadline is the earlier of ours and now + `limit`.
  Context Within(std::chrono::nanoseconds limit) const;
  /// Milliseconds until the deadline for poll(2), at most `limit_ms`, at least 0.
  int PollTimeoutMs(int limit_ms) const;
};

}  // namespace levada
