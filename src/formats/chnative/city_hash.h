#pragma once
// CityHash128 of CityHash 1.0.2, the checksum of ClickHouse's compressed frames. Later versions of
// CityHash give other values, so no library that is packaged today has it.

#include <cstdint>
#include <span>

namespace levada::chnative {

struct Hash128 {
  uint64_t low = 0;
  uint64_t high = 0;
  bool operator==(const Hash128&) const = default;
};

/// As ClickHouse keeps it in front of a frame: `low` first, both little-endian.
Hash128 CityHash128(std::span<const uint8_t> bytes);

}  // namespace levada::chnative
