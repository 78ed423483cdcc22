// Types without a decoder: each is read as the text that the server's own cast says, and plan and
// schema name the cast.

#include "connectors/postgres/subject.h"

#include <arrow/type.h>

#include "connectors/postgres/consumer_testing.h"
#include "connectors/postgres/value_text.h"

namespace levada::postgres {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using tests::PostgresServer;

struct CastCase {
  std::string type;
  std::vector<std::string> literals;
};

std::vector<CastCase> CastCases() {
  return {
      {"inet", {"'10.0.0.1/8'", "'10.0.0.1'", "'::1'"}},
      {"cidr", {"'10.0.0.0/8'"}},
      {"macaddr8", {"'08:00:2b:01:02:03:04:05'"}},
      {"timetz", {"'12:00:00.5+05:30'", "'24:00:00-15:59'"}},
      {"bit(3)", {"b'101'"}},
      {"varbit", {"b''", "b'1'"}},
      {"money", {"'-92233720368547758.08'", "'0.5'"}},
      {"xml", {"'<a>1</a>'", "'text'"}},
      {"point", {"'(1,-0.1)'"}},
      {"xid8", {"'18446744073709551615'"}},
      {"tid", {"'(4294967295,65535)'"}},
      {"int2vector", {"''", "'1 2'"}},
      {"tsvector", {"''", "'a:1A ''b c'''"}},
      {"jsonpath", {"'$.a[*] ? (@ > 1)'"}},
      {"numrange", {"'empty'", "'(,1.50]'"}},
      {"int4multirange", {"'{}'", "'{[1,3),[5,8)}'"}},
      {"pair", {"row(null, '')", R"(row(1.5, E'a "b", \\'))"}},
      {"network", {"'10.0.0.1'"}},
      {"grid", {"'{{1,2},{3,4}}'", "'{}'"}},
  };
}

class SubjectTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    PostgresServer::Shared().NewDatabase("texts");
    PostgresServer::Shared().Execute(
        "create type pair as (a numeric, b text); create domain network as inet; "
        "create domain grid as int[][]; create domain deep as grid; create domain link as regclass",
        "texts");
  }
  void TearDown() override {
    PostgresServer::Shared().Execute("drop table if exists typed", "texts");
  }
  static void Execute(const std::string& sql) { PostgresServer::Shared().Execute(sql, "texts"); }

  Result<RunRows> Read(const std::string& yaml, const std::string& user = "levada") {
    return ReadRun(ctx_, *ConsumerOf(yaml, PostgresServer::Shared().Dsn("texts", user)));
  }
  Result<elt::Source> Describe(const std::string& yaml) {
    return ConsumerOf(yaml, PostgresServer::Shared().Dsn("texts"))->Describe(ctx_);
  }
  /// Of the first row.
  static std::string OneValue(const RunRows& rows, const std::string& column) {
    const auto table = ValueOf(rows.Table()->CombineChunks());
    const auto values = table->GetColumnByName(column)->chunk(0);
    return values->IsNull(0) ? "NULL" : ValueText(*values, 0);
  }

  TestContext test_;
  Context ctx_ = test_.context();
};

TEST_F(SubjectTest, TypesWithoutADecoderAreWhatTheServersCastSays) {
  for (const CastCase& item : CastCases()) {
    std::string sql = "drop table if exists typed; create table typed (id serial, v " + item.type +
                      ", a " + item.type + "[]); insert into typed (v, a) values (null, null)";
    for (const std::string& literal : item.literals) {
      const std::string value = "(" + literal + ")::" + item.type;
      sql += ", (" + value + ", array[" + value + ", null]::" + item.type + "[])";
    }
    Execute(sql);
    const auto rows = Read("table: typed");
    ASSERT_THAT(rows, IsOk()) << item.type;
    const pq::Rows said =
        PostgresServer::Shared().Query("select v::text, a::text from typed order by id", "texts");
    const auto table = ValueOf(rows->Table()->CombineChunks());
    ASSERT_EQ(table->num_rows(), static_cast<int64_t>(said.size())) << item.type;
    for (const int column : {1, 2}) {
      EXPECT_EQ(table->field(column)->type()->ToString(), "string") << item.type;
      for (int64_t i = 0; i < table->num_rows(); ++i) {
        const auto& values = *table->column(column)->chunk(0);
        const auto& expected = said[static_cast<size_t>(i)][static_cast<size_t>(column - 1)];
        ASSERT_EQ(values.IsNull(i), !expected.has_value()) << item.type << " row " << i;
        EXPECT_EQ(expected ? ValueText(values, i) : "", expected.value_or(""))
            << item.type << " row " << i;
      }
    }
  }
}

TEST_F(SubjectTest, EachCastIsNamedBesideTheType) {
  Execute(
      "create table typed (id int not null, ip inet not null, \"a \"\"b\"\"\" point, at timetz(3), "
      "bits bit(3)[], n numeric(5,2))");
  const elt::Source source = ValueOf(Describe("table: typed"));
  EXPECT_THAT(
      source.source_types,
      ElementsAre("integer", "inet (read as \"ip\"::text)", "point (read as \"a \"\"b\"\"\"::text)",
                  "time(3) with time zone (read as \"at\"::text)",
                  "bit(3)[] (read as \"bits\"::text)", "numeric(5,2)"));
  EXPECT_EQ(source.schema->field(1)->ToString(), "ip: string not null");
  const RunRows rows = ValueOf(Read("table: typed\ncolumns: [ip, id]"));
  EXPECT_EQ(rows.partitions[0].query,
            "SELECT \"ip\"::text AS \"ip\", \"id\" FROM \"public\".\"typed\"");
}

TEST_F(SubjectTest, AQueryIsReadThroughItsCasts) {
  const RunRows rows = ValueOf(
      Read("query: \"select 1 as id, row(1, null, 'x') as r, array[row(2)] as l, '10.0.0.1'::inet "
           "as ip, "
           "null::void as nothing -- end\"\npartition: { by: ip, values: ['10.0.0.1/32'] }"));
  EXPECT_THAT(
      rows.source.source_types,
      ElementsAre("integer", "record (read as \"r\"::text)", "record[] (read as \"l\"::text)",
                  "inet (read as \"ip\"::text)", "void (read as \"nothing\"::text)"));
  EXPECT_EQ(rows.Table()->num_rows(), 1);
  EXPECT_EQ(OneValue(rows, "r"), "(1,,x)");
  EXPECT_EQ(OneValue(rows, "l"), "{(2)}");
  EXPECT_EQ(OneValue(rows, "ip"), "10.0.0.1/32");
  EXPECT_EQ(OneValue(rows, "nothing"), "NULL");
}

TEST_F(SubjectTest, TypesWithoutValuesAreRefusedAllAtOnce) {
  const Status status =
      Read("query: select plpgsql_call_handler() as a, 1 as id, plpgsql_call_handler() as b")
          .status();
  const Fault fault = FaultOf(status);
  EXPECT_EQ(fault.code(), FaultCode::kUnsupportedType);
  EXPECT_THAT(fault.message(), testing::AllOf(HasSubstr("\"a\" is of type language_handler"),
                                              HasSubstr("\"b\" is of type language_handler")));
  EXPECT_THAT(fault.help(), HasSubstr("leave"));
}

TEST_F(SubjectTest, ArraysAreListsUnlessDeclaredWithMoreDimensions) {
  Execute(
      "create table typed (id int, flat int[], grid int[][], moods text[][][], d deep); "
      "insert into typed values (1, '{1,2}', '{{1,2},{3,null}}', '{{{a,\"b c\"}}}', '{{1}}')");
  const RunRows rows = ValueOf(Read("table: typed"));
  EXPECT_EQ(rows.source.schema->ToString(),
            "id: int32\nflat: list<item: int32>\ngrid: string\nmoods: string\nd: string");
  EXPECT_EQ(OneValue(rows, "grid"), "{{1,2},{3,NULL}}");
  EXPECT_EQ(OneValue(rows, "moods"), "{{{a,\"b c\"}}}");
  // A column of a query is a column of its table.
  EXPECT_EQ(
      ValueOf(Describe("query: select grid, grid || grid as twice from typed")).schema->ToString(),
      "grid: string\ntwice: list<item: int32>");
}

TEST_F(SubjectTest, AnArrayThatIsNoListIsRefusedWithTheOptionThatReadsIt) {
  Execute("create table typed as select 1 id, '{{1,2},{3,4}}'::int[] \"a \"\"m\"\"\"");
  const Status status = Read("table: typed").status();
  EXPECT_THAT(status, FailsWith(FaultCode::kValueRefused, HasSubstr("2 dimensions")));
  const std::string help = FaultOf(status).help();
  const std::string option =
      help.substr(help.find("as_text"), help.find(']') + 1 - help.find("as_text"));
  const RunRows rows = ValueOf(Read("table: typed\n" + option));
  EXPECT_EQ(OneValue(rows, "a \"m\""), "{{1,2},{3,4}}");
}

TEST_F(SubjectTest, AnyColumnIsTextWhereTheUserSaysSo) {
  Execute(
      "create table typed as select 1 id, 'infinity'::timestamptz at, 'NaN'::numeric n, true b, "
      "'\\x00ff'::bytea y, '1 day'::interval i, '[0:1]={1,2}'::int[] l");
  const RunRows rows = ValueOf(Read("table: typed\nas_text: [at, n, b, y, i, l]"));
  EXPECT_EQ(rows.source.source_types[1], "timestamp with time zone (read as \"at\"::text)");
  const std::pair<const char*, const char*> expected[] = {{"at", "infinity"}, {"n", "NaN"},
                                                          {"b", "true"},      {"y", "\\x00ff"},
                                                          {"i", "P1D"},       {"l", "[0:1]={1,2}"}};
  for (const auto& [column, text] : expected) EXPECT_EQ(OneValue(rows, column), text) << column;
  EXPECT_THAT(Describe("table: typed\nas_text: [ad]"),
              FailsWith(FaultCode::kColumnNotFound, HasSubstr("as_text")));
}

TEST_F(SubjectTest, NamesStandWithTheirSchemaWhateverTheRolesPath) {
  Execute(
      "create schema side; create type side.step as (what regclass); "
      "create table typed(id int, c regclass, t regtype, s side.step, a link[], k regclass); "
      "insert into typed select g, 'typed', 'pair', row('typed'::regclass)::side.step, "
      "array['typed']::link[], "
      "'pg_class' "
      "from generate_series(1, 9) g; "
      "create role lost login; alter role lost set search_path = side; "
      "grant select on typed to lost; grant usage on schema side to lost");
  for (const char* user : {"lost", "levada"}) {
    for (const char* cut : {"", "connections: 2"}) {
      const RunRows rows = ValueOf(Read(std::string("table: public.typed\n") + cut, user));
      EXPECT_EQ(rows.Table()->num_rows(), 9);
      EXPECT_EQ(OneValue(rows, "c"), "public.typed") << user << cut;
      EXPECT_EQ(OneValue(rows, "t"), "public.pair") << user << cut;
      EXPECT_EQ(OneValue(rows, "s"), "(public.typed)") << user << cut;
      EXPECT_EQ(OneValue(rows, "a"), "{public.typed}") << user << cut;
      EXPECT_EQ(OneValue(rows, "k"), "pg_class") << user << cut;
    }
  }
  // A query's own names need the path, so its values have it too, and the plan says so.
  const RunRows query = ValueOf(Read("query: select c from typed"));
  EXPECT_EQ(OneValue(query, "c"), "typed");
  EXPECT_THAT(query.source.notes, Contains(HasSubstr("search_path")));
  EXPECT_THAT(ValueOf(Describe("query: select '::1'::inet as ip")).notes,
              Not(Contains(HasSubstr("search_path"))));
  Execute("drop table typed; drop schema side cascade; drop owned by lost; drop role lost");
}

TEST_F(SubjectTest, ATextThatIsNoUtf8IsRefusedWithItsRow) {
  // A type that prints the bytes it has been given, as one of an extension might.
  Execute(
      "create type raw; "
      "create function raw_in(cstring) returns raw language internal strict as 'byteain'; "
      "create function raw_out(raw) returns cstring language internal strict as 'textout'; "
      "create type raw (input = raw_in, output = raw_out, internallength = variable); "
      "create table typed (id int, v raw); insert into typed values (1, 'ok'), (2, '\\xc3')");
  const auto rows = Read("table: typed");
  EXPECT_THAT(rows, FailsWith(FaultCode::kInvalidUtf8));
  EXPECT_EQ(FaultOf(rows.status()).Detail("row"), "2");
  Execute("delete from typed where id = 2");
  EXPECT_EQ(OneValue(ValueOf(Read("table: typed")), "v"), "ok");
}

}  // namespace
}  // namespace levada::postgres
