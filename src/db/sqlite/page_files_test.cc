#include "db/sqlite/page_files.h"

#include <sqlite3.h>

#include <atomic>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "base/testing.h"
#include "os/faulty_disk.h"
#include "os/memory_disk.h"
#include "os/temporary_directory.h"

namespace levada::db::sqlite {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

/// Keeps all pages, as a history does.
class PageMap final : public CommitSink {
 public:
  Status Keep(const CommittedPages& pages) override {
    ARROW_RETURN_NOT_OK(failure);
    ++commits;
    for (const uint32_t number : pages.numbers()) {
      PageBytes page;
      ARROW_RETURN_NOT_OK(pages.Read(number, page));
      content[number] = page;
    }
    page_count = pages.page_count();
    std::erase_if(content, [&](const auto& entry) { return entry.first > page_count; });
    return Status::OK();
  }
  Status failure;
  int commits = 0;
  uint32_t page_count = 1;
  std::map<uint32_t, PageBytes> content;
};

class Connection final {
 public:
  explicit Connection(const PageFiles& files, bool is_damaged = false) {
    const int code = sqlite3_open_v2(files.path().c_str(), &db_,
                                     SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, files.vfs_name());
    if (is_damaged) return;
    EXPECT_EQ(code, SQLITE_OK);
    sqlite3_db_config(db_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    EXPECT_EQ(Do("PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0"), SQLITE_OK);
  }
  ~Connection() { sqlite3_close(db_); }

  int Do(const std::string& sql) {
    return sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr);
  }
  /// The cells of the first row, joined; or the error.
  std::string Ask(const std::string& sql) {
    std::string row;
    const auto keep = [](void* out, int count, char** cells, char**) {
      for (int i = 0; i < count; ++i)
        *static_cast<std::string*>(out) += cells[i] ? cells[i] : "NULL";
      return 0;
    };
    const int code = sqlite3_exec(db_, sql.c_str(), keep, &row, nullptr);
    return code == SQLITE_OK ? row : std::string("error: ") + sqlite3_errmsg(db_);
  }
  int Checkpoint() {
    return sqlite3_wal_checkpoint_v2(db_, "main", SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
  }
  sqlite3* get() { return db_; }

 private:
  sqlite3* db_ = nullptr;
};

void WriteEmptyDatabase(os::Disk& disk, const std::string& path) {
  const auto file = ValueOf(disk.OpenMutable(path));
  ASSERT_THAT(file->WriteAt(0, EmptyDatabase()), IsOk());
  ASSERT_THAT(file->Sync(), IsOk());
  ASSERT_THAT(disk.SyncDirectory(os::ParentPath(path)), IsOk());
}

void FlipBit(os::Disk& disk, const std::string& path, int64_t offset) {
  const auto file = ValueOf(disk.OpenMutable(path));
  std::array<uint8_t, 1> byte{};
  ASSERT_EQ(ValueOf(file->ReadAt(offset, byte)), 1);
  byte[0] ^= 0x10;
  ASSERT_THAT(file->WriteAt(offset, byte), IsOk());
}

class PageFilesTest : public testing::Test {
 protected:
  void SetUp() override {
    WriteEmptyDatabase(memory_, "db");
    Reopen();
  }
  void Reopen() {
    files_.reset();
    files_ = ValueOf(PageFiles::Open(disk_, "db", "shop", sink_));
  }

  os::MemoryDisk memory_;
  os::FaultyDisk disk_{memory_};
  PageMap sink_;
  std::unique_ptr<PageFiles> files_;
};

constexpr const char* kRows =
    "CREATE TABLE t (id INTEGER PRIMARY KEY, x TEXT);"
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)"
    " INSERT INTO t SELECT i, printf('row %d', i) FROM n";

TEST_F(PageFilesTest, AnEmptyDatabaseIsOneForSqlite) {
  Connection db(*files_);
  EXPECT_EQ(db.Ask("PRAGMA integrity_check"), "ok");
  EXPECT_EQ(db.Ask("PRAGMA journal_mode"), "wal");
  EXPECT_EQ(db.Ask("PRAGMA page_size"), "4096");
  EXPECT_EQ(db.Ask("PRAGMA encoding"), "UTF-8");
}

TEST_F(PageFilesTest, WritesAreReadByOtherConnectionsBeforeAndAfterACheckpoint) {
  Connection writer(*files_), reader(*files_);
  ASSERT_EQ(writer.Do(kRows), SQLITE_OK);
  EXPECT_EQ(reader.Ask("SELECT count(*), x FROM t WHERE id > 1990"), "10row 1991");
  EXPECT_EQ(sink_.commits, 2);
  EXPECT_EQ(writer.Checkpoint(), SQLITE_OK);
  EXPECT_EQ(files_->log_bytes(), 0);
  EXPECT_EQ(reader.Ask("SELECT count(*) FROM t"), "2000");
  EXPECT_EQ(reader.Ask("PRAGMA integrity_check"), "ok");
  EXPECT_FALSE(files_->TakeFailure());
}

TEST_F(PageFilesTest, AReaderKeepsItsSnapshotWhileAnotherCommits) {
  Connection writer(*files_), reader(*files_);
  ASSERT_EQ(writer.Do(kRows), SQLITE_OK);
  ASSERT_EQ(reader.Do("BEGIN"), SQLITE_OK);
  EXPECT_EQ(reader.Ask("SELECT count(*) FROM t"), "2000");
  ASSERT_EQ(writer.Do("DELETE FROM t"), SQLITE_OK);
  EXPECT_EQ(reader.Ask("SELECT count(*) FROM t"), "2000");
  EXPECT_EQ(writer.Checkpoint(), SQLITE_BUSY) << "the reader still needs the frames";
  ASSERT_EQ(reader.Do("COMMIT"), SQLITE_OK);
  EXPECT_EQ(reader.Ask("SELECT count(*) FROM t"), "0");
  EXPECT_EQ(writer.Checkpoint(), SQLITE_OK);
}

TEST_F(PageFilesTest, TheSinkHasWhatWasCommittedAndNothingElse) {
  Connection db(*files_);
  // A cache of few pages: the transactions are written before they end.
  ASSERT_EQ(db.Do("PRAGMA cache_size = 5"), SQLITE_OK);
  ASSERT_EQ(db.Do(kRows), SQLITE_OK);
  ASSERT_EQ(db.Do("BEGIN; UPDATE t SET x = x || x; SAVEPOINT a; DELETE FROM t; ROLLBACK TO a;"
                  "UPDATE t SET x = x || 'y'; COMMIT"),
            SQLITE_OK);
  ASSERT_EQ(db.Do("BEGIN; UPDATE t SET x = 'lost'; DELETE FROM t WHERE id > 5; ROLLBACK"),
            SQLITE_OK);
  ASSERT_EQ(db.Do("DELETE FROM t WHERE id = 7"), SQLITE_OK);
  const std::string expected = db.Ask("SELECT count(*), sum(length(x)), max(x) FROM t");
  EXPECT_EQ(sink_.commits, 4);
  // The pages that the sink kept are the database.
  {
    const auto file = ValueOf(memory_.OpenMutable("copy"));
    for (auto [number, page] : sink_.content) {
      StampPage(number, page);
      ASSERT_THAT(file->WriteAt((int64_t{number} - 1) * int64_t{kPageBytes}, page), IsOk());
    }
  }
  PageMap unused;
  const auto copied = ValueOf(PageFiles::Open(memory_, "copy", "copy", unused));
  Connection copy(*copied);
  EXPECT_EQ(copy.Ask("SELECT count(*), sum(length(x)), max(x) FROM t"), expected);
  EXPECT_EQ(copy.Ask("PRAGMA integrity_check"), "ok");
}

TEST_F(PageFilesTest, ACommitThatTheSinkRefusesFails) {
  Connection db(*files_), reader(*files_);
  ASSERT_EQ(db.Do(kRows), SQLITE_OK);
  sink_.failure = Fault(FaultCode::kDiskFull, "no room");
  EXPECT_EQ(db.Do("DELETE FROM t"), SQLITE_FULL);
  EXPECT_THAT(*files_->TakeFailure(), FailsWith(FaultCode::kDiskFull));
  EXPECT_EQ(reader.Ask("SELECT count(*) FROM t"), "2000");
  sink_.failure = Status::OK();
  EXPECT_NE(db.Do("DELETE FROM t"), SQLITE_OK) << "what the sink has is not known any more";
}

TEST_F(PageFilesTest, NamesThePageWhoseBitFlipped) {
  {
    Connection db(*files_);
    ASSERT_EQ(db.Do(kRows), SQLITE_OK);
    ASSERT_EQ(db.Checkpoint(), SQLITE_OK);
  }
  const int64_t size = ValueOf(ValueOf(memory_.Open("db"))->Size());
  for (int64_t page = 0; page < size / int64_t{kPageBytes}; ++page) {
    const int64_t bit = page * int64_t{kPageBytes} + page * 397 % int64_t{kPageBytes};
    FlipBit(memory_, "db", bit);
    {
      Connection db(*files_, /*is_damaged=*/true);
      const std::string said =
          db.Ask("PRAGMA integrity_check") + db.Ask("SELECT sum(length(x)) FROM t");
      EXPECT_THAT(said, HasSubstr("malformed")) << "page " << page + 1;
      const auto failure = files_->TakeFailure();
      ASSERT_TRUE(failure);
      EXPECT_THAT(*failure,
                  FailsWith(FaultCode::kStoreDamaged,
                            HasSubstr("\"shop\": page " + std::to_string(page + 1) + " ")));
    }
    FlipBit(memory_, "db", bit);
  }
}

TEST_F(PageFilesTest, NamesThePageWhoseBitFlippedInTheLog) {
  Connection writer(*files_);
  ASSERT_EQ(writer.Do(kRows), SQLITE_OK);
  const int64_t last = files_->log_bytes() - 100;
  FlipBit(memory_, "db-wal", last);
  Connection reader(*files_);
  EXPECT_THAT(reader.Ask("SELECT sum(length(x)) FROM t"), HasSubstr("malformed"));
  EXPECT_THAT(*files_->TakeFailure(), FailsWith(FaultCode::kStoreDamaged, HasSubstr("of the log")));
}

TEST_F(PageFilesTest, PagesInEachOthersPlaceAreFound) {
  {
    Connection db(*files_);
    ASSERT_EQ(db.Do(kRows), SQLITE_OK);
    ASSERT_EQ(db.Checkpoint(), SQLITE_OK);
  }
  PageBytes page;
  const auto file = ValueOf(memory_.OpenMutable("db"));
  ASSERT_THAT(file->ReadAt(3 * int64_t{kPageBytes}, page), IsOk());
  ASSERT_THAT(file->WriteAt(4 * int64_t{kPageBytes}, page), IsOk());
  Connection db(*files_);
  EXPECT_THAT(db.Ask("SELECT sum(length(x)) FROM t"), HasSubstr("malformed"));
  EXPECT_THAT(*files_->TakeFailure(), FailsWith(FaultCode::kStoreDamaged, HasSubstr("page 5")));
}

TEST_F(PageFilesTest, AFaultOfTheDiskEndsAStatementAndIsKept) {
  Connection db(*files_);
  ASSERT_EQ(db.Do(kRows), SQLITE_OK);
  disk_.Arm({.operations = {os::DiskOperation::kWriteAt}, .error = EIO});
  EXPECT_EQ(db.Do("DELETE FROM t"), SQLITE_IOERR);
  EXPECT_THAT(*files_->TakeFailure(), FailsWith(FaultCode::kTargetIo));
}

TEST_F(PageFilesTest, AReadThatFailsIsAnErrorAndNeverAnotherAnswer) {
  {
    Connection db(*files_);
    ASSERT_EQ(db.Do(kRows), SQLITE_OK);
    ASSERT_EQ(db.Checkpoint(), SQLITE_OK);
    ASSERT_EQ(db.Do("UPDATE t SET x = 'new' WHERE id % 100 = 0"), SQLITE_OK);
  }
  const std::string sql = "SELECT count(*), sum(length(x)) FROM t";
  const std::string answer = Connection(*files_).Ask(sql);
  int failed = 0;
  for (int64_t nth = 1;; ++nth) {
    Connection db(*files_);
    disk_.Arm({.operations = {os::DiskOperation::kRead}, .nth = nth});
    const std::string said = db.Ask(sql);
    const bool fired = disk_.fired();
    disk_.Disarm();
    if (!fired) {
      EXPECT_EQ(said, answer);
      break;
    }
    ++failed;
    EXPECT_THAT(said, HasSubstr("error")) << nth;
    EXPECT_THAT(*files_->TakeFailure(), FailsWith(FaultCode::kTargetIo));
    EXPECT_EQ(db.Ask(sql), answer) << "once the disk is well again";
  }
  EXPECT_GT(failed, 5);
}

TEST_F(PageFilesTest, AnExportIsAPlainFileWithoutChecksums) {
  const os::TemporaryDirectory directory;
  {
    Connection db(*files_);
    ASSERT_EQ(db.Do(kRows), SQLITE_OK);
    ASSERT_EQ(db.Ask("VACUUM INTO 'file:" + (directory / "out.db") + "?reserve=0'"), "");
  }
  sqlite3* plain = nullptr;
  ASSERT_EQ(sqlite3_open_v2((directory / "out.db").c_str(), &plain, SQLITE_OPEN_READONLY, nullptr),
            SQLITE_OK);
  int reserved = -1;
  EXPECT_EQ(sqlite3_exec(plain, "SELECT count(*) FROM t", nullptr, nullptr, nullptr), SQLITE_OK);
  EXPECT_EQ(sqlite3_file_control(plain, "main", SQLITE_FCNTL_RESERVE_BYTES, &reserved), SQLITE_OK);
  sqlite3_close(plain);
  const auto system = os::MakeSystemDisk();
  const auto content = ValueOf(os::ReadFile(*system, directory / "out.db", 1 << 22));
  EXPECT_EQ((*content)[20], 0) << "no bytes are reserved";
  EXPECT_EQ((*content)[18], 1) << "no write-ahead log is needed";
}

TEST_F(PageFilesTest, ReadersOnOtherThreadsSeeWholeTransactions) {
  Connection writer(*files_);
  ASSERT_EQ(
      writer.Do("CREATE TABLE t (id INTEGER PRIMARY KEY, x); INSERT INTO t VALUES (1, 0), (2, 0)"),
      SQLITE_OK);
  std::atomic<bool> is_over = false;
  std::atomic<int> torn = 0, read = 0;
  const auto look = [&] {
    Connection reader(*files_);
    while (!is_over) {
      const std::string said = reader.Ask("SELECT max(x) - min(x) FROM t");
      if (said != "0") ++torn;
      ++read;
    }
  };
  std::thread first(look), second(look);
  for (int i = 0; i < 300 || read < 20; ++i) {
    EXPECT_EQ(writer.Do("BEGIN; UPDATE t SET x = x + 1 WHERE id = 1;"
                        "UPDATE t SET x = x + 1 WHERE id = 2; COMMIT"),
              SQLITE_OK);
    if (i % 20 == 0) (void)writer.Checkpoint();
  }
  is_over = true;
  first.join();
  second.join();
  EXPECT_EQ(torn, 0);
  EXPECT_FALSE(files_->TakeFailure());
}

}  // namespace
}  // namespace levada::db::sqlite
