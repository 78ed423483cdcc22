#pragma once
// The calendar behind windows: which window of a length holds an instant, and what its label is.
// Knows nothing of a pipeline's start, end or delay (windows.cc).

#include <optional>
#include <string>
#include <string_view>

#include "elt/plan.h"
#include "elt/time_zone.h"

namespace levada::elt {

/// A place in local time as people write it.
struct WrittenTime {
  LocalMicros local = 0;
  std::optional<int64_t> offset;  ///< in microseconds; "2026-10-25T02+0100"
};

/// "2026", no; "2026-01", "2026-01-31", "2026-01-31T05", "2026-01-31T05:00" and with an offset
/// where an hour is given: "2026-01-31T05+0100". nullopt for anything else, also for days that no
/// calendar has.
std::optional<WrittenTime> ParseWrittenTime(std::string_view text);

/// As ParseWrittenTime, but a month or day that is too large becomes the last there is: for
/// suggestions.
std::optional<WrittenTime> ParseNearestTime(std::string_view text);

/// The window of length `every` that holds `instant`; `timezone` is the name of `zone`. Windows of
/// one zone follow each other without a gap; none is empty. A day may have 23 or 25 hours, and an
/// hour that the clock shows twice is two windows, labelled with their offsets.
Window WindowAt(Every every, const TimeZone& zone, const std::string& timezone, WallMicros instant);

/// Instants that have windows, [kFirstWindow, kLastWindow): the years 0001 to 9998.
inline constexpr WallMicros kFirstWindow = -62'135'596'800'000'000;
inline constexpr WallMicros kLastWindow = 253'370'764'800'000'000;

/// A local time in civil terms.
struct CivilTime {
  int year = 0;
  unsigned month = 1;
  unsigned day = 1;
  int hour = 0;
  int minute = 0;
  int second = 0;
  int day_of_year = 1;
};
CivilTime ToCivil(LocalMicros local);

/// `value` with zeros in front, at least `width` digits.
std::string Padded(int64_t value, size_t width);

}  // namespace levada::elt
