#include "services/d1/database_files.h"

#include <map>
#include <string>
#include <vector>

#include "base/testing.h"
#include "services/d1/database_fixture.h"

namespace levada::services::d1 {
namespace {

using testing::HasSubstr;

constexpr const char* kTable = "CREATE TABLE t (id INTEGER PRIMARY KEY, x TEXT)";
constexpr const char* kContent = "SELECT count(*), coalesce(sum(id * length(x)), 0), max(x) FROM t";

TEST(DatabaseFilesTest, KeepsWhatWasAcknowledgedWithoutACheckpoint) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    D1Fixture d1;
    ASSERT_THAT(d1.Open(), IsOk());
    ASSERT_THAT(d1.Do(kTable), IsOk());
    for (int i = 0; i < 10; ++i) {
      ASSERT_THAT(d1.Do("INSERT INTO t (x) VALUES (hex(zeroblob(3000)))"), IsOk());
      if (i == static_cast<int>(seed % 10)) {
        ASSERT_THAT(d1.Checkpoint(), IsOk());
      }
    }
    const Point last = d1.last();
    d1.Drop();
    d1.memory.Crash(seed);
    ASSERT_THAT(d1.Open(), IsOk());
    EXPECT_EQ(d1.Ask("SELECT count(*), sum(length(x)) FROM t"), "10 60000 ");
    EXPECT_EQ(d1.Ask("PRAGMA quick_check"), "ok ");
    EXPECT_EQ(d1.last(), last);
  }
}

TEST(DatabaseFilesTest, IsTheSameAfterItWasClosedInOrder) {
  D1Fixture d1;
  ASSERT_THAT(d1.Open(), IsOk());
  ASSERT_THAT(d1.Do(kTable), IsOk());
  for (int i = 0; i < 3; ++i) {
    ASSERT_THAT(d1.Do("INSERT INTO t (x) VALUES ('a')"), IsOk());
    d1.writer.reset();
    ASSERT_THAT(d1.files->Close(), IsOk());
    ASSERT_THAT(d1.Open(), IsOk());
  }
  EXPECT_EQ(d1.Ask("SELECT count(*) FROM t"), "3 ");
  EXPECT_EQ(d1.last().seq, 4u);
}

// What a workload did, as far as it was acknowledged.
struct Told {
  std::string acknowledged;  ///< content of the table
  std::string tried;         ///< what it is if the step that failed happened after all
};

Told Workload(D1Fixture& d1) {
  Told told{"nothing", "nothing"};
  const auto content = [](int rows) { return std::to_string(rows) + " rows"; };
  const auto step = [&](const std::string& then, const Status& status) {
    told.tried = then;
    if (status.ok()) told.acknowledged = then;
    return status.ok();
  };
  if (!d1.Open().ok()) return told;
  if (!step(content(0), d1.Do(kTable))) return told;
  for (int i = 1; i <= 4; ++i) {
    d1.Advance(700);
    if (!step(content(i), d1.Do("INSERT INTO t (x) VALUES (hex(zeroblob(2500)))"))) return told;
    if (i == 2 && !d1.Checkpoint().ok()) return told;
  }
  const Point four = d1.last();
  if (!step(content(1), d1.Do("DELETE FROM t WHERE id > 1"))) return told;
  if (!step(content(4), d1.Restore(four).status())) return told;
  if (!d1.Checkpoint().ok()) return told;
  d1.Advance(10'000);
  if (!d1.history().Tend(d1.files->written().seq).ok()) return told;
  (void)step(content(5), d1.Do("INSERT INTO t (x) VALUES ('five')"));
  return told;
}

TEST(DatabaseFilesTest, SurvivesAFaultAndACrashAtEveryOperation) {
  for (int64_t nth = 1;; ++nth) {
    SCOPED_TRACE(nth);
    D1Fixture d1;
    d1.limits = {.segment_bytes_max = 20'000, .whole_ms = 1000, .base_every_ms = 5000};
    d1.disk.Arm({.operations = os::WritingOperations(), .nth = nth, .short_write = nth % 2 == 0});
    const Told told = Workload(d1);
    const bool fired = d1.disk.fired();
    d1.disk.Disarm();
    d1.Drop();
    d1.memory.Crash(static_cast<uint64_t>(nth));
    ASSERT_THAT(d1.Open(), IsOk());
    const std::string said = d1.Ask("SELECT count(*) || ' rows' FROM t");
    const std::string found = said.find("no such table") != std::string::npos
                                  ? "nothing"
                                  : said.substr(0, said.size() - 1);
    EXPECT_TRUE(found == told.acknowledged || found == told.tried)
        << found << " but " << told.acknowledged << " or " << told.tried;
    EXPECT_EQ(d1.Ask("PRAGMA quick_check"), "ok ");
    ASSERT_THAT(d1.Do("CREATE TABLE more (x)"), IsOk());
    if (!fired) {
      EXPECT_GT(nth, 60) << "the workload is as long as it was";
      break;
    }
  }
}

TEST(DatabaseFilesTest, WhatAFailedSyncLeftIsDurableBeforeItIsBuiltOn) {
  for (const bool is_killed : {false, true}) {
    D1Fixture d1;
    ASSERT_THAT(d1.Open(), IsOk());
    ASSERT_THAT(d1.Do(kTable), IsOk());
    d1.disk.Arm({.operations = {os::DiskOperation::kSync}});
    EXPECT_THAT(d1.Do("INSERT INTO t (x) VALUES ('a')"), testing::Not(IsOk()));
    d1.disk.Disarm();
    ASSERT_THAT(d1.Open(), IsOk());
    ASSERT_EQ(d1.Ask("SELECT x FROM t"), "a ") << "it was written";
    if (!is_killed) {
      ASSERT_THAT(d1.Do("INSERT INTO t (x) VALUES ('b')"), IsOk());
    }
    d1.Drop();
    d1.memory.Crash(0);
    ASSERT_THAT(d1.Open(), IsOk());
    EXPECT_EQ(d1.Ask("SELECT group_concat(x, '') FROM t"), is_killed ? "a " : "ab ");
  }
}

TEST(DatabaseFilesTest, RestoresAndUndoesARestore) {
  D1Fixture d1;
  ASSERT_THAT(d1.Open(), IsOk());
  ASSERT_THAT(d1.Do(kTable), IsOk());
  ASSERT_THAT(d1.Do("INSERT INTO t (x) VALUES ('good')"), IsOk());
  const Point good = d1.last();
  d1.Advance(60'000);
  ASSERT_THAT(d1.Do("UPDATE t SET x = 'bad'"), IsOk());
  const Point bad = d1.last();
  const Point undone = ValueOf(d1.Restore(good));
  EXPECT_EQ(d1.Ask("SELECT x FROM t"), "good ");
  EXPECT_EQ(undone.epoch, bad.epoch + 1);
  EXPECT_LT(FormatBookmark(kDatabaseId, bad), FormatBookmark(kDatabaseId, undone));
  ASSERT_THAT(d1.Open(), IsOk());
  EXPECT_EQ(d1.Ask("SELECT x FROM t"), "good ");
  const auto bookmark = ParseBookmark(kDatabaseId, FormatBookmark(kDatabaseId, bad));
  ASSERT_THAT(d1.Restore(ValueOf(d1.history().PointOf(*bookmark))), IsOk());
  EXPECT_EQ(d1.Ask("SELECT x FROM t"), "bad ");
  // By time: what was there half a minute ago, in the epoch before the last two.
  const int64_t half_a_minute_ago = d1.test.clock.Now() / 1000 - 30'000;
  EXPECT_EQ(ValueOf(d1.history().PointAt(half_a_minute_ago)), good);
}

TEST(DatabaseFilesTest, AHundredRestoresFindTheStatesOfAModel) {
  const auto random = MakeSeededRandom(11);
  D1Fixture d1;
  d1.limits.segment_bytes_max = 200'000;
  d1.limits.base_every_ms = 3'600'000;
  d1.limits.whole_ms = 600'000;
  ASSERT_THAT(d1.Open(), IsOk());
  ASSERT_THAT(d1.Do(kTable), IsOk());
  std::vector<std::pair<Point, std::string>> states{{d1.last(), d1.Ask(kContent)}};
  int restores = 0;
  while (restores < 100) {
    const uint64_t choice = random->Next() % 20;
    d1.Advance(static_cast<int64_t>(random->Next() % 5000));
    if (choice < 8) {
      ASSERT_THAT(d1.Do("INSERT INTO t (x) VALUES (hex(randomblob(" +
                        std::to_string(random->Next() % 4000) + ")))"),
                  IsOk());
    } else if (choice < 10) {
      ASSERT_THAT(d1.Do("DELETE FROM t WHERE id % 3 = " + std::to_string(choice % 3)), IsOk());
    } else if (choice < 12) {
      ASSERT_THAT(d1.Do("UPDATE t SET x = x || 'y' WHERE id % 5 = 1"), IsOk());
    } else if (choice == 12) {
      ASSERT_THAT(d1.Checkpoint(), IsOk());
      d1.Advance(400'000);
      ASSERT_THAT(d1.history().Tend(d1.files->written().seq), IsOk());
    } else if (choice == 13) {
      d1.Drop();
      d1.memory.Crash(random->Next());
      ASSERT_THAT(d1.Open(), IsOk());
    } else if (choice < 16) {
      const auto& [point, content] = states[random->Next() % states.size()];
      // The point itself, or what stands for its second now.
      const auto bookmark = ParseBookmark(kDatabaseId, FormatBookmark(kDatabaseId, point));
      const Point target = ValueOf(d1.history().PointOf(*bookmark));
      ASSERT_EQ(SecondOf(target.ms), SecondOf(point.ms));
      std::string expected;
      for (const auto& [kept, said] : states) {
        if (kept.seq == target.seq) expected = said;
      }
      if (target.seq == point.seq) {
        ASSERT_EQ(expected, content);
      }
      ASSERT_THAT(d1.Restore(target), IsOk());
      ASSERT_EQ(d1.Ask(kContent), expected) << "restore " << restores;
      ++restores;
    } else if (choice < 18) {
      // A whole second of the past: the last state that it had.
      const int64_t ms = SecondOf(states[random->Next() % states.size()].first.ms) * 1000;
      std::string expected;
      for (const auto& [kept, said] : states) {
        if (kept.ms <= ms) expected = said;
      }
      ASSERT_THAT(d1.Restore(ValueOf(d1.history().PointAt(ms))), IsOk());
      ASSERT_EQ(d1.Ask(kContent), expected) << "restore " << restores << " to " << ms;
      ++restores;
    }
    if (d1.last() != states.back().first) states.emplace_back(d1.last(), d1.Ask(kContent));
  }
  EXPECT_EQ(d1.Ask("PRAGMA quick_check"), "ok ");
}

TEST(DatabaseFilesTest, ThinsAfterAnHourAndPrunesAfterThirtyDays) {
  D1Fixture d1;
  d1.limits.segment_bytes_max = 60'000;
  ASSERT_THAT(d1.Open(), IsOk());
  ASSERT_THAT(d1.Do(kTable), IsOk());
  const auto size = [&] {
    int64_t bytes = 0;
    for (const auto& entry : ValueOf(d1.memory.List(std::string(kDirectory) + "/history"))) {
      bytes += entry.size_bytes;
    }
    return bytes;
  };
  const auto day = [&] {
    for (int i = 0; i < 100; ++i) {
      d1.Advance(100);
      ASSERT_THAT(d1.Do("INSERT INTO t (x) VALUES ('row'); UPDATE t SET x = 'row' || id"), IsOk());
    }
    ASSERT_THAT(d1.Checkpoint(), IsOk());
  };
  day();
  const int64_t whole = size();
  ASSERT_THAT(d1.history().Tend(d1.files->written().seq), IsOk());
  EXPECT_EQ(size(), whole) << "it is not an hour old";
  d1.Advance(2 * 3600 * 1000);
  ASSERT_THAT(d1.history().Tend(d1.files->written().seq), IsOk());
  EXPECT_LT(size(), whole / 2);
  std::vector<int64_t> sizes;
  const int64_t first_day = d1.test.clock.Now() / 1000;
  for (int i = 0; i < 70; ++i) {
    d1.Advance(int64_t{24} * 3600 * 1000);
    ASSERT_THAT(d1.Do("UPDATE t SET x = 'day' WHERE id = 1"), IsOk());
    ASSERT_THAT(d1.Checkpoint(), IsOk());
    ASSERT_THAT(d1.history().Tend(d1.files->written().seq), IsOk());
    sizes.push_back(size());
  }
  EXPECT_LE(sizes[69], sizes[39] + sizes[39] / 4) << "thirty days, and no more";
  EXPECT_THAT(d1.history().PointAt(first_day), FailsWith(FaultCode::kBadValue));
  const int64_t thirty_days_ago = d1.test.clock.Now() / 1000 - int64_t{30} * 24 * 3600 * 1000;
  ASSERT_THAT(d1.Restore(ValueOf(d1.history().PointAt(thirty_days_ago))), IsOk());
  EXPECT_EQ(d1.Ask("SELECT count(*) FROM t"), "100 ");
}

TEST(DatabaseFilesTest, TimeDoesNotGoBackWithTheClock) {
  D1Fixture d1;
  ASSERT_THAT(d1.Open(), IsOk());
  ASSERT_THAT(d1.Do(kTable), IsOk());
  const Point before = d1.last();
  d1.test.clock.Set(5'000'000);
  ASSERT_THAT(d1.Do("INSERT INTO t (x) VALUES ('a')"), IsOk());
  EXPECT_EQ(d1.last().ms, before.ms);
}

TEST(DatabaseFilesTest, ADamagedPageIsNamedAndMadeAnewFromTheHistory) {
  D1Fixture d1;
  ASSERT_THAT(d1.Open(), IsOk());
  ASSERT_THAT(d1.Do(kTable), IsOk());
  ASSERT_THAT(d1.Do("INSERT INTO t (x) VALUES (hex(zeroblob(9000)))"), IsOk());
  ASSERT_THAT(d1.Checkpoint(), IsOk());
  d1.Drop();
  FlipBit(d1.memory, std::string(kDirectory) + "/database", 3 * 4096 + 77);
  ASSERT_THAT(d1.Open(), IsOk());
  EXPECT_THAT(d1.Ask("SELECT sum(length(x)), max(x) FROM t"),
              HasSubstr("database \"shop\": page 4"));
  d1.writer.reset();
  ASSERT_THAT(d1.files->Rebuild(), IsOk());
  ASSERT_THAT(d1.Connect(), IsOk());
  EXPECT_EQ(d1.Ask("SELECT length(x) FROM t"), "18000 ");
}

TEST(DatabaseFilesTest, DamageInTheHistoryIsFoundAndNotTakenForAnEnd) {
  D1Fixture d1;
  ASSERT_THAT(d1.Open(), IsOk());
  ASSERT_THAT(d1.Do(kTable), IsOk());
  const Point first = d1.last();
  for (int i = 0; i < 5; ++i) {
    ASSERT_THAT(d1.Do("INSERT INTO t (x) VALUES (hex(zeroblob(1000)))"), IsOk());
  }
  d1.writer.reset();
  ASSERT_THAT(d1.files->Close(), IsOk());
  d1.Drop();
  const std::string directory = std::string(kDirectory) + "/history";
  const auto segment = ValueOf(ListHistory(d1.memory, directory)).segments.back();
  const int64_t size = ValueOf(ValueOf(d1.memory.Open(segment.path))->Size());
  int found = 0, flipped = 0;
  for (int64_t at = 0; at < size; at += 61) {
    FlipBit(d1.memory, segment.path, at);
    const HistoryReader reader(d1.memory, directory, kDatabaseId, "shop");
    ++flipped;
    found += reader.End().ok() ? 0 : 1;
    FlipBit(d1.memory, segment.path, at);
  }
  EXPECT_EQ(found, flipped);
  (void)first;
}

TEST(DatabaseFilesTest, AMissingSegmentIsNamed) {
  D1Fixture d1;
  d1.limits.segment_bytes_max = 1;
  ASSERT_THAT(d1.Open(), IsOk());
  ASSERT_THAT(d1.Do(kTable), IsOk());
  for (int i = 0; i < 3; ++i) ASSERT_THAT(d1.Do("INSERT INTO t (x) VALUES ('a')"), IsOk());
  const auto files = ValueOf(ListHistory(d1.memory, std::string(kDirectory) + "/history"));
  ASSERT_GE(files.segments.size(), 3u);
  ASSERT_THAT(d1.memory.Remove(files.segments[1].path), IsOk());
  EXPECT_THAT(d1.history().WriteImage(d1.last(), "out"),
              FailsWith(FaultCode::kStoreDamaged, HasSubstr("2 to 2 are missing")));
}

TEST(DatabaseFilesTest, BookmarksOfNoPointAreRefused) {
  D1Fixture d1;
  ASSERT_THAT(d1.Open(), IsOk());
  ASSERT_THAT(d1.Do(kTable), IsOk());
  EXPECT_THAT(d1.history().PointOf({.epoch = 1, .seq = 9, .ms = 0}),
              FailsWith(FaultCode::kBadValue));
  EXPECT_THAT(d1.history().PointOf({.epoch = 4, .seq = 1, .ms = d1.last().ms}),
              FailsWith(FaultCode::kBadValue));
  EXPECT_THAT(d1.history().PointAt(0), FailsWith(FaultCode::kBadValue));
  EXPECT_EQ(ValueOf(d1.history().PointOf({.epoch = 1, .seq = 0})).seq, 0u);
}

}  // namespace
}  // namespace levada::services::d1
