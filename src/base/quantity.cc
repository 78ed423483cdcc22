#include "base/quantity.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>

namespace levada {
namespace {

// Digits beyond these are no quantity anybody means, and 10^18 times the largest unit still fits
// 128 bits.
constexpr size_t kDigitsMax = 18;
constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
using Wide = unsigned __int128;

struct Unit {
  std::string_view name;  // lower case
  int64_t size;
};

constexpr auto kByteUnits = std::to_array<Unit>({
    {"", 1},
    {"b", 1},
    {"k", int64_t{1} << 10},
    {"m", int64_t{1} << 20},
    {"g", int64_t{1} << 30},
    {"t", int64_t{1} << 40},
    {"p", int64_t{1} << 50},
    {"kib", int64_t{1} << 10},
    {"mib", int64_t{1} << 20},
    {"gib", int64_t{1} << 30},
    {"tib", int64_t{1} << 40},
    {"pib", int64_t{1} << 50},
    {"kb", 1'000},
    {"mb", 1'000'000},
    {"gb", 1'000'000'000},
    {"tb", 1'000'000'000'000},
    {"pb", 1'000'000'000'000'000},
});

constexpr auto kTimeUnits = std::to_array<Unit>({
    {"d", 86'400'000'000'000},
    {"h", 3'600'000'000'000},
    {"m", 60'000'000'000},
    {"s", 1'000'000'000},
    {"ms", 1'000'000},
    {"us", 1'000},
    {"ns", 1},
});

template <size_t N>
const Unit* FindUnit(const std::array<Unit, N>& units, std::string_view name) {
  const auto unit = std::ranges::find(units, name, &Unit::name);
  return unit == units.end() ? nullptr : &*unit;
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

void SkipBlanks(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
}

std::string_view TakeDigits(std::string_view& text) {
  size_t count = 0;
  while (count < text.size() && IsDigit(text[count])) ++count;
  const std::string_view digits = text.substr(0, count);
  text.remove_prefix(count);
  return digits;
}

std::string TakeWord(std::string_view& text) {
  std::string word;
  while (!text.empty() && IsLetter(text.front())) {
    word += static_cast<char>(text.front() | 0x20);
    text.remove_prefix(1);
  }
  return word;
}

// "12" or "12.5" as digits over a power of ten.
struct Number {
  Wide digits = 0;
  Wide scale = 1;
};

std::optional<Number> TakeNumber(std::string_view& text) {
  const std::string_view whole = TakeDigits(text);
  std::string_view fraction;
  if (whole.empty()) return std::nullopt;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    fraction = TakeDigits(text);
    if (fraction.empty()) return std::nullopt;
  }
  if (whole.size() + fraction.size() > kDigitsMax + 1) return std::nullopt;
  Number number;
  for (const char digit : whole) number.digits = number.digits * 10 + (digit - '0');
  for (const char digit : fraction) {
    number.digits = number.digits * 10 + (digit - '0');
    number.scale *= 10;
  }
  return number;
}

Fault Refusal(std::string_view what, std::string_view text, std::string_view help) {
  return Fault(FaultCode::kBadValue, fmt::format("expected {}, got \"{}\"", what, text))
      .Help(std::string(help));
}

uint64_t Magnitude(int64_t value) {
  return value < 0 ? 0 - static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
}

constexpr std::string_view kBytesHelp = "write a size like 256MiB, 1.5GiB or 10MB";
constexpr std::string_view kDurationHelp = "write a duration like 250ms, 30s, 5m or 1h30m";

}  // namespace

Result<int64_t> ParseBytes(std::string_view text) {
  std::string_view rest = text;
  SkipBlanks(rest);
  const auto number = TakeNumber(rest);
  if (!number) return Refusal("a size in bytes", text, kBytesHelp);
  SkipBlanks(rest);
  const Unit* unit = FindUnit(kByteUnits, TakeWord(rest));
  SkipBlanks(rest);
  if (unit == nullptr || !rest.empty()) return Refusal("a size in bytes", text, kBytesHelp);
  if (unit->size == 1 && number->scale != 1) return Refusal("whole bytes", text, kBytesHelp);
  const Wide bytes = number->digits * static_cast<Wide>(unit->size) / number->scale;
  if (bytes > static_cast<Wide>(kMost)) return Refusal("at most 8 EiB", text, kBytesHelp);
  return static_cast<int64_t>(bytes);
}

std::string FormatBytes(int64_t bytes) {
  constexpr auto kNames =
      std::to_array<std::string_view>({"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"});
  const uint64_t magnitude = Magnitude(bytes);
  const std::string_view sign = bytes < 0 ? "-" : "";
  if (magnitude < 1024) return fmt::format("{}{} B", sign, magnitude);
  size_t unit = 0;
  uint64_t size = 1024;
  // 1023.96 KiB would print as 1024.0 KiB.
  while (unit + 1 < kNames.size() &&
         static_cast<double>(magnitude) / static_cast<double>(size) >= 1023.95) {
    size *= 1024;
    ++unit;
  }
  if (magnitude % size == 0) return fmt::format("{}{} {}", sign, magnitude / size, kNames[unit]);
  const double value = static_cast<double>(magnitude) / static_cast<double>(size);
  return fmt::format("{}{:.1f} {}", sign, value, kNames[unit]);
}

Result<std::chrono::nanoseconds> ParseDuration(std::string_view text) {
  std::string_view rest = text;
  SkipBlanks(rest);
  if (rest.empty()) return Refusal("a duration", text, kDurationHelp);
  Wide total = 0;
  int64_t smallest = kMost;
  while (!rest.empty()) {
    const auto number = TakeNumber(rest);
    if (!number) return Refusal("a duration", text, kDurationHelp);
    SkipBlanks(rest);
    const std::string name = TakeWord(rest);
    const Unit* unit = FindUnit(kTimeUnits, name);
    if (name.empty()) return Refusal("a duration with its unit", text, kDurationHelp);
    if (unit == nullptr || unit->size >= smallest) {
      return Refusal("a duration, the larger unit first", text, kDurationHelp);
    }
    smallest = unit->size;
    total += number->digits * static_cast<Wide>(unit->size) / number->scale;
    if (total > static_cast<Wide>(kMost)) {
      return Refusal("at most 292 years", text, kDurationHelp);
    }
    SkipBlanks(rest);
  }
  return std::chrono::nanoseconds(static_cast<int64_t>(total));
}

std::string FormatDuration(std::chrono::nanoseconds duration) {
  constexpr uint64_t kMicro = 1'000, kMilli = 1'000'000, kSecond = 1'000'000'000;
  constexpr uint64_t kMinute = 60, kHour = 3600, kDay = 86'400;
  const uint64_t ns = Magnitude(duration.count());
  const std::string_view sign = duration.count() < 0 ? "-" : "";
  if (ns < kMicro) return fmt::format("{}{}{}", sign, ns, ns == 0 ? "s" : "ns");
  if (ns < kMilli) return fmt::format("{}{}us", sign, ns / kMicro);
  if (ns + kMilli / 2 < kSecond) return fmt::format("{}{}ms", sign, (ns + kMilli / 2) / kMilli);

  const uint64_t tenths = (ns + kSecond / 20) / (kSecond / 10);
  if (tenths < 600) {
    if (ns % kSecond == 0) return fmt::format("{}{}s", sign, ns / kSecond);
    return fmt::format("{}{}.{}s", sign, tenths / 10, tenths % 10);
  }
  const uint64_t seconds = (ns + kSecond / 2) / kSecond;
  if (seconds < kHour) {
    return fmt::format("{}{}m{:02}s", sign, seconds / kMinute, seconds % kMinute);
  }
  const uint64_t minutes = (seconds + kMinute / 2) / kMinute;
  if (minutes < kDay / kMinute) return fmt::format("{}{}h{:02}m", sign, minutes / 60, minutes % 60);
  const uint64_t hours = (seconds + kHour / 2) / kHour;
  return fmt::format("{}{}d{:02}h", sign, hours / 24, hours % 24);
}

std::string FormatCount(int64_t count) {
  std::string digits = std::to_string(Magnitude(count));
  for (size_t at = digits.size(); at > 3;) digits.insert(at -= 3, ",");
  return count < 0 ? "-" + digits : digits;
}

std::string FormatCount(int64_t count, std::string_view one) {
  return FormatCount(count) + " " + std::string(one) + (count == 1 ? "" : "s");
}

std::string FormatRate(double per_second) {
  if (!std::isfinite(per_second) || per_second < 0) return "?";
  constexpr auto kSuffixes = std::to_array<std::string_view>({"", "k", "M", "G", "T", "P", "E"});
  size_t suffix = 0;
  while (per_second >= 999.5 && suffix + 1 < kSuffixes.size()) {
    per_second /= 1000;
    ++suffix;
  }
  if (suffix == 0 && per_second == std::floor(per_second)) return fmt::format("{:.0f}", per_second);
  const int decimals = per_second < 9.995 ? 2 : per_second < 99.95 ? 1 : 0;
  return fmt::format("{:.{}f}{}", per_second, decimals, kSuffixes[suffix]);
}

}  // namespace levada
