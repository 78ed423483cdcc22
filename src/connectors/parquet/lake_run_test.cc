#include "connectors/parquet/lake_run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.h"
#include "connectors/parquet/lake_fixture.h"
#include "places/sha256.h"

namespace levada::parquet {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;

Json ManifestOf(const Lake& lake, const std::string& label = "all") {
  return ParseJson(lake.Content("_levada/" + label + ".json"));
}

// The first damage that an inventory reports.
Status InventoryStatus(Lake& lake) {
  ARROW_ASSIGN_OR_RAISE(const auto runs, lake.Loader()->Inventory(lake.ctx(), "orders", {}));
  for (const elt::PublishedRun& run : runs) ARROW_RETURN_NOT_OK(run.damage);
  return Status::OK();
}

TEST(LakeRun, LeavesADatasetWithRecordsAndNothingElse) {
  Lake lake;
  ASSERT_THAT(lake.RunOnce({}), IsOk());
  EXPECT_THAT(lake.Leftovers(), IsEmpty());
  std::vector<std::string> hidden;
  for (const auto& [path, content] : lake.AllFiles()) {
    if (!lake.DataFiles().contains(path)) hidden.push_back(path);
  }
  EXPECT_THAT(hidden, UnorderedElementsAre("_SUCCESS", "_levada/_owner", "_levada/_root.lock",
                                           "_levada/all.lock", "_levada/all.json",
                                           "_levada/all.split.json", "_levada/all/p0000.json",
                                           "_levada/all/p0001.json", "_levada/all/p0002.json"));
}

TEST(LakeRun, NamesFilesByRunPartitionSliceAndNumber) {
  Lake lake;
  ASSERT_THAT(lake.RunOnce({.partitions = 2, .slices = 2}), IsOk());
  const auto names = NamesOf(lake.DataFiles());
  EXPECT_EQ(names.front(), "part-all-p0000-0-0000.parquet");
  EXPECT_GT(names.size(), 4u) << "files roll";
  for (const std::string& name : names) EXPECT_THAT(name, StartsWith("part-all-p000"));
}

TEST(LakeRun, WritesAManifestThatAccountsForEveryFile) {
  Lake lake;
  const Pipeline pipeline;
  ASSERT_THAT(lake.RunOnce(pipeline), IsOk());
  const Json manifest = ManifestOf(lake);
  EXPECT_EQ(manifest["kind"], "levada.manifest");
  EXPECT_EQ(manifest["version"], 1);
  EXPECT_EQ(manifest["rows"], pipeline.partitions * pipeline.slices * pipeline.slice_rows);
  EXPECT_EQ(manifest["revision"], 0);
  EXPECT_EQ(manifest["generation"], 1);
  const auto files = lake.DataFiles();
  size_t listed = 0;
  for (const Json& partition : manifest["partitions"]) {
    for (const Json& receipt : partition["receipts"]) {
      for (const Json& file : receipt["files"]) {
        const std::string path = file["path"];
        ASSERT_TRUE(files.contains(path)) << path;
        EXPECT_EQ(file["bytes"], files.at(path).size());
        EXPECT_EQ(file["sha256"], places::Sha256Of(files.at(path)).ValueOrDie());
        EXPECT_EQ(file["staged"], "");
        ++listed;
      }
    }
  }
  EXPECT_EQ(listed, files.size());
  EXPECT_EQ(manifest["files"], files.size());
}

TEST(LakeRun, WritesTheSameBytesHoweverBatchesAreCut) {
  Lake lake, other;
  ASSERT_THAT(lake.RunOnce({.batch_rows = 97}), IsOk());
  ASSERT_THAT(other.RunOnce({.batch_rows = 700}), IsOk());
  EXPECT_EQ(lake.DataFiles(), other.DataFiles());
}

TEST(LakeRun, ShowsEachPartitionOfAFirstRunAsItIsDone) {
  Lake lake;
  const Pipeline pipeline;
  const auto target = lake.Begin(pipeline).ValueOrDie();
  const auto split = target->RecordSplit(lake.ctx(), pipeline.Split()).ValueOrDie();
  EXPECT_THAT(lake.DataFiles(), IsEmpty());
  ASSERT_THAT(lake.RunPartition(*target, pipeline, split.partitions[1]), IsOk());
  for (const auto& [name, content] : lake.DataFiles()) EXPECT_THAT(name, HasSubstr("-p0001-"));
  EXPECT_THAT(lake.DataFiles(), Not(IsEmpty()));
  EXPECT_FALSE(lake.Exists("_SUCCESS"));
  const auto seen = lake.Inspect(pipeline).ValueOrDie();
  EXPECT_FALSE(seen.finished);
  ASSERT_TRUE(seen.pending);
  ASSERT_THAT(seen.partitions, SizeIs(1));
  EXPECT_EQ(seen.partitions[0].partition, "p0001");
}

TEST(LakeRun, ReplacesAFinishedRunInOneSwitchUnderNamesOfItsOwn) {
  Lake lake;
  ASSERT_THAT(lake.RunOnce({}), IsOk());
  const auto first = lake.DataFiles();
  const Pipeline second{.partitions = 2, .first_row = 5};
  const auto target = lake.Begin(second).ValueOrDie();
  const auto split = target->RecordSplit(lake.ctx(), second.Split()).ValueOrDie();
  EXPECT_EQ(split.revision, 1);
  for (const auto& partition : split.partitions) {
    ASSERT_THAT(lake.RunPartition(*target, second, partition), IsOk());
    EXPECT_EQ(lake.DataFiles(), first) << "nothing of the new run shows before the switch";
    EXPECT_TRUE(lake.Exists("_SUCCESS"));
  }
  ASSERT_THAT(target->Finish(lake.ctx()), IsOk());
  const auto replaced = lake.DataFiles();
  for (const auto& [name, content] : replaced) {
    EXPECT_THAT(name, HasSubstr("-r1.parquet"));
  }
  EXPECT_TRUE(lake.Exists("_SUCCESS"));
  EXPECT_FALSE(lake.Exists("_levada/all/p0002.json")) << "fewer partitions than before";
  EXPECT_THAT(lake.Leftovers(), IsEmpty());
  EXPECT_EQ(ManifestOf(lake)["replaces"].size(), first.size());
  Lake fresh;
  ASSERT_THAT(fresh.RunOnce(second), IsOk());
  EXPECT_EQ(ContentsOf(replaced), ContentsOf(fresh.DataFiles()));
}

TEST(LakeRun, FinishesTwiceWithoutHarm) {
  Lake lake;
  const Pipeline pipeline;
  const auto target = lake.Begin(pipeline).ValueOrDie();
  ASSERT_THAT(lake.Continue(*target, pipeline), IsOk());
  const auto files = lake.AllFiles();
  EXPECT_THAT(target->Finish(lake.ctx()), IsOk());
  EXPECT_EQ(lake.AllFiles(), files);
}

TEST(LakeRun, RefusesToFinishWhatIsNotWhole) {
  Lake lake;
  const Pipeline pipeline;
  const auto target = lake.Begin(pipeline).ValueOrDie();
  EXPECT_THAT(target->Finish(lake.ctx()), FailsWith(FaultCode::kInternal));
  const auto split = target->RecordSplit(lake.ctx(), pipeline.Split()).ValueOrDie();
  ASSERT_THAT(lake.RunPartition(*target, pipeline, split.partitions[0]), IsOk());
  EXPECT_THAT(target->Finish(lake.ctx()), FailsWith(FaultCode::kInternal));
  EXPECT_FALSE(lake.Exists("_levada/all.json"));
}

TEST(LakeRun, SkipsNothingAndRepeatsOnlyWhatIsMissing) {
  Lake lake;
  const Pipeline pipeline;
  lake.Arm("publish.before_intent=error@2");
  ASSERT_FALSE(lake.RunOnce(pipeline).ok());
  EXPECT_THAT(lake.Leftovers(), IsEmpty());
  lake.Disarm();
  lake.partitions_run = 0;
  ASSERT_THAT(lake.RunOnce(pipeline), IsOk());
  EXPECT_EQ(lake.partitions_run, 2);
}

TEST(LakeRun, PublishesTwiceWithoutHarm) {
  Lake lake;
  const Pipeline pipeline{.partitions = 1, .slices = 1};
  const auto target = lake.Begin(pipeline).ValueOrDie();
  const auto split = target->RecordSplit(lake.ctx(), pipeline.Split()).ValueOrDie();
  const auto attempt = lake.AttemptAt(*target, split.partitions[0], 0, "00000000000000a1");
  const std::vector<elt::Receipt> receipts = {
      target->Load(lake.ctx(), attempt, *pipeline.Read(0, 0)).ValueOrDie()};
  ASSERT_THAT(target->Publish(lake.ctx(), attempt, receipts), IsOk());
  const auto files = lake.AllFiles();
  EXPECT_THAT(target->Publish(lake.ctx(), attempt, receipts), IsOk());
  EXPECT_THAT(target->Discard(lake.ctx(), attempt), IsOk()) << "published is not staged";
  EXPECT_EQ(lake.AllFiles(), files);
}

TEST(LakeRun, KeepsTheFirstOfTwoAttemptsAtOnePartition) {
  Lake lake;
  const Pipeline pipeline{.partitions = 1, .slices = 1};
  const auto target = lake.Begin(pipeline).ValueOrDie();
  const auto split = target->RecordSplit(lake.ctx(), pipeline.Split()).ValueOrDie();
  const auto one = lake.AttemptAt(*target, split.partitions[0], 0, "00000000000000a1");
  const auto two = lake.AttemptAt(*target, split.partitions[0], 0, "00000000000000a2");
  const std::vector<elt::Receipt> first = {
      target->Load(lake.ctx(), one, *pipeline.Read(0, 0)).ValueOrDie()};
  const std::vector<elt::Receipt> second = {
      target->Load(lake.ctx(), two, *pipeline.Read(0, 0)).ValueOrDie()};
  ASSERT_THAT(target->Publish(lake.ctx(), one, first), IsOk());
  ASSERT_THAT(target->Publish(lake.ctx(), two, second), IsOk());
  EXPECT_THAT(lake.Leftovers(), IsEmpty());
  ASSERT_THAT(target->Finish(lake.ctx()), IsOk());
  EXPECT_EQ(ManifestOf(lake)["partitions"][0]["attempt_id"], "00000000000000a1");
}

TEST(LakeRun, RefusesReceiptsThatDoNotCoverThePartition) {
  Lake lake;
  const Pipeline pipeline{.partitions = 1, .slices = 2};
  const auto target = lake.Begin(pipeline).ValueOrDie();
  const auto split = target->RecordSplit(lake.ctx(), pipeline.Split()).ValueOrDie();
  const auto attempt = lake.AttemptAt(*target, split.partitions[0], 0, "00000000000000a1");
  const std::vector<elt::Receipt> receipts = {
      target->Load(lake.ctx(), attempt, *pipeline.Read(0, 0)).ValueOrDie()};
  EXPECT_THAT(target->Publish(lake.ctx(), attempt, receipts), FailsWith(FaultCode::kInternal));
  EXPECT_THAT(target->Publish(lake.ctx(), attempt, {}), FailsWith(FaultCode::kInternal));
}

TEST(LakeRun, LeavesNothingOfALoadThatFails) {
  Lake lake;
  const Pipeline pipeline{.partitions = 1, .slices = 1};
  const auto target = lake.Begin(pipeline).ValueOrDie();
  const auto split = target->RecordSplit(lake.ctx(), pipeline.Split()).ValueOrDie();
  const auto attempt = lake.AttemptAt(*target, split.partitions[0], 0, "00000000000000a1");
  const auto stream = RowStream(0, 2'000, 100);
  stream->failure = Fault(FaultCode::kSourceConnectionLost, "gone");
  EXPECT_THAT(target->Load(lake.ctx(), attempt, *stream).status(),
              FailsWith(FaultCode::kSourceConnectionLost));
  EXPECT_THAT(lake.Leftovers(), IsEmpty());
}

TEST(LakeRun, StopsBetweenBatches) {
  Lake lake;
  const Pipeline pipeline{.partitions = 1, .slices = 1};
  const auto target = lake.Begin(pipeline).ValueOrDie();
  const auto split = target->RecordSplit(lake.ctx(), pipeline.Split()).ValueOrDie();
  const auto attempt = lake.AttemptAt(*target, split.partitions[0], 0, "00000000000000a1");
  std::stop_source stop;
  stop.request_stop();
  Context ctx = lake.ctx();
  ctx.stop = stop.get_token();
  EXPECT_THAT(target->Load(ctx, attempt, *pipeline.Read(0, 0)).status(),
              FailsWith(FaultCode::kStopped));
  EXPECT_THAT(lake.Leftovers(), IsEmpty());
}

TEST(LakeRun, MakesAnEmptyTableADatasetWithASchema) {
  Lake lake;
  ASSERT_THAT(lake.RunOnce({.slice_rows = 0}), IsOk());
  EXPECT_THAT(NamesOf(lake.DataFiles()), ElementsAre("part-all-p0000-0-0000.parquet"));
  EXPECT_EQ(ManifestOf(lake)["rows"], 0);
}

TEST(LakeRun, PublishesRejectedRowsBesideTheirPartition) {
  Lake lake;
  ASSERT_THAT(lake.RunOnce({.rejects_in = 1}), IsOk());
  EXPECT_EQ(lake.Content("_levada/all/p0001-0.rejects.jsonl"),
            "{\"stage\":\"cast\",\"column\":\"id\",\"reason\":\"out of range\","
            "\"row\":{\"id\":300}}\n");
  ASSERT_THAT(lake.RunOnce({.rejects_in = 2}), IsOk());
  EXPECT_FALSE(lake.Exists("_levada/all/p0001-0.rejects.jsonl")) << "replaced like data";
  EXPECT_TRUE(lake.Exists("_levada/all/p0002-0-r1.rejects.jsonl"));
}

TEST(LakeRun, KeepsWindowsOfOneDatasetApart) {
  Lake lake;
  lake.options().layout = "day={run.start:%Y-%m-%d}";
  for (int day = 1; day <= 3; ++day) {
    ASSERT_THAT(lake.RunOnce({.window = Day(day), .partitions = 1, .first_row = day}), IsOk());
  }
  const auto before = lake.DataFiles();
  EXPECT_THAT(before.begin()->first, StartsWith("day=2026-01-01/part-2026-01-01-p0000-0-0000"));
  ASSERT_THAT(
      lake.RunOnce(
          {.window = Day(2), .replace = true, .partitions = 1, .slices = 1, .first_row = 9}),
      IsOk());
  const auto after = lake.DataFiles();
  for (const auto& [name, content] : before) {
    EXPECT_EQ(after.contains(name), name.find("day=2026-01-02") == std::string::npos) << name;
  }
  const auto runs = lake.Loader()->Inventory(lake.ctx(), "orders", {}).ValueOrDie();
  ASSERT_THAT(runs, SizeIs(3));
  EXPECT_EQ(runs[1].label, "2026-01-02");
  EXPECT_EQ(runs[1].revision, 1);
  EXPECT_EQ(runs[2].window, Day(3));
}

TEST(LakeRun, HidesSuccessWhileAnyWindowIsHalfDone) {
  Lake lake;
  const Pipeline one{.window = Day(1)}, two{.window = Day(2)};
  ASSERT_THAT(lake.RunOnce(one), IsOk());
  EXPECT_TRUE(lake.Exists("_SUCCESS"));
  lake.Arm("publish.before_intent=error@3");
  ASSERT_FALSE(lake.RunOnce(two).ok());
  lake.Disarm();
  EXPECT_FALSE(lake.Exists("_SUCCESS")) << "two of its partitions are visible";
  ASSERT_THAT(lake.RunOnce({.window = Day(3)}), IsOk());
  EXPECT_FALSE(lake.Exists("_SUCCESS"));
  ASSERT_THAT(lake.RunOnce(two), IsOk());
  EXPECT_TRUE(lake.Exists("_SUCCESS"));
}

TEST(LakeRun, RefusesASecondHolderOfTheSameRun) {
  Lake lake;
  const Pipeline pipeline;
  const auto first = lake.Begin(pipeline).ValueOrDie();
  const Status second = lake.Begin(pipeline).status();
  EXPECT_THAT(second, FailsWith(FaultCode::kLeaseHeld));
  EXPECT_THAT(FaultOf(second).Detail("process"), Not(IsEmpty()));
  EXPECT_TRUE(lake.Begin({.window = Day(1)}).ok()) << "another window is another run";
}

TEST(LakeRun, RaisesTheGenerationWithEveryHold) {
  Lake lake;
  for (int64_t generation = 1; generation <= 3; ++generation) {
    EXPECT_EQ(lake.Begin({}).ValueOrDie()->generation(), generation);
  }
  const auto seen = lake.Inspect({}).ValueOrDie();
  EXPECT_EQ(seen.generation, 3);
}

// What a store without locks may do to us: somebody else goes on with a newer generation.
TEST(LakeRun, RefusesEveryStepOnceANewerGenerationHoldsTheRun) {
  Lake lake;
  const Pipeline pipeline{.partitions = 2, .slices = 1};
  const auto target = lake.Begin(pipeline).ValueOrDie();
  const auto split = target->RecordSplit(lake.ctx(), pipeline.Split()).ValueOrDie();
  ASSERT_THAT(lake.RunPartition(*target, pipeline, split.partitions[0]), IsOk());
  const auto attempt = lake.AttemptAt(*target, split.partitions[1], 0, "00000000000000a1");
  const std::vector<elt::Receipt> receipts = {
      target->Load(lake.ctx(), attempt, *pipeline.Read(1, 0)).ValueOrDie()};
  const std::string lock = lake.Content("_levada/all.lock");
  const auto fenced = [&] {
    const auto before = lake.AllFiles();
    EXPECT_THAT(target->RecordSplit(lake.ctx(), split).status(), FailsWith(FaultCode::kFenced));
    EXPECT_THAT(target->Load(lake.ctx(), attempt, *pipeline.Read(1, 0)).status(),
                FailsWith(FaultCode::kFenced));
    EXPECT_THAT(target->ReadBack(lake.ctx(), attempt, receipts[0]).status(),
                FailsWith(FaultCode::kFenced));
    EXPECT_THAT(target->Publish(lake.ctx(), attempt, receipts), FailsWith(FaultCode::kFenced));
    EXPECT_THAT(target->Finish(lake.ctx()), FailsWith(FaultCode::kFenced));
    EXPECT_THAT(target->Discard(lake.ctx(), attempt), FailsWith(FaultCode::kFenced));
    EXPECT_EQ(lake.AllFiles(), before);
  };
  Json newer = ParseJson(lock);
  newer["generation"] = 2;
  lake.Write("_levada/all.lock", Dump(newer));
  fenced();
  Json twin = ParseJson(lock);
  twin["holder"] = "ffffffffffffffff";
  lake.Write("_levada/all.lock", Dump(twin));
  fenced();
  lake.Remove("_levada/all.lock");
  fenced();
  lake.Write("_levada/all.lock", lock);
  elt::Attempt old = attempt;
  old.generation = 0;
  EXPECT_THAT(target->Publish(lake.ctx(), old, receipts), FailsWith(FaultCode::kFenced));
  EXPECT_THAT(target->Publish(lake.ctx(), attempt, receipts), IsOk());
}

TEST(LakeRun, GoesOnFromTheRecordsWhenTheLockLostItsText) {
  Lake lake;
  ASSERT_THAT(lake.RunOnce({}), IsOk());
  const std::string whole = lake.Content("_levada/all.lock");
  for (const std::string& torn : {std::string(), std::string(64, '\0'), whole.substr(0, 40),
                                  whole.substr(0, 40) + std::string(40, '\0')}) {
    const int64_t before = ManifestOf(lake)["generation"];
    lake.Write("_levada/all.lock", torn);
    EXPECT_EQ(ValueOf(lake.Inspect({})).generation, before);
    EXPECT_EQ(ValueOf(lake.Begin({}))->generation(), before + 1);
  }
}

TEST(LakeRun, RefusesALockFromTheFuture) {
  Lake lake;
  ASSERT_THAT(lake.RunOnce({}), IsOk());
  Json future = ParseJson(lake.Content("_levada/all.lock"));
  future["version"] = 2;
  lake.Write("_levada/all.lock", Dump(future));
  EXPECT_THAT(lake.Begin({}), FailsWith(FaultCode::kManifestCorrupt, HasSubstr("all.lock")));
}

TEST(LakeRun, NeedsReplaceToGiveUpASplitOfAnotherPlan) {
  Lake lake;
  Pipeline pipeline;
  lake.Arm("publish.before_intent=error@2");
  ASSERT_FALSE(lake.RunOnce(pipeline).ok());
  lake.Disarm();
  pipeline.plan_hash = "00000000000000bb";
  pipeline.first_row = 7;
  const auto before = lake.DataFiles();
  EXPECT_THAT(lake.RunOnce(pipeline), FailsWith(FaultCode::kPlanChanged));
  EXPECT_EQ(lake.DataFiles(), before);
  pipeline.replace = true;
  ASSERT_THAT(lake.RunOnce(pipeline), IsOk());
  EXPECT_THAT(lake.Leftovers(), IsEmpty());
  Lake fresh;
  ASSERT_THAT(fresh.RunOnce(pipeline), IsOk());
  EXPECT_EQ(lake.DataFiles(), fresh.DataFiles());
}

TEST(LakeRun, GivesUpAReplacingSplitWithoutTouchingWhatIsPublished) {
  Lake lake;
  Pipeline pipeline;
  ASSERT_THAT(lake.RunOnce(pipeline), IsOk());
  const auto published = lake.DataFiles();
  lake.options().layout = "moved";
  lake.Arm("publish.before_intent=error@3");
  ASSERT_FALSE(lake.RunOnce(pipeline).ok());
  lake.Disarm();
  EXPECT_EQ(lake.DataFiles(), published);
  lake.options().layout = "";
  pipeline.plan_hash = "00000000000000bb";
  pipeline.replace = true;
  lake.Arm("split.recorded=error");
  ASSERT_FALSE(lake.RunOnce(pipeline).ok());
  lake.Disarm();
  EXPECT_EQ(lake.DataFiles(), published);
  EXPECT_THAT(lake.Leftovers(), IsEmpty()) << "staged for the other plan, elsewhere";
  EXPECT_FALSE(lake.Exists("moved"));
  ASSERT_THAT(lake.RunOnce(pipeline), IsOk());
  EXPECT_EQ(ManifestOf(lake)["revision"], 1);
}

TEST(LakeRun, NeedsReplaceForAPendingSplitOfAnotherSchema) {
  Lake lake;
  const Pipeline pipeline;
  lake.Arm("publish.before_intent=error@2");
  ASSERT_FALSE(lake.RunOnce(pipeline).ok());
  lake.Disarm();
  elt::SplitRecord drifted = pipeline.Split();
  drifted.schema = "\"id\" utf8";
  {
    const auto target = lake.Begin(pipeline).ValueOrDie();
    EXPECT_THAT(target->RecordSplit(lake.ctx(), drifted).status(),
                FailsWith(FaultCode::kSchemaDrift));
  }
  Pipeline replacing = pipeline;
  replacing.replace = true;
  const auto target = lake.Begin(replacing).ValueOrDie();
  EXPECT_EQ(target->RecordSplit(lake.ctx(), drifted).ValueOrDie().schema, drifted.schema);
  EXPECT_THAT(lake.DataFiles(), IsEmpty());
}

TEST(LakeRun, GoesOnWithTheRecordedWriterUnderOtherOptions) {
  Lake lake, undisturbed;
  const Pipeline pipeline;
  ASSERT_THAT(undisturbed.RunOnce(pipeline), IsOk());
  lake.Arm("publish.before_intent=error@2");
  ASSERT_FALSE(lake.RunOnce(pipeline).ok());
  lake.Disarm();
  lake.options().row_group_rows = 50;  // as if another build chose otherwise under the same plan
  ASSERT_THAT(lake.RunOnce(pipeline), IsOk());
  EXPECT_EQ(lake.DataFiles(), undisturbed.DataFiles());
}

TEST(LakeRun, RefusesASplitThatIsNotOfThisRun) {
  Lake lake;
  const Pipeline pipeline;
  const auto target = lake.Begin(pipeline).ValueOrDie();
  elt::SplitRecord split = pipeline.Split();
  split.pipeline = "other";
  EXPECT_THAT(target->RecordSplit(lake.ctx(), split).status(), FailsWith(FaultCode::kInternal));
  split = pipeline.Split();
  split.partitions[0].id = "../p0";
  EXPECT_THAT(target->RecordSplit(lake.ctx(), split).status(), FailsWith(FaultCode::kBadValue));
}

TEST(LakeRun, RemovesWhatADeadAttemptStagedAndNothingElse) {
  Lake lake;
  ASSERT_THAT(lake.RunOnce({}), IsOk());
  const std::string dead = ".levada-all-0123456789abcdef-part-all-p0000-0-0000-r1.parquet.staged";
  const std::vector<std::string> kept = {
      ".levada-other-0123456789abcdef-part-other-p0000-0-0000.parquet.staged",
      ".levada-all-0123456789abcdeX-part-all-p0000-0-0000.parquet.staged",
      ".levada-all-0123456789abcdef-notes.txt",
      ".levada-all-notes",
      "below/.levada-all-0123456789abcdef-part-all-p0000-0-0000.parquet.staged",
      "theirs.parquet",
      "part-all-p0009-0-0000.parquet",
      "_levada/notes.txt",
      "_levada/all/readme.md",
  };
  for (const std::string& path : kept) lake.Write(path, "x");
  lake.Write(dead, "x");
  lake.Write("_levada/all/.levada-all-0123456789abcdef-p0000-0.rejects.jsonl.staged", "x");
  ASSERT_THAT(lake.RunOnce({.first_row = 1}), IsOk());
  for (const std::string& path : kept) EXPECT_EQ(lake.Content(path), "x") << path;
  EXPECT_FALSE(lake.Exists(dead));
  EXPECT_FALSE(
      lake.Exists("_levada/all/.levada-all-0123456789abcdef-p0000-0.rejects.jsonl.staged"));
}

TEST(LakeRun, DoesNotWriteOverAFileThatIsNotItsOwn) {
  Lake lake;
  lake.Write("_levada/all.lock", "");
  lake.Write("part-all-p0001-1-0000.parquet", "theirs");
  const Status status = lake.RunOnce({});
  EXPECT_THAT(status, FailsWith(FaultCode::kForeignTarget));
  EXPECT_EQ(lake.Content("part-all-p0001-1-0000.parquet"), "theirs");
}

TEST(LakeRun, ReportsPublishedFilesThatAreGone) {
  Lake lake;
  const Pipeline once{.once = true};
  ASSERT_THAT(lake.RunOnce(once), IsOk());
  lake.Remove("part-all-p0001-0-0001.parquet");
  const Status inspected = lake.Inspect(once).status();
  EXPECT_THAT(inspected, FailsWith(FaultCode::kTargetFileMissing));
  EXPECT_THAT(inspected.message(), HasSubstr("part-all-p0001-0-0001.parquet"));
  EXPECT_TRUE(lake.Inspect({}).ok()) << "a whole table written anew each time needs no old file";
  ASSERT_THAT(lake.RunOnce({.once = true, .replace = true}), IsOk());
  EXPECT_TRUE(lake.Inspect(once).ok());
}

TEST(LakeRun, ReportsFilesOfAnUnfinishedRunThatAreGone) {
  Lake lake, undisturbed;
  Pipeline pipeline;
  ASSERT_THAT(undisturbed.RunOnce(pipeline), IsOk());
  lake.Arm("publish.before_intent=error@3");
  ASSERT_FALSE(lake.RunOnce(pipeline).ok());
  lake.Disarm();
  lake.Remove("part-all-p0000-0-0000.parquet");
  EXPECT_THAT(lake.Inspect(pipeline).status(), FailsWith(FaultCode::kTargetFileMissing));
  EXPECT_THAT(lake.Begin(pipeline).status(), FailsWith(FaultCode::kTargetFileMissing));
  pipeline.replace = true;
  lake.partitions_run = 0;
  ASSERT_THAT(lake.RunOnce(pipeline), IsOk());
  EXPECT_EQ(lake.partitions_run, 2) << "only the damaged partition is repeated";
  EXPECT_EQ(lake.DataFiles(), undisturbed.DataFiles());
}

TEST(LakeRun, RepeatsAPartitionWhoseStagedFilesAreGone) {
  Lake lake;
  const Pipeline pipeline;
  ASSERT_THAT(lake.RunOnce(pipeline), IsOk());
  lake.Arm("finish.before_intent=error");
  ASSERT_FALSE(lake.RunOnce(pipeline).ok());
  lake.Disarm();
  lake.Remove(lake.Leftovers().front());
  lake.partitions_run = 0;
  ASSERT_THAT(lake.RunOnce(pipeline), IsOk());
  EXPECT_EQ(lake.partitions_run, 1);
  EXPECT_EQ(ManifestOf(lake)["revision"], 1);
  EXPECT_THAT(lake.Leftovers(), IsEmpty());
}

TEST(LakeRun, TakesBackASwitchWhoseStagedFilesAreGone) {
  Lake lake;
  const Pipeline pipeline;
  ASSERT_THAT(lake.RunOnce(pipeline), IsOk());
  const auto published = lake.DataFiles();
  lake.Arm("finish.file_renamed=error@2");
  ASSERT_FALSE(lake.RunOnce(pipeline).ok());
  lake.Disarm();
  const auto seen = lake.Inspect(pipeline).ValueOrDie();
  EXPECT_TRUE(seen.pending);
  lake.Remove(lake.Leftovers().front());
  {
    const auto target = lake.Begin(pipeline).ValueOrDie();
  }
  EXPECT_EQ(lake.DataFiles(), published) << "what was renamed is staged again";
  ASSERT_THAT(lake.RunOnce(pipeline), IsOk());
  EXPECT_EQ(ManifestOf(lake)["revision"], 1);
  EXPECT_THAT(lake.Leftovers(), IsEmpty());
}

TEST(LakeRun, RefusesADirectoryThatHoldsSomethingElse) {
  for (const char* foreign : {"data.csv", "sub/data.parquet", "_delta_log/0.json"}) {
    Lake lake;
    lake.Write(foreign, "x");
    const auto before = lake.AllFiles();
    for (const Status& status : {lake.RunOnce({}), lake.Begin({}).status()}) {
      EXPECT_THAT(status, FailsWith(FaultCode::kForeignTarget)) << foreign;
      EXPECT_THAT(status.message(), HasSubstr(lake.root()));
    }
    EXPECT_EQ(lake.AllFiles(), before);
  }
}

TEST(LakeRun, TakesADirectoryWithNothingVisibleInIt) {
  Lake lake;
  lake.Write(".gitkeep", "");
  EXPECT_THAT(lake.RunOnce({}), IsOk());
  EXPECT_TRUE(lake.Exists(".gitkeep"));
}

TEST(LakeRun, RefusesTheDatasetOfAnotherPipeline) {
  Lake lake;
  ASSERT_THAT(lake.RunOnce({}), IsOk());
  const auto before = lake.AllFiles();
  const Pipeline other{.name = "others"};
  const auto refused = [&](const std::string& what) {
    for (const Status& status : {lake.RunOnce(other), lake.Begin(other).status(),
                                 lake.Loader()->Inventory(lake.ctx(), "others", {}).status(),
                                 lake.RunOnce({.name = "others", .window = Day(1)})}) {
      EXPECT_THAT(status, FailsWith(FaultCode::kForeignTarget)) << what;
      EXPECT_THAT(status.message(), HasSubstr("orders")) << what;
    }
  };
  refused("by the owner's record");
  EXPECT_EQ(lake.AllFiles(), before);
  lake.Remove("_levada/_owner");
  refused("by the split");
  lake.Remove("_levada/all.split.json");
  refused("by the manifest");
}

TEST(LakeRun, NamesTheRecordThatCannotBeUnderstood) {
  struct Case {
    std::string path;
    std::string stop_at;  // failpoint that leaves the record behind; empty: a finished run
  };
  const std::vector<Case> cases = {
      {"_levada/all.json", ""},
      {"_levada/all.split.json", ""},
      {"_levada/_owner", ""},
      {"_levada/all/p0000.json", "publish.before_intent=error@2"},
      {"_levada/all.switch.json", "finish.before_success=error"},
  };
  const std::vector<std::string> damages = {"{", "[]", "null", "{\"kind\": \"levada.other\"}",
                                            std::string(10, '\0') + "x"};
  for (const Case& damaged : cases) {
    Lake lake;
    if (!damaged.stop_at.empty()) lake.Arm(damaged.stop_at);
    (void)lake.RunOnce({});
    lake.Disarm();
    ASSERT_TRUE(lake.Exists(damaged.path)) << damaged.path;
    const std::string whole = lake.Content(damaged.path);
    std::vector<std::string> contents = damages;
    contents.push_back(whole.substr(0, whole.size() / 2));
    Json future = ParseJson(whole);
    future["version"] = 2;
    contents.push_back(Dump(future));
    for (const std::string& content : contents) {
      lake.Write(damaged.path, content);
      const auto before = lake.AllFiles();
      for (const Status& status :
           {lake.Inspect({}).status(), lake.Begin(Pipeline()).status(), InventoryStatus(lake)}) {
        EXPECT_THAT(status, FailsWith(FaultCode::kManifestCorrupt))
            << damaged.path << " " << content;
        EXPECT_THAT(status.message(), HasSubstr(damaged.path));
        EXPECT_THAT(FaultOf(status).help(), Not(IsEmpty()));
      }
      EXPECT_EQ(lake.AllFiles(), before) << "nothing is touched";
    }
  }
}

TEST(LakeRun, NamesTheRecordThatIsMissing) {
  {
    Lake lake;
    lake.Arm("publish.before_intent=error@2");
    ASSERT_FALSE(lake.RunOnce({}).ok());
    lake.Disarm();
    lake.Remove("_levada/all.split.json");
    const Status status = lake.RunOnce({});
    EXPECT_THAT(status, FailsWith(FaultCode::kManifestCorrupt));
    EXPECT_THAT(status.message(), HasSubstr("_levada/all.split.json"));
  }
  Lake lake;
  ASSERT_THAT(lake.RunOnce({}), IsOk());
  lake.Arm("publish.before_intent=error@2");
  ASSERT_FALSE(lake.RunOnce({}).ok());
  lake.Disarm();
  lake.Remove("_levada/all.json");
  const Status status = lake.RunOnce({});
  EXPECT_THAT(status, FailsWith(FaultCode::kManifestCorrupt));
  EXPECT_THAT(status.message(), HasSubstr("_levada/all.json"));
}

TEST(LakeRun, WritesALostManifestAnewFromThePartitions) {
  Lake lake;
  ASSERT_THAT(lake.RunOnce({}), IsOk());
  const auto files = lake.DataFiles();
  lake.Remove("_levada/all.json");
  lake.partitions_run = 0;
  ASSERT_THAT(lake.RunOnce({}), IsOk());
  EXPECT_EQ(lake.partitions_run, 0);
  EXPECT_EQ(lake.DataFiles(), files);
  EXPECT_TRUE(lake.Exists("_levada/all.json"));
}

TEST(LakeRun, DoesNotFollowRecordsOutOfTheDataset) {
  Lake lake;
  lake.Arm("publish.before_intent=error@2");
  ASSERT_FALSE(lake.RunOnce({}).ok());
  lake.Disarm();
  for (const char* key : {"path", "staged"}) {
    Json record = ParseJson(lake.Content("_levada/all/p0000.json"));
    const Json whole = record;
    record["receipts"][0]["files"][0][key] = "../outside.parquet";
    lake.Write("_levada/all/p0000.json", Dump(record));
    EXPECT_THAT(lake.RunOnce({}), FailsWith(FaultCode::kManifestCorrupt)) << key;
    lake.Write("_levada/all/p0000.json", Dump(whole));
  }
  EXPECT_THAT(lake.RunOnce({}), IsOk());
}

TEST(LakeRun, SaysThatTheTargetCannotBeWritten) {
  Lake lake;
  lake.Write("file", "x");
  lake.options().path += "/file";
  EXPECT_THAT(lake.RunOnce({}), FailsWith(FaultCode::kTargetUnwritable));
  Lake read_only;
  read_only.faulty().Arm(
      {.operations = os::WritingOperations(), .error = EROFS, .keeps_failing = true});
  EXPECT_THAT(read_only.RunOnce({}), FailsWith(FaultCode::kTargetUnwritable));
}

TEST(LakeRun, InspectsADatasetThatIsNotThere) {
  Lake lake;
  const auto seen = lake.Inspect({}).ValueOrDie();
  EXPECT_FALSE(seen.finished);
  EXPECT_FALSE(seen.pending);
  EXPECT_EQ(seen.generation, 0);
  EXPECT_THAT(lake.Loader()->Inventory(lake.ctx(), "orders", {}).ValueOrDie(), IsEmpty());
  EXPECT_FALSE(lake.Exists("")) << "looking makes nothing";
}

TEST(LakeRun, TellsWhatIsPublished) {
  Lake lake;
  const Pipeline pipeline;
  ASSERT_THAT(lake.RunOnce(pipeline), IsOk());
  const auto seen = lake.Inspect(pipeline).ValueOrDie();
  EXPECT_TRUE(seen.finished);
  EXPECT_FALSE(seen.pending);
  EXPECT_EQ(seen.plan_hash, pipeline.plan_hash);
  EXPECT_EQ(seen.rows, 4'200);
  EXPECT_EQ(seen.files, static_cast<int64_t>(lake.DataFiles().size()));
  EXPECT_EQ(seen.finished_at, "2026-01-01T00:00:00.000000Z");
  EXPECT_THAT(seen.partitions, SizeIs(3));
}

}  // namespace
}  // namespace levada::parquet
