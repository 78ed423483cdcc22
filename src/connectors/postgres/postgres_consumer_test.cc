#include "connectors/postgres/postgres_consumer.h"

#include <arrow/type.h>

#include "base/log.h"
#include "connectors/postgres/consumer_testing.h"
#include "connectors/postgres/value_text.h"
#include "elt/catalog.h"

namespace levada::postgres {

void Register(elt::Catalog& catalog);

namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using tests::PostgresServer;

/// Keeps what a run warns of.
class WarningsLog final : public Logger {
 public:
  bool Enabled(LogLevel level) const override { return level == LogLevel::kWarning; }
  void Write(LogLevel, std::string_view message, std::initializer_list<LogField>) override {
    warnings.emplace_back(message);
  }
  std::vector<std::string> warnings;
};

class PostgresConsumerTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    PostgresServer::Shared().NewDatabase("shop");
    PostgresServer::Shared().Execute(R"(
create schema sales;
create table sales.orders(id bigint primary key, note text, amount numeric(12,2) not null);
insert into sales.orders select g, 'note ' || (g % 10), g / 100.0 from generate_series(1, 1000) g;
create view sales.recent as select id, amount from sales.orders where id > 900;
create materialized view sales.totals as select count(*) as n from sales.orders;
create table sales.events(id int not null, at date not null, v text) partition by range (at);
create table sales.events_a partition of sales.events for values from ('2026-01-01') to ('2026-02-01');
create table sales.events_b partition of sales.events for values from ('2026-02-01') to ('2026-03-01');
insert into sales.events select g, date '2026-01-01' + g % 59, 'v' from generate_series(1, 500) g;
create table sales.parent(id int not null);
create table sales.child() inherits (sales.parent);
insert into sales.parent values (1); insert into sales.child values (2);
create table sales.computed(a int, b int generated always as (a * 2) stored, c text);
insert into sales.computed(a, c) values (1, 'x'), (2, 'y');
alter table sales.computed drop column c;
alter table sales.computed add column d text default 'd';
create sequence sales.numbers;
create table "Odd ""Name"".x"("Col ""1""" int, "select" text);
insert into "Odd ""Name"".x" values (1, 'a');
analyze;
)",
                                     "shop");
  }

  std::unique_ptr<PostgresConsumer> Shop(const std::string& yaml) {
    return ConsumerOf(yaml, PostgresServer::Shared().Dsn("shop"));
  }
  Result<elt::Source> Describe(const std::string& yaml) { return Shop(yaml)->Describe(ctx_); }
  Result<RunRows> Read(const std::string& yaml) { return ReadRun(ctx_, *Shop(yaml)); }
  int64_t RowsOf(const std::string& yaml) { return ValueOf(Read(yaml)).Table()->num_rows(); }

  TestContext test_;
  Context ctx_ = test_.context();
};

TEST_F(PostgresConsumerTest, DescribesATable) {
  const elt::Source source = ValueOf(Describe("table: sales.orders"));
  EXPECT_EQ(source.schema->ToString(),
            "id: int64 not null\nnote: string\namount: decimal128(12, 2) not null");
  EXPECT_THAT(source.source_types, ElementsAre("bigint", "text", "numeric(12,2)"));
  EXPECT_THAT(source.description, testing::StartsWith("PostgreSQL 1"));
  EXPECT_THAT(source.description, HasSubstr("database \"shop\", table sales.orders"));
  EXPECT_EQ(source.estimated_rows, 1000);
  EXPECT_GT(source.estimated_bytes, 8192);
  EXPECT_GT(source.memory_bytes_per_slice, 0);
  ASSERT_EQ(source.hints.size(), 3u);
  EXPECT_DOUBLE_EQ(source.hints[0].distinct, 1000);
  EXPECT_DOUBLE_EQ(source.hints[1].distinct, 10);
  EXPECT_DOUBLE_EQ(source.hints[1].average_bytes, 7);
  EXPECT_DOUBLE_EQ(source.hints[1].null_fraction, 0);
}

TEST_F(PostgresConsumerTest, DescribesAQueryWithTheStatisticsOfItsTables) {
  const elt::Source source =
      ValueOf(Describe("query: \"select note, id + 1 as next from sales.orders -- all\""));
  EXPECT_EQ(source.schema->ToString(), "note: string\nnext: int64");
  EXPECT_DOUBLE_EQ(source.hints[0].distinct, 10);
  EXPECT_DOUBLE_EQ(source.hints[1].distinct, -1);
  EXPECT_EQ(source.estimated_rows, 1000);
}

TEST_F(PostgresConsumerTest, DescribesAThousandColumnsAtOnce) {
  auto& server = PostgresServer::Shared();
  server.Execute(
      "do $$ begin execute 'create table wide(' || (select string_agg('c' || g || ' int', ', ') "
      "from generate_series(1, 1000) g) || ')'; end $$; insert into wide(c1, c999) values (1, 1), "
      "(2, 1); analyze wide",
      "shop");
  // 10 ms; compared with each other, all columns of the database would take 20 s.
  const elt::Source source = ValueOf(Describe("table: wide\nstatement_timeout: 2s"));
  ASSERT_EQ(source.hints.size(), 1000u);
  EXPECT_DOUBLE_EQ(source.hints[0].distinct, 2);
  EXPECT_DOUBLE_EQ(source.hints[998].distinct, 1);
  EXPECT_DOUBLE_EQ(source.hints[998].average_bytes, 4);
  EXPECT_DOUBLE_EQ(source.hints[1].null_fraction, 1);
  server.Execute("drop table wide", "shop");
}

TEST_F(PostgresConsumerTest, CountsChildrenInTheStatisticsOfTheirParents) {
  auto& server = PostgresServer::Shared();
  server.Execute(
      "create table kin(id int, v text); create table kin_child() inherits (kin); "
      "insert into kin values (1, 'a'); insert into kin_child select g, 'b' from "
      "generate_series(2, 100) g; analyze kin, kin_child",
      "shop");
  const auto hints = ValueOf(Describe("table: kin")).hints;
  EXPECT_DOUBLE_EQ(hints[1].distinct, 2);
  // As many as there are rows, and nothing says how many that is.
  EXPECT_DOUBLE_EQ(hints[0].distinct, -1);
  // Columns of two tables, in another order, and one of none.
  const auto mixed = ValueOf(Describe("query: select c.v as a, 1 as n, p.v as b, c.id as c from "
                                      "kin_child c, kin p"))
                         .hints;
  EXPECT_DOUBLE_EQ(mixed[0].distinct, 1);
  EXPECT_DOUBLE_EQ(mixed[1].distinct, -1);
  EXPECT_DOUBLE_EQ(mixed[2].distinct, 2);
  EXPECT_DOUBLE_EQ(mixed[3].distinct, 99);
  server.Execute("drop table kin cascade", "shop");
}

TEST_F(PostgresConsumerTest, ReadsEveryKindOfTable) {
  EXPECT_EQ(RowsOf("table: sales.orders"), 1000);
  EXPECT_EQ(RowsOf("table: sales.recent"), 100);
  EXPECT_EQ(RowsOf("table: sales.totals"), 1);
  EXPECT_EQ(RowsOf("table: sales.events"), 500);
  EXPECT_EQ(RowsOf("table: sales.events_a"),
            ValueOf(Describe("table: sales.events_a")).estimated_rows);
  EXPECT_EQ(RowsOf("table: sales.parent"), 2);
  EXPECT_EQ(RowsOf("table: '\"Odd \"\"Name\"\".x\"'"), 1);
}

TEST_F(PostgresConsumerTest, TrustsNotNullOnlyWhereTheServerKeepsIt) {
  EXPECT_FALSE(ValueOf(Describe("table: sales.events")).schema->field(0)->nullable());
  EXPECT_TRUE(ValueOf(Describe("table: sales.parent")).schema->field(0)->nullable());
  EXPECT_TRUE(ValueOf(Describe("table: sales.recent")).schema->field(0)->nullable());
}

TEST_F(PostgresConsumerTest, NobodyKeepsNotNullInForeignPartitions) {
  auto& server = PostgresServer::Shared();
  server.Execute(
      "create extension file_fdw; create server files foreign data wrapper file_fdw; "
      "create foreign table sales.events_c partition of sales.events "
      "for values from ('2026-03-01') to ('2026-04-01') server files "
      "options (filename '/dev/null', format 'csv')",
      "shop");
  EXPECT_TRUE(ValueOf(Describe("table: sales.events")).schema->field(0)->nullable());
  EXPECT_EQ(RowsOf("table: sales.events"), 500);
  server.Execute("drop extension file_fdw cascade", "shop");
  EXPECT_FALSE(ValueOf(Describe("table: sales.events")).schema->field(0)->nullable());
}

TEST_F(PostgresConsumerTest, SaysWhyConnectionsWouldBeOfNoUse) {
  const auto notes = [&](const std::string& yaml) {
    return ValueOf(Describe(yaml + "\nconnections: 4")).notes;
  };
  const auto single = Contains(HasSubstr("read by one connection"));
  EXPECT_THAT(notes("table: sales.orders"), Not(single));
  EXPECT_THAT(notes("table: sales.orders"), Contains(HasSubstr("share one snapshot")));
  EXPECT_THAT(notes("table: sales.recent"), single);
  EXPECT_THAT(notes("table: sales.parent"), single);
  EXPECT_THAT(ValueOf(Describe("query: select 1 as a\nconnections: auto")).notes, single);
  EXPECT_THAT(notes("table: sales.orders\npartition: { by: id, count: 2 }"), single);
}

TEST_F(PostgresConsumerTest, ReadsComputedColumnsAndSkipsDroppedOnes) {
  const RunRows rows = ValueOf(Read("table: sales.computed"));
  EXPECT_EQ(rows.source.schema->field_names(), (std::vector<std::string>{"a", "b", "d"}));
  const auto b = ValueOf(rows.Table()->CombineChunks())->GetColumnByName("b")->chunk(0);
  EXPECT_EQ(ValueText(*b, 1), "4");
}

TEST_F(PostgresConsumerTest, ReadsChosenColumnsInTheirOrder) {
  for (const char* yaml : {"table: sales.orders\ncolumns: [amount, id]",
                           "query: select * from sales.orders\ncolumns: [amount, id]"}) {
    const RunRows rows = ValueOf(Read(yaml));
    EXPECT_EQ(rows.source.schema->field_names(), (std::vector<std::string>{"amount", "id"}));
    EXPECT_EQ(rows.Table()->num_rows(), 1000);
  }
}

TEST_F(PostgresConsumerTest, ReadsAQueryAsItIsWritten) {
  const RunRows rows = ValueOf(
      Read("query: |\n  with last as (select id from sales.orders order by id desc limit 3)\n"
           "  select id from last order by id desc; -- the last ones\n"));
  const auto ids = ValueOf(rows.Table()->CombineChunks())->column(0)->chunk(0);
  EXPECT_EQ(ValueText(*ids, 0) + ValueText(*ids, 1) + ValueText(*ids, 2), "1000999998");
}

TEST_F(PostgresConsumerTest, CountsWhatTheServerSaysItSent) {
  const RunRows rows = ValueOf(Read("table: sales.orders"));
  const elt::StreamEnd& end = rows.slices[0][0].end;
  EXPECT_EQ(end.rows_sent, 1000);
  EXPECT_EQ(end.rows_read, 1000);
  EXPECT_EQ(end.rows_out, 1000);
  EXPECT_THAT(end.position, HasSubstr("snapshot "));
  EXPECT_EQ(test_.counters.rows_read, 1000);
  EXPECT_GT(test_.counters.bytes_read, 20000);
}

TEST_F(PostgresConsumerTest, CutsBatchesByTheLimits) {
  const auto consumer = Shop("table: sales.orders");
  const elt::Source source = ValueOf(consumer->Describe(ctx_));
  const auto partitions = ValueOf(consumer->Split(ctx_, {}, source, {}));
  const auto slices = ValueOf(
      ReadPartition(ctx_, *consumer, {}, partitions[0], source, {.rows = 300, .bytes = 1 << 20}));
  EXPECT_EQ(slices[0].batches, 4);
  EXPECT_EQ(slices[0].table->num_rows(), 1000);
}

TEST_F(PostgresConsumerTest, ReadsNoRowsAsAnEndWithoutABatch) {
  const RunRows rows = ValueOf(Read("query: select id from sales.orders where false"));
  EXPECT_EQ(rows.slices[0][0].batches, 0);
  EXPECT_EQ(rows.slices[0][0].end.rows_sent, 0);
}

TEST_F(PostgresConsumerTest, NamesTheNearestTable) {
  const Fault wrong = FaultOf(Describe("table: sales.order").status());
  EXPECT_EQ(wrong.code(), FaultCode::kTableNotFound);
  EXPECT_THAT(wrong.help(), HasSubstr("\"sales.orders\""));
  const Fault elsewhere = FaultOf(Describe("table: orders").status());
  EXPECT_EQ(elsewhere.code(), FaultCode::kTableNotFound);
  EXPECT_THAT(elsewhere.help(), HasSubstr("\"sales.orders\""));
  const Fault other_case = FaultOf(Describe("table: sales.Orders").status());
  EXPECT_THAT(other_case.help(), HasSubstr("\"sales.orders\""));
  EXPECT_THAT(Describe("table: sales.numbers"), FailsWith(FaultCode::kSourceUnsupported));
  EXPECT_THAT(Describe("table: sales.orders_pkey"),
              FailsWith(FaultCode::kSourceUnsupported, HasSubstr("an index")));
}

TEST_F(PostgresConsumerTest, SaysThatATemporaryTableIsAnothersSession) {
  auto& server = PostgresServer::Shared();
  server.Execute("create temporary table passing as select 1 as id", "shop");
  const std::string schema = server.Value("select pg_my_temp_schema()::regnamespace", "shop");
  for (const std::string& name : {std::string("passing"), schema + ".passing"}) {
    const Status status = Describe("table: " + name).status();
    EXPECT_THAT(status, FailsWith(FaultCode::kSourceUnsupported, HasSubstr("temporary table")));
    EXPECT_THAT(FaultOf(status).help(), HasSubstr("that stays"));
  }
  // Nor is it what somebody meant who has misspelt another, and one that is in the path goes first.
  EXPECT_THAT(FaultOf(Describe("table: passin").status()).help(), Not(HasSubstr("passing")));
  server.Execute("create table public.passing as select 2 as id, 3 as n", "shop");
  EXPECT_EQ(ValueOf(Describe("table: passing")).schema->num_fields(), 2);
  server.Execute("drop table pg_temp.passing; drop table public.passing", "shop");
}

TEST_F(PostgresConsumerTest, EstimatesAParentWithItsChildren) {
  const elt::Source source = ValueOf(Describe("table: sales.parent"));
  EXPECT_EQ(source.estimated_rows, 2);
  EXPECT_EQ(source.estimated_bytes, 8);
}

TEST_F(PostgresConsumerTest, NamesTheNearestColumn) {
  for (const char* yaml : {"table: sales.orders\ncolumns: [id, amont]",
                           "query: select * from sales.orders\ncolumns: [id, amont]"}) {
    const Fault fault = FaultOf(Describe(yaml).status());
    EXPECT_EQ(fault.code(), FaultCode::kColumnNotFound);
    EXPECT_EQ(fault.Detail("column"), "amont");
    EXPECT_THAT(fault.help(), HasSubstr("\"amount\""));
  }
}

TEST_F(PostgresConsumerTest, RefusesQueriesThatAreNoSelect) {
  EXPECT_THAT(Describe("query: selec 1"), FailsWith(FaultCode::kQueryFailed));
  EXPECT_THAT(Describe("query: select 1; select 2"), FailsWith(FaultCode::kQueryFailed));
  EXPECT_THAT(Describe("query: select nothing from sales.orders"),
              FailsWith(FaultCode::kColumnNotFound));
  EXPECT_THAT(Describe("query: select 1 as a, 2 as a"), FailsWith(FaultCode::kDuplicateColumn));
  EXPECT_THAT(Describe("query: set timezone to 'UTC'"), FailsWith(FaultCode::kSourceUnsupported));
  EXPECT_THAT(Read("query: delete from sales.orders returning id"),
              FailsWith(FaultCode::kQueryFailed));
  EXPECT_THAT(Read("query: select nextval('sales.numbers')"), FailsWith(FaultCode::kQueryFailed));
  EXPECT_EQ(RowsOf("table: sales.orders"), 1000);
}

TEST_F(PostgresConsumerTest, TellsThatTheUserMayNotRead) {
  auto& server = PostgresServer::Shared();
  server.Execute("drop role if exists stranger; create role stranger login", "shop");
  const auto consumer = ConsumerOf("table: sales.orders", server.Dsn("shop", "stranger"));
  EXPECT_THAT(consumer->Describe(ctx_), FailsWith(FaultCode::kPermissionDenied));
  server.Execute("grant usage on schema sales to stranger", "shop");
  const Status status = consumer->Describe(ctx_).status();
  EXPECT_THAT(status, FailsWith(FaultCode::kPermissionDenied));
  EXPECT_EQ(FaultOf(status).Detail("sqlstate"), "42501");
  server.Execute("grant select (id) on sales.orders to stranger", "shop");
  EXPECT_THAT(consumer->Describe(ctx_), FailsWith(FaultCode::kPermissionDenied));
  const auto allowed =
      ConsumerOf("table: sales.orders\ncolumns: [id]", server.Dsn("shop", "stranger"));
  EXPECT_EQ(ValueOf(ReadRun(ctx_, *allowed)).Table()->num_rows(), 1000);
  server.Execute("drop owned by stranger; drop role stranger", "shop");
}

TEST_F(PostgresConsumerTest, SaysThatRowSecurityHidesRows) {
  auto& server = PostgresServer::Shared();
  server.Execute(
      "create role tenant login; create table sales.owned(id int, owner text); "
      "insert into sales.owned values (1, 'tenant'), (2, 'other'); "
      "alter table sales.owned enable row level security; "
      "create policy own on sales.owned using (owner = current_user); "
      "grant usage on schema sales to tenant; grant select on sales.owned to tenant",
      "shop");
  WarningsLog log;
  ctx_.log = &log;
  const RunRows rows =
      ValueOf(ReadRun(ctx_, *ConsumerOf("table: sales.owned", server.Dsn("shop", "tenant"))));
  EXPECT_EQ(rows.Table()->num_rows(), 1);
  EXPECT_THAT(rows.source.notes, Contains(HasSubstr("row security")));
  EXPECT_THAT(log.warnings, ElementsAre(HasSubstr("row security")));
  EXPECT_THAT(ValueOf(Describe("table: sales.owned")).notes,
              Not(Contains(HasSubstr("row security"))));
  server.Execute("drop table sales.owned; drop owned by tenant; drop role tenant", "shop");
}

TEST_F(PostgresConsumerTest, TellsASchemaThatChangedSinceThePlan) {
  auto& server = PostgresServer::Shared();
  const std::pair<const char*, const char*> changes[] = {
      {"alter table sales.drifting alter a type bigint", "expected int32, got int64"},
      {"alter table sales.drifting add c int", "\"c\" is new"},
      {"alter table sales.drifting drop b", "\"b\" is gone"},
      {"alter table sales.drifting alter a set not null", "not null"},
      {"alter table sales.drifting alter b type numeric(9,3)", "decimal128(9,3)"},
  };
  for (const auto& [change, difference] : changes) {
    server.Execute(
        "drop table if exists sales.drifting; "
        "create table sales.drifting(a int, b numeric(9,2))",
        "shop");
    const auto consumer = Shop("table: sales.drifting");
    const elt::Source source = ValueOf(consumer->Describe(ctx_));
    const auto partitions = ValueOf(consumer->Split(ctx_, {}, source, {}));
    server.Execute(change, "shop");
    const auto opened = consumer->Open(ctx_, {}, partitions[0], source, {});
    EXPECT_THAT(opened, FailsWith(FaultCode::kSchemaDrift, HasSubstr(difference))) << change;
    EXPECT_THAT(consumer->Split(ctx_, {}, source, {}), FailsWith(FaultCode::kSchemaDrift));
  }
  server.Execute("drop table sales.drifting", "shop");
}

TEST_F(PostgresConsumerTest, HoldsTheSchemaFromOpenToTheLastRow) {
  auto& server = PostgresServer::Shared();
  const auto consumer = Shop("table: sales.orders");
  const elt::Source source = ValueOf(consumer->Describe(ctx_));
  const auto partitions = ValueOf(consumer->Split(ctx_, {}, source, {}));
  const auto reader = ValueOf(consumer->Open(ctx_, {}, partitions[0], source, {}));
  EXPECT_NE(server.Value("select count(*) from pg_locks l join pg_class c on c.oid = l.relation "
                         "where c.relname = 'orders' and l.mode = 'AccessShareLock'",
                         "shop"),
            "0");
}

TEST_F(PostgresConsumerTest, ConvertsOtherEncodings) {
  auto& server = PostgresServer::Shared();
  server.NewDatabase("latin", "LATIN1");
  server.Execute("create table t as select E'gr\\u00fc\\u00df'::text v", "latin");
  const RunRows rows = ValueOf(ReadRun(ctx_, *ConsumerOf("table: t", server.Dsn("latin"))));
  EXPECT_EQ(ValueText(*rows.Table()->column(0)->chunk(0), 0), "grüß");
}

TEST_F(PostgresConsumerTest, ChecksTextThatNobodyElseChecks) {
  auto& server = PostgresServer::Shared();
  server.NewDatabase("unchecked", "SQL_ASCII");
  server.Execute(
      "create table good as select 1 id, E'gr\\xc3\\xbc\\xc3\\x9f'::text v; "
      "create table bad as select g id, case when g = 7 then E'gr\\xfc' else 'x' end v "
      "from generate_series(1, 9) g",
      "unchecked");
  const RunRows rows = ValueOf(ReadRun(ctx_, *ConsumerOf("table: good", server.Dsn("unchecked"))));
  EXPECT_EQ(ValueText(*rows.Table()->GetColumnByName("v")->chunk(0), 0), "grüß");
  EXPECT_THAT(rows.source.notes, Contains(HasSubstr("SQL_ASCII")));
  const Status status = ReadRun(ctx_, *ConsumerOf("table: bad", server.Dsn("unchecked"))).status();
  EXPECT_THAT(status, FailsWith(FaultCode::kInvalidUtf8));
  EXPECT_EQ(FaultOf(status).Detail("column"), "v");
  EXPECT_EQ(FaultOf(status).Detail("row"), "7");
}

TEST_F(PostgresConsumerTest, EndsAStatementThatRunsTooLong) {
  const Status status =
      Read("query: select pg_sleep(600)::text as v\nstatement_timeout: 100ms").status();
  EXPECT_THAT(status, FailsWith(FaultCode::kSourceTimeout));
  EXPECT_EQ(FaultOf(status).Detail("sqlstate"), "57014");
}

TEST_F(PostgresConsumerTest, IsNotBoundByTheRolesOwnTimeout) {
  auto& server = PostgresServer::Shared();
  server.Execute(
      "create role hasty login superuser; alter role hasty set statement_timeout = '1ms'", "shop");
  const auto consumer =
      ConsumerOf("query: select pg_sleep(0.05)::text as v", server.Dsn("shop", "hasty"));
  EXPECT_THAT(ReadRun(ctx_, *consumer), IsOk());
  server.Execute("drop role hasty", "shop");
}

TEST_F(PostgresConsumerTest, TextsDoNotDependOnWhatTheRoleHasSet) {
  auto& server = PostgresServer::Shared();
  server.Execute(R"(
create table said(id int, f float8, r float4, at timestamptz, d date, iv interval, b bytea, m money);
insert into said values (1, 1.0 / 3, 0.1, '2026-11-02 00:00:00.5+00', '2026-02-01', '-1 day 2 hours', '\x00ff',
  '-1234.56');
alter table said alter at set not null;
create role odd login; grant select on said to odd;
alter role odd set datestyle = 'German, DMY'; alter role odd set intervalstyle = 'sql_standard';
alter role odd set timezone = 'Asia/Kolkata'; alter role odd set extra_float_digits = -10;
alter role odd set bytea_output = 'escape'; alter role odd set xmlbinary = 'hex';
alter role odd set xmloption = 'document'; alter role odd set quote_all_identifiers = on;
alter role odd set standard_conforming_strings = off; alter role odd set lc_monetary = 'C.UTF-8';
)",
                 "shop");
  const std::string yaml = R"(query: |
  select concat_ws(' ', f, r, at, d, iv, b, xmlforest(b), 'said'::regclass, '01/02/2026'::date, 'a\b',
    to_json(at), '<a/><b/>'::text::xml, '2026-01-01'::timestamptz, m) as v, id, at from said
)";
  const std::string expected =
      "0.3333333333333333 0.1 2026-11-02 00:00:00.5+00 2026-02-01 P-1DT2H \\x00ff <b>AP8=</b> said "
      "2026-01-02 a\\b \"2026-11-02T00:00:00.5+00:00\" <a/><b/> 2026-01-01 00:00:00+00 "
      "-$1,234.56";
  for (const char* user : {"odd", "levada"}) {
    for (const char* cut : {"", "partition: { by: id, values: ['7', '8'] }"}) {
      const RunRows rows =
          ValueOf(ReadRun(ctx_, *ConsumerOf(yaml + cut, server.Dsn("shop", user))));
      EXPECT_EQ(ValueText(*ValueOf(rows.Table()->CombineChunks())->column(0)->chunk(0), 0),
                expected)
          << user << cut;
    }
  }
  // What is recorded of partitions too.
  const auto bounds = [&](const char* user) {
    const RunRows rows = ValueOf(
        ReadRun(ctx_, *ConsumerOf("table: said\npartition: { by: at, interval: 1h }\ncolumns: [id]",
                                  server.Dsn("shop", user))));
    std::string all;
    for (const elt::Partition& partition : rows.partitions) all += partition.bounds;
    return all;
  };
  EXPECT_EQ(bounds("odd"), bounds("levada"));
  server.Execute("drop table said; drop role odd", "shop");
}

TEST_F(PostgresConsumerTest, FailsInTheMiddleWithWhatTheServerSays) {
  const Status status =
      Read("query: select 1 / (5000 - g) as v from generate_series(1, 9000) g").status();
  EXPECT_THAT(status, FailsWith(FaultCode::kQueryFailed, HasSubstr("division by zero")));
  EXPECT_EQ(FaultOf(status).Detail("sqlstate"), "22012");
}

TEST_F(PostgresConsumerTest, LeavesThePasswordOutOfEveryError) {
  const auto consumer = ConsumerOf(
      "table: t", "host=127.0.0.1 port=1 user=u password=canary-secret connect_timeout=2");
  const Status status = consumer->Describe(ctx_).status();
  EXPECT_THAT(status, FailsWith(FaultCode::kSourceUnreachable));
  EXPECT_THAT(RenderJson(FaultOf(status)), Not(HasSubstr("canary")));
}

TEST_F(PostgresConsumerTest, IsInTheCatalogUnderItsUrls) {
  elt::Catalog catalog;
  Register(catalog);
  const auto* entry = catalog.FindConsumer("postgres");
  ASSERT_NE(entry, nullptr);
  EXPECT_THAT(entry->url_schemes, ElementsAre("postgres", "postgresql"));
  EXPECT_EQ(ValueOf(entry->from_url("postgres://h/db?table=t")).size(), 2u);
}

}  // namespace
}  // namespace levada::postgres
