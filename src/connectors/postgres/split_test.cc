// Partitions and windows against a real server: every row is in exactly one.

#include "connectors/postgres/split.h"

#include <algorithm>
#include <numeric>

#include "base/clock.h"
#include "connectors/postgres/consumer_testing.h"
#include "connectors/postgres/postgres_catalog.h"
#include "connectors/postgres/run_predicate.h"
#include "connectors/postgres/session.h"
#include "connectors/postgres/value_text.h"
#include "elt/plan.h"
#include "elt/window_calendar.h"

namespace levada::postgres {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using tests::PostgresServer;

constexpr int64_t kRows = 3000;
constexpr WallMicros kHour = 3'600'000'000;

class SplitTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    PostgresServer::Shared().NewDatabase("cut");
    // Every kind of column that can be cut by, each with NULLs, one value that a quarter of the
    // rows has, and the ends of its range.
    PostgresServer::Shared().Execute(R"(
set timezone = 'UTC';
create table t(id bigint primary key, i int, n numeric(12,3), s text, u uuid, d date,
  ts timestamp, tz timestamptz, e text collate "C", c char(4));
insert into t select g,
  case when g % 11 = 0 then null when g % 4 = 0 then 7 else g * 37 % 5000 - 1000 end,
  case when g % 11 = 0 then null when g % 4 = 0 then 7 else g / 7.0 end,
  case when g % 11 = 0 then null when g % 4 = 0 then 'heavy' else
    substr('aZéb''x\y', g % 8 + 1, 1) || (g % 700) end,
  case when g % 11 = 0 then null else md5(g::text)::uuid end,
  case when g % 11 = 0 then null when g % 97 = 0 then 'infinity' else
    date '2026-03-20' + g % 20 end,
  case when g % 11 = 0 then null when g % 97 = 0 then '-infinity' else
    timestamp '2026-03-20' + g * interval '7 minutes 0.000003 seconds' end,
  case when g % 11 = 0 then null when g % 97 = 0 then 'infinity' else
    timestamptz '2026-03-20 00:00:00+00' + g * interval '7 minutes 0.000003 seconds' end,
  case when g % 11 = 0 then null else (array['', 'a', 'A', 'b ', 'b'])[g % 5 + 1] end,
  case when g % 11 = 0 then null else (array['', 'a', 'ab', 'abcd'])[g % 4 + 1] end
from generate_series(1, 3000) g;
create index on t(tz);
analyze t;
create table empty(id bigint primary key, at timestamptz);
create table big(id bigint primary key, at timestamptz not null, pad text);
insert into big select g, timestamptz '2026-01-01 00:00:00+00' + g * interval '10 seconds',
  repeat('x', 100) from generate_series(1, 20000) g;
create table unkeyed as select * from big;
analyze unkeyed;
create table byname(name text primary key, pad text);
insert into byname select md5(g::text), repeat('x', 100) from generate_series(1, 5000) g;
analyze byname;
)",
                                     "cut");
    // Alone: it refuses to run in the transaction that several statements make.
    PostgresServer::Shared().Execute("vacuum analyze big", "cut");
  }

  std::unique_ptr<PostgresConsumer> Cut(const std::string& yaml) {
    return ConsumerOf(yaml, PostgresServer::Shared().Dsn("cut"));
  }

  Result<std::vector<elt::Partition>> Split(const std::string& yaml,
                                            const elt::RunInstance& run = {},
                                            const elt::SplitLimits& limits = {}) {
    const auto consumer = Cut(yaml);
    ARROW_ASSIGN_OR_RAISE(const elt::Source source, consumer->Describe(ctx_));
    return consumer->Split(ctx_, run, source, limits);
  }

  /// The ids of all partitions and slices, sorted; fails the test when an id comes twice.
  std::vector<int64_t> Ids(const std::string& yaml, const elt::RunInstance& run = {},
                           const elt::SplitLimits& limits = {}) {
    const auto rows = ReadRun(ctx_, *Cut(yaml), run, limits);
    EXPECT_THAT(rows, IsOk()) << yaml;
    std::vector<int64_t> ids;
    if (!rows.ok()) return ids;
    const auto column = rows->Table()->GetColumnByName("id");
    for (const auto& chunk : column->chunks()) {
      const auto& values = static_cast<const arrow::Int64Array&>(*chunk);
      for (int64_t i = 0; i < values.length(); ++i) ids.push_back(values.Value(i));
    }
    std::sort(ids.begin(), ids.end());
    EXPECT_EQ(std::adjacent_find(ids.begin(), ids.end()), ids.end()) << yaml;
    return ids;
  }

  static elt::RunInstance Window(const std::string& column, WallMicros start, WallMicros end,
                                 const std::string& timezone = "UTC",
                                 elt::NullWindow nulls = elt::NullWindow::kOtherWindow) {
    elt::RunInstance run;
    run.window = elt::Window{start, end, "w", timezone};
    run.window_column = column;
    run.null_window = nulls;
    return run;
  }

  /// The windows of `every` from midnight to midnight of a zone's clock.
  static std::vector<elt::RunInstance> Windows(elt::Every every, const std::string& column,
                                               const std::string& zone_name,
                                               const std::string& from, const std::string& to) {
    const elt::TimeZone zone = ValueOf(elt::TimeZone::Find(zone_name));
    const WallMicros end = zone.FirstInstant(elt::ParseWrittenTime(to)->local);
    std::vector<elt::RunInstance> runs;
    for (WallMicros at = zone.FirstInstant(elt::ParseWrittenTime(from)->local); at < end;) {
      elt::RunInstance run;
      run.window = elt::WindowAt(every, zone, zone_name, at);
      run.window_column = column;
      at = run.window->end;
      runs.push_back(std::move(run));
    }
    return runs;
  }

  /// The ids of all runs together, sorted.
  std::vector<int64_t> Together(const std::string& yaml,
                                const std::vector<elt::RunInstance>& runs) {
    std::vector<int64_t> together;
    for (const elt::RunInstance& run : runs) {
      const auto ids = Ids(yaml, run);
      together.insert(together.end(), ids.begin(), ids.end());
    }
    std::sort(together.begin(), together.end());
    return together;
  }

  /// The same, as the server finds them by the windows' conditions.
  std::vector<int64_t> InPredicates(const std::string& yaml,
                                    const std::vector<elt::RunInstance>& runs) {
    auto& server = PostgresServer::Shared();
    const ConsumerOptions options = ValueOf(OptionsOf("dsn: '" + server.Dsn("cut") + "'\n" + yaml));
    const auto session = ValueOf(BeginSession(ctx_, options, {}));
    const Subject subject = ValueOf(FindSubject(ctx_, *session, options));
    std::vector<int64_t> together;
    for (const elt::RunInstance& run : runs) {
      const std::string condition = ValueOf(RunPredicate(subject, options, run));
      for (const pq::Row& row : ValueOf(session->Query(
               ctx_, "test",
               "select id from " + FromOf(subject, options) + " where " + condition))) {
        together.push_back(std::stoll(*row[0]));
      }
    }
    std::sort(together.begin(), together.end());
    return together;
  }

  static int64_t Count(const std::string& condition) {
    return std::stoll(
        PostgresServer::Shared().Value("select count(*) from t where " + condition, "cut"));
  }

  TestContext test_;
  Context ctx_ = test_.context();
};

TEST_F(SplitTest, EveryDeclaredRuleCoversEachRowOnce) {
  const char* rules[] = {
      "{ by: id, size: 500 }",
      "{ by: i, size: 1000 }",
      "{ by: id, count: 7 }",
      "{ by: i, count: 7 }",
      "{ by: n, count: 5 }",
      "{ by: s, count: 5 }",
      "{ by: u, count: 4 }",
      "{ by: d, count: 4 }",
      "{ by: ts, count: 4 }",
      "{ by: tz, count: 4 }",
      "{ by: e, count: 3 }",
      "{ by: c, count: 3 }",
      "{ by: i, values: [7, 8, '-1000'] }",
      "{ by: s, values: [heavy, \"é1\", \"'6\"] }",
      "{ by: e, values: ['', a, b] }",
      "{ by: c, values: ['', ab] }",
      "{ by: d, values: ['2026-03-21', infinity] }",
      "{ by: d, interval: 7d }",
      "{ by: ts, interval: 36h }",
      "{ by: tz, interval: 5d }",
      "{ by: id, hash: 4 }",
      "{ by: s, hash: 3 }",
      "{ by: u, hash: 3 }",
  };
  for (const char* rule : rules) {
    const std::string yaml = "table: t\ninfinity: null\npartition: " + std::string(rule);
    EXPECT_EQ(Ids(yaml).size(), size_t{kRows}) << rule;
    EXPECT_GT(ValueOf(Split(yaml)).size(), 1u) << rule;
  }
}

TEST_F(SplitTest, RangesOfAQueryCoverEachRowOnce) {
  EXPECT_EQ(Ids("query: select id, i from t\npartition: { by: i, size: 1000 }").size(),
            size_t{kRows});
  EXPECT_EQ(
      Ids("query: select id, tz from t\ninfinity: null\npartition: { by: tz, count: 3 }").size(),
      size_t{kRows});
}

TEST_F(SplitTest, TheKeyNeedNotBeAmongTheColumns) {
  EXPECT_EQ(Ids("table: t\ncolumns: [id]\npartition: { by: s, hash: 3 }").size(), size_t{kRows});
}

TEST_F(SplitTest, SaysWhatAPartitionIs) {
  const auto partitions = ValueOf(Split("table: t\npartition: { by: id, size: 1000 }"));
  ASSERT_EQ(partitions.size(), 4u);
  EXPECT_EQ(partitions[0].id, "p0000");
  EXPECT_EQ(partitions[3].id, "p0003");
  EXPECT_EQ(partitions[0].meaning, "id < 1000 or is null");
  EXPECT_EQ(partitions[1].meaning, "id in [1000, 2000)");
  EXPECT_EQ(partitions[3].meaning, "id >= 3000");
  EXPECT_THAT(partitions[1].query, HasSubstr("\"id\" >= '1000' AND \"id\" < '2000'"));
  EXPECT_NEAR(static_cast<double>(partitions[1].estimated_rows), 1000, 100);
  EXPECT_GT(partitions[1].estimated_bytes, 0);
}

TEST_F(SplitTest, SaysWhichWindowItIs) {
  const auto run = Window("tz", 1'774'994'400'000'000, 1'775'080'800'000'000, "Europe/Berlin");
  EXPECT_EQ(ValueOf(Split("table: t", run))[0].meaning,
            "tz in [2026-04-01, 2026-04-02) Europe/Berlin");
  EXPECT_THAT(
      ValueOf(Split("table: t\npartition: { by: id, size: 100 }", run)).back().meaning,
      testing::AllOf(testing::StartsWith("id >= "),
                     testing::EndsWith(" and tz in [2026-04-01, 2026-04-02) Europe/Berlin")));
}

TEST_F(SplitTest, GivesAHeavyValueAPartitionOfItsOwn) {
  const auto partitions = ValueOf(Split("table: t\npartition: { by: s, count: 10 }"));
  EXPECT_TRUE(std::any_of(partitions.begin(), partitions.end(),
                          [](const auto& part) { return part.meaning == "s = heavy"; }));
}

TEST_F(SplitTest, RefusesRulesThatDoNotFitTheColumn) {
  for (const char* rule :
       {"{ by: s, size: 10 }", "{ by: tz, size: 10 }", "{ by: s, interval: 1h }",
        "{ by: d, interval: 1h }", "{ by: n, hash: 3 }", "{ by: i, values: [7, '07'] }",
        "{ by: e, values: [a, a] }", "{ by: tz, interval: 1s }"}) {
    const Status status = Split("table: t\npartition: " + std::string(rule)).status();
    EXPECT_THAT(status, FailsWith(FaultCode::kImpossiblePlan)) << rule;
    EXPECT_FALSE(FaultOf(status).help().empty()) << rule;
  }
  EXPECT_THAT(Split("table: t\npartition: { by: nothing, hash: 3 }"),
              FailsWith(FaultCode::kColumnNotFound));
  EXPECT_THAT(Split("table: t\npartition: { by: i, values: [x] }"),
              FailsWith(FaultCode::kQueryFailed));
}

TEST_F(SplitTest, ANewTypeOfTheCutColumnIsDriftAlsoWhereItIsNotRead) {
  auto& server = PostgresServer::Shared();
  for (const char* change :
       {"alter table recut alter k type text", "alter table recut rename k to other"}) {
    server.Execute("create table recut as select id, (id % 90)::int k from big where id < 1000",
                   "cut");
    const auto consumer = Cut("table: recut\ncolumns: [id]\npartition: { by: k, size: 30 }");
    const elt::Source source = ValueOf(consumer->Describe(ctx_));
    const auto partitions = ValueOf(consumer->Split(ctx_, {}, source, {}));
    server.Execute(change, "cut");
    const auto opened = consumer->Open(ctx_, {}, partitions[1], source, {});
    EXPECT_THAT(opened, FailsWith(FaultCode::kSchemaDrift, HasSubstr("\"k\""))) << change;
    server.Execute("drop table recut", "cut");
  }
}

TEST_F(SplitTest, KnowsWhetherCutsAreInOrder) {
  const auto session =
      ValueOf(pq::Connection::Open(ctx_, {Secret(PostgresServer::Shared().Dsn("cut")), {}}));
  const auto in_order = [&](uint32_t oid, Order order, const std::vector<std::string>& values) {
    pq::StatementColumn column;
    column.type_oid = oid;
    return ValueOf(AreInOrder(ctx_, *session, column, order, values));
  };
  EXPECT_TRUE(in_order(20, Order::kInteger, {"-5", "9", "10"}));
  EXPECT_FALSE(in_order(20, Order::kInteger, {"10", "9"}));
  EXPECT_FALSE(in_order(20, Order::kInteger, {"9", "9"}));
  EXPECT_TRUE(in_order(25, Order::kText, {"A", "a", "it's", "\xc3\xa9"}));
  EXPECT_FALSE(in_order(25, Order::kText, {"a", "A"}));
  EXPECT_TRUE(in_order(1042, Order::kText, {"a", "a\1"}));
  EXPECT_FALSE(in_order(1042, Order::kText, {"a", "a "}));
}

TEST_F(SplitTest, CutsPaddedTextInItsOwnOrder) {
  // Without its padding "a" comes before "a\001", with it behind.
  PostgresServer::Shared().Execute(
      "create table padded as select g::bigint id, (array['a', E'a\\001', 'b'])[g % 3 + "
      "1]::char(4) c "
      "from generate_series(1, 300) g; analyze padded",
      "cut");
  EXPECT_EQ(Ids("table: padded\npartition: { by: c, count: 3 }").size(), 300u);
  PostgresServer::Shared().Execute("drop table padded", "cut");
}

TEST_F(SplitTest, CutsAnEmptyTableIntoOnePartition) {
  for (const char* rule :
       {"{ by: id, size: 5 }", "{ by: id, count: 5 }", "{ by: at, interval: 1h }"}) {
    EXPECT_EQ(ValueOf(Split("table: empty\npartition: " + std::string(rule))).size(), 1u);
  }
  EXPECT_THAT(Ids("table: empty\nconnections: 4"), IsEmpty());
}

// ---------------------------------------------------------------------------------------- derived

TEST_F(SplitTest, LeavesASmallTableWhole) {
  const auto partitions = ValueOf(Split("table: big"));
  ASSERT_EQ(partitions.size(), 1u);
  EXPECT_EQ(partitions[0].meaning, "all rows");
  EXPECT_NEAR(static_cast<double>(partitions[0].estimated_rows), 20000, 500);
}

TEST_F(SplitTest, DerivesRangesOfTheKeyFromItsStatistics) {
  const elt::SplitLimits limits{.partition_bytes = 512 << 10};
  const auto partitions = ValueOf(Split("table: big", {}, limits));
  EXPECT_GE(partitions.size(), 5u);
  EXPECT_LE(partitions.size(), 8u);
  for (const auto& partition : partitions) EXPECT_THAT(partition.meaning, HasSubstr("id"));
  EXPECT_EQ(Ids("table: big", {}, limits).size(), 20000u);
  EXPECT_GE(ValueOf(Split("table: byname", {}, {.partition_bytes = 100 << 10})).size(), 5u);
}

TEST_F(SplitTest, DerivesMoreRangesThanTheStatisticsHavePoints) {
  const elt::SplitLimits limits{.partition_bytes = 16 << 10};
  EXPECT_GT(ValueOf(Split("table: big", {}, limits)).size(), 150u);
}

TEST_F(SplitTest, LeavesATableWithoutAKeyWhole) {
  EXPECT_EQ(ValueOf(Split("table: unkeyed", {}, {.partition_bytes = 64 << 10})).size(), 1u);
  EXPECT_EQ(ValueOf(Split("query: select * from big", {}, {.partition_bytes = 64 << 10})).size(),
            1u);
}

TEST_F(SplitTest, DerivesPartsOfALargeWindow) {
  constexpr WallMicros kStart = 1'767'225'600'000'000;  // 2026-01-01
  const elt::RunInstance run = Window("at", kStart, kStart + 24 * kHour);
  const elt::SplitLimits limits{.partition_bytes = 256 << 10};
  const auto partitions = ValueOf(Split("table: big", run, limits));
  EXPECT_GE(partitions.size(), 3u);
  for (const auto& partition : partitions) EXPECT_THAT(partition.meaning, HasSubstr("at"));
  EXPECT_EQ(Ids("table: big", run, limits).size(), 8639u);
}

// ---------------------------------------------------------------------------------------- windows

TEST_F(SplitTest, WindowsMeetWithoutAGapOrAnOverlap) {
  // Over the night in which Berlin turns its clocks.
  constexpr WallMicros kStart = 1'774'650'000'000'000;  // 2026-03-27T22:20:00Z
  for (const char* timezone : {"UTC", "Europe/Berlin", "America/St_Johns"}) {
    for (const char* column : {"d", "ts", "tz"}) {
      const WallMicros step = (std::string(column) == "d" ? 24 : 9) * kHour;
      std::vector<int64_t> together;
      for (WallMicros at = kStart; at < kStart + 3 * 24 * kHour; at += step) {
        const auto ids = Ids("table: t", Window(column, at, at + step, timezone));
        together.insert(together.end(), ids.begin(), ids.end());
      }
      std::sort(together.begin(), together.end());
      EXPECT_EQ(together,
                Ids("table: t", Window(column, kStart, kStart + 3 * 24 * kHour, timezone)))
          << timezone << column;
      EXPECT_GT(together.size(), 300u) << timezone << column;
    }
  }
}

TEST_F(SplitTest, AWindowHasTheRowsThatItsClockShows) {
  constexpr WallMicros kStart = 1'774'134'000'000'000;  // 2026-03-21T23:00:00Z: midnight in Berlin
  const WallMicros end = kStart + 24 * kHour;
  EXPECT_EQ(int64_t(Ids("table: t", Window("tz", kStart, end, "Europe/Berlin")).size()),
            Count("tz >= '2026-03-21 23:00+00' and tz < '2026-03-22 23:00+00'"));
  EXPECT_EQ(int64_t(Ids("table: t", Window("ts", kStart, end, "Europe/Berlin")).size()),
            Count("ts >= '2026-03-22' and ts < '2026-03-23'"));
  EXPECT_EQ(int64_t(Ids("table: t", Window("d", kStart, end, "Europe/Berlin")).size()),
            Count("d = '2026-03-22'"));
}

TEST_F(SplitTest, EachReadingIsReadOnceInTheNightsOfTurnedClocks) {
  struct Night {
    const char* zone;
    const char* from;
    const char* to;
  };
  // Also the readings that the clock skips: an application may write them.
  for (const Night& night : {Night{"Europe/Berlin", "2026-10-24", "2026-10-26"},
                             {"Europe/Berlin", "2026-03-29", "2026-03-31"},
                             // Set back by two hours.
                             {"Antarctica/Troll", "2026-10-24", "2026-10-26"},
                             {"Australia/Lord_Howe", "2026-04-04", "2026-04-06"},
                             // Skipped a midnight, and showed the hour before one twice.
                             {"America/Sao_Paulo", "2018-11-03", "2018-11-05"},
                             {"America/Sao_Paulo", "2018-02-17", "2018-02-19"}}) {
    SCOPED_TRACE(std::string(night.zone) + " " + night.from);
    PostgresServer::Shared().Execute(
        "create table readings as select g::bigint id, ts, ts::date d from (select g, timestamp '" +
            std::string(night.from) +
            "' + g * interval '10 minutes' ts from generate_series(0, 287) g) r",
        "cut");
    std::vector<int64_t> all(288);
    std::iota(all.begin(), all.end(), 0);
    for (const char* column : {"ts", "d"}) {
      const auto days = Windows(elt::Every::kDay, column, night.zone, night.from, night.to);
      ASSERT_EQ(days.size(), 2u);
      EXPECT_EQ(Ids("table: readings", days[0]), std::vector(all.begin(), all.begin() + 144));
      EXPECT_EQ(Together("table: readings", days), all) << column;
    }
    const auto hours = Windows(elt::Every::kHour, "ts", night.zone, night.from, night.to);
    EXPECT_EQ(InPredicates("table: readings", hours), all);
    // The first hours of the second day, by the consumer.
    const std::vector<elt::RunInstance> some(hours.begin() + 24, hours.begin() + 29);
    const auto early = InPredicates("table: readings", some);
    EXPECT_EQ(Together("table: readings", some), early);
    EXPECT_EQ(Together("table: readings\npartition: { by: ts, interval: 20m }", some), early);
    PostgresServer::Shared().Execute("drop table readings", "cut");
  }
}

TEST_F(SplitTest, ComparesWithLiteralsWhateverTheServerKnowsOfZones) {
  constexpr WallMicros kStart = 1'792'879'200'000'000;  // 2026-10-24T22:00:00Z: midnight in Berlin
  const auto query = [&](const char* column, int64_t hours) {
    const auto run = Window(column, kStart, kStart + hours * kHour, "Europe/Berlin");
    return ValueOf(Split("table: t\ncolumns: [id]", run))[0].query;
  };
  EXPECT_THAT(query("d", 25),
              HasSubstr("\"d\" >= '2026-10-25'::date AND \"d\" < '2026-10-26'::date"));
  EXPECT_THAT(query("ts", 1), HasSubstr("\"ts\" >= '2026-10-25 00:00:00'::timestamp AND "
                                        "\"ts\" < '2026-10-25 01:00:00'::timestamp"));
  EXPECT_THAT(query("tz", 1), HasSubstr("\"tz\" >= '2026-10-24T22:00:00.000000Z'::timestamptz AND "
                                        "\"tz\" < '2026-10-24T23:00:00.000000Z'::timestamptz"));
}

TEST_F(SplitTest, RowsWithoutAPlaceInTimeGoWhereTheRunSays) {
  constexpr WallMicros kStart = 1'774'051'200'000'000;  // 2026-03-21
  const WallMicros end = kStart + 24 * kHour;
  using elt::NullWindow;
  for (const std::string column : {"d", "ts", "tz"}) {
    const int64_t inside =
        Count(column + " >= '2026-03-21 00:00+00' and " + column + " < '2026-03-22 00:00+00'");
    const int64_t nulls = Count(column + " is null");
    const int64_t infinite = Count("not isfinite(" + column + ")");
    ASSERT_GT(std::min({inside, nulls, infinite}), 0);
    const auto count = [&](const std::string& yaml, NullWindow null_window) {
      return int64_t(Ids(yaml, Window(column, kStart, end, "UTC", null_window)).size());
    };
    EXPECT_EQ(count("table: t", NullWindow::kOtherWindow), inside);
    const std::string yaml = "table: t\ninfinity: null";
    EXPECT_EQ(count(yaml, NullWindow::kThisWindow), inside + nulls + infinite);
    // Cut into parts they still come once.
    EXPECT_EQ(
        count(yaml + "\npartition: { by: " + column + ", interval: 1d }", NullWindow::kThisWindow),
        inside + nulls + infinite);
    EXPECT_EQ(count(yaml + "\npartition: { by: id, size: 500 }", NullWindow::kThisWindow),
              inside + nulls + infinite);
    EXPECT_EQ(count("table: t\ncolumns: [id]", NullWindow::kThisWindow), inside + nulls + infinite);
    EXPECT_THAT(ReadRun(ctx_, *Cut("table: t"),
                        Window(column, kStart, end, "UTC", NullWindow::kThisWindow)),
                FailsWith(FaultCode::kValueRefused));
    EXPECT_THAT(
        ReadRun(ctx_, *Cut("table: t"), Window(column, kStart, end, "UTC", NullWindow::kError)),
        FailsWith(FaultCode::kNullInWindow));
  }
  EXPECT_THAT(ValueOf(Split("table: t", Window("tz", kStart, end, "UTC", NullWindow::kThisWindow)))
                  .front()
                  .meaning,
              testing::EndsWith(" or null or infinite"));
}

TEST_F(SplitTest, SaysWhyARowHasNoPlaceInTime) {
  constexpr WallMicros kStart = 1'774'051'200'000'000;  // 2026-03-21
  auto& server = PostgresServer::Shared();
  for (const std::string type : {"date", "timestamp", "timestamptz"}) {
    const auto run = Window("at", kStart, kStart + 24 * kHour, "UTC", elt::NullWindow::kError);
    for (const std::string constraint : {"", " not null"}) {
      server.Execute("create table placed(id bigint, at " + type + constraint +
                         "); insert into placed values (1, '2026-03-21'), (2, '1900-01-01')",
                     "cut");
      for (const std::string index : {"analyze placed", "create index on placed(at)"}) {
        server.Execute(index, "cut");
        EXPECT_EQ(Ids("table: placed", run).size(), 1u);
        for (const std::string value : {"infinity", "-infinity"}) {
          server.Execute("insert into placed values (3, '" + value + "')", "cut");
          const Status status = ReadRun(ctx_, *Cut("table: placed"), run).status();
          EXPECT_THAT(status, FailsWith(FaultCode::kNullInWindow, HasSubstr("infinite")));
          EXPECT_EQ(FaultOf(status).Detail("column"), "at");
          EXPECT_THAT(FaultOf(status).help(), HasSubstr("infinity:"));
          EXPECT_THAT(ReadRun(ctx_, *Cut("query: select * from placed"), run),
                      FailsWith(FaultCode::kNullInWindow, HasSubstr("infinite")));
          server.Execute("delete from placed where id = 3", "cut");
        }
        if (!constraint.empty()) continue;
        server.Execute("insert into placed values (3, null)", "cut");
        const Status status = ReadRun(ctx_, *Cut("table: placed"), run).status();
        EXPECT_THAT(status, FailsWith(FaultCode::kNullInWindow, HasSubstr("NULL")));
        EXPECT_THAT(FaultOf(status).help(), testing::Not(HasSubstr("infinity:")));
        server.Execute("delete from placed where id = 3", "cut");
      }
      server.Execute("drop table placed", "cut");
    }
  }
}

TEST_F(SplitTest, LooksForRowsWithoutAPlaceInTimeThroughAnIndex) {
  // So few different days that the planner expects many rows of each, of infinity too.
  auto& server = PostgresServer::Shared();
  server.Execute(
      "create table daily as select g::bigint id, date '2026-01-01' + g % 300 d "
      "from generate_series(1, 60000) g; create index on daily(d); analyze daily",
      "cut");
  // Counts are complete when the sessions that made them are gone, this test's own too.
  const auto scans = [&] {
    while (server.Value("select count(*) from pg_stat_activity where datname = 'cut'") != "0") {
    }
    return server.Value("select seq_scan from pg_stat_user_tables where relname = 'daily'", "cut");
  };
  const std::string before = scans();
  const auto run = Window("d", 1'767'225'600'000'000, 1'767'225'600'000'000 + 24 * kHour, "UTC",
                          elt::NullWindow::kError);
  EXPECT_EQ(Ids("table: daily", run).size(), 200u);
  EXPECT_EQ(scans(), before);
  server.Execute("drop table daily", "cut");
}

TEST_F(SplitTest, ANewTypeOfTheWindowsColumnIsDriftAlsoWhereItIsNotRead) {
  auto& server = PostgresServer::Shared();
  constexpr WallMicros kStart = 1'767'225'600'000'000;  // 2026-01-01
  const auto run = Window("at", kStart, kStart + 24 * kHour);
  for (const char* change :
       {"alter table retimed alter at type timestamp", "alter table retimed rename at to other"}) {
    server.Execute("create table retimed as select id, at from big where id < 1000", "cut");
    for (const char* partition : {"", "\npartition: { by: id, size: 400 }"}) {
      const auto consumer = Cut("table: retimed\ncolumns: [id]" + std::string(partition));
      const elt::Source source = ValueOf(consumer->Describe(ctx_));
      const auto partitions = ValueOf(consumer->Split(ctx_, run, source, {}));
      EXPECT_THAT(consumer->Open(ctx_, run, partitions.back(), source, {}), IsOk());
      server.Execute(change, "cut");
      EXPECT_THAT(consumer->Open(ctx_, run, partitions.back(), source, {}),
                  FailsWith(FaultCode::kSchemaDrift, HasSubstr("\"at\"")))
          << change;
      server.Execute(
          "drop table retimed; "
          "create table retimed as select id, at from big where id < 1000",
          "cut");
    }
    server.Execute("drop table retimed", "cut");
  }
}

TEST_F(SplitTest, ARecordWithoutTheWindowsTypeIsRead) {
  constexpr WallMicros kStart = 1'767'225'600'000'000;  // 2026-01-01
  const auto run = Window("at", kStart, kStart + 24 * kHour);
  const auto consumer = Cut("table: big");
  const elt::Source source = ValueOf(consumer->Describe(ctx_));
  auto partitions = ValueOf(consumer->Split(ctx_, run, source, {}));
  EXPECT_EQ(partitions[0].bounds, R"({"kind":"all","window_order":"timestamptz"})");
  partitions[0].bounds = R"({"kind":"all"})";
  EXPECT_EQ(
      ValueOf(ReadPartition(ctx_, *consumer, run, partitions[0], source))[0].table->num_rows(),
      8639);
}

TEST_F(SplitTest, AWindowCutByTheHourKeepsItsRows) {
  constexpr WallMicros kStart = 1'774'738'800'000'000;  // 2026-03-28T23:00:00Z
  for (const char* timezone : {"UTC", "Europe/Berlin"}) {
    for (const char* column : {"ts", "tz"}) {
      const auto run = Window(column, kStart, kStart + 24 * kHour, timezone);
      EXPECT_EQ(Ids("table: t\npartition: { by: " + std::string(column) + ", interval: 1h }", run),
                Ids("table: t", run))
          << timezone << column;
      EXPECT_EQ(Ids("table: t\npartition: { by: i, size: 500 }", run), Ids("table: t", run));
      EXPECT_EQ(Ids("table: t\npartition: { by: s, count: 4 }", run), Ids("table: t", run));
    }
  }
}

TEST_F(SplitTest, ANightInWhichClocksAreTurnedBackIsCutOnce) {
  PostgresServer::Shared().Execute(
      "create table autumn as select g::bigint id, timestamp '2026-10-24 20:00' + g * interval "
      "'5 minutes' ts from generate_series(1, 600) g; "
      "alter table autumn add primary key (id); analyze autumn",
      "cut");
  constexpr WallMicros kStart = 1'792'879'200'000'000;  // 2026-10-24T22:00:00Z: midnight in Berlin
  const auto run = Window("ts", kStart, kStart + 25 * kHour, "Europe/Berlin");
  const auto whole = Ids("table: autumn", run);
  EXPECT_EQ(whole.size(), 288u);
  EXPECT_EQ(Ids("table: autumn\npartition: { by: ts, interval: 30m }", run), whole);
  const elt::SplitLimits limits{.partition_bytes = 500};
  EXPECT_GT(ValueOf(Split("table: autumn", run, limits)).size(), 25u);
  EXPECT_EQ(Ids("table: autumn", run, limits), whole);
  std::vector<int64_t> together;
  for (int part = 0; part < 5; ++part) {
    const WallMicros at = kStart + part * 5 * kHour;
    const auto ids = Ids("table: autumn", Window("ts", at, at + 5 * kHour, "Europe/Berlin"));
    together.insert(together.end(), ids.begin(), ids.end());
  }
  std::sort(together.begin(), together.end());
  EXPECT_EQ(together, whole);
  PostgresServer::Shared().Execute("drop table autumn", "cut");
}

TEST_F(SplitTest, RefusesColumnsThatMakeNoWindows) {
  const WallMicros start = 1'774'051'200'000'000;
  EXPECT_THAT(Split("table: t", Window("s", start, start + 24 * kHour)),
              FailsWith(FaultCode::kImpossiblePlan));
  EXPECT_THAT(Split("table: t", Window("d", start, start + kHour)),
              FailsWith(FaultCode::kImpossiblePlan, HasSubstr("date")));
  EXPECT_THAT(Split("table: t", Window("created", start, start + kHour)),
              FailsWith(FaultCode::kColumnNotFound));
}

// ----------------------------------------------------------------------------------------- slices

TEST_F(SplitTest, SlicesCoverEachRowOnce) {
  const auto partitions = ValueOf(Split("table: big\nconnections: 3"));
  ASSERT_EQ(partitions.size(), 1u);
  EXPECT_EQ(partitions[0].slices.size(), 3u);
  EXPECT_EQ(Ids("table: big\nconnections: 3").size(), 20000u);
}

TEST_F(SplitTest, SlicesIncludeRowsThatCameAfterTheSplit) {
  auto& server = PostgresServer::Shared();
  server.Execute("create table growing as select * from big where id <= 5000; analyze growing",
                 "cut");
  const auto consumer = Cut("table: growing\nconnections: 2");
  const elt::Source source = ValueOf(consumer->Describe(ctx_));
  const auto partitions = ValueOf(consumer->Split(ctx_, {}, source, {}));
  server.Execute("insert into growing select * from big where id > 5000", "cut");
  const auto slices = ValueOf(ReadPartition(ctx_, *consumer, {}, partitions[0], source));
  EXPECT_EQ(slices[0].table->num_rows() + slices[1].table->num_rows(), 20000);
  server.Execute("drop table growing", "cut");
}

TEST_F(SplitTest, AutoTakesNoMoreConnectionsThanATableIsWorth) {
  EXPECT_EQ(ValueOf(Split("table: big\nconnections: auto", {}, {.processors = 8}))[0].slices.size(),
            1u);
}

TEST_F(SplitTest, SlicesOnlyPlainTablesThatAreScannedWhole) {
  auto& server = PostgresServer::Shared();
  server.Execute("create view seen as select * from big", "cut");
  EXPECT_EQ(ValueOf(Split("table: seen\nconnections: 3"))[0].slices.size(), 1u);
  EXPECT_EQ(ValueOf(Split("query: select * from big\nconnections: auto", {}, {.processors = 8}))[0]
                .slices.size(),
            1u);
  const WallMicros start = 1'774'051'200'000'000;
  // tz has an index, ts has none.
  EXPECT_EQ(ValueOf(Split("table: t\nconnections: 3", Window("tz", start, start + kHour)))[0]
                .slices.size(),
            1u);
  const auto run = Window("ts", start, start + 24 * kHour);
  EXPECT_EQ(ValueOf(Split("table: t\nconnections: 3", run))[0].slices.size(), 3u);
  EXPECT_EQ(Ids("table: t\nconnections: 3", run), Ids("table: t", run));
  server.Execute("drop view seen", "cut");
}

}  // namespace
}  // namespace levada::postgres
