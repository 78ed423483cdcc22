#include "elt/local_range.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/testing.h"
#include "elt/literal.h"
#include "elt/plan.h"
#include "elt/window_calendar.h"

namespace levada::elt {
namespace {

using testing::ElementsAre;

constexpr int64_t kMinute = 60'000'000;
constexpr int64_t kHour = 60 * kMinute;
constexpr int64_t kDay = 24 * kHour;

/// All windows of `every` from local midnight of `start` to that of `end`.
std::vector<Window> WindowsOf(const std::string& zone_name, Every every, const std::string& start,
                              const std::string& end) {
  const TimeZone zone = ValueOf(TimeZone::Find(zone_name));
  const WallMicros until = zone.FirstInstant(ParseWrittenTime(end)->local);
  std::vector<Window> windows;
  for (WallMicros at = zone.FirstInstant(ParseWrittenTime(start)->local); at < until;) {
    windows.push_back(WindowAt(every, zone, zone_name, at));
    at = windows.back().end;
  }
  return windows;
}

/// "2026-10-25T01 01:00..02:00" for each.
std::vector<std::string> RangesOf(const std::string& zone_name, Every every,
                                  const std::string& start, const std::string& end) {
  const TimeZone zone = ValueOf(TimeZone::Find(zone_name));
  std::vector<std::string> texts;
  for (const Window& window : WindowsOf(zone_name, every, start, end)) {
    const LocalRange range = LocalRangeOf(window, zone);
    const auto text = [](LocalMicros local) { return DateTimeText(local).substr(5, 11); };
    texts.push_back(window.label + ": " + text(range.from) + ", " + text(range.to));
  }
  return texts;
}

/// Windows meet, and none ends before it begins: each reading is in exactly one.
void CheckMeeting(const std::string& zone_name, Every every, const std::string& start,
                  const std::string& end) {
  const TimeZone zone = ValueOf(TimeZone::Find(zone_name));
  const auto windows = WindowsOf(zone_name, every, start, end);
  ASSERT_GT(windows.size(), 20u);
  LocalMicros last = LocalRangeOf(windows[0], zone).from;
  for (const Window& window : windows) {
    const LocalRange range = LocalRangeOf(window, zone);
    ASSERT_EQ(range.from, last) << window.label;
    ASSERT_LE(range.from, range.to) << window.label;
    last = range.to;
    if (every == Every::kHour) {
      ASSERT_LE(range.to - range.from, 3 * kHour) << window.label;
    } else {
      ASSERT_EQ(DateTimeText(range.from), window.label + " 00:00:00");
      ASSERT_EQ(range.to - range.from, kDay) << window.label;
    }
  }
}

/// A row that is written when its time says is in a window that is not over.
void CheckNoneIsLate(const std::string& zone_name, const std::string& start,
                     const std::string& end) {
  const TimeZone zone = ValueOf(TimeZone::Find(zone_name));
  const auto windows = WindowsOf(zone_name, Every::kHour, start, end);
  std::vector<LocalRange> ranges;
  for (const Window& window : windows) ranges.push_back(LocalRangeOf(window, zone));
  for (WallMicros at = windows[0].start; at < windows.back().end; at += 10 * kMinute) {
    const LocalMicros shown = zone.ToLocal(at);
    const auto takes = std::ranges::find_if(
        ranges, [&](const LocalRange& range) { return range.from <= shown && shown < range.to; });
    ASSERT_NE(takes, ranges.end()) << DateTimeText(shown);
    ASSERT_GT(windows[static_cast<size_t>(takes - ranges.begin())].end, at) << DateTimeText(shown);
  }
}

TEST(LocalRange, WindowsMeetInEveryKindOfZone) {
  struct Case {
    const char* zone;
    const char* start;  ///< of the time whose hours are looked at
    const char* end;
  };
  for (const Case& c : {Case{"UTC", "2026-01-01", "2026-02-01"},
                        {"Europe/Berlin", "2026-01-01", "2027-01-01"},
                        {"America/New_York", "2026-01-01", "2027-01-01"},
                        {"Australia/Lord_Howe", "2026-01-01", "2027-01-01"},
                        {"America/Sao_Paulo", "2018-01-01", "2018-12-01"},
                        {"Africa/Casablanca", "2026-01-01", "2027-01-01"},
                        {"Asia/Kolkata", "2026-01-01", "2026-02-01"},
                        // These changed their offsets for good, back and forth.
                        {"Asia/Pyongyang", "2018-04-01", "2018-06-01"},
                        {"America/Caracas", "2007-11-01", "2008-01-01"},
                        {"Europe/Istanbul", "2016-01-01", "2017-01-01"},
                        // Set back by two hours, and over midnight.
                        {"Antarctica/Troll", "2026-01-01", "2027-01-01"},
                        {"America/St_Johns", "2006-01-01", "2007-01-01"},
                        {"America/Havana", "2026-01-01", "2027-01-01"},
                        {"America/Toronto", "1919-01-01", "1920-01-01"},
                        {"Pacific/Kwajalein", "1969-09-01", "1969-11-01"}}) {
    SCOPED_TRACE(c.zone);
    CheckMeeting(c.zone, Every::kHour, c.start, c.end);
    CheckMeeting(c.zone, Every::kDay, c.start, c.end);
    CheckMeeting(c.zone, Every::kDay, "1999-01-01", "2030-01-01");
  }
}

TEST(LocalRange, NoRowIsInAWindowThatIsOver) {
  CheckNoneIsLate("Europe/Berlin", "2026-10-24", "2026-10-27");
  CheckNoneIsLate("Europe/Berlin", "2026-03-28", "2026-03-31");
  CheckNoneIsLate("America/New_York", "2026-10-31", "2026-11-03");
  CheckNoneIsLate("Australia/Lord_Howe", "2026-04-04", "2026-04-07");
  CheckNoneIsLate("America/Sao_Paulo", "2018-02-17", "2018-02-20");
  CheckNoneIsLate("America/Caracas", "2007-12-08", "2007-12-11");
  CheckNoneIsLate("Pacific/Kwajalein", "1969-09-29", "1969-10-03");
}

TEST(LocalRange, AnHourShownTwiceBelongsToItsSecondWindow) {
  EXPECT_THAT(RangesOf("Europe/Berlin", Every::kHour, "2026-10-25T01", "2026-10-25T04"),
              ElementsAre("2026-10-25T01: 10-25 01:00, 10-25 02:00",
                          "2026-10-25T02+0200: 10-25 02:00, 10-25 02:00",
                          "2026-10-25T02+0100: 10-25 02:00, 10-25 03:00",
                          "2026-10-25T03: 10-25 03:00, 10-25 04:00"));
  EXPECT_THAT(RangesOf("Australia/Lord_Howe", Every::kHour, "2026-04-05T01", "2026-04-05T03"),
              ElementsAre("2026-04-05T01+1100: 04-05 01:00, 04-05 01:30",
                          "2026-04-05T01+1030: 04-05 01:30, 04-05 02:00",
                          "2026-04-05T02: 04-05 02:00, 04-05 03:00"));
}

TEST(LocalRange, WhatIsSkippedBelongsToTheWindowBehind) {
  EXPECT_THAT(RangesOf("Europe/Berlin", Every::kHour, "2026-03-29T01", "2026-03-29T04"),
              ElementsAre("2026-03-29T01: 03-29 01:00, 03-29 02:00",
                          "2026-03-29T03: 03-29 02:00, 03-29 04:00"));
  EXPECT_THAT(
      RangesOf("Pacific/Apia", Every::kDay, "2011-12-29", "2012-01-01"),
      ElementsAre("2011-12-29: 12-29 00:00, 12-30 00:00", "2011-12-31: 12-30 00:00, 01-01 00:00"));
}

TEST(LocalRange, ADayIsTheLocalDayAlsoWhereItsMidnightIsSkipped) {
  EXPECT_THAT(
      RangesOf("America/Sao_Paulo", Every::kDay, "2018-11-03", "2018-11-05"),
      ElementsAre("2018-11-03: 11-03 00:00, 11-04 00:00", "2018-11-04: 11-04 00:00, 11-05 00:00"));
  // Toronto went from 23:30 to 00:30.
  EXPECT_THAT(
      RangesOf("America/Toronto", Every::kDay, "1919-03-30", "1919-04-01"),
      ElementsAre("1919-03-30: 03-30 00:00, 03-31 00:00", "1919-03-31: 03-31 00:00, 04-01 00:00"));
  EXPECT_THAT(RangesOf("America/Toronto", Every::kHour, "1919-03-30T23", "1919-03-31T02"),
              ElementsAre("1919-03-30T23: 03-30 23:00, 03-31 00:00",
                          "1919-03-31T00: 03-31 00:00, 03-31 01:00",
                          "1919-03-31T01: 03-31 01:00, 03-31 02:00"));
}

TEST(LocalRange, AMonthIsTheLocalMonth) {
  EXPECT_THAT(RangesOf("Europe/Berlin", Every::kMonth, "2026-09", "2026-12"),
              ElementsAre("2026-09: 09-01 00:00, 10-01 00:00", "2026-10: 10-01 00:00, 11-01 00:00",
                          "2026-11: 11-01 00:00, 12-01 00:00"));
}

}  // namespace
}  // namespace levada::elt
