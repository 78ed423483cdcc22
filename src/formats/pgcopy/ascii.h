#pragma once
// Whether bytes are all ASCII, eight at a time: the usual case of text, and UTF-8 without looking
// further.

#include <cstdint>
#include <cstring>

namespace levada::pgcopy {

inline bool IsAscii(const uint8_t* bytes, int64_t size) {
  constexpr uint64_t kTopBits = 0x8080'8080'8080'8080;
  uint64_t seen = 0;
  uint64_t word;
  if (size >= 8) {
    for (int64_t i = 0; i <= size - 8; i += 8) {
      std::memcpy(&word, bytes + i, 8);
      seen |= word;
    }
    std::memcpy(&word, bytes + size - 8, 8);  // the rest, with some of them again
    seen |= word;
  } else if (size >= 4) {
    uint32_t halves[2];
    std::memcpy(&halves[0], bytes, 4);
    std::memcpy(&halves[1], bytes + size - 4, 4);
    seen = halves[0] | halves[1];
  } else if (size > 0) {
    seen = bytes[0] | bytes[size / 2] | bytes[size - 1];
  }
  return (seen & kTopBits) == 0;
}

}  // namespace levada::pgcopy
