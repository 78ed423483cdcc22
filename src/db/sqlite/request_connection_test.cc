#include "db/sqlite/request_connection.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <chrono>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include "base/testing.h"
#include "db/sqlite/read_gate.h"
#include "os/memory_disk.h"
#include "os/temporary_directory.h"

namespace levada::db::sqlite {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class CountingSink final : public CommitSink {
 public:
  Status Keep(const CommittedPages&) override {
    ++commits;
    return failure;
  }
  int commits = 0;
  Status failure;
};

std::string Show(const SqlValue& value) {
  if (const auto* integer = std::get_if<int64_t>(&value)) return std::to_string(*integer);
  if (const auto* real = std::get_if<double>(&value)) return fmt::format("{}", *real);
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (const auto* blob = std::get_if<Blob>(&value)) return fmt::format("blob of {}", blob->size());
  return "NULL";
}

class RequestConnectionTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto file = ValueOf(disk_.OpenMutable("db"));
    ASSERT_THAT(file->WriteAt(0, EmptyDatabase()), IsOk());
    files_ = ValueOf(PageFiles::Open(disk_, "db", "shop", sink_));
    Connect({});
  }
  void Connect(const SqlLimits& limits) {
    writer_ = ValueOf(RequestConnection::Open(*files_, ConnectionKind::kWriter, limits));
    reader_ = ValueOf(RequestConnection::Open(*files_, ConnectionKind::kReader, limits));
  }
  SqlAnswer Run(std::vector<SqlText> request) {
    return ValueOf(writer_->Run(test_.context(), request));
  }
  /// Of one text: rows as text, or the error.
  std::string Ask(const std::string& sql, std::vector<SqlValue> parameters = {}) {
    return Told(Run({{sql, std::move(parameters)}}));
  }
  static std::string Told(const SqlAnswer& answer) {
    if (answer.error) return answer.error->message;
    std::string told;
    for (const SqlResult& result : answer.results) {
      for (const auto& row : result.rows) {
        for (const SqlValue& value : row) told += Show(value) + " ";
      }
    }
    return told;
  }

  TestContext test_;
  os::MemoryDisk disk_;
  CountingSink sink_;
  std::unique_ptr<PageFiles> files_;
  std::unique_ptr<RequestConnection> writer_, reader_;
};

TEST_F(RequestConnectionTest, GivesBackEveryTypeAsItWasGiven) {
  EXPECT_EQ(Ask("SELECT ?1, ?2, ?3, ?4, ?5",
                {int64_t{1} << 53, 1.5, std::string("a\0b", 3), Blob{0, 255}, SqlValue()}),
            std::string("9007199254740992 1.5 a\0b blob of 2 NULL ", 40));
  const auto answer =
      Run({{"SELECT typeof(?), typeof(?), typeof(?)", {Blob(), std::string(), 2.0}}});
  EXPECT_EQ(Told(answer), "blob text real ");
}

TEST_F(RequestConnectionTest, ARequestIsOneTransaction) {
  EXPECT_EQ(Ask("CREATE TABLE t (x INTEGER PRIMARY KEY, y)"), "");
  const int before = sink_.commits;
  SqlAnswer answer = Run({{"INSERT INTO t VALUES (1, 'a')", {}},
                          {"INSERT INTO t VALUES (?, ?)", {int64_t{2}, std::string("b")}},
                          {"SELECT * FROM t", {}}});
  EXPECT_EQ(Told(answer), "1 a 2 b ");
  EXPECT_TRUE(answer.is_changed);
  EXPECT_EQ(sink_.commits, before + 1);
  answer = Run({{"INSERT INTO t VALUES (3, 'c')", {}}, {"INSERT INTO t VALUES (1, 'd')", {}}});
  EXPECT_EQ(answer.error->message, "UNIQUE constraint failed: t.x: SQLITE_CONSTRAINT");
  EXPECT_EQ(answer.error->text, 1u);
  EXPECT_THAT(answer.results, IsEmpty());
  EXPECT_FALSE(answer.is_changed);
  EXPECT_EQ(Ask("SELECT count(*) FROM t"), "2 ");
  EXPECT_EQ(sink_.commits, before + 1);
}

TEST_F(RequestConnectionTest, ManyStatementsInOneTextHaveAResultEach) {
  const SqlAnswer answer =
      Run({{"-- first\nCREATE TABLE t (x); /* then */ INSERT INTO t VALUES (5);"
            " SELECT x + ? FROM t; -- the end\n ; ",
            {int64_t{2}}}});
  EXPECT_EQ(answer.results.size(), 3u);
  EXPECT_EQ(Told(answer), "7 ");
  EXPECT_EQ(Ask("SELECT ?; SELECT 1", {int64_t{1}}),
            "When executing multiple SQL statements in a single call, only the last statement can "
            "have parameters.");
}

TEST_F(RequestConnectionTest, SaysWhatIsWrongAsCloudflareDoes) {
  EXPECT_EQ(Ask("SELEC"), "near \"SELEC\": syntax error at offset 0: SQLITE_ERROR");
  EXPECT_EQ(Ask("SELECT * FROM none"), "no such table: none: SQLITE_ERROR");
  EXPECT_EQ(Ask(""), "No SQL statements detected.");
  EXPECT_EQ(Ask("-- only this"), "No SQL statements detected.");
  EXPECT_EQ(Ask("SELECT ?"), "Wrong number of parameter bindings for SQL query.");
  EXPECT_EQ(Ask("SELECT 1", {int64_t{1}}), "Wrong number of parameter bindings for SQL query.");
  EXPECT_THAT(Ask("SELECT \"text\""), HasSubstr("no such column"));
}

TEST_F(RequestConnectionTest, RefusesWhatLeavesTheRequestOrTheDatabase) {
  ASSERT_EQ(Ask("CREATE TABLE t (x)"), "");
  for (const char* sql :
       {"BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT a", "ATTACH 'x.db' AS x", "DETACH main",
        "CREATE TEMP TABLE a (x)", "PRAGMA journal_mode = DELETE", "PRAGMA synchronous = OFF",
        "PRAGMA writable_schema = ON", "PRAGMA page_size = 512", "PRAGMA wal_checkpoint",
        "PRAGMA max_page_count = 9", "PRAGMA locking_mode = EXCLUSIVE", "CREATE TABLE _cf_x (a)",
        "CREATE VIRTUAL TABLE r USING rtree(a, b, c)", "SELECT fts3_tokenizer('a')",
        "SELECT load_extension('x')", "PRAGMA temp_store_directory = '/'"}) {
    const SqlAnswer answer = Run({{sql, {}}});
    ASSERT_TRUE(answer.error) << sql;
    EXPECT_THAT(answer.error->message,
                testing::AnyOf(HasSubstr("not authorized"), HasSubstr("no such function")))
        << sql;
  }
  for (const char* sql : {"VACUUM", "VACUUM INTO 'x.db'"}) {
    EXPECT_TRUE(Run({{sql, {}}}).error) << sql;
  }
  EXPECT_TRUE(Run({{"INSERT INTO sqlite_schema VALUES ('table', 'a', 'a', 2, 'x')", {}}}).error);
}

TEST_F(RequestConnectionTest, AllowsThePragmasThatToolsAsk) {
  ASSERT_EQ(Ask("CREATE TABLE t (x INTEGER PRIMARY KEY, y REFERENCES t); CREATE INDEX i ON t (y)"),
            "");
  EXPECT_THAT(Ask("PRAGMA table_info(t)"), HasSubstr("x INTEGER"));
  EXPECT_THAT(Ask("PRAGMA index_list('t')"), HasSubstr("i"));
  EXPECT_THAT(Ask("PRAGMA foreign_key_list(t)"), HasSubstr("y"));
  EXPECT_EQ(Ask("PRAGMA quick_check"), "ok ");
  EXPECT_THAT(Ask("PRAGMA table_list"), HasSubstr("main t table"));
  EXPECT_THAT(Ask("SELECT name FROM pragma_table_xinfo('t')"), "x y ");
  EXPECT_EQ(Ask("PRAGMA optimize"), "");
}

TEST_F(RequestConnectionTest, NothingOfARequestIsLeftForTheNext) {
  ASSERT_EQ(Ask("CREATE TABLE t (x INTEGER PRIMARY KEY); INSERT INTO t VALUES (7), (8)"), "");
  EXPECT_EQ(Ask("SELECT changes(), total_changes(), last_insert_rowid()"), "0 0 0 ");
  EXPECT_EQ(Ask("INSERT INTO t VALUES (9); SELECT changes(), total_changes(), last_insert_rowid()"),
            "1 1 9 ");
  EXPECT_EQ(Ask("PRAGMA case_sensitive_like = ON; SELECT 'a' LIKE 'A'"), "0 ");
  EXPECT_EQ(Ask("SELECT 'a' LIKE 'A'"), "1 ");
  EXPECT_EQ(Ask("PRAGMA recursive_triggers = ON; PRAGMA recursive_triggers"), "1 ");
  EXPECT_EQ(Ask("PRAGMA recursive_triggers"), "0 ");
  EXPECT_TRUE(ValueOf(reader_->RunIfReading(
      test_.context(), std::vector<SqlText>{{"PRAGMA recursive_triggers = ON", {}}})));
  EXPECT_EQ(Told(ValueOf(reader_->Run(test_.context(),
                                      std::vector<SqlText>{{"PRAGMA recursive_triggers", {}}}))),
            "0 ");
}

TEST_F(RequestConnectionTest, ForeignKeysHoldAndCanBeDeferredToTheEndOfTheRequest) {
  ASSERT_EQ(Ask("CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE c (p REFERENCES p)"), "");
  EXPECT_EQ(Ask("INSERT INTO c VALUES (1)"), "FOREIGN KEY constraint failed: SQLITE_CONSTRAINT");
  EXPECT_EQ(
      Ask("PRAGMA defer_foreign_keys = ON; INSERT INTO c VALUES (1); INSERT INTO p VALUES (1)"),
      "");
  EXPECT_EQ(Ask("PRAGMA defer_foreign_keys = ON; INSERT INTO c VALUES (2)"),
            "FOREIGN KEY constraint failed: SQLITE_CONSTRAINT");
  EXPECT_EQ(Ask("SELECT count(*) FROM c"), "1 ");
}

TEST_F(RequestConnectionTest, CountsRowsReadAndWritten) {
  ASSERT_EQ(Ask("CREATE TABLE t (x INTEGER PRIMARY KEY, y, z); CREATE INDEX i ON t (y)"), "");
  SqlAnswer answer =
      Run({{"INSERT INTO t SELECT value, value % 10, 'z' FROM json_each("
            "(SELECT json_group_array(value) FROM (WITH RECURSIVE n(value) AS (SELECT 1"
            " UNION ALL SELECT value + 1 FROM n WHERE value < 100) SELECT * FROM n)))",
            {}}});
  ASSERT_FALSE(answer.error);
  EXPECT_EQ(answer.results[0].changes, 100);
  EXPECT_EQ(answer.results[0].rows_written, 200) << "a row and its entry in the index";
  EXPECT_EQ(answer.results[0].last_row_id, 100);
  answer = Run({{"SELECT * FROM t WHERE z = 'none'", {}}});
  EXPECT_EQ(answer.results[0].rows_read, 100);
  answer = Run({{"SELECT * FROM t WHERE y = 3", {}}});
  EXPECT_EQ(answer.results[0].rows_read, 10);
  EXPECT_EQ(answer.results[0].changes, 0);
  answer = Run({{"SELECT * FROM t WHERE x = 3", {}}});
  EXPECT_EQ(answer.results[0].rows_read, 1);
  answer = Run({{"DELETE FROM t", {}}});
  EXPECT_EQ(answer.results[0].rows_written, 200);
  EXPECT_EQ(answer.results[0].changes, 100);
}

TEST_F(RequestConnectionTest, EnforcesItsLimits) {
  SqlLimits limits;
  EXPECT_EQ(limits.statement_bytes_max, 100'000);
  EXPECT_EQ(limits.parameters_max, 100);
  EXPECT_EQ(limits.columns_max, 100);
  EXPECT_EQ(limits.value_bytes_max, 2'000'000);
  EXPECT_EQ(limits.like_pattern_bytes_max, 50);
  EXPECT_EQ(limits.request_ms_max, 30'000);
  const auto blank = [](size_t size) { return "SELECT 1" + std::string(size - 8, ' '); };
  EXPECT_EQ(Ask(blank(99'999)), "1 ");
  EXPECT_THAT(Ask("SELECT '" + std::string(100'001, 'x') + "'"), HasSubstr("SQLITE_TOOBIG"));
  EXPECT_EQ(Ask("SELECT length(?)", {std::string(1'999'000, 'x')}), "1999000 ");
  EXPECT_THAT(Ask("SELECT length(?)", {std::string(2'000'001, 'x')}), HasSubstr("SQLITE_TOOBIG"));
  std::string columns = "a0";
  for (int i = 1; i < 100; ++i) columns += ", a" + std::to_string(i);
  EXPECT_EQ(Ask("CREATE TABLE w (" + columns + ")"), "");
  EXPECT_THAT(Ask("CREATE TABLE v (" + columns + ", more)"), HasSubstr("too many columns"));
  EXPECT_THAT(Ask("SELECT ?101"), HasSubstr("SQLITE_ERROR"));
  EXPECT_EQ(Ask("SELECT 'x' LIKE ?", {std::string(50, '%')}), "1 ");
  EXPECT_THAT(Ask("SELECT 'x' LIKE ?", {std::string(51, '%')}), HasSubstr("pattern too complex"));
  limits.answer_bytes_max = 1000;
  limits.statements_max = 3;
  limits.database_bytes_max = 40 * 4096;
  Connect(limits);
  EXPECT_THAT(Ask("SELECT ?", {std::string(2000, 'x')}), HasSubstr("SQLITE_TOOBIG"));
  EXPECT_THAT(Ask("SELECT 1; SELECT 1; SELECT 1; SELECT 1"), HasSubstr("3 statements"));
  EXPECT_EQ(Ask("CREATE TABLE big (x)"), "");
  EXPECT_THAT(Ask("INSERT INTO big VALUES (zeroblob(400000))"), HasSubstr("SQLITE_FULL"));
}

TEST_F(RequestConnectionTest, EndsARequestThatTakesTooLong) {
  SqlLimits limits;
  limits.request_ms_max = 1;
  Connect(limits);
  const auto clock = MakeSystemClock();
  Context ctx = test_.context();
  ctx.clock = clock.get();
  const std::vector<SqlText> endless = {
      {"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT sum(i) FROM n", {}}};
  const SqlAnswer answer = ValueOf(writer_->Run(ctx, endless));
  EXPECT_THAT(answer.error->message, HasSubstr("SQLITE_INTERRUPT"));
  test_.stop.request_stop();
  EXPECT_THAT(reader_->Run(ctx, endless), FailsWith(FaultCode::kStopped));
}

TEST_F(RequestConnectionTest, AReaderReadsAndDoesNotWrite) {
  ASSERT_EQ(Ask("CREATE TABLE t (x); INSERT INTO t VALUES (1)"), "");
  const std::vector<SqlText> read = {{"SELECT x FROM t", {}}}, write = {{"DELETE FROM t", {}}};
  EXPECT_EQ(Told(*ValueOf(reader_->RunIfReading(test_.context(), read))), "1 ");
  for (const char* sql : {"DELETE FROM t", "SELEC", "SELECT x FROM none", "SELECT 1; DELETE FROM t",
                          "SELECT 1; SELEC", "SELECT x FROM t; CREATE TABLE u (x)",
                          "PRAGMA foreign_keys = OFF; DELETE FROM t", "ATTACH 'a' AS b"}) {
    EXPECT_FALSE(ValueOf(reader_->RunIfReading(test_.context(), std::vector<SqlText>{{sql, {}}})))
        << sql;
  }
  for (const auto& [sql, said] : std::vector<std::pair<std::string, std::string>>{
           {"SELECT ';' ; -- the end", "; "},
           {"SELECT 1; SELECT x + 1 FROM t;", "1 2 "},
           {"SELECT 'a' LIKE 'A'; PRAGMA case_sensitive_like = ON", "1 "},
           {"SELECT 'a' LIKE 'A'", "1 "},
           {"-- only this", "No SQL statements detected."},
           {"SELECT 9223372036854775807 + abs(-9223372036854775807 - 1)",
            "integer overflow: SQLITE_ERROR"}}) {
    EXPECT_EQ(
        Told(*ValueOf(reader_->RunIfReading(test_.context(), std::vector<SqlText>{{sql, {}}}))),
        said);
  }
  EXPECT_EQ(Told(ValueOf(reader_->Run(test_.context(), read))), "1 ");
  EXPECT_THAT(Told(ValueOf(reader_->Run(test_.context(), write))), HasSubstr("SQLITE_READONLY"));
  EXPECT_EQ(Ask("SELECT x FROM t"), "1 ");
}

TEST_F(RequestConnectionTest, HasTheFunctionsOfWorkerd) {
  EXPECT_EQ(Ask("SELECT concat('a', 1), string_agg(value, '-'), json(jsonb('{\"a\":1}')), "
                "round(sin(0)), sqlite_version() >= '3.54' FROM json_each('[1,2]')"),
            "a1 1-2 {\"a\":1} 0 1 ");
  EXPECT_EQ(
      Ask("CREATE VIRTUAL TABLE f USING fts5(body); INSERT INTO f VALUES ('one two'), ('three');"
          "SELECT body FROM f WHERE f MATCH 'two'"),
      "one two ");
  EXPECT_EQ(Ask("CREATE TABLE d (id INTEGER PRIMARY KEY, body);"
                "CREATE VIRTUAL TABLE df USING fts5(body, content = 'd', content_rowid = 'id');"
                "CREATE TRIGGER di AFTER INSERT ON d BEGIN"
                " INSERT INTO df (rowid, body) VALUES (new.id, new.body); END;"
                "INSERT INTO d (body) VALUES ('quick fox'), ('slow snail');"
                "SELECT rowid FROM df WHERE df MATCH 'snail'"),
            "2 ")
      << "search kept by triggers";
  EXPECT_THAT(Ask("PRAGMA function_list"), testing::Not(HasSubstr("load_extension")));
}

TEST_F(RequestConnectionTest, ACommitThatIsNotKeptFailsTheRequest) {
  ASSERT_EQ(Ask("CREATE TABLE t (x)"), "");
  sink_.failure = Fault(FaultCode::kTargetIo, "the disk is gone");
  EXPECT_THAT(writer_->Run(test_.context(), std::vector<SqlText>{{"INSERT INTO t VALUES (1)", {}}}),
              FailsWith(FaultCode::kTargetIo));
}

TEST_F(RequestConnectionTest, ExportsWhatAnySqliteOpens) {
  const os::TemporaryDirectory directory;
  ASSERT_EQ(Ask("CREATE TABLE t (x); INSERT INTO t VALUES ('kept')"), "");
  const std::string path = directory / "a b?.db";
  ASSERT_THAT(reader_->ExportTo(test_.context(), path), IsOk());
  const auto system = os::MakeSystemDisk();
  const auto content = ValueOf(os::ReadFile(*system, path, 1 << 20));
  ASSERT_TRUE(content);
  EXPECT_EQ((*content)[20], 0) << "reserved bytes";
  EXPECT_THAT(*content, HasSubstr("kept"));
  EXPECT_THAT(
      Told(ValueOf(reader_->Run(test_.context(), std::vector<SqlText>{{"DELETE FROM t", {}}}))),
      HasSubstr("SQLITE_READONLY"));
}

TEST_F(RequestConnectionTest, ACheckpointWaitsForNobody) {
  ASSERT_EQ(Ask("CREATE TABLE t (x)"), "");
  EXPECT_GT(files_->log_bytes(), 0);
  EXPECT_TRUE(ValueOf(writer_->Checkpoint()));
  EXPECT_EQ(files_->log_bytes(), 0);
}

TEST_F(RequestConnectionTest, ReadersDoNotSeeWhatIsHeldBack) {
  EXPECT_EQ(Ask("CREATE TABLE t (x); INSERT INTO t VALUES (0)"), "");
  const auto read = [&](const std::string& sql) {
    return Told(ValueOf(reader_->Run(test_.context(), std::vector<SqlText>{{sql, {}}})));
  };
  for (int round = 0; round < 3; ++round) {
    const std::string before = std::to_string(round + 1) + " ";
    const int64_t size =
        ValueOf(reader_->Run(test_.context(), std::vector<SqlText>{{"SELECT count(*) FROM t", {}}}))
            .size_bytes;
    EXPECT_TRUE(ValueOf(writer_->HoldBack()));
    EXPECT_EQ(read("SELECT count(*) FROM t"), before);
    EXPECT_EQ(Ask("INSERT INTO t VALUES (zeroblob(9000))"), "");
    EXPECT_EQ(Ask("CREATE TABLE u (x); DROP TABLE t; ALTER TABLE u RENAME TO t"), "");
    EXPECT_EQ(Ask("SELECT count(*) FROM t"), "0 ") << "the writer builds on it";
    const SqlAnswer seen = ValueOf(
        reader_->Run(test_.context(), std::vector<SqlText>{{"SELECT count(*) FROM t", {}}}));
    EXPECT_EQ(Told(seen), before);
    EXPECT_EQ(seen.size_bytes, size);
    for (int i = 0; i < round + 2; ++i) EXPECT_EQ(Ask("INSERT INTO t VALUES (1)"), "");
    EXPECT_EQ(read("SELECT count(*) FROM t"), before);
    writer_->Publish();
    EXPECT_EQ(read("SELECT count(*) FROM t"), std::to_string(round + 2) + " ");
    if (round == 1) {
      EXPECT_TRUE(ValueOf(writer_->Checkpoint()));
    }
  }
}

TEST_F(RequestConnectionTest, NothingIsHeldBackBeforeSomethingWasWrittenOrWhileSomebodyExports) {
  EXPECT_FALSE(ValueOf(writer_->HoldBack()));
  EXPECT_EQ(Ask("CREATE TABLE t (x)"), "");
  ASSERT_THAT(files_->gate().Pass({}), IsOk());
  EXPECT_FALSE(ValueOf(writer_->HoldBack()));
  files_->gate().Leave();
  EXPECT_TRUE(ValueOf(writer_->HoldBack()));
  writer_->Publish();
}

TEST_F(RequestConnectionTest, AReaderWaitsWhereTheLogBeganAnew) {
  EXPECT_EQ(Ask("CREATE TABLE t (x)"), "");
  // All of the log is in the file, but a reader keeps it from being cut.
  const std::vector<SqlText> count{{"SELECT count(*) FROM t", {}}};
  for (const bool is_published : {true, false}) {
    SCOPED_TRACE(is_published);
    EXPECT_EQ(Ask("INSERT INTO t VALUES (1)"), "");
    sqlite3* raw = nullptr;
    ASSERT_EQ(sqlite3_open_v2(files_->path().c_str(), &raw,
                              SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, files_->vfs_name()),
              SQLITE_OK);
    sqlite3_db_config(raw, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    ASSERT_EQ(sqlite3_exec(raw, "BEGIN; SELECT * FROM t", nullptr, nullptr, nullptr), SQLITE_OK);
    EXPECT_TRUE(ValueOf(writer_->Checkpoint()));
    ASSERT_EQ(sqlite3_exec(raw, "COMMIT", nullptr, nullptr, nullptr), SQLITE_OK);
    sqlite3_close(raw);

    EXPECT_TRUE(ValueOf(writer_->HoldBack()));
    EXPECT_EQ(Ask("INSERT INTO t VALUES (2)"), "");
    std::promise<Result<SqlAnswer>> read;
    std::thread thread([&] { read.set_value(reader_->Run(test_.context(), count)); });
    auto answer = read.get_future();
    EXPECT_EQ(answer.wait_for(std::chrono::milliseconds(20)), std::future_status::timeout);
    if (is_published) {
      writer_->Publish();
      EXPECT_EQ(Told(ValueOf(answer.get())), "2 ");
    } else {
      writer_->GiveUp();
      EXPECT_THAT(answer.get(), FailsWith(FaultCode::kStopped));
    }
    thread.join();
  }
}

}  // namespace
}  // namespace levada::db::sqlite
