#include "connectors/sqlite/sqlite_fixture.h"

namespace levada::sqlite {
namespace {

using testing::HasSubstr;
using testing::Pair;

class RegisterTest : public SqliteFixture {
 protected:
  Result<elt::WrittenOptions> FromUrl(const std::string& url) {
    return catalog_.FindConsumer("sqlite")->from_url(url);
  }
};

TEST_F(RegisterTest, NeedsExactlyOneOfTableAndQuery) {
  EXPECT_THAT(Make("table: t"), IsOk());
  EXPECT_THAT(Make("query: SELECT 1"), IsOk());
  EXPECT_THAT(Make(""), FailsWith(FaultCode::kMissingKey));
  EXPECT_THAT(Make("table: t\nquery: SELECT 1"), FailsWith(FaultCode::kImpossiblePlan));
  EXPECT_THAT(MakeRaw("table: t"), FailsWith(FaultCode::kMissingKey));
  EXPECT_THAT(MakeRaw("path: \"\"\ntable: t"), FailsWith(FaultCode::kBadValue));
  EXPECT_THAT(Make("tabel: t"), FailsWith(FaultCode::kUnknownKey));
}

TEST_F(RegisterTest, ReportsEveryProblemWithItsPlace) {
  const Status status =
      Make("table: t\ncolumns: []\ntypes:\n  a: varchar(20)\n  b: int32\n  c: text").status();
  ASSERT_FALSE(status.ok());
  const auto diagnostics = FaultOf(status).diagnostics();
  ASSERT_EQ(diagnostics.size(), 3u);
  EXPECT_EQ(diagnostics[0].span.line, 3u);
  EXPECT_EQ(diagnostics[1].span.line, 5u);
  EXPECT_THAT(diagnostics[1].message, HasSubstr("\"a\""));
  EXPECT_EQ(diagnostics[2].code, FaultCode::kUnsupportedType);
}

TEST_F(RegisterTest, SaysWhatIsWrongWithEachOption) {
  const auto refused = [&](const std::string& yaml, FaultCode code, const std::string& noun) {
    const Status status = Make(yaml).status();
    EXPECT_THAT(status, FailsWith(code, HasSubstr(noun))) << yaml;
    if (status.ok()) return;
    const auto diagnostics = FaultOf(status).diagnostics();
    EXPECT_FALSE(diagnostics.empty()) << yaml;
    for (const Diagnostic& problem : diagnostics) {
      EXPECT_FALSE(problem.help.empty()) << yaml;
      EXPECT_GT(problem.span.line, 1u) << yaml;
    }
  };
  refused("query: \"\"", FaultCode::kBadValue, "\"query\" is empty");
  refused("table: \"\"", FaultCode::kBadValue, "\"table\" is empty");
  refused("table: t\nmixed: text", FaultCode::kBadValue, "mixed");
  refused("table: t\ntypes: { a: { mixed: maybe } }", FaultCode::kBadValue, "mixed");
  refused("table: t\ntypes: { a: {} }", FaultCode::kMissingKey, "\"a\"");
  refused("table: t\ntypes: { a: { type: int64, mixed: string } }", FaultCode::kImpossiblePlan,
          "\"a\"");
  refused("table: t\nattach: { a: \"\" }", FaultCode::kBadValue, "path is empty");
  refused("table: t\nattach: { main: x.db }", FaultCode::kBadValue, "\"main\"");
  refused("table: t\nattach: { Temp: x.db }", FaultCode::kBadValue, "\"Temp\"");
  refused("table: t\nattach: { \"a b\": x.db }", FaultCode::kBadValue, "\"a b\"");
  refused("table: t\nattach: { 1a: x.db }", FaultCode::kBadValue, "\"1a\"");
  refused("table: t\nattach: { a: x.db, A: y.db }", FaultCode::kBadValue, "one name");
  std::string many = "table: t\nattach: { a0: x.db";
  for (int i = 1; i <= 10; ++i) many += ", a" + std::to_string(i) + ": x.db";
  refused(many + " }", FaultCode::kBadValue, "at most 10");
  refused("table: t\npartition: { by: rowid }", FaultCode::kMissingKey, "how to cut");
  refused("table: t\npartition: { by: rowid, size: 1, count: 2 }", FaultCode::kImpossiblePlan,
          "\"size\" and \"count\"");
  refused("table: t\npartition: { size: 1 }", FaultCode::kMissingKey, "by");
  refused("table: t\npartition: { by: rowid, size: 0 }", FaultCode::kBadValue, "size");
  for (const char* number : {"0", "17", "many", "-1", "2x", "\"\""}) {
    refused(std::string("table: t\nconnections: ") + number, FaultCode::kBadValue, "1 to 16");
  }
  refused("query: SELECT 1 AS a\nconnections: 2", FaultCode::kImpossiblePlan, "a query has none");
}

TEST_F(RegisterTest, KeepsPartitionsWholeWhereATransformerComparesTheirRows) {
  elt::StageInput input;
  input.whole_partitions = true;
  EXPECT_THAT(Make("table: t\nconnections: 2", input),
              FailsWith(FaultCode::kImpossiblePlan, HasSubstr("compares")));
  EXPECT_THAT(Make("table: t\nconnections: auto", input), IsOk());
}

TEST_F(RegisterTest, ReadsUrls) {
  EXPECT_THAT(ValueOf(FromUrl("sqlite:///var/shop.db?table=orders")),
              testing::ElementsAre(Pair("path", "/var/shop.db"), Pair("table", "orders")));
  EXPECT_THAT(ValueOf(FromUrl("sqlite://data/shop.db?table=a%20b")),
              testing::ElementsAre(Pair("path", "data/shop.db"), Pair("table", "a b")));
  EXPECT_THAT(ValueOf(FromUrl("sqlite:shop.db?query=SELECT%201")),
              testing::ElementsAre(Pair("path", "shop.db"), Pair("query", "SELECT 1")));
  EXPECT_THAT(
      ValueOf(FromUrl("sqlite:shop.db?mixed=null&table=t&connections=auto&busy_timeout=1s")),
      testing::ElementsAre(Pair("path", "shop.db"), Pair("mixed", "null"), Pair("table", "t"),
                           Pair("connections", "auto"), Pair("busy_timeout", "1s")));
}

TEST_F(RegisterTest, RefusesUrlsThatSayTooLittleOrTooMuch) {
  for (const char* url :
       {"sqlite:", "sqlite://", "sqlite:x.db", "sqlite:x.db?", "sqlite:x.db?table",
        "sqlite:x.db?table=", "sqlite:x.db?tabel=t", "sqlite:x.db?table=%4",
        "sqlite:x.db?table=%zz", "sqlite:x.db?table=t&immutable=true",
        "sqlite:x.db?table=t&query=q", "sqlite:?table=t"}) {
    EXPECT_THAT(FromUrl(url), FailsWith(FaultCode::kBadCommandLine)) << url;
  }
}

}  // namespace
}  // namespace levada::sqlite
