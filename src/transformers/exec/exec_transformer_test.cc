#include "transformers/exec/exec_transformer.h"

#include <arrow/table.h>

#include "elt/fake_stages.h"
#include "programs/program_fixture.h"

namespace levada::exec_transformer {

void Register(elt::Catalog& catalog);

namespace {

using elt::fake::Numbers;
using elt::fake::NumberStream;
using testing::HasSubstr;

class ExecTransformerTest : public programs::ProgramFixture {
 protected:
  Result<std::unique_ptr<elt::Transformer>> Make(const std::string& yaml) {
    elt::Catalog catalog;
    Register(catalog);
    const auto* entry = catalog.FindTransformer("exec");
    ARROW_ASSIGN_OR_RAISE(const elt::Options options, programs::OptionsFrom(entry->spec, yaml));
    return entry->make(options, programs::ProcessStageInput(false));
  }

  struct Done {
    int64_t rows = 0;
    elt::StreamEnd end;
    elt::SchemaPtr schema;
  };
  /// Numbers from 0 through the program.
  Result<Done> Through(const std::string& yaml, int64_t rows) {
    return Through(yaml, elt::fake::Script{.rows = rows, .batch_rows = 1000});
  }
  Result<Done> Through(const std::string& yaml, const elt::fake::Script& numbers) {
    ARROW_ASSIGN_OR_RAISE(auto transformer, Make(yaml));
    EXPECT_TRUE(transformer->sees_whole_partition());
    ARROW_ASSIGN_OR_RAISE(auto bound, transformer->BindAsking(ctx_, Numbers(), {}));
    EXPECT_GT(bound->pass_bytes(), 0);
    EXPECT_EQ(bound->MakePass(), nullptr);
    auto stream = bound->Through(ctx_, std::make_unique<NumberStream>(0, numbers));
    Done done;
    done.schema = stream->schema();
    while (true) {
      elt::BatchPtr batch;
      ARROW_RETURN_NOT_OK(stream->ReadNext(&batch));
      if (batch == nullptr) break;
      done.rows += batch->num_rows();
    }
    ARROW_ASSIGN_OR_RAISE(done.end, stream->Finish());
    return done;
  }
  /// A program that answers with the schema of its input, and to rows by `script`.
  std::string Answering(const std::string& script) {
    return "command: [" +
           Script("answer.sh",
                  "if test $LEVADA_ASK = schema; then exec cat; fi\n" + script + "\n") +
           "]\n";
  }
  /// A stream of the numbers below `count`.
  std::string NumbersFile(int64_t count) {
    return StreamFile("numbers", {elt::fake::NumbersFrom(0, count)});
  }
};

TEST_F(ExecTransformerTest, PassesRowsThroughAProgram) {
  const Done done = ValueOf(Through("command: [cat]", 100'000));
  EXPECT_EQ(done.rows, 100'000);
  EXPECT_EQ(done.end.rows_out, 100'000);
  EXPECT_EQ(done.end.rows_filtered, 0);
  EXPECT_TRUE(done.schema->Equals(*Numbers()));
}

TEST_F(ExecTransformerTest, OfNoRowsThereAreNone) {
  EXPECT_EQ(ValueOf(Through("command: [cat]", 0)).rows, 0);
}

TEST_F(ExecTransformerTest, RowsLeftOutMustBeDeclared) {
  const std::string yaml = Answering("cat > /dev/null; exec cat " + NumbersFile(10));
  EXPECT_THAT(Through(yaml, 100), FailsWith(FaultCode::kCountMismatch, HasSubstr("100")));
  surroundings_.counters.rows_filtered = 0;
  const Done done = ValueOf(Through(yaml + "drops_rows: true", 100));
  EXPECT_EQ(done.rows, 10);
  EXPECT_EQ(done.end.rows_read, 100);
  EXPECT_EQ(done.end.rows_filtered, 90);
  EXPECT_EQ(done.end.rows_out, 10);
  EXPECT_EQ(surroundings_.counters.rows_filtered, 90);
}

TEST_F(ExecTransformerTest, MoreRowsThanItGotAreRefused) {
  const std::string yaml = Answering("cat > /dev/null; exec cat " + NumbersFile(3));
  for (const char* more : {"", "drops_rows: true"}) {
    EXPECT_THAT(Through(yaml + more, 2),
                FailsWith(FaultCode::kCountMismatch, HasSubstr("more rows")));
  }
}

TEST_F(ExecTransformerTest, TheInputIsReadToItsEnd) {
  EXPECT_THAT(Through(Answering("exec cat " + NumbersFile(0)) + "drops_rows: true", 1'000'000),
              FailsWith(FaultCode::kSourceProtocol, HasSubstr("stopped reading")));
}

TEST_F(ExecTransformerTest, AFailureOfTheProgramIsItsOwn) {
  EXPECT_THAT(Through(Answering("head -c 1000 > /dev/null; exit 75"), 100'000),
              FailsWith(FaultCode::kSourceBusy));
  EXPECT_THAT(Through(Answering("exit 0"), 100), FailsWith(FaultCode::kSourceProtocol));
  EXPECT_THAT(Through("command: [no-such-program]", 1), FailsWith(FaultCode::kBadValue));
}

TEST_F(ExecTransformerTest, AFailureUpstreamIsNotTheProgramsOwn) {
  elt::fake::Script script{.rows = 100'000, .batch_rows = 1000};
  script.fails_after = 50;
  script.failure = Fault(FaultCode::kSnapshotLost, "gone");
  EXPECT_THAT(Through("command: [cat]", script), FailsWith(FaultCode::kSnapshotLost));
}

TEST_F(ExecTransformerTest, LeftInItsMiddleItIsEnded) {
  const auto transformer = ValueOf(Make("command: [cat]"));
  const auto bound = ValueOf(transformer->BindAsking(ctx_, Numbers(), {}));
  auto stream = bound->Through(
      ctx_,
      std::make_unique<NumberStream>(0, elt::fake::Script{.rows = 10'000'000, .batch_rows = 1000}));
  elt::BatchPtr batch;
  ASSERT_THAT(stream->ReadNext(&batch), IsOk());
  ASSERT_THAT(stream->Close(), IsOk());
  EXPECT_THAT(stream->ReadNext(&batch), FailsWith(FaultCode::kInternal));
  EXPECT_THAT(stream->Finish(), FailsWith(FaultCode::kInternal));
}

TEST_F(ExecTransformerTest, IsAskedOnceForEachSchema) {
  const std::string count = directory_ / "count";
  const auto transformer =
      ValueOf(Make("command: [" + Script("count.sh", "echo x >> " + count + "\nexec cat\n") + "]"));
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(transformer->BindAsking(ctx_, Numbers(), {}), IsOk());
  }
  const auto asked = ValueOf(os::ReadFile(*os::MakeSystemDisk(), count, 100));
  EXPECT_EQ(asked, "x\n");
  EXPECT_THAT(transformer->Bind(Numbers(), {}), FailsWith(FaultCode::kInternal));
}

}  // namespace
}  // namespace levada::exec_transformer
