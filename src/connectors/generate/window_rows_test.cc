#include "connectors/generate/window_rows.h"

#include <string>

#include "connectors/generate/generate_fixture.h"

namespace levada::generate {
namespace {

using testing::HasSubstr;

class WindowRowsTest : public GenerateFixture {};

constexpr WallMicros kNewYear2026 = 1'767'225'600'000'000;

std::string Columns(const std::string& column) {
  return "rows: 100\ncolumns:\n  id: { type: int64, sequence: 0 }\n  at: " + column;
}

TEST_F(WindowRowsTest, AWindowHasTheRowsOfItsTimes) {
  const Read read = ReadAll("table: events\nrows: 100000",
                            WindowRun("created_at", kNewYear2025 + kDay, kNewYear2025 + 2 * kDay));
  EXPECT_EQ(read.partitions[0].meaning, "created_at in [2025-01-02, 2025-01-03) UTC");
  EXPECT_NEAR(static_cast<double>(read.table->num_rows()), 86'400 / 3.137, 2);
  const auto& times = static_cast<const arrow::TimestampArray&>(*read.table->column(1)->chunk(0));
  EXPECT_GE(times.Value(0), kNewYear2025 + kDay);
  EXPECT_LT(times.Value(times.length() - 1), kNewYear2025 + 2 * kDay);
}

TEST_F(WindowRowsTest, WindowsTogetherAreTheTable) {
  const auto whole = ReadAll("table: events\nrows: 5000\nseed: 3").table;
  std::vector<std::shared_ptr<arrow::Table>> hours;
  for (WallMicros hour = kNewYear2025; hour < kNewYear2025 + 6 * kHour; hour += kHour) {
    hours.push_back(ReadAll("table: events\nrows: 5000\nseed: 3\npartition: { size: 700 }",
                            WindowRun("created_at", hour, hour + kHour))
                        .table);
  }
  const auto together = ValueOf(ValueOf(arrow::ConcatenateTables(hours))->CombineChunks());
  EXPECT_TRUE(together->Equals(*whole));
}

TEST_F(WindowRowsTest, WindowsBeforeAndBehindTheRowsAreEmpty) {
  for (const WallMicros start : {kNewYear2025 - kDay, kNewYear2025 + kDay}) {
    const Read read = ReadAll("table: narrow\nrows: 10", WindowRun("c", start, start + kDay));
    EXPECT_EQ(read.table->num_rows(), 0);
    EXPECT_EQ(read.partitions.size(), 1u);
  }
}

TEST_F(WindowRowsTest, PartitionsOfAWindowAreCutAtTheSameRows) {
  const auto partitions = ValueOf(Split("table: narrow\nrows: 100000\npartition: { size: 50000 }",
                                        WindowRun("c", kNewYear2025, kNewYear2025 + kDay)));
  ASSERT_EQ(partitions.size(), 2u);
  EXPECT_EQ(partitions[0].estimated_rows, 50'000);
  EXPECT_EQ(partitions[1].estimated_rows, 36'400);
  EXPECT_EQ(partitions[1].meaning, "c in [2025-01-01, 2025-01-02) UTC and row in [50000, 86400)");
}

TEST_F(WindowRowsTest, SequencesOfDatesAndTimesMakeWindows) {
  for (const char* column : {"{ type: timestamp, sequence: 2025-12-31, step: 1h }",
                             "{ type: timestamp(s), sequence: 2025-12-31, step: 1h }",
                             "{ type: \"timestamp(ns, UTC)\", sequence: 2025-12-31, step: 1h }",
                             "{ type: date, sequence: 2025-12-31, step: 1h }"}) {
    const Read read = ReadAll(Columns(column), WindowRun("at", kNewYear2026, kNewYear2026 + kDay));
    EXPECT_EQ(read.table->num_rows(), 24) << column;
    EXPECT_EQ(Text(*read.table->column(0)->Slice(0, 1)), "[24]") << column;
  }
}

TEST_F(WindowRowsTest, TimesWithoutZoneAreReadOnTheClockOfTheWindow) {
  // 2026-01-01 in New York is from 05:00 to 05:00 of UTC.
  const auto run =
      WindowRun("at", kNewYear2026 + 5 * kHour, kNewYear2026 + 29 * kHour, "America/New_York");
  const Read local = ReadAll(Columns("{ type: timestamp, sequence: 2025-12-31, step: 1h }"), run);
  EXPECT_EQ(Text(*local.table->column(0)->Slice(0, 1)), "[24]");
  const Read zoned =
      ReadAll(Columns("{ type: \"timestamp(us, UTC)\", sequence: 2025-12-31, step: 1h }"), run);
  EXPECT_EQ(Text(*zoned.table->column(0)->Slice(0, 1)), "[29]");
  EXPECT_EQ(zoned.partitions[0].meaning, "at in [2026-01-01, 2026-01-02) America/New_York");
}

TEST_F(WindowRowsTest, RefusesColumnsWithoutOrder) {
  const auto day = [](const char* column) {
    return WindowRun(column, kNewYear2026, kNewYear2026 + kDay);
  };
  for (const char* column :
       {"date", "{ type: timestamp, min: 2026-01-01 }", "{ type: int64, sequence: 1 }",
        "{ type: timestamp, sequence: 2026-01-01, nulls: 0.1 }", "text"}) {
    EXPECT_THAT(Split(Columns(column), day("at")),
                FailsWith(FaultCode::kImpossiblePlan, HasSubstr("\"at\"")))
        << column;
  }
  const auto help = [&](const std::string& yaml, const char* column) {
    return FaultOf(Split(yaml, day(column)).status()).help();
  };
  EXPECT_THAT(help("table: lineitem\nrows: 1", "l_shipdate"), HasSubstr("events"));
  EXPECT_THAT(help("table: events\nrows: 1", "received_at"), HasSubstr("created_at"));
  EXPECT_THAT(help(Columns("date"), "at"), HasSubstr("sequence: 2026-01-01"));
}

TEST_F(WindowRowsTest, RefusesColumnsThatAreNotThere) {
  const auto run = WindowRun("create_at", kNewYear2026, kNewYear2026 + kDay);
  const Status status = Split("table: events\nrows: 1", run).status();
  EXPECT_THAT(status, FailsWith(FaultCode::kUnknownColumn, HasSubstr("create_at")));
  EXPECT_THAT(FaultOf(status).help(), HasSubstr("created_at"));
}

TEST_F(WindowRowsTest, RefusesHoursOfDates) {
  EXPECT_THAT(Split(Columns("{ type: date, sequence: 2026-01-01 }"),
                    WindowRun("at", kNewYear2026, kNewYear2026 + kHour)),
              FailsWith(FaultCode::kBadWindow, HasSubstr("dates")));
}

}  // namespace
}  // namespace levada::generate
