// Casts to text.

#include <arrow/util/utf8.h>

#include <array>
#include <charconv>
#include <cmath>

#include "conversions/pair_cast.h"

namespace levada::conversions {
namespace {

template <typename Float>
std::string FloatText(Float value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value < 0 ? "-Infinity" : "Infinity";
  std::array<char, 32> text;
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), value);
  return std::string(text.data(), end);
}

/// The digits of an integer with a point before the last `scale` ones; never an exponent.
std::string PointText(std::string digits, int32_t scale) {
  const size_t first = digits.starts_with('-') ? 1 : 0;
  if (scale < 0) return digits == "0" ? digits : digits + std::string(-scale, '0');
  if (scale == 0) return digits;
  const auto fraction = static_cast<size_t>(scale);
  if (digits.size() - first <= fraction) {
    digits.insert(first, std::string(fraction + 1 - (digits.size() - first), '0'));
  }
  return digits.insert(digits.size() - fraction, ".");
}

/// "05:06:07" and as many digits of the second as there are.
std::string ClockText(int64_t nanos) {
  const int64_t second = nanos / kNanosPerSecond;
  std::string text = "00:00:00";
  auto put = [&text](size_t at, int64_t value) {
    text[at] = static_cast<char>('0' + value / 10);
    text[at + 1] = static_cast<char>('0' + value % 10);
  };
  put(0, second / 3600);
  put(3, second / 60 % 60);
  put(6, second % 60);
  const int64_t fraction = nanos % kNanosPerSecond;
  if (fraction == 0) return text;
  std::string digits = std::to_string(fraction);
  digits.insert(0, 9 - digits.size(), '0');
  digits.erase(digits.find_last_not_of('0') + 1);
  return text + "." + digits;
}

bool InCalendar(int64_t days) {
  constexpr int64_t kFirst = -719'528, kLast = 2'932'896;  // 0000-01-01 and 9999-12-31
  return days >= kFirst && days <= kLast;
}

}  // namespace

ToText::ToText(const CastTarget&) { arrow::util::InitializeUTF8(); }

Problem ToText::operator()(bool value, std::string_view& out) {
  return out = value ? "true" : "false", nullptr;
}
Problem ToText::operator()(int64_t value, std::string_view& out) {
  return Keep(std::to_string(value), out);
}
Problem ToText::operator()(uint64_t value, std::string_view& out) {
  return Keep(std::to_string(value), out);
}
Problem ToText::operator()(Single value, std::string_view& out) {
  return Keep(FloatText(value.value), out);
}
Problem ToText::operator()(double value, std::string_view& out) {
  return Keep(FloatText(value), out);
}
Problem ToText::operator()(const NarrowDecimal& value, std::string_view& out) {
  return Keep(PointText(value.unscaled.ToIntegerString(), value.scale), out);
}
Problem ToText::operator()(const WideDecimal& value, std::string_view& out) {
  return Keep(PointText(value.unscaled.ToIntegerString(), value.scale), out);
}
Problem ToText::operator()(Bytes value, std::string_view& out) {
  if (!arrow::util::ValidateUTF8(value.bytes)) return "not valid UTF-8";
  return out = value.bytes, nullptr;
}
Problem ToText::operator()(Day value, std::string_view& out) {
  if (!InCalendar(value.days)) return kOutOfRange;
  return Keep(elt::DateText(static_cast<int32_t>(value.days)), out);
}
Problem ToText::operator()(TimeOfDay value, std::string_view& out) {
  if (value.nanos < 0 || value.nanos >= kNanosPerDay) return "no such time of day";
  return Keep(ClockText(value.nanos), out);
}
Problem ToText::operator()(Moment value, std::string_view& out) {
  int64_t days = value.seconds / kSecondsPerDay;
  int64_t second = value.seconds % kSecondsPerDay;
  if (second < 0) --days, second += kSecondsPerDay;
  if (!InCalendar(days)) return kOutOfRange;
  return Keep(elt::DateText(static_cast<int32_t>(days)) + " " +
                  ClockText(second * kNanosPerSecond + value.nanos) + (value.zoned ? "Z" : ""),
              out);
}

std::unique_ptr<ColumnCast> MakeTextCast(const arrow::DataType& from, const CastTarget& to) {
  return to.type->id() == arrow::Type::STRING ? MakePair<ToText>(from, to)
                                              : MakePair<ToBytes>(from, to);
}

}  // namespace levada::conversions
