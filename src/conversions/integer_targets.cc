// Casts to booleans and integers.

#include <cmath>

#include "conversions/pair_cast.h"

namespace levada::conversions {
namespace {

constexpr Problem kNotABool = "neither 0 nor 1";
constexpr double kTwoTo63 = 9223372036854775808.0;
constexpr double kTwoTo64 = 18446744073709551616.0;

template <typename T>
Problem Take(const elt::Literal<T>& literal, T& out) {
  out = literal.value;
  return literal.problem;
}

/// The integer a decimal stands for. Scale may be negative.
template <typename Decimal, typename Integer>
Problem WholeOfDecimal(Decimal value, int32_t scale, Integer& out) {
  if (scale > 0) {
    Decimal whole;
    if (!Reduce(value, scale, 0, whole)) return kNotWhole;
    value = whole;
  }
  for (int32_t zeros = scale; zeros < 0; ++zeros) {
    // More than 20 digits are out of range anyway; so nothing overflows here.
    if (!value.FitsInPrecision(20)) return kOutOfRange;
    value = value * Decimal(10);
  }
  const Decimal min(std::numeric_limits<Integer>::min());
  const Decimal max(std::numeric_limits<Integer>::max());
  if (value < min || value > max) return kOutOfRange;
  out = static_cast<Integer>(value.low_bits());
  return nullptr;
}

template <typename Integer>
Problem WholeOfFloat(double value, double below, double limit, Integer& out) {
  if (std::isnan(value)) return "nan";
  if (!(value >= below && value < limit)) return kOutOfRange;
  if (value != std::trunc(value)) return kNotWhole;
  out = static_cast<Integer>(value);
  return nullptr;
}

}  // namespace

Problem ToBool::operator()(int64_t value, bool& out) const {
  if (value != 0 && value != 1) return kNotABool;
  return out = value == 1, nullptr;
}

Problem ToBool::operator()(uint64_t value, bool& out) const {
  if (value > 1) return kNotABool;
  return out = value == 1, nullptr;
}

Problem ToBool::operator()(Text value, bool& out) const {
  return Take(elt::ParseBoolLiteral(value.text), out);
}

Problem WholeOf(double value, int64_t& out) {
  return WholeOfFloat(value, -kTwoTo63, kTwoTo63, out);
}
Problem WholeOf(double value, uint64_t& out) { return WholeOfFloat(value, 0, kTwoTo64, out); }
Problem WholeOf(const NarrowDecimal& value, int64_t& out) {
  return WholeOfDecimal(value.unscaled, value.scale, out);
}
Problem WholeOf(const NarrowDecimal& value, uint64_t& out) {
  return WholeOfDecimal(value.unscaled, value.scale, out);
}
Problem WholeOf(const WideDecimal& value, int64_t& out) {
  return WholeOfDecimal(value.unscaled, value.scale, out);
}
Problem WholeOf(const WideDecimal& value, uint64_t& out) {
  return WholeOfDecimal(value.unscaled, value.scale, out);
}
Problem WholeOf(Text value, int64_t& out) {
  return Take(elt::ParseIntegerLiteral(value.text), out);
}
Problem WholeOf(Text value, uint64_t& out) {
  return Take(elt::ParseUnsignedLiteral(value.text), out);
}

std::unique_ptr<ColumnCast> MakeIntegerCast(const arrow::DataType& from, const CastTarget& to) {
  using arrow::Type;
  switch (to.type->id()) {
    case Type::BOOL:
      return MakePair<ToBool>(from, to);
    case Type::INT8:
      return MakePair<ToInteger<arrow::Int8Builder>>(from, to);
    case Type::INT16:
      return MakePair<ToInteger<arrow::Int16Builder>>(from, to);
    case Type::INT32:
      return MakePair<ToInteger<arrow::Int32Builder>>(from, to);
    case Type::INT64:
      return MakePair<ToInteger<arrow::Int64Builder>>(from, to);
    case Type::UINT8:
      return MakePair<ToInteger<arrow::UInt8Builder>>(from, to);
    case Type::UINT16:
      return MakePair<ToInteger<arrow::UInt16Builder>>(from, to);
    case Type::UINT32:
      return MakePair<ToInteger<arrow::UInt32Builder>>(from, to);
    case Type::UINT64:
      return MakePair<ToInteger<arrow::UInt64Builder>>(from, to);
    default:
      return nullptr;
  }
}

}  // namespace levada::conversions
