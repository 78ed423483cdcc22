#include "connectors/exec/exec_consumer.h"

#include <arrow/table.h>

#include "connectors/exec/window_guard.h"
#include "programs/program_fixture.h"

namespace levada::exec {

void Register(elt::Catalog& catalog);

namespace {

using elt::MakeBatch;
using programs::kDay;
using programs::kNewYear;
using programs::NewYearsRun;
using testing::HasSubstr;

class ExecConsumerTest : public programs::ProgramFixture {
 protected:
  Result<std::unique_ptr<elt::Consumer>> Make(const std::string& yaml, bool has_windows = false) {
    elt::Catalog catalog;
    Register(catalog);
    const auto* entry = catalog.FindConsumer("exec");
    ARROW_ASSIGN_OR_RAISE(const elt::Options options, programs::OptionsFrom(entry->spec, yaml));
    return entry->make(options, programs::ProcessStageInput(has_windows));
  }

  /// The rows of every partition, one after the other.
  Result<std::shared_ptr<arrow::Table>> Read(const std::string& yaml, const elt::RunInstance& run) {
    ARROW_ASSIGN_OR_RAISE(auto consumer, Make(yaml, run.window.has_value()));
    ARROW_ASSIGN_OR_RAISE(const elt::Source source, consumer->Describe(ctx_));
    ARROW_ASSIGN_OR_RAISE(const auto partitions, consumer->Split(ctx_, run, source, {}));
    arrow::RecordBatchVector batches;
    for (const auto& partition : partitions) {
      ARROW_ASSIGN_OR_RAISE(auto reader, consumer->Open(ctx_, run, partition, source, {}));
      ARROW_ASSIGN_OR_RAISE(auto stream, reader->Read(ctx_, 0));
      EXPECT_THAT(reader->Read(ctx_, 0), FailsWith(FaultCode::kInternal));
      int64_t rows = 0;
      while (true) {
        elt::BatchPtr batch;
        ARROW_RETURN_NOT_OK(stream->ReadNext(&batch));
        if (batch == nullptr) break;
        rows += batch->num_rows();
        batches.push_back(std::move(batch));
      }
      ARROW_ASSIGN_OR_RAISE(const elt::StreamEnd end, stream->Finish());
      EXPECT_EQ(end.rows_read, rows);
      EXPECT_EQ(end.rows_out, rows);
      EXPECT_THAT(stream->Finish(), FailsWith(FaultCode::kInternal));
    }
    return arrow::Table::FromRecordBatches(source.schema, batches);
  }

  elt::RunInstance WholeRun() const {
    elt::RunInstance run;
    run.pipeline = "test";
    return run;
  }
};

TEST_F(ExecConsumerTest, ReadsWhatAProgramWrites) {
  const auto batch = MakeBatch({{"n", "int64", "[1, 2]"}, {"word", "text", R"(["a", null])"}});
  const std::string path = StreamFile("n.arrows", {batch, batch});
  const auto table = ValueOf(Read("command: [cat, " + path + "]", WholeRun()));
  EXPECT_EQ(table->num_rows(), 4);
  EXPECT_TRUE(table->schema()->Equals(*batch->schema()));
}

TEST_F(ExecConsumerTest, EachPartitionIsAStartOfItsOwn) {
  StreamFile("part-0.arrows", {MakeBatch({{"n", "int64", "[1]"}})});
  StreamFile("part-1.arrows", {MakeBatch({{"n", "int64", "[2, 3]"}})});
  const std::string yaml =
      "command: [cat, \"" + directory_.path() + "/part-{partition}.arrows\"]\npartitions: 2";
  EXPECT_EQ(ValueOf(Read(yaml, WholeRun()))->num_rows(), 3);
  const auto consumer = ValueOf(Make(yaml));
  const auto source = ValueOf(consumer->Describe(ctx_));
  EXPECT_THAT(source.description, HasSubstr("program cat"));
  EXPECT_GT(source.memory_bytes_per_slice, 0);
  const auto partitions = ValueOf(consumer->Split(ctx_, WholeRun(), source, {}));
  ASSERT_EQ(partitions.size(), 2U);
  EXPECT_EQ(partitions[1].index, 1);
  EXPECT_EQ(partitions[1].id, "p0001");
  EXPECT_EQ(partitions[1].meaning, "all rows, part 2 of 2");
  EXPECT_THAT(partitions[1].query, HasSubstr("part-1.arrows"));
}

TEST_F(ExecConsumerTest, BoundsAreThoseOfASplit) {
  const auto consumer = ValueOf(
      Make("command: [cat, " + StreamFile("n", {MakeBatch({{"n", "int64", "[1]"}})}) + "]"));
  const auto source = ValueOf(consumer->Describe(ctx_));
  for (const char* bounds : {"", "{}", "[]", R"({"index": 1, "count": 1})",
                             R"({"index": -1, "count": 1})", R"({"index": "0", "count": 1})"}) {
    elt::Partition partition;
    partition.bounds = bounds;
    EXPECT_THAT(consumer->Open(ctx_, WholeRun(), partition, source, {}),
                FailsWith(FaultCode::kManifestCorrupt))
        << bounds;
  }
}

TEST_F(ExecConsumerTest, NeedsTheColumnOfItsWindows) {
  const std::string path = StreamFile("n", {MakeBatch({{"at", "date", "[20454]"}})});
  EXPECT_THAT(Read("command: [cat, " + path + "]", NewYearsRun("made_at")),
              FailsWith(FaultCode::kUnknownColumn, HasSubstr("\"made_at\"")));
  EXPECT_THAT(Read("command: [cat, " + path + "]", NewYearsRun("at")), IsOk());
}

TEST_F(ExecConsumerTest, APartOfARunThatFailsIsNotItsEnd) {
  const std::string path = StreamFile("n", {MakeBatch({{"n", "int64", "[1]"}})});
  const std::string script =
      Script("late.sh", "cat " + path + "\ntest $LEVADA_ASK = schema || exit 75\n");
  EXPECT_THAT(Read("command: [" + script + "]", WholeRun()), FailsWith(FaultCode::kSourceBusy));
}

TEST_F(ExecConsumerTest, RowsMustBeOfTheSchemaThatWasSaid) {
  const std::string said = StreamFile("said", {MakeBatch({{"n", "int64", "[1]"}})});
  const std::string live = StreamFile("live", {MakeBatch({{"n", "text", R"(["1"])"}})});
  const std::string script = Script("drift.sh", "if test $LEVADA_ASK = schema; then cat " + said +
                                                    "; else cat " + live + "; fi\n");
  EXPECT_THAT(Read("command: [" + script + "]", WholeRun()), FailsWith(FaultCode::kSchemaDrift));
}

class WindowGuardTest : public testing::Test {
 protected:
  static Status Check(const std::string& type, const std::string& json,
                      elt::NullWindow nulls = elt::NullWindow::kError,
                      const std::string& timezone = "UTC") {
    elt::RunInstance run = NewYearsRun("at", nulls);
    run.window->timezone = timezone;
    const auto batch = MakeBatch({{"at", type, json}});
    ARROW_ASSIGN_OR_RAISE(const WindowGuard guard, WindowGuard::Make(run, *batch->schema()));
    return guard.Check(*batch);
  }
};

TEST_F(WindowGuardTest, LetsPassWhatIsInTheWindow) {
  EXPECT_THAT(Check("date", "[20454]"), IsOk());
  EXPECT_THAT(Check("timestamp", "[1767225600000000, 1767311999999999]"), IsOk());
  EXPECT_THAT(Check("timestamp(s)", "[1767225600, 1767311999]"), IsOk());
  EXPECT_THAT(Check("timestamp(ns)", "[1767225600000000000]"), IsOk());
  EXPECT_THAT(Check("timestamp(us, UTC)", "[1767225600000000]"), IsOk());
  EXPECT_THAT(Check("text", R"(["whatever"])"), IsOk()) << "of texts nothing is known";
}

TEST_F(WindowGuardTest, RefusesWhatIsNot) {
  for (const char* type : {"timestamp", "timestamp(us, UTC)"}) {
    EXPECT_THAT(Check(type, "[1767225599999999]"), FailsWith(FaultCode::kValueRefused)) << type;
    EXPECT_THAT(Check(type, "[1767225600000000, 1767312000000000]"),
                FailsWith(FaultCode::kValueRefused))
        << type;
  }
  EXPECT_THAT(Check("date", "[20455]"), FailsWith(FaultCode::kValueRefused));
  EXPECT_THAT(Check("date", "[20453]"), FailsWith(FaultCode::kValueRefused));
  EXPECT_THAT(Check("timestamp(s)", "[9223372036854775807]"), FailsWith(FaultCode::kValueRefused));
  EXPECT_THAT(Check("timestamp(ns)", "[-9223372036854775808]"),
              FailsWith(FaultCode::kValueRefused));
}

TEST_F(WindowGuardTest, LocalTimesAreReadOnTheClockOfTheWindow) {
  // The window is midnight to midnight UTC: in Tokyo, nine to nine.
  EXPECT_THAT(
      Check("timestamp(us, UTC)", "[1767225600000000]", elt::NullWindow::kError, "Asia/Tokyo"),
      IsOk());
  EXPECT_THAT(Check("timestamp", "[1767225600000000]", elt::NullWindow::kError, "Asia/Tokyo"),
              FailsWith(FaultCode::kValueRefused));
}

TEST_F(WindowGuardTest, ANullBelongsWhereThePipelineSays) {
  EXPECT_THAT(Check("date", "[null]"), FailsWith(FaultCode::kNullInWindow));
  EXPECT_THAT(Check("date", "[null]", elt::NullWindow::kThisWindow), IsOk());
  EXPECT_THAT(Check("date", "[null]", elt::NullWindow::kOtherWindow),
              FailsWith(FaultCode::kNullInWindow));
}

}  // namespace
}  // namespace levada::exec
