#pragma once
// LocalRange: what a clock shows during a window. Columns that hold times without a zone
// (timestamps, dates, texts) are compared with these two readings; so every consumer cuts alike,
// and none depends on what its source knows of time zones.

#include "elt/run.h"
#include "elt/time_zone.h"

namespace levada::elt {

/// Readings of a clock, [from, to).
struct LocalRange {
  LocalMicros from = 0;
  LocalMicros to = 0;
  bool operator==(const LocalRange&) const = default;
};

/// The readings that belong to `window`, whose time zone is `zone`. Consecutive windows of one
/// length meet and their bounds never decrease, so that each reading is in exactly one of them:
/// - A day or a month is the local one, from midnight to midnight, also where the clock skips that
///   midnight. A day that never was belongs to the one behind it.
/// - What the clock shows twice belongs to the later of two hours, since until its end such rows
/// may
///   still come. The earlier one keeps what is shown once, which may be nothing: from == to.
/// - Readings that the clock skips belong to the window that begins with the skip, but for those
///   before a midnight, which end the day they are written in.
LocalRange LocalRangeOf(const Window& window, const TimeZone& zone);

}  // namespace levada::elt
