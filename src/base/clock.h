#pragma once
// Clock and Random: time and chance as arguments, so that tests own both.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>

#include "base/context.h"

namespace levada {

/// Microseconds since 1970-01-01T00:00:00Z, the resolution of everything we record.
using WallMicros = int64_t;

/// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual WallMicros Now() const = 0;
  virtual SteadyTime Steady() const = 0;
  /// Sleeps until `until`, a stop, whichever is first. True when the time was reached.
  virtual bool SleepUntil(SteadyTime until, const std::stop_token& stop) const = 0;
};

/// The machine's clocks. Now() may go backwards when an operator sets the clock: order nothing by
/// it.
std::unique_ptr<Clock> MakeSystemClock();

/// A clock that stands until a test moves it; SleepUntil moves it and returns at once.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(WallMicros now) : now_(now) {}
  WallMicros Now() const override { return now_; }
  SteadyTime Steady() const override {
    return SteadyTime(std::chrono::microseconds(steady_.load()));
  }
  bool SleepUntil(SteadyTime until, const std::stop_token& stop) const override;
  void Set(WallMicros now) { now_ = now; }
  void Advance(int64_t micros) const { now_ += micros, steady_ += micros; }

 private:
  mutable std::atomic<WallMicros> now_;
  mutable std::atomic<int64_t> steady_{0};
};

/// "2026-11-22T16:04:52.123456Z"; years outside 0..9999 print with their sign.
std::string FormatTimestamp(WallMicros micros);

/// Thread-safe source of numbers.
class Random {
 public:
  virtual ~Random() = default;
  virtual uint64_t Next() = 0;
};
/// From getrandom(2).
std::unique_ptr<Random> MakeSystemRandom();
/// splitmix64 of `seed`, the same numbers everywhere.
std::unique_ptr<Random> MakeSeededRandom(uint64_t seed);

/// 16 lower-case hex digits, for attempt ids.
std::string NewId(Random& random);

}  // namespace levada
