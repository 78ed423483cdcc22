#include "db/sqlite/database.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "os/temporary_directory.h"

namespace levada::db::sqlite {
namespace {

using testing::HasSubstr;

class DatabaseTest : public testing::Test {
 protected:
  DatabaseTest() { ctx_.clock = &clock_; }

  std::string Path(const std::string& name) const { return directory_ / name; }

  /// Remembers each Error and maps it to a code the tests can tell apart.
  FaultOfError Mapper() {
    return [this](const Error& error) {
      errors_.push_back(error);
      return FaultFrom(FaultCode::kLedgerUnusable, "test", error);
    };
  }

  std::unique_ptr<Database> Open(const std::string& path, OpenMode mode,
                                 Journal journal = Journal::kAsItIs) {
    OpenOptions options;
    options.mode = mode;
    options.journal = journal;
    auto database = Database::Open(ctx_, path, options, Mapper());
    EXPECT_TRUE(database.ok()) << database.status();
    return database.ok() ? *std::move(database) : nullptr;
  }

  std::unique_ptr<Database> Memory() { return Open("", OpenMode::kMemory); }

  void ExpectOpenFails(const std::string& path, OpenMode mode, ErrorKind kind) {
    errors_.clear();
    OpenOptions options;
    options.mode = mode;
    EXPECT_FALSE(Database::Open(ctx_, path, options, Mapper()).ok());
    EXPECT_EQ(LastKind(), kind);
  }

  std::string One(Database& database, const std::string& sql) {
    auto statement = database.Prepare(ctx_, sql);
    EXPECT_TRUE(statement.ok()) << statement.status();
    auto row = statement->Step(ctx_);
    EXPECT_TRUE(row.ok()) << row.status();
    return row.ok() && *row ? statement->Text(0) : "";
  }

  void Do(Database& database, const std::string& sql) {
    Status status = database.Execute(ctx_, sql);
    EXPECT_TRUE(status.ok()) << status;
  }

  ErrorKind LastKind() const { return errors_.empty() ? ErrorKind::kMisuse : errors_.back().kind; }

  os::TemporaryDirectory directory_;
  ManualClock clock_{0};
  Context ctx_;
  std::vector<Error> errors_;
};

TEST_F(DatabaseTest, RoundTripsEveryTypeOfValue) {
  auto db = Memory();
  Do(*db, "CREATE TABLE t (i, r, x, b, n)");
  auto insert = db->Prepare(ctx_, "INSERT INTO t VALUES (?1, ?2, ?3, ?4, ?5)");
  ASSERT_TRUE(insert.ok()) << insert.status();
  const std::string text("a\0é", 4);
  const std::vector<uint8_t> blob = {0, 255, 1};
  EXPECT_EQ(insert->parameter_count(), 5);
  insert->Bind(1, INT64_MIN).Bind(2, -0.1).Bind(3, text).BindBlob(4, blob).BindNull(5);
  ASSERT_TRUE(insert->Run(ctx_).ok());
  insert->Bind(1, int64_t{0}).Bind(3, "").BindBlob(4, {});
  ASSERT_TRUE(insert->Run(ctx_).ok());
  EXPECT_EQ(db->rows_changed(), 1);

  auto select = db->Prepare(ctx_, "SELECT i, r, x, b, n FROM t ORDER BY rowid");
  ASSERT_TRUE(select.ok());
  ASSERT_EQ(select->column_count(), 5);
  ASSERT_TRUE(*select->Step(ctx_));
  EXPECT_EQ(select->At(0).type, CellType::kInteger);
  EXPECT_EQ(select->At(0).integer, INT64_MIN);
  EXPECT_EQ(select->At(1).type, CellType::kReal);
  EXPECT_EQ(select->At(1).real, -0.1);
  EXPECT_EQ(select->At(2).type, CellType::kText);
  EXPECT_EQ(select->At(2).bytes, text);
  EXPECT_EQ(select->At(3).type, CellType::kBlob);
  EXPECT_EQ(select->At(3).bytes, std::string_view("\0\xff\1", 3));
  EXPECT_EQ(select->At(4).type, CellType::kNull);
  EXPECT_TRUE(select->IsNull(4));
  EXPECT_EQ(select->Int64(4), 0);
  EXPECT_EQ(select->Text(4), "");
  ASSERT_TRUE(*select->Step(ctx_));
  EXPECT_EQ(select->At(2).type, CellType::kText) << "an empty text is not NULL";
  EXPECT_EQ(select->At(2).bytes, "");
  EXPECT_EQ(select->At(3).type, CellType::kBlob) << "an empty blob is not NULL";
  EXPECT_FALSE(*select->Step(ctx_));
  EXPECT_TRUE(*select->Step(ctx_)) << "after its end a statement may run again";
}

TEST_F(DatabaseTest, SaysWhereColumnsComeFrom) {
  auto db = Memory();
  Do(*db, "CREATE TABLE t (id INTEGER PRIMARY KEY, price DECIMAL(10, 2), loose)");
  auto select = db->Prepare(ctx_, "SELECT price, loose, price + 1, id AS \"Ä\" FROM t");
  ASSERT_TRUE(select.ok());
  EXPECT_EQ(select->ColumnName(0), "price");
  EXPECT_EQ(select->DeclaredType(0), "DECIMAL(10, 2)");
  EXPECT_EQ(select->DeclaredType(1), "");
  EXPECT_EQ(select->DeclaredType(2), "");
  EXPECT_EQ(select->ColumnName(3), "Ä");
  EXPECT_EQ(select->DeclaredType(3), "INTEGER");
  EXPECT_TRUE(select->reads_only());
  EXPECT_FALSE(db->Prepare(ctx_, "DELETE FROM t")->reads_only());
}

TEST_F(DatabaseTest, PreparesExactlyOneStatement) {
  auto db = Memory();
  EXPECT_TRUE(db->Prepare(ctx_, "SELECT 1 ; -- and a comment\n /* more */ ").ok());
  EXPECT_EQ(db->Prepare(ctx_, "SELECT 1 ; ")->sql(), "SELECT 1 ;");
  for (const char* sql : {"SELECT 1; SELECT 2", "SELECT 1; nonsense", "", "  ", "-- nothing"}) {
    EXPECT_FALSE(db->Prepare(ctx_, sql).ok()) << sql;
    EXPECT_EQ(LastKind(), ErrorKind::kSql) << sql;
  }
  EXPECT_FALSE(db->Prepare(ctx_, std::string_view("SELECT 1\0; x", 12)).ok());
  EXPECT_FALSE(db->Prepare(ctx_, "SELECT '" + std::string(1 << 20, 'x') + "'").ok());
}

TEST_F(DatabaseTest, NamesTheStatementAndThePlaceOfASyntaxError) {
  auto db = Memory();
  auto statement = db->Prepare(ctx_, "SELECT 1 FORM t");
  ASSERT_FALSE(statement.ok());
  EXPECT_EQ(errors_.back().kind, ErrorKind::kSql);
  EXPECT_EQ(errors_.back().sql, "SELECT 1 FORM t");
  EXPECT_EQ(errors_.back().sql_offset, 14);
  EXPECT_THAT(errors_.back().message, HasSubstr("syntax error"));
  EXPECT_EQ(CodeOf(statement.status()), FaultCode::kLedgerUnusable);
  EXPECT_EQ(FaultOf(statement.status()).Detail("sql"), "SELECT 1 FORM t");
  EXPECT_FALSE(db->Execute(ctx_, "SELECT * FROM missing").ok());
  EXPECT_THAT(errors_.back().message, HasSubstr("no such table: missing"));
}

TEST_F(DatabaseTest, NeverTakesADoubleQuotedNameForAText) {
  auto db = Memory();
  Do(*db, "CREATE TABLE t (a)");
  EXPECT_FALSE(db->Prepare(ctx_, "SELECT \"b\" FROM t").ok());
}

TEST_F(DatabaseTest, ReportsAParameterThatDoesNotExistAtTheNextStep) {
  auto db = Memory();
  auto select = db->Prepare(ctx_, "SELECT ?1");
  ASSERT_TRUE(select.ok());
  select->Bind(2, int64_t{1});
  EXPECT_FALSE(select->Step(ctx_).ok());
  EXPECT_EQ(LastKind(), ErrorKind::kMisuse);
  EXPECT_TRUE(select->Bind(1, int64_t{1}).Step(ctx_).ok()) << "the statement is usable again";
}

TEST_F(DatabaseTest, ReportsAFailureAmongTheRows) {
  auto db = Memory();
  auto select = db->Prepare(ctx_, "SELECT 1 UNION ALL SELECT abs(-9223372036854775808)");
  ASSERT_TRUE(select.ok());
  EXPECT_TRUE(*select->Step(ctx_));
  EXPECT_FALSE(select->Step(ctx_).ok());
  EXPECT_EQ(LastKind(), ErrorKind::kSql);
  EXPECT_THAT(errors_.back().message, HasSubstr("overflow"));
}

TEST_F(DatabaseTest, ReportsAConstraint) {
  auto db = Memory();
  Do(*db, "CREATE TABLE t (a UNIQUE); INSERT INTO t VALUES (1)");
  EXPECT_FALSE(db->Execute(ctx_, "INSERT INTO t VALUES (1)").ok());
  EXPECT_EQ(LastKind(), ErrorKind::kConstraint);
}

TEST_F(DatabaseTest, OpensOnlyFilesThatExistUnlessToldToCreate) {
  for (OpenMode mode : {OpenMode::kRead, OpenMode::kWrite}) {
    ExpectOpenFails(Path("none.db"), mode, ErrorKind::kCannotOpen);
    EXPECT_EQ(errors_.back().system_errno, ENOENT);
    EXPECT_EQ(errors_.back().path, Path("none.db"));
    EXPECT_FALSE(std::filesystem::exists(Path("none.db")));
  }
  EXPECT_NE(Open(Path("none.db"), OpenMode::kCreate), nullptr);
  ExpectOpenFails(Path("no/such/directory.db"), OpenMode::kCreate, ErrorKind::kCannotOpen);
  ExpectOpenFails(directory_.path(), OpenMode::kRead, ErrorKind::kIo);
  ExpectOpenFails("", OpenMode::kCreate, ErrorKind::kCannotOpen);
  ExpectOpenFails(std::string("a\0b", 3), OpenMode::kCreate, ErrorKind::kCannotOpen);
}

TEST_F(DatabaseTest, TakesEveryPathForAFileName) {
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(directory_.path());
  for (const char* name : {":memory:", "file:x.db?mode=memory", "file:y.db"}) {
    auto db = Open(name, OpenMode::kCreate);
    ASSERT_NE(db, nullptr);
    Do(*db, "CREATE TABLE t (a)");
    EXPECT_TRUE(std::filesystem::exists(directory_ / name)) << name;
  }
  std::filesystem::current_path(before);
}

TEST_F(DatabaseTest, RefusesAFileThatIsNoDatabase) {
  std::ofstream(Path("text.db")) << std::string(4096, 'x');
  ExpectOpenFails(Path("text.db"), OpenMode::kRead, ErrorKind::kNotADatabase);
}

TEST_F(DatabaseTest, FindsDamagedPages) {
  {
    auto db = Open(Path("a.db"), OpenMode::kCreate);
    Do(*db, "CREATE TABLE t (a); CREATE INDEX i ON t (a)");
    Do(*db,
       "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) "
       "INSERT INTO t SELECT i FROM n");
    EXPECT_TRUE(db->CheckIntegrity(ctx_, true).ok());
    EXPECT_TRUE(db->CheckIntegrity(ctx_, false).ok());
  }
  std::fstream file(Path("a.db"), std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(4096 * 3);
  file << std::string(4096 * 20, '\x5a');
  file.close();
  auto db = Open(Path("a.db"), OpenMode::kRead);
  Status status = db->CheckIntegrity(ctx_, true);
  EXPECT_FALSE(status.ok());
  EXPECT_EQ(LastKind(), ErrorKind::kCorrupt);
  EXPECT_FALSE(db->Execute(ctx_, "SELECT sum(a + 0) FROM t NOT INDEXED").ok());
  EXPECT_EQ(LastKind(), ErrorKind::kCorrupt);
}

TEST_F(DatabaseTest, CannotChangeWhatItOpenedToRead) {
  Do(*Open(Path("a.db"), OpenMode::kCreate), "CREATE TABLE t (a)");
  auto db = Open(Path("a.db"), OpenMode::kRead);
  EXPECT_FALSE(db->Execute(ctx_, "INSERT INTO t VALUES (1)").ok());
  EXPECT_EQ(LastKind(), ErrorKind::kReadOnly);
}

TEST_F(DatabaseTest, TakesAFileThatItReadsForHostile) {
  {
    auto writer = Open(Path("a.db"), OpenMode::kCreate);
    Do(*writer,
       "CREATE TABLE t (x); INSERT INTO t VALUES (1);"
       "CREATE VIEW plain AS SELECT abs(x) AS x FROM t;"
       "CREATE VIEW hostile AS SELECT load_extension('x') AS x FROM t;"
       "CREATE VIEW tokens AS SELECT fts3_tokenizer('simple') AS x FROM t");
  }
  auto reader = Open(Path("a.db"), OpenMode::kRead);
  EXPECT_EQ(One(*reader, "SELECT x FROM plain"), "1");
  EXPECT_FALSE(reader->Execute(ctx_, "SELECT x FROM hostile").ok());
  EXPECT_FALSE(reader->Execute(ctx_, "SELECT x FROM tokens").ok());
  EXPECT_FALSE(reader->Execute(ctx_, "SELECT load_extension('x')").ok());
  EXPECT_EQ(One(*reader, "PRAGMA trusted_schema"), "0");
  EXPECT_EQ(One(*reader, "PRAGMA cell_size_check"), "1");
  EXPECT_EQ(One(*reader, "PRAGMA query_only"), "1");
  EXPECT_EQ(One(*reader, "PRAGMA mmap_size"), "0");
}

TEST_F(DatabaseTest, ReadsAnImmutableFileWithoutLocks) {
  const std::string path = Path("a%20 ?#ü&.db");
  auto writer = Open(path, OpenMode::kCreate);
  Do(*writer, "CREATE TABLE t (x); INSERT INTO t VALUES (7); BEGIN EXCLUSIVE");
  OpenOptions options;
  options.immutable = true;
  auto reader = Database::Open(ctx_, path, options, Mapper());
  ASSERT_TRUE(reader.ok()) << reader.status();
  EXPECT_EQ(One(**reader, "SELECT x FROM t"), "7");
  EXPECT_FALSE((*reader)->Execute(ctx_, "DELETE FROM t").ok());
}

TEST_F(DatabaseTest, RefusesAsImmutableWhatHasALogBesideIt) {
  auto writer = Open(Path("a.db"), OpenMode::kCreate, Journal::kWal);
  Do(*writer, "CREATE TABLE t (x)");
  OpenOptions options;
  options.immutable = true;
  EXPECT_FALSE(Database::Open(ctx_, Path("a.db"), options, Mapper()).ok());
  EXPECT_EQ(LastKind(), ErrorKind::kHasLog);
  EXPECT_THAT(errors_.back().message, HasSubstr("a.db-wal"));
  auto main = Open(Path("b.db"), OpenMode::kCreate);
  EXPECT_FALSE(main->Attach(ctx_, "a", Path("a.db"), true).ok());
  EXPECT_EQ(LastKind(), ErrorKind::kHasLog);
  Do(*writer, "PRAGMA wal_checkpoint(TRUNCATE)");
  EXPECT_TRUE(Database::Open(ctx_, Path("a.db"), options, Mapper()).ok());
}

TEST_F(DatabaseTest, AttachesFilesInItsOwnMode) {
  {
    auto writer = Open(Path("file:x.db"), OpenMode::kCreate);
    Do(*writer, "CREATE TABLE t (x); INSERT INTO t VALUES (7)");
  }
  (void)Open(Path("a.db"), OpenMode::kCreate);
  auto reader = Open(Path("a.db"), OpenMode::kRead);
  ASSERT_TRUE(reader->Attach(ctx_, "x", Path("file:x.db"), false).ok());
  EXPECT_THAT(reader->schemas(), testing::ElementsAre("main", "x"));
  EXPECT_EQ(One(*reader, "SELECT x FROM x.t"), "7");
  EXPECT_FALSE(reader->Execute(ctx_, "DELETE FROM x.t").ok());
  for (const auto& [path, kind] : {std::pair{Path("none.db"), ErrorKind::kCannotOpen},
                                   std::pair{std::string(), ErrorKind::kCannotOpen},
                                   std::pair{std::string("a\0b", 3), ErrorKind::kCannotOpen}}) {
    EXPECT_FALSE(reader->Attach(ctx_, "y", path, false).ok());
    EXPECT_EQ(LastKind(), kind);
    EXPECT_EQ(errors_.back().path, path);
  }
  EXPECT_FALSE(std::filesystem::exists(Path("none.db")));
  {
    auto wide = Open(Path("wide.db"), OpenMode::kCreate);
    Do(*wide, "PRAGMA encoding = 'UTF-16'; CREATE TABLE t (x)");
  }
  EXPECT_FALSE(reader->Attach(ctx_, "y", Path("wide.db"), false).ok());
  EXPECT_EQ(LastKind(), ErrorKind::kEncoding);
  EXPECT_THAT(reader->schemas(), testing::SizeIs(2));
}

TEST_F(DatabaseTest, KeepsAWriteAheadLogAsDurableAsAsked) {
  for (const auto& [journal, synchronous] :
       {std::pair(Journal::kWal, "1"), std::pair(Journal::kDurableWal, "2")}) {
    auto db = Open(Path("a.db"), OpenMode::kCreate, journal);
    EXPECT_EQ(One(*db, "PRAGMA journal_mode"), "wal");
    EXPECT_EQ(One(*db, "PRAGMA synchronous"), synchronous);
  }
}

TEST_F(DatabaseTest, LetsReadersKeepTheirSnapshotWhileAWriterCommits) {
  auto writer = Open(Path("a.db"), OpenMode::kCreate, Journal::kDurableWal);
  Do(*writer, "CREATE TABLE t (a); INSERT INTO t VALUES (1)");
  auto reader = Open(Path("a.db"), OpenMode::kRead);
  auto snapshot = Transaction::Begin(ctx_, *reader, Transaction::Kind::kRead);
  ASSERT_TRUE(snapshot.ok());
  Do(*writer, "INSERT INTO t VALUES (2)");
  EXPECT_EQ(One(*reader, "SELECT count(*) FROM t"), "1");
  snapshot->reset();
  EXPECT_EQ(One(*reader, "SELECT count(*) FROM t"), "2");
}

TEST_F(DatabaseTest, RollsBackATransactionThatIsNotCommitted) {
  auto db = Memory();
  Do(*db, "CREATE TABLE t (a)");
  {
    auto transaction = Transaction::Begin(ctx_, *db, Transaction::Kind::kWrite);
    ASSERT_TRUE(transaction.ok());
    EXPECT_TRUE(db->in_transaction());
    Do(*db, "INSERT INTO t VALUES (1)");
  }
  EXPECT_FALSE(db->in_transaction());
  EXPECT_EQ(One(*db, "SELECT count(*) FROM t"), "0");
  {
    auto transaction = Transaction::Begin(ctx_, *db, Transaction::Kind::kWrite);
    ASSERT_TRUE(transaction.ok());
    Do(*db, "INSERT INTO t VALUES (1)");
    EXPECT_TRUE((*transaction)->Commit(ctx_).ok());
  }
  EXPECT_EQ(One(*db, "SELECT count(*) FROM t"), "1");
}

TEST_F(DatabaseTest, RollsBackEvenAfterAStop) {
  auto db = Memory();
  Do(*db, "CREATE TABLE t (a)");
  std::stop_source stop;
  Context ctx = ctx_;
  ctx.stop = stop.get_token();
  {
    auto transaction = Transaction::Begin(ctx, *db, Transaction::Kind::kWrite);
    ASSERT_TRUE(transaction.ok());
    Do(*db, "INSERT INTO t VALUES (1)");
    stop.request_stop();
    EXPECT_EQ(CodeOf((*transaction)->Commit(ctx)), FaultCode::kStopped);
  }
  EXPECT_FALSE(db->in_transaction());
  EXPECT_EQ(One(*db, "SELECT count(*) FROM t"), "0");
}

TEST_F(DatabaseTest, WaitsForALockAsLongAsItWasTold) {
  auto first = Open(Path("a.db"), OpenMode::kCreate);
  Do(*first, "CREATE TABLE t (a)");
  auto second = Open(Path("a.db"), OpenMode::kWrite);
  Do(*first, "BEGIN EXCLUSIVE");
  const SteadyTime before = clock_.Steady();
  EXPECT_FALSE(second->Execute(ctx_, "INSERT INTO t VALUES (1)").ok());
  EXPECT_EQ(LastKind(), ErrorKind::kBusy);
  EXPECT_EQ(clock_.Steady() - before, std::chrono::seconds(5));
  Do(*first, "COMMIT");
  EXPECT_TRUE(second->Execute(ctx_, "INSERT INTO t VALUES (1)").ok());
}

TEST_F(DatabaseTest, EndsAWaitForALockAtTheDeadlineAndOnAStop) {
  auto first = Open(Path("a.db"), OpenMode::kCreate);
  Do(*first, "CREATE TABLE t (a)");
  auto second = Open(Path("a.db"), OpenMode::kWrite);
  Do(*first, "BEGIN EXCLUSIVE");
  Context hurried = ctx_.Within(std::chrono::seconds(1));
  EXPECT_EQ(CodeOf(second->Execute(hurried, "INSERT INTO t VALUES (1)")),
            FaultCode::kSourceTimeout);

  // With the machine's clock, since a manual one never really waits.
  auto system = MakeSystemClock();
  std::stop_source stop;
  Context ctx;
  ctx.clock = system.get();
  ctx.stop = stop.get_token();
  std::jthread stopper([&stop] { stop.request_stop(); });
  EXPECT_EQ(CodeOf(second->Execute(ctx, "INSERT INTO t VALUES (1)")), FaultCode::kStopped);
}

TEST_F(DatabaseTest, StopsInTheMiddleOfAStatementThatWouldNeverEnd) {
  auto db = Memory();
  constexpr const char* kEndless =
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";
  auto statement = db->Prepare(ctx_, kEndless);
  ASSERT_TRUE(statement.ok());
  auto system = MakeSystemClock();
  std::stop_source stop;
  Context ctx;
  ctx.clock = system.get();
  ctx.stop = stop.get_token();
  std::jthread stopper([&stop] { stop.request_stop(); });
  EXPECT_EQ(CodeOf(statement->Step(ctx).status()), FaultCode::kStopped);

  Context hurried;
  hurried.clock = system.get();
  hurried = hurried.Within(std::chrono::milliseconds(20));
  EXPECT_EQ(CodeOf(db->Execute(hurried, kEndless)), FaultCode::kSourceTimeout);
  EXPECT_EQ(One(*db, "SELECT 7"), "7") << "the connection is usable after a stop";
}

TEST_F(DatabaseTest, RefusesEveryCallAfterAStop) {
  auto db = Memory();
  auto statement = db->Prepare(ctx_, "SELECT 1");
  ASSERT_TRUE(statement.ok());
  std::stop_source stop;
  stop.request_stop();
  Context ctx = ctx_;
  ctx.stop = stop.get_token();
  EXPECT_EQ(CodeOf(db->Execute(ctx, "SELECT 1")), FaultCode::kStopped);
  EXPECT_EQ(CodeOf(db->Prepare(ctx, "SELECT 1").status()), FaultCode::kStopped);
  EXPECT_EQ(CodeOf(statement->Step(ctx).status()), FaultCode::kStopped);
  OpenOptions options;
  options.mode = OpenMode::kMemory;
  EXPECT_EQ(CodeOf(Database::Open(ctx, "", options, Mapper()).status()), FaultCode::kStopped);
}

TEST_F(DatabaseTest, ReadsDatabasesInUtf16) {
  auto db = Memory();
  Do(*db, "PRAGMA encoding = 'UTF-16le'; CREATE TABLE t (a TEXT); INSERT INTO t VALUES ('Ünï€😀')");
  auto select = db->Prepare(ctx_, "SELECT a FROM t");
  ASSERT_TRUE(*select->Step(ctx_));
  EXPECT_EQ(select->At(0).bytes, "Ünï€😀");
}

TEST_F(DatabaseTest, GivesNoOtherTextForBrokenUtf16) {
  // SQLite would read "a", half a character and "b" as "a" and a boot.
  for (const char* encoding : {"UTF-16le", "UTF-16be"}) {
    const bool is_little = std::string(encoding) == "UTF-16le";
    const std::string path = Path(encoding);
    Do(*Open(path, OpenMode::kCreate),
       std::string("PRAGMA encoding = '") + encoding + "'; CREATE TABLE t (a TEXT);" +
           (is_little ? "INSERT INTO t VALUES (CAST(x'61003DD86200' AS TEXT)), "
                        "(CAST(x'00DC' AS TEXT)), (CAST(x'3DD8' AS TEXT)), ('😀b'), ('')"
                      : "INSERT INTO t VALUES (CAST(x'0061D83D0062' AS TEXT)), "
                        "(CAST(x'DC00' AS TEXT)), (CAST(x'D83D' AS TEXT)), ('😀b'), ('')"));
    auto db = Open(path, OpenMode::kRead);
    auto select = db->Prepare(ctx_, "SELECT a FROM t ORDER BY rowid");
    for (const char* expected : {"\xff", "\xff", "\xff", "😀b", ""}) {
      ASSERT_TRUE(*select->Step(ctx_));
      const Cell cell = select->At(0);
      EXPECT_EQ(cell.type, CellType::kText);
      EXPECT_EQ(cell.bytes, expected) << encoding;
    }
  }
}

TEST_F(DatabaseTest, MovesStatementsWithoutLosingThem) {
  auto db = Memory();
  auto a = db->Prepare(ctx_, "SELECT 1");
  auto b = db->Prepare(ctx_, "SELECT 2");
  Statement moved = *std::move(a);
  moved = *std::move(b);
  ASSERT_TRUE(*moved.Step(ctx_));
  EXPECT_EQ(moved.Text(0), "2");
}

TEST(Quoting, DoublesTheQuotes) {
  EXPECT_EQ(QuoteName("a\"b"), "\"a\"\"b\"");
  EXPECT_EQ(QuoteName(""), "\"\"");
  EXPECT_EQ(QuoteText("it's"), "'it''s'");
}

}  // namespace
}  // namespace levada::db::sqlite
