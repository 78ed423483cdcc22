// Every operation of the disk fails once, the disk fills up, the power goes. What is
// left is either old or new, and the next run completes it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "connectors/parquet/lake_fixture.h"

namespace levada::parquet {
namespace {

using ::testing::AnyOf;
using ::testing::IsEmpty;

// Fewer rows than elsewhere: there is one run per operation.
const Pipeline kSmall{.partitions = 2, .slices = 1, .slice_rows = 500, .batch_rows = 250};

struct Expectation {
  std::map<std::string, std::string> first, second;
  Expectation() {
    Lake lake;
    EXPECT_THAT(lake.RunOnce(kSmall), IsOk());
    first = lake.DataFiles();
    EXPECT_THAT(lake.RunOnce(kSmall), IsOk());
    second = lake.DataFiles();
  }
};

const Expectation& Expected() {
  static const Expectation expected;
  return expected;
}

std::set<os::DiskOperation> EveryOperation() {
  std::set<os::DiskOperation> all = os::WritingOperations();
  all.insert({os::DiskOperation::kOpen, os::DiskOperation::kSize, os::DiskOperation::kRead,
              os::DiskOperation::kList, os::DiskOperation::kStat, os::DiskOperation::kTryLock});
  return all;
}

bool IsOldOrNew(const Lake& lake, bool replacing) {
  const auto files = lake.DataFiles();
  if (files == Expected().second) return true;
  return replacing ? files == Expected().first : files.empty() || files == Expected().first;
}

// One failure at the n-th operation, for every n; retries as the runner has them.
void Sweep(bool replacing, os::DiskFailure failure, int attempts) {
  failure.operations = EveryOperation();
  for (failure.nth = 1;; ++failure.nth) {
    Lake lake;
    if (replacing) {
      ASSERT_THAT(lake.RunOnce(kSmall), IsOk());
    }
    lake.faulty().Arm(failure);
    const Status status = lake.RunOnce(kSmall, attempts);
    const bool fired = lake.faulty().fired();
    lake.Disarm();
    if (!fired) {
      EXPECT_THAT(status, IsOk());
      EXPECT_GT(failure.nth, 100) << "the sweep saw the whole run";
      return;
    }
    SCOPED_TRACE(testing::Message() << "operation " << failure.nth << ": " << status.ToString());
    if (lake.Exists("_SUCCESS")) {
      EXPECT_TRUE(IsOldOrNew(lake, replacing));
    }
    if (!status.ok()) {
      EXPECT_THAT(CodeOf(status),
                  AnyOf(FaultCode::kTargetIo, FaultCode::kDiskFull, FaultCode::kTargetUnwritable));
    }
    const bool finished = !replacing && lake.Exists("_levada/all.json");
    const Status next = lake.RunOnce(kSmall);
    ASSERT_THAT(next, IsOk());
    if (replacing || finished) {
      EXPECT_EQ(ContentsOf(lake.DataFiles()), ContentsOf(Expected().second));
    } else {
      EXPECT_EQ(lake.DataFiles(), Expected().first);
    }
    EXPECT_THAT(lake.Leftovers(), IsEmpty());
    EXPECT_TRUE(lake.Exists("_SUCCESS"));
    if (testing::Test::HasFailure()) return;
  }
}

TEST(LakeDisk, SurvivesEveryFailingOperationOfAFirstRun) { Sweep(false, {.error = EIO}, 1); }
TEST(LakeDisk, SurvivesEveryFailingOperationOfAReplacingRun) { Sweep(true, {.error = EIO}, 1); }
TEST(LakeDisk, SurvivesEveryFailingOperationWithRetries) { Sweep(false, {.error = EIO}, 3); }
TEST(LakeDisk, SurvivesEveryFailingOperationOfAReplacingRunWithRetries) {
  Sweep(true, {.error = EIO}, 3);
}
TEST(LakeDisk, SurvivesAShortWriteAnywhere) {
  Sweep(false, {.error = ENOSPC, .short_write = true}, 1);
}

// From the n-th on nothing more can be written, until there is room again.
TEST(LakeDisk, SurvivesADiskThatFillsUpAnywhere) {
  const std::set<os::DiskOperation> growing = {os::DiskOperation::kCreate,
                                               os::DiskOperation::kAppend,
                                               os::DiskOperation::kCreateDirectories};
  for (const bool replacing : {false, true}) {
    for (int64_t n = 1;; ++n) {
      Lake lake;
      if (replacing) {
        ASSERT_THAT(lake.RunOnce(kSmall), IsOk());
      }
      lake.faulty().Arm({.operations = growing,
                         .nth = n,
                         .error = ENOSPC,
                         .keeps_failing = true,
                         .short_write = true});
      const Status status = lake.RunOnce(kSmall, 3);
      const bool fired = lake.faulty().fired();
      SCOPED_TRACE(testing::Message() << "operation " << n << ": " << status.ToString());
      if (fired) {
        EXPECT_THAT(status, FailsWith(FaultCode::kDiskFull));
        EXPECT_THAT(lake.Inspect(kSmall), IsOk()) << "reading still works";
        // Staged files give their room back at once; a replacing run keeps whole partitions.
        if (!replacing) {
          EXPECT_THAT(lake.Leftovers(), IsEmpty());
        }
      }
      lake.Disarm();
      if (!fired) break;
      ASSERT_THAT(lake.RunOnce(kSmall), IsOk());
      EXPECT_EQ(ContentsOf(lake.DataFiles()), ContentsOf(Expected().second));
      EXPECT_THAT(lake.Leftovers(), IsEmpty());
      if (testing::Test::HasFailure()) return;
    }
  }
}

// The power goes at the n-th operation that changes anything, with 3 outcomes of chance for each.
void LosePower(bool replacing) {
  for (int64_t n = 1;; ++n) {
    bool fired = false;
    for (const uint64_t seed : {0, 1, 2}) {
      Lake lake;
      if (replacing) {
        ASSERT_THAT(lake.RunOnce(kSmall), IsOk());
      }
      lake.faulty().Arm(
          {.operations = os::WritingOperations(), .nth = n, .error = EIO, .keeps_failing = true});
      (void)lake.RunOnce(kSmall);
      fired = lake.faulty().fired();
      lake.memory().Crash(seed == 0 ? 0 : seed * 1000 + static_cast<uint64_t>(n));
      lake.Disarm();
      SCOPED_TRACE(testing::Message() << "operation " << n << ", seed " << seed);
      if (lake.Exists("_SUCCESS")) {
        EXPECT_TRUE(IsOldOrNew(lake, replacing));
      }
      const bool finished = lake.Exists("_levada/all.json");
      ASSERT_THAT(lake.RunOnce(kSmall), IsOk());
      if (replacing || finished) {
        EXPECT_EQ(ContentsOf(lake.DataFiles()), ContentsOf(Expected().second));
      } else {
        EXPECT_EQ(lake.DataFiles(), Expected().first);
      }
      EXPECT_THAT(lake.Leftovers(), IsEmpty());
      if (testing::Test::HasFailure()) return;
    }
    if (!fired) return;
  }
}

TEST(LakePower, LossInAFirstRunLosesNothingThatWasPublished) { LosePower(false); }
TEST(LakePower, LossInAReplacingRunLeavesOldOrNew) { LosePower(true); }

// Directories are made for staged files and pruned when a replaced run leaves them empty.
TEST(LakePower, LossInADatasetOfDirectoriesLosesNothing) {
  const Pipeline old{.partitions = 2, .slices = 1, .slice_rows = 12, .batch_rows = 6};
  Pipeline now = old;
  now.first_row = 3;
  now.slice_rows = 8;
  const auto made = [&](const std::vector<Pipeline>& runs) {
    auto lake = std::make_unique<Lake>();
    lake->options().layout = "all";
    lake->options().partition_by = {"country"};
    for (const Pipeline& run : runs) EXPECT_THAT(lake->RunOnce(run), IsOk());
    return lake;
  };
  const auto before = ContentsOf(made({old})->DataFiles());
  const auto after = ContentsOf(made({now})->DataFiles());
  for (const bool replacing : {false, true}) {
    bool fired = true;
    for (int64_t n = 1; fired; ++n) {
      const auto lake = made(replacing ? std::vector{old} : std::vector<Pipeline>());
      lake->faulty().Arm(
          {.operations = os::WritingOperations(), .nth = n, .error = EIO, .keeps_failing = true});
      (void)lake->RunOnce(now);
      fired = lake->faulty().fired();
      lake->memory().Crash(static_cast<uint64_t>(n) % 3);  // 0: only what was synced is left
      lake->Disarm();
      SCOPED_TRACE(testing::Message() << "operation " << n << ", replacing " << replacing);
      if (replacing && lake->Exists("_SUCCESS")) {
        EXPECT_THAT(ContentsOf(lake->DataFiles()), AnyOf(before, after));
      }
      ASSERT_THAT(lake->RunOnce(now), IsOk());
      EXPECT_EQ(ContentsOf(lake->DataFiles()), after);
      EXPECT_THAT(lake->Leftovers(), IsEmpty());
      if (testing::Test::HasFailure()) return;
    }
  }
}

TEST(LakePower, KeepsAFinishedRun) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    Lake lake;
    ASSERT_THAT(lake.RunOnce(kSmall), IsOk());
    lake.memory().Crash(seed);
    EXPECT_EQ(lake.DataFiles(), Expected().first);
    EXPECT_TRUE(lake.Exists("_SUCCESS"));
    EXPECT_TRUE(ValueOf(lake.Inspect(kSmall)).finished);
  }
}

TEST(LakePower, KeepsEachPublishedPartition) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    Lake lake;
    lake.Arm("publish.before_intent=error@2");
    ASSERT_FALSE(lake.RunOnce(kSmall).ok());
    const auto published = lake.DataFiles();
    lake.memory().Crash(seed);
    lake.Disarm();
    EXPECT_EQ(lake.DataFiles(), published);
    lake.partitions_run = 0;
    ASSERT_THAT(lake.RunOnce(kSmall), IsOk());
    EXPECT_EQ(lake.partitions_run, 1);
  }
}

}  // namespace
}  // namespace levada::parquet
