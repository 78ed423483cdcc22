// The protocol of this loader on a real server: what is there after each step, after a failure at
// each step, and who may write.

#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/type.h>
#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/testing.h"
#include "connectors/postgres/loader_options.h"
#include "connectors/postgres/loader_postgres.h"
#include "elt/stages.h"
#include "elt/transform_stream.h"
#include "elt/value.h"
#include "tests/postgres_fixture.h"  // tidy: allow a header of tests

namespace levada::postgres {
namespace {

using testing::HasSubstr;
using tests::PostgresServer;

constexpr const char* kDatabase = "loader_run";
constexpr int64_t kDay = 86'400'000'000;
constexpr int64_t kFirst = 1'767'225'600'000'000;  // 2026-01-01

elt::SchemaPtr RowSchema() {
  return arrow::schema({arrow::field("id", arrow::int64(), false),
                        arrow::field("at", arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"), false),
                        arrow::field("note", arrow::utf8())});
}

/// Rows `first`, `first` + 1 ..., ten minutes apart, with a note.
elt::BatchPtr RowsFrom(int64_t first, int64_t count, const std::string& note) {
  arrow::Int64Builder ids;
  arrow::TimestampBuilder at(RowSchema()->field(1)->type(), arrow::default_memory_pool());
  arrow::StringBuilder notes;
  for (int64_t n = first; n < first + count; ++n) {
    EXPECT_TRUE(ids.Append(n).ok());
    EXPECT_TRUE(at.Append(kFirst + n * 600'000'000).ok());
    EXPECT_TRUE((n % 7 == 0 ? notes.AppendNull() : notes.Append(note)).ok());
  }
  return arrow::RecordBatch::Make(
      RowSchema(), count,
      {ids.Finish().ValueOrDie(), at.Finish().ValueOrDie(), notes.Finish().ValueOrDie()});
}

class RowStream final : public elt::BatchStream {
 public:
  explicit RowStream(std::vector<elt::BatchPtr> batches) : batches_(std::move(batches)) {}
  std::shared_ptr<arrow::Schema> schema() const override { return RowSchema(); }
  Status ReadNext(elt::BatchPtr* out) override {
    *out = next_ < batches_.size() ? batches_[next_++] : nullptr;
    if (*out != nullptr) rows_ += (*out)->num_rows();
    return Status::OK();
  }
  Result<elt::StreamEnd> Finish() override {
    elt::StreamEnd end;
    end.rows_sent = end.rows_read = end.rows_out = rows_;
    return end;
  }
  Status Close() override { return Status::OK(); }

 private:
  const std::vector<elt::BatchPtr> batches_;
  size_t next_ = 0;
  int64_t rows_ = 0;
};

/// What a source and its plan look like to the loader: partitions of 20 rows in two slices.
struct Pipeline {
  std::string plan_hash = "00000000000000aa";
  std::optional<elt::Window> window{};
  bool replace = false;
  bool held = false;
  int partitions = 3;
  std::string note = "x";
  int64_t first = 0;

  elt::RunInstance Run() const {
    elt::RunInstance run;
    run.pipeline = "orders";
    run.window = window;
    if (window) run.window_column = "at";
    run.plan_hash = plan_hash;
    run.replace = replace;
    return run;
  }

  elt::SplitRecord Split() const {
    elt::SplitRecord split;
    split.pipeline = "orders";
    split.label = Run().Label();
    split.window = window;
    split.plan_hash = plan_hash;
    split.schema = elt::SchemaFingerprint(*RowSchema());
    split.created_at = "2026-01-01T00:00:00Z";
    split.held = held;
    for (int i = 0; i < partitions; ++i) {
      elt::Partition partition;
      partition.index = i;
      partition.id = "p000" + std::to_string(i);
      partition.bounds = "{}";
      partition.slices = {{0, "{}"}, {1, "{}"}};
      split.partitions.push_back(std::move(partition));
    }
    return split;
  }
};

elt::Window Day(int day) {
  const int64_t start = kFirst + kDay * (day - 1);
  return {start, start + kDay, "2026-01-0" + std::to_string(day), "UTC"};
}

class LoaderRunTest : public testing::Test {
 protected:
  void SetUp() override {
    Server().NewDatabase(kDatabase);
    Options("");
  }

  static PostgresServer& Server() { return PostgresServer::Shared(); }
  std::string Value(const std::string& sql) { return Server().Value(sql, kDatabase); }
  void Execute(const std::string& sql) { Server().Execute(sql, kDatabase); }
  /// "60": all rows of the table; "60/0": so many of them with a note of `note`.
  std::string Count(const std::string& where = "true") {
    return Value("select count(*) || '/' || count(distinct id) from orders where " + where);
  }
  std::string StageCount() {
    return Value(
        "select count(*) from pg_class where relkind = 'r' and relname ~ '^_levada_[0-9a-f]{16}_'");
  }

  void Options(const std::string& more) {
    const std::string yaml =
        "{dsn: \"" + Server().Dsn(kDatabase) + "\", table: public.orders" + more + "}";
    auto source = std::make_shared<SourceText>(SourceText{"test.yaml", yaml});
    const elt::Value value = ValueOf(elt::ParseYaml(source));
    std::vector<Diagnostic> problems;
    const elt::Options options =
        elt::ValidateOptions(LoaderSpec(), value, "loader \"postgres\"", source,
                             std::make_shared<elt::Environment>(), problems);
    ASSERT_TRUE(problems.empty()) << problems[0].message;
    elt::StageInput input;
    input.random = random_.get();
    loader_ = MakePostgresLoader(ValueOf(ReadLoaderOptions(options)), input);
  }

  void Arm(const std::string& failpoints) {
    test_.failpoints = ValueOf(Failpoints::Parse(failpoints));
    ctx_.failpoints = test_.failpoints.get();
  }

  Result<std::unique_ptr<elt::TargetRun>> Begin(const Pipeline& pipeline) {
    ARROW_ASSIGN_OR_RAISE(const elt::BoundTarget bound,
                          loader_->Bind(ctx_, RowSchema(), {}, pipeline.Run()));
    return loader_->Begin(ctx_, pipeline.Run(), bound);
  }

  elt::Attempt AttemptAt(const elt::TargetRun& target, const elt::Partition& partition, int slice,
                         const std::string& id) {
    elt::Attempt attempt;
    attempt.partition = &partition;
    attempt.slice = slice;
    attempt.generation = target.generation();
    attempt.attempt_id = id;
    attempt.rejects = std::make_shared<elt::RejectBuffer>();
    return attempt;
  }

  Status Partition(elt::TargetRun& target, const Pipeline& pipeline,
                   const elt::Partition& partition) {
    const std::string id = NewId(*random_);
    std::vector<elt::Receipt> receipts;
    Status status;
    for (int slice = 0; slice < 2 && status.ok(); ++slice) {
      const int64_t first = pipeline.first + 20 * partition.index + 10 * slice;
      RowStream stream({RowsFrom(first, 6, pipeline.note), RowsFrom(first + 6, 4, pipeline.note)});
      auto receipt = target.Load(ctx_, AttemptAt(target, partition, slice, id), stream);
      status = receipt.status();
      if (receipt.ok()) receipts.push_back(*std::move(receipt));
    }
    const elt::Attempt attempt = AttemptAt(target, partition, 0, id);
    if (status.ok()) status = target.Publish(ctx_, attempt, receipts);
    if (!status.ok()) (void)target.Discard(ctx_, attempt);
    return status;
  }

  /// What `levada run` does with this loader, once.
  Status RunOnce(const Pipeline& pipeline) {
    ARROW_RETURN_NOT_OK(loader_->Inspect(ctx_, pipeline.Run()));
    ARROW_ASSIGN_OR_RAISE(const auto target, Begin(pipeline));
    return Continue(*target, pipeline);
  }

  Status Continue(elt::TargetRun& target, const Pipeline& pipeline) {
    const elt::SplitRecord* pending = target.state().SplitToGoOnWith(pipeline.plan_hash);
    ARROW_ASSIGN_OR_RAISE(const elt::SplitRecord split,
                          target.RecordSplit(ctx_, pending ? *pending : pipeline.Split()));
    std::set<std::string> done;
    if (target.state().pending) {
      for (const auto& record : target.state().partitions) done.insert(record.partition);
    }
    for (const elt::Partition& partition : split.partitions) {
      if (done.contains(partition.id)) continue;
      ARROW_RETURN_NOT_OK(Partition(target, pipeline, partition));
      ++partitions_run_;
    }
    return target.Finish(ctx_);
  }

  std::unique_ptr<Random> random_ = MakeSeededRandom(1);
  TestContext test_;
  Context ctx_ = test_.context();
  std::unique_ptr<elt::Loader> loader_;
  int partitions_run_ = 0;
};

TEST_F(LoaderRunTest, MakesTheTableAndReplacesIt) {
  ASSERT_THAT(RunOnce({}), IsOk());
  EXPECT_EQ(Count(), "60/60");
  EXPECT_EQ(Value("select string_agg(format_type(atttypid, atttypmod) || attnotnull::text, ' ' "
                  "order by attnum) from pg_attribute where attrelid = 'orders'::regclass and "
                  "attnum > 0"),
            "biginttrue timestamp with time zonetrue textfalse");
  ASSERT_THAT(RunOnce({.partitions = 2, .note = "y"}), IsOk());
  EXPECT_EQ(Count(), "40/40");
  EXPECT_EQ(Count("note = 'x'"), "0/0");
  EXPECT_EQ(StageCount(), "0");
  const elt::PublishedRun state = ValueOf(loader_->Inspect(ctx_, Pipeline().Run()));
  EXPECT_TRUE(state.finished);
  EXPECT_EQ(state.revision, 1);
  EXPECT_EQ(state.rows, 40);
  EXPECT_EQ(state.partitions.size(), 2U);
  EXPECT_EQ(ValueOf(loader_->Inventory(ctx_, "orders", {})).size(), 1U);
}

TEST_F(LoaderRunTest, ShowsPartitionsOfAFirstRunAndHidesThoseOfAReplacement) {
  const auto steps = [&](const Pipeline& pipeline, const char* before, const char* after) {
    const auto target = ValueOf(Begin(pipeline));
    const elt::SplitRecord split = ValueOf(target->RecordSplit(ctx_, pipeline.Split()));
    ASSERT_THAT(Partition(*target, pipeline, split.partitions[0]), IsOk());
    EXPECT_EQ(Count(), before);
    ASSERT_THAT(Partition(*target, pipeline, split.partitions[1]), IsOk());
    ASSERT_THAT(Partition(*target, pipeline, split.partitions[2]), IsOk());
    ASSERT_THAT(target->Finish(ctx_), IsOk());
    EXPECT_EQ(Count(), after);
    ASSERT_THAT(target->Finish(ctx_), IsOk()) << "it may be asked again";
  };
  steps({}, "20/20", "60/60");
  steps({.first = 1000}, "60/60", "60/60");
  EXPECT_EQ(Count("id >= 1000"), "60/60");
}

TEST_F(LoaderRunTest, ReplacesTheRowsOfAWindowOnly) {
  ASSERT_THAT(RunOnce({.window = Day(1)}), IsOk());
  ASSERT_THAT(RunOnce({.window = Day(2), .first = 144}), IsOk());
  EXPECT_EQ(Count(), "120/120");
  ASSERT_THAT(
      RunOnce({.window = Day(2), .replace = true, .partitions = 1, .note = "z", .first = 150}),
      IsOk());
  EXPECT_EQ(Count("id < 144"), "60/60");
  EXPECT_EQ(Count("id >= 144"), "20/20");
}

TEST_F(LoaderRunTest, RefusesRowsThatTheNextRunWouldNotFind) {
  EXPECT_THAT(RunOnce({.window = Day(1), .first = 130}), FailsWith(FaultCode::kImpossiblePlan));
  EXPECT_EQ(Count(), "0/0");
}

TEST_F(LoaderRunTest, DeletesNothingThatItDidNotWrite) {
  Execute(
      "create table orders(id int8, at timestamptz, note text); insert into orders values (7, "
      "'2026-01-01')");
  EXPECT_THAT(RunOnce({}), FailsWith(FaultCode::kForeignTarget));
  EXPECT_THAT(RunOnce({.window = Day(1)}), FailsWith(FaultCode::kForeignTarget));
  ASSERT_THAT(RunOnce({.window = Day(2), .first = 144}), IsOk());
  EXPECT_EQ(Count(), "61/61");
  ASSERT_THAT(RunOnce({.window = Day(1), .replace = true}), IsOk());
  EXPECT_EQ(Count("id = 7"), "1/1");
  EXPECT_EQ(Count(), "120/120");
}

TEST_F(LoaderRunTest, GoesOnWhereAFailedRunWas) {
  for (const char* failpoint :
       {"fence.acquired", "fence.generation_written", "split.recorded", "load.file_created",
        "load.row_group_written", "load.before_sync", "load.file_staged", "load.done",
        "publish.before_intent", "publish.intent_written", "publish.file_renamed",
        "publish.before_record", "publish.recorded", "finish.before_intent",
        "finish.intent_written", "finish.before_manifest", "finish.manifest_written"}) {
    SCOPED_TRACE(failpoint);
    Server().NewDatabase(kDatabase);
    Arm(std::string(failpoint) + "=error@" +
        (std::string(failpoint).starts_with("load") ? "3" : "1"));
    EXPECT_THAT(RunOnce({}), FailsWith(FaultCode::kFailpoint));
    Arm("");
    ASSERT_THAT(RunOnce({}), IsOk());
    EXPECT_EQ(Count(), "60/60");
    EXPECT_EQ(StageCount(), "0");
  }
}

TEST_F(LoaderRunTest, ReplacesWholeOrNotAtAll) {
  for (const char* failpoint :
       {"load.done", "publish.before_record", "publish.recorded", "finish.before_intent",
        "finish.intent_written", "finish.success_removed", "finish.file_renamed",
        "finish.before_manifest", "finish.manifest_written"}) {
    SCOPED_TRACE(failpoint);
    Server().NewDatabase(kDatabase);
    ASSERT_THAT(RunOnce({.note = "old"}), IsOk());
    Arm(std::string(failpoint) + "=error");
    EXPECT_THAT(RunOnce({.note = "new"}), FailsWith(FaultCode::kFailpoint));
    Arm("");
    const std::string old_rows = Count("note = 'old'");
    EXPECT_EQ(old_rows, std::string(failpoint) == "finish.manifest_written" ? "0/0" : "51/51");
    EXPECT_EQ(Count(), "60/60");
    ASSERT_THAT(RunOnce({.note = "new"}), IsOk());
    EXPECT_EQ(Count("note = 'new'"), "51/51");
    EXPECT_EQ(Count(), "60/60");
    EXPECT_EQ(StageCount(), "0");
  }
}

TEST_F(LoaderRunTest, DoesNotRepeatAPublishedPartition) {
  Arm("publish.recorded=error@2");
  EXPECT_THAT(RunOnce({}), FailsWith(FaultCode::kFailpoint));
  Arm("");
  partitions_run_ = 0;
  ASSERT_THAT(RunOnce({}), IsOk());
  EXPECT_EQ(partitions_run_, 1);
}

TEST_F(LoaderRunTest, GivesUpWhatAnotherPlanBegan) {
  Arm("publish.recorded=error@2");
  EXPECT_THAT(RunOnce({}), FailsWith(FaultCode::kFailpoint));
  Arm("");
  const Pipeline other{.plan_hash = "00000000000000bb", .partitions = 1};
  EXPECT_THAT(RunOnce(other), FailsWith(FaultCode::kPlanChanged));
  ASSERT_THAT(RunOnce({.plan_hash = "00000000000000bb", .replace = true, .partitions = 1}), IsOk());
  EXPECT_EQ(Count(), "20/20");
}

TEST_F(LoaderRunTest, AbandonLeavesWhatWasThere) {
  ASSERT_THAT(RunOnce({.note = "old"}), IsOk());
  const Pipeline pipeline{.held = true, .note = "new"};
  {
    const auto target = ValueOf(Begin(pipeline));
    const elt::SplitRecord split = ValueOf(target->RecordSplit(ctx_, pipeline.Split()));
    ASSERT_THAT(Partition(*target, pipeline, split.partitions[0]), IsOk());
    ASSERT_THAT(target->Abandon(ctx_), IsOk());
  }
  EXPECT_EQ(Count("note = 'old'"), "51/51");
  EXPECT_EQ(StageCount(), "0");
  EXPECT_FALSE(ValueOf(loader_->Inspect(ctx_, pipeline.Run())).pending);
}

TEST_F(LoaderRunTest, OneProcessHoldsARunAtATime) {
  const auto clock = MakeSystemClock();
  ctx_.clock = clock.get();
  const auto target = ValueOf(Begin({}));
  EXPECT_THAT(Begin({.window = Day(1)}), IsOk()) << "another run";
  EXPECT_THAT(Begin({}), FailsWith(FaultCode::kLeaseHeld));
}

TEST_F(LoaderRunTest, AnOldGenerationChangesNothing) {
  const Pipeline pipeline;
  const auto target = ValueOf(Begin(pipeline));
  const elt::SplitRecord split = ValueOf(target->RecordSplit(ctx_, pipeline.Split()));
  ASSERT_THAT(Partition(*target, pipeline, split.partitions[0]), IsOk());
  Execute("update _levada_runs set generation = generation + 1, holder = 'another'");
  EXPECT_THAT(Partition(*target, pipeline, split.partitions[1]), FailsWith(FaultCode::kFenced));
  EXPECT_THAT(target->Abandon(ctx_), FailsWith(FaultCode::kFenced));
  EXPECT_EQ(Count(), "20/20");
}

TEST_F(LoaderRunTest, MendsALostConnection) {
  const Pipeline pipeline;
  const auto target = ValueOf(Begin(pipeline));
  const elt::SplitRecord split = ValueOf(target->RecordSplit(ctx_, pipeline.Split()));
  for (const elt::Partition& partition : split.partitions) {
    Execute(
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = 'loader_run' and "
        "pid <> pg_backend_pid()");
    const Status first = Partition(*target, pipeline, partition);
    if (first.ok()) continue;
    EXPECT_TRUE(IsRetryable(first)) << first.ToString();
    ASSERT_THAT(Partition(*target, pipeline, partition), IsOk());
  }
  Execute(
      "select pg_terminate_backend(pid) from pg_stat_activity where datname = 'loader_run' and pid "
      "<> pg_backend_pid()");
  ASSERT_THAT(target->Finish(ctx_), IsOk());
  EXPECT_EQ(Count(), "60/60");
}

TEST_F(LoaderRunTest, StagedRowsThatAreGoneAreLoadedAgain) {
  ASSERT_THAT(RunOnce({.note = "old"}), IsOk());
  Arm("finish.before_intent=error");
  EXPECT_THAT(RunOnce({.note = "new"}), FailsWith(FaultCode::kFailpoint));
  Arm("");
  // As a crash of the server leaves an unlogged table.
  Execute(
      "do $$ begin execute 'truncate ' || (select min(relname) from pg_class where relkind = 'r' "
      "and relname ~ '^_levada_[0-9a-f]{16}_'); end $$");
  partitions_run_ = 0;
  ASSERT_THAT(RunOnce({.note = "new"}), IsOk());
  EXPECT_EQ(partitions_run_, 1);
  EXPECT_EQ(Count("note = 'new'"), "51/51");
  EXPECT_EQ(Count(), "60/60");
}

TEST_F(LoaderRunTest, ReadsBackWhatItStaged) {
  const Pipeline pipeline;
  const auto target = ValueOf(Begin(pipeline));
  const elt::SplitRecord split = ValueOf(target->RecordSplit(ctx_, pipeline.Split()));
  const elt::Attempt attempt = AttemptAt(*target, split.partitions[0], 0, NewId(*random_));
  RowStream stream({RowsFrom(0, 10, "x")});
  const elt::Receipt receipt = ValueOf(target->Load(ctx_, attempt, stream));
  RowStream again({RowsFrom(0, 10, "x")});
  const auto back = ValueOf(target->ReadBack(ctx_, attempt, receipt));
  EXPECT_EQ(ValueOf(elt::HashStream(*back)).hash, ValueOf(elt::HashStream(again)).hash);
}

TEST_F(LoaderRunTest, AppendsEachRunOnce) {
  Options(", mode: append");
  ASSERT_THAT(RunOnce({}), IsOk());
  ASSERT_THAT(RunOnce({}), IsOk());
  EXPECT_EQ(Count(), "120/60");
  ASSERT_THAT(RunOnce({.window = Day(1)}), IsOk());
  EXPECT_THAT(RunOnce({.window = Day(1), .replace = true}), FailsWith(FaultCode::kImpossiblePlan));
}

TEST_F(LoaderRunTest, UpsertsByKey) {
  Options(", mode: upsert, key: [id]");
  ASSERT_THAT(RunOnce({.note = "old"}), IsOk());
  ASSERT_THAT(RunOnce({.partitions = 1, .note = "new"}), IsOk());
  EXPECT_EQ(Count(), "60/60");
  EXPECT_EQ(Count("note = 'new'"), "17/17");
  Options(", mode: upsert, key: [note]");
  EXPECT_THAT(RunOnce({}), FailsWith(FaultCode::kImpossiblePlan, HasSubstr("unique index")));
}

TEST_F(LoaderRunTest, NamesAConstraintAndNotTheRow) {
  Execute(
      "create table orders(id int8, at timestamptz, note text constraint short check (note <> "
      "'x'))");
  const Status refused = RunOnce({});
  EXPECT_THAT(refused, FailsWith(FaultCode::kTargetRefused));
  EXPECT_EQ(FaultOf(refused).Detail("constraint"), "short");
  EXPECT_TRUE(FaultOf(refused).Detail("server_detail").empty());
  EXPECT_EQ(Count(), "0/0");
}

TEST_F(LoaderRunTest, DamagedRecordsAreSaid) {
  ASSERT_THAT(RunOnce({}), IsOk());
  Execute("update _levada_runs set finished_split = '{}'");
  EXPECT_THAT(loader_->Inspect(ctx_, Pipeline().Run()), FailsWith(FaultCode::kManifestCorrupt));
  EXPECT_FALSE(ValueOf(loader_->Inventory(ctx_, "orders", {}))[0].damage.ok());
  Execute("update _levada_runs set layout = 2");
  EXPECT_THAT(loader_->Inspect(ctx_, Pipeline().Run()), FailsWith(FaultCode::kManifestCorrupt));
}

TEST_F(LoaderRunTest, ATableThatIsGoneIsSaid) {
  ASSERT_THAT(RunOnce({.window = Day(1)}), IsOk());
  Execute("drop table orders");
  EXPECT_THAT(loader_->Inspect(ctx_, Pipeline{.window = Day(1)}.Run()),
              FailsWith(FaultCode::kTargetFileMissing));
  ASSERT_THAT(RunOnce({.window = Day(1), .replace = true}), IsOk());
  EXPECT_EQ(Count(), "60/60");
}

}  // namespace
}  // namespace levada::postgres
