#include "services/d1/database.h"

#include <thread>

#include "services/core/on_thread.h"
#include "services/d1/live_database.h"

namespace levada::services::d1 {
namespace {

using testing::HasSubstr;

TEST_F(LiveDatabaseTest, OpensWhenAskedAndReadsItsWrites) {
  EXPECT_FALSE(database->counts().is_open);
  EXPECT_EQ(Ask("CREATE TABLE t (a); INSERT INTO t VALUES (1), (2)"), "");
  EXPECT_TRUE(database->counts().is_open);
  EXPECT_EQ(Ask("SELECT a FROM t ORDER BY a"), "1 2 ");
  EXPECT_EQ(Ask("WITH x AS (SELECT 3 AS a) INSERT INTO t SELECT a FROM x RETURNING a"), "3 ");
  EXPECT_EQ(Ask("SELECT count(*) FROM t"), "3 ");
  StartAgain();
  EXPECT_EQ(Ask("SELECT count(*) FROM t"), "3 ");
}

TEST_F(LiveDatabaseTest, TellsWhatIsWrongWithARequestInItsAnswer) {
  EXPECT_THAT(Ask("SELECT * FROM none"), HasSubstr("no such table"));
  EXPECT_THAT(Ask("SELEC 1"), HasSubstr("SQLITE_ERROR"));
  EXPECT_EQ(Ask("CREATE TABLE t (a UNIQUE); INSERT INTO t VALUES (1)"), "");
  EXPECT_THAT(Ask("INSERT INTO t VALUES (2); INSERT INTO t VALUES (1)"),
              HasSubstr("SQLITE_CONSTRAINT"));
  EXPECT_EQ(Ask("SELECT * FROM t"), "1 ");
  EXPECT_EQ(database->counts().failures, 0);
}

TEST_F(LiveDatabaseTest, WhoMayOnlyReadWritesNothing) {
  EXPECT_EQ(Ask("CREATE TABLE t (a); INSERT INTO t VALUES (1)"), "");
  for (const char* sql : {"INSERT INTO t VALUES (2)", "DELETE FROM t", "CREATE TABLE u (a)",
                          "SELECT 1; DELETE FROM t", "PRAGMA query_only = OFF"}) {
    const Waiting<Ran> waiting;
    database->Run({{sql, {}}}, false, waiting.done());
    EXPECT_TRUE(ValueOf(waiting.Get()).answer.error) << sql;
  }
  const Waiting<Ran> waiting;
  database->Run({{"SELECT a FROM t", {}}}, false, waiting.done());
  EXPECT_EQ(ValueOf(waiting.Get()).answer.results[0].rows.size(), 1);
  EXPECT_EQ(Ask("SELECT count(*) FROM t"), "1 ");
}

TEST_F(LiveDatabaseTest, BookmarksGrowWithEachWriteAndNotWithReads) {
  const std::string begin = Now();
  EXPECT_EQ(Ask("CREATE TABLE t (a)"), "");
  const std::string made = Now();
  EXPECT_LT(begin, made);
  EXPECT_EQ(Ask("SELECT * FROM t"), "");
  EXPECT_EQ(Now(), made);
  const std::string written = ValueOf(Run({{"INSERT INTO t VALUES (1)", {}}})).bookmark;
  EXPECT_LT(made, written);
  EXPECT_EQ(Now(), written);
}

TEST_F(LiveDatabaseTest, ARestoreCanBeUndone) {
  EXPECT_EQ(Ask("CREATE TABLE t (a); INSERT INTO t VALUES (1)"), "");
  const std::string one = Now();
  EXPECT_EQ(Ask("INSERT INTO t VALUES (2)"), "");
  EXPECT_EQ(Ask("SELECT count(*) FROM t"), "2 ");
  const Restored back = ValueOf(Restore(one));
  EXPECT_EQ(Ask("SELECT count(*) FROM t"), "1 ");
  EXPECT_GT(back.bookmark, back.previous);
  EXPECT_EQ(ValueOf(Restore(back.previous)).previous, back.bookmark);
  EXPECT_EQ(Ask("SELECT count(*) FROM t"), "2 ");
  EXPECT_THAT(Restore(std::string("none")), FailsWith(FaultCode::kBadValue));
  EXPECT_THAT(Restore(int64_t{1000}), FailsWith(FaultCode::kBadValue));
  EXPECT_EQ(Ask("SELECT count(*) FROM t"), "2 ");
}

TEST_F(LiveDatabaseTest, ARestoreEndsWhatRuns) {
  EXPECT_EQ(Ask("CREATE TABLE t (a)"), "");
  const std::string made = Now();
  const Waiting<Ran> reading;
  // It ends by itself at no time that a test would wait for.
  database->Run({{"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
                  "SELECT count(*) FROM n",
                  {}}},
                true, reading.done());
  EXPECT_THAT(Restore(made), IsOk());
  EXPECT_THAT(reading.Get(), FailsWith(FaultCode::kStopped));
  EXPECT_EQ(Ask("SELECT count(*) FROM t"), "0 ");
}

TEST_F(LiveDatabaseTest, OfAFailedCommitNothingIsLeftOrAllOfIt) {
  EXPECT_EQ(Ask("CREATE TABLE t (a); INSERT INTO t VALUES (1)"), "");
  disk.Arm({.operations = {os::DiskOperation::kSync}});
  EXPECT_THAT(Run({{"INSERT INTO t VALUES (2)", {}}}), testing::Not(IsOk()));
  EXPECT_EQ(database->counts().failures, 1);
  EXPECT_TRUE(disk.fired());
  disk.Disarm();
  test.clock.Advance(2'000'000);
  const std::string left = Ask("SELECT count(*) FROM t");
  EXPECT_TRUE(left == "1 " || left == "2 ") << left;
  EXPECT_EQ(Ask("INSERT INTO t VALUES (3)"), "");
  StartAgain();
  EXPECT_EQ(Ask("SELECT max(a) FROM t"), "3 ");
}

TEST_F(LiveDatabaseTest, FilesThatCannotBeOpenedAreTriedOnceASecond) {
  disk.Arm({.operations = {os::DiskOperation::kList}, .keeps_failing = true});
  EXPECT_THAT(Run({{"SELECT 1", {}}}), testing::Not(IsOk()));
  const int64_t tried = disk.count();
  EXPECT_GT(tried, 0);
  for (int i = 0; i < 3; ++i) EXPECT_THAT(Run({{"SELECT 1", {}}}), testing::Not(IsOk()));
  database->Tend();
  EXPECT_EQ(disk.count(), tried);
  test.clock.Advance(2'000'000);
  EXPECT_THAT(Run({{"SELECT 1", {}}}), testing::Not(IsOk()));
  EXPECT_GT(disk.count(), tried);
  disk.Disarm();
  test.clock.Advance(2'000'000);
  EXPECT_EQ(Ask("SELECT 1"), "1 ");
}

TEST_F(LiveDatabaseTest, ADamagedPageIsMadeAgainFromTheHistory) {
  EXPECT_EQ(Ask("CREATE TABLE t (a)"), "");
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(Ask("INSERT INTO t VALUES (hex(zeroblob(3000)))"), "");
  }
  StartAgain();  // all is in the file, and nothing in memory
  FlipBit(memory, std::string(kDirectory) + "/database", int64_t{4096} * 20 + 100);
  EXPECT_THAT(Ask("SELECT sum(length(a)) FROM t"), HasSubstr("page 21"));
  EXPECT_EQ(Ask("SELECT sum(length(a)) FROM t"), "120000 ");
}

TEST_F(LiveDatabaseTest, AFullQueueIsBusy) {
  End();
  limits.waiting_max = 1;
  Start();
  EXPECT_EQ(Ask("CREATE TABLE t (a)"), "");
  std::vector<Waiting<Ran>> waiting(5);
  for (const auto& each : waiting) {
    database->Run({{"INSERT INTO t WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
                    "LIMIT 300000) SELECT count(*) FROM n",
                    {}}},
                  true, each.done());
  }
  int refused = 0;
  for (const auto& each : waiting) refused += IsBusy(each.Get().status()) ? 1 : 0;
  EXPECT_GE(refused, 1);
  EXPECT_EQ(database->counts().refused, refused);
  EXPECT_EQ(Ask("SELECT count(*) FROM t"), std::to_string(5 - refused) + " ");
}

TEST_F(LiveDatabaseTest, ManyThreadsSeeEachWriteOnce) {
  EXPECT_EQ(Ask("CREATE TABLE t (n); INSERT INTO t VALUES (0)"), "");
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([this] {
      for (int turn = 0; turn < 25; ++turn) {
        const int64_t before = std::stoll(Ask("SELECT n FROM t"));
        const int64_t after = std::stoll(Ask("UPDATE t SET n = n + 1 RETURNING n"));
        EXPECT_GT(after, before);
        EXPECT_GE(std::stoll(Ask("SELECT n FROM t")), after);
        if (turn % 10 == 5) database->Tend();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(Ask("SELECT n FROM t"), "100 ");
}

TEST_F(LiveDatabaseTest, ClosesWhenNobodyAsks) {
  EXPECT_EQ(Ask("CREATE TABLE t (a)"), "");
  const SteadyTime asked = test.clock.Steady();
  test.clock.Advance(1'000'000);
  EXPECT_FALSE(database->CloseIfIdle(asked - std::chrono::seconds(1)));
  EXPECT_TRUE(database->CloseIfIdle(asked));
  EXPECT_FALSE(database->counts().is_open);
  EXPECT_EQ(Ask("SELECT count(*) FROM t"), "0 ");
}

TEST_F(LiveDatabaseTest, AnImportIsThereWholeOrNotAtAll) {
  std::string sql = "PRAGMA defer_foreign_keys=TRUE;\nCREATE TABLE t (a UNIQUE);\n";
  for (int i = 0; i < 12'000; ++i) sql += "INSERT INTO t VALUES (" + std::to_string(i) + ");\n";
  const Waiting<Ran> good;
  database->Import(sql, good.done());
  EXPECT_EQ(ValueOf(good.Get()).answer.results.size(), 12'002);
  EXPECT_EQ(Ask("SELECT count(*) FROM t"), "12000 ");
  const Waiting<Ran> large;  // as an export writes the largest blobs
  database->Import("INSERT INTO t VALUES (x'" + std::string(3'999'000, 'a') + "')", large.done());
  EXPECT_FALSE(ValueOf(large.Get()).answer.error);
  EXPECT_EQ(Ask("DELETE FROM t WHERE length(a) > 10 RETURNING length(a)"), "1999500 ");
  const Waiting<Ran> bad;
  database->Import("INSERT INTO t VALUES (-1); INSERT INTO t VALUES (0)", bad.done());
  EXPECT_THAT(ValueOf(bad.Get()).answer.error->message, HasSubstr("UNIQUE"));
  EXPECT_EQ(Ask("SELECT count(*) FROM t"), "12000 ");
}

TEST_F(LiveDatabaseTest, OfADroppedDatabaseNothingIsServed) {
  EXPECT_EQ(Ask("CREATE TABLE t (a)"), "");
  const Waiting<bool> dropped;
  database->Drop(dropped.done());
  EXPECT_THAT(dropped.Get(), IsOk());
  EXPECT_THAT(Run({{"SELECT 1", {}}}), FailsWith(FaultCode::kStopped));
}

}  // namespace
}  // namespace levada::services::d1
