// Reads while another connection commits: what is read is one state of the database, whatever is
// written meanwhile, and nobody waits for ever.

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <set>
#include <thread>

#include "connectors/sqlite/sqlite_fixture.h"

namespace levada::sqlite {
namespace {

using testing::HasSubstr;

constexpr int64_t kAccounts = 4'000;
constexpr int64_t kSum = kAccounts * 100;

class ConcurrentWriterTest : public SqliteFixture {
 protected:
  ConcurrentWriterTest() { ctx_.clock = clock_.get(); }

  void MakeAccounts(bool wal) {
    auto writer = Writer(wal);
    ASSERT_THAT(
        writer->Execute(ctx_,
                        "CREATE TABLE accounts (id INTEGER PRIMARY KEY, amount INTEGER NOT "
                        "NULL); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM "
                        "n WHERE i < 4000) INSERT INTO accounts SELECT i * 7, 100 FROM n"),
        IsOk());
  }

  /// Moves amounts from row to row, one transaction each, until it is told to stop. What cannot be
  /// had for locks is tried again.
  void Move(const std::stop_token& stop, bool wal) {
    auto writer = Writer(wal);
    ASSERT_THAT(writer->Execute(ctx_, "PRAGMA synchronous = OFF"), IsOk());
    auto chance = MakeSeededRandom(1);
    while (!stop.stop_requested()) {
      const std::string from = std::to_string((chance->Next() % kAccounts + 1) * 7);
      const std::string to = std::to_string((chance->Next() % kAccounts + 1) * 7);
      const std::string amount = std::to_string(chance->Next() % 100);
      const Status moved = writer->Execute(
          ctx_, "BEGIN IMMEDIATE; UPDATE accounts SET amount = amount - " + amount +
                    " WHERE id = " + from + "; UPDATE accounts SET amount = amount + " + amount +
                    " WHERE id = " + to + "; COMMIT");
      if (moved.ok()) {
        commits_.fetch_add(1);
      } else {
        (void)writer->Execute(ctx_, "ROLLBACK");
      }
      // Without a log one who writes all the time keeps every reader out.
      if (!wal) clock_->SleepUntil(clock_->Steady() + std::chrono::milliseconds(5), stop);
    }
  }

  static int64_t SumOf(const std::vector<Read>& parts) {
    int64_t sum = 0;
    for (const Read& part : parts) {
      const auto column = part.table->GetColumnByName("amount");
      for (const auto& chunk : column->chunks()) {
        const auto& values = static_cast<const arrow::Int64Array&>(*chunk);
        for (int64_t i = 0; i < values.length(); ++i) sum += values.Value(i);
      }
    }
    return sum;
  }

  /// Reads again and again beside the writer; every time all is there and the sum is the same.
  void ReadBeside(const std::string& yaml, bool wal, int times) {
    MakeAccounts(wal);
    std::jthread writer([&](const std::stop_token& stop) { Move(stop, wal); });
    while (commits_.load() == 0) std::this_thread::yield();
    for (int i = 0; i < times; ++i) {
      const auto parts = TryReadParts(yaml);
      ASSERT_THAT(parts, IsOk());
      int64_t rows = 0;
      for (const Read& part : *parts) rows += part.end.rows_read;
      ASSERT_EQ(rows, kAccounts);
      ASSERT_EQ(SumOf(*parts), kSum) << "read " << i << " after " << commits_.load() << " commits";
    }
  }

  std::unique_ptr<Clock> clock_ = MakeSystemClock();
  std::atomic<int64_t> commits_{0};
};

TEST_F(ConcurrentWriterTest, SeesOneStateWithAWriteAheadLog) {
  ReadBeside("table: accounts\nbusy_timeout: 30s", /*wal=*/true, 12);
}

TEST_F(ConcurrentWriterTest, SeesOneStateWithSeveralConnections) {
  ReadBeside("table: accounts\nconnections: 4\nbusy_timeout: 30s", /*wal=*/true, 12);
}

TEST_F(ConcurrentWriterTest, SeesOneStateWithoutAWriteAheadLog) {
  ReadBeside("table: accounts\nbusy_timeout: 30s", /*wal=*/false, 8);
}

TEST_F(ConcurrentWriterTest, SeesOneStateWithSeveralConnectionsWithoutAWriteAheadLog) {
  ReadBeside("table: accounts\nconnections: 3\nbusy_timeout: 30s", /*wal=*/false, 8);
}

TEST_F(ConcurrentWriterTest, SeesOneMomentOfTwoFilesThatChangeTogether) {
  const std::string other = directory_ / "other.db";
  MakeAccounts(/*wal=*/true);
  const std::string main = std::exchange(path_, other);
  MakeAccounts(/*wal=*/true);
  path_ = main;
  std::jthread writer([&](const std::stop_token& stop) {
    auto both = Writer(/*wal=*/true);
    ASSERT_THAT(both->Execute(ctx_, "PRAGMA synchronous = OFF"), IsOk());
    ASSERT_THAT(both->Attach(ctx_, "other", other, false), IsOk());
    while (!stop.stop_requested()) {
      const std::string id = std::to_string((commits_.load() % kAccounts + 1) * 7);
      if (both->Execute(ctx_,
                        "BEGIN IMMEDIATE; UPDATE main.accounts SET amount = amount - 1 WHERE "
                        "id = " +
                            id + "; UPDATE other.accounts SET amount = amount + 1 WHERE id = " +
                            id + "; COMMIT")
              .ok()) {
        commits_.fetch_add(1);
      } else {
        (void)both->Execute(ctx_, "ROLLBACK");
      }
      // Commits to two files are two commits: the reader must find the time between a pair.
      clock_->SleepUntil(clock_->Steady() + std::chrono::milliseconds(2), stop);
    }
  });
  while (commits_.load() == 0) std::this_thread::yield();
  const std::string yaml = "attach: { other: \"" + other +
                           "\" }\nbusy_timeout: 30s\n"
                           "query: SELECT amount FROM main.accounts UNION ALL SELECT amount FROM "
                           "other.accounts";
  int same = 0;
  for (int i = 0; i < 20; ++i) {
    const auto parts = TryReadParts(yaml);
    ASSERT_THAT(parts, IsOk());
    // Between the two commits of one transaction nobody can look past: with write-ahead logs SQLite
    // does not make them one.
    same += std::abs(SumOf(*parts) - 2 * kSum) <= 1 ? 1 : 0;
  }
  EXPECT_EQ(same, 20);
}

TEST_F(ConcurrentWriterTest, SaysWhichStateItRead) {
  MakeAccounts(/*wal=*/true);
  const auto position = [&] {
    const auto parts = ValueOf(TryReadParts("table: accounts\npartition: { by: rowid, count: 3 }"));
    std::set<std::string> positions;
    for (const Read& part : parts) positions.insert(part.end.position);
    EXPECT_EQ(positions.size(), 1u) << "nobody wrote meanwhile";
    return *positions.begin();
  };
  const std::string idle = position();
  EXPECT_NE(idle, "");
  EXPECT_EQ(position(), idle);
  auto writer = Writer(/*wal=*/true);
  ASSERT_THAT(writer->Execute(ctx_, "UPDATE accounts SET amount = 1 WHERE id = 7"), IsOk());
  const std::string one = position();
  ASSERT_THAT(writer->Execute(ctx_, "UPDATE accounts SET amount = 2 WHERE id = 7"), IsOk());
  const std::string two = position();
  EXPECT_THAT((std::set<std::string>{idle, one, two}), testing::SizeIs(3));
  ASSERT_THAT(writer->Execute(ctx_, "PRAGMA journal_mode = DELETE"), IsOk());
  EXPECT_THAT(position(), HasSubstr("change"));
}

TEST_F(ConcurrentWriterTest, NoticesAFileThatWasWrittenBehindItsLocks) {
  MakeAccounts(/*wal=*/false);
  const std::string copy = directory_ / "copy.db";
  std::filesystem::copy_file(path_, copy);
  auto consumer = ValueOf(Make("table: accounts"));
  const elt::Source source = ValueOf(consumer->Describe(ctx_));
  const auto partitions = ValueOf(consumer->Split(ctx_, {}, source, {}));
  auto reader = ValueOf(consumer->Open(ctx_, {}, partitions[0], source, {}));
  {
    const std::string main = std::exchange(path_, copy);
    Do("UPDATE accounts SET amount = 0");
    path_ = main;
  }
  std::ifstream from(copy, std::ios::binary);
  std::ofstream(path_, std::ios::binary) << from.rdbuf();  // as cp does
  const Status status = ReadSlice(*reader, 0, source).status();
  EXPECT_FALSE(status.ok());
  EXPECT_TRUE(IsRetryable(status) || CodeOf(status) == FaultCode::kSourceProtocol) << status;
}

TEST_F(ConcurrentWriterTest, ReadsTheFileThatItOpenedWhenAnotherTakesItsName) {
  MakeAccounts(/*wal=*/false);
  auto consumer = ValueOf(Make("table: accounts"));
  const elt::Source source = ValueOf(consumer->Describe(ctx_));
  const auto partitions = ValueOf(consumer->Split(ctx_, {}, source, {}));
  auto reader = ValueOf(consumer->Open(ctx_, {}, partitions[0], source, {}));
  const std::string main = std::exchange(path_, directory_ / "new.db");
  Do("CREATE TABLE accounts (id INTEGER PRIMARY KEY, amount TEXT)");
  std::filesystem::rename(std::exchange(path_, main), main);
  EXPECT_EQ(ValueOf(ReadSlice(*reader, 0, source)).end.rows_read, kAccounts);
  EXPECT_THAT(consumer->Open(ctx_, {}, partitions[0], source, {}).status(),
              FailsWith(FaultCode::kSchemaDrift, HasSubstr("amount")));
  std::filesystem::remove(path_);
  EXPECT_THAT(consumer->Open(ctx_, {}, partitions[0], source, {}).status(),
              FailsWith(FaultCode::kDatabaseNotFound));
}

TEST_F(ConcurrentWriterTest, EndsItsWaitForALockAtAStop) {
  MakeAccounts(/*wal=*/false);
  auto writer = Writer();
  auto consumer = ValueOf(Make("table: accounts\nconnections: 3\nbusy_timeout: 10m"));
  const elt::Source source = ValueOf(consumer->Describe(ctx_));
  const auto partitions = ValueOf(consumer->Split(ctx_, {}, source, {}));
  ASSERT_THAT(writer->Execute(ctx_, "BEGIN EXCLUSIVE"), IsOk());
  std::stop_source stop;
  ctx_.stop = stop.get_token();
  std::jthread stopper([&] {
    clock_->SleepUntil(clock_->Steady() + std::chrono::milliseconds(100), {});
    stop.request_stop();
  });
  const SteadyTime begun = clock_->Steady();
  EXPECT_THAT(consumer->Open(ctx_, {}, partitions[0], source, {}).status(),
              FailsWith(FaultCode::kStopped));
  EXPECT_LT(clock_->Steady() - begun, std::chrono::seconds(30));
  ctx_.stop = {};
}

TEST_F(ConcurrentWriterTest, LeavesTheLogOfACrashedWriterAsItIs) {
  MakeAccounts(/*wal=*/true);
  const std::string crashed = directory_ / "crashed.db";
  {
    auto writer = Writer(/*wal=*/true);
    ASSERT_THAT(writer->Execute(ctx_, "UPDATE accounts SET amount = 1"), IsOk());
    std::filesystem::copy_file(path_, crashed);
    std::filesystem::copy_file(path_ + "-wal", crashed + "-wal");
  }
  const auto bytes = [](const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
  };
  const std::string before = bytes(crashed) + bytes(crashed + "-wal");
  path_ = crashed;
  EXPECT_EQ(SumOf(ValueOf(TryReadParts("table: accounts"))), kAccounts);
  EXPECT_EQ(bytes(crashed) + bytes(crashed + "-wal"), before);
  EXPECT_THAT(DescribeFails("table: accounts\nimmutable: true"),
              FailsWith(FaultCode::kSourceUnsupported, HasSubstr("-wal")));
}

TEST_F(ConcurrentWriterTest, ReadsADatabaseWithALogFromADirectoryThatCannotBeWritten) {
  if (geteuid() == 0) {
    // Root may write everywhere, so somebody else reads.
    MakeAccounts(/*wal=*/true);
    ASSERT_EQ(chmod(directory_.path().c_str(), 0755), 0);
    const pid_t child = fork();
    if (child == 0) {
      constexpr uid_t kNobody = 65534;
      if (setuid(kNobody) != 0) _exit(2);
      const Status plain = DescribeFails("table: accounts");
      const auto read = TryReadParts("table: accounts\nimmutable: true");
      if (plain.ok() || FaultOf(plain).help().find("directory") == std::string::npos) _exit(3);
      if (!read.ok()) _exit(4);
      _exit(SumOf(*read) == kSum ? 0 : 5);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(WEXITSTATUS(status), 0);
  }
}

TEST_F(ConcurrentWriterTest, NotesWhatOthersHaveToWaitFor) {
  MakeAccounts(/*wal=*/true);
  EXPECT_THAT(Describe("table: accounts").notes,
              testing::ElementsAre(HasSubstr("write-ahead log is not emptied")));
  EXPECT_THAT(Describe("table: accounts\nimmutable: true").notes,
              testing::ElementsAre(HasSubstr("without locks")));
}

}  // namespace
}  // namespace levada::sqlite
