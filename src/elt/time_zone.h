#pragma once
// TimeZone: the offset of an IANA zone from UTC at any instant, from the system's tzdata.
//
// Local time is counted like an instant: microseconds since 1970-01-01T00:00 on the zone's own
// clock. So civil arithmetic (days, months) happens there with <chrono>, and only two questions are
// left for the zone: what its clock shows at an instant, and when its clock first shows a time.

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/fault.h"

// The date library stays in time_zone.cc.
namespace date {
class time_zone;
}

namespace levada::elt {

/// Microseconds since 1970-01-01T00:00 on a zone's clock.
using LocalMicros = int64_t;

/// Immutable; copies are cheap and thread-safe.
class TimeZone {
 public:
  /// A stretch of time with one offset, [begin, end).
  struct Period {
    WallMicros begin = 0;
    WallMicros end = 0;
    int64_t offset = 0;  ///< local minus UTC, in microseconds
  };

  static TimeZone Utc() { return TimeZone(nullptr); }
  /// kBadWindow for a name that is no zone, with the nearest one as help; "UTC" needs no tzdata.
  static Result<TimeZone> Find(const std::string& name);

  /// The longest period of one offset around `instant`. Instants outside the years 0001 to 9999 are
  /// answered as if at their edge.
  Period At(WallMicros instant) const;
  LocalMicros ToLocal(WallMicros instant) const { return instant + At(instant).offset; }
  /// The first instant at which the clock shows `local` or, where it skips that, the instant of the
  /// skip.
  WallMicros FirstInstant(LocalMicros local) const;

 private:
  explicit TimeZone(const date::time_zone* zone) : zone_(zone) {}
  const date::time_zone* zone_;  ///< null: UTC. Lives as long as the process.
};

}  // namespace levada::elt
