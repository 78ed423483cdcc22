// Casts to floats and decimals.

#include <arrow/util/checked_cast.h>

#include <array>
#include <charconv>
#include <cmath>
#include <string>

#include "conversions/pair_cast.h"

namespace levada::conversions {
namespace {

using arrow::Decimal128;
using arrow::Decimal256;

constexpr Problem kTooFine = "more digits after the point than the scale";
constexpr Problem kNoFloat = "an integer that no float of this size holds";
// Every integer up to here is a double (a float).
constexpr uint64_t kDoubleExact = uint64_t{1} << 53;
constexpr uint64_t kSingleExact = uint64_t{1} << 24;
constexpr int kPowersExact = 22;  // 10^22 is the last power of ten that is a double

template <typename T>
Problem Take(const elt::Literal<T>& literal, T& out) {
  out = literal.value;
  return literal.problem;
}

/// `value` of scale `from` with `precision` digits, `scale` of them behind the point.
template <typename Decimal>
Problem RescaleDecimal(const Decimal& value, int32_t from, int32_t precision, int32_t scale,
                       Decimal& out) {
  if (from > scale) {
    if (!Reduce(value, from, scale, out)) return kTooFine;
    return out.FitsInPrecision(precision) ? nullptr : kOutOfRange;
  }
  const int32_t zeros = scale - from;
  // Checked before the multiplication, which would wrap unseen.
  if (zeros >= precision ? value != Decimal(0) : !value.FitsInPrecision(precision - zeros)) {
    return kOutOfRange;
  }
  out = zeros == 0 || zeros >= precision
            ? value
            : Decimal(value * Decimal(Decimal::GetScaleMultiplier(zeros)));
  return nullptr;
}

uint64_t Magnitude(int64_t value) {
  return value < 0 ? ~static_cast<uint64_t>(value) + 1 : static_cast<uint64_t>(value);
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

/// Above every decimal of the type, and far below where a shift would lose bits.
template <typename Decimal>
constexpr double kWholeMax = std::is_same_v<Decimal, Decimal128> ? 1e38 : 1e76;

/// A whole float as it is. Its shortest decimal form would be another number: 1e11 as a float of 32
/// bits is 99999997952.
template <typename Decimal>
Decimal WholeDecimal(double value) {
  constexpr int kMantissaBits = 53;
  int exponent = 0;
  const double fraction = std::frexp(value, &exponent);
  if (exponent <= kMantissaBits) return Decimal(static_cast<int64_t>(value));
  Decimal whole(static_cast<int64_t>(std::ldexp(std::fabs(fraction), kMantissaBits)));
  whole <<= static_cast<uint32_t>(exponent - kMantissaBits);
  return value < 0 ? Decimal(-whole) : whole;
}

Problem SingleOfDouble(double value, float& out) {
  out = static_cast<float>(value);
  const bool is_lost = std::isinf(out) ? !std::isinf(value) : out == 0 && value != 0;
  return is_lost ? kOutOfRange : nullptr;
}

}  // namespace

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
  return RescaleDecimal(value, from, precision_, scale_, out);
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
template <typename Float>
Problem ToDecimal<BuilderType, Decimal>::OfFloat(Float value, Decimal& out) const {
  if (!std::isfinite(value)) return std::isnan(value) ? "nan" : "infinite";
  // From here on every float is whole; below, the shortest form of a whole one is that number.
  constexpr auto kAllWhole =
      static_cast<Float>(std::is_same_v<Float, double> ? kDoubleExact : kSingleExact);
  if (std::fabs(value) >= kAllWhole) {
    if (std::fabs(value) >= kWholeMax<Decimal>) return kOutOfRange;
    return Rescale(WholeDecimal<Decimal>(value), 0, out);
  }
  if constexpr (std::is_same_v<Decimal, Decimal128> && std::is_same_v<Float, double>) {
    return Take(elt::DecimalOfFloat(value, precision_, scale_), out);
  } else {
    std::array<char, 32> text;
    const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), value);
    return (*this)(Text{{text.data(), static_cast<size_t>(end - text.data())}}, out);
  }
}

template <typename BuilderType, typename Decimal>
Problem ToDecimal<BuilderType, Decimal>::operator()(Single value, Decimal& out) const {
  return OfFloat(value.value, out);
}

template <typename BuilderType, typename Decimal>
Problem ToDecimal<BuilderType, Decimal>::operator()(double value, Decimal& out) const {
  return OfFloat(value, out);
}

template <typename BuilderType, typename Decimal>
Problem ToDecimal<BuilderType, Decimal>::operator()(const WideDecimal& value, Decimal& out) const {
  if constexpr (std::is_same_v<Decimal, Decimal256>) {
    return Rescale(value.unscaled, value.scale, out);
  } else {
    Decimal256 wide;
    const Problem problem = RescaleDecimal(value.unscaled, value.scale, precision_, scale_, wide);
    if (problem != nullptr) return problem;
    // It fits in 38 digits, so the upper half only repeats the sign.
    const auto words = wide.little_endian_array();
    out = Decimal128(static_cast<int64_t>(words[1]), words[0]);
    return nullptr;
  }
}

std::unique_ptr<ColumnCast> MakeNumberCast(const arrow::DataType& from, const CastTarget& to) {
  using arrow::Type;
  switch (to.type->id()) {
    case Type::FLOAT:
      return MakePair<ToSingle>(from, to);
    case Type::DOUBLE:
      return MakePair<ToDouble>(from, to);
    case Type::DECIMAL128:
      return MakePair<ToDecimal<arrow::Decimal128Builder, Decimal128>>(from, to);
    case Type::DECIMAL256:
      return MakePair<ToDecimal<arrow::Decimal256Builder, Decimal256>>(from, to);
    default:
      return nullptr;
  }
}

}  // namespace levada::conversions
