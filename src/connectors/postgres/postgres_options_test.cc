#include "connectors/postgres/postgres_options.h"

#include "base/testing.h"
#include "connectors/postgres/consumer_testing.h"

namespace levada::postgres {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::Pair;

TEST(ConsumerOptions, HasDefaultsThatChangeNothing) {
  const ConsumerOptions options = ValueOf(OptionsOf("table: public.orders"));
  EXPECT_EQ(options.table, (TableName{"public", "orders"}));
  EXPECT_EQ(options.connections, 1);
  EXPECT_FALSE(options.trim);
  EXPECT_EQ(options.numeric, std::nullopt);
  EXPECT_EQ(options.unbounded, pgcopy::ValuePolicy::kError);
  EXPECT_EQ(options.non_finite, pgcopy::ValuePolicy::kError);
  EXPECT_EQ(options.infinity, pgcopy::ValuePolicy::kError);
  EXPECT_EQ(options.statement_timeout.count(), 0);
  EXPECT_EQ(options.connect_timeout, std::nullopt);
  EXPECT_EQ(options.partition.rule, PartitionOptions::Rule::kDerived);
}

TEST(ConsumerOptions, TakesAllThatIsWritten) {
  const ConsumerOptions options = ValueOf(OptionsOf(
      "query: 'select 1 as a; '\ncolumns: [a]\nas_text: [b, a]\npartition: { by: a, size: 500 }\n"
      "connections: auto\ntrim: true\nnumeric: decimal( 38, 9 )\nnon_finite: string\n"
      "infinity: null\nuuid: binary\nstatement_timeout: 2h\nconnect_timeout: 5s"));
  EXPECT_EQ(options.query, "select 1 as a");
  EXPECT_EQ(options.What(), "the query");
  EXPECT_THAT(options.columns, ElementsAre("a"));
  EXPECT_THAT(options.as_text, ElementsAre("b", "a"));
  EXPECT_EQ(options.partition.rule, PartitionOptions::Rule::kSize);
  EXPECT_EQ(options.partition.number, 500);
  EXPECT_EQ(options.connections, 0);
  EXPECT_TRUE(options.trim);
  EXPECT_EQ(options.numeric, (pgcopy::NumericBounds{38, 9}));
  EXPECT_EQ(options.non_finite, pgcopy::ValuePolicy::kString);
  EXPECT_EQ(options.infinity, pgcopy::ValuePolicy::kNull);
  EXPECT_TRUE(options.uuid_as_bytes);
  EXPECT_EQ(options.statement_timeout, std::chrono::hours(2));
  EXPECT_EQ(options.connect_timeout, std::chrono::seconds(5));
}

TEST(ConsumerOptions, TellsEachProblemAtItsPlace) {
  const std::pair<const char*, FaultCode> cases[] = {
      {"trim: true", FaultCode::kMissingKey},
      {"table: t\nquery: select 1", FaultCode::kImpossiblePlan},
      {"query: ' ; '", FaultCode::kBadValue},
      {"table: a.b.c", FaultCode::kBadValue},
      {"table: t\ncolumns: []", FaultCode::kBadValue},
      {"table: t\ncolumns: [a, b, a]", FaultCode::kDuplicateColumn},
      {"table: t\nas_text: []", FaultCode::kBadValue},
      {"table: t\nas_text: [a, a]", FaultCode::kDuplicateColumn},
      {"table: t\npartition: { by: id }", FaultCode::kMissingKey},
      {"table: t\npartition: { by: id, size: 5, count: 3 }", FaultCode::kImpossiblePlan},
      {"table: t\npartition: { by: id, interval: 5ms }", FaultCode::kBadValue},
      {"table: t\npartition: { by: id, values: [] }", FaultCode::kBadValue},
      {"table: t\nconnections: 0", FaultCode::kBadValue},
      {"table: t\nconnections: 17", FaultCode::kBadValue},
      {"table: t\nconnections: many", FaultCode::kBadValue},
      {"table: t\nnumeric: decimal(77,0)", FaultCode::kBadValue},
      {"table: t\nnumeric: decimal(5,6)", FaultCode::kBadValue},
      {"table: t\nnumeric: decimal(5)", FaultCode::kBadValue},
      {"table: t\nnumeric: float", FaultCode::kBadValue},
  };
  for (const auto& [text, code] : cases) {
    const auto options = OptionsOf(text);
    EXPECT_THAT(options, FailsWith(code)) << text;
    if (options.ok()) continue;
    const Fault fault = FaultOf(options.status());
    ASSERT_EQ(fault.diagnostics().size(), 1u) << text;
    EXPECT_TRUE(fault.diagnostics()[0].span.known()) << text;
    EXPECT_FALSE(fault.diagnostics()[0].help.empty()) << text;
  }
}

TEST(ConsumerOptions, TellsAllProblemsAtOnce) {
  const auto options = OptionsOf("table: a.b.c\nconnections: many\nnumeric: float");
  EXPECT_EQ(FaultOf(options.status()).diagnostics().size(), 3u);
}

TEST(ConsumerOptions, RefuseConnectionsWhereTheyWouldDoNothing) {
  const Fault fault = FaultOf(OptionsOf("query: select 1\nconnections: 4").status());
  EXPECT_EQ(fault.code(), FaultCode::kImpossiblePlan);
  ASSERT_EQ(fault.diagnostics().size(), 1u);
  EXPECT_EQ(fault.diagnostics()[0].span.line, 2u);
  EXPECT_THAT(fault.diagnostics()[0].help, HasSubstr("partitions: 4"));
  // One is what a query has, and auto says as many as are of use.
  EXPECT_THAT(OptionsOf("query: select 1\nconnections: 1"), IsOk());
  EXPECT_THAT(OptionsOf("query: select 1\nconnections: auto"), IsOk());
}

TEST(ConsumerOptions, ComeOutOfAUrl) {
  EXPECT_THAT(
      ValueOf(OptionsFromUrl("postgres://me@db:5433/shop?table=public.orders")),
      ElementsAre(Pair("dsn", "postgres://me@db:5433/shop"), Pair("table", "public.orders")));
  EXPECT_THAT(
      ValueOf(OptionsFromUrl("postgresql:///?sslmode=require&query=select%201&application_name=x&"
                             "connections=auto")),
      ElementsAre(Pair("dsn", "postgresql:///?sslmode=require&application_name=x"),
                  Pair("query", "select 1"), Pair("connections", "auto")));
}

TEST(ConsumerOptions, RefuseAUrlWithoutATable) {
  for (const char* url :
       {"postgres://u:canary@h/db",
        "postgres://u:canary@h/db?table=", "postgres://u:canary@h/db?table",
        "postgres://u:canary@h/db?table=a&query=b", "postgres://u:canary@h/db?table=%4"}) {
    const auto options = OptionsFromUrl(url);
    EXPECT_THAT(options, FailsWith(FaultCode::kBadCommandLine)) << url;
    EXPECT_THAT(options.status().ToString(), Not(HasSubstr("canary")));
    EXPECT_THAT(FaultOf(options.status()).help(), Not(HasSubstr("%3F"))) << url;
  }
}

TEST(ConsumerOptions, TellAPasswordThatWasNotEncodedFromAUrlWithoutATable) {
  const Fault fault =
      FaultOf(OptionsFromUrl("postgres://bob:can?ary@127.0.0.1/shop?table=orders").status());
  EXPECT_EQ(fault.code(), FaultCode::kBadCommandLine);
  EXPECT_THAT(fault.help(), HasSubstr("%3F"));
}

}  // namespace
}  // namespace levada::postgres
