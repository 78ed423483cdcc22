#pragma once
// What the values of a column are before a cast: one small value type for each family of Arrow
// types, and for each Arrow type a reader that gives its values as those of its family, a block at
// a time. So a conversion is written, and compiled, once for each family and not for each type.

#include <arrow/array.h>
#include <arrow/util/decimal.h>

#include <cstdint>
#include <string_view>
#include <variant>

namespace levada::conversions {

struct Text {
  std::string_view text;
};
struct Bytes {
  std::string_view bytes;
};
/// A float whose shortest decimal form is that of 32 bits.
struct Single {
  float value = 0;
};
struct NarrowDecimal {
  arrow::Decimal128 unscaled;
  int32_t scale = 0;
};
struct WideDecimal {
  arrow::Decimal256 unscaled;
  int32_t scale = 0;
};
struct Day {
  int64_t days = 0;  ///< since 1970-01-01
};
struct TimeOfDay {
  int64_t nanos = 0;  ///< since midnight; outside [0, 24 h) it is none
};
/// Since 1970-01-01T00:00, UTC if zoned, else on an unknown clock.
struct Moment {
  int64_t seconds = 0;
  int32_t nanos = 0;  ///< [0, 10^9)
  bool zoned = false;
};

/// Reads rows [begin, begin + count) of an array into `out`; what it gives for NULL means nothing.
/// Texts and bytes are views of the array.
template <typename Value>
using ReadBlock = void (*)(const arrow::Array& array, int64_t begin, int64_t count, Value* out);

/// A reader of each family.
using BlockReader =
    std::variant<std::monostate, ReadBlock<bool>, ReadBlock<int64_t>, ReadBlock<uint64_t>,
                 ReadBlock<Single>, ReadBlock<double>, ReadBlock<NarrowDecimal>,
                 ReadBlock<WideDecimal>, ReadBlock<Text>, ReadBlock<Bytes>, ReadBlock<Day>,
                 ReadBlock<TimeOfDay>, ReadBlock<Moment>>;

/// The reader of arrays of `type`; none for a type that has no casts.
BlockReader ReaderOf(const arrow::DataType& type);

inline constexpr int64_t kSecondsPerDay = 86'400;
inline constexpr int64_t kNanosPerSecond = 1'000'000'000;
inline constexpr int64_t kNanosPerDay = kSecondsPerDay * kNanosPerSecond;

}  // namespace levada::conversions
