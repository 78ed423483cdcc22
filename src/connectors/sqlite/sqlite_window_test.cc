#include "connectors/sqlite/sqlite_fixture.h"

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

TEST_F(SqliteWindowTest, DISABLED_TakesEachRowInExactlyOneHourWhateverStandsBetweenDateAndTime) {
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

TEST_F(SqliteWindowTest, DISABLED_ReadsAWindowThroughAnIndex) {
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
  EXPECT_THAT(steps, HasSubstr("SEARCH t USING INDEX by_at"));
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

}  // namespace
}  // namespace levada::sqlite
