// A lake whose last run another build wrote or began, one that shapes files otherwise.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.h"
#include "connectors/parquet/lake_fixture.h"

namespace levada::parquet {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Turns the recorded split into one that a build of other encode options wrote.
void WrittenByAnotherBuild(Lake& lake, const std::string& label) {
  const std::string path = "_levada/" + label + ".split.json";
  Json split = ParseJson(lake.Content(path));
  Json writer = ParseJson(split["writer"].get<std::string>());
  writer["encode"] = {{"version", 999}};
  split["writer"] = Dump(writer);
  lake.Write(path, Dump(split));
}

TEST(LakeOfAnotherBuild, IsReplaced) {
  for (const std::optional<elt::Window>& window : {std::optional<elt::Window>(), {Day(1)}}) {
    Lake lake, fresh;
    lake.options().partition_by = fresh.options().partition_by = {"country"};
    Pipeline pipeline{.window = window};
    ASSERT_THAT(lake.RunOnce(pipeline), IsOk());
    WrittenByAnotherBuild(lake, pipeline.Run().Label());
    pipeline.replace = window.has_value();
    pipeline.first_row = 7;
    ASSERT_THAT(lake.RunOnce(pipeline), IsOk());
    ASSERT_THAT(fresh.RunOnce(pipeline), IsOk());
    EXPECT_EQ(ContentsOf(lake.DataFiles()), ContentsOf(fresh.DataFiles()));
    EXPECT_THAT(lake.Leftovers(), IsEmpty());
  }
}

TEST(LakeOfAnotherBuild, IsNotGoneOnWith) {
  for (const char* failpoint : {"publish.before_intent=error@1", "publish.before_intent=error@2"}) {
    Lake lake, fresh;
    const Pipeline pipeline{.window = Day(1)};
    lake.Arm(failpoint);
    ASSERT_FALSE(lake.RunOnce(pipeline).ok());
    lake.Disarm();
    EXPECT_TRUE(ValueOf(lake.Inspect(pipeline)).resumable);
    WrittenByAnotherBuild(lake, pipeline.Run().Label());
    EXPECT_FALSE(ValueOf(lake.Inspect(pipeline)).resumable);
    const auto before = lake.DataFiles();
    lake.gives_up_other_builds = false;
    const Status refused = lake.RunOnce(pipeline);
    EXPECT_THAT(refused, FailsWith(FaultCode::kManifestCorrupt, HasSubstr("got 999")));
    EXPECT_THAT(FaultOf(refused).help(),
                AllOf(HasSubstr("the build that began it"), HasSubstr("--replace`")));
    EXPECT_EQ(lake.DataFiles(), before);
    lake.gives_up_other_builds = true;
    ASSERT_THAT(lake.RunOnce(pipeline), IsOk());
    ASSERT_THAT(fresh.RunOnce(pipeline), IsOk());
    EXPECT_EQ(ContentsOf(lake.DataFiles()), ContentsOf(fresh.DataFiles()));
    EXPECT_THAT(lake.Leftovers(), IsEmpty());
    EXPECT_TRUE(lake.Exists("_SUCCESS"));
  }
}

// Readers see the finished revision all the time.
TEST(LakeOfAnotherBuild, IsReplacedThoughAReplacementWasBegun) {
  Lake lake, fresh;
  Pipeline pipeline{.window = Day(1)};
  ASSERT_THAT(lake.RunOnce(pipeline), IsOk());
  pipeline.replace = true;
  lake.Arm("load.done=error@3");
  ASSERT_FALSE(lake.RunOnce(pipeline).ok());
  lake.Disarm();
  WrittenByAnotherBuild(lake, pipeline.Run().Label());
  ASSERT_THAT(lake.RunOnce(pipeline), IsOk());
  ASSERT_THAT(fresh.RunOnce(pipeline), IsOk());
  EXPECT_EQ(ContentsOf(lake.DataFiles()), ContentsOf(fresh.DataFiles()));
  EXPECT_THAT(lake.Leftovers(), IsEmpty());
}

TEST(LakeOfAnotherBuild, IsBegunAnewFromWhereverThatBreaksOff) {
  const Pipeline pipeline{.partitions = 2, .slices = 1, .slice_rows = 100, .batch_rows = 50};
  Lake fresh;
  ASSERT_THAT(fresh.RunOnce(pipeline), IsOk());
  bool begun_anew = false;  // what breaks off later is as in any run
  for (int64_t n = 1; !begun_anew; ++n) {
    Lake lake;
    lake.Arm("publish.before_intent=error@2");
    ASSERT_FALSE(lake.RunOnce(pipeline).ok());
    lake.Disarm();
    WrittenByAnotherBuild(lake, "all");
    lake.faulty().Arm(
        {.operations = os::WritingOperations(), .nth = n, .error = EIO, .keeps_failing = true});
    EXPECT_FALSE(lake.RunOnce(pipeline).ok());
    lake.Disarm();
    const std::string split = lake.Content("_levada/all.split.json");
    begun_anew = split != "<absent>" && split.find("999") == std::string::npos;
    ASSERT_THAT(lake.RunOnce(pipeline), IsOk()) << n;
    ASSERT_EQ(ContentsOf(lake.DataFiles()), ContentsOf(fresh.DataFiles())) << n;
    ASSERT_THAT(lake.Leftovers(), IsEmpty()) << n;
  }
}

TEST(LakeOfAnotherBuild, IsFinishedWhenItWasDecided) {
  for (const char* failpoint : {"finish.intent_written=error", "finish.manifest_written=error"}) {
    Lake lake, fresh;
    const Pipeline pipeline{.window = Day(1)};
    lake.Arm(failpoint);
    ASSERT_FALSE(lake.RunOnce(pipeline).ok()) << failpoint;
    lake.Disarm();
    WrittenByAnotherBuild(lake, pipeline.Run().Label());
    lake.partitions_run = 0;
    ASSERT_THAT(lake.RunOnce(pipeline), IsOk()) << failpoint;
    EXPECT_EQ(lake.partitions_run, 0) << failpoint;
    ASSERT_THAT(fresh.RunOnce(pipeline), IsOk());
    EXPECT_EQ(lake.DataFiles(), fresh.DataFiles()) << failpoint;
  }
}

}  // namespace
}  // namespace levada::parquet
