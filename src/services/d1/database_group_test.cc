// Requests that are committed together: what of them is synced, seen, told, and found again.

#include <chrono>
#include <limits>
#include <thread>

#include "services/d1/live_database.h"

namespace levada::services::d1 {
namespace {

using testing::HasSubstr;

constexpr const char* kTable = "CREATE TABLE t (id INTEGER PRIMARY KEY, x)";
const os::DiskFailure kNever{.operations = {os::DiskOperation::kSync},
                             .nth = std::numeric_limits<int64_t>::max()};

/// A group of transactions on the connection itself.
class GroupTest : public testing::Test, protected D1Fixture {
 protected:
  void SetUp() override {
    ASSERT_THAT(Open(), IsOk());
    ASSERT_THAT(Do(kTable), IsOk());
  }
  void Begin() {
    EXPECT_TRUE(ValueOf(writer->HoldBack()));
    history().Defer();
  }
  Status End() {
    const Status settled = history().Settle();
    settled.ok() ? writer->Publish() : writer->GiveUp();
    return settled;
  }
};

TEST_F(GroupTest, SyncsOnceAndHasAPointForEach) {
  const Point before = last();
  disk.Arm(kNever);
  Begin();
  for (int i = 0; i < 5; ++i) ASSERT_THAT(Do("INSERT INTO t (x) VALUES ('a')"), IsOk());
  EXPECT_EQ(disk.count(), 0);
  EXPECT_EQ(last(), before) << "nothing is durable";
  EXPECT_EQ(history().newest().seq, before.seq + 5);
  EXPECT_EQ(ValueOf(history().PointAt(test.clock.Now() / 1000)), before);
  ASSERT_THAT(End(), IsOk());
  EXPECT_EQ(disk.count(), 1);
  EXPECT_EQ(last().seq, before.seq + 5);
  memory.Crash(0);
  ASSERT_THAT(Open(), IsOk());
  EXPECT_EQ(Ask("SELECT count(*) FROM t"), "5 ");
  const auto middle = ParseBookmark(
      kDatabaseId,
      FormatBookmark(kDatabaseId, {.epoch = 1, .seq = before.seq + 3, .ms = last().ms}));
  ASSERT_THAT(Restore(ValueOf(history().PointOf(*middle))), IsOk());
  EXPECT_EQ(Ask("SELECT count(*) FROM t"), "3 ");
}

TEST_F(GroupTest, OfOneThatWasNotSyncedTheFirstAreLeftOrNone) {
  int lost = 0;
  for (uint64_t seed = 0; seed < 16; ++seed) {
    SCOPED_TRACE(seed);
    D1Fixture d1;
    ASSERT_THAT(d1.Open(), IsOk());
    ASSERT_THAT(d1.Do(kTable), IsOk());
    ASSERT_THAT(d1.Do("INSERT INTO t VALUES (100, 0)"), IsOk());
    ASSERT_TRUE(ValueOf(d1.writer->HoldBack()));
    d1.history().Defer();
    // More than is gathered in memory: some of it is written before the sync.
    for (int i = 1; i <= 6; ++i) {
      const std::string id = std::to_string(i);
      ASSERT_THAT(d1.Do("INSERT INTO t VALUES (" + id + ", zeroblob(300000))"), IsOk());
    }
    d1.Drop();
    d1.memory.Crash(seed);
    ASSERT_THAT(d1.Open(), IsOk()) << "an end that was cut off is no damage";
    EXPECT_EQ(d1.Ask("PRAGMA quick_check"), "ok ");
    const std::string left = d1.Ask("SELECT count(*) FROM t WHERE id < 100");
    EXPECT_EQ(d1.Ask("SELECT count(*) FROM t WHERE id <= " + left), left);
    EXPECT_EQ(d1.Ask("SELECT count(*) FROM t WHERE id = 100"), "1 ");
    lost += std::stoi(left) < 6 ? 1 : 0;
  }
  EXPECT_GT(lost, 4);
}

TEST_F(GroupTest, DamageInsideOfOneThatWasPromisedIsFound) {
  for (int group = 0; group < 3; ++group) {
    Begin();
    for (int i = 0; i < 3; ++i) ASSERT_THAT(Do("INSERT INTO t (x) VALUES (1)"), IsOk());
    ASSERT_THAT(End(), IsOk());
  }
  Drop();  // not closed in order: nothing says that it ended there
  const std::string directory = std::string(kDirectory) + "/history";
  const auto segment = ValueOf(ListHistory(memory, directory)).segments.back();
  const int64_t size = ValueOf(ValueOf(memory.Open(segment.path))->Size());
  const int64_t transaction =
      static_cast<int64_t>(kPageRecordBytes + kGroupCommitRecordBytes);  // of one page
  int64_t found = 0, flipped = 0;
  for (int64_t at = 0; at < size - 3 * transaction; at += 127) {
    FlipBit(memory, segment.path, at);
    const HistoryReader reader(memory, directory, kDatabaseId, "shop");
    ++flipped;
    found += reader.End().ok() ? 0 : 1;
    FlipBit(memory, segment.path, at);
  }
  EXPECT_EQ(found, flipped);
}

TEST_F(GroupTest, SurvivesAFaultAndACrashAtEveryOperation) {
  for (int64_t nth = 1;; ++nth) {
    SCOPED_TRACE(nth);
    D1Fixture d1;
    d1.limits = {.segment_bytes_max = 30'000, .whole_ms = 1000, .base_every_ms = 5000};
    ASSERT_THAT(d1.Open(), IsOk());
    ASSERT_THAT(d1.Do(kTable), IsOk());
    d1.disk.Arm({.operations = os::WritingOperations(), .nth = nth, .short_write = nth % 2 == 0});
    int told = 0, tried = 0;
    const auto group = [&]() -> Status {
      ARROW_ASSIGN_OR_RAISE(const bool is_held, d1.writer->HoldBack());
      EXPECT_TRUE(is_held);
      d1.history().Defer();
      int committed = 0;
      for (int i = 0; i < 4; ++i) {
        tried = told + committed + 1;
        const std::string x = i == 2 ? "id + id" : "hex(zeroblob(2500))";
        const Status done = d1.Do("INSERT INTO t (x) SELECT " + x + " FROM (SELECT 1 AS id)");
        if (!done.ok()) break;
        ++committed;
        EXPECT_THAT(d1.Do("INSERT INTO t (id) VALUES (1); INSERT INTO t (id) VALUES (1)"),
                    testing::Not(IsOk()));
      }
      ARROW_RETURN_NOT_OK(d1.history().Settle());
      d1.writer->Publish();
      told += committed;
      return committed == 4 ? Status::OK() : Fault(FaultCode::kTargetIo, "one failed");
    };
    const auto workload = [&]() -> Status {
      for (int i = 0; i < 4; ++i) {
        ARROW_RETURN_NOT_OK(group());
        d1.Advance(900);
        if (i == 1) ARROW_RETURN_NOT_OK(d1.Checkpoint());
      }
      d1.Advance(10'000);
      ARROW_RETURN_NOT_OK(d1.Checkpoint());
      return d1.history().Tend(d1.files->written().seq);
    };
    const Status worked = workload();
    const bool fired = d1.disk.fired();
    d1.disk.Disarm();
    d1.Drop();
    d1.memory.Crash(static_cast<uint64_t>(nth));
    ASSERT_THAT(d1.Open(), IsOk());
    const int found = std::stoi(d1.Ask("SELECT count(*) FROM t"));
    EXPECT_GE(found, told);
    EXPECT_LE(found, tried);
    EXPECT_EQ(d1.Ask("SELECT max(id) FROM t"), found == 0 ? " " : std::to_string(found) + " ");
    EXPECT_EQ(d1.Ask("PRAGMA quick_check"), "ok ");
    ASSERT_THAT(d1.Do("CREATE TABLE more (x)"), IsOk());
    if (!fired) {
      EXPECT_THAT(worked, IsOk());
      EXPECT_EQ(found, 16);
      EXPECT_GT(nth, 50) << "the workload is as long as it was";
      break;
    }
  }
}

/// Groups as they come about.
class DatabaseGroupTest : public LiveDatabaseTest {
 protected:
  void SetUp() override { EXPECT_EQ(Ask(kTable), ""); }
  /// Asked together; the answers, in order.
  std::vector<Result<Ran>> Together(const std::vector<std::string>& texts) {
    std::vector<Waiting<Ran>> waiting(texts.size());
    {
      const Pause pause(*this);
      for (size_t i = 0; i < texts.size(); ++i) {
        database->Run({{texts[i], {}}}, true, waiting[i].done());
      }
    }
    std::vector<Result<Ran>> answers;
    for (const auto& each : waiting) answers.push_back(each.Get());
    return answers;
  }
};

TEST_F(DatabaseGroupTest, WhatWaitsTogetherSharesASync) {
  disk.Arm(kNever);
  const auto answers = Together(std::vector<std::string>(30, "INSERT INTO t (x) VALUES (1)"));
  EXPECT_EQ(disk.count(), 1);
  std::string bookmark;
  for (size_t i = 0; i < answers.size(); ++i) {
    const Ran& ran = ValueOf(answers[i]);
    EXPECT_GT(ran.bookmark, bookmark);
    bookmark = ran.bookmark;
    const auto& result = ran.answer.results.at(0);
    EXPECT_EQ(result.last_row_id, static_cast<int64_t>(i + 1));
    EXPECT_EQ(result.changes, 1);
    EXPECT_EQ(result.rows_written, 1);
    EXPECT_TRUE(ran.answer.is_changed);
  }
  EXPECT_EQ(Now(), bookmark);
  EXPECT_THAT(Restore(ValueOf(answers[11]).bookmark), IsOk());
  EXPECT_EQ(Ask("SELECT count(*) FROM t"), "12 ");
  EXPECT_THAT(Restore(ValueOf(answers[29]).bookmark), IsOk());
  EXPECT_EQ(Ask("SELECT count(*) FROM t"), "30 ");
}

TEST_F(DatabaseGroupTest, AGroupHasAnEnd) {
  End();
  limits.group_requests_max = 8;
  Start();
  EXPECT_EQ(Ask("INSERT INTO t (x) VALUES (1)"), "");
  disk.Arm(kNever);
  Together(std::vector<std::string>(20, "INSERT INTO t (x) VALUES (1)"));
  EXPECT_EQ(disk.count(), 3);
  EXPECT_EQ(Ask("SELECT count(*) FROM t"), "21 ");
}

TEST_F(DatabaseGroupTest, WhatFailsTakesNothingFromTheOthers) {
  EXPECT_EQ(Ask("CREATE TABLE p (id PRIMARY KEY); CREATE TABLE c (p REFERENCES p DEFERRABLE "
                "INITIALLY DEFERRED); CREATE TRIGGER no BEFORE INSERT ON t WHEN new.x = 'no' BEGIN "
                "SELECT raise(ROLLBACK, 'no'); END"),
            "");
  const auto answers = Together({
      "INSERT INTO t (id) VALUES (1)",
      "INSERT INTO t (id) VALUES (2); INSERT INTO t (id) VALUES (1)",
      "INSERT OR ROLLBACK INTO t (id) VALUES (3), (1)",
      "INSERT INTO t (id) VALUES (4)",
      "INSERT INTO t (id, x) VALUES (5, 'no')",
      "INSERT INTO c VALUES (1)",
      "INSERT INTO nothing VALUES (1)",
      "CREATE TABLE u (a)",
      "INSERT INTO u SELECT count(*) FROM t",
      "PRAGMA foreign_keys = OFF; INSERT INTO t (id) VALUES (6)",
  });
  std::vector<size_t> failed;
  for (size_t i = 0; i < answers.size(); ++i) {
    if (ValueOf(answers[i]).answer.error) failed.push_back(i);
  }
  EXPECT_THAT(failed, testing::ElementsAre(1, 2, 4, 5, 6));
  EXPECT_EQ(Ask("SELECT group_concat(id, ' ') FROM t"), "1 4 6 ");
  EXPECT_EQ(Ask("SELECT a FROM u"), "2 ");
  EXPECT_EQ(database->counts().failures, 0);
  StartAgain();
  EXPECT_EQ(Ask("SELECT group_concat(id, ' ') FROM t"), "1 4 6 ");
}

TEST_F(DatabaseGroupTest, AFailedSyncFailsAll) {
  EXPECT_EQ(Ask("INSERT INTO t (id) VALUES (1)"), "");
  disk.Arm({.operations = {os::DiskOperation::kSync}});
  const auto answers = Together({"INSERT INTO t (id) VALUES (2)", "INSERT INTO t (id) VALUES (1)",
                                 "INSERT INTO t (id) VALUES (3)"});
  for (const auto& answer : answers) {
    EXPECT_THAT(answer, FailsWith(FaultCode::kTargetIo));
    EXPECT_EQ(answer.status(), answers[0].status());
  }
  EXPECT_EQ(database->counts().failures, 1);
  disk.Disarm();
  test.clock.Advance(2'000'000);
  const std::string left = Ask("SELECT count(*) FROM t");
  EXPECT_TRUE(left == "1 " || left == "3 ") << left;
  EXPECT_EQ(Ask("INSERT INTO t (id) VALUES (9)"), "");
  StartAgain();
  EXPECT_EQ(Ask("SELECT max(id) FROM t"), "9 ");
}

TEST_F(DatabaseGroupTest, WhatWasToldIsThereAfterAFaultAndACrashAtEveryOperation) {
  for (int64_t nth = 1;; ++nth) {
    SCOPED_TRACE(nth);
    disk.Arm({.operations = os::WritingOperations(), .nth = nth, .short_write = nth % 2 == 0});
    std::vector<std::string> told;
    for (int round = 0; round < 2; ++round) {
      std::vector<std::string> ids, texts;
      for (int i = 1; i <= 4; ++i) {
        ids.push_back(std::to_string(nth * 1000 + round * 100 + i));
        texts.push_back("INSERT INTO t VALUES (" + ids.back() + ", 1)");
      }
      const auto answers = Together(texts);
      for (size_t i = 0; i < ids.size(); ++i) {
        if (answers[i].ok()) told.push_back(ids[i]);
      }
      test.clock.Advance(2'000'000);  // what cannot be opened is tried again
      if (round == 0) database->Tend();
    }
    const bool fired = disk.fired();
    disk.Disarm();
    End();
    memory.Crash(static_cast<uint64_t>(nth));
    Start();
    for (const std::string& id : told) {
      EXPECT_EQ(Ask("SELECT count(*) FROM t WHERE id = " + id), "1 ") << id;
    }
    EXPECT_EQ(Ask("SELECT count(*) > 0 FROM t WHERE id >= " + std::to_string(nth * 1000 + 1000)),
              "0 ");
    EXPECT_EQ(Ask("PRAGMA quick_check"), "ok ");
    if (!fired) {
      EXPECT_EQ(told.size(), 8u);
      EXPECT_GT(nth, 25) << "the workload is as long as it was";
      break;
    }
  }
}

TEST_F(DatabaseGroupTest, OneThatRunsForLongHoldsUpNobody) {
  EXPECT_EQ(Ask("INSERT INTO t (id) VALUES (1)"), "");
  const Waiting<Ran> first, endless, last;
  {
    const Pause pause(*this);
    database->Run({{"INSERT INTO t (id) VALUES (2)", {}}}, true, first.done());
    database->Run({{"INSERT INTO t (id) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 "
                    "FROM n) SELECT count(*) FROM n",
                    {}}},
                  true, endless.done());
    database->Run({{"INSERT INTO t (id) VALUES (3)", {}}}, true, last.done());
  }
  // Whether the group has begun or not: what is not durable is not seen.
  for (int i = 0; i < 20; ++i) EXPECT_EQ(Ask("SELECT count(*) FROM t"), "1 ");
  auto told = first.promise->get_future();
  while (told.wait_for(std::chrono::milliseconds(1)) != std::future_status::ready) {
    test.clock.Advance(limits.group_ms_max * 1000);  // the group may begin behind the first time
  }
  EXPECT_EQ(ValueOf(told.get()).answer.results.at(0).changes, 1);
  EXPECT_EQ(Ask("SELECT count(*) FROM t"), "2 ") << "while the other runs";
  EXPECT_EQ(Now(), ValueOf(Run({{"SELECT 1", {}}})).bookmark);
  test.clock.Advance(31'000'000);
  EXPECT_THAT(ValueOf(endless.Get()).answer.error->message, HasSubstr("SQLITE_INTERRUPT"));
  EXPECT_FALSE(ValueOf(last.Get()).answer.error);
  EXPECT_EQ(Ask("SELECT group_concat(id, ' ') FROM t"), "1 2 3 ");
}

TEST_F(DatabaseGroupTest, ManyThreadsWriteAndReadTheirWrites) {
  EXPECT_EQ(Ask("INSERT INTO t VALUES (1, 0)"), "");
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([this, i] {
      std::string bookmark;
      for (int turn = 0; turn < 25; ++turn) {
        const Ran ran = ValueOf(Run({{"UPDATE t SET x = x + 1 WHERE id = 1 RETURNING x", {}}}));
        const int64_t mine = std::get<int64_t>(ran.answer.results.at(0).rows.at(0).at(0));
        EXPECT_GT(ran.bookmark, bookmark);
        bookmark = ran.bookmark;
        EXPECT_GE(std::stoll(Ask("SELECT x FROM t WHERE id = 1")), mine);
        EXPECT_GE(Now(), bookmark);
        if (turn % 10 == i) database->Tend();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(Ask("SELECT x FROM t WHERE id = 1"), "200 ");
}

}  // namespace
}  // namespace levada::services::d1
