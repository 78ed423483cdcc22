#pragma once
// Big-endian loads and stores of PostgreSQL's binary formats. None of them checks a bound: the
// caller has.

#include <bit>
#include <cstdint>
#include <cstring>

namespace levada::pgcopy {

static_assert(std::endian::native == std::endian::little, "the byte swaps below assume it");

inline uint16_t LoadBig16(const uint8_t* from) {
  uint16_t raw;
  std::memcpy(&raw, from, sizeof(raw));
  return __builtin_bswap16(raw);
}

inline uint32_t LoadBig32(const uint8_t* from) {
  uint32_t raw;
  std::memcpy(&raw, from, sizeof(raw));
  return __builtin_bswap32(raw);
}

inline uint64_t LoadBig64(const uint8_t* from) {
  uint64_t raw;
  std::memcpy(&raw, from, sizeof(raw));
  return __builtin_bswap64(raw);
}

/// Stores in the machine's own order, into memory of any alignment.
template <typename Value>
inline void Store(uint8_t* to, Value value) {
  std::memcpy(to, &value, sizeof(value));
}

// The stream's fixed parts. Source: PostgreSQL documentation, COPY, "Binary Format".
inline constexpr uint8_t kSignature[11] = {'P', 'G', 'C', 'O', 'P', 'Y', '\n', 0xff, '\r', '\n', 0};
inline constexpr int64_t kHeaderBytes = 19;  // signature, flags, length of the extension
inline constexpr int32_t kNullLength = -1;
inline constexpr int16_t kTrailer = -1;

// Calendar facts. Source: src/include/datatype/timestamp.h.
inline constexpr int32_t kDaysTo2000 = 10957;                  // 1970-01-01 to 2000-01-01
inline constexpr int64_t kMicrosTo2000 = 946'684'800'000'000;  // the same in microseconds
inline constexpr int32_t kDateMin = -2'451'545;     // 4714-11-24 BC, days since 2000-01-01
inline constexpr int32_t kDateEnd = 2'145'031'949;  // one past 5874897-12-31
inline constexpr int64_t kTimestampMin = -211'813'488'000'000'000;   // micros since 2000-01-01
inline constexpr int64_t kTimestampEnd = 9'223'371'331'200'000'000;  // one past 294276-12-31
inline constexpr int64_t kMicrosPerDay = 86'400'000'000;

// NUMERIC's sign word and display scale. Source: src/backend/utils/adt/numeric.c.
inline constexpr uint16_t kNumericPositive = 0x0000;
inline constexpr uint16_t kNumericNegative = 0x4000;
inline constexpr uint16_t kNumericNaN = 0xC000;
inline constexpr uint16_t kNumericPositiveInfinity = 0xD000;
inline constexpr uint16_t kNumericNegativeInfinity = 0xF000;
inline constexpr uint16_t kNumericDisplayScaleMax = 0x3FFF;

}  // namespace levada::pgcopy
