#include "connectors/sqlite/window_bounds.h"

#include "base/testing.h"
#include "connectors/sqlite/sqlite_fixture.h"
#include "elt/window_calendar.h"

namespace levada::sqlite {
namespace {

using testing::HasSubstr;
using testing::Not;

const auto kTimestamp = arrow::timestamp(arrow::TimeUnit::MICRO);

std::string BoundsText(const elt::RunInstance& run,
                       const std::shared_ptr<arrow::DataType>& type = kTimestamp) {
  const WindowBounds bounds = ValueOf(BoundsOf(run, *type));
  return bounds.from + ".." + bounds.to;
}

TEST(WindowBounds, AreDatesAtMidnightAndAsShortAsPossibleElsewhere) {
  EXPECT_EQ(BoundsText(WindowRun("t", kNewYear, kNewYear + kDay)), "2026-01-01..2026-01-02");
  EXPECT_EQ(BoundsText(WindowRun("t", kNewYear + 5 * kHour, kNewYear + 6 * kHour)),
            "2026-01-01 05:00..2026-01-01 06:00");
  EXPECT_EQ(BoundsText(WindowRun("t", kNewYear + 23 * kHour, kNewYear + kDay)),
            "2026-01-01 23:00..2026-01-02");
  EXPECT_EQ(BoundsText(WindowRun("t", kNewYear - 1'000'000, kNewYear)),
            "2025-12-31 23:59:59..2026-01-01");
}

TEST(WindowBounds, AreOnTheClockOfTheWindowsZone) {
  const auto in = [](const char* zone, WallMicros start, WallMicros end) {
    return WindowRun("t", start, end, elt::NullWindow::kError, zone);
  };
  // 2026-07-01 in Lisbon begins at 23:00 UTC.
  const WallMicros july = kNewYear + 181 * kDay - kHour;
  EXPECT_EQ(BoundsText(in("Europe/Lisbon", july, july + kDay)), "2026-07-01..2026-07-02");
  EXPECT_EQ(BoundsText(in("Europe/Lisbon", july, july + kDay), arrow::date32()),
            "2026-07-01..2026-07-02");
  // The clock goes from 01:59:59 to 01:00:00 on 2026-10-25: of the two windows that show 01:00 the
  // first is empty and the second takes the hour, so that no row is in two.
  const WallMicros fold = kNewYear + 297 * kDay;
  EXPECT_EQ(BoundsText(in("Europe/Lisbon", fold, fold + kHour)),
            "2026-10-25 01:00..2026-10-25 01:00");
  EXPECT_EQ(BoundsText(in("Europe/Lisbon", fold + kHour, fold + 2 * kHour)),
            "2026-10-25 01:00..2026-10-25 02:00");
}

TEST(WindowBounds, FollowEachOtherWhateverTheClockDoes) {
  // Troll is set back by two hours, Lord Howe by half an hour, Kwajalein once by 23.
  struct Case {
    const char* zone;
    WallMicros from;
    int days;
  };
  for (const Case& c : {Case{"Antarctica/Troll", kNewYear, 366},
                        {"Europe/Lisbon", kNewYear, 366},
                        {"Australia/Lord_Howe", kNewYear, 366},
                        {"Pacific/Kwajalein", -10'000'000'000'000, 30},
                        {"America/St_Johns", 1'262'304'000'000'000, 366}}) {
    const auto zone = ValueOf(elt::TimeZone::Find(c.zone));
    for (const elt::Every every : {elt::Every::kHour, elt::Every::kDay}) {
      std::string end;
      for (WallMicros at = c.from; at < c.from + c.days * kDay;) {
        const elt::Window window = elt::WindowAt(every, zone, c.zone, at);
        const WindowBounds bounds = ValueOf(
            BoundsOf(WindowRun("t", window.start, window.end, elt::NullWindow::kError, c.zone),
                     *kTimestamp));
        if (!end.empty()) {
          ASSERT_EQ(bounds.from, end) << c.zone << " " << window.label;
        }
        ASSERT_LE(bounds.from, bounds.to) << c.zone << " " << window.label;
        if (every == elt::Every::kDay) {
          ASSERT_EQ(bounds.from, window.label) << c.zone;
        }
        end = bounds.to;
        at = window.end;
      }
    }
  }
}

TEST(WindowBounds, NeedAColumnThatSortsLikeTime) {
  const auto day = WindowRun("t", kNewYear, kNewYear + kDay);
  EXPECT_THAT(BoundsOf(day, *arrow::utf8()), IsOk());
  EXPECT_THAT(BoundsOf(day, *arrow::int64()), FailsWith(FaultCode::kBadWindow, HasSubstr("\"t\"")));
  EXPECT_THAT(BoundsOf(day, *arrow::timestamp(arrow::TimeUnit::MICRO, "UTC")),
              FailsWith(FaultCode::kBadWindow, HasSubstr("offset")));
  EXPECT_THAT(BoundsOf(WindowRun("t", kNewYear, kNewYear + kHour), *arrow::date32()),
              FailsWith(FaultCode::kBadWindow, HasSubstr("hours")));
  EXPECT_THAT(BoundsOf(WindowRun("t", 0, kDay, elt::NullWindow::kError, "No/Where"), *kTimestamp),
              FailsWith(FaultCode::kBadWindow));
}

TEST(WindowBounds, AreOneRangeForDays) {
  WindowBounds bounds =
      ValueOf(BoundsOf(WindowRun("a\"b", kNewYear, kNewYear + kDay), *kTimestamp));
  EXPECT_EQ(Condition(bounds), R"("a""b" >= '2026-01-01' AND "a""b" < '2026-01-02')");
  EXPECT_THAT(StrayCondition(bounds), HasSubstr("IS NULL"));
  EXPECT_EQ(Meaning(bounds), "a\"b in [2026-01-01, 2026-01-02)");
  bounds.nulls = true;
  bounds.null_error = false;
  EXPECT_THAT(Condition(bounds), HasSubstr("OR \"a\"\"b\" IS NULL"));
  EXPECT_THAT(StrayCondition(bounds), Not(HasSubstr("IS NULL")));
  EXPECT_THAT(Meaning(bounds), HasSubstr("or null"));
}

TEST(WindowBounds, AreEverythingWithoutAWindow) {
  const WindowBounds bounds = ValueOf(BoundsOf(elt::RunInstance(), *arrow::null()));
  EXPECT_EQ(Condition(bounds), "");
  EXPECT_EQ(StrayCondition(bounds), "");
  EXPECT_EQ(Meaning(bounds), "all rows");
  EXPECT_EQ(ValueOf(WindowBounds::FromJson(bounds.ToJson())), bounds);
}

TEST(WindowBounds, SurviveTheRecord) {
  auto run = WindowRun("Ünï \"x\"", kNewYear, kNewYear + kHour, elt::NullWindow::kThisWindow);
  const WindowBounds bounds = ValueOf(BoundsOf(run, *kTimestamp));
  EXPECT_EQ(ValueOf(WindowBounds::FromJson(bounds.ToJson())), bounds);
}

TEST(WindowBounds, RefuseARecordThatIsNotTheirs) {
  const std::string good = R"({"column":"t","from":"a","to":"b","nulls":false,"null_error":true})";
  ASSERT_THAT(WindowBounds::FromJson(good), IsOk());
  for (size_t size = 0; size < good.size(); ++size) {
    EXPECT_THAT(WindowBounds::FromJson(good.substr(0, size)),
                FailsWith(FaultCode::kManifestCorrupt));
  }
  for (const char* text : {"[]", "null", R"({"ctid":[0,1200]})", R"({"column":"t"})",
                           R"({"column":"","from":"a","to":"b","nulls":false,"null_error":true})",
                           R"({"column":"t","from":"a","to":"b","nulls":0,"null_error":true})",
                           R"({"column":7,"from":"a","to":"b","nulls":false,"null_error":true})"}) {
    EXPECT_THAT(WindowBounds::FromJson(text), FailsWith(FaultCode::kManifestCorrupt)) << text;
  }
}

}  // namespace
}  // namespace levada::sqlite
