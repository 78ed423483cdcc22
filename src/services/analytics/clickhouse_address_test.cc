#include "services/analytics/clickhouse_address.h"

#include "base/testing.h"

namespace levada::services::analytics {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

TEST(ClickhouseAddress, NamesServerUserAndDatabase) {
  const ClickhouseAddress all =
      ValueOf(ParseClickhouseAddress("clickhouse://le%40vada@[::1]:9/points_2?secure=true"));
  EXPECT_EQ(all, (ClickhouseAddress{{true, "::1", 9, "/"}, "le@vada", "points_2"}));
  const ClickhouseAddress least = ValueOf(ParseClickhouseAddress("clickhouse://db.example"));
  EXPECT_EQ(least, (ClickhouseAddress{{false, "db.example", 8123, "/"}, "default", "levada"}));
  EXPECT_EQ(ValueOf(ParseClickhouseAddress("clickhouse://[::1]/?secure=true")).server.port, 8443);
  EXPECT_EQ(ValueOf(ParseClickhouseAddress("clickhouse://h?secure=false")).server.port, 8123);
}

TEST(ClickhouseAddress, HasNoPasswordAndQuotesNone) {
  EXPECT_THAT(
      ParseClickhouseAddress("clickhouse://user:hunter2@host/d"),
      FailsWith(FaultCode::kBadValue, AllOf(HasSubstr("password"), Not(HasSubstr("hunter2")))));
}

TEST(ClickhouseAddress, IsRefusedInWords) {
  for (const char* text :
       {"", "http://host", "clickhouse://", "clickhouse://@host", "clickhouse://%zz@host",
        "clickhouse://%0a@host", "clickhouse://host:x", "clickhouse://host:70000",
        "clickhouse://host/a-b", "clickhouse://host/a/b", "clickhouse://host?secure=1",
        "clickhouse://host?x=1", "clickhouse://ho st"}) {
    EXPECT_THAT(ParseClickhouseAddress(text), FailsWith(FaultCode::kBadValue)) << text;
  }
  EXPECT_THAT(ParseClickhouseAddress("clickhouse://host/" + std::string(65, 'a')),
              FailsWith(FaultCode::kBadValue));
}

}  // namespace
}  // namespace levada::services::analytics
