#include "formats/sigv4/timestamp.h"

#include <array>
#include <chrono>
#include <cstdio>

namespace levada::sigv4 {
namespace {

constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
// "-0000" is what botocore puts into a Date.
constexpr std::array<std::string_view, 3> kZones = {"GMT", "+0000", "-0000"};
constexpr std::array<std::string_view, 7> kDays = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};

/// Takes digits and marks from the front of a text; after a mismatch it takes nothing more.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  int Digits(size_t count) {
    int value = 0;
    if (text_.size() < count) return Fail();
    for (const char digit : text_.substr(0, count)) {
      if (digit < '0' || digit > '9') return Fail();
      value = value * 10 + (digit - '0');
    }
    text_.remove_prefix(count);
    return value;
  }
  void Mark(std::string_view mark) {
    if (text_.substr(0, mark.size()) != mark) {
      Fail();
    } else {
      text_.remove_prefix(mark.size());
    }
  }
  /// 1 for the first.
  template <size_t kCount>
  int OneOf(const std::array<std::string_view, kCount>& names) {
    for (size_t i = 0; i < kCount; ++i) {
      if (text_.substr(0, names[i].size()) != names[i]) continue;
      text_.remove_prefix(names[i].size());
      return static_cast<int>(i) + 1;
    }
    return Fail();
  }
  bool AtEnd() const { return !failed_ && text_.empty(); }

 private:
  int Fail() {
    failed_ = true;
    text_ = {};
    return 0;
  }

  std::string_view text_;
  bool failed_ = false;
};

struct Fields {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
};

std::optional<int64_t> SecondsOf(const Fields& fields) {
  const std::chrono::year_month_day date(std::chrono::year(fields.year),
                                         std::chrono::month(static_cast<unsigned>(fields.month)),
                                         std::chrono::day(static_cast<unsigned>(fields.day)));
  if (fields.year < 1 || !date.ok()) return std::nullopt;
  if (fields.hour > 23 || fields.minute > 59 || fields.second > 59) return std::nullopt;
  const int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  return days * 86'400 + fields.hour * 3'600 + fields.minute * 60 + fields.second;
}

Fields FieldsOf(int64_t seconds) {
  const std::chrono::sys_seconds time{std::chrono::seconds(seconds)};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  return {static_cast<int>(date.year()),
          static_cast<int>(static_cast<unsigned>(date.month())),
          static_cast<int>(static_cast<unsigned>(date.day())),
          static_cast<int>(clock.hours().count()),
          static_cast<int>(clock.minutes().count()),
          static_cast<int>(clock.seconds().count())};
}

std::string Format(const char* format, int64_t seconds) {
  const Fields fields = FieldsOf(seconds);
  std::array<char, 64> text{};
  const int size = std::snprintf(text.data(), text.size(), format, fields.year, fields.month,
                                 fields.day, fields.hour, fields.minute, fields.second);
  return std::string(text.data(), static_cast<size_t>(size));
}

}  // namespace

std::optional<int64_t> ParseTimestamp(std::string_view text) {
  Scanner scanner(text);
  Fields fields;
  fields.year = scanner.Digits(4);
  fields.month = scanner.Digits(2);
  fields.day = scanner.Digits(2);
  scanner.Mark("T");
  fields.hour = scanner.Digits(2);
  fields.minute = scanner.Digits(2);
  fields.second = scanner.Digits(2);
  scanner.Mark("Z");
  if (!scanner.AtEnd()) return std::nullopt;
  return SecondsOf(fields);
}

std::optional<int64_t> ParseDay(std::string_view text) {
  return ParseTimestamp(std::string(text.substr(0, 9)) + "T000000Z");
}

std::optional<int64_t> ParseHttpDate(std::string_view text) {
  if (const auto seconds = ParseTimestamp(text)) return seconds;
  Scanner scanner(text);
  Fields fields;
  scanner.OneOf(kDays);
  scanner.Mark(", ");
  fields.day = scanner.Digits(2);
  scanner.Mark(" ");
  fields.month = scanner.OneOf(kMonths);
  scanner.Mark(" ");
  fields.year = scanner.Digits(4);
  scanner.Mark(" ");
  fields.hour = scanner.Digits(2);
  scanner.Mark(":");
  fields.minute = scanner.Digits(2);
  scanner.Mark(":");
  fields.second = scanner.Digits(2);
  scanner.Mark(" ");
  scanner.OneOf(kZones);
  if (!scanner.AtEnd()) return std::nullopt;
  return SecondsOf(fields);
}

std::string FormatTimestamp(int64_t seconds) {
  return Format("%04d%02d%02dT%02d%02d%02dZ", seconds);
}

std::string FormatErrorTime(int64_t seconds) {
  return Format("%04d-%02d-%02dT%02d:%02d:%02dZ", seconds);
}

}  // namespace levada::sigv4
