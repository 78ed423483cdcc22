#pragma once
// Times as S3's documents write them, and as clients do. Years 1 to 9999.

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace levada::s3xml {

/// "2009-10-12T17:50:30.000Z": milliseconds, what is below them cut off.
std::string FormatTime(WallMicros time);

/// Of ISO 8601: "2030-01-01", or "2030-01-01T00:00:00" with a fraction or none and "Z", an offset
/// such as "+01:00" or none, which is UTC; microseconds at most. And of RFC 9110's
/// "Sun, 29 Nov 2026 12:34:56 GMT", as the SDKs send LastModifiedTime.
std::optional<WallMicros> ParseTime(std::string_view text);

}  // namespace levada::s3xml
