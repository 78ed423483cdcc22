#pragma once
// Times as S3's documents write them, and as clients do. Years 1 to 9999.

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace levada::s3xml {

/// "2009-10-12T17:50:30.000Z": milliseconds, what is below them cut off.
std::string FormatTime(WallMicros time);

/// As base/timestamp.h reads them: ISO 8601, and the dates of HTTP, which the SDKs send as
/// LastModifiedTime.
std::optional<WallMicros> ParseTime(std::string_view text);

}  // namespace levada::s3xml
