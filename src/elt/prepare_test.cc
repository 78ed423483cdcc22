// The first half of the runner: what is to do, and whether memory suffices.

#include <atomic>
#include <utility>

#include "elt/runner.h"
#include "elt/runner_fixture.h"

namespace levada::elt {
namespace {

using fake::Script;
using testing::Contains;
using testing::HasSubstr;
using PrepareTest = RunnerTest;

TEST_F(PrepareTest, OnceMeansOnce) {
  plan.once = true;
  ASSERT_TRUE(Run().status.ok());
  const int describes = source->describes;
  RunReport second = Run();
  EXPECT_TRUE(second.status.ok());
  EXPECT_EQ(second.runs_published_before, 1);
  EXPECT_TRUE(second.runs.empty());
  EXPECT_EQ(source->describes, describes) << "the source is not even asked";
}

TEST_F(PrepareTest, WithoutOnceAWholeTableRunReplaces) {
  ASSERT_TRUE(Run().status.ok());
  RunReport second = Run();
  ASSERT_TRUE(second.status.ok()) << second.status;
  EXPECT_EQ(second.runs.at(0).revision, 1);
  EXPECT_EQ(memory.All("all"), Expected(3));
}

TEST_F(PrepareTest, APublishedRunOfAnotherPlanIsRefusedUnlessReplaced) {
  plan.once = true;
  ASSERT_TRUE(Run().status.ok());
  plan.hash = "00000000000000bb";
  RunReport refused = Run();
  EXPECT_EQ(CodeOf(refused.status), FaultCode::kPlanChanged);
  EXPECT_EQ(ExitStatusOf(refused.status), 10);
  EXPECT_THAT(FaultOf(refused.status).help(), HasSubstr("--replace"));
  RunOptions replace;
  replace.replace = true;
  RunReport replaced = Run(replace);
  ASSERT_TRUE(replaced.status.ok()) << replaced.status;
  EXPECT_EQ(memory.runs["all"].plan_hash, plan.hash);
}

TEST_F(PrepareTest, AWholeTableRunThatWasBegunUnderAnotherPlanBeginsAnew) {
  for (const char* step : {"publish p0000", "publish p0001"}) {
    memory.fails = [&](const std::string& now) -> Status {
      if (now == step) return Fault(FaultCode::kDiskFull, "full");
      return Status::OK();
    };
    plan.hash = "00000000000000aa";
    EXPECT_FALSE(Run().status.ok());
    memory.fails = [](const std::string&) { return Status::OK(); };
    plan.hash = "00000000000000bb";
    RunReport anew = Run();
    ASSERT_TRUE(anew.status.ok()) << anew.status;
    EXPECT_EQ(memory.All("all"), Expected(3));
    EXPECT_EQ(memory.runs["all"].plan_hash, plan.hash);
  }
}

TEST_F(PrepareTest, ARunOfWhichNothingWasPublishedBeginsAnewUnderAnotherPlan) {
  plan.once = true;
  std::string broken = "publish p0000";
  memory.fails = [&](const std::string& step) -> Status {
    if (step == broken) return Fault(FaultCode::kDiskFull, "full");
    return Status::OK();
  };
  EXPECT_FALSE(Run().status.ok());
  plan.hash = "00000000000000bb";
  broken = "publish p0001";
  EXPECT_EQ(CodeOf(Run().status), FaultCode::kSomePartitionsFailed) << "begun anew";
  plan.hash = "00000000000000cc";
  EXPECT_EQ(CodeOf(Run().status), FaultCode::kPlanChanged) << "p0000 is published";
}

TEST_F(PrepareTest, WhatAnotherBuildBeganIsBegunAnewWhereNobodyNeedBeAsked) {
  struct Case {
    const char* what;
    const char* fails;
    bool once;
    bool retry;
    bool asks;
  };
  for (const auto& [what, fails, once, retry, asks] :
       {Case{"written each time", "publish p0001", false, false, false},
        Case{"nothing visible", "publish p0000", true, false, false},
        Case{"a partition visible", "publish p0001", true, false, true},
        Case{"a retry", "publish p0000", false, true, true}}) {
    memory.runs.clear();
    memory.visible.clear();
    plan.once = once;
    memory.fails = [&](const std::string& step) -> Status {
      if (step == fails) return Fault(FaultCode::kDiskFull, "full");
      return Status::OK();
    };
    EXPECT_FALSE(Run().status.ok());
    memory.fails = [](const std::string&) { return Status::OK(); };
    memory.runs["all"].resumable = false;
    memory.runs["all"].pending->partitions.pop_back();  // what it began is not gone by
    RunOptions options;
    options.only_begun = retry;
    if (asks) {
      const RunReport refused = Run(options);
      EXPECT_EQ(CodeOf(refused.status), FaultCode::kPlanChanged) << what;
      EXPECT_THAT(refused.status.message(), HasSubstr("by another build of levada")) << what;
      EXPECT_THAT(FaultOf(refused.status).help(), HasSubstr("with that build")) << what;
      options.only_begun = false;
      options.replace = true;
    }
    const RunReport anew = Run(options);
    ASSERT_TRUE(anew.status.ok()) << what << ": " << anew.status;
    EXPECT_EQ(memory.All("all"), Expected(3)) << what;
  }
}

TEST_F(PrepareTest, AReplacementThatAnotherBuildBeganIsBegunAnew) {
  plan.window = WindowSpec();
  plan.window->column = "at";
  plan.window->start = 1'766'966'400'000'000;
  ASSERT_TRUE(Run().status.ok());
  RunOptions replace;
  replace.replace = true;
  replace.windows = {"2025-12-30"};
  memory.fails = [](const std::string& step) -> Status {
    if (step == "publish p0001") return Fault(FaultCode::kDiskFull, "full");
    return Status::OK();
  };
  EXPECT_FALSE(Run(replace).status.ok());
  memory.fails = [](const std::string&) { return Status::OK(); };
  memory.runs["2025-12-30"].resumable = false;
  const RunReport anew = Run();
  ASSERT_TRUE(anew.status.ok()) << anew.status;
  ASSERT_EQ(anew.runs.size(), 1u) << "the finished revision is what readers see";
  EXPECT_EQ(anew.runs[0].label, "2025-12-30");
  EXPECT_EQ(memory.All("2025-12-30"), Expected(3));
  EXPECT_FALSE(memory.runs["2025-12-30"].pending);
}

TEST_F(PrepareTest, AWholeTableRunWhoseSourceHasChangedBeginsAnew) {
  memory.fails = [](const std::string& step) -> Status {
    if (step == "publish p0001") return Fault(FaultCode::kDiskFull, "full");
    return Status::OK();
  };
  EXPECT_FALSE(Run().status.ok());
  memory.fails = [](const std::string&) { return Status::OK(); };
  const std::string begun_with = memory.runs["all"].pending->schema;
  source->live_schema = arrow::schema({arrow::field("n", arrow::int64(), true)});
  RunReport anew = Run();
  ASSERT_TRUE(anew.status.ok()) << anew.status;
  EXPECT_EQ(memory.All("all"), Expected(3));
  EXPECT_TRUE(memory.runs["all"].finished);
}

TEST_F(PrepareTest, AWholeTableOfAnotherPlanIsKeptWhenAskedTo) {
  ASSERT_TRUE(Run().status.ok());
  RunOptions careful;
  careful.keep_other_plans = true;
  EXPECT_TRUE(Run(careful).status.ok()) << "the same plan";
  plan.hash = "00000000000000bb";
  EXPECT_EQ(CodeOf(Run(careful).status), FaultCode::kPlanChanged);
  careful.replace = true;
  EXPECT_TRUE(Run(careful).status.ok());
}

TEST_F(PrepareTest, RowsThatAreThereUnderAnotherCutAreNotWrittenTwice) {
  ASSERT_TRUE(Run().status.ok());
  plan.window = WindowSpec();
  plan.window->column = "at";
  plan.window->start = 1'766'966'400'000'000;  // 2025-12-29
  plan.hash = "00000000000000bb";
  RunReport days = Run();
  EXPECT_EQ(CodeOf(days.status), FaultCode::kPlanChanged);
  EXPECT_THAT(days.status.message(), HasSubstr("as run \"all\""));
  EXPECT_EQ(FaultOf(days.status).Detail("published_as"), "all");

  memory.runs.clear();
  ASSERT_TRUE(Run().status.ok());
  plan.window->every = Every::kMonth;
  plan.window->start = 1'764'547'200'000'000;  // 2025-12-01
  here.clock.Set(here.clock.Now() + 40 * int64_t{86'400'000'000});
  RunReport month = Run();
  EXPECT_EQ(CodeOf(month.status), FaultCode::kPlanChanged);
  EXPECT_THAT(month.status.message(), HasSubstr("run \"2025-12\""));
  plan.window.reset();
  EXPECT_EQ(CodeOf(Run().status), FaultCode::kPlanChanged) << "nor the whole table beside them";
}

TEST_F(PrepareTest, AnotherRunsDamageStopsWhatItsRowsMayOverlap) {
  plan.window = WindowSpec();
  plan.window->column = "at";
  plan.window->start = 1'766'966'400'000'000;  // 2025-12-29
  PublishedRun& damaged = memory.runs["2025-12-28"];
  damaged.damage = Fault(FaultCode::kManifestCorrupt, "cut");
  RunReport refused = Run();
  EXPECT_EQ(CodeOf(refused.status), FaultCode::kManifestCorrupt);
  EXPECT_EQ(FaultOf(refused.status).Detail("refused_windows"), "3");
  EXPECT_TRUE(refused.runs.empty());
  constexpr int64_t kDay = 86'400'000'000;
  damaged.window = Window{plan.window->start - kDay, plan.window->start + 1, "2025-12-28", "UTC"};
  EXPECT_EQ(CodeOf(Run().status), FaultCode::kPlanChanged);
  damaged.window->end = plan.window->start;
  EXPECT_TRUE(Run().status.ok()) << "it shows no row of these";
}

TEST_F(PrepareTest, ARunThatReplacesDamagedRecordsSaysSo) {
  plan.once = true;
  ASSERT_TRUE(Run().status.ok());
  memory.runs["all"].damage = Fault(FaultCode::kManifestCorrupt, "cut");
  RunOptions replace;
  replace.replace = true;
  const Engine engine{plan, stages, controller, *random, *disk, "test"};
  const auto prepared = Prepare(here.ctx, engine, replace, false);
  ASSERT_TRUE(prepared.ok()) << prepared.status();
  EXPECT_EQ(prepared->runs[0].decision, Decision::kReplace);
  EXPECT_THAT(prepared->runs[0].reason, HasSubstr("damaged"));
}

TEST_F(PrepareTest, NoRunIsAskedForTwiceWhenOverlapsAreLookedFor) {
  plan.window = WindowSpec();
  plan.window->column = "at";
  plan.window->start = 1'766'966'400'000'000;
  memory.runs["2025-12-28"].label = "2025-12-28";
  ASSERT_TRUE(Run().status.ok());
  EXPECT_THAT(memory.events, Contains("inventory 2025-12-28").Times(1));
  EXPECT_THAT(memory.events, testing::Not(Contains("inventory 2025-12-29")));
}

TEST_F(PrepareTest, AWindowThatWasRunBeforeItClosedIsRunAgainOnce) {
  plan.window = WindowSpec();
  plan.window->column = "at";
  plan.window->start = 1'766'966'400'000'000;
  plan.window->delay = std::chrono::hours(2);
  constexpr int64_t kHour = 3'600'000'000;
  here.clock.Set(here.clock.Now() + 3 * kHour);
  ASSERT_TRUE(Run().status.ok());
  RunOptions today;
  today.windows = {"2026-01-01"};
  ASSERT_TRUE(Run(today).status.ok());
  EXPECT_EQ(Run(today).runs.size(), 1u) << "what has come since is missing";
  here.clock.Set(here.clock.Now() + 22 * kHour);
  EXPECT_TRUE(Run().runs.empty()) << "open for another hour";
  here.clock.Set(here.clock.Now() + kHour);
  RunReport closed = Run();
  ASSERT_EQ(closed.runs.size(), 1u);
  EXPECT_EQ(closed.runs[0].label, "2026-01-01");
  EXPECT_TRUE(Run().runs.empty());
}

TEST_F(PrepareTest, ASchemaThatChangedSinceTheSplitIsRefused) {
  plan.once = true;
  memory.fails = [](const std::string& step) -> Status {
    if (step == "publish p0001") return Fault(FaultCode::kDiskFull, "full");
    return Status::OK();
  };
  EXPECT_FALSE(Run().status.ok());
  memory.fails = [](const std::string&) { return Status::OK(); };
  source->live_schema = arrow::schema({arrow::field("n", arrow::int32(), false)});
  RunReport drifted = Run();
  EXPECT_EQ(CodeOf(drifted.status), FaultCode::kSchemaDrift);
  EXPECT_EQ(ExitStatusOf(drifted.status), 30);
  source->live_schema = fake::Numbers();
  EXPECT_TRUE(Run().status.ok());
}

TEST_F(PrepareTest, AWindowWithOtherColumnsThanTheOneBeforeIsSaid) {
  plan.window = WindowSpec();
  plan.window->column = "at";
  plan.window->start = 1'766'966'400'000'000;
  ASSERT_TRUE(Run().status.ok());
  source->live_schema = arrow::schema(
      {arrow::field("n", arrow::int64(), false), arrow::field("note", arrow::utf8())});
  here.clock.Set(here.clock.Now() + 24 * int64_t{3'600'000'000});
  const RunReport changed = Run();
  ASSERT_TRUE(changed.status.ok()) << changed.status;
  ASSERT_EQ(changed.warnings.size(), 1u);
  EXPECT_EQ(changed.warnings[0].severity, Severity::kWarning);
  EXPECT_EQ(changed.warnings[0].code, FaultCode::kSchemaDrift);
  EXPECT_EQ(changed.warnings[0].message,
            "the source has other columns than window \"2025-12-31\" was written with: column "
            "\"note\" is new: utf8");
  here.clock.Set(here.clock.Now() + 24 * int64_t{3'600'000'000});
  EXPECT_TRUE(Run().warnings.empty()) << "the window before has the same";
  RunOptions everything;
  everything.replace = true;
  source->live_schema = fake::Numbers();
  EXPECT_TRUE(Run(everything).warnings.empty()) << "nothing stays as it was";
}

TEST_F(PrepareTest, OtherColumnsOfAWholeTableAreSaidOnce) {
  ASSERT_TRUE(Run().status.ok());
  EXPECT_TRUE(Run().warnings.empty());
  source->live_schema = arrow::schema(
      {arrow::field("n", arrow::int64(), false), arrow::field("note", arrow::utf8())});
  const RunReport changed = Run();
  ASSERT_TRUE(changed.status.ok()) << changed.status;
  ASSERT_EQ(changed.warnings.size(), 1u);
  EXPECT_EQ(changed.warnings[0].message,
            "the source has other columns than what is published was written with: column "
            "\"note\" is new: utf8");
  EXPECT_TRUE(Run().warnings.empty());
}

TEST_F(PrepareTest, OtherColumnsAreSaidOfAWindowThatIsNamedToo) {
  plan.window = WindowSpec();
  plan.window->column = "at";
  plan.window->start = 1'766'966'400'000'000;
  ASSERT_TRUE(Run().status.ok());
  source->live_schema = arrow::schema({arrow::field("n", arrow::int32(), false)});
  RunOptions replaced;
  replaced.windows = {"2025-12-29"};
  replaced.replace = true;
  EXPECT_EQ(Run(replaced).warnings.size(), 1u) << "one of many is written anew";
  RunOptions named;
  named.windows = {"2026-01-03"};
  const RunReport changed = Run(named);
  ASSERT_EQ(changed.warnings.size(), 1u);
  EXPECT_THAT(changed.warnings[0].message, HasSubstr("\"n\": expected int64 not null, got int32"));
}

TEST_F(PrepareTest, ABudgetBelowTheMinimumIsRefusedWithTheMinimum) {
  RunOptions tight;
  tight.memory_bytes = 1 << 20;
  RunReport report = Run(tight);
  EXPECT_EQ(CodeOf(report.status), FaultCode::kBudgetTooSmall);
  EXPECT_EQ(ExitStatusOf(report.status), 12);
  EXPECT_FALSE(FaultOf(report.status).Detail("minimum_bytes").empty());
}

TEST_F(PrepareTest, ASourceThatIsAwayForAMomentIsAskedAgainByRunAndNotByPlan) {
  source->describe_fails = [](int time) -> Status {
    if (time > 2) return Status::OK();
    return Fault(FaultCode::kSourceUnreachable, "restarting");
  };
  EXPECT_EQ(CodeOf(Run().status), FaultCode::kSourceUnreachable);
  EXPECT_EQ(source->describes, 1);
  source->describes = 0;
  RunOptions patient;
  patient.patient = true;
  RunReport report = Run(patient);
  ASSERT_TRUE(report.status.ok()) << report.status;
  EXPECT_EQ(source->describes, 3);
  source->describe_fails = [](int) -> Status { return Fault(FaultCode::kAuthFailed, "no"); };
  source->describes = 0;
  EXPECT_EQ(CodeOf(Run(patient).status), FaultCode::kAuthFailed);
  EXPECT_EQ(source->describes, 1) << "what time does not mend is not tried again";
}

TEST_F(PrepareTest, RetryRefusesARunThatWasBegunUnderAnotherPlan) {
  bool broken = true;
  memory.fails = [&](const std::string& step) -> Status {
    if (broken && step == "publish p0001") return Fault(FaultCode::kDiskFull, "full");
    return Status::OK();
  };
  EXPECT_FALSE(Run().status.ok());
  broken = false;
  plan.hash = "00000000000000bb";
  RunOptions retry;
  retry.only_begun = true;
  Engine engine{plan, stages, controller, *random, *disk, "test"};
  auto prepared = Prepare(here.ctx, engine, retry, false);
  ASSERT_TRUE(prepared.ok()) << prepared.status();
  ASSERT_EQ(prepared->runs.size(), 1u) << "not passed over";
  EXPECT_EQ(prepared->runs[0].decision, Decision::kRefuse);
  EXPECT_EQ(CodeOf(prepared->runs[0].refusal), FaultCode::kPlanChanged);
}

TEST_F(PrepareTest, ATightBudgetRunsOneSliceAtATimeInsteadOfRefusing) {
  source->slices = 4;
  plan.partitions_parallel = 3;
  std::atomic<int> open{0}, most{0};
  source->script = [&](int, int, int) {
    Script script;
    script.each = [&, first = true]() mutable {
      if (!std::exchange(first, false)) return;
      most = std::max(most.load(), ++open - source->closed);
    };
    return script;
  };
  const auto limits = [&](int64_t budget) {
    Engine engine{plan, stages, controller, *random, *disk, "test"};
    RunOptions options;
    options.memory_bytes = budget;
    return Prepare(here.ctx, engine, options, false);
  };
  auto roomy = limits(int64_t{1} << 40);
  ASSERT_TRUE(roomy.ok()) << roomy.status();
  EXPECT_GE(roomy->memory.slices, 4);
  EXPECT_EQ(roomy->memory.slots, 3);
  // Halfway between one slice and two.
  const int64_t minimum = roomy->memory.minimum_bytes;
  auto tight = limits(minimum + (minimum - roomy->memory.fixed_bytes) / 2);
  ASSERT_TRUE(tight.ok()) << tight.status();
  EXPECT_EQ(tight->memory.slices, 1);
  EXPECT_EQ(tight->memory.slots, 1);
  EXPECT_EQ(tight->memory.windows, 1);
  Engine engine{plan, stages, controller, *random, *disk, "test"};
  RunReport report = RunPlan(here.ctx, engine, *tight, nullptr, observer);
  ASSERT_TRUE(report.status.ok()) << report.status;
  EXPECT_EQ(memory.All("all"), Expected(3, 4));
  EXPECT_EQ(most, 1);
}

TEST_F(PrepareTest, AMinimumThatWasNamedHoldsAtTheNextStart) {
  Engine engine{plan, stages, controller, *random, *disk, "test"};
  const auto limits = [&](int64_t budget) {
    RunOptions options;
    options.memory_bytes = budget;
    return Prepare(here.ctx, engine, options, false);
  };
  // Over more than one step of the named figure, so that its edge is crossed somewhere.
  std::vector<std::string> grown;
  for (int i = 0; i < 320; ++i) {
    auto named = limits(0);
    ASSERT_TRUE(named.ok()) << named.status();
    grown.emplace_back(32 << 10, 'x');
    auto next = limits(named->memory.minimum_bytes);
    ASSERT_TRUE(next.ok()) << i << ": " << next.status();
    EXPECT_GT(next->memory.budget_bytes, next->memory.fixed_bytes);
    EXPECT_LE(next->memory.minimum_bytes, named->memory.minimum_bytes);
  }
  const int64_t minimum = limits(0)->memory.minimum_bytes;
  EXPECT_FALSE(limits(minimum - (10 << 20)).ok());
}

}  // namespace
}  // namespace levada::elt
