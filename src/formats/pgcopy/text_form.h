#pragma once
// PostgreSQL's text forms of dates, times, intervals and uuids, as it prints them with DateStyle
// ISO, IntervalStyle iso_8601 and TimeZone UTC. Each function writes at most kTextFormSizeMax
// characters to `out` and returns the end. NUMERIC's text form is in numeric.h.

#include <cstdint>

namespace levada::pgcopy {

inline constexpr int32_t kTextFormSizeMax = 80;

/// Days since 2000-01-01, INT32_MAX and INT32_MIN being the infinities: "2026-11-22", "0044-03-15
/// BC", "-infinity". Precondition: infinite or in [kDateMin, kDateEnd).
char* RenderDate(int32_t days, char* out);

/// Microseconds since midnight: "03:04:05.12", "24:00:00". Precondition: in [0, kMicrosPerDay].
char* RenderTime(int64_t micros, char* out);

/// Microseconds since 2000-01-01: "2026-11-22 03:04:05", with a zone "2026-11-22 03:04:05+00",
/// "infinity". Precondition: infinite or in [kTimestampMin, kTimestampEnd).
char* RenderTimestamp(int64_t micros, bool with_zone, char* out);

/// "P1Y2M-3DT4H5M6.7S", each part with its own sign, absent where it is zero; "PT0S"; twelve months
/// are a year and months, days and micros never flow into each other. The extremes of all three at
/// once are the infinities.
char* RenderInterval(int32_t months, int32_t days, int64_t micros, char* out);
/// Whether the three are what PostgreSQL 17 sends for infinity or -infinity.
bool IsInfiniteInterval(int32_t months, int32_t days, int64_t micros);

/// A value of type "char": nothing for 0, ASCII as it is, "\\303" for bytes above.
char* RenderInternalChar(uint8_t byte, char* out);

inline constexpr int32_t kUuidTextBytes = 36;
/// 16 bytes as 36 characters, lower case.
char* RenderUuid(const uint8_t* bytes, char* out);

}  // namespace levada::pgcopy
