// Several processes start the same run at once. One works, the others are told, and the
// dataset is that of one undisturbed run.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "connectors/parquet/lake_fixture.h"
#include "os/temporary_directory.h"

namespace levada::parquet {
namespace {

using ::testing::AnyOf;
using ::testing::IsEmpty;

constexpr int kRaces = 20;
constexpr int kRacers = 3;

TEST(LakeRace, OneOfSeveralProcessesRunsAndTheOthersAreTold) {
  const Pipeline pipeline{.once = true};
  Lake undisturbed;
  ASSERT_THAT(undisturbed.RunOnce(pipeline), IsOk());
  const os::TemporaryDirectory directory;
  for (int race = 0; race < kRaces; ++race) {
    Lake lake(directory / ("lake" + std::to_string(race)));
    std::vector<pid_t> racers;
    for (int i = 0; i < kRacers; ++i) {
      const pid_t child = fork();
      if (child == 0) _exit(ExitStatusOf(lake.RunOnce(pipeline)));
      racers.push_back(child);
    }
    int done = 0;
    for (const pid_t racer : racers) {
      int how = 0;
      ASSERT_EQ(waitpid(racer, &how, 0), racer);
      ASSERT_TRUE(WIFEXITED(how));
      EXPECT_THAT(WEXITSTATUS(how), AnyOf(0, 75));
      done += WEXITSTATUS(how) == 0;
    }
    EXPECT_GE(done, 1);
    // Who came late enough to find the run unfinished in Inspect and finished in Begin writes it
    // again; it is whole either way.
    EXPECT_EQ(ContentsOf(lake.DataFiles()), ContentsOf(undisturbed.DataFiles()));
    EXPECT_THAT(lake.Leftovers(), IsEmpty());
    EXPECT_TRUE(lake.Exists("_SUCCESS"));
  }
}

TEST(LakeRace, WindowsOfOneDatasetRunSideBySide) {
  const os::TemporaryDirectory directory;
  for (int race = 0; race < kRaces; ++race) {
    Lake lake(directory / ("lake" + std::to_string(race)));
    lake.options().layout = "day={run.start:%F}";
    std::vector<pid_t> racers;
    for (int day = 1; day <= kRacers; ++day) {
      const pid_t child = fork();
      if (child == 0) {
        _exit(ExitStatusOf(lake.RunOnce({.window = Day(day), .partitions = 2, .first_row = day})));
      }
      racers.push_back(child);
    }
    for (const pid_t racer : racers) {
      int how = 0;
      ASSERT_EQ(waitpid(racer, &how, 0), racer);
      EXPECT_TRUE(WIFEXITED(how) && WEXITSTATUS(how) == 0) << how;
    }
    EXPECT_TRUE(lake.Exists("_SUCCESS")) << "the last one to finish shows it";
    EXPECT_EQ(ValueOf(lake.Loader()->Inventory(lake.ctx(), "orders", {})).size(), 3u);
  }
}

TEST(LakeRace, OneOfTwoPipelinesGetsAnEmptyDirectory) {
  const os::TemporaryDirectory directory;
  for (int race = 0; race < kRaces; ++race) {
    Lake lake(directory / ("lake" + std::to_string(race)));
    std::vector<pid_t> racers;
    for (const char* name : {"one", "two"}) {
      const pid_t child = fork();
      if (child == 0) {
        _exit(ExitStatusOf(lake.RunOnce({.name = name, .window = Day(name[0] == 'o' ? 1 : 2)})));
      }
      racers.push_back(child);
    }
    std::vector<int> statuses;
    for (const pid_t racer : racers) {
      int how = 0;
      ASSERT_EQ(waitpid(racer, &how, 0), racer);
      statuses.push_back(WEXITSTATUS(how));
    }
    EXPECT_THAT(statuses, testing::UnorderedElementsAre(0, 40));
  }
}

}  // namespace
}  // namespace levada::parquet
