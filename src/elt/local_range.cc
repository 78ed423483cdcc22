#include "elt/local_range.h"

#include <algorithm>
#include <chrono>

namespace levada::elt {
namespace {

constexpr int64_t kHour = std::chrono::microseconds(std::chrono::hours(1)).count();
constexpr int64_t kDay = 24 * kHour;

/// `local` itself, or the first midnight behind it.
LocalMicros NextMidnight(LocalMicros local) {
  const LocalMicros into = (local % kDay + kDay) % kDay;
  return into == 0 ? local : local + kDay - into;
}

/// Where the windows before and behind `instant` meet.
LocalMicros Reading(const TimeZone& zone, WallMicros instant, bool is_hour) {
  const LocalMicros before = zone.ToLocal(instant - 1) + 1;
  const LocalMicros after = zone.ToLocal(instant);
  LocalMicros reading = std::min(before, after);
  if (before < after && NextMidnight(before) <= after) reading = NextMidnight(before);
  // A day begins when its midnight is first shown, even if the clock is set back over it later.
  if (!is_hour) return reading;
  // No clock was ever set back by more than a day.
  for (auto period = zone.At(instant); period.end < instant + kDay; period = zone.At(period.end)) {
    reading = std::min(reading, zone.ToLocal(period.end));
  }
  return reading;
}

}  // namespace

LocalRange LocalRangeOf(const Window& window, const TimeZone& zone) {
  const bool is_hour = window.end - window.start <= kHour;
  return {Reading(zone, window.start, is_hour), Reading(zone, window.end, is_hour)};
}

}  // namespace levada::elt
