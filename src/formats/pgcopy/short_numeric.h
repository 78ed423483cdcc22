#pragma once
// The fast way for NUMERIC: up to four digits in all, in one 64-bit word and without a branch on
// how many there are.
//
// Four base-10000 digits are four 16-bit lanes. The digits on the wire are shifted to where the
// column's scale wants them, so that the last lane always is the last one that the scale reaches;
// then lanes are joined two by two. With scale 2 that covers values under 10^12: nearly all money
// there is. Everything else takes numeric.h.

#include <cstdint>
#include <limits>

#include "formats/pgcopy/wire.h"

namespace levada::pgcopy {

/// What of a decimal column's type the fast way needs; fixed once per column.
class ShortNumeric final {
 public:
  /// Precondition: 1 <= precision <= 76, 0 <= scale <= precision.
  static ShortNumeric Make(int32_t precision, int32_t scale) {
    ShortNumeric shape;
    shape.fraction_lanes_ = static_cast<uint32_t>((scale + 3) / 4);
    uint64_t divisor = 1;
    for (int32_t i = scale; i % 4 != 0; ++i) divisor *= 10;
    shape.divisor_ = divisor;
    // Multiplying by 2^64 / divisor, rounded up, and keeping the upper word divides exactly: what
    // is divided is below 10^16 and the divisor at most 1000, so the error stays below 10^16 / 2^64
    // < 1 / 1000.
    shape.reciprocal_ = divisor == 1 ? 0 : ~uint64_t{0} / divisor + 1;
    uint64_t limit = 1;
    for (int32_t i = 0; i < precision && i < 18; ++i) limit *= 10;
    shape.limit_ = precision < 18 ? limit : std::numeric_limits<uint64_t>::max();
    return shape;
  }

  /// Reads a field of `size` bytes of which the first 16 may be loaded. True, and `value` is the
  /// number times 10^scale, when the field is short, well-formed, finite and fits exactly; false
  /// says nothing but that.
  bool Decode(const uint8_t* bytes, int32_t size, int64_t& value) const {
    const uint64_t header = LoadBig64(bytes);
    const uint32_t digits = static_cast<uint32_t>(header >> 48);
    const uint32_t lanes =
        static_cast<uint32_t>(static_cast<int16_t>(header >> 32)) + 1 + fraction_lanes_;
    constexpr uint64_t kForeignBits = 0xBFFF'C000;  // of sign and display scale
    // In one comparison: 1 <= lanes <= 4.
    if (lanes - 1 > 3 || digits > lanes || size != static_cast<int32_t>(8 + 2 * digits) ||
        (header & kForeignBits) != 0) {
      return false;
    }
    const uint64_t words = (LoadBig64(bytes + 8) & kUpperLanes[digits]) >> (64 - 16 * lanes);
    // A lane of 10000 or more reaches its top bit when 22768 is added; a carry can only follow such
    // a lane.
    constexpr uint64_t kTopBits = 0x8000'8000'8000'8000;
    if (((words | (words + 0x58F0'58F0'58F0'58F0)) & kTopBits) != 0) return false;

    constexpr uint64_t kEvenLanes = 0x0000'FFFF'0000'FFFF;
    const uint64_t pairs = ((words >> 16) & kEvenLanes) * 10'000 + (words & kEvenLanes);
    const uint64_t whole = (pairs >> 32) * 100'000'000 + (pairs & 0xFFFF'FFFF);
    const uint64_t quotient =
        divisor_ == 1
            ? whole
            : static_cast<uint64_t>((static_cast<unsigned __int128>(whole) * reciprocal_) >> 64);
    if (quotient * divisor_ != whole || quotient >= limit_) return false;
    const int64_t sign = -static_cast<int64_t>((header >> 30) & 1);  // 0 or -1
    value = (static_cast<int64_t>(quotient) ^ sign) - sign;
    return true;
  }

 private:
  // Masks of the first lanes of a word, by their count.
  static constexpr uint64_t kUpperLanes[] = {0, 0xFFFF'0000'0000'0000, 0xFFFF'FFFF'0000'0000,
                                             0xFFFF'FFFF'FFFF'0000, 0xFFFF'FFFF'FFFF'FFFF};

  uint64_t divisor_ = 1;     // takes the digits of the last lane that the scale does not reach
  uint64_t reciprocal_ = 0;  // 2^64 / divisor_, rounded up
  uint64_t limit_ = 0;       // 10^precision
  uint32_t fraction_lanes_ = 0;
};

}  // namespace levada::pgcopy
