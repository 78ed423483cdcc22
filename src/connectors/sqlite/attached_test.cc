#include <filesystem>
#include <fstream>

#include "connectors/sqlite/sqlite_fixture.h"

namespace levada::sqlite {
namespace {

using testing::HasSubstr;

class AttachedTest : public SqliteFixture {
 protected:
  /// A second file.
  void MakeArchive(const std::string& sql, const std::string& name = "archive 2025.db") {
    const std::string main = std::exchange(path_, directory_ / name);
    Do(sql);
    archive_ = std::exchange(path_, main);
  }
  std::string Attach() const { return "attach: { archive: \"" + archive_ + "\" }\n"; }

  std::string archive_;
};

TEST_F(AttachedTest, ReadsTablesAndQueriesOfSeveralFiles) {
  Do("CREATE TABLE t (id INTEGER PRIMARY KEY, x TEXT); INSERT INTO t VALUES (1, 'now')");
  MakeArchive(
      "CREATE TABLE t (id INTEGER PRIMARY KEY, x VARCHAR(9) NOT NULL);"
      "INSERT INTO t VALUES (2, 'then'), (3, 'once'); CREATE TABLE old (a TEXT)");
  EXPECT_EQ(Column(ReadAll(Attach() + "table: t"), "x"), "[now]");
  EXPECT_EQ(Column(ReadAll(Attach() + "table: main.t"), "x"), "[now]");
  const Read then = ReadAll(Attach() + "table: Archive.T");
  EXPECT_EQ(Column(then, "x"), "[then, once]");
  EXPECT_EQ(then.table->schema()->ToString(), "id: int64 not null\nx: string not null");
  EXPECT_THAT(Describe(Attach() + "table: archive.t").description, HasSubstr("archive.t"));
  EXPECT_EQ(Column(ReadAll(Attach() + "query: SELECT id, x FROM t UNION ALL SELECT id, x FROM "
                                      "archive.t ORDER BY id"),
                   "x"),
            "[now, then, once]");
  EXPECT_EQ(Columns(ValueOf(TryReadParts(Attach() + "table: archive.t\n"
                                                    "partition: { by: rowid, count: 2 }")),
                    "id"),
            "[2] [3]");
  EXPECT_EQ(Columns(ValueOf(TryReadParts(Attach() + "table: archive.t\nconnections: 2")), "id"),
            "[2] [3]");
}

TEST_F(AttachedTest, TakesADotForAPartOfTheNameOfATableElsewhere) {
  Do("CREATE TABLE \"a.b\" (x INTEGER); INSERT INTO \"a.b\" VALUES (1)");
  EXPECT_EQ(Column(ReadAll("table: a.b"), "x"), "[1]");
  EXPECT_EQ(Column(ReadAll("table: main.a.b"), "x"), "[1]");
}

TEST_F(AttachedTest, SaysWhichFileIsWrongAndWhereItIsNamed) {
  Do("CREATE TABLE t (x INTEGER)");
  archive_ = directory_ / "none.db";
  Status status = DescribeFails("table: t\n" + Attach());
  EXPECT_THAT(status, FailsWith(FaultCode::kDatabaseNotFound, HasSubstr("none.db")));
  EXPECT_EQ(FaultOf(status).diagnostics().at(0).span.line, 3u);
  EXPECT_FALSE(std::filesystem::exists(archive_)) << "reading makes no file";
  std::ofstream(archive_) << std::string(5000, 'x');
  status = DescribeFails("table: t\n" + Attach());
  EXPECT_THAT(status, FailsWith(FaultCode::kSourceUnsupported, HasSubstr("none.db")));
  EXPECT_EQ(FaultOf(status).diagnostics().at(0).span.line, 3u);
  MakeArchive("CREATE TABLE old (a TEXT)");
  status = DescribeFails(Attach() + "table: archive.t");
  EXPECT_THAT(status, FailsWith(FaultCode::kTableNotFound, HasSubstr("archive 2025.db")));
  EXPECT_THAT(FaultOf(status).help(), HasSubstr("old"));
  MakeArchive("PRAGMA encoding = 'UTF-16'; CREATE TABLE t (x TEXT)", "wide.db");
  EXPECT_THAT(DescribeFails(Attach() + "table: t"),
              FailsWith(FaultCode::kSourceUnsupported, HasSubstr("encoding")));
}

TEST_F(AttachedTest, CannotWriteThem) {
  Do("CREATE TABLE t (x INTEGER)");
  MakeArchive("CREATE TABLE t (x INTEGER)");
  for (const char* query : {"DELETE FROM archive.t", "INSERT INTO archive.t VALUES (1) RETURNING x",
                            "ATTACH 'x.db' AS y", "DETACH archive"}) {
    EXPECT_FALSE(DescribeFails(Attach() + "query: \"" + query + "\"").ok()) << query;
  }
}

TEST_F(AttachedTest, IsBusyWhileOneOfThemIsLocked) {
  Do("CREATE TABLE t (x INTEGER)");
  MakeArchive("CREATE TABLE t (x INTEGER)");
  const std::string main = std::exchange(path_, archive_);
  auto writer = Writer();
  path_ = main;
  auto consumer = ValueOf(Make(Attach() + "table: archive.t\nbusy_timeout: 1s"));
  const elt::Source source = ValueOf(consumer->Describe(ctx_));
  const auto partitions = ValueOf(consumer->Split(ctx_, {}, source, {}));
  ASSERT_THAT(writer->Execute(ctx_, "BEGIN EXCLUSIVE"), IsOk());
  const Status status = consumer->Open(ctx_, {}, partitions[0], source, {}).status();
  EXPECT_THAT(status, FailsWith(FaultCode::kSourceBusy));
  EXPECT_TRUE(IsRetryable(status));
}

}  // namespace
}  // namespace levada::sqlite
