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

TEST_F(RegisterTest, ReadsUrls) {
  EXPECT_THAT(ValueOf(FromUrl("sqlite:///var/shop.db?table=orders")),
              testing::ElementsAre(Pair("path", "/var/shop.db"), Pair("table", "orders")));
  EXPECT_THAT(ValueOf(FromUrl("sqlite://data/shop.db?table=a%20b")),
              testing::ElementsAre(Pair("path", "data/shop.db"), Pair("table", "a b")));
  EXPECT_THAT(ValueOf(FromUrl("sqlite:shop.db?query=SELECT%201")),
              testing::ElementsAre(Pair("path", "shop.db"), Pair("query", "SELECT 1")));
}

TEST_F(RegisterTest, RefusesUrlsThatSayTooLittleOrTooMuch) {
  for (const char* url :
       {"sqlite:", "sqlite://", "sqlite:x.db", "sqlite:x.db?", "sqlite:x.db?table",
        "sqlite:x.db?table=", "sqlite:x.db?tabel=t", "sqlite:x.db?table=%4",
        "sqlite:x.db?table=%zz", "sqlite:x.db?table=t&query=q", "sqlite:?table=t"}) {
    EXPECT_THAT(FromUrl(url), FailsWith(FaultCode::kBadCommandLine)) << url;
  }
}

}  // namespace
}  // namespace levada::sqlite
