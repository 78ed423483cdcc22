#include "elt/increments.h"

#include <string>
#include <utility>

#include "base/testing.h"
#include "elt/runner_fixture.h"

namespace levada::elt {
namespace {

using testing::HasSubstr;

class IncrementsTest : public RunnerTest {
 protected:
  IncrementsTest() {
    plan.increment = IncrementSpec{"n", "5", "", "UTC"};
    source->mark = [this](const MarkRequest& request) -> Result<Mark> {
      asked = request;
      Mark mark;
      mark.low = request.low ? request.low : request.after;
      if (newest != mark.low) mark.high = newest;
      return mark;
    };
  }

  RunReport RunUpTo(const std::string& mark, RunOptions options = {}) {
    newest = mark;
    return Run(std::move(options));
  }

  void FailAt(std::string step) {
    memory.fails = [step = std::move(step)](const std::string& now) -> Status {
      if (now == step) return Fault(FaultCode::kDiskFull, "full");
      return Status::OK();
    };
  }

  Increment Recorded(const std::string& label) { return memory.runs.at(label).increment.value(); }

  std::optional<std::string> newest;
  MarkRequest asked;
};

TEST_F(IncrementsTest, EachRunGoesOnWhereTheOneBeforeEnded) {
  ASSERT_THAT(RunUpTo("10").status, IsOk());
  EXPECT_EQ(asked.after, "5");
  EXPECT_FALSE(asked.low) << "there was none before";
  EXPECT_EQ(Recorded("i000001"), (Increment{1, "n", "5", "10"}));
  RunReport second = RunUpTo("20");
  ASSERT_THAT(second.status, IsOk());
  EXPECT_EQ(asked.low, "10");
  EXPECT_EQ(Recorded("i000002"), (Increment{2, "n", "10", "20"}));
  EXPECT_EQ(second.runs.at(0).label, "i000002");
  EXPECT_EQ(second.runs_published_before, 1);
  EXPECT_THAT(memory.All("i000001"), Expected(3)) << "what was published stays";
}

TEST_F(IncrementsTest, NothingNewIsNothingToDo) {
  ASSERT_THAT(RunUpTo("10").status, IsOk());
  const int describes = source->describes;
  RunReport again = RunUpTo("10");
  EXPECT_THAT(again.status, IsOk());
  EXPECT_TRUE(again.runs.empty());
  EXPECT_EQ(memory.runs.count("i000002"), 0U);
  EXPECT_EQ(source->describes, describes) << "asked for its mark only";
}

TEST_F(IncrementsTest, WhatWasBegunGoesOnWithTheMarksItBeganWith) {
  FailAt("publish p0001");
  EXPECT_FALSE(RunUpTo("10").status.ok());
  FailAt("");
  RunReport report = RunUpTo("20");
  ASSERT_THAT(report.status, IsOk());
  ASSERT_EQ(report.runs.size(), 2U);
  EXPECT_EQ(Recorded("i000001"), (Increment{1, "n", "5", "10"}));
  EXPECT_EQ(Recorded("i000002"), (Increment{2, "n", "10", "20"}));
  EXPECT_EQ(memory.All("i000001"), Expected(3));
}

TEST_F(IncrementsTest, RetryBeginsNone) {
  FailAt("publish p0001");
  EXPECT_FALSE(RunUpTo("10").status.ok());
  FailAt("");
  RunOptions retry;
  retry.only_begun = true;
  RunReport report = RunUpTo("20", retry);
  ASSERT_THAT(report.status, IsOk());
  EXPECT_EQ(report.runs.size(), 1U);
  EXPECT_EQ(memory.runs.count("i000002"), 0U);
}

TEST_F(IncrementsTest, ATargetThatIsBehindGetsWhatItLacksFirst) {
  SecondLoader();
  other.fails = [](const std::string& now) -> Status {
    if (now == "finish i000001") return Fault(FaultCode::kDiskFull, "full");
    return Status::OK();
  };
  EXPECT_FALSE(RunUpTo("10").status.ok());
  other.fails = [](const std::string&) { return Status::OK(); };
  ASSERT_THAT(RunUpTo("20").status, IsOk());
  for (fake::Memory* each : {&memory, &other}) {
    EXPECT_EQ(each->runs.at("i000001").increment, (Increment{1, "n", "5", "10"}));
    EXPECT_EQ(each->runs.at("i000002").increment, (Increment{2, "n", "10", "20"}));
    EXPECT_EQ(each->All("i000001"), Expected(3));
  }
}

TEST_F(IncrementsTest, OfAnotherPlanAreRefusedAndReplacedWithTheirOwnMarks) {
  ASSERT_THAT(RunUpTo("10").status, IsOk());
  ASSERT_THAT(RunUpTo("20").status, IsOk());
  plan.hash = "00000000000000bb";
  EXPECT_EQ(CodeOf(RunUpTo("30").status), FaultCode::kPlanChanged);
  EXPECT_EQ(asked.low, "10") << "the source is not asked when a run is refused";
  RunOptions replace;
  replace.replace = true;
  RunReport report = RunUpTo("30", replace);
  ASSERT_THAT(report.status, IsOk());
  EXPECT_EQ(report.runs.size(), 3U);
  EXPECT_EQ(Recorded("i000001"), (Increment{1, "n", "5", "10"}));
  EXPECT_EQ(Recorded("i000002"), (Increment{2, "n", "10", "20"}));
  EXPECT_EQ(Recorded("i000003"), (Increment{3, "n", "20", "30"}));
  EXPECT_EQ(memory.runs.at("i000001").plan_hash, plan.hash);
  EXPECT_EQ(memory.runs.at("i000001").revision, 1);
}

TEST_F(IncrementsTest, OneOfThemIsWrittenAnewByItsLabel) {
  ASSERT_THAT(RunUpTo("10").status, IsOk());
  ASSERT_THAT(RunUpTo("20").status, IsOk());
  RunOptions options;
  options.replace = true;
  options.windows = {"i000001"};
  RunReport report = RunUpTo("30", options);
  ASSERT_THAT(report.status, IsOk());
  EXPECT_EQ(report.runs.size(), 1U);
  EXPECT_EQ(memory.runs.at("i000001").revision, 1);
  options.windows = {"i000004"};
  EXPECT_THAT(RunUpTo("30", options).status,
              FailsWith(FaultCode::kBadWindow, HasSubstr("there are i000001 to i000002")));
}

TEST_F(IncrementsTest, AWindowOfAnotherKindIsRowsThatAreThereAlready) {
  Plan whole = plan;
  plan.increment.reset();
  ASSERT_THAT(Run().status, IsOk());
  plan = whole;
  const Status refused = RunUpTo("10").status;
  EXPECT_THAT(refused, FailsWith(FaultCode::kPlanChanged, HasSubstr("as run \"all\"")));
}

TEST_F(IncrementsTest, ASecondProcessDoesNotWriteOverWhatTheFirstPublished) {
  Engine engine{plan, stages, controller, *random, *disk, "test"};
  newest = "10";
  const Prepared late = ValueOf(Prepare(here.ctx, engine, {}, false));
  ASSERT_THAT(RunUpTo("12").status, IsOk());
  const RunReport report = RunPlan(here.ctx, engine, late, nullptr, observer);
  EXPECT_EQ(CodeOf(report.status), FaultCode::kLeaseHeld);
  EXPECT_EQ(Recorded("i000001"), (Increment{1, "n", "5", "12"}));
  EXPECT_EQ(memory.All("i000001"), Expected(3));
}

TEST_F(IncrementsTest, WhatWasBegunUnderAnotherPlanIsForgottenWithItsMarks) {
  FailAt("publish p0000");
  EXPECT_FALSE(RunUpTo("10").status.ok());
  FailAt("");
  plan.hash = "00000000000000bb";
  ASSERT_THAT(RunUpTo("20").status, IsOk());
  EXPECT_EQ(Recorded("i000001"), (Increment{1, "n", "5", "20"}));
  FailAt("publish p0001");
  EXPECT_FALSE(RunUpTo("30").status.ok());
  FailAt("");
  plan.hash = "00000000000000cc";
  EXPECT_EQ(CodeOf(RunUpTo("40").status), FaultCode::kPlanChanged) << "p0000 is visible";
}

TEST_F(IncrementsTest, AnotherColumnDoesNotGoOnWhereTheFirstEnded) {
  ASSERT_THAT(RunUpTo("10").status, IsOk());
  plan.increment->column = "m";
  plan.hash = "00000000000000bb";
  RunOptions replace;
  replace.replace = true;
  for (const RunOptions& options : {RunOptions(), replace}) {
    EXPECT_THAT(RunUpTo("20", options).status,
                FailsWith(FaultCode::kPlanChanged, HasSubstr("was read by column \"n\"")));
  }
}

TEST_F(IncrementsTest, RecordsThatDoNotFitAreRefused) {
  ASSERT_THAT(RunUpTo("10").status, IsOk());
  ASSERT_THAT(RunUpTo("20").status, IsOk());
  memory.runs.at("i000002").increment->low = "11";
  EXPECT_THAT(RunUpTo("30").status,
              FailsWith(FaultCode::kManifestCorrupt, HasSubstr("begins at 11 and the one before it "
                                                               "ends at 10")));
  memory.runs.erase("i000001");
  EXPECT_THAT(RunUpTo("30").status,
              FailsWith(FaultCode::kManifestCorrupt, HasSubstr("\"i000001\" is not there")));
}

TEST_F(IncrementsTest, TheSameMarksAgreeWhereverTheyWereFound) {
  SecondLoader();
  ASSERT_THAT(RunUpTo("10").status, IsOk());
  other.runs.at("i000001").increment->position = "77/0/16B3748";
  EXPECT_THAT(RunUpTo("20").status, IsOk());
  memory.runs.at("i000001").increment->position = "77/0/2000000";
  EXPECT_THAT(RunUpTo("30").status, IsOk());
}

TEST_F(IncrementsTest, TwoTargetsThatDisagreeAreRefused) {
  SecondLoader();
  ASSERT_THAT(RunUpTo("10").status, IsOk());
  other.runs.at("i000001").increment->high = "9";
  EXPECT_THAT(RunUpTo("20").status,
              FailsWith(FaultCode::kManifestCorrupt,
                        HasSubstr("ends at 10 in one target and at 9 in another")));
}

TEST(Increment, IsReadBackAsItWasWritten) {
  for (const Increment& increment :
       {Increment{1, "id", {}, "10"}, Increment{2, "id", "10", "20", "77/0/16B3748"},
        Increment{1'234'567, "a \"b\"", "2026-01-01 00:00:00+00", ""}}) {
    const Increment read = ValueOf(Increment::FromJson(increment.ToJson()));
    EXPECT_EQ(read, increment);
    EXPECT_EQ(read.position, increment.position);
  }
  EXPECT_EQ((Increment{7, "id", {}, "1"}.Label()), "i000007");
  EXPECT_EQ((Increment{1'234'567, "id", {}, "1"}.Label()), "i1234567");
}

TEST(Increment, IsRefusedHalf) {
  for (const char* json : {"", "[]", "{}", R"({"number":0,"column":"id","low":null,"high":"1"})",
                           R"({"number":1,"column":"","low":null,"high":"1"})",
                           R"({"number":1,"column":"id","low":1,"high":"1"})",
                           R"({"number":1,"column":"id","low":null,"high":null})",
                           R"({"number":1.5,"column":"id","low":null,"high":"1"})"}) {
    EXPECT_THAT(Increment::FromJson(json).status(), FailsWith(FaultCode::kManifestCorrupt)) << json;
  }
}

}  // namespace
}  // namespace levada::elt
