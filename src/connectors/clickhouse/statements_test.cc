// Names of servers, and the SQL that is made: dsn, bounds, run_predicate, sql_text.

#include "base/testing.h"
#include "connectors/clickhouse/bounds.h"
#include "connectors/clickhouse/clickhouse_options.h"
#include "connectors/clickhouse/dsn.h"
#include "connectors/clickhouse/run_predicate.h"
#include "connectors/clickhouse/server_error.h"
#include "connectors/clickhouse/sql_text.h"

namespace levada::clickhouse {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Dsn, ReadsAllOfIt) {
  const Dsn dsn = ValueOf(ParseDsn(
      "clickhouse://us%40er:p%3A%2Fw@[::1]:9001/sh%20op?secure=true&verify=0&ca=%2Fca.pem"));
  EXPECT_EQ(dsn.user, "us@er");
  EXPECT_EQ(dsn.password.Reveal(), "p:/w");
  EXPECT_EQ(dsn.host, "::1");
  EXPECT_EQ(dsn.port, "9001");
  EXPECT_EQ(dsn.database, "sh op");
  EXPECT_TRUE(dsn.secure);
  EXPECT_FALSE(dsn.verify);
  EXPECT_EQ(dsn.authorities, "/ca.pem");
}

TEST(Dsn, HasDefaults) {
  const Dsn dsn = ValueOf(ParseDsn("clickhouse://ch"));
  EXPECT_EQ(dsn.host + dsn.port + dsn.user + dsn.database, "ch9000defaultdefault");
  EXPECT_FALSE(dsn.secure);
  EXPECT_TRUE(dsn.verify);
  EXPECT_EQ(ValueOf(ParseDsn("clickhouse://ch?secure=true")).port, "9440");
}

TEST(Dsn, SaysNothingOfWhatWasWritten) {
  for (const char* text :
       {"", "http://ch", "clickhouse://u:hidden%@ch", "clickhouse://ch:0", "clickhouse://ch:hidden",
        "clickhouse://ch:65536", "clickhouse://ch?hidden=1", "clickhouse://ch?secure",
        "clickhouse://ch?secure=hidden", "clickhouse://[::1", "clickhouse://ch/a/b"}) {
    const auto read = ParseDsn(text);
    ASSERT_THAT(read, FailsWith(FaultCode::kBadValue)) << text;
    EXPECT_THAT(read.status().ToString(), Not(HasSubstr("hidden")));
  }
}

TEST(OptionsFromUrl, LeavesTheServersPartInTheDsn) {
  const auto options =
      ValueOf(OptionsFromUrl("clickhouse://u:p@h/d?secure=true&table=a%2Eb&threads=2"));
  EXPECT_EQ(options,
            (elt::WrittenOptions{
                {"dsn", "clickhouse://u:p@h/d?secure=true"}, {"table", "a.b"}, {"threads", "2"}}));
  const auto refused = OptionsFromUrl("clickhouse://u:secret@h/d");
  EXPECT_THAT(refused, FailsWith(FaultCode::kBadCommandLine, Not(HasSubstr("secret"))));
}

TEST(SqlText, QuotesWhateverThereIs) {
  EXPECT_EQ(QuoteName("a`b\\c"), "`a\\`b\\\\c`");
  EXPECT_EQ(QuoteText("it's \\"), "'it\\'s \\\\'");
  EXPECT_EQ(AllOf({"", "a", "", "b"}), "(a) AND (b)");
}

TEST(PartitionBounds, ComeBackFromTheirRecord) {
  using Kind = PartitionBounds::Kind;
  std::vector<PartitionBounds> all = RangesBetween("i`d", Order::kInteger, {-5, 7});
  all.push_back({});
  all.push_back({.kind = Kind::kValue, .by = "s", .order = Order::kText, .values = {"it's"}});
  all.push_back({.kind = Kind::kRest, .by = "s", .order = Order::kNone, .values = {"a", "b"}});
  for (const PartitionBounds& bounds : all) {
    EXPECT_EQ(ValueOf(PartitionBounds::FromJson(bounds.ToJson())), bounds);
  }
  EXPECT_EQ(all[0].Predicate(), "((`i\\`d` < -5 OR isNull(`i\\`d`)))");
  EXPECT_EQ(all[1].Predicate(), "(`i\\`d` >= -5) AND (`i\\`d` < 7)");
  EXPECT_EQ(all[2].Predicate(), "(`i\\`d` >= 7)");
  EXPECT_EQ(all[4].Predicate(), "`s` = 'it\\'s'");
  EXPECT_EQ(all[5].Predicate(), "toString(`s`) NOT IN ('a', 'b') OR isNull(`s`)");
  EXPECT_EQ(all[1].Meaning(), "i`d in [-5, 7)");
}

TEST(PartitionBounds, RefuseWhatTheyDidNotWrite) {
  for (const char* json : {"", "[]", "{}", R"({"kind":"other"})", R"({"kind":"range","by":"a"})",
                           R"({"kind":"range","by":"a","order":"text","from":1})",
                           R"({"kind":"range","by":"a","order":"integer","from":"1); DROP"})",
                           R"({"kind":"range","by":"a","order":"date","from":70000})",
                           R"({"kind":"range","by":"a","order":"datetime","from":-1})",
                           R"({"kind":"value","by":"a","order":"text","values":[1]})",
                           R"({"kind":"value","by":"a","order":"text"})",
                           R"({"kind":"value","by":1,"order":"text","values":["a"]})"}) {
    EXPECT_THAT(PartitionBounds::FromJson(json), FailsWith(FaultCode::kManifestCorrupt)) << json;
  }
}

Result<std::string> Predicate(const std::string& type, WallMicros start, WallMicros end,
                              const std::string& zone = "UTC",
                              elt::NullWindow null = elt::NullWindow::kError) {
  elt::RunInstance run;
  run.window = elt::Window{start, end, "w", zone};
  run.window_column = "at";
  run.null_window = null;
  return RunPredicate(run, ValueOf(chnative::ParseType(type)));
}

constexpr WallMicros kDay = 86'400'000'000;

TEST(RunPredicate, ComparesInstantsAndDays) {
  EXPECT_EQ(ValueOf(Predicate("DateTime('Asia/Tokyo')", kDay, 2 * kDay)),
            "(`at` >= toDateTime(86400)) AND (`at` < toDateTime(172800))");
  EXPECT_EQ(ValueOf(Predicate("DateTime64(3)", -kDay, 0)),
            "(`at` >= toDateTime64('1969-12-31 00:00:00', 6, 'UTC')) AND (`at` < "
            "toDateTime64('1970-01-01 00:00:00', 6, 'UTC'))");
  EXPECT_EQ(ValueOf(Predicate("Date", kDay, 2 * kDay)),
            "(`at` >= toDate(1)) AND (`at` < toDate(2))");
  // Midnight in Berlin is an hour before that in UTC.
  EXPECT_EQ(ValueOf(Predicate("Date", kDay - kDay / 24, 2 * kDay - kDay / 24, "Europe/Berlin")),
            "(`at` >= toDate(1)) AND (`at` < toDate(2))");
  EXPECT_EQ(ValueOf(Predicate("Date32", -kDay, 0)),
            "(`at` >= toDate32('1969-12-31')) AND (`at` < toDate32('1970-01-01'))");
}

TEST(RunPredicate, KeepsWithinWhatTheTypeHolds) {
  EXPECT_EQ(ValueOf(Predicate("DateTime", -2 * kDay, -kDay)), "0");
  EXPECT_EQ(ValueOf(Predicate("DateTime", -kDay, kDay)), "(`at` < toDateTime(86400))");
  EXPECT_EQ(ValueOf(Predicate("DateTime", 49'000 * kDay, 60'000 * kDay)),
            "(`at` >= toDateTime(4233600000))");
  EXPECT_EQ(ValueOf(Predicate("Date", -kDay, 100'000 * kDay)), "isNotNull(`at`)");
}

TEST(RunPredicate, TakesNullWhereTheRunSaysSo) {
  const auto this_window = elt::NullWindow::kThisWindow;
  EXPECT_EQ(ValueOf(Predicate("Nullable(Date)", kDay, 2 * kDay, "UTC", this_window)),
            "((`at` >= toDate(1)) AND (`at` < toDate(2))) OR isNull(`at`)");
  EXPECT_THAT(ValueOf(Predicate("Date", kDay, 2 * kDay, "UTC", this_window)),
              Not(HasSubstr("isNull")));
}

TEST(RunPredicate, RefusesWhatMakesNoWindows) {
  EXPECT_THAT(Predicate("String", 0, kDay), FailsWith(FaultCode::kImpossiblePlan));
  EXPECT_THAT(Predicate("Date", 0, kDay / 24), FailsWith(FaultCode::kImpossiblePlan));
  EXPECT_THAT(Predicate("Date", 0, kDay, "Nowhere"), FailsWith(FaultCode::kBadWindow));
}

TEST(FaultOfException, KnowsWhoseFaultItIs) {
  const auto of = [](int32_t code) {
    return FaultOfException(
        "cannot read", {code, "DB::Exception", "DB::Exception: Some\tword. Stack trace:\n0. x"});
  };
  EXPECT_EQ(of(60).code(), FaultCode::kTableNotFound);
  EXPECT_EQ(of(193).code(), FaultCode::kAuthFailed);
  EXPECT_EQ(of(202).code(), FaultCode::kSourceBusy);
  EXPECT_EQ(of(12345).code(), FaultCode::kQueryFailed);
  EXPECT_EQ(ClickHouseCodeOf(of(12345).ToStatus()), 12345);
  EXPECT_THAT(of(62).message(), testing::StartsWith("cannot read: Some word"));
}

}  // namespace
}  // namespace levada::clickhouse
