#include "elt/window_calendar.h"

#include <algorithm>
#include <chrono>

namespace levada::elt {
namespace {

using std::chrono::days;
using std::chrono::floor;
using std::chrono::microseconds;
using std::chrono::sys_days;
using std::chrono::year_month;
using std::chrono::year_month_day;

constexpr int64_t kMicros = 1'000'000;
constexpr int64_t kHour = 3'600 * kMicros;

sys_days DayOf(LocalMicros local) {
  return floor<days>(std::chrono::sys_time<microseconds>(microseconds(local)));
}

LocalMicros LocalOf(sys_days day) { return microseconds(day.time_since_epoch()).count(); }

LocalMicros FloorHour(LocalMicros local) {
  const LocalMicros hour = local / kHour - (local % kHour < 0 ? 1 : 0);
  return hour * kHour;
}

/// Of a month or day: the local time it starts at and the one the next starts at.
struct Bounds {
  LocalMicros start;
  LocalMicros next;
};

Bounds BoundsOf(Every every, LocalMicros local) {
  const sys_days day = DayOf(local);
  if (every == Every::kDay) return {LocalOf(day), LocalOf(day + days(1))};
  const year_month_day date(day);
  const year_month month(date.year(), date.month());
  return {LocalOf(sys_days(month / 1)), LocalOf(sys_days((month + std::chrono::months(1)) / 1))};
}

std::string DateLabel(LocalMicros local, bool with_day) {
  const CivilTime time = ToCivil(local);
  std::string label = Padded(time.year, 4) + "-" + Padded(time.month, 2);
  if (with_day) label += "-" + Padded(time.day, 2);
  return label;
}

std::string OffsetLabel(int64_t offset) {
  const int64_t seconds = std::abs(offset) / kMicros;
  std::string label = offset < 0 ? "-" : "+";
  label += Padded(seconds / 3600, 2) + Padded(seconds / 60 % 60, 2);
  if (seconds % 60 != 0) label += Padded(seconds % 60, 2);
  return label;
}

/// True when the zone's clock shows some of [hour, hour + 1h) also outside of `period`.
bool IsShownTwice(const TimeZone& zone, const TimeZone::Period& period, LocalMicros hour) {
  const TimeZone::Period before = zone.At(period.begin - 1);
  const TimeZone::Period after = zone.At(period.end);
  const auto shows = [&](const TimeZone::Period& other) {
    return other.begin != period.begin && other.begin + other.offset < hour + kHour &&
           other.end + other.offset > hour;
  };
  return shows(before) || shows(after);
}

Window HourAt(const TimeZone& zone, WallMicros instant) {
  const TimeZone::Period period = zone.At(instant);
  const LocalMicros hour = FloorHour(instant + period.offset);
  Window window;
  window.start = std::max(hour - period.offset, period.begin);
  window.end = std::min(hour + kHour - period.offset, period.end);
  window.label = DateLabel(hour, true) + "T" + Padded(ToCivil(hour).hour, 2);
  if (IsShownTwice(zone, period, hour)) window.label += OffsetLabel(period.offset);
  return window;
}

/// Two digits at `at`, -1 when there are none.
int TwoDigits(std::string_view text, size_t at) {
  if (at + 2 > text.size()) return -1;
  const auto digit = [&](size_t i) { return text[i] >= '0' && text[i] <= '9'; };
  return digit(at) && digit(at + 1) ? (text[at] - '0') * 10 + (text[at + 1] - '0') : -1;
}

/// "+0100" or "+01:00", also with seconds.
std::optional<int64_t> ParseOffset(std::string_view text) {
  std::string digits(text.substr(1));
  std::erase(digits, ':');
  const int hours = TwoDigits(digits, 0);
  const int minutes = TwoDigits(digits, 2);
  const int seconds = digits.size() == 6 ? TwoDigits(digits, 4) : 0;
  if (digits.size() != 4 && digits.size() != 6) return std::nullopt;
  if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59 || seconds < 0 || seconds > 59) {
    return std::nullopt;
  }
  const int64_t offset = (hours * 3600 + minutes * 60 + seconds) * kMicros;
  return text[0] == '-' ? -offset : offset;
}

/// "T05", "T05:00" and what follows.
bool ParseClock(std::string_view text, WrittenTime& time) {
  const int hour = TwoDigits(text, 1);
  if ((text[0] != 'T' && text[0] != 't') || hour < 0 || hour > 23) return false;
  time.local += hour * kHour;
  text.remove_prefix(3);
  int64_t unit = 60 * kMicros;
  for (int parts = 0; parts < 2 && text.starts_with(':'); ++parts, unit /= 60) {
    const int value = TwoDigits(text, 1);
    if (value < 0 || value > 59) return false;
    time.local += value * unit;
    text.remove_prefix(3);
  }
  if (text.empty()) return true;
  if (text == "Z") {
    time.offset = 0;
    return true;
  }
  if (text[0] == '+' || text[0] == '-') time.offset = ParseOffset(text);
  return time.offset.has_value();
}

/// A date as written, which no calendar needs to have, and what follows it.
struct WrittenDate {
  year_month_day date;
  std::string_view clock;
};

std::optional<WrittenDate> SplitDate(std::string_view text) {
  if (text.size() < 7 || text[4] != '-') return std::nullopt;
  const int century = TwoDigits(text, 0);
  const int year = TwoDigits(text, 2);
  const int month = TwoDigits(text, 5);
  int day = 1;
  if (text.size() > 7) day = text[7] == '-' ? TwoDigits(text, 8) : -1;
  if (century < 0 || year < 0 || month < 0 || day < 0) return std::nullopt;
  return WrittenDate{year_month_day{std::chrono::year(century * 100 + year),
                                    std::chrono::month(static_cast<unsigned>(month)),
                                    std::chrono::day(static_cast<unsigned>(day))},
                     text.substr(std::min<size_t>(text.size(), 10))};
}

bool HasWindows(const year_month_day& date) {
  return date.year() >= std::chrono::year(1) && date.year() <= std::chrono::year(9998);
}

}  // namespace

std::string Padded(int64_t value, size_t width) {
  std::string text = std::to_string(value);
  if (text.size() < width) text.insert(0, width - text.size(), '0');
  return text;
}

CivilTime ToCivil(LocalMicros local) {
  const sys_days day = DayOf(local);
  const year_month_day date(day);
  const int64_t second = (local - LocalOf(day)) / kMicros;
  CivilTime time;
  time.year = static_cast<int>(date.year());
  time.month = static_cast<unsigned>(date.month());
  time.day = static_cast<unsigned>(date.day());
  time.hour = static_cast<int>(second / 3600);
  time.minute = static_cast<int>(second / 60 % 60);
  time.second = static_cast<int>(second % 60);
  time.day_of_year =
      static_cast<int>((day - sys_days(date.year() / std::chrono::January / 1)).count()) + 1;
  return time;
}

std::optional<WrittenTime> ParseWrittenTime(std::string_view text) {
  const std::optional<WrittenDate> date = SplitDate(text);
  if (!date || !date->date.ok() || !HasWindows(date->date)) return std::nullopt;
  WrittenTime time{.local = LocalOf(sys_days(date->date)), .offset = std::nullopt};
  if (!date->clock.empty() && !ParseClock(date->clock, time)) return std::nullopt;
  return time;
}

std::optional<WrittenTime> ParseNearestTime(std::string_view text) {
  if (const std::optional<WrittenTime> time = ParseWrittenTime(text)) return time;
  const std::optional<WrittenDate> split = SplitDate(text);
  if (!split || !HasWindows(split->date)) return std::nullopt;
  using std::chrono::month;
  const month nearest = std::clamp(split->date.month(), month(1), month(12));
  const auto last = (split->date.year() / nearest / std::chrono::last).day();
  const year_month_day date =
      split->date.year() / nearest / std::clamp(split->date.day(), std::chrono::day(1), last);
  WrittenTime time{.local = LocalOf(sys_days(date)), .offset = std::nullopt};
  if (!split->clock.empty() && !ParseClock(split->clock, time)) {
    time = {.local = LocalOf(sys_days(date)), .offset = std::nullopt};
  }
  return time;
}

Window WindowAt(Every every, const TimeZone& zone, const std::string& timezone,
                WallMicros instant) {
  Window window;
  if (every == Every::kHour) {
    window = HourAt(zone, instant);
  } else {
    // Where the clock was turned back over midnight, what it shows now may belong to the day
    // before.
    Bounds bounds = BoundsOf(every, zone.ToLocal(instant));
    while (zone.FirstInstant(bounds.next) <= instant) bounds = BoundsOf(every, bounds.next);
    while (zone.FirstInstant(bounds.start) > instant) bounds = BoundsOf(every, bounds.start - 1);
    window.start = zone.FirstInstant(bounds.start);
    window.end = zone.FirstInstant(bounds.next);
    window.label = DateLabel(bounds.start, every == Every::kDay);
  }
  window.timezone = timezone;
  return window;
}

}  // namespace levada::elt
