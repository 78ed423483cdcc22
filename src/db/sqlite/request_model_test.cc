// Random statements, run as requests on a database of ours and by plain SQLite on one in memory:
// rows, changes, row ids and complaints are the same. Between them the database is checkpointed,
// its connections are opened anew, and pages are spilled while a transaction runs.

#include <fmt/format.h>
#include <sqlite3.h>

#include <string>
#include <vector>

#include "base/testing.h"
#include "db/sqlite/request_connection.h"
#include "os/memory_disk.h"

namespace levada::db::sqlite {
namespace {

class NoSink final : public CommitSink {
 public:
  Status Keep(const CommittedPages&) override { return Status::OK(); }
};

std::string Show(const SqlValue& value) {
  if (const auto* integer = std::get_if<int64_t>(&value)) return std::to_string(*integer);
  if (const auto* real = std::get_if<double>(&value)) return fmt::format("{:.17g}", *real);
  if (const auto* text = std::get_if<std::string>(&value)) return "'" + *text + "'";
  if (const auto* blob = std::get_if<Blob>(&value)) return fmt::format("x{}", blob->size());
  return "NULL";
}

/// Plain SQLite: a transaction of some statements, all or nothing.
class Plain final {
 public:
  Plain() {
    EXPECT_EQ(sqlite3_open(":memory:", &db_), SQLITE_OK);
    Do("PRAGMA foreign_keys = ON");
  }
  ~Plain() { sqlite3_close(db_); }

  std::string Run(const std::vector<std::string>& statements) {
    Do("BEGIN");
    sqlite3_set_last_insert_rowid(db_, 0);
    std::string told;
    for (const std::string& sql : statements) {
      if (!RunOne(sql, told)) {
        const std::string complaint = sqlite3_errmsg(db_);
        if (sqlite3_get_autocommit(db_) == 0) Do("ROLLBACK");
        return "! " + complaint;
      }
    }
    Do("COMMIT");
    return told;
  }

 private:
  void Do(const char* sql) { sqlite3_exec(db_, sql, nullptr, nullptr, nullptr); }
  bool RunOne(const std::string& sql, std::string& told) {
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v2(db_, sql.c_str(), -1, &statement, nullptr) != SQLITE_OK) return false;
    const int64_t before = sqlite3_total_changes64(db_);
    int code;
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
      for (int i = 0; i < sqlite3_column_count(statement); ++i) {
        const int size = sqlite3_column_bytes(statement, i);
        switch (sqlite3_column_type(statement, i)) {
          case SQLITE_INTEGER:
            told += std::to_string(sqlite3_column_int64(statement, i));
            break;
          case SQLITE_FLOAT:
            told += fmt::format("{:.17g}", sqlite3_column_double(statement, i));
            break;
          case SQLITE_TEXT:
            told += fmt::format("'{}'",
                                reinterpret_cast<const char*>(sqlite3_column_text(statement, i)));
            break;
          case SQLITE_BLOB:
            told += fmt::format("x{}", size);
            break;
          default:
            told += "NULL";
        }
        told += ' ';
      }
    }
    if (code == SQLITE_DONE) {
      const bool changed = sqlite3_total_changes64(db_) != before;
      told += fmt::format("[{} {}]", changed ? sqlite3_changes64(db_) : 0,
                          sqlite3_last_insert_rowid(db_));
    }
    sqlite3_finalize(statement);
    return code == SQLITE_DONE;
  }

  sqlite3* db_ = nullptr;
};

std::string RandomStatement(Random& random) {
  const auto number = [&](uint64_t below) { return static_cast<int64_t>(random.Next() % below); };
  const std::string table = number(2) == 0 ? "a" : "b";
  const int64_t id = number(60);
  switch (number(16)) {
    case 0:
      return "CREATE TABLE IF NOT EXISTS a (id INTEGER PRIMARY KEY, x, y TEXT UNIQUE)";
    case 1:
      return "CREATE TABLE IF NOT EXISTS b (id INTEGER PRIMARY KEY, x REFERENCES a, y CHECK (y <> "
             "'no'))";
    case 2:
      return fmt::format("CREATE INDEX IF NOT EXISTS i{} ON {} (x)", number(3), table);
    case 3:
      return number(4) == 0 ? "DROP TABLE IF EXISTS b" : "DROP INDEX IF EXISTS i1";
    case 4:
      return fmt::format("INSERT OR REPLACE INTO {} VALUES ({}, {}, 'v{}')", table, id, number(60),
                         id);
    case 5:
      return fmt::format("UPDATE {} SET x = x + 1, y = y || 'z' WHERE id < {}", table, id);
    case 6:
      return fmt::format("DELETE FROM {} WHERE id > {}", table, id + 20);
    case 7:
      return fmt::format("SELECT count(*), sum(x), max(y), avg(x) FROM {} WHERE x > {}", table, id);
    case 8:
      return fmt::format("SELECT * FROM {} ORDER BY id LIMIT 5 OFFSET {}", table, number(5));
    case 9:
      return fmt::format("INSERT INTO {} (x, y) SELECT x, y || '{}' FROM {} WHERE id % 7 = 1",
                         table, number(9), table);
    case 10:
      return fmt::format("UPDATE {} SET x = zeroblob({}) WHERE id = {}", table, number(20'000), id);
    case 11:
      return "SELECT a.id, b.id FROM a JOIN b ON a.id = b.x ORDER BY 1, 2 LIMIT 4";
    case 12:
      return fmt::format("INSERT INTO {} VALUES ({}, NULL, 'no')", table, id);
    case 13:
      return "SELEC 1";
    default:
      return fmt::format("INSERT INTO {} (x, y) VALUES ({}, hex(zeroblob({})) || {}) RETURNING id",
                         table, number(40), number(3000), number(1'000'000));
  }
}

TEST(RequestModel, RandomRequestsAreAnsweredAsByPlainSqlite) {
  for (uint64_t seed = 1; seed <= 4; ++seed) {
    const auto random = MakeSeededRandom(seed);
    TestContext test;
    os::MemoryDisk disk;
    NoSink sink;
    ASSERT_THAT(ValueOf(disk.OpenMutable("db"))->WriteAt(0, EmptyDatabase()), IsOk());
    auto files = ValueOf(PageFiles::Open(disk, "db", "model", sink));
    const auto connect = [&] {
      return ValueOf(RequestConnection::Open(*files, ConnectionKind::kWriter, {}));
    };
    auto writer = connect();
    Plain plain;
    int failed = 0, done = 0;
    for (int i = 0; i < 600; ++i) {
      std::vector<std::string> statements;
      std::vector<SqlText> request;
      for (uint64_t n = random->Next() % 3 + 1; n > 0; --n) {
        statements.push_back(RandomStatement(*random));
        request.push_back({statements.back(), {}});
      }
      const std::string expected = plain.Run(statements);
      const SqlAnswer answer = ValueOf(writer->Run(test.context(), request));
      std::string told;
      for (const SqlResult& result : answer.results) {
        for (const auto& row : result.rows) {
          for (const SqlValue& value : row) told += Show(value) + " ";
        }
        told += fmt::format("[{} {}]", result.changes, result.last_row_id);
      }
      if (answer.error) {
        EXPECT_THAT("! " + answer.error->message, testing::StartsWith(expected));
        ++failed;
      } else {
        ASSERT_EQ(told, expected) << "seed " << seed << ", request " << i << ": " << statements[0];
        ++done;
      }
      if (i % 37 == 0) {
        EXPECT_TRUE(ValueOf(writer->Checkpoint()));
      }
      if (i % 91 == 0) writer = connect();
    }
    EXPECT_GT(done, 200);
    EXPECT_GT(failed, 20);
    const std::vector<SqlText> check = {{"PRAGMA quick_check", {}}};
    EXPECT_EQ(Show(ValueOf(writer->Run(test.context(), check)).results[0].rows[0][0]), "'ok'");
  }
}

}  // namespace
}  // namespace levada::db::sqlite
