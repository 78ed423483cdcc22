#include "connectors/postgres/marks.h"

#include "connectors/postgres/consumer_testing.h"

namespace levada::postgres {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using tests::PostgresServer;

/// What is asked for, by what differs from the usual.
struct Ask {
  std::string column;
  std::optional<std::string> low = {};
  std::optional<std::string> after = {};
  std::string lag = {};
  std::string timezone = "UTC";
  bool settled = true;

  elt::MarkRequest Request() const { return {column, low, after, lag, timezone, settled}; }
};

class MarksTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    PostgresServer::Shared().NewDatabase("marks");
    Execute(R"(
create table numbers(id int8 generated always as identity primary key, small int2, name text, amount numeric(9,2));
insert into numbers(small, name, amount) select g, g, g from generate_series(1, 100) g;
create table nothing(id int8, at timestamptz);
create table times(id int, at timestamptz not null, local timestamp, day date);
insert into times select g, at, at at time zone 'Asia/Tokyo', (at at time zone 'Asia/Tokyo')::date from (
  select g, now() - g * interval '1 hour' - interval '30 minutes' as at from generate_series(-3, 100) g) rows;
insert into times select 1000, at, at at time zone 'Asia/Tokyo', null from (select now() - interval '30 seconds' as at) r;
create table endless(at timestamptz);
insert into endless values ('infinity'), ('-infinity');
create table ahead(id int8 generated always as identity (cache 20));
insert into ahead select from generate_series(1, 3);
create view seen as select * from numbers;
create table parts(id int not null) partition by range (id);
create table parts_a partition of parts for values from (0) to (100);
create table parts_b partition of parts for values from (100) to (200);
insert into parts values (1), (150);
)");
  }

  static void Execute(const std::string& sql) { PostgresServer::Shared().Execute(sql, "marks"); }
  /// As a session in UTC shows a timestamptz.
  static std::string Utc(const std::string& expression, const std::string& rest) {
    return Value("select ((" + expression + ") at time zone 'UTC')::text || '+00' from times " +
                 rest);
  }
  static std::string Value(const std::string& sql) {
    return PostgresServer::Shared().Value(sql, "marks");
  }

  Result<elt::Mark> Find(const std::string& yaml, const Ask& ask) {
    return ConsumerOf(yaml, PostgresServer::Shared().Dsn("marks"))->FindMark(ctx_, ask.Request());
  }
  std::optional<std::string> High(const std::string& yaml, const Ask& ask) {
    return ValueOf(Find(yaml, ask)).high;
  }

  /// A transaction that goes on until the test ends it.
  static std::unique_ptr<pq::Connection> Begin(const Context& ctx, const std::string& sql) {
    pq::ConnectOptions options;
    options.dsn = Secret(PostgresServer::Shared().Dsn("marks"));
    auto connection = ValueOf(pq::Connection::Open(ctx, options));
    EXPECT_THAT(connection->Execute(ctx, "test", "begin; " + sql), IsOk());
    return connection;
  }

  TestContext test_;
  Context ctx_ = test_.context();
};

TEST_F(MarksTest, OfNumbersIsTheGreatest) {
  EXPECT_EQ(High("table: numbers", {.column = "id"}), "100");
  EXPECT_EQ(High("table: numbers", {.column = "small"}), "100");
  EXPECT_EQ(High("table: seen", {.column = "id"}), "100");
  EXPECT_EQ(High("table: parts", {.column = "id"}), "150");
  EXPECT_EQ(High("query: select id * 2 as twice from numbers", {.column = "twice"}), "200");
  EXPECT_EQ(High("table: numbers", {.column = "id", .low = "99"}), "100");
  EXPECT_EQ(High("table: numbers", {.column = "id", .low = "100"}), std::nullopt);
  EXPECT_EQ(High("table: nothing", {.column = "id"}), std::nullopt);
}

TEST_F(MarksTest, ALagKeepsAwayFromTheNewest) {
  EXPECT_EQ(High("table: numbers", {.column = "id", .lag = "10"}), "90");
  EXPECT_EQ(High("table: numbers", {.column = "id", .low = "89", .lag = "10"}), "90");
  EXPECT_EQ(High("table: numbers", {.column = "id", .low = "90", .lag = "10"}), std::nullopt);
  EXPECT_EQ(High("table: numbers", {.column = "id", .lag = "9223372036854775807"}), std::nullopt);
}

TEST_F(MarksTest, AfterIsTheFirstLowMark) {
  const elt::Mark mark = ValueOf(Find("table: numbers", {.column = "id", .after = "+0100"}));
  EXPECT_EQ(mark.low, "100");
  EXPECT_EQ(mark.high, std::nullopt);
  EXPECT_EQ(ValueOf(Find("table: numbers", {.column = "id", .low = "7", .after = "100"})).low, "7");
  EXPECT_EQ(ValueOf(Find("table: times",
                         {.column = "at", .after = "2026-01-01", .timezone = "Asia/Tokyo"}))
                .low,
            "2025-12-31T15:00:00.000000Z");
  EXPECT_EQ(ValueOf(Find("table: times",
                         {.column = "local", .after = "2026-01-01", .timezone = "Asia/Tokyo"}))
                .low,
            "2026-01-01");
}

TEST_F(MarksTest, OfTimesIsBeforeNow) {
  EXPECT_EQ(High("table: times", {.column = "at"}),
            Utc("max(at)", "where id < 1000 and at < now() - interval '1 minute'"))
      << "the lag is a minute unless said, and what is in the future waits";
  EXPECT_EQ(High("table: times", {.column = "at", .lag = "5s"}), Utc("at", "where id = 1000"));
  EXPECT_EQ(High("table: times", {.column = "local", .lag = "5s", .timezone = "Asia/Tokyo"}),
            Value("select local::text from times where id = 1000"))
      << "the clock of the zone that the values are of";
  EXPECT_EQ(High("table: times", {.column = "at", .lag = "50h"}),
            Utc("max(at)", "where at < now() - interval '50 hours'"));
}

TEST_F(MarksTest, OfDatesIsADayThatIsOver) {
  EXPECT_EQ(High("table: times", {.column = "day", .timezone = "Asia/Tokyo"}),
            Value("select ((now() - interval '1 minute') at time zone 'Asia/Tokyo')::date - 1"));
}

TEST_F(MarksTest, InfinityIsNoMark) {
  EXPECT_EQ(High("table: endless", {.column = "at", .timezone = "UTC"}), std::nullopt);
}

TEST_F(MarksTest, WhatHasNoOrderOrDoesNotFitIsRefused) {
  EXPECT_THAT(Find("table: numbers", {.column = "nope"}), FailsWith(FaultCode::kColumnNotFound));
  for (const char* column : {"name", "amount"}) {
    EXPECT_THAT(Find("table: numbers", {.column = column}),
                FailsWith(FaultCode::kImpossiblePlan, HasSubstr("expected a whole number, date")));
  }
  EXPECT_THAT(
      Find("table: numbers", {.column = "id", .after = "2026-01-01"}),
      FailsWith(FaultCode::kImpossiblePlan, HasSubstr("run: after: column \"id\" is integer")));
  EXPECT_THAT(Find("table: numbers", {.column = "id", .lag = "5m"}),
              FailsWith(FaultCode::kImpossiblePlan, HasSubstr("run: lag:")));
  EXPECT_THAT(Find("table: times", {.column = "at", .after = "12", .timezone = "UTC"}),
              FailsWith(FaultCode::kImpossiblePlan, HasSubstr("expected a date or a time")));
  EXPECT_THAT(Find("table: times", {.column = "at", .lag = "100", .timezone = "UTC"}),
              FailsWith(FaultCode::kImpossiblePlan, HasSubstr("expected a duration")));
}

TEST_F(MarksTest, ATableThatWasEmptiedIsNoticed) {
  const auto found = ValueOf(Find("table: numbers", {.column = "id", .low = "5000"}));
  EXPECT_EQ(found.high, std::nullopt);
  ASSERT_FALSE(found.notes.empty());
  EXPECT_THAT(found.notes.front(), HasSubstr("\"id\" is 100, below the 5000"));
  EXPECT_THAT(ValueOf(Find("table: numbers", {.column = "id", .low = "100"})).notes, IsEmpty());
  EXPECT_THAT(ValueOf(Find("table: nothing", {.column = "id", .low = "100"})).notes, IsEmpty());
  EXPECT_THAT(ValueOf(Find("table: endless", {.column = "at", .low = "2026-01-01"})).notes,
              IsEmpty());
}

TEST_F(MarksTest, WritersAreWaitedForAndThenNamed) {
  for (const char* sql :
       {"insert into numbers(small) values (1)", "lock table numbers in row exclusive mode"}) {
    const auto writer = Begin(ctx_, sql);
    const auto began = test_.clock.Steady();
    EXPECT_THAT(Find("table: numbers", {.column = "id", .low = "5"}),
                FailsWith(FaultCode::kSourceBusy,
                          HasSubstr("have not ended for 1m00s: rows of theirs may")))
        << sql;
    EXPECT_GE(test_.clock.Steady() - began, std::chrono::minutes(1));
    EXPECT_THAT(High("table: numbers", {.column = "id", .low = "5", .settled = false}), "100");
    EXPECT_THAT(High("table: nothing", {.column = "id"}), std::nullopt) << "another table";
    EXPECT_THAT(
        Find("query: select n.id from numbers n join nothing on true or true", {.column = "id"})
            .status(),
        testing::Not(FailsWith(FaultCode::kImpossiblePlan)));
    EXPECT_THAT(writer->Execute(ctx_, "test", "rollback"), IsOk());
  }
  EXPECT_EQ(High("table: numbers", {.column = "id", .low = "5"}), "100");
}

TEST_F(MarksTest, WritersOfPartitionsAndBehindViewsAreSeen) {
  const auto partition = Begin(ctx_, "insert into parts_b values (151)");
  EXPECT_THAT(Find("table: parts", {.column = "id"}), FailsWith(FaultCode::kSourceBusy));
  EXPECT_THAT(partition->Execute(ctx_, "test", "rollback"), IsOk());
  const auto behind = Begin(ctx_, "insert into numbers(small) values (1)");
  EXPECT_THAT(Find("table: seen", {.column = "id"}), FailsWith(FaultCode::kSourceBusy));
  EXPECT_THAT(behind->Execute(ctx_, "test", "rollback"), IsOk());
}

TEST_F(MarksTest, ReadersAreNotWaitedFor) {
  const auto reader = Begin(ctx_, "select count(*) from numbers; select * from numbers limit 1");
  EXPECT_EQ(High("table: numbers", {.column = "id"}), "100");
  EXPECT_THAT(reader->Execute(ctx_, "test", "rollback"), IsOk());
}

TEST_F(MarksTest, AStopEndsTheWait) {
  const auto writer = Begin(ctx_, "insert into numbers(small) values (1)");
  test_.stop.request_stop();
  EXPECT_THAT(Find("table: numbers", {.column = "id"}), FailsWith(FaultCode::kStopped));
}

TEST_F(MarksTest, ASequenceThatIsDrawnInAdvanceIsSaid) {
  EXPECT_THAT(ValueOf(Find("table: ahead", {.column = "id"})).notes,
              testing::ElementsAre(HasSubstr("each session draws 20 values of \"id\"")));
  EXPECT_THAT(ValueOf(Find("table: numbers", {.column = "id"})).notes, IsEmpty());
}

}  // namespace
}  // namespace levada::postgres
