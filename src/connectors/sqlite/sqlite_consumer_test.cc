#include "connectors/sqlite/sqlite_consumer.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/counters.h"
#include "connectors/sqlite/sqlite_fixture.h"

namespace levada::sqlite {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class SqliteConsumerTest : public SqliteFixture {
 protected:
  /// Reads a table of one column `x` of a declared type with one row of this literal.
  Status ReadOne(const std::string& declared, const std::string& literal) {
    Do("DROP TABLE IF EXISTS t; CREATE TABLE t (x " + declared + "); INSERT INTO t VALUES (" +
       literal + ")");
    return TryRead("table: t").status();
  }
  void ExpectRefused(const std::string& declared, const std::string& literal,
                     const std::string& reason) {
    const Status status = ReadOne(declared, literal);
    EXPECT_THAT(status, FailsWith(FaultCode::kValueRefused, HasSubstr(reason)))
        << declared << " " << literal;
    if (status.ok()) return;
    EXPECT_EQ(FaultOf(status).Detail("table"), "t");
    EXPECT_EQ(FaultOf(status).Detail("column"), "x");
    EXPECT_EQ(FaultOf(status).Detail("row"), "1");
    EXPECT_EQ(FaultOf(status).Detail("rowid"), "1");
    EXPECT_THAT(FaultOf(status).help(), HasSubstr("types: { x: { mixed: null } }"));
  }
};

TEST_F(SqliteConsumerTest, ReadsEveryTypeWithNullsAndExtremes) {
  Do("CREATE TABLE t (i INTEGER, r REAL, x TEXT, b BLOB, o BOOLEAN, n DECIMAL(18,2), d DATE, "
     "dt DATETIME, tm TIME, tz TIMESTAMPTZ);"
     "INSERT INTO t VALUES (-9223372036854775808, -1.5, '', x'', 0, -10, '0001-01-01', "
     "'2026-01-31 23:59:59.999999', '00:00', '2026-01-31T00:30:00+02:00'),"
     "(9223372036854775807, 9e999, 'Ünï€😀', x'00ff', 1, 9999999999999999, '9999-12-31', "
     "'2026-01-31', '23:59:59.000001', '2026-01-31 00:30Z'),"
     "(NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),"
     "(0, 3, 'a' || char(0) || 'b', x'61', true, 0.1, '1970-01-01', '1969-12-31T23:59', "
     "'12:00:00', '1970-01-01 00:00:00-00:30')");
  const Read read = ReadAll("table: t");
  EXPECT_EQ(Column(read, "i"), "[-9223372036854775808, 9223372036854775807, null, 0]");
  EXPECT_EQ(Column(read, "r"), "[-1.5, inf, null, 3]");
  EXPECT_EQ(Column(read, "x"), std::string("[, Ünï€😀, null, a") + '\0' + "b]");
  EXPECT_EQ(Column(read, "b"), std::string("[, ") + '\0' + "\xff, null, a]");
  EXPECT_EQ(Column(read, "o"), "[false, true, null, true]");
  EXPECT_EQ(Column(read, "n"), "[-10.00, 9999999999999999.00, null, 0.10]");
  EXPECT_EQ(Column(read, "d"), "[0001-01-01, 9999-12-31, null, 1970-01-01]");
  EXPECT_EQ(Column(read, "dt"),
            "[2026-01-31 23:59:59.999999, 2026-01-31 00:00:00.000000, null, "
            "1969-12-31 23:59:00.000000]");
  EXPECT_EQ(Column(read, "tm"), "[00:00:00.000000, 23:59:59.000001, null, 12:00:00.000000]");
  EXPECT_EQ(Column(read, "tz"),
            "[2026-01-30 22:30:00.000000Z, 2026-01-31 00:30:00.000000Z, null, "
            "1970-01-01 00:30:00.000000Z]");
  EXPECT_EQ(read.end.rows_sent, 4);
  EXPECT_EQ(read.end.rows_read, 4);
  EXPECT_EQ(read.end.rows_out, 4);
  EXPECT_EQ(surroundings_.counters.rows_read.load(), 4);
}

TEST_F(SqliteConsumerTest, TakesDecimalsExactlyHoweverTheyAreStored) {
  // SQLite turns '9999999999999999.99' into the float 1e16 by its own rules where the column is
  // NUMERIC, before anyone can read it; in a column without affinity a text stays what it is.
  Do("CREATE TABLE t (x DECIMAL(18,2), y BLOB);"
     "INSERT INTO t VALUES (7, '12345678901234567.89'), (0.1, '-0.01'), ('19.99', '1e2'), "
     "(-1234567.89, '0'), (1e15, '+1.500')");
  const Read read = ReadAll("table: t\ntypes: {y: \"decimal(38,2)\"}");
  EXPECT_EQ(Column(read, "x"), "[7.00, 0.10, 19.99, -1234567.89, 1000000000000000.00]");
  EXPECT_EQ(Column(read, "y"), "[12345678901234567.89, -0.01, 100.00, 0.00, 1.50]");
}

TEST_F(SqliteConsumerTest, RefusesValuesThatDoNotFitTheirColumn) {
  ExpectRefused("INTEGER", "1.5", "a REAL: not a whole number");
  ExpectRefused("INTEGER", "'abc'", "a TEXT of 3 bytes");
  ExpectRefused("INTEGER", "x'01'", "a BLOB of 1 bytes: not a number");
  ExpectRefused("INTEGER", "9e999", "several whole numbers");
  // SQLite makes a float of it as it is stored.
  ExpectRefused("INTEGER", "9223372036854775808", "several whole numbers");
  ExpectRefused("INTEGER", "'9223372036854775808'", "several whole numbers");
  ExpectRefused("REAL", "'abc'", "not stored as a number");
  ExpectRefused("TEXT", "x'61'", "not stored as text");
  ExpectRefused("BLOB", "'a'", "not stored as a blob");
  ExpectRefused("BLOB", "1", "an INTEGER");
  ExpectRefused("BOOLEAN", "2", "neither 0 nor 1");
  ExpectRefused("BOOLEAN", "'yes'", "neither 0 nor 1");
  ExpectRefused("DECIMAL(5,2)", "1000", "out of range");
  ExpectRefused("DECIMAL(5,2)", "-1000", "out of range");
  ExpectRefused("DECIMAL(5,2)", "0.125", "more digits");
  ExpectRefused("DECIMAL(5,2)", "9e999", "infinite");
  ExpectRefused("DECIMAL(5,2)", "'n/a'", "not a decimal number");
  ExpectRefused("DECIMAL(5,2)", "x'31'", "not a number");
  ExpectRefused("DATE", "'2026-02-30'", "no such day");
  ExpectRefused("DATE", "'2026-02-03 00:00:00'", "not of the form");
  ExpectRefused("DATE", "20260203", "not stored as text");
  ExpectRefused("TIME", "'25:00'", "no such time of day");
  ExpectRefused("TIME", "'00:00:00.0000001'", "finer than a microsecond");
  ExpectRefused("TIME", "3600", "not stored as text");
  ExpectRefused("DATETIME", "1767225600", "an INTEGER: not stored as text");
  ExpectRefused("DATETIME", "'2026-01-01 00:00Z'", "offset");
  ExpectRefused("DATETIME", "'2026-01-01 00:00:00.0000001'", "finer than a microsecond");
  ExpectRefused("DATETIME", "'yesterday'", "not of the form");
  ExpectRefused("TIMESTAMPTZ", "'2026-01-01 00:00'", "without an offset");
  ExpectRefused("UUID", "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1'", "32 hex digits");
  ExpectRefused("UUID", "x'00'", "32 hex digits");
  ExpectRefused("UUID", "12", "32 hex digits");
  ExpectRefused("JSON", "x'00'", "not stored as text");
  ExpectRefused("JSON", "9e999", "infinite");
}

TEST_F(SqliteConsumerTest, TakesIntegersAsFloatsOnlyWhileAFloatHoldsThem) {
  Do("CREATE TABLE t (x BLOB); INSERT INTO t VALUES (9007199254740992)");
  const Read read = ReadAll("table: t\ntypes: {x: float64}");
  EXPECT_EQ(static_cast<const arrow::DoubleArray&>(*read.table->column(0)->chunk(0)).Value(0),
            9007199254740992.0);
  Do("UPDATE t SET x = x + 1");
  EXPECT_THAT(TryRead("table: t\ntypes: {x: float64}"),
              FailsWith(FaultCode::kValueRefused, HasSubstr("no float holds")));
}

TEST_F(SqliteConsumerTest, RefusesTextThatIsNotUtf8) {
  const Status status = ReadOne("TEXT", "CAST(x'636166e9' AS TEXT)");
  EXPECT_THAT(status, FailsWith(FaultCode::kInvalidUtf8, HasSubstr("\"x\"")));
  EXPECT_EQ(FaultOf(status).Detail("column"), "x");
  EXPECT_EQ(FaultOf(status).Detail("rowid"), "1");
}

TEST_F(SqliteConsumerTest, NamesTheRowOfARefusedValueWithoutTheValue) {
  Do("CREATE TABLE t (id INTEGER PRIMARY KEY, x DATE);"
     "INSERT INTO t VALUES (10, '2026-01-01'), (20, 'secret')");
  const Status status = TryRead("table: t").status();
  EXPECT_THAT(status, FailsWith(FaultCode::kValueRefused,
                                HasSubstr("column \"x\": expected date, got a TEXT of 6 bytes")));
  EXPECT_EQ(FaultOf(status).Detail("row"), "2");
  EXPECT_EQ(FaultOf(status).Detail("rowid"), "20");
  EXPECT_THAT(status.ToString(), testing::Not(HasSubstr("secret")));
}

TEST_F(SqliteConsumerTest, DescribesATable) {
  Do("CREATE TABLE Orders (id INTEGER PRIMARY KEY, note VARCHAR(20), amount DECIMAL(9, 2) NOT "
     "NULL);"
     "INSERT INTO Orders VALUES (5, NULL, 1), (14, NULL, 2)");
  const elt::Source source = Describe("table: orders");
  EXPECT_EQ(elt::SchemaFingerprint(*source.schema),
            "\"id\" int64 not null, \"note\" utf8, \"amount\" decimal128(9,2) not null");
  EXPECT_THAT(source.source_types, ElementsAre("INTEGER", "VARCHAR(20)", "DECIMAL(9, 2)"));
  EXPECT_EQ(source.hints.size(), 3u);
  EXPECT_EQ(source.estimated_rows, 10) << "an upper bound from the rowids";
  EXPECT_THAT(source.description, HasSubstr("table Orders"));
  EXPECT_TRUE(source.repeatable);
  EXPECT_THAT(source.notes, ElementsAre(HasSubstr("cannot commit while")));
  Do("DELETE FROM Orders");
  EXPECT_EQ(Describe("table: Orders").estimated_rows, 0);
}

TEST_F(SqliteConsumerTest, ReportsEveryColumnOfUnknownTypeAtOnce) {
  Do("CREATE TABLE t (a, b NUMERIC, c TEXT, d MONEY)");
  const Status status = DescribeFails("table: t");
  ASSERT_THAT(status, FailsWith(FaultCode::kUnsupportedType));
  const auto diagnostics = FaultOf(status).diagnostics();
  ASSERT_EQ(diagnostics.size(), 3u);
  EXPECT_THAT(diagnostics[0].message, HasSubstr("\"a\""));
  EXPECT_THAT(diagnostics[1].help, HasSubstr("types: {b: decimal(18,2)}"));
  EXPECT_THAT(diagnostics[2].message, HasSubstr("MONEY"));
  EXPECT_EQ(diagnostics[0].span.line, 2u);
  EXPECT_EQ(Describe("table: t\ntypes: {a: int64, B: \"decimal(9,2)\", d: text}")
                .schema->field(1)
                ->type()
                ->ToString(),
            "decimal128(9, 2)");
}

TEST_F(SqliteConsumerTest, ReadsOnlyTheColumnsAskedForInTheirOrder) {
  Do("CREATE TABLE t (a INTEGER, b, c TEXT); INSERT INTO t VALUES (1, 2, 'x')");
  const Read read = ReadAll("table: t\ncolumns: [C, a]");
  EXPECT_EQ(read.table->schema()->ToString(), "c: string\na: int64");
  EXPECT_EQ(Column(read, "c"), "[x]");
  const Status status = DescribeFails("table: t\ncolumns: [a, cc]");
  EXPECT_THAT(status, FailsWith(FaultCode::kColumnNotFound, HasSubstr("\"cc\"")));
  EXPECT_THAT(FaultOf(status).diagnostics().at(0).help, HasSubstr("\"c\""));
  EXPECT_THAT(DescribeFails("table: t\ncolumns: [a, A]"), FailsWith(FaultCode::kDuplicateColumn));
  EXPECT_THAT(DescribeFails("table: t\ncolumns: [a]\ntypes: {bb: text}"),
              FailsWith(FaultCode::kColumnNotFound, HasSubstr("\"bb\"")));
}

TEST_F(SqliteConsumerTest, SaysWhatTablesThereAre) {
  Do("CREATE TABLE orders (a INTEGER); CREATE VIEW recent AS SELECT * FROM orders");
  Status status = DescribeFails("table: order");
  EXPECT_THAT(status, FailsWith(FaultCode::kTableNotFound, HasSubstr("\"order\"")));
  EXPECT_THAT(FaultOf(status).help(), HasSubstr("\"orders\""));
  status = DescribeFails("table: zzzzzzz");
  EXPECT_THAT(FaultOf(status).help(), HasSubstr("orders, recent"));
  EXPECT_EQ(FaultOf(status).diagnostics().at(0).span.line, 2u);
}

TEST_F(SqliteConsumerTest, GivesRowsInTheOrderOfTheirKey) {
  Do("CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER); CREATE INDEX i ON t (a, id);"
     "INSERT INTO t VALUES (3, 1), (1, 2), (2, 3);"
     "CREATE TABLE w (a TEXT, b INTEGER, c INTEGER, PRIMARY KEY (b, a)) WITHOUT ROWID;"
     "INSERT INTO w VALUES ('x', 2, 1), ('z', 1, 2), ('y', 1, 3);"
     "CREATE TABLE s (rowid INTEGER, oid INTEGER); INSERT INTO s VALUES (9, 1), (8, 2);"
     "CREATE TABLE all_taken (rowid INTEGER, oid INTEGER, _rowid_ INTEGER);"
     "INSERT INTO all_taken VALUES (2, 0, 0), (1, 0, 0)");
  EXPECT_EQ(Column(ReadAll("table: t\ncolumns: [a]"), "a"), "[2, 3, 1]")
      << "and not in that of an index that has all the columns";
  EXPECT_EQ(Column(ReadAll("table: w"), "a"), "[y, z, x]");
  EXPECT_EQ(Column(ReadAll("table: s"), "rowid"), "[9, 8]");
  EXPECT_EQ(Column(ReadAll("table: all_taken"), "rowid"), "[2, 1]");
}

TEST_F(SqliteConsumerTest, ReadsViewsGeneratedColumnsAndStrictTables) {
  Do("CREATE TABLE t (a INTEGER, b INTEGER GENERATED ALWAYS AS (a * 2) STORED, "
     "c TEXT AS ('x' || a)) STRICT; INSERT INTO t (a) VALUES (1), (2);"
     "CREATE VIEW v AS SELECT a, b FROM t ORDER BY a DESC");
  const Read read = ReadAll("table: t");
  EXPECT_EQ(Column(read, "b"), "[2, 4]");
  EXPECT_EQ(Column(read, "c"), "[x1, x2]");
  EXPECT_EQ(Column(ReadAll("table: v"), "a"), "[2, 1]");
  EXPECT_FALSE(Describe("table: v").notes.empty()) << "its order is the view's own";
  EXPECT_EQ(Describe("table: v").estimated_rows, -1);
}

TEST_F(SqliteConsumerTest, ReadsAQueryInItsOwnOrder) {
  Do("CREATE TABLE t (a INTEGER, d DATE); INSERT INTO t VALUES (1, '2026-01-01'), "
     "(3, '2026-01-01'), (2, '2026-01-02')");
  const std::string query =
      "query: \"SELECT a, d, a + 1 AS next FROM t ORDER BY a DESC; -- end\"\n";
  EXPECT_THAT(DescribeFails(query), FailsWith(FaultCode::kUnsupportedType, HasSubstr("next")));
  const std::string typed = query + "types: {next: int64}\n";
  EXPECT_EQ(Column(ReadAll(typed), "a"), "[3, 2, 1]");
  EXPECT_EQ(Column(ReadAll(typed), "next"), "[4, 3, 2]");
  const Read window = ReadAll(typed, WindowRun("d", kNewYear, kNewYear + kDay));
  EXPECT_EQ(Column(window, "a"), "[3, 1]");
  EXPECT_EQ(Column(ReadAll(typed + "columns: [next, a]"), "next"), "[4, 3, 2]");
}

TEST_F(SqliteConsumerTest, RefusesQueriesThatAreNotOneSelect) {
  Do("CREATE TABLE t (a INTEGER)");
  for (const char* query :
       {"DELETE FROM t", "SELECT 1; SELECT 2", "SELECT a FROM missing", "SELECT b FROM t",
        "SELECT a FROM t WHERE a = ?1", "nonsense", "ATTACH 'x.db' AS y",
        "PRAGMA journal_mode = OFF", "SELECT \\\"b\\\" FROM t", "  "}) {
    const Status status = DescribeFails(std::string("query: \"") + query + "\"\n");
    EXPECT_FALSE(status.ok()) << query;
    EXPECT_FALSE(FaultOf(status).diagnostics().empty()) << query;
    EXPECT_EQ(FaultOf(status).kind().blame, Blame::kSource) << query << status;
  }
  EXPECT_FALSE(std::filesystem::exists(directory_ / "x.db"));
  EXPECT_THAT(DescribeFails("query: SELECT b FROM t"), FailsWith(FaultCode::kColumnNotFound));
  EXPECT_THAT(DescribeFails("query: SELECT a FROM u"), FailsWith(FaultCode::kTableNotFound));
  EXPECT_THAT(DescribeFails("query: SELECT a, a FROM t"), FailsWith(FaultCode::kDuplicateColumn));
}

TEST_F(SqliteConsumerTest, CutsBatchesAtTheirLimits) {
  Do("CREATE TABLE t (x TEXT); INSERT INTO t VALUES ('aaaa'), ('bbbb'), ('cccc'), ('dddd'), "
     "('eeee')");
  EXPECT_THAT(ReadAll("table: t", {}, {.rows = 2, .bytes = 1 << 20}).batch_rows,
              ElementsAre(2, 2, 1));
  EXPECT_THAT(ReadAll("table: t", {}, {.rows = 100, .bytes = 20}).batch_rows, ElementsAre(2, 2, 1));
  EXPECT_THAT(ReadAll("table: t", {}, {.rows = 5, .bytes = 1 << 20}).batch_rows, ElementsAre(5));
  Do("DELETE FROM t");
  const Read empty = ReadAll("table: t");
  EXPECT_TRUE(empty.batch_rows.empty());
  EXPECT_EQ(empty.end.rows_sent, 0);
}

TEST_F(SqliteConsumerTest, SaysWhatIsWrongWithTheFile) {
  Status status = DescribeFails("table: t");
  EXPECT_THAT(status, FailsWith(FaultCode::kDatabaseNotFound, HasSubstr(path_)));
  EXPECT_THAT(FaultOf(status).help(), HasSubstr("path:"));
  EXPECT_EQ(FaultOf(status).diagnostics().at(0).span.line, 1u);
  EXPECT_FALSE(std::filesystem::exists(path_)) << "reading makes no file";
  std::ofstream(path_) << std::string(5000, 'x');
  EXPECT_THAT(DescribeFails("table: t"), FailsWith(FaultCode::kSourceUnsupported));
  EXPECT_THAT(ValueOf(MakeRaw("path: " + directory_.path() + "\ntable: t"))->Describe(ctx_),
              testing::Not(IsOk()));
}

TEST_F(SqliteConsumerTest, ReportsADamagedDatabase) {
  Do("CREATE TABLE t (a INTEGER); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
     "WHERE i < 20000) INSERT INTO t SELECT i FROM n");
  {
    std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(4096 * 5);
    file << std::string(4096 * 10, '\x5a');
  }
  EXPECT_THAT(TryRead("table: t"), FailsWith(FaultCode::kSourceProtocol, HasSubstr("damaged")));
}

TEST_F(SqliteConsumerTest, IsBusyWhileSomebodyHasTheDatabaseLocked) {
  Do("CREATE TABLE t (a INTEGER)");
  auto writer = Writer();
  ASSERT_THAT(writer->Execute(ctx_, "BEGIN EXCLUSIVE"), IsOk());
  const Status status = DescribeFails("table: t\nbusy_timeout: 1s");
  EXPECT_THAT(status, FailsWith(FaultCode::kSourceBusy));
  EXPECT_TRUE(IsRetryable(status));
}

TEST_F(SqliteConsumerTest, SeesOneStateOfTheDatabaseWhileOthersWrite) {
  auto writer = Writer(/*wal=*/true);
  ASSERT_THAT(writer->Execute(ctx_, "CREATE TABLE t (a INTEGER); INSERT INTO t VALUES (1), (2)"),
              IsOk());
  auto consumer = ValueOf(Make("table: t"));
  const elt::Source source = ValueOf(consumer->Describe(ctx_));
  const auto partitions = ValueOf(consumer->Split(ctx_, {}, source, {}));
  auto reader = ValueOf(consumer->Open(ctx_, {}, partitions[0], source, {.rows = 1}));
  ASSERT_THAT(writer->Execute(ctx_, "DELETE FROM t WHERE a = 2; INSERT INTO t VALUES (3)"), IsOk());
  auto stream = ValueOf(reader->Read(ctx_, 0));
  elt::BatchPtr batch;
  for (int64_t expected : {1, 2}) {
    ASSERT_THAT(stream->ReadNext(&batch), IsOk());
    ASSERT_NE(batch, nullptr);
    EXPECT_EQ(static_cast<const arrow::Int64Array&>(*batch->column(0)).Value(0), expected);
    ASSERT_THAT(writer->Execute(ctx_, "UPDATE t SET a = a + 10"), IsOk());
  }
  ASSERT_THAT(stream->ReadNext(&batch), IsOk());
  EXPECT_EQ(batch, nullptr);
  EXPECT_EQ(ValueOf(stream->Finish()).rows_sent, 2);
}

TEST_F(SqliteConsumerTest, NoticesWhenTheSchemaChangedAfterPlanning) {
  Do("CREATE TABLE t (a INTEGER, b TEXT)");
  auto consumer = ValueOf(Make("table: t"));
  const elt::Source source = ValueOf(consumer->Describe(ctx_));
  const auto partitions = ValueOf(consumer->Split(ctx_, {}, source, {}));
  Do("ALTER TABLE t ADD COLUMN c REAL");
  EXPECT_THAT(consumer->Open(ctx_, {}, partitions[0], source, {}).status(),
              FailsWith(FaultCode::kSchemaDrift, HasSubstr("\"c\" is new: double")));
}

TEST_F(SqliteConsumerTest, StopsWithinAStatement) {
  std::stop_source stop;
  Do("CREATE TABLE t (a INTEGER)");
  auto consumer =
      ValueOf(Make("query: \"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
                   "SELECT count(*) AS a FROM n\"\ntypes: {a: int64}"));
  const elt::Source source = ValueOf(consumer->Describe(ctx_));
  const auto partitions = ValueOf(consumer->Split(ctx_, {}, source, {}));
  Context ctx = ctx_;
  ctx.stop = stop.get_token();
  auto reader = ValueOf(consumer->Open(ctx, {}, partitions[0], source, {}));
  auto stream = ValueOf(reader->Read(ctx, 0));
  std::jthread stopper([&stop] { stop.request_stop(); });
  elt::BatchPtr batch;
  EXPECT_THAT(stream->ReadNext(&batch), FailsWith(FaultCode::kStopped));
  EXPECT_THAT(stream->ReadNext(&batch), FailsWith(FaultCode::kInternal));
  EXPECT_THAT(stream->Close(), IsOk());
}

TEST_F(SqliteConsumerTest, KeepsTheContractOfStreams) {
  Do("CREATE TABLE t (a INTEGER); INSERT INTO t VALUES (1)");
  auto consumer = ValueOf(Make("table: t"));
  const elt::Source source = ValueOf(consumer->Describe(ctx_));
  const auto partitions = ValueOf(consumer->Split(ctx_, {}, source, {}));
  auto reader = ValueOf(consumer->Open(ctx_, {}, partitions[0], source, {}));
  EXPECT_THAT(reader->Read(ctx_, 1), FailsWith(FaultCode::kInternal));
  auto stream = ValueOf(reader->Read(ctx_, 0));
  EXPECT_THAT(reader->Read(ctx_, 0), FailsWith(FaultCode::kInternal));
  EXPECT_THAT(stream->Finish(), FailsWith(FaultCode::kInternal)) << "before the end";
  elt::BatchPtr batch;
  ASSERT_THAT(stream->ReadNext(&batch), IsOk());
  EXPECT_THAT(stream->Close(), IsOk());
  EXPECT_THAT(stream->Close(), IsOk());
  EXPECT_THAT(stream->ReadNext(&batch), FailsWith(FaultCode::kInternal));
  EXPECT_THAT(stream->Finish(), FailsWith(FaultCode::kInternal)) << "closed early is not complete";
}

TEST_F(SqliteConsumerTest, IsCompleteOnlyOnceItsEndWasReadAndFinished) {
  Do("CREATE TABLE t (a INTEGER); INSERT INTO t VALUES (1)");
  auto consumer = ValueOf(Make("table: t"));
  const elt::Source source = ValueOf(consumer->Describe(ctx_));
  const auto partitions = ValueOf(consumer->Split(ctx_, {}, source, {}));
  auto reader = ValueOf(consumer->Open(ctx_, {}, partitions[0], source, {}));
  auto stream = ValueOf(reader->Read(ctx_, 0));
  elt::BatchPtr batch;
  ASSERT_THAT(stream->ReadNext(&batch), IsOk());
  EXPECT_THAT(stream->Finish(), FailsWith(FaultCode::kInternal)) << "nobody has seen the end";
  ASSERT_THAT(stream->ReadNext(&batch), IsOk());
  ASSERT_EQ(batch, nullptr);
  ASSERT_THAT(stream->ReadNext(&batch), IsOk());
  EXPECT_EQ(batch, nullptr) << "the end stays the end";
  EXPECT_EQ(ValueOf(stream->Finish()).rows_sent, 1);
  EXPECT_THAT(stream->Finish(), FailsWith(FaultCode::kInternal)) << "once";
}

TEST_F(SqliteConsumerTest, ReadsEveryRowOnceWhileAWriterCommitsAndCheckpoints) {
  auto writer = Writer(/*wal=*/true);
  ASSERT_THAT(
      writer->Execute(ctx_,
                      "CREATE TABLE t (id INTEGER PRIMARY KEY, x TEXT);"
                      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < "
                      "3000) INSERT INTO t SELECT i * 2, 'row ' || i FROM n"),
      IsOk());
  auto consumer = ValueOf(Make("table: t"));
  const elt::Source source = ValueOf(consumer->Describe(ctx_));
  const auto partitions = ValueOf(consumer->Split(ctx_, {}, source, {}));
  auto reader = ValueOf(consumer->Open(ctx_, {}, partitions[0], source, {.rows = 100}));
  auto stream = ValueOf(reader->Read(ctx_, 0));
  int64_t expected = 0;
  while (true) {
    elt::BatchPtr batch;
    ASSERT_THAT(stream->ReadNext(&batch), IsOk());
    if (batch == nullptr) break;
    for (int64_t i = 0; i < batch->num_rows(); ++i) {
      expected += 2;
      ASSERT_EQ(static_cast<const arrow::Int64Array&>(*batch->column(0)).Value(i), expected);
    }
    // Rows before, at and behind the reader's place.
    const std::string at = std::to_string(expected);
    ASSERT_THAT(writer->Execute(ctx_, "INSERT INTO t VALUES (-" + at + ", 'new'), (" + at +
                                          " + 1, 'new'), "
                                          "(" +
                                          at + " + 199, 'new'); DELETE FROM t WHERE id = " + at +
                                          " + 4; UPDATE t SET id = -100000 - id WHERE id = " + at +
                                          " + 8; PRAGMA wal_checkpoint(PASSIVE)"),
                IsOk());
  }
  EXPECT_EQ(expected, 6000);
  EXPECT_EQ(ValueOf(stream->Finish()).rows_sent, 3000);
}

TEST_F(SqliteConsumerTest, KeepsWritersOutUntilItIsDoneWhereThereIsNoWriteAheadLog) {
  auto writer = Writer();
  ASSERT_THAT(writer->Execute(ctx_, "CREATE TABLE t (a INTEGER); INSERT INTO t VALUES (1), (2)"),
              IsOk());
  auto consumer = ValueOf(Make("table: t"));
  const elt::Source source = ValueOf(consumer->Describe(ctx_));
  const auto partitions = ValueOf(consumer->Split(ctx_, {}, source, {}));
  auto reader = ValueOf(consumer->Open(ctx_, {}, partitions[0], source, {.rows = 1}));
  auto stream = ValueOf(reader->Read(ctx_, 0));
  elt::BatchPtr batch;
  ASSERT_THAT(stream->ReadNext(&batch), IsOk());
  EXPECT_FALSE(writer->Execute(ctx_, "DELETE FROM t").ok());
  ASSERT_THAT(stream->ReadNext(&batch), IsOk());
  ASSERT_THAT(stream->ReadNext(&batch), IsOk());
  EXPECT_EQ(ValueOf(stream->Finish()).rows_sent, 2);
  EXPECT_THAT(writer->Execute(ctx_, "DELETE FROM t"), IsOk()) << "no lock is kept behind the end";
}

TEST_F(SqliteConsumerTest, TakesTheKeyForNullableWhereItIsNotTheRowid) {
  // A quirk that SQLite keeps for old files: with DESC the column is no alias of the rowid.
  Do("CREATE TABLE t (id INTEGER PRIMARY KEY DESC, a INTEGER); INSERT INTO t VALUES (NULL, 1);"
     "CREATE TABLE n (id INT PRIMARY KEY); INSERT INTO n VALUES (NULL);"
     "CREATE TABLE k (a INTEGER, b INTEGER, PRIMARY KEY (a, b)); INSERT INTO k VALUES (NULL, 1)");
  EXPECT_EQ(Column(ReadAll("table: t"), "id"), "[null]");
  EXPECT_EQ(Column(ReadAll("table: n"), "id"), "[null]");
  EXPECT_EQ(Column(ReadAll("table: k"), "a"), "[null]");
}

TEST_F(SqliteConsumerTest, TakesHugeValuesIntoBatchesOfTheirOwn) {
  constexpr int64_t kHuge = 20 << 20;
  Do("CREATE TABLE t (id INTEGER PRIMARY KEY, x BLOB); INSERT INTO t VALUES (1, x'01'), "
     "(2, zeroblob(" +
     std::to_string(kHuge) + ")), (3, zeroblob(" + std::to_string(kHuge) + ")), (4, x'04')");
  const Read read = ReadAll("table: t", {}, {.rows = 1000, .bytes = 1 << 20});
  EXPECT_THAT(read.batch_rows, ElementsAre(2, 1, 1));
  const auto& column = static_cast<const arrow::BinaryArray&>(*read.table->column(1)->chunk(0));
  EXPECT_EQ(column.value_length(1), kHuge);
  EXPECT_EQ(column.GetView(3), "\x04");
}

TEST_F(SqliteConsumerTest, ReadsAFileThatNobodyMayWrite) {
  Do("CREATE TABLE t (a INTEGER); INSERT INTO t VALUES (1)");
  using std::filesystem::perms;
  std::filesystem::permissions(path_, perms::owner_read);
  std::filesystem::permissions(directory_.path(), perms::owner_read | perms::owner_exec);
  EXPECT_EQ(Column(ReadAll("table: t"), "a"), "[1]");
  std::filesystem::permissions(directory_.path(), perms::owner_all);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(directory_.path()), {}), 1)
      << "and leaves nothing beside it";
}

TEST_F(SqliteConsumerTest, LeavesTheRollbackOfACrashedWriterToItsOwner) {
  Do("CREATE TABLE t (x BLOB); INSERT INTO t VALUES (1)");
  const std::string crashed = directory_ / "crashed.db";
  {
    // Pages go to the file before the commit, since they do not fit the cache.
    auto writer = Writer();
    ASSERT_THAT(writer->Execute(ctx_,
                                "PRAGMA cache_size = 1; BEGIN; UPDATE t SET x = 2;"
                                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 "
                                "FROM n WHERE i < 200) INSERT INTO t SELECT zeroblob(4000) "
                                "FROM n"),
                IsOk());
    std::filesystem::copy_file(path_, crashed);
    std::filesystem::copy_file(path_ + "-journal", crashed + "-journal");
  }
  const Status status =
      ValueOf(MakeRaw("path: " + crashed + "\ntable: t"))->Describe(ctx_).status();
  EXPECT_THAT(status, FailsWith(FaultCode::kSourceUnsupported));
  EXPECT_THAT(FaultOf(status).help(), HasSubstr("rolled back"));
  EXPECT_TRUE(std::filesystem::exists(crashed + "-journal"));
}

TEST_F(SqliteConsumerTest, TakesAnEmptyFileForADatabaseWithoutTables) {
  std::ofstream(path_).close();
  const Status status = DescribeFails("table: t");
  EXPECT_THAT(status, FailsWith(FaultCode::kTableNotFound));
  EXPECT_THAT(FaultOf(status).help(), HasSubstr("there is none"));
}

TEST_F(SqliteConsumerTest, ReportsAViewOfATableThatIsGone) {
  Do("CREATE TABLE t (a INTEGER); CREATE VIEW v AS SELECT a FROM t; DROP TABLE t");
  EXPECT_THAT(DescribeFails("table: v"), FailsWith(FaultCode::kTableNotFound, HasSubstr("t")));
}

TEST_F(SqliteConsumerTest, NamesTheRowOfATableWithoutRowidByItsNumber) {
  Do("CREATE TABLE t (k TEXT PRIMARY KEY, x INTEGER) WITHOUT ROWID;"
     "INSERT INTO t VALUES ('a', 1), ('b', 'two')");
  const Status status = TryRead("table: t").status();
  EXPECT_THAT(status, FailsWith(FaultCode::kValueRefused, HasSubstr("(row 2)")));
  EXPECT_EQ(FaultOf(status).Detail("rowid"), "");
}

TEST_F(SqliteConsumerTest, RefusesBoundsOfSomebodyElse) {
  Do("CREATE TABLE t (a INTEGER)");
  auto consumer = ValueOf(Make("table: t"));
  const elt::Source source = ValueOf(consumer->Describe(ctx_));
  auto partitions = ValueOf(consumer->Split(ctx_, {}, source, {}));
  partitions[0].bounds = R"({"ctid":[0,10]})";
  EXPECT_THAT(consumer->Open(ctx_, {}, partitions[0], source, {}).status(),
              FailsWith(FaultCode::kManifestCorrupt));
}

TEST_F(SqliteConsumerTest, ReadsADatabaseInUtf16) {
  Do("PRAGMA encoding = 'UTF-16'; CREATE TABLE t (x TEXT, d DATE); "
     "INSERT INTO t VALUES ('Ünï😀', '2026-01-01')");
  const Read read = ReadAll("table: t", WindowRun("d", kNewYear, kNewYear + kDay));
  EXPECT_EQ(Column(read, "x"), "[Ünï😀]");
  Do("INSERT INTO t VALUES (CAST(x'61003DD86200' AS TEXT), '2026-01-01')");
  const Status status = TryRead("table: t").status();
  EXPECT_THAT(status, FailsWith(FaultCode::kInvalidUtf8, HasSubstr("\"x\"")));
  EXPECT_EQ(FaultOf(status).Detail("rowid"), "2");
}

}  // namespace
}  // namespace levada::sqlite
