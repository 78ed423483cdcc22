#include <gtest/gtest.h>

#include <set>

#include "base/testing.h"
#include "elt/plan.h"
#include "elt/time_zone.h"
#include "elt/window_calendar.h"

namespace levada::elt {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr int64_t kHour = 3'600'000'000;
constexpr WallMicros kNever = 253'370'000'000'000'000;  // in the year 9998

/// The instant at which a zone's clock first shows `text`.
WallMicros Instant(const std::string& text, const std::string& zone = "UTC") {
  const std::optional<WrittenTime> time = ParseWrittenTime(text);
  return time->offset ? time->local - *time->offset
                      : ValueOf(TimeZone::Find(zone)).FirstInstant(time->local);
}

WindowSpec Spec(Every every, const std::string& start, const std::string& end = "",
                const std::string& zone = "UTC") {
  WindowSpec spec;
  spec.every = every;
  spec.column = "at";
  spec.timezone = zone;
  spec.start = Instant(start, zone);
  if (!end.empty()) spec.end = Instant(end, zone);
  return spec;
}

std::vector<Window> Closed(const WindowSpec& spec, WallMicros now = kNever, size_t limit = 10'000) {
  return ValueOf(ClosedWindows(spec, now, limit));
}

std::vector<std::string> Labels(const std::vector<Window>& windows) {
  std::vector<std::string> labels;
  for (const Window& window : windows) labels.push_back(window.label);
  return labels;
}

/// Labels with lengths in hours.
std::vector<std::string> Lengths(const std::vector<Window>& windows) {
  std::vector<std::string> texts;
  for (const Window& window : windows) {
    texts.push_back(window.label + " " + std::to_string((window.end - window.start) / kHour));
  }
  return texts;
}

TEST(Windows, DaysFollowEachOther) {
  const auto windows = Closed(Spec(Every::kDay, "2026-02-27", "2026-03-02"));
  EXPECT_THAT(Lengths(windows), ElementsAre("2026-02-27 24", "2026-02-28 24", "2026-03-01 24"));
  EXPECT_EQ(FormatTimestamp(windows[0].start), "2026-02-27T00:00:00.000000Z");
  EXPECT_EQ(windows[0].end, windows[1].start);
  EXPECT_EQ(windows[0].timezone, "UTC");
}

TEST(Windows, MonthsHaveTheirLengths) {
  EXPECT_THAT(Lengths(Closed(Spec(Every::kMonth, "2027-12", "2028-04"))),
              ElementsAre("2027-12 744", "2028-01 744", "2028-02 696", "2028-03 744"));
}

TEST(Windows, CloseAtTheirEndPlusDelay) {
  WindowSpec spec = Spec(Every::kDay, "2026-01-01");
  spec.delay = std::chrono::hours(2);
  EXPECT_THAT(Closed(spec, Instant("2026-01-02T01:59")), IsEmpty());
  EXPECT_THAT(Labels(Closed(spec, Instant("2026-01-02T02:00"))), ElementsAre("2026-01-01"));
  EXPECT_THAT(Labels(Closed(spec, Instant("2026-01-03T02:00"))),
              ElementsAre("2026-01-01", "2026-01-02"));
}

TEST(Windows, DelaysRoundUpToWholeMicroseconds) {
  WindowSpec spec = Spec(Every::kDay, "2026-01-01");
  spec.delay = std::chrono::nanoseconds(1);
  EXPECT_THAT(Closed(spec, Instant("2026-01-02")), IsEmpty());
  EXPECT_EQ(Closed(spec, Instant("2026-01-02") + 1).size(), 1U);
}

TEST(Windows, NoneIsClosedBeforeTheStart) {
  EXPECT_THAT(Closed(Spec(Every::kDay, "2026-01-01"), Instant("2025-06-01")), IsEmpty());
}

TEST(Windows, MoreThanTheLimitAreRefused) {
  const WindowSpec spec = Spec(Every::kHour, "2026-01-01");
  EXPECT_EQ(Closed(spec, Instant("2026-01-02"), 24).size(), 24U);
  EXPECT_THAT(ClosedWindows(spec, Instant("2026-01-02"), 23),
              FailsWith(FaultCode::kBadWindow, HasSubstr("more than 23")));
}

TEST(Windows, TheCalendarEndsSomewhere) {
  const auto windows = Closed(Spec(Every::kMonth, "9998-11"), std::numeric_limits<int64_t>::max());
  EXPECT_THAT(Labels(windows), ElementsAre("9998-11", "9998-12"));
}

TEST(Windows, DaysOfAZoneHave23And25Hours) {
  EXPECT_THAT(Lengths(Closed(Spec(Every::kDay, "2026-03-28", "2026-03-31", "Europe/Berlin"))),
              ElementsAre("2026-03-28 24", "2026-03-29 23", "2026-03-30 24"));
  EXPECT_THAT(Lengths(Closed(Spec(Every::kDay, "2026-10-24", "2026-10-27", "Europe/Berlin"))),
              ElementsAre("2026-10-24 24", "2026-10-25 25", "2026-10-26 24"));
  EXPECT_EQ(FormatTimestamp(
                Closed(Spec(Every::kDay, "2026-07-01", "2026-07-02", "Asia/Kolkata"))[0].start),
            "2026-06-30T18:30:00.000000Z");
}

TEST(Windows, MonthsOfAZoneStartAtItsMidnight) {
  const auto windows = Closed(Spec(Every::kMonth, "2026-03", "2026-05", "America/New_York"));
  EXPECT_EQ(FormatTimestamp(windows[0].start), "2026-03-01T05:00:00.000000Z");
  EXPECT_EQ(FormatTimestamp(windows[0].end), "2026-04-01T04:00:00.000000Z");
}

TEST(Windows, ASkippedHourHasNoWindow) {
  EXPECT_THAT(
      Lengths(Closed(Spec(Every::kHour, "2026-03-29T01", "2026-03-29T05", "Europe/Berlin"))),
      ElementsAre("2026-03-29T01 1", "2026-03-29T03 1", "2026-03-29T04 1"));
}

TEST(Windows, ARepeatedHourHasTwoWithTheirOffsets) {
  const auto windows =
      Closed(Spec(Every::kHour, "2026-10-25T01", "2026-10-25T04", "Europe/Berlin"));
  EXPECT_THAT(Lengths(windows), ElementsAre("2026-10-25T01 1", "2026-10-25T02+0200 1",
                                            "2026-10-25T02+0100 1", "2026-10-25T03 1"));
  EXPECT_EQ(FormatTimestamp(windows[1].start), "2026-10-25T00:00:00.000000Z");
  EXPECT_EQ(FormatTimestamp(windows[2].start), "2026-10-25T01:00:00.000000Z");
}

TEST(Windows, HalfHoursOfLordHoweAreNotLost) {
  // In October the clock goes from 02:00 to 02:30, in April from 02:00 back to 01:30.
  const auto minutes = [](const std::vector<Window>& windows) {
    std::vector<std::string> texts;
    for (const Window& window : windows) {
      texts.push_back(window.label + " " +
                      std::to_string((window.end - window.start) / 60'000'000));
    }
    return texts;
  };
  EXPECT_THAT(
      minutes(Closed(Spec(Every::kHour, "2026-10-04T01", "2026-10-04T04", "Australia/Lord_Howe"))),
      ElementsAre("2026-10-04T01 60", "2026-10-04T02 30", "2026-10-04T03 60"));
  EXPECT_THAT(
      minutes(Closed(Spec(Every::kHour, "2026-04-05T00", "2026-04-05T03", "Australia/Lord_Howe"))),
      ElementsAre("2026-04-05T00 60", "2026-04-05T01+1100 60", "2026-04-05T01+1030 30",
                  "2026-04-05T02 60"));
}

TEST(Windows, TheFirstOneIsKnownBeforeItIsClosed) {
  const WindowSpec spec = Spec(Every::kDay, "2126-01-01", "2126-01-03", "Europe/Lisbon");
  EXPECT_EQ(ValueOf(FirstWindow(spec)).label, "2126-01-01");
  EXPECT_THAT(Closed(spec, Instant("2026-01-01")), IsEmpty());
}

TEST(Windows, ADayThatNeverWasHasNoWindow) {
  // Samoa crossed the date line: 2011-12-30 was left out.
  EXPECT_THAT(Lengths(Closed(Spec(Every::kDay, "2011-12-29", "2012-01-01", "Pacific/Apia"))),
              ElementsAre("2011-12-29 24", "2011-12-31 24"));
}

TEST(Windows, ADayWithoutMidnightStartsAtItsFirstInstant) {
  const auto windows = Closed(Spec(Every::kDay, "2018-11-03", "2018-11-05", "America/Sao_Paulo"));
  EXPECT_THAT(Lengths(windows), ElementsAre("2018-11-03 24", "2018-11-04 23"));
}

TEST(Windows, AMidnightThatComesTwiceBelongsToOneDay) {
  // Newfoundland set its clocks back from 00:01 to 23:01 of the day before.
  const auto days = Closed(Spec(Every::kDay, "2006-10-28", "2006-10-31", "America/St_Johns"));
  EXPECT_THAT(Lengths(days), ElementsAre("2006-10-28 24", "2006-10-29 25", "2006-10-30 24"));
}

/// Windows of every length tile time, have unique labels, and are found again by them.
void CheckTiling(const std::string& zone, Every every, const std::string& start,
                 const std::string& end) {
  WindowSpec spec = Spec(every, start, end, zone);
  const auto windows = Closed(spec);
  ASSERT_FALSE(windows.empty());
  std::set<std::string> labels;
  for (size_t i = 0; i < windows.size(); ++i) {
    const Window& window = windows[i];
    EXPECT_LT(window.start, window.end) << window.label;
    if (i > 0) {
      EXPECT_EQ(windows[i - 1].end, window.start) << window.label;
    }
    EXPECT_TRUE(labels.insert(window.label).second) << window.label;
    const Result<Window> found = WindowByLabel(spec, window.label);
    ASSERT_THAT(found, IsOk());
    EXPECT_EQ(*found, window);
  }
}

TEST(Windows, TileTimeInEveryKindOfZone) {
  for (const char* zone : {"UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata",
                           "Australia/Lord_Howe", "America/Sao_Paulo", "America/Havana",
                           "Pacific/Apia", "Africa/Casablanca", "Asia/Kathmandu"}) {
    SCOPED_TRACE(zone);
    CheckTiling(zone, Every::kHour, "2018-01-01", "2018-12-01");
    CheckTiling(zone, Every::kDay, "2009-01-01", "2012-06-01");
    CheckTiling(zone, Every::kMonth, "1990-01", "2027-01");
  }
  CheckTiling("Pacific/Apia", Every::kHour, "2011-12-01", "2012-02-01");
  CheckTiling("America/St_Johns", Every::kHour, "2006-01-01", "2007-01-01");
  CheckTiling("America/St_Johns", Every::kDay, "2006-01-01", "2007-01-01");
  // Local mean time, with seconds in its offset, ended in the middle of an hour.
  CheckTiling("Europe/Amsterdam", Every::kHour, "1937-06-01", "1937-08-01");
  CheckTiling("Africa/Monrovia", Every::kHour, "1971-12-01", "1972-02-01");
  CheckTiling("Asia/Kathmandu", Every::kHour, "1985-12-20", "1986-01-10");
}

TEST(Windows, AreFoundByLabelClosedOrNot) {
  const WindowSpec spec = Spec(Every::kDay, "2026-01-01", "", "Europe/Berlin");
  const Window window = ValueOf(WindowByLabel(spec, "2130-07-01"));
  EXPECT_EQ(window.label, "2130-07-01");
  EXPECT_EQ(window.timezone, "Europe/Berlin");
}

TEST(Windows, AWrongLabelGetsTheNearestOne) {
  const auto help = [](const WindowSpec& spec, const std::string& label) {
    const Result<Window> window = WindowByLabel(spec, label);
    if (window.ok()) return "found " + window->label;
    EXPECT_EQ(CodeOf(window.status()), FaultCode::kBadWindow);
    return FaultOf(window.status()).help();
  };
  const WindowSpec days = Spec(Every::kDay, "2026-01-01", "2026-04-01");
  EXPECT_EQ(help(days, "2026-02-30"), "did you mean \"2026-02-28\"?");
  EXPECT_EQ(help(days, "2026-13-01"), "did you mean \"2026-03-31\"?");
  EXPECT_EQ(help(days, "2025-12-31"), "did you mean \"2026-01-01\"?");
  EXPECT_EQ(help(days, "2026-04-01"), "did you mean \"2026-03-31\"?");
  EXPECT_EQ(help(days, "2026-02"), "did you mean \"2026-02-01\"?");
  EXPECT_EQ(help(days, "2026-02-03T04"), "did you mean \"2026-02-03\"?");
  EXPECT_EQ(help(days, "yesterday"), "did you mean \"2026-01-01\"?");
  EXPECT_EQ(help(days, ""), "did you mean \"2026-01-01\"?");
  EXPECT_EQ(help(Spec(Every::kMonth, "2026-01"), "2026-02-03"), "did you mean \"2026-02\"?");
  const WindowSpec hours = Spec(Every::kHour, "2026-01-01", "", "Europe/Berlin");
  EXPECT_EQ(help(hours, "2026-10-25T02"), "did you mean \"2026-10-25T02+0200\"?");
  EXPECT_EQ(help(hours, "2026-03-29T02"), "did you mean \"2026-03-29T03\"?");
  EXPECT_EQ(help(hours, "2026-10-25T03+0100"), "did you mean \"2026-10-25T03\"?");
  EXPECT_EQ(help(hours, "2026-10-25T02+0100"), "found 2026-10-25T02+0100");
}

TEST(Windows, SayWhichThereAre) {
  EXPECT_THAT(WindowByLabel(Spec(Every::kMonth, "2026-01", "2026-07"), "x"),
              FailsWith(FaultCode::kBadWindow,
                        "\"x\" is not a window of this pipeline: windows are months from "
                        "\"2026-01\" to \"2026-06\""));
}

TEST(TimeZone, AnUnknownNameGetsTheNearestOne) {
  const Result<TimeZone> zone = TimeZone::Find("Europe/Lisbn");
  ASSERT_THAT(zone, FailsWith(FaultCode::kBadWindow, HasSubstr("Europe/Lisbn")));
  EXPECT_EQ(FaultOf(zone.status()).help(), "did you mean \"Europe/Lisbon\"?");
  for (const char* name : {"", "../../etc/passwd", "/etc/passwd", "utc ", "PST8PDT,M3.2.0"}) {
    EXPECT_THAT(TimeZone::Find(name), FailsWith(FaultCode::kBadWindow)) << name;
  }
}

TEST(TimeZone, KnowsItsTransitionsToTheEndOfItsFile) {
  const TimeZone zone = ValueOf(TimeZone::Find("Europe/Lisbon"));
  EXPECT_EQ(zone.ToLocal(Instant("2036-07-01T12:00")), Instant("2036-07-01T13:00"));
  EXPECT_EQ(zone.ToLocal(Instant("2036-01-01T12:00")), Instant("2036-01-01T12:00"));
}

TEST(TimeZone, AnswersAtTheEdgesOfTime) {
  for (const char* name : {"UTC", "Asia/Tokyo", "America/New_York"}) {
    const TimeZone zone = ValueOf(TimeZone::Find(name));
    for (const WallMicros instant : {std::numeric_limits<int64_t>::min(), int64_t{-1}, int64_t{0},
                                     std::numeric_limits<int64_t>::max()}) {
      EXPECT_LT(zone.At(instant).begin, zone.At(instant).end) << name;
    }
  }
}

TEST(WrittenTime, ReadsWhatPeopleWrite) {
  const auto read = [](std::string_view text) -> std::string {
    const auto time = ParseWrittenTime(text);
    if (!time) return "no";
    return FormatTimestamp(time->local).substr(0, 19) +
           (time->offset ? " " + std::to_string(*time->offset / 1'000'000) : "");
  };
  EXPECT_EQ(read("2026-01"), "2026-01-01T00:00:00");
  EXPECT_EQ(read("2028-02-29"), "2028-02-29T00:00:00");
  EXPECT_EQ(read("2026-01-31T05"), "2026-01-31T05:00:00");
  EXPECT_EQ(read("2026-01-31T05:06"), "2026-01-31T05:06:00");
  EXPECT_EQ(read("2026-01-31T05:06:07"), "2026-01-31T05:06:07");
  EXPECT_EQ(read("2026-01-31T05Z"), "2026-01-31T05:00:00 0");
  EXPECT_EQ(read("2026-01-31T05+0100"), "2026-01-31T05:00:00 3600");
  EXPECT_EQ(read("2026-01-31T05:00-03:30"), "2026-01-31T05:00:00 -12600");
  EXPECT_EQ(read("1937-07-01T00+001928"), "1937-07-01T00:00:00 1168");
  for (std::string_view text : {"",
                                "2026",
                                "2026-1",
                                "2026-00",
                                "2026-13",
                                "2026-02-29",
                                "2026-01-00",
                                "2026-01-32",
                                "2026/01/01",
                                "2026-01-01 05:00",
                                "2026-01-01T",
                                "2026-01-01T5",
                                "2026-01-01T24",
                                "2026-01-01T05:60",
                                "2026-01-01T05:",
                                "2026-01-01T05:00:00:00",
                                "2026-01-01T05x",
                                "2026-01-01T05+1",
                                "2026-01-01T05+2400",
                                "2026-01-01T05+00000",
                                "0000-01-01",
                                "9999-01-01",
                                "20260101",
                                "today",
                                "2026-01-01Z",
                                "\xff\xff\xff\xff-01"}) {
    EXPECT_EQ(read(text), "no") << text;
  }
}

}  // namespace
}  // namespace levada::elt
