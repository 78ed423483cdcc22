#include "spill/record_sorter.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/testing.h"
#include "os/faulty_disk.h"
#include "os/memory_disk.h"

namespace levada::spill {
namespace {

using Record = std::pair<uint64_t, std::string>;

struct Scratch {
  os::MemoryDisk disk;
  std::unique_ptr<Random> random = MakeSeededRandom(1);
  ScratchSpace space{&disk, random.get(), "/"};
};

Result<std::vector<Record>> Sorted(const ScratchSpace& space, int64_t memory,
                                   const std::vector<Record>& records) {
  TestContext surroundings;
  RecordSorter sorter(space, memory);
  for (const auto& [rank, bytes] : records) ARROW_RETURN_NOT_OK(sorter.Add({rank, bytes}));
  ARROW_RETURN_NOT_OK(sorter.Sort(surroundings.context()));
  std::vector<Record> sorted;
  SortRecord record;
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const bool any, sorter.Next(&record));
    if (!any) return sorted;
    sorted.emplace_back(record.rank, record.bytes);
  }
}

std::vector<Record> RandomRecords(uint64_t seed, int count) {
  const auto random = MakeSeededRandom(seed);
  std::vector<Record> records;
  for (int i = 0; i < count; ++i) {
    std::string bytes(random->Next() % 40, 'x');
    for (char& c : bytes) c = static_cast<char>(random->Next());
    records.emplace_back(random->Next() % 50, bytes);
  }
  return records;
}

TEST(RecordSorter, SortsWhateverFitsIntoTheBufferAndWhateverDoesNot) {
  for (const int count : {0, 1, 2, 100, 5000}) {
    const auto records = RandomRecords(7, count);
    auto expected = records;
    std::ranges::sort(expected);
    // From one buffer to hundreds of runs in several rounds of merging.
    for (const int64_t memory : {256, 1024, 20'000, 1 << 20}) {
      Scratch scratch;
      EXPECT_EQ(ValueOf(Sorted(scratch.space, memory, records)), expected)
          << count << " in " << memory;
    }
  }
}

TEST(RecordSorter, LeavesNoFileBehind) {
  Scratch scratch;
  TestContext surroundings;
  RecordSorter sorter(scratch.space, 1024);
  for (const auto& [rank, bytes] : RandomRecords(3, 500)) {
    ASSERT_THAT(sorter.Add({rank, bytes}), IsOk());
  }
  EXPECT_TRUE(ValueOf(scratch.disk.List("/")).empty()) << "not even while it works";
}

TEST(RecordSorter, ARecordTakesTheBufferAtMost) {
  Scratch scratch;
  const std::string large(1000, 'x');
  EXPECT_EQ(ValueOf(Sorted(scratch.space, 1024, {{2, large}, {1, large}})).size(), 2u);
  EXPECT_THAT(Sorted(scratch.space, 1024, {{1, std::string(1020, 'x')}}),
              FailsWith(FaultCode::kBudgetTooSmall));
}

TEST(RecordSorter, StopsWhenTold) {
  Scratch scratch;
  TestContext surroundings;
  RecordSorter sorter(scratch.space, 1024);
  for (const auto& [rank, bytes] : RandomRecords(3, 2000)) {
    ASSERT_THAT(sorter.Add({rank, bytes}), IsOk());
  }
  surroundings.stop.request_stop();
  EXPECT_THAT(sorter.Sort(surroundings.context()), FailsWith(FaultCode::kStopped));
}

TEST(RecordSorter, EveryFailureOfTheDiskComesOut) {
  const auto records = RandomRecords(5, 300);
  int64_t n = 1;
  for (;; ++n) {
    Scratch scratch;
    os::FaultyDisk disk(scratch.disk);
    auto operations = os::WritingOperations();
    operations.insert({os::DiskOperation::kOpen, os::DiskOperation::kRead});
    disk.Arm({.operations = operations, .nth = n, .error = ENOSPC});
    const auto sorted = Sorted({&disk, scratch.random.get(), "/"}, 1024, records);
    if (!disk.fired()) {
      EXPECT_THAT(sorted, IsOk());
      break;
    }
    // Closing says nothing of a file that nobody will read again.
    if (!sorted.ok()) {
      EXPECT_THAT(sorted, FailsWith(FaultCode::kDiskFull));
    }
  }
  EXPECT_GT(n, 20);
}

}  // namespace
}  // namespace levada::spill
