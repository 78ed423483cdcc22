#include "db/sqlite/snapshot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/clock.h"
#include "base/testing.h"
#include "os/temporary_directory.h"

namespace levada::db::sqlite {
namespace {

using testing::HasSubstr;

class SnapshotTest : public testing::Test {
 protected:
  SnapshotTest() { ctx_.clock = clock_.get(); }

  std::unique_ptr<Database> Open(const std::string& path, OpenMode mode = OpenMode::kRead,
                                 Journal journal = Journal::kAsItIs) {
    OpenOptions options;
    options.mode = mode;
    options.journal = journal;
    return ValueOf(Database::Open(ctx_, path, options, [this](const Error& error) {
      last_ = error.kind;
      return FaultFrom(FaultCode::kSourceBusy, "test", error);
    }));
  }
  std::unique_ptr<Database> Writer(Journal journal = Journal::kWal) {
    auto writer = Open(path_, OpenMode::kCreate, journal);
    EXPECT_THAT(writer->Execute(ctx_, "CREATE TABLE IF NOT EXISTS t (x INTEGER)"), IsOk());
    return writer;
  }
  int64_t Count(Database& database) {
    auto count = ValueOf(database.Prepare(ctx_, "SELECT count(*) FROM t"));
    EXPECT_TRUE(ValueOf(count.Step(ctx_)));
    return count.Int64(0);
  }

  std::unique_ptr<Clock> clock_ = MakeSystemClock();
  Context ctx_;
  os::TemporaryDirectory directory_;
  std::string path_ = directory_ / "a.db";
  ErrorKind last_ = ErrorKind::kMisuse;
};

constexpr std::chrono::milliseconds kPatience{20'000};

/// Looking at it commits something, so many times.
class CommittingClock final : public Clock {
 public:
  CommittingClock(const Clock& clock, Database& writer, int commits)
      : clock_(clock), writer_(writer), commits_left_(commits) {}
  WallMicros Now() const override { return clock_.Now(); }
  SteadyTime Steady() const override {
    if (commits_left_ > 0) {
      --commits_left_;
      const Context unbounded{};
      EXPECT_THAT(writer_.Execute(unbounded, "INSERT INTO t VALUES (1)"), IsOk());
    }
    return clock_.Steady();
  }
  bool SleepUntil(SteadyTime until, const std::stop_token& stop) const override {
    return clock_.SleepUntil(until, stop);
  }
  int commits_left() const { return commits_left_; }

 private:
  const Clock& clock_;
  Database& writer_;
  mutable int commits_left_;
};

TEST_F(SnapshotTest, IsTheSameForAllConnectionsWhileOthersCommit) {
  auto writer = Writer();
  std::atomic<bool> stop{false};
  std::jthread insert([&] {
    while (!stop) EXPECT_THAT(writer->Execute(ctx_, "INSERT INTO t VALUES (1)"), IsOk());
  });
  for (int i = 0; i < 50; ++i) {
    auto a = Open(path_);
    auto b = Open(path_);
    auto c = Open(path_);
    auto watcher = Open(path_);
    std::vector<Database*> all{a.get(), b.get(), c.get()};
    const auto snapshot = TakeSnapshot(ctx_, all, watcher.get(), kPatience);
    ASSERT_THAT(snapshot, IsOk());
    ASSERT_EQ(snapshot->transactions.size(), 3u);
    const int64_t rows = Count(*a);
    EXPECT_EQ(Count(*b), rows);
    EXPECT_EQ(Count(*c), rows);
  }
  stop = true;
}

TEST_F(SnapshotTest, BeginsAnewWhenSomebodyCommitsBetweenTwoOfThem) {
  auto writer = Writer();
  ASSERT_THAT(writer->Execute(ctx_, "PRAGMA synchronous = OFF"), IsOk());
  auto a = Open(path_);
  auto b = Open(path_);
  auto watcher = Open(path_);
  std::vector<Database*> all{a.get(), b.get()};
  const CommittingClock clock(*clock_, *writer, 400);
  ctx_.clock = &clock;
  const auto snapshot = TakeSnapshot(ctx_, all, watcher.get(), kPatience);
  ctx_.clock = clock_.get();
  ASSERT_THAT(snapshot, IsOk());
  EXPECT_EQ(Count(*a), Count(*b));
  EXPECT_EQ(clock.commits_left(), 0) << "not before there is peace";
  EXPECT_NE(snapshot->moment, "");
}

TEST_F(SnapshotTest, GivesUpWhereThereIsNoPeace) {
  auto writer = Writer();
  ASSERT_THAT(writer->Execute(ctx_, "PRAGMA synchronous = OFF"), IsOk());
  auto a = Open(path_);
  auto b = Open(path_);
  auto watcher = Open(path_);
  std::vector<Database*> all{a.get(), b.get()};
  const CommittingClock clock(*clock_, *writer, 1'000'000);
  ctx_.clock = &clock;
  const Status status =
      TakeSnapshot(ctx_, all, watcher.get(), std::chrono::milliseconds(200)).status();
  ctx_.clock = clock_.get();
  EXPECT_THAT(status, FailsWith(FaultCode::kSourceBusy, HasSubstr("commit so often")));
  EXPECT_FALSE(a->in_transaction() || b->in_transaction());
}

TEST_F(SnapshotTest, NamesAStateBetweenTwoWhereThereIsNoPeace) {
  auto writer = Writer();
  ASSERT_THAT(writer->Execute(ctx_, "PRAGMA synchronous = OFF"), IsOk());
  auto reader = Open(path_);
  Database* const one[] = {reader.get()};
  const CommittingClock clock(*clock_, *writer, 1'000'000);
  ctx_.clock = &clock;
  ctx_.deadline = clock_->Steady() + std::chrono::minutes(1);
  const auto snapshot = TakeSnapshot(ctx_, one, nullptr, kPatience);
  ctx_.clock = clock_.get();
  ASSERT_THAT(snapshot, IsOk());
  EXPECT_FALSE(snapshot->is_exact);
  EXPECT_THAT(snapshot->moment, HasSubstr(" to log "));
}

TEST_F(SnapshotTest, EndsWithItsTransactions) {
  auto writer = Writer();
  auto reader = Open(path_);
  Database* const one[] = {reader.get()};
  {
    const auto snapshot = ValueOf(TakeSnapshot(ctx_, one, nullptr, kPatience));
    ASSERT_THAT(writer->Execute(ctx_, "INSERT INTO t VALUES (1)"), IsOk());
    EXPECT_EQ(Count(*reader), 0);
  }
  EXPECT_EQ(Count(*reader), 1);
}

TEST_F(SnapshotTest, NamesStatesApart) {
  for (const Journal journal : {Journal::kAsItIs, Journal::kWal}) {
    path_ = directory_ / (journal == Journal::kWal ? "log.db" : "journal.db");
    auto writer = Writer(journal);
    auto reader = Open(path_);
    Database* const one[] = {reader.get()};
    const auto moment = [&] { return ValueOf(TakeSnapshot(ctx_, one, nullptr, kPatience)).moment; };
    const std::string first = moment();
    EXPECT_NE(first, "");
    EXPECT_EQ(moment(), first);
    ASSERT_THAT(writer->Execute(ctx_, "INSERT INTO t VALUES (1)"), IsOk());
    const std::string second = moment();
    EXPECT_NE(second, first);
    EXPECT_NE(second, "");
    EXPECT_EQ(ValueOf(ReadFileState(*reader, "main")).is_wal, journal == Journal::kWal);
  }
}

TEST_F(SnapshotTest, LetsAWriterThroughThatWaitsForItsConnections) {
  // Without a log: the first connection's lock keeps the writer from its commit, and the writer's
  // keeps the second connection out. Whoever held on would wait for ever.
  auto writer = Writer(Journal::kAsItIs);
  auto a = Open(path_);
  auto b = Open(path_);
  auto watcher = Open(path_);
  std::vector<Database*> all{a.get(), b.get()};
  ASSERT_THAT(writer->Execute(ctx_, "BEGIN EXCLUSIVE; INSERT INTO t VALUES (1)"), IsOk());
  std::jthread commit([&] {
    clock_->SleepUntil(clock_->Steady() + std::chrono::milliseconds(200), {});
    EXPECT_THAT(writer->Execute(ctx_, "COMMIT"), IsOk());
  });
  const auto snapshot = TakeSnapshot(ctx_, all, watcher.get(), kPatience);
  ASSERT_THAT(snapshot, IsOk());
  EXPECT_EQ(Count(*a) + Count(*b), 2);
}

TEST_F(SnapshotTest, GivesUpAfterItsPatience) {
  auto writer = Writer(Journal::kAsItIs);
  auto a = Open(path_);
  auto b = Open(path_);
  auto watcher = Open(path_);
  std::vector<Database*> all{a.get(), b.get()};
  ASSERT_THAT(writer->Execute(ctx_, "BEGIN EXCLUSIVE"), IsOk());
  EXPECT_FALSE(TakeSnapshot(ctx_, all, watcher.get(), std::chrono::milliseconds(150)).ok());
  ASSERT_THAT(writer->Execute(ctx_, "COMMIT"), IsOk());
  EXPECT_THAT(TakeSnapshot(ctx_, all, watcher.get(), std::chrono::milliseconds(150)), IsOk())
      << "no lock of the failed try is left";
}

TEST_F(SnapshotTest, EndsItsWaitAtAStop) {
  auto writer = Writer(Journal::kAsItIs);
  auto a = Open(path_);
  auto b = Open(path_);
  auto watcher = Open(path_);
  std::vector<Database*> all{a.get(), b.get()};
  ASSERT_THAT(writer->Execute(ctx_, "BEGIN EXCLUSIVE"), IsOk());
  std::stop_source stop;
  Context ctx = ctx_;
  ctx.stop = stop.get_token();
  std::jthread stopper([&] {
    clock_->SleepUntil(clock_->Steady() + std::chrono::milliseconds(100), {});
    stop.request_stop();
  });
  EXPECT_THAT(TakeSnapshot(ctx, all, watcher.get(), std::chrono::hours(1)),
              FailsWith(FaultCode::kStopped));
}

TEST_F(SnapshotTest, RefusesAFileThatAnotherTookTheNameOf) {
  for (const bool is_gone : {false, true}) {
    path_ = directory_ / (is_gone ? "gone.db" : "moved.db");
    (void)Writer(Journal::kAsItIs);
    auto reader = Open(path_);
    Database* const one[] = {reader.get()};
    if (is_gone) {
      std::filesystem::remove(path_);
    } else {
      const std::string main = std::exchange(path_, directory_ / "new.db");
      (void)Writer(Journal::kAsItIs);
      std::filesystem::rename(path_, main);
    }
    EXPECT_FALSE(TakeSnapshot(ctx_, one, nullptr, kPatience).ok());
    EXPECT_EQ(last_, ErrorKind::kReplaced);
    EXPECT_FALSE(reader->in_transaction());
  }
}

TEST_F(SnapshotTest, HoldsAllAttachedFiles) {
  (void)Writer();
  const std::string main = std::exchange(path_, directory_ / "b c.db");
  auto other = Writer();
  const std::string attached = std::exchange(path_, main);
  auto reader = Open(path_);
  auto watcher = Open(path_);
  for (Database* database : {reader.get(), watcher.get()}) {
    ASSERT_THAT(database->Attach(ctx_, "b", attached, false), IsOk());
  }
  Database* const one[] = {reader.get()};
  const auto snapshot = ValueOf(TakeSnapshot(ctx_, one, watcher.get(), kPatience));
  EXPECT_THAT(snapshot.moment, HasSubstr(", b "));
  ASSERT_THAT(other->Execute(ctx_, "INSERT INTO t VALUES (1)"), IsOk());
  auto count = ValueOf(reader->Prepare(ctx_, "SELECT count(*) FROM b.t"));
  ASSERT_TRUE(ValueOf(count.Step(ctx_)));
  EXPECT_EQ(count.Int64(0), 0) << "as it was when the snapshot was taken";
}

TEST_F(SnapshotTest, ReadsTheStateOfAnEmptyFile) {
  std::ofstream(path_).close();
  auto reader = Open(path_);
  const FileState state = ValueOf(ReadFileState(*reader, "main"));
  EXPECT_FALSE(state.is_wal || state.is_moved);
  EXPECT_EQ(state.moment, "change 0");
  EXPECT_FALSE(ReadFileState(*reader, "nowhere").ok());
}

}  // namespace
}  // namespace levada::db::sqlite
