#pragma once
// Moments as programs of others write them. FormatTimestamp of clock.h is how we do.

#include <optional>
#include <string_view>

#include "base/clock.h"

namespace levada {

/// Of ISO 8601, and so of RFC 3339: "2030-01-01", or "2030-01-01T00:00:00" with a fraction or none
/// and "Z", an offset such as "+01:00" or none, which is UTC; microseconds at most. And of RFC
/// 9110's "Sun, 29 Nov 2026 12:34:56 GMT". Years 1 to 9999.
std::optional<WallMicros> ParseTimestamp(std::string_view text);

}  // namespace levada
