#include "conversions/conversion_fixture.h"

namespace levada::conversions {
namespace {

using testing::HasSubstr;

Status Refusal(const std::string& from, const std::string& to, const std::string& format = "",
               const std::string& zone = "") {
  return MakeColumnCast(TypeNamed(from), TargetOf(to, format, zone)).status();
}

TEST(TimeCasts, ReadDatesFromText) {
  EXPECT_EQ(CastOf("text", R"(["2026-02-28", "0000-01-01", "9999-12-31", null])", "date"),
            "2026-02-28, 0000-01-01, 9999-12-31, null");
  EXPECT_EQ(
      CastOf("text", R"(["2026-02-29", "2026-13-01", "2026-1-1", "2026-01-01 00:00", ""])", "date"),
      "!no such day, !no such month, !not of the form YYYY-MM-DD, "
      "!not of the form YYYY-MM-DD, !not of the form YYYY-MM-DD");
  EXPECT_EQ(CastOf("text", R"(["31.01.2026", "1.1.2026", "31.01.26"])", "date", "%d.%m.%Y"),
            "2026-01-31, !not of the format given, !not of the format given");
  EXPECT_EQ(CastOf("text", R"(["01/31/2026 00:00", "01/31/2026 05:00"])", "date", "%m/%d/%Y %H:%M"),
            "2026-01-31, !has a time of day, which a date has no place for");
}

TEST(TimeCasts, ReadTimesOfDayFromText) {
  EXPECT_EQ(CastOf("text", R"(["23:59:59.123456", "05:06", "24:00", "23:59:60", "5:06"])", "time"),
            "23:59:59.123456, 05:06:00.000000, !no such time of day, !no such time of day, "
            "!not of the form HH:MM:SS");
  EXPECT_EQ(CastOf("text", R"(["00:00:00.1234567"])", "time"), "!finer than the unit of the type");
  EXPECT_EQ(CastOf("text", R"(["00:00:00.1234567"])", "time(ns)"), "00:00:00.123456700");
  EXPECT_EQ(CastOf("text", R"(["00:00:01", "00:00:01.5"])", "time(s)"),
            "00:00:01, !finer than the unit of the type");
  EXPECT_EQ(CastOf("text", R"(["050607", "05:06:07"])", "time(ms)", "%H%M%S"),
            "05:06:07.000, !not of the format given");
}

TEST(TimeCasts, ReadTimestampsFromText) {
  EXPECT_EQ(CastOf("text",
                   R"(["2026-01-31 05:06:07.123456", "2026-01-31T05:06", "2026-01-31", "0001-01-01",
                 "9999-12-31 23:59:59.999999"])",
                   "timestamp"),
            "2026-01-31 05:06:07.123456, 2026-01-31 05:06:00.000000, 2026-01-31 00:00:00.000000, "
            "0001-01-01 00:00:00.000000, 9999-12-31 23:59:59.999999");
  EXPECT_EQ(
      CastOf("text", R"(["2026-01-31 05:06Z", "now", "2026-01-31 05:06:07.1234567"])", "timestamp"),
      "!with an offset from UTC, !not of the form YYYY-MM-DD, "
      "!finer than the unit of the type");
  EXPECT_EQ(CastOf("text",
                   R"(["2026-01-31T05:06:07Z", "2026-01-31 05:06:07+05:30", "2026-01-31 05:06-15",
                       "2026-01-31 05:06", "2026-01-31"])",
                   "timestamp(s, UTC)"),
            "2026-01-31 05:06:07Z, 2026-01-30 23:36:07Z, 2026-01-31 20:06:00Z, "
            "!without an offset from UTC, !without an offset from UTC");
  EXPECT_EQ(CastOf("text", R"(["9999-12-31", "1677-09-21 00:12:43", "2262-04-11 23:47:16"])",
                   "timestamp(ns)"),
            "!out of range, !out of range, 2262-04-11 23:47:16.000000000");
  EXPECT_EQ(
      CastOf("text", R"(["31.01.2026 05:06 +0200", "31.01.2026 05:06 Z", "31.01.2026 05:06"])",
             "timestamp(s, UTC)", "%d.%m.%Y %H:%M %z"),
      "2026-01-31 03:06:00Z, 2026-01-31 05:06:00Z, !not of the format given");
}

TEST(TimeCasts, AskTheZonesClockForTextsWithoutAnOffset) {
  const std::string texts =
      R"(["2026-01-31 12:00", "2026-07-31 12:00", "2026-07-31 12:00Z", "2026-03-29 01:30",
          "2026-10-25 01:30", "2026-10-25 02:00", "2026-03-29 02:00"])";
  EXPECT_EQ(CastOf("text", texts, "timestamp(s, UTC)", "", "Europe/Lisbon"),
            "2026-01-31 12:00:00Z, 2026-07-31 11:00:00Z, 2026-07-31 12:00:00Z, "
            "!a time that the zone's clock skips, !a time that the zone's clock shows twice, "
            "2026-10-25 02:00:00Z, 2026-03-29 01:00:00Z");
  // The other way each instant has one reading.
  EXPECT_EQ(CastOf("text", R"(["2026-07-31 12:00Z", "2026-10-25 00:30Z", "2026-10-25 01:30Z"])",
                   "timestamp(s)", "", "Europe/Lisbon"),
            "2026-07-31 13:00:00, 2026-10-25 01:30:00, 2026-10-25 01:30:00");
}

TEST(TimeCasts, KeepTheInstantFromUnitToUnit) {
  EXPECT_EQ(CastOf("timestamp(s)", "[1, -1, null]", "timestamp(ns)"),
            "1970-01-01 00:00:01.000000000, 1969-12-31 23:59:59.000000000, null");
  EXPECT_EQ(CastOf("timestamp(s)", "[9223372036854775807, -9223372036854775808]", "timestamp(ms)"),
            "!out of range, !out of range");
  EXPECT_EQ(CastOf("timestamp(us)", "[1000000, -1000000, 1, -1]", "timestamp(s)"),
            "1970-01-01 00:00:01, 1969-12-31 23:59:59, !finer than the unit of the type, "
            "!finer than the unit of the type");
  EXPECT_EQ(CastOf("timestamp(ns)", "[-9223372036854775808]", "text"),
            "1677-09-21 00:12:43.145224192");
  EXPECT_EQ(CastOf("text", R"(["1677-09-21 00:12:43.145224192", "1677-09-21 00:12:43.145224191"])",
                   "timestamp(ns)"),
            "1677-09-21 00:12:43.145224192, !out of range");
  EXPECT_EQ(CastOf("timestamp(us, UTC)", "[0]", "timestamp(ms, Europe/Lisbon)"),
            "1970-01-01 00:00:00.000Z");
  EXPECT_EQ(CastOf("timestamp(us, UTC)", "[0, null, -1]", "timestamp(us, Asia/Tokyo)"),
            "1970-01-01 00:00:00.000000Z, null, 1969-12-31 23:59:59.999999Z");
  EXPECT_EQ(CastOf("time(ms)", "[1500, 1000, 86400000]", "time(s)"),
            "!finer than the unit of the type, 00:00:01, !no such time of day");
  EXPECT_EQ(CastOf("time(s)", "[86399]", "time(ns)"), "23:59:59.000000000");
}

TEST(TimeCasts, GoBetweenInstantsAndReadingsByANamedClock) {
  // 2026-07-01T12:00Z, and 01:30 on the day the clock in Lisbon goes back and forward.
  EXPECT_EQ(CastOf("timestamp(s, UTC)", "[1782907200, null]", "timestamp(us)", "", "Europe/Lisbon"),
            "2026-07-01 13:00:00.000000, null");
  EXPECT_EQ(CastOf("timestamp(s)", "[1782907200, 1792891800, 1774747800]", "timestamp(us, UTC)", "",
                   "Europe/Lisbon"),
            "2026-07-01 11:00:00.000000Z, !a time that the zone's clock shows twice, "
            "!a time that the zone's clock skips");
  EXPECT_EQ(CastOf("timestamp(us)", "[1782907200000001]", "timestamp(ns, UTC)", "", "UTC"),
            "2026-07-01 12:00:00.000001000Z");
  EXPECT_EQ(CastOf("timestamp(s)", "[9223372036854775807]", "timestamp(s, UTC)", "", "UTC"),
            "!out of range");
}

TEST(TimeCasts, GoBetweenDatesAndTimestamps) {
  EXPECT_EQ(CastOf("date", "[20636, null, -1]", "timestamp(ms)"),
            "2026-07-02 00:00:00.000, null, 1969-12-31 00:00:00.000");
  EXPECT_EQ(CastOf("date", "[20636]", "timestamp(s, UTC)", "", "Europe/Lisbon"),
            "2026-07-01 23:00:00Z");
  EXPECT_EQ(CastOf("date", "[2147483647]", "timestamp(ns)"), "!out of range");
  EXPECT_EQ(CastOf("timestamp(us)", "[86400000000, 86400000001, -86400000000]", "date"),
            "1970-01-02, !has a time of day, which a date has no place for, 1969-12-31");
  EXPECT_EQ(CastOf("timestamp(s, UTC)", "[1782860400, 1782864000]", "date", "", "Europe/Lisbon"),
            "2026-07-01, !has a time of day, which a date has no place for");
  EXPECT_EQ(CastOf("timestamp(s)", "[9223372036828800000]", "date"), "!out of range");
}

TEST(TimeCasts, RefuseOptionsThatSayTooLittleOrNothing) {
  const auto expect = [](const Status& status, const char* noun) {
    EXPECT_THAT(status, FailsWith(FaultCode::kBadCast, HasSubstr(noun)));
    EXPECT_FALSE(FaultOf(status).help().empty());
  };
  expect(Refusal("timestamp(us)", "timestamp(us, UTC)"), "whose clock");
  expect(Refusal("timestamp(us, UTC)", "timestamp(us)"), "whose clock");
  expect(Refusal("date", "timestamp(us, UTC)"), "whose clock");
  expect(Refusal("timestamp(us, UTC)", "date"), "whose clock");
  EXPECT_THAT(Refusal("text", "timestamp(us, UTC)"), IsOk()) << "each text may say it";
  expect(Refusal("timestamp(us)", "timestamp(s)", "", "UTC"), "timezone has no meaning");
  expect(Refusal("text", "date", "", "UTC"), "timezone has no meaning");
  expect(Refusal("int64", "int8", "", "UTC"), "timezone has no meaning");
  expect(Refusal("timestamp(us)", "date", "%Y-%m-%d"), "format is for texts");
  expect(Refusal("text", "int64", "%Y-%m-%d"), "format is for texts");
  expect(Refusal("date", "text", "%Y-%m-%d"), "format is for texts");
  expect(Refusal("text", "date", "%H:%M"), "no date");
  expect(Refusal("text", "timestamp", "%H:%M"), "no date");
  expect(Refusal("text", "time", "%Y-%m-%d"), "time alone");
  expect(Refusal("text", "time", "%Y-%m-%d %H:%M"), "time alone");
  expect(Refusal("text", "date", "%Y-%m-%d %H:%M %z"), "offset");
}

}  // namespace
}  // namespace levada::conversions
