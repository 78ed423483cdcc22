// Casts to booleans, integers, floats and decimals.

#include <array>
#include <charconv>
#include <cmath>
#include <string>

#include "transformers/cast/cast_targets.h"

namespace levada::cast {
namespace {

using arrow::Decimal128;
using arrow::Decimal256;
using arrow::DecimalStatus;

constexpr Problem kNotABool = "neither 0 nor 1";
constexpr Problem kTooFine = "more digits after the point than the scale";
constexpr Problem kNoFloat = "an integer that no float of this size holds";
// Every integer up to here is a double (a float).
constexpr uint64_t kDoubleExact = uint64_t{1} << 53;
constexpr uint64_t kSingleExact = uint64_t{1} << 24;
constexpr double kTwoTo63 = 9223372036854775808.0;
constexpr double kTwoTo64 = 18446744073709551616.0;
constexpr int kPowersExact = 22;  // 10^22 is the last power of ten that is a double

template <typename T>
Problem Take(const elt::Literal<T>& literal, T& out) {
  out = literal.value;
  return literal.problem;
}

/// Arrow divides and looks at the remainder; only for less scale.
bool Reduce(const arrow::BasicDecimal128& value, int32_t from, int32_t to, Decimal128& out) {
  return value.Rescale(from, to, &out) == DecimalStatus::kSuccess;
}
bool Reduce(const arrow::BasicDecimal256& value, int32_t from, int32_t to, Decimal256& out) {
  return value.Rescale(from, to, &out) == DecimalStatus::kSuccess;
}

uint64_t Magnitude(int64_t value) {
  return value < 0 ? ~static_cast<uint64_t>(value) + 1 : static_cast<uint64_t>(value);
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

/// The float nearest to a decimal, by way of its digits: no other way rounds once.
template <typename Decimal, typename Float>
Problem FloatOfDecimal(const Decimal& value, int32_t scale, Float& out) {
  const std::string digits = value.ToIntegerString() + "e" + std::to_string(-scale);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), out);
  return error == std::errc() ? nullptr : kOutOfRange;
}

/// Exact quotients of exact numbers are rounded once, so most decimals need no digits.
template <typename Decimal>
Problem DoubleOfDecimal(const Decimal& value, int32_t scale, double& out) {
  static constexpr std::array<double, kPowersExact + 1> kPowers = {
      1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
      1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
  if (scale >= 0 && scale <= kPowersExact && value.FitsInPrecision(15)) {
    out = static_cast<double>(static_cast<int64_t>(value.low_bits())) / kPowers[scale];
    return nullptr;
  }
  return FloatOfDecimal(value, scale, out);
}

Problem SingleOfDouble(double value, float& out) {
  out = static_cast<float>(value);
  return std::isinf(out) && !std::isinf(value) ? kOutOfRange : nullptr;
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

Problem ToDouble::operator()(int64_t value, double& out) const {
  if (Magnitude(value) > kDoubleExact) return kNoFloat;
  return out = static_cast<double>(value), nullptr;
}
Problem ToDouble::operator()(uint64_t value, double& out) const {
  if (value > kDoubleExact) return kNoFloat;
  return out = static_cast<double>(value), nullptr;
}
Problem ToDouble::operator()(const NarrowDecimal& value, double& out) const {
  return DoubleOfDecimal(value.unscaled, value.scale, out);
}
Problem ToDouble::operator()(const WideDecimal& value, double& out) const {
  return DoubleOfDecimal(value.unscaled, value.scale, out);
}
Problem ToDouble::operator()(Text value, double& out) const {
  return Take(elt::ParseFloatLiteral(value.text), out);
}

Problem ToSingle::operator()(int64_t value, float& out) const {
  if (Magnitude(value) > kSingleExact) return kNoFloat;
  return out = static_cast<float>(value), nullptr;
}
Problem ToSingle::operator()(uint64_t value, float& out) const {
  if (value > kSingleExact) return kNoFloat;
  return out = static_cast<float>(value), nullptr;
}
Problem ToSingle::operator()(double value, float& out) const { return SingleOfDouble(value, out); }
Problem ToSingle::operator()(const NarrowDecimal& value, float& out) const {
  return FloatOfDecimal(value.unscaled, value.scale, out);
}
Problem ToSingle::operator()(const WideDecimal& value, float& out) const {
  return FloatOfDecimal(value.unscaled, value.scale, out);
}
Problem ToSingle::operator()(Text value, float& out) const {
  double wide = 0;
  const Problem problem = Take(elt::ParseFloatLiteral(value.text), wide);
  if (problem != nullptr) return problem;
  // Through a double a number could be rounded twice; the digits are read again as a float.
  std::string_view digits = value.text;
  if (digits.front() == '+') digits.remove_prefix(1);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), out);
  return error == std::errc() ? nullptr : kOutOfRange;
}

template <typename BuilderType, typename Decimal>
ToDecimal<BuilderType, Decimal>::ToDecimal(const CastTarget& target)
    : precision_(
          arrow::internal::checked_cast<const arrow::DecimalType&>(*target.type).precision()),
      scale_(arrow::internal::checked_cast<const arrow::DecimalType&>(*target.type).scale()) {}

template <typename BuilderType, typename Decimal>
Problem ToDecimal<BuilderType, Decimal>::Rescale(const Decimal& value, int32_t from,
                                                 Decimal& out) const {
  if (from > scale_) {
    if (!Reduce(value, from, scale_, out)) return kTooFine;
    return out.FitsInPrecision(precision_) ? nullptr : kOutOfRange;
  }
  const int32_t zeros = scale_ - from;
  // Checked before the multiplication, which would wrap unseen.
  if (zeros >= precision_ ? value != Decimal(0) : !value.FitsInPrecision(precision_ - zeros)) {
    return kOutOfRange;
  }
  out = zeros == 0 || zeros >= precision_ ? value
                                          : Decimal(value * Decimal(Decimal::GetScaleMultiplier(zeros)));
  return nullptr;
}

template <typename BuilderType, typename Decimal>
Problem ToDecimal<BuilderType, Decimal>::operator()(Text value, Decimal& out) const {
  if constexpr (std::is_same_v<Decimal, Decimal128>) {
    return Take(elt::ParseDecimalLiteral(value.text, precision_, scale_), out);
  } else {
    return Take(elt::ParseWideDecimalLiteral(value.text, precision_, scale_), out);
  }
}

template <typename BuilderType, typename Decimal>
Problem ToDecimal<BuilderType, Decimal>::operator()(Single value, Decimal& out) const {
  if (!std::isfinite(value.value)) return std::isnan(value.value) ? "nan" : "infinite";
  std::array<char, 32> text;
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), value.value);
  return (*this)(Text{{text.data(), static_cast<size_t>(end - text.data())}}, out);
}

template <typename BuilderType, typename Decimal>
Problem ToDecimal<BuilderType, Decimal>::operator()(double value, Decimal& out) const {
  if constexpr (std::is_same_v<Decimal, Decimal128>) {
    return Take(elt::DecimalOfFloat(value, precision_, scale_), out);
  } else {
    if (!std::isfinite(value)) return std::isnan(value) ? "nan" : "infinite";
    std::array<char, 32> text;
    const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), value);
    return (*this)(Text{{text.data(), static_cast<size_t>(end - text.data())}}, out);
  }
}

template <typename BuilderType, typename Decimal>
Problem ToDecimal<BuilderType, Decimal>::operator()(const WideDecimal& value, Decimal& out) const {
  if constexpr (std::is_same_v<Decimal, Decimal256>) {
    return Rescale(value.unscaled, value.scale, out);
  } else {
    Decimal256 wide;
    CastTarget target;
    target.type = arrow::decimal256(precision_, scale_);
    const Problem problem = ToDecimal256(target)(value, wide);
    if (problem != nullptr) return problem;
    // It fits in 38 digits, so the upper half only repeats the sign.
    const auto words = wide.little_endian_array();
    out = Decimal128(static_cast<int64_t>(words[1]), words[0]);
    return nullptr;
  }
}

template struct ToDecimal<arrow::Decimal128Builder, Decimal128>;
template struct ToDecimal<arrow::Decimal256Builder, Decimal256>;

}  // namespace levada::cast
