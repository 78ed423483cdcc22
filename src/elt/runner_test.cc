#include "elt/runner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <utility>

#include "base/json.h"
#include "elt/fake_stages.h"
#include "elt/partition_run.h"
#include "elt/retry.h"
#include "os/disk.h"

namespace levada::elt {
namespace {

using fake::Memory;
using fake::Script;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

// Runs partitions one after the other on the caller's thread: order and failures are the test's
// own.
class InlineController final : public JobController {
 public:
  Result<std::unique_ptr<JobHandle>> Start(Context& ctx, const PartitionJob& job,
                                           std::vector<int> indexes, int) override {
    return std::make_unique<Handle>(ctx, job, std::move(indexes));
  }

 private:
  class Handle final : public JobHandle {
   public:
    Handle(Context& ctx, const PartitionJob& job, std::vector<int> indexes)
        : ctx_(ctx), job_(job), indexes_(std::move(indexes)) {}
    std::optional<JobResult> Next() override {
      if (at_ == indexes_.size()) return std::nullopt;
      const int index = indexes_[at_++];
      return JobResult{index, job_.Run(ctx_, index)};
    }
    void Drain() override { at_ = indexes_.size(); }
    void Cancel() override { Drain(); }

   private:
    Context& ctx_;
    const PartitionJob& job_;
    std::vector<int> indexes_;
    size_t at_ = 0;
  };
};

// One pipeline from numbers to memory, and everything around it.
class RunnerTest : public testing::Test {
 protected:
  RunnerTest() {
    plan.name = "numbers";
    plan.hash = "00000000000000aa";
    plan.retry.backoff = std::chrono::milliseconds(10);
    auto consumer = std::make_unique<fake::NumberConsumer>();
    source = consumer.get();
    stages.consumer = std::move(consumer);
    stages.loaders.push_back(std::make_unique<fake::MemoryLoader>(memory));
  }

  RunReport Run(RunOptions options = {}) {
    Engine engine{plan, stages, controller, *random, *disk, "test"};
    auto prepared = Prepare(here.ctx, engine, options, false);
    if (!prepared.ok()) {
      RunReport report;
      report.status = prepared.status();
      return report;
    }
    return RunPlan(here.ctx, engine, *prepared, nullptr, observer);
  }

  static std::multiset<int64_t> Expected(int partitions, int slices = 1) {
    std::multiset<int64_t> all;
    for (int i = 0; i < partitions; ++i) {
      for (int j = 0; j < slices; ++j) {
        for (int64_t n = 0; n < 10; ++n) all.insert(1000 * i + 100 * j + n);
      }
    }
    return all;
  }

  void SecondLoader() { stages.loaders.push_back(std::make_unique<fake::MemoryLoader>(other)); }

  fake::Surroundings here;
  Memory memory, other;
  Plan plan;
  Stages stages;
  fake::NumberConsumer* source;
  InlineController controller;
  fake::NullObserver observer;
  std::unique_ptr<Random> random = MakeSeededRandom(1);
  std::unique_ptr<os::Disk> disk = os::MakeSystemDisk();
};

TEST_F(RunnerTest, PublishesEveryRowOnce) {
  RunReport report = Run();
  ASSERT_TRUE(report.status.ok()) << report.status;
  EXPECT_EQ(memory.All("all"), Expected(3));
  EXPECT_TRUE(memory.runs["all"].finished);
  EXPECT_EQ(report.rows, 30);
  EXPECT_EQ(report.runs.at(0).outcome, RunOutcome::kPublished);
  EXPECT_EQ(report.runs[0].partitions.size(), 3u);
  EXPECT_THAT(memory.events,
              ElementsAre("publish p0000", "publish p0001", "publish p0002", "finish all"));
}

TEST_F(RunnerTest, SlicesOfAPartitionArePublishedTogether) {
  source->slices = 3;
  RunReport report = Run();
  ASSERT_TRUE(report.status.ok()) << report.status;
  EXPECT_EQ(memory.All("all"), Expected(3, 3));
  EXPECT_EQ(report.rows, 90);
}

TEST_F(RunnerTest, ARetryableFailureIsTriedAgainAndLeavesNothingTwice) {
  source->script = [](int partition, int, int attempt) {
    Script script;
    if (partition == 1 && attempt < 3) {
      script.fails_after = 2;
      script.failure = Fault(FaultCode::kSourceConnectionLost, "gone");
    }
    return script;
  };
  RunReport report = Run();
  ASSERT_TRUE(report.status.ok()) << report.status;
  EXPECT_EQ(memory.All("all"), Expected(3));
  EXPECT_EQ(report.runs[0].partitions[1].attempts, 3);
  EXPECT_EQ(report.runs[0].partitions[0].attempts, 1);
  EXPECT_THAT(memory.events, Contains("discard p0001").Times(2));
}

TEST_F(RunnerTest, AttemptsAreBounded) {
  plan.retry.attempts = 4;
  source->script = [](int, int, int) {
    Script script{.fails_after = 0};
    script.failure = Fault(FaultCode::kSourceBusy, "full");
    return script;
  };
  RunReport report = Run();
  EXPECT_EQ(CodeOf(report.status), FaultCode::kSourceBusy);
  EXPECT_EQ(ExitStatusOf(report.status), 20);
  EXPECT_EQ(source->opens, 4);
}

TEST_F(RunnerTest, WhatCannotBeMendedIsNotTriedAgain) {
  source->script = [](int, int, int) {
    Script script{.fails_after = 1};
    script.failure = Fault(FaultCode::kInvalidUtf8, "byte 0xff");
    return script;
  };
  RunReport report = Run();
  EXPECT_EQ(CodeOf(report.status), FaultCode::kInvalidUtf8);
  EXPECT_EQ(source->opens, 1);
  EXPECT_TRUE(memory.All("all").empty());
  EXPECT_FALSE(memory.runs["all"].finished);
}

TEST_F(RunnerTest, TheDeadlineOfTheRunEndsTheRetries) {
  plan.retry.attempts = 1000;
  plan.retry.backoff = plan.retry.backoff_max = std::chrono::seconds(10);
  plan.retry.deadline = std::chrono::seconds(60);
  source->script = [](int, int, int) {
    Script script{.fails_after = 0};
    script.failure = Fault(FaultCode::kSourceBusy, "full");
    return script;
  };
  RunReport report = Run();
  EXPECT_FALSE(report.status.ok());
  EXPECT_LT(source->opens, 20);
}

TEST_F(RunnerTest, ASecondRunDoesOnlyWhatIsLeft) {
  source->script = [](int partition, int, int attempt) {
    Script script;
    if (partition == 2 && attempt == 1) {
      script.fails_after = 1;
      script.failure = Fault(FaultCode::kQueryFailed, "division by zero");
    }
    return script;
  };
  RunReport first = Run();
  EXPECT_EQ(CodeOf(first.status), FaultCode::kSomePartitionsFailed);
  EXPECT_EQ(ExitStatusOf(first.status), 50);
  EXPECT_EQ(CodeOf(FaultOf(first.status).cause()), FaultCode::kQueryFailed);
  RunReport second = Run();
  ASSERT_TRUE(second.status.ok()) << second.status;
  EXPECT_EQ(source->opens, 4) << "three partitions, one of them twice";
  EXPECT_EQ(source->splits, 2) << "asked by Prepare and once for the record, not again";
  EXPECT_EQ(memory.All("all"), Expected(3));
  EXPECT_EQ(second.rows, 30);
}

TEST_F(RunnerTest, ASourceThatSentOtherRowsThanItSaysPublishesNothing) {
  source->script = [](int, int, int) { return Script{.claims = 11}; };
  RunReport report = Run();
  EXPECT_EQ(CodeOf(report.status), FaultCode::kCountMismatch);
  EXPECT_EQ(ExitStatusOf(report.status), 31);
  EXPECT_TRUE(memory.All("all").empty());
}

TEST_F(RunnerTest, ALoaderThatWroteOtherRowsThanItGotPublishesNothing) {
  memory.written_off_by = -1;
  RunReport report = Run();
  EXPECT_EQ(CodeOf(report.status), FaultCode::kCountMismatch);
  EXPECT_TRUE(memory.All("all").empty());
}

TEST_F(RunnerTest, ReadbackComparesWhatWasWritten) {
  plan.verify = Verify::kReadback;
  RunReport report = Run();
  ASSERT_TRUE(report.status.ok()) << report.status;
  EXPECT_EQ(report.runs[0].partitions[0].receipts[0][0].rows_hash.size(), 16u);
}

TEST_F(RunnerTest, ReadbackThatDiffersPublishesNothing) {
  plan.verify = Verify::kReadback;
  class Corrupting final : public Loader {
   public:
    explicit Corrupting(Memory& memory) : inner(memory), memory_(memory) {}
    Result<BoundTarget> Bind(Context& c, const SchemaPtr& s, const std::vector<ColumnHint>& h,
                             const RunInstance& r) const override {
      return inner.Bind(c, s, h, r);
    }
    Result<PublishedRun> Inspect(Context& c, const RunInstance& r) const override {
      return inner.Inspect(c, r);
    }
    Result<std::vector<PublishedRun>> Inventory(Context& c, const std::string& p,
                                                const std::set<std::string>& k) const override {
      return inner.Inventory(c, p, k);
    }
    Result<std::unique_ptr<TargetRun>> Begin(Context&, const RunInstance& run,
                                             const BoundTarget&) const override {
      return std::make_unique<Run>(memory_, run);
    }
    fake::MemoryLoader inner;

   private:
    class Run final : public TargetRun {
     public:
      Run(Memory& memory, const RunInstance& run) : run_(memory, run) {}
      int64_t generation() const override { return run_.generation(); }
      const PublishedRun& state() const override { return run_.state(); }
      Result<SplitRecord> RecordSplit(Context& c, const SplitRecord& s) override {
        return run_.RecordSplit(c, s);
      }
      Result<Receipt> Load(Context& c, const Attempt& a, BatchStream& s) override {
        return run_.Load(c, a, s);
      }
      Result<std::unique_ptr<BatchStream>> ReadBack(Context&, const Attempt&,
                                                    const Receipt&) override {
        return std::make_unique<fake::NumberStream>(77, Script{.rows = 10});
      }
      Status Publish(Context& c, const Attempt& a, std::span<const Receipt> r) override {
        return run_.Publish(c, a, r);
      }
      Status Finish(Context& c) override { return run_.Finish(c); }
      Status Discard(Context& c, const Attempt& a) override { return run_.Discard(c, a); }

     private:
      fake::MemoryRun run_;
    };
    Memory& memory_;
  };
  stages.loaders.clear();
  stages.loaders.push_back(std::make_unique<Corrupting>(memory));
  RunReport report = Run();
  EXPECT_EQ(CodeOf(report.status), FaultCode::kReadbackMismatch);
  EXPECT_TRUE(memory.All("all").empty());
}

TEST_F(RunnerTest, SeveralLoadersGetTheSameRowsFromOneRead) {
  SecondLoader();
  source->slices = 2;
  RunReport report = Run();
  ASSERT_TRUE(report.status.ok()) << report.status;
  EXPECT_EQ(memory.All("all"), Expected(3, 2));
  EXPECT_EQ(other.All("all"), Expected(3, 2));
  EXPECT_EQ(source->opens, 3);
}

TEST_F(RunnerTest, AFailureBetweenTwoLoadersConverges) {
  SecondLoader();
  bool broken = true;
  other.fails = [&](const std::string& step) -> Status {
    if (broken && step == "publish p0001") return Fault(FaultCode::kDiskFull, "full");
    return Status::OK();
  };
  RunReport first = Run();
  EXPECT_FALSE(first.status.ok());
  EXPECT_THAT(memory.events, Contains("publish p0001"));
  EXPECT_THAT(memory.events, testing::Not(Contains("finish all")));
  broken = false;
  RunReport second = Run();
  ASSERT_TRUE(second.status.ok()) << second.status;
  EXPECT_EQ(memory.All("all"), Expected(3));
  EXPECT_EQ(other.All("all"), Expected(3));
  EXPECT_THAT(memory.events, Contains("publish p0001").Times(1)) << "it had it already";
}

class Even final : public Transformer {
 public:
  Result<std::unique_ptr<BoundTransformer>> Bind(const SchemaPtr&) const override {
    return std::make_unique<fake::KeepEven>();
  }
};

TEST_F(RunnerTest, RejectedRowsAreKeptOnceAlsoWhenALaterLoaderIsTriedAgain) {
  SecondLoader();
  stages.transformers.push_back(std::make_unique<Even>());
  source->partitions = 1;
  int failures = 5;  // more than one step tries by itself
  other.fails = [&](const std::string& step) -> Status {
    if (step != "publish p0000" || failures-- <= 0) return Status::OK();
    return Fault(FaultCode::kTargetIo, "lost");
  };
  RunReport report = Run();
  ASSERT_TRUE(report.status.ok()) << report.status;
  EXPECT_GT(report.runs.at(0).partitions.at(0).attempts, 1);
  EXPECT_EQ(memory.rejects, 1) << "0 is a multiple of ten";
  EXPECT_EQ(other.rejects, 0);
}

TEST_F(RunnerTest, OnceMeansOnce) {
  plan.once = true;
  ASSERT_TRUE(Run().status.ok());
  const int describes = source->describes;
  RunReport second = Run();
  EXPECT_TRUE(second.status.ok());
  EXPECT_EQ(second.runs_published_before, 1);
  EXPECT_TRUE(second.runs.empty());
  EXPECT_EQ(source->describes, describes) << "the source is not even asked";
}

TEST_F(RunnerTest, WithoutOnceAWholeTableRunReplaces) {
  ASSERT_TRUE(Run().status.ok());
  RunReport second = Run();
  ASSERT_TRUE(second.status.ok()) << second.status;
  EXPECT_EQ(second.runs.at(0).revision, 1);
  EXPECT_EQ(memory.All("all"), Expected(3));
}

TEST_F(RunnerTest, APublishedRunOfAnotherPlanIsRefusedUnlessReplaced) {
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

TEST_F(RunnerTest, AWholeTableRunThatWasBegunUnderAnotherPlanBeginsAnew) {
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

TEST_F(RunnerTest, ARunOfWhichNothingWasPublishedBeginsAnewUnderAnotherPlan) {
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

TEST_F(RunnerTest, WhatAnotherBuildBeganIsBegunAnewWhereNobodyNeedBeAsked) {
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

TEST_F(RunnerTest, AReplacementThatAnotherBuildBeganIsBegunAnew) {
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

TEST_F(RunnerTest, AWholeTableRunWhoseSourceHasChangedBeginsAnew) {
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

TEST_F(RunnerTest, AWholeTableOfAnotherPlanIsKeptWhenAskedTo) {
  ASSERT_TRUE(Run().status.ok());
  RunOptions careful;
  careful.keep_other_plans = true;
  EXPECT_TRUE(Run(careful).status.ok()) << "the same plan";
  plan.hash = "00000000000000bb";
  EXPECT_EQ(CodeOf(Run(careful).status), FaultCode::kPlanChanged);
  careful.replace = true;
  EXPECT_TRUE(Run(careful).status.ok());
}

TEST_F(RunnerTest, RowsThatAreThereUnderAnotherCutAreNotWrittenTwice) {
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

TEST_F(RunnerTest, AnotherRunsDamageStopsWhatItsRowsMayOverlap) {
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

TEST_F(RunnerTest, ARunThatReplacesDamagedRecordsSaysSo) {
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

TEST_F(RunnerTest, NoRunIsAskedForTwiceWhenOverlapsAreLookedFor) {
  plan.window = WindowSpec();
  plan.window->column = "at";
  plan.window->start = 1'766'966'400'000'000;
  memory.runs["2025-12-28"].label = "2025-12-28";
  ASSERT_TRUE(Run().status.ok());
  EXPECT_THAT(memory.events, Contains("inventory 2025-12-28").Times(1));
  EXPECT_THAT(memory.events, testing::Not(Contains("inventory 2025-12-29")));
}

TEST_F(RunnerTest, AWindowThatWasRunBeforeItClosedIsRunAgainOnce) {
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

TEST_F(RunnerTest, ASchemaThatChangedSinceTheSplitIsRefused) {
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

TEST_F(RunnerTest, AWindowWithOtherColumnsThanTheOneBeforeIsSaid) {
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

TEST_F(RunnerTest, OtherColumnsAreSaidOfAWindowThatIsNamedToo) {
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

TEST_F(RunnerTest, ARunThatSomebodyElseHoldsIsLeftAlone) {
  memory.locked.insert("all");
  RunReport report = Run();
  EXPECT_EQ(CodeOf(report.status), FaultCode::kLeaseHeld);
  EXPECT_EQ(ExitStatusOf(report.status), 75);
  EXPECT_EQ(source->opens, 0);
}

TEST_F(RunnerTest, AStopEndsTheRunAndTheNextOneContinues) {
  source->script = [&](int partition, int, int attempt) {
    Script script;
    if (partition == 1 && attempt == 1) script.each = [&] { here.stop.request_stop(); };
    return script;
  };
  RunReport report = Run();
  EXPECT_EQ(CodeOf(report.status), FaultCode::kStopped);
  EXPECT_EQ(report.runs.at(0).outcome, RunOutcome::kInterrupted);
  here.stop = std::stop_source();
  here.ctx.stop = here.stop.get_token();
  RunReport second = Run();
  ASSERT_TRUE(second.status.ok()) << second.status;
  EXPECT_EQ(memory.All("all"), Expected(3));
  EXPECT_EQ(source->opens, 4);
}

TEST_F(RunnerTest, ABudgetBelowTheMinimumIsRefusedWithTheMinimum) {
  RunOptions tight;
  tight.memory_bytes = 1 << 20;
  RunReport report = Run(tight);
  EXPECT_EQ(CodeOf(report.status), FaultCode::kBudgetTooSmall);
  EXPECT_EQ(ExitStatusOf(report.status), 12);
  EXPECT_FALSE(FaultOf(report.status).Detail("minimum_bytes").empty());
}

TEST_F(RunnerTest, ASourceThatIsAwayForAMomentIsAskedAgainByRunAndNotByPlan) {
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

TEST_F(RunnerTest, RetryRefusesARunThatWasBegunUnderAnotherPlan) {
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

TEST_F(RunnerTest, ATightBudgetRunsOneSliceAtATimeInsteadOfRefusing) {
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

TEST_F(RunnerTest, AMinimumThatWasNamedHoldsAtTheNextStart) {
  Engine engine{plan, stages, controller, *random, *disk, "test"};
  const auto limits = [&](int64_t budget) {
    RunOptions options;
    options.memory_bytes = budget;
    return Prepare(here.ctx, engine, options, false);
  };
  // Over more than one step of the named figure, so that its edge is crossed somewhere.
  std::vector<std::string> grown;
  for (int i = 0; i < 40; ++i) {
    auto named = limits(0);
    ASSERT_TRUE(named.ok()) << named.status();
    grown.emplace_back(256 << 10, 'x');
    auto next = limits(named->memory.minimum_bytes);
    ASSERT_TRUE(next.ok()) << i << ": " << next.status();
    EXPECT_GT(next->memory.budget_bytes, next->memory.fixed_bytes);
    EXPECT_LE(next->memory.minimum_bytes, named->memory.minimum_bytes);
  }
  const int64_t minimum = limits(0)->memory.minimum_bytes;
  EXPECT_FALSE(limits(minimum - (10 << 20)).ok());
}

TEST_F(RunnerTest, WindowsRunOldestFirstAndPublishedOnesAreSkipped) {
  WindowSpec window;
  window.column = "at";
  window.start = 1'766'966'400'000'000;  // 2025-12-29
  plan.window = window;
  RunReport report = Run();
  ASSERT_TRUE(report.status.ok()) << report.status;
  EXPECT_THAT(memory.events, Contains("finish 2025-12-29"));
  EXPECT_THAT(memory.events, Contains("finish 2025-12-31"));
  EXPECT_EQ(report.runs.size(), 3u);
  here.clock.Set(here.clock.Now() + 86'400'000'000);
  RunReport next = Run();
  ASSERT_TRUE(next.status.ok());
  EXPECT_EQ(next.runs_published_before, 3);
  EXPECT_EQ(next.runs.size(), 1u);
  EXPECT_EQ(next.runs[0].label, "2026-01-01");
}

TEST_F(RunnerTest, AClockThatGoesBackwardsRepeatsNothing) {
  WindowSpec window;
  window.column = "at";
  window.start = 1'766'966'400'000'000;
  plan.window = window;
  ASSERT_TRUE(Run().status.ok());
  const int opens = source->opens;
  here.clock.Set(here.clock.Now() - 2 * 86'400'000'000);
  RunReport report = Run();
  EXPECT_TRUE(report.status.ok());
  EXPECT_TRUE(report.runs.empty());
  EXPECT_EQ(source->opens, opens);
}

TEST_F(RunnerTest, RunJsonHoldsEveryPartition) {
  RunReport report = Run();
  auto json = ParseJson(report.ToJson());
  EXPECT_EQ(json["levada_run"], 1);
  EXPECT_EQ(json["rows"], 30);
  EXPECT_EQ(json["exit_status"], 0);
  EXPECT_EQ(json["runs"][0]["partitions"].size(), 3u);
  EXPECT_EQ(json["runs"][0]["partitions"][2]["loaders"][0][0]["rows"], 10);
}

TEST(Backoff, GrowsUpToItsMaximumAndIsNeverZero) {
  auto random = MakeSeededRandom(7);
  RetrySpec retry;
  retry.backoff = std::chrono::seconds(1);
  retry.backoff_max = std::chrono::seconds(20);
  for (int failed = 1; failed < 100; ++failed) {
    const auto wait = BackoffBefore(retry, failed, *random);
    EXPECT_GE(wait, std::chrono::milliseconds(500));
    EXPECT_LE(wait, std::chrono::seconds(20));
    if (failed > 6) {
      EXPECT_GE(wait, std::chrono::seconds(10));
    }
  }
}

}  // namespace
}  // namespace levada::elt
