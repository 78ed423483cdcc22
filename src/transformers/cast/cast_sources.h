#pragma once
// What the values of a column are before a cast: one small value type for each family of Arrow
// types, and for each Arrow type a source that reads it. Part of column_cast.cc.

#include <arrow/array.h>
#include <arrow/util/checked_cast.h>
#include <arrow/util/decimal.h>
#include <arrow/util/float16.h>

#include <cstdint>
#include <string_view>

namespace levada::cast {

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

template <typename ArrayType>
class ArraySource {
 public:
  explicit ArraySource(const arrow::Array& array)
      : array_(arrow::internal::checked_cast<const ArrayType&>(array)) {}

 protected:
  const ArrayType& array_;
};

struct BoolSource : ArraySource<arrow::BooleanArray> {
  using ArraySource::ArraySource;
  bool operator()(int64_t i) const { return array_.Value(i); }
};

template <typename ArrayType, typename Value>
struct NumberSource : ArraySource<ArrayType> {
  using ArraySource<ArrayType>::ArraySource;
  Value operator()(int64_t i) const { return Value{this->array_.Value(i)}; }
};

struct HalfSource : ArraySource<arrow::HalfFloatArray> {
  using ArraySource::ArraySource;
  Single operator()(int64_t i) const {
    return {arrow::util::Float16::FromBits(array_.Value(i)).ToFloat()};
  }
};

template <typename ArrayType, typename Value, typename Decimal>
struct DecimalSource : ArraySource<ArrayType> {
  explicit DecimalSource(const arrow::Array& array)
      : ArraySource<ArrayType>(array),
        scale(arrow::internal::checked_cast<const arrow::DecimalType&>(*array.type()).scale()) {}
  Value operator()(int64_t i) const { return {Decimal(this->array_.GetValue(i)), scale}; }
  const int32_t scale;
};

template <typename ArrayType, typename Value>
struct ViewSource : ArraySource<ArrayType> {
  using ArraySource<ArrayType>::ArraySource;
  Value operator()(int64_t i) const { return {std::string_view(this->array_.GetView(i))}; }
};

struct Date32Source : ArraySource<arrow::Date32Array> {
  using ArraySource::ArraySource;
  Day operator()(int64_t i) const { return {array_.Value(i)}; }
};

inline constexpr int64_t kSecondsPerDay = 86'400;
inline constexpr int64_t kNanosPerSecond = 1'000'000'000;
inline constexpr int64_t kNanosPerDay = kSecondsPerDay * kNanosPerSecond;

inline int64_t UnitsPerSecond(arrow::TimeUnit::type unit) {
  switch (unit) {
    case arrow::TimeUnit::SECOND:
      return 1;
    case arrow::TimeUnit::MILLI:
      return 1'000;
    case arrow::TimeUnit::MICRO:
      return 1'000'000;
    case arrow::TimeUnit::NANO:
      break;
  }
  return kNanosPerSecond;
}

template <typename ArrayType>
struct TimeSource : ArraySource<ArrayType> {
  explicit TimeSource(const arrow::Array& array)
      : ArraySource<ArrayType>(array),
        nanos_per_unit(
            kNanosPerSecond /
            UnitsPerSecond(
                arrow::internal::checked_cast<const arrow::TimeType&>(*array.type()).unit())) {}
  TimeOfDay operator()(int64_t i) const {
    TimeOfDay time;
    const int64_t value = this->array_.Value(i);
    if (__builtin_mul_overflow(value, nanos_per_unit, &time.nanos)) time.nanos = -1;
    return time;
  }
  const int64_t nanos_per_unit;
};

struct TimestampSource : ArraySource<arrow::TimestampArray> {
  explicit TimestampSource(const arrow::Array& array)
      : ArraySource(array),
        per_second(UnitsPerSecond(UnitOf(*array.type()))),
        zoned(!TypeOf(*array.type()).timezone().empty()) {}
  static const arrow::TimestampType& TypeOf(const arrow::DataType& type) {
    return arrow::internal::checked_cast<const arrow::TimestampType&>(type);
  }
  static arrow::TimeUnit::type UnitOf(const arrow::DataType& type) { return TypeOf(type).unit(); }
  Moment operator()(int64_t i) const {
    const int64_t value = array_.Value(i);
    int64_t seconds = value / per_second;
    int64_t rest = value % per_second;
    if (rest < 0) --seconds, rest += per_second;
    return {seconds, static_cast<int32_t>(rest * (kNanosPerSecond / per_second)), zoned};
  }
  const int64_t per_second;
  const bool zoned;
};

/// Calls `visit.template operator()<Source>()` with the source of `type`. The answer of
/// `visit.None()` for a type without one.
template <typename Visit>
auto VisitSource(const arrow::DataType& type, Visit&& visit) {
  using arrow::Type;
  switch (type.id()) {
    case Type::BOOL:
      return visit.template operator()<BoolSource>();
    case Type::INT8:
      return visit.template operator()<NumberSource<arrow::Int8Array, int64_t>>();
    case Type::INT16:
      return visit.template operator()<NumberSource<arrow::Int16Array, int64_t>>();
    case Type::INT32:
      return visit.template operator()<NumberSource<arrow::Int32Array, int64_t>>();
    case Type::INT64:
      return visit.template operator()<NumberSource<arrow::Int64Array, int64_t>>();
    case Type::UINT8:
      return visit.template operator()<NumberSource<arrow::UInt8Array, uint64_t>>();
    case Type::UINT16:
      return visit.template operator()<NumberSource<arrow::UInt16Array, uint64_t>>();
    case Type::UINT32:
      return visit.template operator()<NumberSource<arrow::UInt32Array, uint64_t>>();
    case Type::UINT64:
      return visit.template operator()<NumberSource<arrow::UInt64Array, uint64_t>>();
    case Type::HALF_FLOAT:
      return visit.template operator()<HalfSource>();
    case Type::FLOAT:
      return visit.template operator()<NumberSource<arrow::FloatArray, Single>>();
    case Type::DOUBLE:
      return visit.template operator()<NumberSource<arrow::DoubleArray, double>>();
    case Type::DECIMAL128:
      return visit.template
      operator()<DecimalSource<arrow::Decimal128Array, NarrowDecimal, arrow::Decimal128>>();
    case Type::DECIMAL256:
      return visit.template
      operator()<DecimalSource<arrow::Decimal256Array, WideDecimal, arrow::Decimal256>>();
    case Type::STRING:
      return visit.template operator()<ViewSource<arrow::StringArray, Text>>();
    case Type::LARGE_STRING:
      return visit.template operator()<ViewSource<arrow::LargeStringArray, Text>>();
    case Type::STRING_VIEW:
      return visit.template operator()<ViewSource<arrow::StringViewArray, Text>>();
    case Type::BINARY:
      return visit.template operator()<ViewSource<arrow::BinaryArray, Bytes>>();
    case Type::LARGE_BINARY:
      return visit.template operator()<ViewSource<arrow::LargeBinaryArray, Bytes>>();
    case Type::BINARY_VIEW:
      return visit.template operator()<ViewSource<arrow::BinaryViewArray, Bytes>>();
    case Type::FIXED_SIZE_BINARY:
      return visit.template operator()<ViewSource<arrow::FixedSizeBinaryArray, Bytes>>();
    case Type::DATE32:
      return visit.template operator()<Date32Source>();
    case Type::TIME32:
      return visit.template operator()<TimeSource<arrow::Time32Array>>();
    case Type::TIME64:
      return visit.template operator()<TimeSource<arrow::Time64Array>>();
    case Type::TIMESTAMP:
      return visit.template operator()<TimestampSource>();
    default:
      return visit.None();
  }
}

}  // namespace levada::cast
