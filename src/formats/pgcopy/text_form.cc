#include "formats/pgcopy/text_form.h"

#include <array>
#include <charconv>
#include <cstring>
#include <limits>
#include <string_view>

#include "formats/pgcopy/wire.h"

namespace levada::pgcopy {

namespace {

template <typename Value>
constexpr Value kMin = std::numeric_limits<Value>::min();
template <typename Value>
constexpr Value kMax = std::numeric_limits<Value>::max();

/// "000102" ... "ff"
constexpr std::array<char, 512> kHexPairs = [] {
  std::array<char, 512> pairs{};
  for (size_t byte = 0; byte < 256; ++byte) {
    pairs[2 * byte] = "0123456789abcdef"[byte >> 4];
    pairs[2 * byte + 1] = "0123456789abcdef"[byte & 15];
  }
  return pairs;
}();

char* RenderWord(std::string_view word, char* out) {
  std::memcpy(out, word.data(), word.size());
  return out + word.size();
}

char* RenderInteger(int64_t value, char* out) { return std::to_chars(out, out + 20, value).ptr; }

/// With zeros in front, to at least `width` digits. Precondition: value >= 0.
char* RenderPadded(int64_t value, int32_t width, char* out) {
  char digits[20];
  const char* const end = std::to_chars(digits, digits + sizeof(digits), value).ptr;
  for (int32_t i = static_cast<int32_t>(end - digits); i < width; ++i) *out++ = '0';
  return RenderWord(std::string_view(digits, static_cast<size_t>(end - digits)), out);
}

/// ".5", ".000001", nothing for 0. Precondition: 0 <= micros < 1000000.
char* RenderFraction(int64_t micros, char* out) {
  if (micros == 0) return out;
  *out++ = '.';
  out = RenderPadded(micros, 6, out);
  while (out[-1] == '0') --out;
  return out;
}

struct CivilDate {
  int64_t year;  // astronomical: 0 is 1 BC
  int64_t month;
  int64_t day;
};

/// The proleptic Gregorian date, counted in eras of 400 years that begin on a 1st of March, so that
/// the leap day is the last of its year and the lengths of months follow from a line through them.
CivilDate CivilDateOf(int64_t days_since_2000) {
  constexpr int64_t kDaysPerEra = 146'097;
  constexpr int64_t kEraStartTo2000 = 730'425;  // from 0000-03-01
  const int64_t days = days_since_2000 + kEraStartTo2000;
  const int64_t era = (days >= 0 ? days : days - (kDaysPerEra - 1)) / kDaysPerEra;
  const int64_t day_of_era = days - era * kDaysPerEra;
  const int64_t year_of_era =
      (day_of_era - day_of_era / 1'460 + day_of_era / 36'524 - day_of_era / (kDaysPerEra - 1)) /
      365;
  const int64_t day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int64_t month_from_march = (5 * day_of_year + 2) / 153;
  const int64_t month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
  return {era * 400 + year_of_era + (month <= 2 ? 1 : 0), month,
          day_of_year - (153 * month_from_march + 2) / 5 + 1};
}

char* RenderCivilDate(const CivilDate& date, char* out) {
  out = RenderPadded(date.year > 0 ? date.year : 1 - date.year, 4, out);
  *out++ = '-';
  out = RenderPadded(date.month, 2, out);
  *out++ = '-';
  return RenderPadded(date.day, 2, out);
}

char* RenderEra(const CivilDate& date, char* out) {
  return date.year > 0 ? out : RenderWord(" BC", out);
}

char* RenderPart(int64_t value, char unit, char* out) {
  if (value == 0) return out;
  out = RenderInteger(value, out);
  *out++ = unit;
  return out;
}

}  // namespace

char* RenderDate(int32_t days, char* out) {
  if (days == kMax<int32_t>) return RenderWord("infinity", out);
  if (days == kMin<int32_t>) return RenderWord("-infinity", out);
  const CivilDate date = CivilDateOf(days);
  return RenderEra(date, RenderCivilDate(date, out));
}

char* RenderTime(int64_t micros, char* out) {
  const int64_t seconds = micros / 1'000'000;
  out = RenderPadded(seconds / 3'600, 2, out);
  *out++ = ':';
  out = RenderPadded(seconds / 60 % 60, 2, out);
  *out++ = ':';
  out = RenderPadded(seconds % 60, 2, out);
  return RenderFraction(micros % 1'000'000, out);
}

char* RenderTimestamp(int64_t micros, bool with_zone, char* out) {
  if (micros == kMax<int64_t>) return RenderWord("infinity", out);
  if (micros == kMin<int64_t>) return RenderWord("-infinity", out);
  int64_t days = micros / kMicrosPerDay;
  int64_t time = micros % kMicrosPerDay;
  if (time < 0) {
    time += kMicrosPerDay;
    --days;
  }
  const CivilDate date = CivilDateOf(days);
  out = RenderCivilDate(date, out);
  *out++ = ' ';
  out = RenderTime(time, out);
  if (with_zone) out = RenderWord("+00", out);
  return RenderEra(date, out);
}

bool IsInfiniteInterval(int32_t months, int32_t days, int64_t micros) {
  return (months == kMax<int32_t> && days == kMax<int32_t> && micros == kMax<int64_t>) ||
         (months == kMin<int32_t> && days == kMin<int32_t> && micros == kMin<int64_t>);
}

char* RenderInterval(int32_t months, int32_t days, int64_t micros, char* out) {
  if (IsInfiniteInterval(months, days, micros)) {
    return RenderWord(months > 0 ? "infinity" : "-infinity", out);
  }
  if (months == 0 && days == 0 && micros == 0) return RenderWord("PT0S", out);
  *out++ = 'P';
  out = RenderPart(months / 12, 'Y', out);
  out = RenderPart(months % 12, 'M', out);
  out = RenderPart(days, 'D', out);
  if (micros == 0) return out;
  *out++ = 'T';
  constexpr int64_t kMicrosPerMinute = 60'000'000;
  out = RenderPart(micros / (60 * kMicrosPerMinute), 'H', out);
  out = RenderPart(micros / kMicrosPerMinute % 60, 'M', out);
  const int64_t rest = micros % kMicrosPerMinute;
  if (rest == 0) return out;
  if (rest < 0) *out++ = '-';
  const int64_t size = rest < 0 ? -rest : rest;
  out = RenderFraction(size % 1'000'000, RenderInteger(size / 1'000'000, out));
  *out++ = 'S';
  return out;
}

char* RenderInternalChar(uint8_t byte, char* out) {
  if (byte == 0) return out;
  if (byte < 0x80) {
    *out++ = static_cast<char>(byte);
    return out;
  }
  *out++ = '\\';
  *out++ = static_cast<char>('0' + (byte >> 6));
  *out++ = static_cast<char>('0' + ((byte >> 3) & 7));
  *out++ = static_cast<char>('0' + (byte & 7));
  return out;
}

char* RenderUuid(const uint8_t* bytes, char* out) {
  for (int32_t i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) *out++ = '-';
    std::memcpy(out, &kHexPairs[2 * bytes[i]], 2);
    out += 2;
  }
  return out;
}

}  // namespace levada::pgcopy
