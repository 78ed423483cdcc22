// Every type: written by SQL, read through the whole consumer, compared with what the server says.

#include "connectors/postgres/postgres_types.h"

#include <arrow/type.h>

#include "connectors/postgres/consumer_testing.h"
#include "connectors/postgres/value_text.h"

namespace levada::postgres {
namespace {

using testing::HasSubstr;
using tests::PostgresServer;

struct TypeCase {
  std::string type;
  std::vector<std::string> literals;
  std::string say;      ///< SQL that turns {} into canonical text
  std::string arrow;    ///< the Arrow type's own text
  std::string options;  ///< of the consumer
};

constexpr const char* kText = "({})::text";
constexpr const char* kMicros = "(extract(epoch from {}) * 1000000)::numeric(30,0)::text";
constexpr const char* kDays = "({} - date '1970-01-01')::text";

std::vector<TypeCase> ScalarCases() {  // tidy: allow a table
  return {
      {"boolean", {"true", "false"}, kText, "bool", ""},
      {"smallint", {"0", "-32768", "32767"}, kText, "int16", ""},
      {"integer", {"0", "-2147483648", "2147483647"}, kText, "int32", ""},
      {"bigint", {"0", "-9223372036854775808", "9223372036854775807"}, kText, "int64", ""},
      {"oid", {"0", "4294967295"}, kText, "int64", ""},
      {"real",
       {"'0'", "'-0'", "'1.1'", "'3.4028235e38'", "'1e-45'", "'NaN'", "'Infinity'", "'-Infinity'"},
       "encode(float4send({}), 'hex')",
       "float",
       ""},
      {"double precision",
       {"'0'", "'-0'", "'0.1'", "'1.7976931348623157e308'", "'5e-324'", "'NaN'", "'-Infinity'"},
       "encode(float8send({}), 'hex')",
       "double",
       ""},
      {"numeric(4,1)", {"0", "999.9", "-999.9", "0.1"}, kText, "decimal128(4, 1)", ""},
      {"numeric(18,0)", {"999999999999999999", "-1"}, kText, "decimal128(18, 0)", ""},
      {"numeric(38,20)",
       {"123456789012345678.12345678901234567890", "-0.00000000000000000001"},
       kText,
       "decimal128(38, 20)",
       ""},
      {"numeric(76,38)",
       {"12345678901234567890123456789012345678.12345678901234567890123456789012345678", "0"},
       kText,
       "decimal256(76, 38)",
       ""},
      {"numeric(3,-2)", {"12300", "-99900", "0"}, kText, "decimal128(5, 0)", ""},
      {"numeric(2,4)", {"0.0099", "-0.0001"}, kText, "decimal128(4, 4)", ""},
      {"numeric",
       {"1.123456789012345678", "'1e-400'", "'1e400'", "'NaN'", "'Infinity'", "'-Infinity'"},
       kText,
       "string",
       "numeric: string"},
      {"numeric",
       {"1.5", "-123456789.25"},
       "trim_scale({}::numeric(38,9))::numeric(38,9)::text",
       "decimal128(38, 9)",
       "numeric: decimal(38,9)"},
      {"numeric",
       {"0.1", "1e308", "'NaN'"},
       "encode(float8send(({})::float8), 'hex')",
       "double",
       "numeric: double"},
      {"numeric(10,2)", {"'NaN'", "1.25"}, kText, "string", "non_finite: string"},
      {"text",
       {"''", "'a'", "'grüß 🜁 中'", "repeat('x', 300000)", "E'a\\nb\\tc'"},
       kText,
       "string",
       ""},
      {"varchar(40)", {"''", "'abc'", "'  spaces  '"}, kText, "string", ""},
      {"char(5)", {"''", "'ab'", "'abcde'"}, "rpad(({})::text, 5)", "string", ""},
      {"char(5)", {"''", "'ab'", "' b '"}, kText, "string", "trim: true"},
      {"name", {"'a name'"}, kText, "string", ""},
      {"\"char\"", {"'x'"}, kText, "string", ""},
      {"bytea", {R"('\x')", R"('\x00ff')", R"('\xdeadbeef')"}, "encode({}, 'hex')", "binary", ""},
      {"date",
       {"'1970-01-01'", "'0044-03-15 BC'", "'4713-01-01 BC'", "'9999-12-31'", "'5874897-12-31'"},
       kDays,
       "date32[day]",
       ""},
      {"time",
       {"'00:00:00'", "'23:59:59.999999'", "'12:34:56.7'", "'24:00:00'"},
       kText,
       "string",
       ""},
      {"time",
       {"'00:00:00'", "'23:59:59.999999'", "'12:34:56.7'"},
       kMicros,
       "time64[us]",
       "time: time64"},
      {"timestamp",
       {"'1970-01-01'", "'0044-03-15 BC'", "'2026-01-01 12:34:56.789012'",
        "'294247-01-10 04:00:54.775806'"},
       kMicros,
       "timestamp[us]",
       ""},
      {"timestamptz",
       {"'1970-01-01 00:00+00'", "'0001-01-01 00:00+00'", "'2026-07-01 12:00:00.000001+05:30'"},
       kMicros,
       "timestamp[us, tz=UTC]",
       ""},
      {"timestamp(0)", {"'2026-01-01 12:34:56.789012'"}, kMicros, "timestamp[us]", ""},
      {"interval",
       {"'0'", "'1 mon 2 days 03:04:05'", "'-1 year +2 days -00:00:00.000001'"},
       kText,
       "string",
       ""},
      {"uuid",
       {"'00000000-0000-0000-0000-000000000000'", "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'"},
       kText,
       "string",
       ""},
      {"uuid",
       {"'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'"},
       "encode(uuid_send({}), 'hex')",
       "fixed_size_binary[16]",
       "uuid: binary"},
      {"json",
       {R"('{"a": 12345678901234567890.1234567890123}')", "'null'", "'[1,  2]'"},
       kText,
       "string",
       ""},
      {"jsonb",
       {R"('{"a": 12345678901234567890.1234567890123}')", "'null'", "'{}'"},
       kText,
       "string",
       ""},
      {"mood", {"'sad'", "'very glad'"}, kText, "string", ""},
      {"positive", {"1", "2147483647"}, kText, "int32", ""},
      {"price", {"1.25", "-99999999.99"}, kText, "decimal128(10, 2)", ""},
  };
}

class PostgresTypes : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    PostgresServer::Shared().Execute(
        "create type mood as enum ('sad', 'very glad'); "
        "create domain positive as int check (value > 0); "
        "create domain price_base as numeric(10,2); create domain price as price_base");
  }
  static void TearDownTestSuite() {
    PostgresServer::Shared().Execute(
        "drop type mood; drop domain positive; drop domain price; drop domain price_base");
  }
  void TearDown() override {
    PostgresServer::Shared().Execute(
        "drop table if exists typed, h_num, h_num38, h_big, h_nan, "
        "h_inf, h_dateinf, h_json, h_arr, h_misc");
  }

  static std::string Say(const std::string& say, const std::string& value) {
    std::string sql = say;
    for (size_t at = sql.find("{}"); at != std::string::npos; at = sql.find("{}", at)) {
      sql.replace(at, 2, value);
      at += value.size();
    }
    return sql;
  }

  /// Reads table "typed" and compares column v with `say` on the server.
  static void ExpectEqual(const std::string& label, const std::string& say,
                          const std::string& arrow, const std::string& options) {
    TestContext test;
    Context ctx = test.context();
    const auto consumer = ConsumerOf("table: typed\n" + options);
    const auto rows = ReadRun(ctx, *consumer);
    ASSERT_THAT(rows, IsOk()) << label;
    EXPECT_EQ(rows->source.schema->field(1)->type()->ToString(), arrow) << label;
    // The form of intervals in our files is ISO 8601: as the server writes it when asked to.
    const pq::Rows said =
        PostgresServer::Shared().Query("select set_config('intervalstyle', 'iso_8601', false), " +
                                       say + " from typed order by id");
    const auto table = ValueOf(rows->Table()->CombineChunks());
    ASSERT_EQ(table->num_rows(), static_cast<int64_t>(said.size())) << label;
    const auto values = table->GetColumnByName("v");
    for (int64_t i = 0; i < table->num_rows(); ++i) {
      const auto& expected = said[static_cast<size_t>(i)][1];
      const bool null = values->chunk(0)->IsNull(i);
      ASSERT_EQ(null, !expected.has_value()) << label << " row " << i;
      if (!null) {
        EXPECT_EQ(ValueText(*values->chunk(0), i), *expected) << label << " row " << i;
      }
    }
  }

  /// The one column v of a table of the hard cases.
  Result<RunRows> ReadHard(const std::string& table, const std::string& options = "") {
    const auto consumer = ConsumerOf("table: " + table + "\n" + options);
    return ReadRun(ctx_, *consumer);
  }
  static std::string OneValue(const Result<RunRows>& rows, const std::string& column = "v") {
    if (!rows.ok()) return rows.status().ToString();
    const auto values = rows->Table()->GetColumnByName(column)->chunk(0);
    return values->IsNull(0) ? "NULL" : ValueText(*values, 0);
  }

  TestContext test_;  // the rows that are read lie in its pool
  Context ctx_ = test_.context();
};

TEST_F(PostgresTypes, ScalarsAreWhatTheServerSays) {
  for (const TypeCase& item : ScalarCases()) {
    std::string sql = "drop table if exists typed; create table typed (id serial, v " + item.type +
                      "); insert into typed (v) values (null)";
    for (const std::string& literal : item.literals) sql += ", (" + literal + ")";
    PostgresServer::Shared().Execute(sql);
    ExpectEqual(item.type + " " + item.options, Say(item.say, "v"), item.arrow, item.options);
  }
}

TEST_F(PostgresTypes, ArraysAreListsOfWhatTheServerSays) {
  for (const TypeCase& item : ScalarCases()) {
    std::string all;
    for (const std::string& literal : item.literals) {
      all += (all.empty() ? "" : ", ") + ("(" + literal + ")::" + item.type);
    }
    const std::string type = item.type + "[]";
    PostgresServer::Shared().Execute(
        "drop table if exists typed; create table typed (id serial, v " + type +
        "); insert into typed (v) values (null), ('{}'), (array[null]::" + type + "), (array[" +
        all + ", null])");
    const std::string say =
        "case when v is not null then '[' || coalesce((select string_agg("
        "coalesce(" +
        Say(item.say, "e") +
        ", '<null>'), '|' order by o) from "
        "unnest(v) with ordinality u(e, o)), '') || ']' end";
    ExpectEqual(type + " " + item.options, say, "list<item: " + item.arrow + ">", item.options);
  }
}

TEST_F(PostgresTypes, HardCasesAreExactOrRefused) {
  auto& server = PostgresServer::Shared();
  server.Execute(R"(
create table h_num as select 1::int id, 1.123456789012345678::numeric v;
create table h_num38(id int, v numeric(38,20));
insert into h_num38 values (1, 123456789012345678.12345678901234567890);
create table h_big(id int, v numeric(38,0));
insert into h_big values (1, 12345678901234567890123456789012345678);
create table h_nan as select 1::int id, 'NaN'::numeric(10,2) v;
create table h_inf as select 1::int id, 'infinity'::timestamptz v;
create table h_dateinf as select 1::int id, '0044-03-15 BC'::date v;
create table h_json as select 1::int id, '{"a": 12345678901234567890.1234567890123}'::jsonb v;
create table h_arr as select 1::int id, array[1,null,3] v;
create table h_misc as select 1::int id, '\x00ff'::bytea v, '1 mon 2 days 03:04:05'::interval iv,
  '24:00:00'::time tm, '10.0.0.1/8'::inet ip;
)");
  EXPECT_THAT(ReadHard("h_num"), FailsWith(FaultCode::kUnsupportedType));
  EXPECT_EQ(OneValue(ReadHard("h_num", "numeric: string")), "1.123456789012345678");
  EXPECT_EQ(OneValue(ReadHard("h_num", "numeric: decimal(38,18)")), "1.123456789012345678");
  EXPECT_THAT(ReadHard("h_num", "numeric: decimal(38,9)"), FailsWith(FaultCode::kValueRefused));
  EXPECT_EQ(OneValue(ReadHard("h_num38")), "123456789012345678.12345678901234567890");
  EXPECT_EQ(OneValue(ReadHard("h_big")), "12345678901234567890123456789012345678");
  EXPECT_THAT(ReadHard("h_nan"), FailsWith(FaultCode::kValueRefused));
  EXPECT_EQ(OneValue(ReadHard("h_nan", "non_finite: null")), "NULL");
  EXPECT_EQ(OneValue(ReadHard("h_nan", "non_finite: string")), "NaN");
  EXPECT_EQ(OneValue(ReadHard("h_nan", "non_finite: double")), "7ff8000000000000");
  EXPECT_THAT(ReadHard("h_inf"), FailsWith(FaultCode::kValueRefused));
  EXPECT_EQ(OneValue(ReadHard("h_inf", "infinity: null")), "NULL");
  EXPECT_EQ(OneValue(ReadHard("h_inf", "infinity: string")), "infinity");
  EXPECT_EQ(OneValue(ReadHard("h_dateinf")),
            server.Value("select v - date '1970-01-01' from h_dateinf"));
  EXPECT_EQ(OneValue(ReadHard("h_json")), "{\"a\": 12345678901234567890.1234567890123}");
  EXPECT_EQ(OneValue(ReadHard("h_arr")), "[1|<null>|3]");
  EXPECT_EQ(OneValue(ReadHard("h_misc", "columns: [v]")), "00ff");
  EXPECT_EQ(OneValue(ReadHard("h_misc", "columns: [iv]"), "iv"), "P1M2DT3H4M5S");
  EXPECT_EQ(OneValue(ReadHard("h_misc", "columns: [tm]"), "tm"), "24:00:00");
  EXPECT_EQ(OneValue(ReadHard("h_misc", "columns: [ip]"), "ip"), "10.0.0.1/8");
  EXPECT_THAT(ReadHard("h_misc", "columns: [tm]\ntime: time64"),
              FailsWith(FaultCode::kValueRefused));
}

TEST_F(PostgresTypes, ErrorsNameTheOptionThatDecides) {
  PostgresServer::Shared().Execute(
      "create table h_decide as select 1 id, 1.5::numeric a, 2::numeric b, 'NaN'::numeric(5,2) n, "
      "'infinity'::date d, '24:00:00'::time t, '{NaN}'::numeric(5,2)[] l, '{{1}}'::int[] m");
  const Status wide = ReadHard("h_decide").status();
  const Fault fault = FaultOf(wide);
  EXPECT_EQ(fault.code(), FaultCode::kUnsupportedType);
  EXPECT_THAT(fault.message(), testing::AllOf(HasSubstr("\"a\""), HasSubstr("\"b\"")));
  EXPECT_THAT(fault.help(), HasSubstr("numeric: decimal(38,9)"));
  ASSERT_EQ(fault.diagnostics().size(), 1u);
  EXPECT_EQ(fault.diagnostics()[0].span.line, 2u);  // the table's

  const auto help = [&](const std::string& yaml) {
    const Status status = ReadHard("h_decide", yaml).status();
    EXPECT_THAT(status, FailsWith(FaultCode::kValueRefused)) << yaml;
    return FaultOf(status).help();
  };
  EXPECT_THAT(help("columns: [n]"), HasSubstr("non_finite: null"));
  EXPECT_THAT(help("columns: [l]"), HasSubstr("non_finite: null"));
  EXPECT_THAT(help("columns: [d]"), HasSubstr("infinity: null"));
  EXPECT_THAT(help("columns: [t]\ntime: time64"), HasSubstr("time: text"));
  EXPECT_THAT(help("columns: [a]\nnumeric: decimal(5,0)"), HasSubstr("numeric: string"));
  EXPECT_THAT(help("columns: [m]"), HasSubstr("as_text: [\"m\"]"));
  PostgresServer::Shared().Execute("drop table h_decide");
}

TEST_F(PostgresTypes, BytesOfInternalCharsAreText) {
  // What a server from 16 on prints; one before prints a byte that is no text.
  PostgresServer::Shared().Execute(
      "create table typed as select 1 id, ''::\"char\" nothing, U&'\\00e9'::\"char\" high, "
      "array['', U&'\\00e9']::\"char\"[] both");
  const auto rows = ReadHard("typed");
  EXPECT_EQ(OneValue(rows, "nothing"), "");
  EXPECT_EQ(OneValue(rows, "high"), "\\303");
  EXPECT_EQ(OneValue(rows, "both"), "[|\\303]");
}

TEST_F(PostgresTypes, DomainsOverArraysAndArraysOfDomains) {
  PostgresServer::Shared().Execute(
      "create domain prices as numeric(10,2)[]; create domain short as char(3); "
      "create table typed as select 1 id, '{1.5,null}'::prices dv, '{1.25}'::price[] av, "
      "'{a}'::short[] sv, array['sad', null]::mood[] ev");
  const auto rows = ReadHard("typed");
  EXPECT_EQ(OneValue(rows, "dv"), "[1.50|<null>]");
  EXPECT_EQ(OneValue(rows, "av"), "[1.25]");
  EXPECT_EQ(OneValue(rows, "sv"), "[a  ]");
  EXPECT_EQ(OneValue(rows, "ev"), "[sad|<null>]");
  EXPECT_EQ(OneValue(ReadHard("typed", "trim: true"), "sv"), "[a]");
  PostgresServer::Shared().Execute("drop table typed; drop domain prices; drop domain short");
}

}  // namespace
}  // namespace levada::postgres
