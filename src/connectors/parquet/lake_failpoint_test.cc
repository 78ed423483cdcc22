// Without a source: the process is killed, or the step fails, at every named failpoint of this
// loader; what the next run leaves must be what an undisturbed run leaves.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "connectors/parquet/lake_fixture.h"
#include "os/temporary_directory.h"

namespace levada::parquet {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

std::vector<std::string> NamesHere() {
  std::vector<std::string> names;
  for (const std::string_view name : kFailpointNames) {
    const std::string_view step = name.substr(0, name.find('.'));
    const bool elsewhere = step == "ledger" || step == "read" || step == "run" ||
                           name == "split.before_record";  // hit by the runner
    if (!elsewhere) names.emplace_back(name);
  }
  return names;
}

std::vector<std::string> Manifests(const Lake& lake) {
  std::vector<std::string> found;
  for (const std::string& name : NamesOf(lake.AllFiles())) {
    const bool record = name.starts_with("_levada/") && name.ends_with(".json");
    if (record && name.find('/', 8) == std::string::npos && !name.ends_with(".split.json")) {
      found.push_back(name);
    }
  }
  return found;
}

// What an undisturbed run leaves, and a second one that replaces it.
struct Undisturbed {
  std::map<std::string, std::string> first, second;
  Undisturbed() {
    Lake lake;
    EXPECT_THAT(lake.RunOnce({}), IsOk());
    first = lake.DataFiles();
    EXPECT_THAT(lake.RunOnce({}), IsOk());
    second = lake.DataFiles();
  }
};

const Undisturbed& Expected() {
  static const Undisturbed expected;
  return expected;
}

// A reader that honours _SUCCESS sees the old dataset or the new one.
void ExpectNoMix(const Lake& lake) {
  if (!lake.Exists("_SUCCESS")) return;
  const auto files = lake.DataFiles();
  EXPECT_TRUE(files == Expected().first || files == Expected().second);
}

void ExpectClean(const Lake& lake) {
  EXPECT_THAT(lake.Leftovers(), IsEmpty());
  EXPECT_THAT(Manifests(lake), testing::ElementsAre("_levada/all.json"));
  EXPECT_TRUE(lake.Exists("_SUCCESS"));
  for (const std::string& name : NamesOf(lake.AllFiles())) {
    EXPECT_EQ(name.find("intent"), std::string::npos) << name;
  }
}

// Runs in a child process that may be killed; true when it was.
bool RunInChild(Lake& lake, const Pipeline& pipeline, const std::string& failpoint) {
  const pid_t child = fork();
  if (child == 0) {
    lake.Arm(failpoint);
    const Status status = lake.RunOnce(pipeline);
    _exit(status.ok() ? 0 : 1);
  }
  int how = 0;
  EXPECT_EQ(waitpid(child, &how, 0), child);
  if (WIFSIGNALED(how)) {
    EXPECT_EQ(WTERMSIG(how), SIGKILL);
    return true;
  }
  EXPECT_EQ(WEXITSTATUS(how), 0) << failpoint;
  return false;
}

class EveryFailpoint : public ::testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(OfTheLake, EveryFailpoint, ::testing::ValuesIn(NamesHere()),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::ranges::replace(name, '.', '_');
                           return name;
                         });

TEST_P(EveryFailpoint, KilledInAFirstRun) {
  for (int hit = 1; hit <= 3; ++hit) {
    const os::TemporaryDirectory directory;
    Lake lake(directory / "lake");
    const bool killed = RunInChild(lake, {}, GetParam() + "=kill@" + std::to_string(hit));
    const bool finished = lake.Exists("_levada/all.json");
    ExpectNoMix(lake);
    ASSERT_THAT(lake.RunOnce({}), IsOk());
    // A whole table that was finished is replaced by the next run.
    EXPECT_EQ(lake.DataFiles(), finished ? Expected().second : Expected().first) << hit;
    ExpectClean(lake);
    if (!killed) break;
  }
}

TEST_P(EveryFailpoint, KilledInAReplacingRun) {
  for (int hit = 1; hit <= 3; ++hit) {
    const os::TemporaryDirectory directory;
    Lake lake(directory / "lake");
    ASSERT_THAT(lake.RunOnce({}), IsOk());
    const std::string manifest = lake.Content("_levada/all.json");
    const bool killed = RunInChild(lake, {}, GetParam() + "=kill@" + std::to_string(hit));
    ExpectNoMix(lake);
    const bool decided = lake.Content("_levada/all.json") != manifest;
    ASSERT_THAT(lake.RunOnce({}), IsOk());
    EXPECT_EQ(ContentsOf(lake.DataFiles()), ContentsOf(Expected().second));
    if (!decided) {
      EXPECT_EQ(lake.DataFiles(), Expected().second) << hit;
    }
    ExpectClean(lake);
    if (!killed) break;
  }
}

// A finished window is never run again, so what was killed must be completed by looking at it.
TEST_P(EveryFailpoint, KilledInAWindow) {
  const Pipeline window{.window = Day(1)};
  Lake undisturbed;
  ASSERT_THAT(undisturbed.RunOnce(window), IsOk());
  const os::TemporaryDirectory directory;
  Lake lake(directory / "lake");
  RunInChild(lake, window, GetParam() + "=kill");
  ASSERT_THAT(lake.RunOnce(window), IsOk());
  EXPECT_EQ(lake.DataFiles(), undisturbed.DataFiles());
  EXPECT_TRUE(lake.Exists("_SUCCESS"));
  EXPECT_FALSE(lake.Exists("_levada/2026-01-01.switch.json"));
  EXPECT_THAT(lake.Leftovers(), IsEmpty());
}

TEST_P(EveryFailpoint, FailedInAFirstRun) {
  for (int hit = 1; hit <= 3; ++hit) {
    Lake lake;
    lake.Arm(GetParam() + "=error@" + std::to_string(hit));
    const Status failed = lake.RunOnce({});
    lake.Disarm();
    ExpectNoMix(lake);
    if (failed.ok()) break;
    EXPECT_THAT(failed, FailsWith(FaultCode::kFailpoint));
    if (!GetParam().starts_with("discard")) {
      EXPECT_THAT(lake.Leftovers(), IsEmpty());
    }
    const bool finished = lake.Exists("_levada/all.json");
    ASSERT_THAT(lake.RunOnce({}), IsOk());
    EXPECT_EQ(lake.DataFiles(), finished ? Expected().second : Expected().first) << hit;
    ExpectClean(lake);
  }
}

TEST_P(EveryFailpoint, FailedInAReplacingRun) {
  for (int hit = 1; hit <= 3; ++hit) {
    Lake lake;
    ASSERT_THAT(lake.RunOnce({}), IsOk());
    lake.Arm(GetParam() + "=error@" + std::to_string(hit));
    const Status failed = lake.RunOnce({});
    lake.Disarm();
    ExpectNoMix(lake);
    if (failed.ok()) break;
    ASSERT_THAT(lake.RunOnce({}), IsOk());
    EXPECT_EQ(ContentsOf(lake.DataFiles()), ContentsOf(Expected().second)) << hit;
    ExpectClean(lake);
  }
}

// Recovery itself is killed at the same step, again and again.
TEST_P(EveryFailpoint, KilledAgainWhileRecovering) {
  const os::TemporaryDirectory directory;
  Lake lake(directory / "lake");
  ASSERT_THAT(lake.RunOnce({}), IsOk());
  for (const char* first :
       {"publish.recorded=kill@2", "finish.file_renamed=kill@2", "finish.file_deleted=kill@2"}) {
    RunInChild(lake, {}, first);
    RunInChild(lake, {}, GetParam() + "=kill");
    ASSERT_THAT(lake.RunOnce({}), IsOk());
    EXPECT_EQ(ContentsOf(lake.DataFiles()), ContentsOf(Expected().first)) << first;
    ExpectClean(lake);
  }
}

// An attempt that fails midway is discarded, and the next attempt of the same process publishes.
TEST(LakeFailpoints, LeaveNothingThatANewAttemptOfTheSameProcessMinds) {
  for (const char* failpoint :
       {"publish.before_intent", "publish.intent_written", "publish.file_renamed",
        "publish.before_directory_sync", "publish.before_record", "publish.recorded",
        "load.file_created", "load.row_group_written", "load.before_sync", "load.file_staged",
        "load.done"}) {
    for (const bool replacing : {false, true}) {
      Lake lake;
      if (replacing) {
        ASSERT_THAT(lake.RunOnce({}), IsOk());
      }
      const auto target = ValueOf(lake.Begin({}));
      const auto split = ValueOf(target->RecordSplit(lake.ctx(), Pipeline().Split()));
      lake.Arm(std::string(failpoint) + "=error@2");
      for (const elt::Partition& partition : split.partitions) {
        Status status;
        for (int tries = 0; tries < 3; ++tries) {
          status = lake.RunPartition(*target, {}, partition);
          if (status.ok()) break;
        }
        ASSERT_THAT(status, IsOk()) << failpoint;
      }
      ASSERT_THAT(target->Finish(lake.ctx()), IsOk());
      EXPECT_EQ(lake.DataFiles(), replacing ? Expected().second : Expected().first) << failpoint;
      ExpectClean(lake);
    }
  }
}

TEST(LakeFailpoints, ALabelNeverTakesTheFilesOfALongerOne) {
  Lake lake;
  elt::Window january = Day(1);
  january.label = "2026-01";
  lake.Arm("publish.before_intent=error@2");
  ASSERT_FALSE(lake.RunOnce({.window = Day(1)}).ok());
  lake.Disarm();
  lake.Write(".levada-2026-01-01-0123456789abcdef-part-2026-01-01-p0002-0-0000.parquet.staged",
             "x");
  ASSERT_THAT(lake.RunOnce({.window = january}), IsOk());
  EXPECT_THAT(lake.Leftovers(), SizeIs(1));
  ASSERT_THAT(lake.RunOnce({.window = Day(1)}), IsOk());
  EXPECT_THAT(lake.Leftovers(), IsEmpty());
}

}  // namespace
}  // namespace levada::parquet
