#include "connectors/exec/exec_run.h"

#include "elt/fake_stages.h"
#include "programs/program_fixture.h"

namespace levada::exec {

void Register(elt::Catalog& catalog);

namespace {

using elt::fake::NumberStream;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

elt::SplitRecord SplitOf(int partitions, const std::string& plan_hash = "0123456789abcdef") {
  elt::SplitRecord split;
  split.pipeline = "test";
  split.label = "all";
  split.plan_hash = plan_hash;
  split.schema = elt::SchemaFingerprint(*elt::fake::Numbers());
  split.writer = "{}";
  split.created_at = "2026-01-01T00:00:00Z";
  for (int i = 0; i < partitions; ++i) {
    elt::Partition partition;
    partition.index = i;
    partition.id = "p000" + std::to_string(i);
    partition.meaning = "part";
    partition.bounds = "{}";
    partition.slices = {elt::Slice{0, "{}"}};
    split.partitions.push_back(partition);
  }
  return split;
}

/// A loader whose program writes down what it is asked, and does what the test wants.
class ExecRunTest : public programs::ProgramFixture {
 protected:
  ExecRunTest() : disk_(os::MakeSystemDisk()) {
    run_.pipeline = "test";
    run_.plan_hash = "0123456789abcdef";
    Behave("");
  }

  /// `body` runs for every step, after it was written down.
  void Behave(const std::string& body) {
    program_ = Script("loader.sh",
                      "echo \"$LEVADA_ASK ${LEVADA_PARTITION:--} ${LEVADA_ATTEMPT:--} "
                      "r${LEVADA_REVISION:--}\" >> " +
                          (directory_ / "log") + "\n" + body +
                          "\ntest $LEVADA_ASK != load || cat > /dev/null\n");
  }

  std::unique_ptr<elt::Loader> Loader() {
    elt::Catalog catalog;
    Register(catalog);
    const auto* entry = catalog.FindLoader("exec");
    elt::StageInput input = programs::ProcessStageInput(false);
    input.disk = disk_.get();
    return ValueOf(entry->make(
        ValueOf(programs::OptionsFrom(entry->spec, "command: [" + program_ +
                                                       "]\nstate: " + (directory_ / "state") +
                                                       "\nat_least_once: true")),
        input));
  }
  Result<std::unique_ptr<elt::TargetRun>> Begin() {
    loaders_.push_back(Loader());  // outlives its runs
    return loaders_.back()->Begin(ctx_, run_, {});
  }

  elt::Attempt AttemptAt(const elt::TargetRun& target, const elt::Partition& partition,
                         const std::string& id) {
    elt::Attempt attempt;
    attempt.run = &run_;
    attempt.partition = &partition;
    attempt.generation = target.generation();
    attempt.attempt_id = id;
    attempt.rejects = std::make_shared<elt::RejectBuffer>();
    return attempt;
  }
  Result<elt::Receipt> Load(elt::TargetRun& target, const elt::Attempt& attempt,
                            int64_t rows = 10) {
    NumberStream stream(0, elt::fake::Script{.rows = rows});
    return target.Load(ctx_, attempt, stream);
  }
  /// Loads and publishes one partition.
  Status Do(elt::TargetRun& target, const elt::Partition& partition, const std::string& id) {
    const elt::Attempt attempt = AttemptAt(target, partition, id);
    ARROW_ASSIGN_OR_RAISE(const elt::Receipt receipt, Load(target, attempt));
    return target.Publish(ctx_, attempt, std::vector{receipt});
  }

  /// What the program was asked since the last time.
  std::vector<std::string> Asked() {
    const std::string path = directory_ / "log";
    const std::string text = ValueOf(os::ReadFile(*disk_, path, 1 << 20)).value_or("");
    EXPECT_THAT(disk_->Remove(path), IsOk());
    std::vector<std::string> lines;
    size_t at = 0;
    for (size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', at)) {
      lines.push_back(text.substr(at, end - at));
      at = end + 1;
    }
    return lines;
  }

  const std::unique_ptr<os::Disk> disk_;
  std::string program_;
  elt::RunInstance run_;
  std::vector<std::unique_ptr<elt::Loader>> loaders_;
};

TEST_F(ExecRunTest, AsksForOneStepAfterTheOther) {
  auto target = ValueOf(Begin());
  const auto split = ValueOf(target->RecordSplit(ctx_, SplitOf(2)));
  EXPECT_EQ(split.revision, 0);
  EXPECT_THAT(Do(*target, split.partitions[0], "a0"), IsOk());
  EXPECT_THAT(Do(*target, split.partitions[1], "a1"), IsOk());
  EXPECT_THAT(target->Finish(ctx_), IsOk());
  EXPECT_THAT(target->Finish(ctx_), IsOk()) << "idempotent";
  EXPECT_THAT(Asked(), ElementsAre("load p0000 a0 r0", "publish p0000 a0 r0", "load p0001 a1 r0",
                                   "publish p0001 a1 r0", "finish - - r0"));
  target.reset();
  const auto seen = ValueOf(Loader()->Inspect(ctx_, run_));
  EXPECT_TRUE(seen.finished);
  EXPECT_EQ(seen.rows, 20);
  EXPECT_FALSE(seen.pending.has_value());
  EXPECT_THAT(ValueOf(Loader()->Inventory(ctx_, "test", {})), SizeIs(1));
  EXPECT_THAT(ValueOf(Loader()->Inventory(ctx_, "test", {"all"})), IsEmpty());
  EXPECT_THAT(ValueOf(Loader()->Inventory(ctx_, "other", {})), IsEmpty());
}

TEST_F(ExecRunTest, CountsTheRowsThatItGave) {
  auto target = ValueOf(Begin());
  const auto split = ValueOf(target->RecordSplit(ctx_, SplitOf(1)));
  const auto receipt = ValueOf(Load(*target, AttemptAt(*target, split.partitions[0], "a"), 1000));
  EXPECT_EQ(receipt.rows, 1000);
  EXPECT_EQ(receipt.end.rows_out, 1000);
}

TEST_F(ExecRunTest, OneProcessHoldsARun) {
  auto target = ValueOf(Begin());
  EXPECT_THAT(Begin(), FailsWith(FaultCode::kLeaseHeld));
  const int64_t generation = target->generation();
  target.reset();
  target = ValueOf(Begin());
  EXPECT_GT(target->generation(), generation);
  const auto split = ValueOf(target->RecordSplit(ctx_, SplitOf(1)));
  elt::Attempt old = AttemptAt(*target, split.partitions[0], "a");
  old.generation = generation;
  EXPECT_THAT(Load(*target, old), FailsWith(FaultCode::kFenced));
  EXPECT_THAT(target->Publish(ctx_, old, {}), FailsWith(FaultCode::kFenced));
  EXPECT_THAT(target->Discard(ctx_, old), FailsWith(FaultCode::kFenced));
}

TEST_F(ExecRunTest, WhatWasDecidedIsPublishedByTheNextProcess) {
  auto target = ValueOf(Begin());
  auto split = ValueOf(target->RecordSplit(ctx_, SplitOf(2)));
  EXPECT_THAT(Do(*target, split.partitions[0], "a0"), IsOk());
  Behave("test $LEVADA_ASK != publish || exit 75");
  EXPECT_THAT(Do(*target, split.partitions[1], "a1"), FailsWith(FaultCode::kTargetIo));
  target.reset();
  (void)Asked();
  Behave("");
  target = ValueOf(Begin());
  EXPECT_THAT(Asked(), ElementsAre("publish p0001 a1 r0"));
  EXPECT_THAT(target->state().partitions, SizeIs(2));
  split = ValueOf(target->RecordSplit(ctx_, SplitOf(2)));
  EXPECT_EQ(split.revision, 0) << "the recorded one";
  EXPECT_THAT(target->Finish(ctx_), IsOk());
  EXPECT_THAT(Asked(), ElementsAre("finish - - r0"));
}

TEST_F(ExecRunTest, AnAttemptThatFailedIsTakenBackBeforeTheNext) {
  auto target = ValueOf(Begin());
  const auto split = ValueOf(target->RecordSplit(ctx_, SplitOf(1)));
  const elt::Attempt attempt = AttemptAt(*target, split.partitions[0], "a0");
  const auto receipt = ValueOf(Load(*target, attempt));
  Behave("test $LEVADA_ASK != publish || exit 1");
  EXPECT_THAT(target->Publish(ctx_, attempt, std::vector{receipt}),
              FailsWith(FaultCode::kTargetUnwritable));
  EXPECT_THAT(target->Discard(ctx_, attempt), IsOk());
  Behave("");
  EXPECT_THAT(Do(*target, split.partitions[0], "a1"), IsOk());
  EXPECT_THAT(Asked(), ElementsAre("load p0000 a0 r0", "publish p0000 a0 r0", "discard p0000 a0 r0",
                                   "load p0000 a1 r0", "publish p0000 a1 r0"));
}

TEST_F(ExecRunTest, AnAttemptThatNobodyDecidedIsTakenBackByTheNextProcess) {
  auto target = ValueOf(Begin());
  const auto split = ValueOf(target->RecordSplit(ctx_, SplitOf(1)));
  EXPECT_THAT(Load(*target, AttemptAt(*target, split.partitions[0], "a0")), IsOk());
  target.reset();
  (void)Asked();
  target = ValueOf(Begin());
  EXPECT_THAT(Asked(), ElementsAre("discard - a0 r0"));
  target.reset();
  target = ValueOf(Begin());
  EXPECT_THAT(Asked(), IsEmpty());
}

TEST_F(ExecRunTest, ARunThatReplacesPublishesAtItsEnd) {
  auto target = ValueOf(Begin());
  auto split = ValueOf(target->RecordSplit(ctx_, SplitOf(1)));
  EXPECT_THAT(Do(*target, split.partitions[0], "a0"), IsOk());
  EXPECT_THAT(target->Finish(ctx_), IsOk());
  target.reset();
  (void)Asked();
  target = ValueOf(Begin());
  split = ValueOf(target->RecordSplit(ctx_, SplitOf(2)));
  EXPECT_EQ(split.revision, 1);
  EXPECT_THAT(Do(*target, split.partitions[0], "b0"), IsOk());
  EXPECT_THAT(Do(*target, split.partitions[1], "b1"), IsOk());
  EXPECT_THAT(Asked(), ElementsAre("load p0000 b0 r1", "load p0001 b1 r1"));
  target.reset();  // as if killed: all is decided, nothing visible
  target = ValueOf(Begin());
  EXPECT_THAT(Asked(), IsEmpty());
  EXPECT_EQ(target->state().pending->revision, 1);
  EXPECT_EQ(target->state().revision, 0);
  (void)ValueOf(target->RecordSplit(ctx_, SplitOf(2)));
  EXPECT_THAT(target->Finish(ctx_), IsOk());
  EXPECT_THAT(Asked(), ElementsAre("publish p0000 b0 r1", "publish p0001 b1 r1", "finish - - r1"));
}

TEST_F(ExecRunTest, AnotherPlanNeedsReplaceAndTakesBackWhatWasBegun) {
  auto target = ValueOf(Begin());
  auto split = ValueOf(target->RecordSplit(ctx_, SplitOf(2)));
  EXPECT_THAT(Do(*target, split.partitions[0], "a0"), IsOk());
  (void)Asked();
  const auto other = SplitOf(1, "fedcba9876543210");
  EXPECT_THAT(target->RecordSplit(ctx_, other), FailsWith(FaultCode::kPlanChanged));
  auto drifted = SplitOf(2);
  drifted.schema = elt::SchemaFingerprint(*arrow::schema({arrow::field("m", arrow::int32())}));
  EXPECT_THAT(target->RecordSplit(ctx_, drifted), FailsWith(FaultCode::kSchemaDrift));
  target.reset();
  run_.replace = true;
  target = ValueOf(Begin());
  split = ValueOf(target->RecordSplit(ctx_, other));
  EXPECT_EQ(split.revision, 1);
  EXPECT_THAT(Asked(), ElementsAre("discard p0000 a0 r0"));
}

TEST_F(ExecRunTest, AHeldRunCanBeGivenUp) {
  auto target = ValueOf(Begin());
  auto held = SplitOf(1);
  held.held = true;
  const auto split = ValueOf(target->RecordSplit(ctx_, held));
  EXPECT_THAT(Do(*target, split.partitions[0], "a0"), IsOk());
  EXPECT_THAT(target->Abandon(ctx_), IsOk());
  EXPECT_THAT(Asked(), ElementsAre("load p0000 a0 r0", "discard p0000 a0 r0"));
  target.reset();
  EXPECT_FALSE(ValueOf(Loader()->Inspect(ctx_, run_)).pending.has_value());
}

TEST_F(ExecRunTest, AProgramThatStopsReadingHasFailed) {
  auto target = ValueOf(Begin());
  const auto split = ValueOf(target->RecordSplit(ctx_, SplitOf(1)));
  const elt::Attempt attempt = AttemptAt(*target, split.partitions[0], "a0");
  Behave("test $LEVADA_ASK != load || exit 0");
  NumberStream stream(0, elt::fake::Script{.rows = 1'000'000, .batch_rows = 10'000});
  EXPECT_THAT(target->Load(ctx_, attempt, stream),
              FailsWith(FaultCode::kTargetUnwritable, HasSubstr("stopped reading")));
  Behave("test $LEVADA_ASK != load || exit 65");
  NumberStream again(0, elt::fake::Script{.rows = 1'000'000, .batch_rows = 10'000});
  EXPECT_THAT(target->Load(ctx_, attempt, again), FailsWith(FaultCode::kValueRefused));
}

TEST_F(ExecRunTest, AFailureOfTheSourceIsItsOwn) {
  auto target = ValueOf(Begin());
  const auto split = ValueOf(target->RecordSplit(ctx_, SplitOf(1)));
  elt::fake::Script script{.rows = 100};
  script.fails_after = 3;
  script.failure = Fault(FaultCode::kSnapshotLost, "gone");
  NumberStream stream(0, script);
  EXPECT_THAT(target->Load(ctx_, AttemptAt(*target, split.partitions[0], "a0"), stream),
              FailsWith(FaultCode::kSnapshotLost));
}

TEST_F(ExecRunTest, RowsPutAsideHaveNoPlace) {
  auto target = ValueOf(Begin());
  const auto split = ValueOf(target->RecordSplit(ctx_, SplitOf(1)));
  const elt::Attempt attempt = AttemptAt(*target, split.partitions[0], "a0");
  ASSERT_THAT(attempt.rejects->Add({"cast", "n", "no number", "{}"}), IsOk());
  EXPECT_THAT(Load(*target, attempt), FailsWith(FaultCode::kImpossiblePlan));
  EXPECT_THAT(target->ReadBack(ctx_, attempt, {}), FailsWith(FaultCode::kImpossiblePlan));
}

TEST_F(ExecRunTest, RecordsAreReadAsTheyWereWritten) {
  RunRecord run;
  run.pipeline = "test";
  run.generation = 7;
  run.revision = 2;
  run.split = SplitOf(2);
  run.finished = SplitOf(1);
  run.finished_rows = 5;
  run.finished_at = "2026-01-01T00:00:00Z";
  const RunRecord read = ValueOf(RunRecord::FromJson(run.ToJson()));
  EXPECT_EQ(read.ToJson(), run.ToJson());
  PartRecord part;
  part.published = true;
  part.record.partition = "p0000";
  part.record.attempt_id = "0123456789abcdef";
  EXPECT_EQ(ValueOf(PartRecord::FromJson(part.ToJson())).ToJson(), part.ToJson());
}

TEST_F(ExecRunTest, RecordsThatAreNoneAreRefused) {
  RunRecord run;
  run.split = SplitOf(1);
  const std::string whole = run.ToJson();
  for (size_t size = 0; size < whole.size(); ++size) {
    ASSERT_THAT(RunRecord::FromJson(whole.substr(0, size)), FailsWith(FaultCode::kManifestCorrupt));
  }
  const size_t revision = whole.find("\"revision\":-1");
  ASSERT_NE(revision, std::string::npos);
  for (const char* value : {"-2", "2147483648", "18446744073709551615", "1.5", "null"}) {
    std::string other = whole;
    other.replace(revision, std::string_view("\"revision\":-1").size(),
                  std::string("\"revision\":") + value);
    EXPECT_THAT(RunRecord::FromJson(other), FailsWith(FaultCode::kManifestCorrupt)) << value;
  }
  for (const char* text : {"null", "[]", "{}", R"({"kind": "exec run", "version": 2})",
                           R"({"kind": "exec run", "version": 1, "pipeline": 3})",
                           R"({"kind": "exec run", "version": 1, "pipeline": "x"})",
                           R"({"kind": "exec partition", "version": 1, "published": 1})"}) {
    EXPECT_THAT(RunRecord::FromJson(text), FailsWith(FaultCode::kManifestCorrupt)) << text;
    EXPECT_THAT(PartRecord::FromJson(text), FailsWith(FaultCode::kManifestCorrupt)) << text;
  }
}

TEST_F(ExecRunTest, DamageIsNamedAndStopsNothingElse) {
  {
    auto target = ValueOf(Begin());
    (void)ValueOf(target->RecordSplit(ctx_, SplitOf(1)));
  }
  const std::string path = directory_ / "state/test/all/run.json";
  ASSERT_THAT(os::WriteFileDurably(*disk_, path, "{"), IsOk());
  EXPECT_THAT(Loader()->Inspect(ctx_, run_),
              FailsWith(FaultCode::kManifestCorrupt, HasSubstr("run.json")));
  EXPECT_THAT(Begin(), FailsWith(FaultCode::kManifestCorrupt));
  const auto runs = ValueOf(Loader()->Inventory(ctx_, "test", {}));
  ASSERT_THAT(runs, SizeIs(1));
  EXPECT_THAT(runs[0].damage, FailsWith(FaultCode::kManifestCorrupt));
}

}  // namespace
}  // namespace levada::exec
