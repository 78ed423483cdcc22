#include "formats/pgcopy/encoder.h"

#include <bit>
#include <charconv>
#include <iterator>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "formats/pgcopy/wire.h"

namespace levada::pgcopy {

namespace {

constexpr int32_t kPlacesMax = kNumericDisplayScaleMax;
constexpr int32_t kIntegerDigitsMax = 131'072;

/// A decimal number taken apart: value = digits * 10^-places.
struct DecimalText {
  bool negative = false;
  std::string digits;
  int32_t places = 0;
};

std::optional<DecimalText> Parse(std::string_view text) {
  DecimalText number;
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) {
    number.negative = text[0] == '-';
    text.remove_prefix(1);
  }
  bool behind_point = false;
  size_t i = 0;
  for (; i < text.size() && text[i] != 'e' && text[i] != 'E'; ++i) {
    if (text[i] == '.' && !behind_point) {
      behind_point = true;
    } else if (text[i] >= '0' && text[i] <= '9') {
      number.digits += text[i];
      number.places += behind_point ? 1 : 0;
    } else {
      return std::nullopt;
    }
  }
  if (number.digits.empty()) return std::nullopt;
  if (i == text.size()) return number;
  int32_t exponent = 0;
  const char* const end = text.data() + text.size();
  const std::from_chars_result parsed = std::from_chars(text.data() + i + 1, end, exponent);
  if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
  if (exponent > kIntegerDigitsMax || exponent < -kPlacesMax) return std::nullopt;
  number.places -= exponent;
  if (number.places < 0) {
    number.digits.append(static_cast<size_t>(-number.places), '0');
    number.places = 0;
  }
  return number;
}

Fault OutOfRange(std::string_view what) {
  return Fault(FaultCode::kBadValue, std::string(what) + " out of PostgreSQL's range");
}

}  // namespace

void Encoder::Put16(uint16_t value) { PutRaw(__builtin_bswap16(value)); }
void Encoder::Put32(uint32_t value) { PutRaw(__builtin_bswap32(value)); }
void Encoder::Put64(uint64_t value) { PutRaw(__builtin_bswap64(value)); }

void Encoder::PutField(const void* bytes, size_t size) {
  Put32(static_cast<uint32_t>(size));
  const uint8_t* const from = static_cast<const uint8_t*>(bytes);
  bytes_.insert(bytes_.end(), from, from + size);
}

void Encoder::Header() {
  bytes_.insert(bytes_.end(), std::begin(kSignature), std::end(kSignature));
  Put32(0);
  Put32(0);
}

void Encoder::BeginTuple(int16_t field_count) { Put16(static_cast<uint16_t>(field_count)); }
void Encoder::Trailer() { Put16(static_cast<uint16_t>(kTrailer)); }
void Encoder::Null() { Put32(static_cast<uint32_t>(kNullLength)); }

void Encoder::Bool(bool value) {
  Put32(1);
  Put8(value ? 1 : 0);
}

void Encoder::Int2(int16_t value) {
  Put32(2);
  Put16(static_cast<uint16_t>(value));
}

void Encoder::Int4(int32_t value) {
  Put32(4);
  Put32(static_cast<uint32_t>(value));
}

void Encoder::Int8(int64_t value) {
  Put32(8);
  Put64(static_cast<uint64_t>(value));
}

void Encoder::Oid(uint32_t value) { Int4(static_cast<int32_t>(value)); }
void Encoder::Float4(float value) { Int4(std::bit_cast<int32_t>(value)); }
void Encoder::Float8(double value) { Int8(std::bit_cast<int64_t>(value)); }

void Encoder::NumericSpecial(uint16_t sign) {
  Put32(8);
  Put16(0);
  Put16(0);
  Put16(sign);
  Put16(0);
}

Status Encoder::Numeric(std::string_view text) {
  if (text == "NaN") return NumericSpecial(kNumericNaN), Status::OK();
  if (text == "Infinity") return NumericSpecial(kNumericPositiveInfinity), Status::OK();
  if (text == "-Infinity") return NumericSpecial(kNumericNegativeInfinity), Status::OK();
  std::optional<DecimalText> number = Parse(text);
  if (!number) {
    return Fault(FaultCode::kBadValue, "expected a number, got \"" + std::string(text) + "\"");
  }
  if (number->places > kPlacesMax) return OutOfRange("numeric");
  // Whole groups of four on both sides of the point.
  std::string& digits = number->digits;
  const size_t places = static_cast<size_t>(number->places);
  digits.append((4 - places % 4) % 4, '0');
  digits.insert(0, (4 - digits.size() % 4) % 4, '0');
  std::vector<uint16_t> groups;
  for (size_t i = 0; i < digits.size(); i += 4) {
    uint16_t group = 0;
    for (size_t j = i; j < i + 4; ++j)
      group = static_cast<uint16_t>(10 * group + (digits[j] - '0'));
    groups.push_back(group);
  }
  int32_t weight = static_cast<int32_t>(groups.size()) - static_cast<int32_t>((places + 3) / 4) - 1;
  size_t first = 0;
  while (first < groups.size() && groups[first] == 0) ++first, --weight;
  while (groups.size() > first && groups.back() == 0) groups.pop_back();
  if (weight >= kIntegerDigitsMax / 4) return OutOfRange("numeric");
  const bool zero = first == groups.size();
  Put32(static_cast<uint32_t>(8 + 2 * (groups.size() - first)));
  Put16(static_cast<uint16_t>(groups.size() - first));
  Put16(static_cast<uint16_t>(zero ? 0 : weight));
  Put16(number->negative && !zero ? kNumericNegative : kNumericPositive);
  Put16(static_cast<uint16_t>(places));
  for (size_t i = first; i < groups.size(); ++i) Put16(groups[i]);
  return Status::OK();
}

void Encoder::NumericDigits(bool negative, int16_t weight, uint16_t display_scale,
                            std::span<const uint16_t> digits) {
  Put32(static_cast<uint32_t>(8 + 2 * digits.size()));
  Put16(static_cast<uint16_t>(digits.size()));
  Put16(static_cast<uint16_t>(weight));
  Put16(negative ? kNumericNegative : kNumericPositive);
  Put16(display_scale);
  for (const uint16_t digit : digits) Put16(digit);
}

void Encoder::Text(std::string_view value) { PutField(value.data(), value.size()); }
void Encoder::Bytea(std::span<const uint8_t> value) { PutField(value.data(), value.size()); }

void Encoder::Jsonb(std::string_view value) {
  Put32(static_cast<uint32_t>(value.size() + 1));
  Put8(1);
  bytes_.insert(bytes_.end(), value.begin(), value.end());
}

Status Encoder::Date(int32_t days) {
  const int64_t since_2000 = int64_t{days} - kDaysTo2000;
  if (since_2000 < kDateMin || since_2000 >= kDateEnd) return OutOfRange("date");
  Int4(static_cast<int32_t>(since_2000));
  return Status::OK();
}

Status Encoder::Time(int64_t micros) {
  if (micros < 0 || micros > kMicrosPerDay) return OutOfRange("time");
  Int8(micros);
  return Status::OK();
}

Status Encoder::Timestamp(int64_t micros) {
  // Every int64 since 1970 is before PostgreSQL's end; only the beginning can be missed.
  if (micros < kTimestampMin + kMicrosTo2000) return OutOfRange("timestamp");
  Int8(micros - kMicrosTo2000);
  return Status::OK();
}

void Encoder::DateInfinity(bool negative) {
  Int4(negative ? std::numeric_limits<int32_t>::min() : std::numeric_limits<int32_t>::max());
}

void Encoder::TimestampInfinity(bool negative) {
  Int8(negative ? std::numeric_limits<int64_t>::min() : std::numeric_limits<int64_t>::max());
}

void Encoder::Interval(int32_t months, int32_t days, int64_t micros) {
  Put32(16);
  Put64(static_cast<uint64_t>(micros));
  Put32(static_cast<uint32_t>(days));
  Put32(static_cast<uint32_t>(months));
}

void Encoder::Uuid(std::span<const uint8_t, 16> value) { PutField(value.data(), value.size()); }

void Encoder::BeginArray(uint32_t element_oid, int32_t size, bool has_null, int32_t lower_bound) {
  array_start_ = bytes_.size();
  Put32(0);
  Put32(size == 0 ? 0 : 1);
  Put32(has_null ? 1 : 0);
  Put32(element_oid);
  if (size == 0) return;
  Put32(static_cast<uint32_t>(size));
  Put32(static_cast<uint32_t>(lower_bound));
}

void Encoder::EndArray() {
  const uint32_t size = static_cast<uint32_t>(bytes_.size() - array_start_ - 4);
  Store(bytes_.data() + array_start_, __builtin_bswap32(size));
}

std::vector<uint8_t> Encoder::Take() { return std::exchange(bytes_, {}); }

}  // namespace levada::pgcopy
