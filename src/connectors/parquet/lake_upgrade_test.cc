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
  struct Case {
    const char* what;
    Pipeline pipeline;
    const char* failpoint;
    bool asks;
  };
  for (const auto& [what, pipeline, failpoint, asks] :
       {Case{"a partition is published", {.window = Day(1)}, "publish.before_intent=error@2", true},
        Case{"none is", {.window = Day(1)}, "publish.before_intent=error@1", false},
        Case{"written each time", {}, "publish.before_intent=error@2", false},
        Case{"once", {.once = true}, "publish.before_intent=error@2", true}}) {
    Lake lake, fresh;
    lake.Arm(failpoint);
    ASSERT_FALSE(lake.RunOnce(pipeline).ok()) << what;
    lake.Disarm();
    WrittenByAnotherBuild(lake, pipeline.Run().Label());
    Pipeline next = pipeline;
    if (asks) {
      const auto before = lake.DataFiles();
      const Status refused = lake.RunOnce(pipeline);
      EXPECT_THAT(refused, FailsWith(FaultCode::kManifestCorrupt, HasSubstr("got 999")));
      EXPECT_THAT(FaultOf(refused).help(),
                  AllOf(HasSubstr("the build that began it"), HasSubstr("--replace`")))
          << what;
      EXPECT_EQ(lake.DataFiles(), before) << what;
      next.replace = true;
    }
    ASSERT_THAT(lake.RunOnce(next), IsOk()) << what;
    ASSERT_THAT(fresh.RunOnce(pipeline), IsOk());
    EXPECT_EQ(ContentsOf(lake.DataFiles()), ContentsOf(fresh.DataFiles())) << what;
    EXPECT_THAT(lake.Leftovers(), IsEmpty()) << what;
    EXPECT_TRUE(lake.Exists("_SUCCESS")) << what;
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
