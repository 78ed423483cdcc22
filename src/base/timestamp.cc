#include "base/timestamp.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>

namespace levada {
namespace {

constexpr int64_t kMicrosPerSecond = 1'000'000;
constexpr size_t kFractionDigitsMax = 9;  // what clients send; finer than WallMicros is cut off
constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

/// Takes exactly `digit_count` digits from the front.
std::optional<int> TakeNumber(std::string_view& text, size_t digit_count) {
  if (text.size() < digit_count) return std::nullopt;
  int value = 0;
  for (const char c : text.substr(0, digit_count)) {
    if (!IsDigit(c)) return std::nullopt;
    value = value * 10 + (c - '0');
  }
  text.remove_prefix(digit_count);
  return value;
}

bool Take(std::string_view& text, std::string_view expected) {
  if (!text.starts_with(expected)) return false;
  text.remove_prefix(expected.size());
  return true;
}

std::optional<int64_t> SecondsOfDay(std::optional<int> year, std::optional<int> month,
                                    std::optional<int> day) {
  if (!year || !month || !day || *year < 1) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date).time_since_epoch().count() * int64_t{86'400};
}

/// "12:34:56"
std::optional<int64_t> TakeTimeOfDay(std::string_view& text) {
  const std::optional<int> hour = TakeNumber(text, 2);
  if (!hour || *hour > 23 || !Take(text, ":")) return std::nullopt;
  const std::optional<int> minute = TakeNumber(text, 2);
  if (!minute || *minute > 59 || !Take(text, ":")) return std::nullopt;
  const std::optional<int> second = TakeNumber(text, 2);
  if (!second || *second > 59) return std::nullopt;
  return *hour * 3600 + *minute * 60 + *second;
}

/// ".123", or nothing; as microseconds.
std::optional<int64_t> TakeFraction(std::string_view& text) {
  if (!Take(text, ".")) return 0;
  const size_t digit_count = std::min(text.find_first_not_of("0123456789"), text.size());
  if (digit_count == 0 || digit_count > kFractionDigitsMax) return std::nullopt;
  int64_t micros = 0;
  for (size_t i = 0; i < 6; ++i) micros = micros * 10 + (i < digit_count ? text[i] - '0' : 0);
  text.remove_prefix(digit_count);
  return micros;
}

/// "Z", "+01:00", or nothing; as seconds east of UTC.
std::optional<int64_t> TakeOffset(std::string_view& text) {
  if (text.empty() || Take(text, "Z")) return 0;
  const bool west = text.front() == '-';
  if (!west && text.front() != '+') return std::nullopt;
  text.remove_prefix(1);
  const std::optional<int> hours = TakeNumber(text, 2);
  if (!hours || *hours > 14 || !Take(text, ":")) return std::nullopt;
  const std::optional<int> minutes = TakeNumber(text, 2);
  if (!minutes || *minutes > 59) return std::nullopt;
  return (west ? -1 : 1) * (*hours * int64_t{3600} + *minutes * int64_t{60});
}

std::optional<WallMicros> ParseIso(std::string_view text) {
  const std::optional<int> year = TakeNumber(text, 4);
  if (!Take(text, "-")) return std::nullopt;
  const std::optional<int> month = TakeNumber(text, 2);
  if (!Take(text, "-")) return std::nullopt;
  const std::optional<int64_t> day = SecondsOfDay(year, month, TakeNumber(text, 2));
  if (!day) return std::nullopt;
  if (text.empty()) return *day * kMicrosPerSecond;
  if (!Take(text, "T")) return std::nullopt;
  const std::optional<int64_t> of_day = TakeTimeOfDay(text);
  if (!of_day) return std::nullopt;
  const std::optional<int64_t> fraction = TakeFraction(text);
  const std::optional<int64_t> offset = TakeOffset(text);
  if (!fraction || !offset || !text.empty()) return std::nullopt;
  return (*day + *of_day - *offset) * kMicrosPerSecond + *fraction;
}

std::optional<WallMicros> ParseHttpDate(std::string_view text) {
  // The day's name says nothing that the date does not.
  text.remove_prefix(std::min<size_t>(text.size(), 3));
  if (!Take(text, ", ")) return std::nullopt;
  const std::optional<int> day = TakeNumber(text, 2);
  if (!Take(text, " ")) return std::nullopt;
  const auto* const month = std::ranges::find(kMonths, text.substr(0, 3));
  if (month == kMonths.end()) return std::nullopt;
  text.remove_prefix(3);
  if (!Take(text, " ")) return std::nullopt;
  const std::optional<int> year = TakeNumber(text, 4);
  const std::optional<int64_t> date =
      SecondsOfDay(year, static_cast<int>(month - kMonths.begin()) + 1, day);
  if (!date || !Take(text, " ")) return std::nullopt;
  const std::optional<int64_t> of_day = TakeTimeOfDay(text);
  if (!of_day || text != " GMT") return std::nullopt;
  return (*date + *of_day) * kMicrosPerSecond;
}

}  // namespace

std::optional<WallMicros> ParseTimestamp(std::string_view text) {
  if (text.empty()) return std::nullopt;
  return IsDigit(text.front()) ? ParseIso(text) : ParseHttpDate(text);
}

}  // namespace levada
