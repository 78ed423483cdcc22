#include <random>

#include "connectors/sqlite/sqlite_fixture.h"
#include "connectors/sqlite/window_bounds.h"

namespace levada::sqlite {
namespace {

using testing::HasSubstr;
using testing::Not;

class SqliteWindowTest : public SqliteFixture {
 protected:
  elt::RunInstance Day(int day, elt::NullWindow nulls = elt::NullWindow::kError) const {
    return WindowRun("at", kNewYear + day * kDay, kNewYear + (day + 1) * kDay, nulls);
  }
  elt::RunInstance Hour(int hour) const {
    return WindowRun("at", kNewYear + hour * kHour, kNewYear + (hour + 1) * kHour);
  }
  std::string Ids(const elt::RunInstance& run) { return Column(ReadAll("table: t", run), "id"); }
};

TEST_F(SqliteWindowTest, TakesEachRowInExactlyOneDay) {
  for (const char* type : {"DATETIME", "TIMESTAMP", "TEXT"}) {
    Do(std::string("DROP TABLE IF EXISTS t; CREATE TABLE t (id INTEGER PRIMARY KEY, at ") + type +
       "); INSERT INTO t VALUES (1, '2025-12-31 23:59:59.999999'), (2, '2026-01-01'), "
       "(3, '2026-01-01 00:00:00'), (4, '2026-01-01T23:59:59'), (5, '2026-01-02T00:00:00'), "
       "(6, '2026-01-02'), (7, '2026-01-01 12:00')");
    EXPECT_EQ(Ids(Day(-1)), "[1]") << type;
    EXPECT_EQ(Ids(Day(0)), "[2, 3, 7, 4]") << type << ", in the order of the window's column";
    EXPECT_EQ(Ids(Day(1)), "[6, 5]") << type;
    EXPECT_EQ(Ids(Day(2)), "[]") << type;
  }
}

TEST_F(SqliteWindowTest, TakesDaysOfADateColumn) {
  Do("CREATE TABLE t (id INTEGER PRIMARY KEY, at DATE); INSERT INTO t VALUES (1, '2026-01-02'), "
     "(2, '2026-01-01'), (3, '2025-12-31')");
  EXPECT_EQ(Ids(Day(0)), "[2]");
  EXPECT_EQ(Ids(Day(1)), "[1]");
}

TEST_F(SqliteWindowTest, TakesEachRowInExactlyOneHourWhateverStandsBetweenDateAndTime) {
  Do("CREATE TABLE t (id INTEGER PRIMARY KEY, at DATETIME); INSERT INTO t VALUES "
     "(1, '2026-01-01'), (2, '2026-01-01 00:59:59.9'), (3, '2026-01-01T00:30:00'), "
     "(4, '2026-01-01t01:00'), (5, '2026-01-01 01:00'), (6, '2026-01-01T23:30'), "
     "(7, '2026-01-01 23:30'), (8, '2026-01-02')");
  std::vector<std::string> expected(25, "[]");
  expected[0] = "[1, 2, 3]";
  expected[1] = "[5, 4]";
  expected[23] = "[7, 6]";
  expected[24] = "[8]";
  for (int hour = -1; hour < 26; ++hour) {
    EXPECT_EQ(Ids(Hour(hour)), hour < 0 || hour > 24 ? "[]" : expected[hour]) << hour;
  }
}

TEST_F(SqliteWindowTest, ReadsAWindowThroughAnIndex) {
  Do("CREATE TABLE t (id INTEGER PRIMARY KEY, at DATETIME); CREATE INDEX by_at ON t (at);"
     "INSERT INTO t VALUES (2, '2026-01-01 10:00'), (1, '2026-01-01 11:00'), (3, '2026-01-02')");
  const Read read = ReadAll("table: t", Day(0));
  EXPECT_EQ(Column(read, "id"), "[2, 1]");
  EXPECT_EQ(read.partition.estimated_rows, 2) << "counted in the index";
  EXPECT_EQ(read.partition.meaning, "at in [2026-01-01, 2026-01-02)");
  auto database = Writer();
  auto plan = ValueOf(database->Prepare(ctx_, "EXPLAIN QUERY PLAN " + read.partition.query));
  std::string steps;
  while (*plan.Step(ctx_)) steps += plan.Text(3) + "\n";
  // With a third column it is no covering index; either way it is searched.
  EXPECT_THAT(steps, testing::ContainsRegex("SEARCH t USING (COVERING )?INDEX by_at"));
  EXPECT_THAT(steps, Not(HasSubstr("TEMP B-TREE"))) << "no sorting";
  Do("DROP INDEX by_at");
  EXPECT_EQ(ReadAll("table: t", Day(0)).partition.estimated_rows, -1);
}

TEST_F(SqliteWindowTest, FollowsThePolicyForRowsWithoutATime) {
  Do("CREATE TABLE t (id INTEGER PRIMARY KEY, at DATETIME);"
     "INSERT INTO t VALUES (1, NULL), (2, '2026-01-01')");
  const Status status = TryRead("table: t", Day(0)).status();
  EXPECT_THAT(status, FailsWith(FaultCode::kNullInWindow, HasSubstr("rowid 1")));
  EXPECT_THAT(TryRead("table: t", Day(5)), FailsWith(FaultCode::kNullInWindow))
      << "also where the window itself has no rows";
  EXPECT_EQ(Ids(Day(0, elt::NullWindow::kThisWindow)), "[1, 2]");
  EXPECT_EQ(Ids(Day(0, elt::NullWindow::kOtherWindow)), "[2]");
}

TEST_F(SqliteWindowTest, RefusesRowsThatNoWindowWouldTake) {
  for (const char* stray : {"1767225600", "1.5", "''", "'yesterday'", "x'32303236'", "'-1'"}) {
    Do(std::string("DROP TABLE IF EXISTS t; CREATE TABLE t (id INTEGER PRIMARY KEY, at DATETIME);"
                   "INSERT INTO t VALUES (1, '2026-01-01'), (2, ") +
       stray + ")");
    EXPECT_THAT(TryRead("table: t", Day(0)),
                FailsWith(FaultCode::kValueRefused, HasSubstr("\"at\", rowid 2")))
        << stray;
  }
}

TEST_F(SqliteWindowTest, NeedsAColumnThatIsThere) {
  Do("CREATE TABLE t (id INTEGER PRIMARY KEY, at DATETIME, loose)");
  auto run = Day(0);
  run.window_column = "att";
  const std::string yaml = "table: t\ncolumns: [id]";
  EXPECT_THAT(TryRead(yaml, run), FailsWith(FaultCode::kColumnNotFound, HasSubstr("\"att\"")));
  run.window_column = "loose";
  EXPECT_THAT(TryRead(yaml, run), FailsWith(FaultCode::kUnsupportedType));
  run.window_column = "id";
  EXPECT_THAT(TryRead(yaml, run), FailsWith(FaultCode::kBadWindow));
}

TEST_F(SqliteWindowTest, CutsByAColumnThatIsNotRead) {
  Do("CREATE TABLE t (id INTEGER PRIMARY KEY, at DATETIME);"
     "INSERT INTO t VALUES (1, '2026-01-01'), (2, '2026-01-02')");
  const Read read = ReadAll("table: t\ncolumns: [id]", Day(1));
  EXPECT_EQ(read.table->num_columns(), 1);
  EXPECT_EQ(Column(read, "id"), "[2]");
}

TEST_F(SqliteWindowTest, CutsTablesWithoutRowidAndViews) {
  Do("CREATE TABLE t (id INTEGER, at DATETIME, PRIMARY KEY (id)) WITHOUT ROWID;"
     "INSERT INTO t VALUES (2, '2026-01-01 09:00'), (1, '2026-01-01 10:00'), (3, '2026-01-02');"
     "CREATE VIEW v AS SELECT id, at FROM t");
  EXPECT_EQ(Ids(Day(0)), "[2, 1]");
  EXPECT_EQ(ReadAll("table: v", Day(0)).end.rows_sent, 2);
}

TEST_F(SqliteWindowTest, PutsEveryTextOfADayIntoExactlyOneOfItsHours) {
  // Also texts that are no times: rows are refused by name or read, and never lost between windows.
  const std::string alphabet("0123456789-:. TtuZz+/x\0é", 24);
  std::mt19937 random(20260101);
  auto pick = [&random](size_t count) { return random() % count; };
  auto database = Writer();
  ASSERT_THAT(database->Execute(ctx_, "CREATE TABLE t (id INTEGER PRIMARY KEY, at TEXT)"), IsOk());
  ASSERT_THAT(database->Execute(ctx_, "BEGIN"), IsOk());
  auto insert = ValueOf(database->Prepare(ctx_, "INSERT INTO t (at) VALUES (?1)"));
  for (int i = 0; i < 2000; ++i) {
    std::string text = "2026-01-0" + std::to_string(1 + pick(3));
    text += " Tt"[pick(3)];
    text += std::to_string(pick(3)) + std::to_string(pick(10)) + ":00";
    for (size_t changes = pick(4); changes > 0; --changes) {
      text[pick(text.size())] = alphabet[pick(alphabet.size())];
    }
    text.resize(pick(text.size()) + 1);
    ASSERT_THAT(insert.Bind(1, text).Run(ctx_), IsOk());
  }
  ASSERT_THAT(database->Execute(ctx_, "COMMIT"), IsOk());
  const auto rows_of = [&](const elt::RunInstance& run) {
    const WindowBounds bounds = ValueOf(BoundsOf(run, *arrow::utf8()));
    std::vector<int64_t> ids;
    auto select = ValueOf(database->Prepare(ctx_, "SELECT id FROM t WHERE " + Condition(bounds)));
    while (ValueOf(select.Step(ctx_))) ids.push_back(select.Int64(0));
    return ids;
  };
  for (int day = -1; day < 4; ++day) {
    std::vector<int64_t> by_hour;
    for (int hour = 24 * day; hour < 24 * (day + 1); ++hour) {
      const auto ids = rows_of(Hour(hour));
      by_hour.insert(by_hour.end(), ids.begin(), ids.end());
    }
    EXPECT_THAT(by_hour, testing::UnorderedElementsAreArray(rows_of(Day(day)))) << day;
  }
}

TEST_F(SqliteWindowTest, RefusesTextsThatDoNotSortLikeTime) {
  const auto read = [&](const std::string& value, const elt::RunInstance& run,
                        const std::string& yaml = "table: t") {
    Do("DROP TABLE IF EXISTS t; CREATE TABLE t (id INTEGER PRIMARY KEY, at TEXT);"
       "INSERT INTO t VALUES (7, '" +
       value + "')");
    return TryRead(yaml, run).status();
  };
  // Each is in the range of the first of January, or of the day before.
  for (const char* value :
       {"2026-01-01 1:30", "2026-01-01x", "2026-01-01 01", "2026-01-01T01:00-05",
        "2026-01-01 23:30:00-05:00", "2026-01-01 01:00+01:00"}) {
    EXPECT_THAT(read(value, Day(0)), FailsWith(FaultCode::kValueRefused, HasSubstr("rowid 7")))
        << value;
  }
  for (const char* value : {"2026", "2026-01"}) {
    EXPECT_THAT(read(value, Day(-1)), FailsWith(FaultCode::kValueRefused)) << value;
  }
  EXPECT_THAT(read("2026-01-01 23:30:00-05:00", Day(0), "table: t\ncolumns: [id]"),
              FailsWith(FaultCode::kValueRefused))
      << "also where the column is not read";
  for (const char* value : {"2026-01-01", "2026-01-01 01:30", "2026-01-01t01:30:00.25",
                            "2026-01-01T01:30:00.000Z", "2026-01-01 01:30:00+00:00"}) {
    EXPECT_THAT(read(value, Day(0)), IsOk()) << value;
  }
  // The same instants are not where a clock of summer time puts their texts.
  const auto july = WindowRun("at", kNewYear + 181 * kDay - kHour, kNewYear + 182 * kDay - kHour,
                              elt::NullWindow::kError, "Europe/Lisbon");
  EXPECT_THAT(read("2026-07-01 00:30", july), IsOk());
  EXPECT_THAT(read("2026-07-01 00:30Z", july), FailsWith(FaultCode::kValueRefused));
  Status status = read("2026-01-01x", Day(0));
  EXPECT_EQ(FaultOf(status).Detail("column"), "at");
  EXPECT_EQ(FaultOf(status).Detail("rowid"), "7");
}

TEST_F(SqliteWindowTest, BeginsADayAtItsMidnightAlsoWhereTheClockSkipsIt) {
  // In Sao Paulo the fourth of November 2018 began at 01:00, which is 03:00 UTC.
  const WallMicros start = 1'541'300'400'000'000;
  const auto day = [&](const char* column) {
    return WindowRun(column, start, start + 23 * kHour, elt::NullWindow::kError,
                     "America/Sao_Paulo");
  };
  Do("CREATE TABLE t (id INTEGER PRIMARY KEY, at DATETIME, day DATE);"
     "INSERT INTO t VALUES (1, '2018-11-03 23:59', '2018-11-03'), (2, '2018-11-04', '2018-11-04'),"
     "(3, '2018-11-04 01:00', '2018-11-05')");
  EXPECT_EQ(Ids(day("at")), "[2, 3]");
  EXPECT_EQ(Ids(day("day")), "[2]");
}

}  // namespace
}  // namespace levada::sqlite
