#include "connectors/postgres/table_name.h"

#include "base/testing.h"

namespace levada::postgres {
namespace {

TEST(TableName, IsExactAndPartedByADot) {
  EXPECT_EQ(ValueOf(ParseTableName("orders")), (TableName{"", "orders"}));
  EXPECT_EQ(ValueOf(ParseTableName("public.Orders")), (TableName{"public", "Orders"}));
  EXPECT_EQ(ValueOf(ParseTableName("a b.c-d")), (TableName{"a b", "c-d"}));
  EXPECT_EQ(ValueOf(ParseTableName("größe")), (TableName{"", "größe"}));
}

TEST(TableName, TakesDotsAndQuotesInsideQuotes) {
  EXPECT_EQ(ValueOf(ParseTableName("\"a.b\".\"c\"\"d\"")), (TableName{"a.b", "c\"d"}));
  EXPECT_EQ(ValueOf(ParseTableName("public.\"x.y\"")), (TableName{"public", "x.y"}));
}

TEST(TableName, RefusesWhatIsNoName) {
  for (const char* text : {"", ".", "a.", ".a", "a.b.c", "\"a", "\"a\"b", "\"\"", "a.\"\""}) {
    EXPECT_THAT(ParseTableName(text), FailsWith(FaultCode::kBadValue)) << text;
  }
}

TEST(TableName, ReadsBackWhatItWrites) {
  for (const TableName& name : {TableName{"", "t"}, TableName{"s", "t"}, TableName{"a.b", "c"},
                                TableName{"s", "q\"q"}, TableName{"", "x.y\"z"}}) {
    EXPECT_EQ(ValueOf(ParseTableName(name.Written())), name);
  }
  EXPECT_EQ((TableName{"s", "q\"q"}).Quoted(), "\"s\".\"q\"\"q\"");
}

}  // namespace
}  // namespace levada::postgres
