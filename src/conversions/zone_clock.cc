#include "conversions/zone_clock.h"

namespace levada::conversions {
namespace {

using Answer = elt::Literal<int64_t>;

// No zone changes its offset by more than a day at once, and none twice within two days.
constexpr int64_t kMargin = int64_t{2} * 86'400 * 1'000'000;

Answer Sum(int64_t a, int64_t b) {
  int64_t sum = 0;
  if (__builtin_add_overflow(a, b, &sum)) return Answer::Refused("out of range");
  return {sum};
}

}  // namespace

Answer ZoneClock::ToLocal(WallMicros instant) {
  if (instant < period_.begin || instant >= period_.end) period_ = zone_.At(instant);
  return Sum(instant, period_.offset);
}

Answer ZoneClock::ToInstant(elt::LocalMicros local) {
  const Answer near = Sum(local, -period_.offset);
  const bool inside = near.ok() && period_.end > period_.begin &&
                      Sum(period_.begin, kMargin).value <= near.value &&
                      near.value < Sum(period_.end, -kMargin).value;
  if (inside) return near;
  const WallMicros first = zone_.FirstInstant(local);
  period_ = zone_.At(first);
  if (Sum(first, period_.offset).value != local) {
    return Answer::Refused("a time that the zone's clock skips");
  }
  const elt::TimeZone::Period next = zone_.At(period_.end);
  const Answer second = Sum(local, -next.offset);
  if (second.ok() && second.value >= next.begin && second.value < next.end &&
      second.value != first) {
    return Answer::Refused("a time that the zone's clock shows twice");
  }
  return {first};
}

}  // namespace levada::conversions
