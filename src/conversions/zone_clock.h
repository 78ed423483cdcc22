#pragma once
// ZoneClock: readings of a zone's clock to instants and back, one after the other. Keeps the period
// of the last one, since the values of a column are close to each other.

#include "elt/literal.h"
#include "elt/time_zone.h"

namespace levada::conversions {

/// One thread at a time; copies start anew.
class ZoneClock {
 public:
  explicit ZoneClock(elt::TimeZone zone) : zone_(zone) {}

  /// What the clock shows at `instant`, in microseconds since 1970-01-01T00:00 on it. Refused where
  /// that leaves 64 bits.
  elt::Literal<int64_t> ToLocal(WallMicros instant);
  /// The one instant at which the clock shows `local`: refused where it shows it twice or skips it.
  elt::Literal<WallMicros> ToInstant(elt::LocalMicros local);

 private:
  elt::TimeZone zone_;
  elt::TimeZone::Period period_;  ///< empty at first
};

}  // namespace levada::conversions
