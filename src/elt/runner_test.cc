#include "elt/runner.h"

#include "base/json.h"
#include "elt/retry.h"
#include "elt/runner_fixture.h"

namespace levada::elt {
namespace {

using fake::Memory;
using fake::Script;
using testing::Contains;
using testing::ElementsAre;

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
      Status Abandon(Context& c) override { return run_.Abandon(c); }

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
  Result<std::unique_ptr<BoundTransformer>> Bind(const SchemaPtr&,
                                                 const RunInstance&) const override {
    return std::make_unique<fake::KeepEven>();
  }
};

// Passes rows on, and has a rule about how many there are.
class Counted final : public Transformer {
 public:
  explicit Counted(int64_t least) { rule_.min = least; }
  Result<std::unique_ptr<BoundTransformer>> Bind(const SchemaPtr&,
                                                 const RunInstance&) const override {
    return std::make_unique<AsIs>();
  }
  std::optional<RowCountRule> row_count_rule() const override { return rule_; }

 private:
  class AsIs final : public BoundTransformer {
   public:
    const SchemaPtr& schema() const override { return schema_; }
    Result<Mapped> Map(Context&, const BatchPtr& batch, RejectBuffer&) const override {
      return Mapped{batch, 0, 0};
    }

   private:
    const SchemaPtr schema_ = fake::Numbers();
  };
  RowCountRule rule_;
};

TEST_F(RunnerTest, ARunOfTooFewRowsIsGivenUpAndReadAnew) {
  const auto rows = static_cast<int64_t>(Expected(3).size());
  stages.transformers.push_back(std::make_unique<Counted>(rows + 1));
  const RunReport refused = Run();
  EXPECT_EQ(CodeOf(refused.status), FaultCode::kRowCountRefused) << "31 and not 50";
  EXPECT_THAT(memory.events, Contains("abandon all"));
  EXPECT_TRUE(memory.All("all").empty());
  stages.transformers.clear();
  stages.transformers.push_back(std::make_unique<Counted>(rows));
  memory.events.clear();
  const RunReport done = Run();
  ASSERT_TRUE(done.status.ok()) << done.status;
  EXPECT_THAT(memory.events, Contains("publish p0000")) << "nothing of the first one is used";
  EXPECT_EQ(memory.All("all"), Expected(3));
}

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
