// The readers: each Arrow type as its family.

#include "conversions/cast_sources.h"

#include <arrow/util/checked_cast.h>
#include <arrow/util/float16.h>

#include "elt/time_unit.h"

namespace levada::conversions {
namespace {

using arrow::Type;
using arrow::internal::checked_cast;

/// Integers, floats and booleans.
template <typename ArrayType, typename Value>
void ReadNumbers(const arrow::Array& array, int64_t begin, int64_t count, Value* out) {
  const auto& typed = checked_cast<const ArrayType&>(array);
  for (int64_t i = 0; i < count; ++i) out[i] = Value{typed.Value(begin + i)};
}

void ReadHalves(const arrow::Array& array, int64_t begin, int64_t count, Single* out) {
  const auto& typed = checked_cast<const arrow::HalfFloatArray&>(array);
  for (int64_t i = 0; i < count; ++i) {
    out[i] = {arrow::util::Float16::FromBits(typed.Value(begin + i)).ToFloat()};
  }
}

template <typename ArrayType, typename Value>
void ReadDecimals(const arrow::Array& array, int64_t begin, int64_t count, Value* out) {
  using Decimal = decltype(Value::unscaled);
  const auto& typed = checked_cast<const ArrayType&>(array);
  const int32_t scale = checked_cast<const arrow::DecimalType&>(*array.type()).scale();
  for (int64_t i = 0; i < count; ++i) out[i] = {Decimal(typed.GetValue(begin + i)), scale};
}

template <typename ArrayType, typename Value>
void ReadViews(const arrow::Array& array, int64_t begin, int64_t count, Value* out) {
  const auto& typed = checked_cast<const ArrayType&>(array);
  for (int64_t i = 0; i < count; ++i) {
    // The view of a NULL may point anywhere.
    if (!typed.IsNull(begin + i)) out[i] = {std::string_view(typed.GetView(begin + i))};
  }
}

void ReadDays(const arrow::Array& array, int64_t begin, int64_t count, Day* out) {
  const auto& typed = checked_cast<const arrow::Date32Array&>(array);
  for (int64_t i = 0; i < count; ++i) out[i] = {typed.Value(begin + i)};
}

template <typename ArrayType>
void ReadTimes(const arrow::Array& array, int64_t begin, int64_t count, TimeOfDay* out) {
  const auto& typed = checked_cast<const ArrayType&>(array);
  const auto unit = checked_cast<const arrow::TimeType&>(*array.type()).unit();
  const int64_t nanos_per_unit = kNanosPerSecond / elt::UnitsPerSecond(unit);
  for (int64_t i = 0; i < count; ++i) {
    const int64_t value = typed.Value(begin + i);
    if (__builtin_mul_overflow(value, nanos_per_unit, &out[i].nanos)) out[i].nanos = -1;
  }
}

void ReadMoments(const arrow::Array& array, int64_t begin, int64_t count, Moment* out) {
  const auto& typed = checked_cast<const arrow::TimestampArray&>(array);
  const auto& type = checked_cast<const arrow::TimestampType&>(*array.type());
  const int64_t per_second = elt::UnitsPerSecond(type.unit());
  const bool zoned = !type.timezone().empty();
  for (int64_t i = 0; i < count; ++i) {
    const int64_t value = typed.Value(begin + i);
    int64_t seconds = value / per_second;
    int64_t rest = value % per_second;
    if (rest < 0) --seconds, rest += per_second;
    out[i] = {seconds, static_cast<int32_t>(rest * (kNanosPerSecond / per_second)), zoned};
  }
}

}  // namespace

BlockReader ReaderOf(const arrow::DataType& type) {
  switch (type.id()) {
    case Type::BOOL:
      return &ReadNumbers<arrow::BooleanArray, bool>;
    case Type::INT8:
      return &ReadNumbers<arrow::Int8Array, int64_t>;
    case Type::INT16:
      return &ReadNumbers<arrow::Int16Array, int64_t>;
    case Type::INT32:
      return &ReadNumbers<arrow::Int32Array, int64_t>;
    case Type::INT64:
      return &ReadNumbers<arrow::Int64Array, int64_t>;
    case Type::UINT8:
      return &ReadNumbers<arrow::UInt8Array, uint64_t>;
    case Type::UINT16:
      return &ReadNumbers<arrow::UInt16Array, uint64_t>;
    case Type::UINT32:
      return &ReadNumbers<arrow::UInt32Array, uint64_t>;
    case Type::UINT64:
      return &ReadNumbers<arrow::UInt64Array, uint64_t>;
    case Type::HALF_FLOAT:
      return &ReadHalves;
    case Type::FLOAT:
      return &ReadNumbers<arrow::FloatArray, Single>;
    case Type::DOUBLE:
      return &ReadNumbers<arrow::DoubleArray, double>;
    case Type::DECIMAL128:
      return &ReadDecimals<arrow::Decimal128Array, NarrowDecimal>;
    case Type::DECIMAL256:
      return &ReadDecimals<arrow::Decimal256Array, WideDecimal>;
    case Type::STRING:
      return &ReadViews<arrow::StringArray, Text>;
    case Type::LARGE_STRING:
      return &ReadViews<arrow::LargeStringArray, Text>;
    case Type::STRING_VIEW:
      return &ReadViews<arrow::StringViewArray, Text>;
    case Type::BINARY:
      return &ReadViews<arrow::BinaryArray, Bytes>;
    case Type::LARGE_BINARY:
      return &ReadViews<arrow::LargeBinaryArray, Bytes>;
    case Type::BINARY_VIEW:
      return &ReadViews<arrow::BinaryViewArray, Bytes>;
    case Type::FIXED_SIZE_BINARY:
      return &ReadViews<arrow::FixedSizeBinaryArray, Bytes>;
    case Type::DATE32:
      return &ReadDays;
    case Type::TIME32:
      return &ReadTimes<arrow::Time32Array>;
    case Type::TIME64:
      return &ReadTimes<arrow::Time64Array>;
    case Type::TIMESTAMP:
      return &ReadMoments;
    default:
      return std::monostate();
  }
}

}  // namespace levada::conversions
