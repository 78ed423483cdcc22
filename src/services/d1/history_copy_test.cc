#include "services/d1/history_copy.h"

#include <array>
#include <atomic>
#include <thread>

#include "services/d1/database_fixture.h"

namespace levada::services::d1 {
namespace {

constexpr std::array<uint64_t, 1> kNumbers = {kDatabaseId};
constexpr const char* kTable = "CREATE TABLE t (id INTEGER PRIMARY KEY, x TEXT)";
constexpr const char* kInsert = "INSERT INTO t (x) VALUES (hex(randomblob(1500)))";

/// What a database that is opened on a copy answers.
std::string AskCopy(D1Fixture& of, const std::string& directory, const std::string& sql) {
  D1Fixture copy;
  copy.test.clock.Set(of.test.clock.Now());
  auto files = DatabaseFiles::Open(of.memory, os::JoinPath(directory, "7"), kDatabaseId, "copy",
                                   copy.test.clock, of.limits);
  if (!files.ok()) return files.status().ToString();
  copy.files = *std::move(files);
  EXPECT_THAT(copy.Connect(), IsOk());
  EXPECT_EQ(copy.Ask("PRAGMA quick_check"), "ok ");
  std::string answer = copy.Ask(sql);
  copy.Drop();
  return answer;
}

TEST(HistoryCopyTest, IsTheDatabaseAndItsHistory) {
  D1Fixture d1;
  ASSERT_THAT(d1.Open(), IsOk());
  ASSERT_THAT(d1.Do(kTable), IsOk());
  for (int i = 0; i < 5; ++i) ASSERT_THAT(d1.Do(kInsert), IsOk());
  const Point five = d1.last();
  ASSERT_THAT(d1.Do("DELETE FROM t"), IsOk());
  ASSERT_TRUE(ValueOf(CopyDatabases(d1.memory, "d1", kNumbers, "copy")));
  ASSERT_THAT(d1.Do(kInsert), IsOk());
  EXPECT_EQ(AskCopy(d1, "copy", "SELECT count(*) FROM t"), "0 ");
  const auto copied = ValueOf(
      DatabaseFiles::Open(d1.memory, "copy/7", kDatabaseId, "copy", d1.test.clock, d1.limits));
  ASSERT_THAT(copied->Restore(five).status(), IsOk());
  EXPECT_EQ(AskCopy(d1, "copy", "SELECT count(*) FROM t"), "5 ");
  EXPECT_EQ(d1.Ask("SELECT count(*) FROM t"), "1 ") << "the origin has its own";
}

TEST(HistoryCopyTest, OneThatWasDeletedIsToldFromOthers) {
  D1Fixture d1;
  ASSERT_TRUE(ValueOf(CopyDatabases(d1.memory, "d1", kNumbers, "copy")));
  const std::array<uint64_t, 2> two = {kDatabaseId, 8};
  EXPECT_FALSE(ValueOf(CopyDatabases(d1.memory, "d1", two, "other")));
  EXPECT_TRUE(ValueOf(CopyDatabases(d1.memory, "d1", {}, "none")));
}

// One thread commits, restores, thins and prunes, in segments of a few transactions, while another
// copies: each copy has at least what was acknowledged when it was begun, and is whole.
TEST(HistoryCopyTest, WhateverHappensMeanwhileACopyIsOfAMoment) {
  D1Fixture d1;
  d1.limits.segment_bytes_max = 40'000;
  d1.limits.whole_ms = 2'000;
  d1.limits.base_every_ms = 3'000;
  d1.limits.kept_ms = 20'000;
  ASSERT_THAT(d1.Open(), IsOk());
  ASSERT_THAT(d1.Do(kTable), IsOk());
  std::atomic<int64_t> begun{0}, acknowledged{0};
  std::atomic<bool> is_over{false};
  // NOLINTNEXTLINE: the writer of the fixture is of one thread, which is this one
  std::jthread writing([&] {
    for (int64_t i = 1; i <= 400; ++i) {
      begun = i;
      ASSERT_THAT(d1.Do(kInsert), IsOk());
      acknowledged = i;
      d1.Advance(100);
      if (i % 20 == 0) {
        ASSERT_THAT(d1.Checkpoint(), IsOk());
        ASSERT_THAT(d1.history().Tend(d1.files->written().seq), IsOk());
      }
      if (i % 70 == 0) {
        ASSERT_THAT(d1.Restore(d1.last()).status(), IsOk());
      }
    }
    is_over = true;
  });
  int copies = 0;
  while (!is_over) {
    const std::string into = "copy" + std::to_string(++copies);
    const int64_t least = acknowledged;
    ASSERT_TRUE(ValueOf(CopyDatabases(d1.memory, "d1", kNumbers, into)));
    const int64_t most = begun;
    const std::string answer = AskCopy(d1, into, "SELECT count(*), coalesce(max(id), 0) FROM t");
    const int64_t rows = std::strtoll(answer.c_str(), nullptr, 10);
    EXPECT_EQ(answer, std::to_string(rows) + " " + std::to_string(rows) + " ");
    EXPECT_GE(rows, least);
    EXPECT_LE(rows, most);
    ASSERT_THAT(os::RemoveTree(d1.memory, into), IsOk());
  }
  EXPECT_GT(copies, 3);
}

}  // namespace
}  // namespace levada::services::d1
