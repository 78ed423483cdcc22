#include "services/d1/sql_dump.h"

#include "base/testing.h"
#include "db/sqlite/database.h"
#include "os/temporary_directory.h"

namespace levada::services::d1 {
namespace {

using testing::HasSubstr;
using testing::Not;

class SqlDumpTest : public testing::Test {
 protected:
  std::string At(const std::string& name) const { return directory.path() + "/" + name; }
  void Make(const std::string& name, const std::string& sql) {
    db::sqlite::OpenOptions options;
    options.mode = db::sqlite::OpenMode::kCreate;
    const auto made = ValueOf(db::sqlite::Database::Open(
        test.context(), At(name), options, [](const db::sqlite::Error& error) {
          return db::sqlite::FaultFrom(FaultCode::kInternal, "test", error);
        }));
    ASSERT_THAT(made->Execute(test.context(), sql), IsOk());
  }
  Result<std::string> Dump(const std::string& name, const DumpOptions& options = {}) {
    ARROW_RETURN_NOT_OK(DumpSql(test.context(), At(name), *disk, At("out.sql"), options));
    ARROW_ASSIGN_OR_RAISE(auto text, os::ReadFile(*disk, At("out.sql"), 1 << 20));
    return *std::move(text);
  }

  TestContext test;
  os::TemporaryDirectory directory;
  std::unique_ptr<os::Disk> disk = os::MakeSystemDisk();
};

constexpr const char* kShop =
    "CREATE TABLE t (a, \"b \"\"c\" TEXT, d AS (a * 2));"
    "INSERT INTO t VALUES (1, 'it''s'), (1.0, NULL), (-9223372036854775808, 'a' || char(0)),"
    " (9e999, ''), (x'00ff', 'é;');"
    "CREATE INDEX i ON t (a); CREATE TABLE u (id INTEGER PRIMARY KEY AUTOINCREMENT);"
    "INSERT INTO u VALUES (41);"
    "CREATE TRIGGER g AFTER INSERT ON t BEGIN DELETE FROM u; END; CREATE VIEW w AS SELECT a FROM t";

TEST_F(SqlDumpTest, WritesEveryKindOfValue) {
  Make("shop", kShop);
  const std::string text = ValueOf(Dump("shop"));
  for (const char* line :
       {"PRAGMA defer_foreign_keys=TRUE;\n", "VALUES(1,'it''s');\n", "VALUES(1.0,NULL);\n",
        "VALUES((-9223372036854775807-1),CAST(X'6100' AS TEXT));\n", "VALUES(9.0e+999,'');\n",
        "VALUES(X'00ff','é;');\n", "DELETE FROM sqlite_sequence WHERE name='u';\n",
        "INSERT INTO sqlite_sequence (name,seq) VALUES('u',41);\n"}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
  EXPECT_LT(text.find("VALUES(1,"), text.find("CREATE TRIGGER"));
}

TEST_F(SqlDumpTest, TheDumpOfWhatADumpMakesIsTheSame) {
  Make("shop", kShop);
  const std::string text = ValueOf(Dump("shop"));
  Make("again", text);
  EXPECT_EQ(ValueOf(Dump("again")), text);
}

TEST_F(SqlDumpTest, WritesWhatIsAskedFor) {
  Make("shop", kShop);
  EXPECT_THAT(ValueOf(Dump("shop", {.has_data = false})), Not(HasSubstr("INSERT INTO \"t\"")));
  EXPECT_THAT(ValueOf(Dump("shop", {.has_schema = false})), Not(HasSubstr("CREATE TABLE")));
  EXPECT_THAT(ValueOf(Dump("shop", {.tables = {"u"}})), Not(HasSubstr("CREATE INDEX")));
  EXPECT_THAT(Dump("shop", {.tables = {"none"}}), FailsWith(FaultCode::kBadValue));
}

TEST_F(SqlDumpTest, TheWordAutoincrementAloneMakesNoSequence) {
  Make("shop", "CREATE TABLE t (a /* no autoincrement */); INSERT INTO t VALUES (1)");
  EXPECT_THAT(ValueOf(Dump("shop")), Not(HasSubstr("sqlite_sequence")));
  // What was dropped left its table of sequences behind.
  Make("left",
       "CREATE TABLE t (a); CREATE TABLE u (id INTEGER PRIMARY KEY AUTOINCREMENT);"
       "INSERT INTO u VALUES (1); DROP TABLE u");
  EXPECT_THAT(ValueOf(Dump("left")), Not(HasSubstr("sqlite_sequence")));
}

TEST_F(SqlDumpTest, RefusesVirtualTables) {
  Make("shop", "CREATE VIRTUAL TABLE f USING fts5(a)");
  EXPECT_THAT(Dump("shop"), FailsWith(FaultCode::kBadValue, HasSubstr("Virtual")));
}

}  // namespace
}  // namespace levada::services::d1
