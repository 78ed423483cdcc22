#include "formats/pgcopy/numeric.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <limits>

#include "formats/pgcopy/wire.h"

namespace levada::pgcopy {

namespace {

constexpr int32_t kHeaderWords = 4;
constexpr int32_t kBase = 10'000;
constexpr int32_t kBaseDigits = 4;
constexpr uint32_t kPowersOfTen[] = {1, 10, 100, 1'000, 10'000};

uint32_t DigitAt(const NumericView& value, int32_t index) {
  return LoadBig16(value.digits + 2 * index);
}

/// The digits without zeros at either end, and the weight of the first.
struct Significant {
  int32_t first;
  int32_t count;
  int32_t weight;
};

Significant Strip(const NumericView& value) {
  int32_t first = 0;
  int32_t end = value.digit_count;
  while (first < end && DigitAt(value, first) == 0) ++first;
  while (end > first && DigitAt(value, end - 1) == 0) --end;
  return {first, end - first, value.weight - first};
}

void MultiplyAdd(DecimalWords& words, uint32_t factor, uint32_t addend) {
  unsigned __int128 carry = addend;
  for (uint64_t& word : words) {
    carry += static_cast<unsigned __int128>(word) * factor;
    word = static_cast<uint64_t>(carry);
    carry >>= 64;
  }
}

void Negate(DecimalWords& words) {
  uint64_t carry = 1;
  for (uint64_t& word : words) {
    word = ~word + carry;
    carry = carry != 0 && word == 0 ? 1 : 0;
  }
}

int32_t DecimalDigitsOf(uint32_t digit) {
  return digit >= 1'000 ? 4 : digit >= 100 ? 3 : digit >= 10 ? 2 : 1;
}

char* RenderDigit(uint32_t digit, char* out) {
  out[0] = static_cast<char>('0' + digit / 1'000);
  out[1] = static_cast<char>('0' + digit / 100 % 10);
  out[2] = static_cast<char>('0' + digit / 10 % 10);
  out[3] = static_cast<char>('0' + digit % 10);
  return out + kBaseDigits;
}

char* RenderWord(const char* word, char* out) {
  const size_t size = std::strlen(word);
  std::memcpy(out, word, size);
  return out + size;
}

const char* NameOf(NumericView::Class value_class) {
  switch (value_class) {
    case NumericView::Class::kPositiveInfinity:
      return "Infinity";
    case NumericView::Class::kNegativeInfinity:
      return "-Infinity";
    default:
      return "NaN";
  }
}

char* RenderInteger(const NumericView& value, char* out) {
  char* const start = out;
  for (int32_t i = 0; i <= value.weight; ++i) {
    const uint32_t digit = i < value.digit_count ? DigitAt(value, i) : 0;
    if (out == start) {
      if (digit == 0) continue;
      char padded[kBaseDigits];
      RenderDigit(digit, padded);
      const int32_t size = DecimalDigitsOf(digit);
      std::memcpy(out, padded + kBaseDigits - size, static_cast<size_t>(size));
      out += size;
    } else {
      out = RenderDigit(digit, out);
    }
  }
  if (out == start) *out++ = '0';
  return out;
}

/// nullptr when digits are left over behind the display scale.
char* RenderFraction(const NumericView& value, char* out) {
  const int32_t scale = value.display_scale;
  if (scale > 0) *out++ = '.';
  const int32_t groups = (scale + kBaseDigits - 1) / kBaseDigits;
  char* const end = out + scale;
  for (int32_t group = 0; group < groups; ++group) {
    const int32_t i = value.weight + 1 + group;
    out = RenderDigit(i >= 0 && i < value.digit_count ? DigitAt(value, i) : 0, out);
  }
  for (const char* cut = end; cut < out; ++cut) {
    if (*cut != '0') return nullptr;
  }
  for (int32_t i = std::max(value.weight + 1 + groups, 0); i < value.digit_count; ++i) {
    if (DigitAt(value, i) != 0) return nullptr;
  }
  return end;
}

}  // namespace

std::optional<NumericView> ParseNumeric(const uint8_t* bytes, int32_t size) {
  if (size < 2 * kHeaderWords) return std::nullopt;
  NumericView value{};
  value.digit_count = LoadBig16(bytes);
  value.weight = static_cast<int16_t>(LoadBig16(bytes + 2));
  const uint16_t sign = LoadBig16(bytes + 4);
  value.display_scale = LoadBig16(bytes + 6);
  value.digits = bytes + 2 * kHeaderWords;
  if (size != 2 * (kHeaderWords + value.digit_count)) return std::nullopt;
  if (value.display_scale > kNumericDisplayScaleMax) return std::nullopt;
  switch (sign) {
    case kNumericPositive:
      break;
    case kNumericNegative:
      value.negative = true;
      break;
    case kNumericNaN:
      value.value_class = NumericView::Class::kNaN;
      break;
    case kNumericPositiveInfinity:
      value.value_class = NumericView::Class::kPositiveInfinity;
      break;
    case kNumericNegativeInfinity:
      value.value_class = NumericView::Class::kNegativeInfinity;
      break;
    default:
      return std::nullopt;
  }
  for (int32_t i = 0; i < value.digit_count; ++i) {
    if (DigitAt(value, i) >= kBase) return std::nullopt;
  }
  return value;
}

std::optional<DecimalWords> ToDecimal(const NumericView& value, int32_t precision, int32_t scale) {
  DecimalWords words{};
  const Significant digits = Strip(value);
  if (digits.count == 0) return words;
  // The power of ten of the last digit, once the value is multiplied by 10^scale.
  const int32_t exponent = kBaseDigits * (digits.weight - digits.count + 1) + scale;
  if (exponent <= -kBaseDigits) return std::nullopt;
  const int32_t decimal_digits =
      DecimalDigitsOf(DigitAt(value, digits.first)) + kBaseDigits * (digits.count - 1) + exponent;
  if (decimal_digits > precision) return std::nullopt;

  const int32_t last = digits.first + digits.count - 1;
  for (int32_t i = digits.first; i < last; ++i) MultiplyAdd(words, kBase, DigitAt(value, i));
  if (exponent < 0) {
    const uint32_t divisor = kPowersOfTen[-exponent];
    if (DigitAt(value, last) % divisor != 0) return std::nullopt;
    MultiplyAdd(words, kPowersOfTen[kBaseDigits + exponent], DigitAt(value, last) / divisor);
  } else {
    MultiplyAdd(words, kBase, DigitAt(value, last));
    for (int32_t i = 0; i < exponent / kBaseDigits; ++i) MultiplyAdd(words, kBase, 0);
    MultiplyAdd(words, kPowersOfTen[exponent % kBaseDigits], 0);
  }
  if (value.negative) Negate(words);
  return words;
}

size_t RenderedSizeMax(const NumericView& value) {
  const int32_t integer_groups = std::max(value.weight, 0) + 1;
  // A sign, a point, and a whole group where the display scale ends inside one.
  return static_cast<size_t>(kBaseDigits * integer_groups + value.display_scale + kBaseDigits + 2);
}

char* RenderNumeric(const NumericView& value, char* out) {
  if (value.value_class != NumericView::Class::kFinite) {
    return RenderWord(NameOf(value.value_class), out);
  }
  if (value.negative && Strip(value).count > 0) *out++ = '-';
  return RenderFraction(value, RenderInteger(value, out));
}

std::optional<double> ToDouble(const NumericView& value) {
  switch (value.value_class) {
    case NumericView::Class::kNaN:
      return std::numeric_limits<double>::quiet_NaN();
    case NumericView::Class::kPositiveInfinity:
      return std::numeric_limits<double>::infinity();
    case NumericView::Class::kNegativeInfinity:
      return -std::numeric_limits<double>::infinity();
    case NumericView::Class::kFinite:
      break;
  }
  const Significant digits = Strip(value);
  if (digits.count == 0) return 0.0;
  std::string text(static_cast<size_t>(kBaseDigits * digits.count), '0');
  char* out = text.data();
  for (int32_t i = 0; i < digits.count; ++i)
    out = RenderDigit(DigitAt(value, digits.first + i), out);
  text += 'e' + std::to_string(kBaseDigits * (digits.weight - digits.count + 1));
  double number = 0;
  const std::from_chars_result parsed =
      std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ec != std::errc() || number == std::numeric_limits<double>::infinity()) {
    if (digits.weight >= 0) return std::nullopt;
    number = 0;  // too small: the nearest double is zero
  }
  return value.negative ? -number : number;
}

}  // namespace levada::pgcopy
