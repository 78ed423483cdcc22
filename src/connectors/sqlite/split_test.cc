#include "connectors/sqlite/split.h"

#include <set>

#include "connectors/sqlite/sqlite_fixture.h"

namespace levada::sqlite {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class SplitTest : public SqliteFixture {
 protected:
  std::vector<Read> Parts(const std::string& yaml, const elt::RunInstance& run = {},
                          const elt::SplitLimits& limits = {}) {
    return ValueOf(TryReadParts(yaml, run, limits));
  }
  static std::string Meanings(const std::vector<Read>& parts) {
    std::string text;
    for (const Read& part : parts) text += (text.empty() ? "" : "; ") + part.partition.meaning;
    return text;
  }
  Status SplitFails(const std::string& yaml) { return TryReadParts(yaml).status(); }
};

TEST_F(SplitTest, CutsByRowidOpenAtBothEnds) {
  Do("CREATE TABLE t (x INTEGER); INSERT INTO t (rowid, x) VALUES (-20, 1), (-1, 2), (0, 3), (9, "
     "4), "
     "(10, 5), (35, 6)");
  const auto parts = Parts("table: t\npartition: { by: rowid, size: 10 }");
  EXPECT_EQ(
      Meanings(parts),
      "rowid < -10; rowid in [-10, 0); rowid in [0, 10); rowid in [10, 20); rowid in [20, 30); "
      "rowid >= 30");
  EXPECT_EQ(Columns(parts, "x"), "[1] [2] [3, 4] [5] [] [6]");
  EXPECT_EQ(parts[2].partition.estimated_rows, 10);
  EXPECT_EQ(Columns(Parts("table: t\npartition: { by: _rowid_, count: 2 }"), "x"),
            "[1, 2, 3] [4, 5, 6]");
  Do("DELETE FROM t");
  EXPECT_EQ(Columns(Parts("table: t\npartition: { by: oid, count: 8 }"), "x"), "[]");
}

TEST_F(SplitTest, TakesTheIntegerPrimaryKeyForTheRowid) {
  Do("CREATE TABLE t (id INTEGER PRIMARY KEY); INSERT INTO t VALUES (1), (2), (3), (4)");
  const auto parts = Parts("table: t\npartition: { by: ID, count: 2 }");
  EXPECT_EQ(Columns(parts, "id"), "[1, 2] [3, 4]");
  EXPECT_THAT(parts[0].partition.query, HasSubstr("WHERE rowid < 3 ORDER BY rowid"));
}

TEST_F(SplitTest, HoldsRowsThatCameBehindTheEndsSinceItWasCut) {
  Do("CREATE TABLE t (id INTEGER PRIMARY KEY); INSERT INTO t VALUES (10), (20)");
  auto consumer = ValueOf(Make("table: t\npartition: { by: id, count: 2 }"));
  const elt::Source source = ValueOf(consumer->Describe(ctx_));
  const auto partitions = ValueOf(consumer->Split(ctx_, {}, source, {}));
  Do("INSERT INTO t VALUES (-5), (500)");
  std::string all;
  for (const elt::Partition& partition : partitions) {
    auto reader = ValueOf(consumer->Open(ctx_, {}, partition, source, {}));
    all += Column(ValueOf(ReadSlice(*reader, 0, source)), "id");
  }
  EXPECT_EQ(all, "[-5, 10][20, 500]");
}

TEST_F(SplitTest, LeavesNoRowOutWhateverStandsInTheColumn) {
  Do("CREATE TABLE t (k INT, x TEXT); INSERT INTO t VALUES (NULL, 'null'), (1, 'a'), (9, 'b'), "
     "(4.5, 'real'), ('text', 'text'), (x'00', 'blob'), (9e999, 'infinity'), (-9e999, 'minus')");
  const std::string yaml = "table: t\nmixed: null\npartition: { by: k, count: 2 }";
  EXPECT_EQ(Columns(Parts(yaml), "x"), "[null, minus, a, real] [b, infinity, text, blob]");
  EXPECT_EQ(Columns(Parts("query: SELECT k, x FROM t\ntypes: { k: int64 }\nmixed: null\n"
                          "columns: [x]\npartition: { by: k, count: 2 }"),
                    "x"),
            "[null, a, real, minus] [b, text, blob, infinity]");
}

TEST_F(SplitTest, ComparesNumbersAsSuchInExpressions) {
  // A text that SQL makes has the affinity of text, where 10 sorts before 9.
  Do("CREATE TABLE t (k INTEGER); INSERT INTO t VALUES (9), (10), (100)");
  const auto parts = Parts(
      "query: SELECT CAST(k AS TEXT) AS k, k AS n FROM t\ntypes: { k: int64 }\n"
      "partition: { by: k, size: 10 }");
  EXPECT_EQ(Columns(parts, "n"), "[9, 10, 100]") << "texts have no place among numbers: all in one";
}

TEST_F(SplitTest, CutsTablesWithoutRowidByTheirKey) {
  Do("CREATE TABLE w (k INTEGER, x TEXT, PRIMARY KEY (k)) WITHOUT ROWID;"
     "INSERT INTO w VALUES (3, 'c'), (1, 'a'), (2, 'b'), (4, 'd');"
     "CREATE TABLE s (k TEXT PRIMARY KEY) WITHOUT ROWID");
  EXPECT_EQ(Columns(Parts("table: w\npartition: { by: k, count: 2 }"), "x"), "[a, b] [c, d]");
  Status status = SplitFails("table: w\npartition: { by: rowid, count: 2 }");
  EXPECT_THAT(status, FailsWith(FaultCode::kImpossiblePlan, HasSubstr("WITHOUT ROWID")));
  EXPECT_THAT(FaultOf(status).help(), HasSubstr("k"));
  EXPECT_EQ(FaultOf(status).diagnostics().at(0).span.line, 3u);
  status = SplitFails("table: s\npartition: { by: rowid, count: 2 }");
  EXPECT_THAT(FaultOf(status).help(), HasSubstr("leave partition: out"));
}

TEST_F(SplitTest, SaysWhatCannotBeCut) {
  Do("CREATE TABLE t (id INTEGER PRIMARY KEY, x TEXT, n TEXT); INSERT INTO t VALUES (1, 'a', 1), "
     "(1000000, 'b', 2); CREATE VIEW v AS SELECT * FROM t");
  EXPECT_THAT(SplitFails("table: v\npartition: { by: rowid, count: 2 }"),
              FailsWith(FaultCode::kImpossiblePlan, HasSubstr("no rowid")));
  EXPECT_THAT(SplitFails("query: SELECT * FROM t\npartition: { by: oid, count: 2 }"),
              FailsWith(FaultCode::kImpossiblePlan, HasSubstr("no rowid")));
  EXPECT_THAT(SplitFails("table: t\npartition: { by: x, count: 2 }"),
              FailsWith(FaultCode::kImpossiblePlan, HasSubstr("declared \"TEXT\"")));
  EXPECT_THAT(SplitFails("table: t\ntypes: { n: int64 }\npartition: { by: n, count: 2 }"),
              FailsWith(FaultCode::kImpossiblePlan, HasSubstr("declared \"TEXT\"")));
  const Status unknown = SplitFails("table: t\npartition: { by: idd, count: 2 }");
  EXPECT_THAT(unknown, FailsWith(FaultCode::kColumnNotFound, HasSubstr("\"idd\"")));
  EXPECT_THAT(FaultOf(unknown).help(), HasSubstr("\"id\""));
  const Status many = SplitFails("table: t\npartition: { by: rowid, size: 100 }");
  EXPECT_THAT(many, FailsWith(FaultCode::kImpossiblePlan, HasSubstr("more than 10000")));
  EXPECT_THAT(FaultOf(many).help(), HasSubstr("count"));
}

TEST_F(SplitTest, CutsAWindow) {
  Do("CREATE TABLE t (id INTEGER PRIMARY KEY, at DATE); INSERT INTO t VALUES (1, '2026-01-01'), "
     "(50, '2026-01-02'), (51, '2026-01-01'), (52, '2026-01-01'), (99, '2026-01-02')");
  const auto run = WindowRun("at", kNewYear, kNewYear + kDay);
  const auto parts = Parts("table: t\npartition: { by: rowid, count: 2 }", run);
  EXPECT_EQ(Columns(parts, "id"), "[1] [51, 52]");
  EXPECT_EQ(parts[1].partition.meaning, "rowid >= 27 and at in [2026-01-01, 2026-01-02)");
}

TEST_F(SplitTest, ReadsOnePartitionByRangesOfRowids) {
  Do("CREATE TABLE t (id INTEGER PRIMARY KEY, at DATE); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL "
     "SELECT i + 1 FROM n WHERE i < 9) INSERT INTO t SELECT i, '2026-01-0' || i FROM n");
  const auto parts = Parts("table: t\nconnections: 3");
  ASSERT_EQ(parts.size(), 3u);
  EXPECT_EQ(parts[0].partition.slices.size(), 3u);
  EXPECT_EQ(parts[0].partition.meaning, "all rows");
  EXPECT_EQ(Columns(parts, "id"), "[1, 2, 3] [4, 5, 6] [7, 8, 9]");
  EXPECT_EQ(Parts("table: t\nconnections: auto", {}, {.processors = 8}).size(), 1u)
      << "a small file is not worth a second connection";
  EXPECT_EQ(Parts("table: t\nconnections: 3\npartition: { by: rowid, count: 2 }").size(), 2u);
  EXPECT_EQ(Parts("table: t\nconnections: 16").size(), 9u) << "no more than rowids";
  // Without an index the window's rows are looked for everywhere.
  const auto run = WindowRun("at", kNewYear, kNewYear + 3 * kDay);
  EXPECT_EQ(Columns(Parts("table: t\nconnections: 3", run), "id"), "[1, 2, 3] [] []");
  Do("CREATE INDEX by_at ON t (at)");
  EXPECT_EQ(Columns(Parts("table: t\nconnections: 3", run), "id"), "[1, 2, 3]");
}

TEST_F(SplitTest, DerivesPartitionsOfATableThatIsTooLargeForOne) {
  Do("CREATE TABLE t (id INTEGER PRIMARY KEY, x BLOB); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL "
     "SELECT i + 1 FROM n WHERE i < 400) INSERT INTO t SELECT i, zeroblob(1000) FROM n;"
     "CREATE TABLE small (id INTEGER PRIMARY KEY); INSERT INTO small VALUES (1), (2)");
  const elt::SplitLimits limits{.partition_bytes = 100'000};
  const auto parts = Parts("table: t\ncolumns: [id]", {}, limits);
  EXPECT_EQ(parts.size(), 5u);
  int64_t rows = 0;
  for (const Read& part : parts) rows += part.end.rows_read;
  EXPECT_EQ(rows, 400);
  EXPECT_EQ(Parts("table: small", {}, limits).size(), 1u) << "though the file is large";
  EXPECT_EQ(Parts("query: SELECT id FROM t", {}, limits).size(), 1u);
}

TEST_F(SplitTest, HoldsEveryRowOnceHoweverItIsCut) {
  auto chance = MakeSeededRandom(7);
  for (int round = 0; round < 25; ++round) {
    std::string insert =
        "DROP TABLE IF EXISTS t; CREATE TABLE t (id INTEGER PRIMARY KEY, k NUMERIC)";
    std::set<int64_t> ids;
    const uint64_t rows = chance->Next() % 40;
    const int shift = static_cast<int>(chance->Next() % 64);
    for (uint64_t row = 0; row < rows; ++row) {
      const auto id = static_cast<int64_t>(chance->Next()) >> shift;
      if (!ids.insert(id).second) continue;
      constexpr const char* kKeys[] = {"NULL", "'x'", "x'00'", "1.5", "-7", "9e999", "12", "id"};
      std::string key = kKeys[chance->Next() % std::size(kKeys)];
      if (key == "id") key = std::to_string(id);
      insert += "; INSERT INTO t VALUES (" + std::to_string(id) + ", " + key + ")";
    }
    Do("BEGIN; " + insert + "; COMMIT");
    for (const char* by : {"rowid", "k"}) {
      const std::string yaml =
          "table: t\ntypes: { k: int64 }\nmixed: null\npartition: { by: " + std::string(by) +
          ", count: " + std::to_string(1 + chance->Next() % 9) + " }";
      std::multiset<int64_t> read;
      for (const Read& part : Parts(yaml)) {
        for (const auto& chunk : part.table->GetColumnByName("id")->chunks()) {
          const auto& values = static_cast<const arrow::Int64Array&>(*chunk);
          for (int64_t i = 0; i < values.length(); ++i) read.insert(values.Value(i));
        }
      }
      EXPECT_EQ(read, std::multiset<int64_t>(ids.begin(), ids.end())) << by << " round " << round;
    }
  }
}

TEST_F(SplitTest, NotesWhatCutsCost) {
  Do("CREATE TABLE t (id INTEGER PRIMARY KEY, a INT, b INT); CREATE INDEX i ON t (a);"
     "CREATE INDEX p ON t (b) WHERE b > 0; CREATE VIEW v AS SELECT a FROM t");
  const auto notes = [&](const std::string& yaml) {
    std::string all;
    for (const std::string& note : Describe(yaml).notes) all += note + "\n";
    return all;
  };
  EXPECT_THAT(notes("table: t\npartition: { by: rowid, count: 2 }"), Not(HasSubstr("whole table")));
  EXPECT_THAT(notes("table: t\npartition: { by: id, count: 2 }"), Not(HasSubstr("whole table")));
  EXPECT_THAT(notes("table: t\npartition: { by: A, count: 2 }"), Not(HasSubstr("whole table")));
  EXPECT_THAT(notes("table: t\npartition: { by: b, count: 2 }"), HasSubstr("whole table"));
  EXPECT_THAT(notes("query: SELECT a FROM t\npartition: { by: a, count: 2 }"),
              HasSubstr("whole table"));
  EXPECT_THAT(notes("table: v\nconnections: 2"), HasSubstr("one connection"));
  EXPECT_THAT(notes("table: t\nconnections: 2\npartition: { by: id, count: 2 }"),
              HasSubstr("one connection for each partition"));
}

TEST_F(SplitTest, NoticesWhenWhatItWasCutByIsGone) {
  Do("CREATE TABLE t (id INTEGER PRIMARY KEY, k INT, x TEXT); INSERT INTO t VALUES (1, 1, 'a'), "
     "(2, 9, 'b')");
  auto consumer = ValueOf(Make("table: t\ncolumns: [x]\npartition: { by: k, count: 2 }"));
  const elt::Source source = ValueOf(consumer->Describe(ctx_));
  auto partitions = ValueOf(consumer->Split(ctx_, {}, source, {}));
  Do("DROP TABLE t; CREATE TABLE t (id INTEGER PRIMARY KEY, k TEXT, x TEXT)");
  EXPECT_THAT(consumer->Open(ctx_, {}, partitions[1], source, {}).status(),
              FailsWith(FaultCode::kSchemaDrift, HasSubstr("\"k\"")));
  Do("DROP TABLE t; CREATE TABLE t (x TEXT)");
  EXPECT_THAT(consumer->Open(ctx_, {}, partitions[1], source, {}).status(),
              FailsWith(FaultCode::kSchemaDrift, HasSubstr("\"k\"")));
  partitions[1].bounds = R"({"rows":{"by":null,"from":1,"to":null}})";
  Do("DROP TABLE t; CREATE TABLE t (x TEXT PRIMARY KEY) WITHOUT ROWID");
  EXPECT_THAT(consumer->Open(ctx_, {}, partitions[1], source, {}).status(),
              FailsWith(FaultCode::kSchemaDrift));
}

}  // namespace
}  // namespace levada::sqlite
