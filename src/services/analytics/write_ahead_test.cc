#include "services/analytics/write_ahead.h"

#include <future>
#include <map>
#include <set>

#include "base/testing.h"
#include "os/faulty_disk.h"
#include "os/memory_disk.h"

namespace levada::services::analytics {
namespace {

using namespace std::chrono_literals;

/// A row of a test says its own name.
Rows Named(const std::string& name, uint32_t count = 1) { return {1, 20'000, count, name}; }

struct Log {
  explicit Log(WriteAheadOptions with = {}) : options(with) {}

  Status Open() {
    log.reset();
    auto opened = WriteAhead::Open(disk, "wal", options, test.clock, *random, *test.log);
    if (opened.ok()) log = std::move(*opened);
    return opened.status();
  }
  Status Put(const std::string& name, uint32_t count = 1) {
    std::promise<Status> promise;
    const bool taken =
        log->Submit({Named(name, count)}, [&](const Status& status) { promise.set_value(status); });
    return taken ? promise.get_future().get() : Status::CapacityError("full");
  }
  /// So many names in ended segments, which are removed; 0: of those that there are.
  std::vector<std::string> Drain(size_t count) {
    std::vector<std::string> names;
    while (names.size() < count || log->counts().unflushed_segments > 0) {
      const uint64_t number = log->WaitForSegment({}).value();
      for (const Rows& rows : ValueOf(log->Read(number))) names.push_back(rows.bytes);
      EXPECT_THAT(log->Remove(number), IsOk());
    }
    return names;
  }

  TestContext test;
  os::MemoryDisk memory;
  os::FaultyDisk disk{memory};
  WriteAheadOptions options;
  std::unique_ptr<Random> random = MakeSeededRandom(3);
  std::unique_ptr<WriteAhead> log;
};

TEST(WriteAheadTest, HandsOverSegmentsByAge) {
  Log wal;
  ASSERT_THAT(wal.Open(), IsOk());
  ASSERT_THAT(wal.Put("a"), IsOk());
  ASSERT_THAT(wal.Put("b"), IsOk());
  EXPECT_EQ(wal.log->counts().unflushed_segments, 0u);
  wal.test.clock.Advance(500'000);
  const uint64_t first = wal.log->WaitForSegment({}).value();
  EXPECT_FALSE(wal.log->MayBeInEngine(first));
  EXPECT_EQ(ValueOf(wal.log->Read(first)).size(), 2u);
  ASSERT_THAT(wal.Put("c"), IsOk());
  wal.test.clock.Advance(500'000);
  ASSERT_THAT(wal.log->Remove(first), IsOk());
  const uint64_t second = wal.log->WaitForSegment({}).value();
  EXPECT_GT(second, first);
  EXPECT_EQ(ValueOf(wal.log->Read(second)).front().bytes, "c");
  EXPECT_EQ(wal.log->counts().rows, 3u);
}

TEST(WriteAheadTest, HandsOverSegmentsByRowsAndBytes) {
  Log wal({.segment_rows_max = 10, .segment_bytes_max = 1000});
  ASSERT_THAT(wal.Open(), IsOk());
  ASSERT_THAT(wal.Put("a", 9), IsOk());
  ASSERT_THAT(wal.Put("b", 1), IsOk());
  const uint64_t first = wal.log->WaitForSegment({}).value();
  EXPECT_EQ(ValueOf(wal.log->Read(first)).size(), 2u);
  ASSERT_THAT(wal.Put(std::string(1000, 'x')), IsOk());
  ASSERT_THAT(wal.Put("d"), IsOk());  // behind the end of the one before
  EXPECT_EQ(wal.log->counts().unflushed_segments, 2u);
}

TEST(WriteAheadTest, TakesNothingWhileTooMuchWaitsForTheEngine) {
  Log wal({.segment_rows_max = 1, .unflushed_bytes_max = 1000});
  ASSERT_THAT(wal.Open(), IsOk());
  int taken = 0;
  while (wal.Put(std::string(300, 'x')).ok()) ++taken;
  EXPECT_GE(taken, 3);
  EXPECT_LE(taken, 4);
  EXPECT_EQ(wal.Drain(static_cast<size_t>(taken)).size(), static_cast<size_t>(taken));
  EXPECT_THAT(wal.Put("more"), IsOk());
}

TEST(WriteAheadTest, NumbersAreNotGivenAgain) {
  Log wal({.segment_rows_max = 1});
  std::set<uint64_t> numbers;
  for (int i = 0; i < 5; ++i) {
    ASSERT_THAT(wal.Open(), IsOk());
    wal.test.clock.Set(1000);  // set back
    ASSERT_THAT(wal.Put("a"), IsOk());
    for (bool is_read = false; !is_read;) {
      const uint64_t number = wal.log->WaitForSegment({}).value();
      is_read = !ValueOf(wal.log->Read(number)).empty();
      if (is_read) {
        EXPECT_TRUE(numbers.insert(number).second);
      }
      ASSERT_THAT(wal.log->Remove(number), IsOk());
    }
  }
  EXPECT_EQ(numbers.size(), 5u);
}

TEST(WriteAheadTest, GivesAfterAStopWhatTheEngineHasNot) {
  Log wal;
  ASSERT_THAT(wal.Open(), IsOk());
  ASSERT_THAT(wal.Put("a"), IsOk());
  ASSERT_THAT(wal.Open(), IsOk());
  const uint64_t first = wal.log->WaitForSegment({}).value();
  EXPECT_TRUE(wal.log->MayBeInEngine(first));
  EXPECT_EQ(wal.Drain(1), std::vector<std::string>{"a"});
  ASSERT_THAT(wal.Open(), IsOk());
  EXPECT_TRUE(wal.Drain(0).empty());
}

TEST(WriteAheadTest, SetsADamagedSegmentAside) {
  Log wal({.segment_rows_max = 1});
  ASSERT_THAT(wal.Open(), IsOk());
  ASSERT_THAT(wal.Put("a"), IsOk());
  ASSERT_THAT(wal.Put("b"), IsOk());
  const uint64_t first = wal.log->WaitForSegment({}).value();
  const std::string path = "wal/" + wal.memory.List("wal").ValueOrDie().front().name;
  const auto file = ValueOf(wal.memory.OpenMutable(path));
  const uint8_t other = 0;
  ASSERT_THAT(file->WriteAt(33, {&other, 1}), IsOk());
  EXPECT_THAT(wal.log->Read(first), FailsWith(FaultCode::kStoreDamaged));
  wal.log->SetAside(first);
  EXPECT_EQ(wal.Drain(1), std::vector<std::string>{"b"});
  EXPECT_EQ(wal.log->counts().damaged_segments, 1u);
  EXPECT_TRUE(ValueOf(wal.memory.Stat(path)));
}

TEST(WriteAheadTest, IsThereOnAFullDisk) {
  Log wal({.segment_rows_max = 1});
  ASSERT_THAT(wal.Open(), IsOk());
  ASSERT_THAT(wal.Put("a"), IsOk());
  wal.log.reset();
  wal.disk.Arm(
      {.operations = {os::DiskOperation::kAppend}, .error = ENOSPC, .keeps_failing = true});
  ASSERT_THAT(wal.Open(), IsOk());
  EXPECT_THAT(wal.Put("b"), FailsWith(FaultCode::kDiskFull));
  EXPECT_THAT(wal.Put("c"), FailsWith(FaultCode::kDiskFull));
  wal.disk.Disarm();
  EXPECT_THAT(wal.Put("d"), IsOk());
  EXPECT_EQ(wal.Drain(2), (std::vector<std::string>{"a", "d"}));
  EXPECT_EQ(wal.memory.List("wal").ValueOrDie().size(), 1u) << "no tries are left";
}

TEST(WriteAheadTest, ManyThreadsShareFsyncs) {
  Log wal({.segment_rows_max = 1000});
  ASSERT_THAT(wal.Open(), IsOk());
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&wal, t] {
      for (int i = 0; i < 50; ++i) {
        EXPECT_THAT(wal.Put(std::to_string(t * 1000 + i)), IsOk());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const WriteAheadCounts counts = wal.log->counts();
  EXPECT_EQ(counts.rows, 400u);
  EXPECT_LE(counts.groups, 400u);
  wal.test.clock.Advance(500'000);
  (void)wal.log->WaitForSegment({});
  const std::vector<std::string> names = wal.Drain(400);
  EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), 400u);
}

/// An engine that remembers by the number of a segment, as the real one does.
struct Engine {
  std::map<uint64_t, std::vector<std::string>> by_segment;

  void Take(Log& wal) {
    while (wal.log->counts().unflushed_segments > 0) {
      const uint64_t number = wal.log->WaitForSegment({}).value();
      const auto rows = wal.log->Read(number);
      if (!rows.ok()) return;
      std::vector<std::string> names;
      for (const Rows& each : *rows) names.push_back(each.bytes);
      const auto [found, is_new] = by_segment.emplace(number, names);
      // What went there once is what goes there again; nothing of one that is removed and whose
      // removal is perhaps not durable.
      if (!is_new && !names.empty()) {
        EXPECT_EQ(found->second, names);
      }
      if (!wal.log->Remove(number).ok()) return;
    }
  }
};

TEST(WriteAheadTest, SurvivesAFaultAndACrashAtEveryOperation) {
  for (const bool keeps_failing : {false, true}) {
    for (int64_t nth = 1;; ++nth) {
      SCOPED_TRACE(nth);
      Log wal({.segment_rows_max = 3});
      Engine engine;
      std::set<std::string> acknowledged, tried;
      wal.disk.Arm({.operations = os::WritingOperations(),
                    .nth = nth,
                    .keeps_failing = keeps_failing,
                    .short_write = nth % 2 == 0});
      if (wal.Open().ok()) {
        for (int i = 0; i < 12; ++i) {
          const std::string name = "row " + std::to_string(i);
          tried.insert(name);
          if (wal.Put(name).ok()) acknowledged.insert(name);
          if (i % 4 == 3) engine.Take(wal);
        }
      }
      const bool fired = wal.disk.fired();
      // The power goes first: what the log writes as it is closed has no disk any more.
      wal.memory.Crash(static_cast<uint64_t>(nth));
      wal.log.reset();
      wal.disk.Disarm();
      ASSERT_THAT(wal.Open(), IsOk());
      engine.Take(wal);
      std::multiset<std::string> found;
      for (const auto& [number, names] : engine.by_segment)
        found.insert(names.begin(), names.end());
      for (const std::string& name : acknowledged) EXPECT_EQ(found.count(name), 1u) << name;
      for (const std::string& name : found) {
        EXPECT_EQ(found.count(name), 1u) << name;
        EXPECT_TRUE(tried.contains(name)) << name;
      }
      if (!fired) {
        EXPECT_GT(nth, 30) << "the workload is as long as it was";
        EXPECT_EQ(acknowledged.size(), 12u);
        break;
      }
    }
  }
}

}  // namespace
}  // namespace levada::services::analytics
