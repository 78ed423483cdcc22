#pragma once
// Quantities as people write them: "256MiB", "30s", and back.

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/fault.h"

namespace levada {

/// "0", "512", "64KiB", "1.5 GiB", "10MB" (decimal), "8G" (binary). Negative, overflowing or other
/// text: kBadValue.
Result<int64_t> ParseBytes(std::string_view text);
/// "149.3 MiB", "812 B"
std::string FormatBytes(int64_t bytes);

/// "250ms", "30s", "5m", "2h", "1d", "1h30m". A bare number is refused: it has no unit.
Result<std::chrono::nanoseconds> ParseDuration(std::string_view text);
/// "820ms", "4.8s", "2m05s", "5h31m"
std::string FormatDuration(std::chrono::nanoseconds duration);

/// "6,001,215"
std::string FormatCount(int64_t count);
/// "1 window", "30 windows": `one` gets an "s".
std::string FormatCount(int64_t count, std::string_view one);
/// "912k", "1.43M": three significant digits
std::string FormatRate(double per_second);

}  // namespace levada
