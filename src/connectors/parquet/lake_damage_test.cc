// A window whose manifest is lost or damaged: who is stopped by it, what they are told, and how the
// window is written anew.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <set>

#include "base/json.h"
#include "connectors/parquet/lake_fixture.h"

namespace levada::parquet {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr const char* kManifest = "_levada/2026-01-02.json";

Pipeline DayTwo(bool replace = false) {
  return {.window = Day(2), .replace = replace, .partitions = 2, .slices = 1, .rejects_in = 0};
}

// Three windows; the second was written `times` times.
void Fill(Lake& lake, int times = 1) {
  for (int day = 1; day <= 3; ++day) {
    Pipeline pipeline = DayTwo();
    if (day != 2) pipeline = {.window = Day(day), .partitions = 1, .slices = 1, .first_row = day};
    ASSERT_THAT(lake.RunOnce(pipeline), IsOk());
  }
  for (int i = 1; i < times; ++i) ASSERT_THAT(lake.RunOnce(DayTwo(true)), IsOk());
}

struct Harm {
  std::string what;
  std::function<std::string(const std::string& whole)> content;  // null: the file goes
};

std::vector<Harm> Harms() {
  return {
      {"not JSON", [](const auto&) { return "{"; }},
      {"empty", [](const auto&) { return ""; }},
      {"cut", [](const auto& whole) { return whole.substr(0, whole.size() / 2); }},
      {"of another version",
       [](const auto& whole) {
         Json json = ParseJson(whole);
         json["version"] = 2;
         return Dump(json);
       }},
      {"of another window",
       [](const auto& whole) {
         Json json = ParseJson(whole);
         json["label"] = "2026-01-03";
         return Dump(json);
       }},
  };
}

void Do(Lake& lake, const Harm& harm) {
  lake.Write(kManifest, harm.content(lake.Content(kManifest)));
}

std::vector<std::string> FilesOfDayTwo(const Lake& lake) {
  std::vector<std::string> names = NamesOf(lake.DataFiles());
  std::erase_if(names, [](const std::string& name) {
    return name.find("part-2026-01-02-") == std::string::npos;
  });
  return names;
}

// Day 2 is what one run of it alone makes, the other days are as they were.
void ExpectMended(Lake& lake, const std::map<std::string, std::string>& before) {
  Lake fresh;
  fresh.options() = lake.options();
  ASSERT_THAT(fresh.RunOnce(DayTwo()), IsOk());
  std::map<std::string, std::string> others, two;
  for (const auto& [name, content] : lake.DataFiles()) {
    (name.find("part-2026-01-02-") == std::string::npos ? others : two)[name] = content;
  }
  EXPECT_EQ(ContentsOf(two), ContentsOf(fresh.DataFiles()));
  for (const auto& [name, content] : before) {
    if (name.find("part-2026-01-02-") != std::string::npos) continue;
    EXPECT_TRUE(others.contains(name)) << name;
    others.erase(name);
  }
  EXPECT_THAT(NamesOf(others), IsEmpty());
  EXPECT_THAT(lake.Leftovers(), IsEmpty());
  EXPECT_TRUE(lake.Exists("_SUCCESS"));
  const Json manifest = ParseJson(lake.Content(kManifest));
  EXPECT_EQ(manifest["files"], two.size());
  size_t rejects = 0;
  for (const auto& [name, content] : lake.AllFiles()) {
    if (name.ends_with(".rejects.jsonl")) ++rejects;
  }
  EXPECT_EQ(rejects, 1u) << "replaced like data";
}

class DamagedLake : public ::testing::Test {
 protected:
  DamagedLake() { lake.options().layout = "day={run.start:%Y-%m-%d}"; }
  Lake lake;
};

TEST_F(DamagedLake, NamesTheWindowAndTheCommandThatMendsIt) {
  for (const Harm& harm : Harms()) {
    Lake one;
    Fill(one);
    Do(one, harm);
    const auto before = one.AllFiles();
    for (const Status& status :
         {one.Inspect(DayTwo()).status(), one.Begin(DayTwo()).status(), one.RunOnce(DayTwo())}) {
      EXPECT_THAT(status, FailsWith(FaultCode::kManifestCorrupt, HasSubstr(kManifest)))
          << harm.what;
      EXPECT_EQ(FaultOf(status).Detail("window"), "2026-01-02");
      EXPECT_THAT(FaultOf(status).help(),
                  AllOf(HasSubstr("levada run FILE --window 2026-01-02 --replace"),
                        Not(HasSubstr("move the dataset"))));
    }
    EXPECT_EQ(one.AllFiles(), before) << "nothing is touched";
  }
}

TEST_F(DamagedLake, SaysOfAnotherVersionThatItMayBeUsed) {
  Fill(lake);
  Do(lake, Harms()[3]);
  EXPECT_THAT(FaultOf(lake.Inspect(DayTwo()).status()).help(),
              AllOf(HasSubstr("another version of levada"), HasSubstr("--window 2026-01-02")));
}

TEST_F(DamagedLake, OfAWholeTableNeedsNoWindow) {
  Lake whole, fresh;
  ASSERT_THAT(whole.RunOnce({}), IsOk());
  whole.Write("_levada/all.json", "{");
  EXPECT_THAT(FaultOf(whole.Inspect({}).status()).help(), HasSubstr("levada run FILE --replace"));
  ASSERT_THAT(whole.RunOnce({.replace = true, .first_row = 3}), IsOk());
  ASSERT_THAT(fresh.RunOnce({.first_row = 3}), IsOk());
  EXPECT_EQ(ContentsOf(whole.DataFiles()), ContentsOf(fresh.DataFiles()));
}

TEST_F(DamagedLake, NamesTheWindowOfALostFile) {
  Fill(lake);
  const std::string lost = FilesOfDayTwo(lake).front();
  lake.Remove(lost);
  const Status status = lake.Inspect(DayTwo()).status();
  EXPECT_THAT(status, FailsWith(FaultCode::kTargetFileMissing, HasSubstr(lost)));
  EXPECT_EQ(FaultOf(status).Detail("window"), "2026-01-02");
  EXPECT_THAT(FaultOf(status).help(), HasSubstr("levada run FILE --window 2026-01-02 --replace"));
  EXPECT_THAT(lake.Inspect({.window = Day(3)}).status(), IsOk());
  const auto before = lake.DataFiles();
  ASSERT_THAT(lake.RunOnce(DayTwo(true)), IsOk());
  ExpectMended(lake, before);
}

TEST_F(DamagedLake, IsWrittenAnewWithReplace) {
  for (const Harm& harm : Harms()) {
    for (const int times : {1, 2, 3}) {
      Lake one;
      one.options() = lake.options();
      one.options().path = "/lake";
      Fill(one, times);
      const auto before = one.DataFiles();
      Do(one, harm);
      const auto seen = ValueOf(one.Inspect(DayTwo(true)));
      EXPECT_THAT(seen.damage, FailsWith(FaultCode::kManifestCorrupt));
      EXPECT_TRUE(seen.finished);
      ASSERT_THAT(one.RunOnce(DayTwo(true)), IsOk()) << harm.what;
      ExpectMended(one, before);
      for (const std::string& name : FilesOfDayTwo(one)) EXPECT_FALSE(before.contains(name));
      EXPECT_THAT(ValueOf(one.Inspect(DayTwo())).damage, IsOk());
    }
  }
}

TEST_F(DamagedLake, IsWrittenAnewWhenALaterManifestIsLost) {
  Fill(lake, 2);
  const auto before = lake.DataFiles();
  lake.Remove(kManifest);
  const Status refused = lake.RunOnce(DayTwo());
  EXPECT_THAT(refused, FailsWith(FaultCode::kManifestCorrupt, HasSubstr(kManifest)));
  EXPECT_THAT(FaultOf(refused).help(), HasSubstr("--window 2026-01-02 --replace"));
  ASSERT_THAT(lake.RunOnce(DayTwo(true)), IsOk());
  ExpectMended(lake, before);
}

TEST_F(DamagedLake, IsWrittenAnewWithoutItsSplit) {
  Fill(lake, 3);
  const auto before = lake.DataFiles();
  lake.Write(kManifest, "{");
  lake.Remove("_levada/2026-01-02.split.json");
  ASSERT_THAT(lake.RunOnce(DayTwo(true)), IsOk());
  EXPECT_EQ(ParseJson(lake.Content(kManifest))["revision"], 3);
  ExpectMended(lake, before);
}

TEST_F(DamagedLake, IsWrittenAnewInDirectoriesOfColumns) {
  lake.options().partition_by = {"country"};
  Fill(lake);
  const auto before = lake.DataFiles();
  EXPECT_THAT(FilesOfDayTwo(lake).front(), HasSubstr("/country="));
  lake.Write(kManifest, "");
  ASSERT_THAT(lake.RunOnce(DayTwo(true)), IsOk());
  ExpectMended(lake, before);
}

TEST_F(DamagedLake, ShowsWhatWasThereUntilTheSwitch) {
  Fill(lake);
  lake.Write(kManifest, "{");
  const auto before = lake.DataFiles();
  const Pipeline pipeline = DayTwo(true);
  const auto target = ValueOf(lake.Begin(pipeline));
  const auto split = ValueOf(target->RecordSplit(lake.ctx(), pipeline.Split()));
  EXPECT_EQ(split.revision, 1);
  for (const auto& partition : split.partitions) {
    ASSERT_THAT(lake.RunPartition(*target, pipeline, partition), IsOk());
  }
  EXPECT_EQ(lake.DataFiles(), before);
  EXPECT_EQ(lake.Content(kManifest), "{");
  EXPECT_TRUE(lake.Exists("_SUCCESS"));
  ASSERT_THAT(target->Finish(lake.ctx()), IsOk());
  ExpectMended(lake, before);
}

TEST_F(DamagedLake, IsMendedFromWhereverTheMendingBreaksOff) {
  for (const char* step :
       {"fence.generation_written", "split.recorded", "publish.before_record",
        "publish.before_record=error@2", "publish.recorded", "finish.before_intent",
        "finish.intent_written", "finish.success_removed", "finish.file_renamed",
        "finish.file_renamed=error@2", "finish.before_manifest", "finish.manifest_written",
        "finish.file_deleted", "finish.before_success", "finish.success_written"}) {
    Lake one;
    one.options().layout = lake.options().layout;
    Fill(one, 2);
    const auto before = one.DataFiles();
    one.Write(kManifest, "{");
    const std::string armed = step;
    one.Arm(armed.find('=') == std::string::npos ? armed + "=error" : armed);
    ASSERT_FALSE(one.RunOnce(DayTwo(true)).ok()) << step;
    one.Disarm();
    if (one.Content(kManifest) == "{") {
      EXPECT_THAT(one.RunOnce(DayTwo()), FailsWith(FaultCode::kManifestCorrupt)) << step;
      EXPECT_EQ(one.Content(kManifest), "{") << step;
    }
    ASSERT_THAT(one.RunOnce(DayTwo(true)), IsOk()) << step;
    ExpectMended(one, before);
    if (HasFailure()) ADD_FAILURE() << step;
  }
}

TEST_F(DamagedLake, IsMendedFromTheIntentOfAFinishThatWasCutShort) {
  for (const char* step : {"finish.intent_written", "finish.file_renamed", "finish.before_manifest",
                           "finish.manifest_written", "finish.file_deleted"}) {
    Lake one;
    one.options().layout = lake.options().layout;
    Fill(one, 2);
    const auto before = one.DataFiles();
    one.Arm(std::string(step) + "=error");
    ASSERT_FALSE(one.RunOnce(DayTwo(true)).ok());
    one.Disarm();
    one.Write(kManifest, "{");
    one.partitions_run = 0;
    ASSERT_THAT(one.RunOnce(DayTwo(true)), IsOk()) << step;
    EXPECT_EQ(one.partitions_run, 0) << "the intent has the whole manifest";
    ExpectMended(one, before);
  }
}

TEST_F(DamagedLake, BeginsAnewWhenTheFinishCannotBeCompletedEither) {
  Fill(lake, 2);
  const auto before = lake.DataFiles();
  lake.Arm("finish.file_renamed=error");
  ASSERT_FALSE(lake.RunOnce(DayTwo(true)).ok());
  lake.Disarm();
  lake.Write(kManifest, "{");
  lake.Remove(lake.Leftovers().front());
  ASSERT_THAT(lake.RunOnce(DayTwo(true)), IsOk());
  ExpectMended(lake, before);
}

TEST_F(DamagedLake, DeletesNothingThatOnlyLooksLikeItsOwn) {
  Fill(lake);
  lake.Write(kManifest, "{");
  const std::vector<std::string> kept = {
      "day=2026-01-02/part-2026-01-02-notes.parquet",
      "day=2026-01-02/part-2026-01-02-p0000-0-0000.parquet.bak",
      "day=2026-01-02/part-2026-01-02-p0000-0-0000-r0.parquet",
      "day=2026-01-02/part-2026-01-02-p0000-0-00000.parquet",
      "day=2026-01-02/part-2026-01-02-05-p0000-0-0000.parquet",
      "day=2026-01-02/part-2026-01-03-p0000-0-0000.parquet",
      "day=2026-01-02/part-2026-01-p0000-0-0000.parquet",
      ".backup/part-2026-01-02-p0000-0-0000.parquet",
      "_old/part-2026-01-02-p0000-0-0000.parquet",
      "_levada/2026-01-02/readme.md",
      "_levada/2026-01-02/p0000.rejects.jsonl",
  };
  for (const std::string& path : kept) lake.Write(path, "theirs");
  ASSERT_THAT(lake.RunOnce(DayTwo(true)), IsOk());
  for (const std::string& path : kept) EXPECT_EQ(lake.Content(path), "theirs") << path;
}

TEST_F(DamagedLake, RefusesToGuessWhoseAFileElsewhereIs) {
  for (const char* path :
       {"part-2026-01-02-p0000-0-0000.parquet", "copy/part-2026-01-02-p0000-0-0000.parquet",
        "day=2026-01-02/x/part-2026-01-02-p0000-0-0000.parquet",
        "day=2026-01-020/part-2026-01-02-p0000-0-0000.parquet"}) {
    Lake one;
    one.options().layout = lake.options().layout;
    Fill(one);
    const auto before = one.DataFiles();
    one.Write(kManifest, "{");
    one.Write(path, "theirs");
    const Status status = one.RunOnce(DayTwo(true));
    EXPECT_THAT(status, FailsWith(FaultCode::kForeignTarget, HasSubstr(path)));
    EXPECT_EQ(FaultOf(status).Detail("window"), "2026-01-02");
    EXPECT_EQ(one.Content(path), "theirs");
    one.Remove(path);
    EXPECT_EQ(one.DataFiles(), before) << "nothing was touched";
    ASSERT_THAT(one.RunOnce(DayTwo(true)), IsOk());
    ExpectMended(one, before);
  }
}

TEST_F(DamagedLake, GivesUpOnDirectoriesWithoutEnd) {
  Fill(lake);
  lake.Write(kManifest, "{");
  std::string deep;
  for (int i = 0; i < 70; ++i) deep += "a/";
  lake.Write(deep + "b", "");
  EXPECT_THAT(lake.RunOnce(DayTwo(true)), FailsWith(FaultCode::kTargetIo));
}

TEST_F(DamagedLake, OfAnotherPipelineStaysAsItIs) {
  Fill(lake);
  Json manifest = ParseJson(lake.Content(kManifest));
  manifest["pipeline"] = "others";
  lake.Write(kManifest, Dump(manifest));
  EXPECT_THAT(lake.RunOnce(DayTwo(true)), FailsWith(FaultCode::kForeignTarget));
  EXPECT_EQ(lake.Content(kManifest), Dump(manifest));
}

TEST_F(DamagedLake, StopsARunWhoseManifestIsDamagedMeanwhile) {
  Fill(lake);
  const Pipeline pipeline = DayTwo(true);
  const auto before = lake.DataFiles();
  const auto target = ValueOf(lake.Begin(pipeline));
  lake.Write(kManifest, "{");
  EXPECT_THAT(lake.Continue(*target, pipeline), FailsWith(FaultCode::kManifestCorrupt));
  EXPECT_EQ(lake.DataFiles(), before) << "somebody else is at work here";
}

TEST_F(DamagedLake, WithoutAnyRecordOfAWindowItsRowsAreNotWrittenBesideThoseThatAreThere) {
  for (const int times : {1, 2}) {
    for (const bool partitioned : {false, true}) {
      Lake one;
      one.options().layout = lake.options().layout;
      if (partitioned) one.options().partition_by = {"country"};
      Fill(one, times);
      for (const auto& [path, content] : one.AllFiles()) {
        if (path.starts_with("_levada/2026-01-02")) one.Remove(path);
      }
      const auto before = one.DataFiles();
      EXPECT_THAT(one.RunOnce(DayTwo()),
                  FailsWith(FaultCode::kForeignTarget, HasSubstr("no record")));
      EXPECT_EQ(one.DataFiles(), before);
      // The way out that the help names.
      for (const auto& [path, content] : before) {
        if (path.find("part-2026-01-02-") != std::string::npos) one.Remove(path);
      }
      ASSERT_THAT(one.RunOnce(DayTwo()), IsOk());
      EXPECT_EQ(ContentsOf(one.DataFiles()), ContentsOf(before));
    }
  }
}

TEST_F(DamagedLake, ASplitLostInTheMiddleOfAFinishIsNotTakenForAFinishedRun) {
  for (const char* step : {"finish.before_manifest", "finish.manifest_written"}) {
    Lake one;
    Fill(one);
    one.Arm(std::string(step) + "=error");
    ASSERT_FALSE(one.RunOnce(DayTwo(true)).ok()) << step;
    one.Disarm();
    one.Remove("_levada/2026-01-02.split.json");
    EXPECT_THAT(one.Inspect(DayTwo()).status(),
                FailsWith(FaultCode::kManifestCorrupt, HasSubstr("a finish of the run has begun")))
        << step;
  }
}

class DamagedInventory : public DamagedLake {
 protected:
  std::vector<elt::PublishedRun> Inventory(const std::set<std::string>& known = {}) {
    return ValueOf(lake.Loader()->Inventory(lake.ctx(), "orders", known));
  }
};

TEST_F(DamagedInventory, KnowsTheWindowFromTheSplit) {
  for (const int times : {1, 2}) {
    Fill(lake, times);
    lake.Write(kManifest, "{");
    const auto runs = Inventory();
    ASSERT_THAT(runs, SizeIs(3));
    EXPECT_THAT(runs[0].damage, IsOk());
    EXPECT_EQ(runs[1].label, "2026-01-02");
    EXPECT_THAT(runs[1].damage, FailsWith(FaultCode::kManifestCorrupt, HasSubstr(kManifest)));
    EXPECT_EQ(runs[1].window, Day(2));
    EXPECT_EQ(runs[2].window, Day(3));
    ASSERT_THAT(lake.RunOnce(DayTwo(true)), IsOk());
  }
}

// The split is of the run to come; what is visible may have been cut by another time zone.
TEST_F(DamagedInventory, DoesNotTakeTheWindowOfARunThatIsNotFinished) {
  for (const char* step : {"split.recorded", "finish.before_intent", "finish.file_renamed"}) {
    Lake one;
    Fill(one);
    one.Arm(std::string(step) + "=error");
    ASSERT_FALSE(one.RunOnce(DayTwo(true)).ok());
    one.Disarm();
    one.Write(kManifest, "{");
    const auto runs = ValueOf(one.Loader()->Inventory(one.ctx(), "orders", {}));
    EXPECT_FALSE(runs[1].damage.ok());
    EXPECT_EQ(runs[1].window, std::nullopt) << step;
  }
}

TEST_F(DamagedInventory, DoesNotGuessWithoutASplit) {
  Fill(lake);
  lake.Write(kManifest, "{");
  const std::string split = lake.Content("_levada/2026-01-02.split.json");
  lake.Write("_levada/2026-01-02.split.json", "{");
  EXPECT_EQ(Inventory()[1].window, std::nullopt);
  Json other = ParseJson(split);
  other["label"] = "2026-01-01";
  lake.Write("_levada/2026-01-02.split.json", Dump(other));
  EXPECT_EQ(Inventory()[1].window, std::nullopt);
  lake.Remove("_levada/2026-01-02.split.json");
  EXPECT_EQ(Inventory()[1].window, std::nullopt);
  EXPECT_FALSE(Inventory()[1].damage.ok());
}

TEST_F(DamagedInventory, PassesOverWhatIsKnown) {
  Fill(lake);
  lake.Write(kManifest, "{");
  const auto runs = Inventory({"2026-01-01", "2026-01-02"});
  ASSERT_THAT(runs, SizeIs(1));
  EXPECT_EQ(runs[0].label, "2026-01-03");
  // No record of a known run is opened: one that cannot be read is no error.
  const auto opened = [&](const std::set<std::string>& known) {
    for (int64_t n = 1;; ++n) {
      lake.faulty().Arm({.operations = {os::DiskOperation::kOpen}, .nth = n});
      (void)lake.Loader()->Inventory(lake.ctx(), "orders", known);
      if (!lake.faulty().fired()) return n - 1;
    }
  };
  EXPECT_EQ(opened({"2026-01-01", "2026-01-02", "2026-01-03"}), 1) << "the owner's record";
  EXPECT_GT(opened({}), 3);
}

}  // namespace
}  // namespace levada::parquet
