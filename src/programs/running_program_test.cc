#include "programs/running_program.h"

#include "programs/ask_schema.h"
#include "programs/output_rows.h"
#include "programs/program_fixture.h"

namespace levada::programs {
namespace {

using elt::MakeBatch;
using testing::HasSubstr;

class RunningProgramTest : public ProgramFixture {
 protected:
  static ProgramOptions Options(std::vector<std::string> command, Role role = Role::kConsumer) {
    ProgramOptions options;
    options.role = role;
    options.command = std::move(command);
    options.batch_bytes = 1 << 20;
    options.inherited = {{"PATH", "/usr/bin:/bin"}};
    return options;
  }
  static ProgramOptions Shell(const std::string& script, Role role = Role::kConsumer) {
    return Options({"sh", "-c", script}, role);
  }
  Status EndOf(const ProgramOptions& options) {
    return ValueOf(RunningProgram::Start(ctx_, options, {}))->End();
  }
  /// All rows of a program as text, or its error.
  Result<std::vector<elt::BatchPtr>> RowsOf(const ProgramOptions& options,
                                            const elt::SchemaPtr& expected = nullptr,
                                            const elt::BatchLimits& limits = {}) {
    ARROW_ASSIGN_OR_RAISE(auto program, RunningProgram::Start(ctx_, options, {}));
    ARROW_ASSIGN_OR_RAISE(auto rows, OutputRows::Open(ctx_, *program, options, expected, limits));
    std::vector<elt::BatchPtr> batches;
    while (true) {
      ARROW_ASSIGN_OR_RAISE(auto batch, rows->Next());
      if (batch == nullptr) return batches;
      batches.push_back(std::move(batch));
    }
  }

  const elt::BatchPtr numbers_ = MakeBatch({{"n", "int64", "[1, 2, 3, 4, 5, 6, 7]"}});
};

TEST_F(RunningProgramTest, TheExitStatusSaysWhoseFaultItWas) {
  EXPECT_THAT(EndOf(Shell("exit 0")), IsOk());
  const std::vector<std::pair<int, FaultCode>> as_source = {
      {1, FaultCode::kProgramFailed}, {65, FaultCode::kValueRefused},
      {75, FaultCode::kSourceBusy},   {77, FaultCode::kAuthFailed},
      {78, FaultCode::kBadValue},     {127, FaultCode::kProgramFailed}};
  for (const auto& [status, code] : as_source) {
    const std::string number = std::to_string(status);
    EXPECT_THAT(EndOf(Shell("exit " + number)), FailsWith(code, HasSubstr(number)));
  }
  EXPECT_THAT(EndOf(Shell("exit 75", Role::kLoader)), FailsWith(FaultCode::kTargetIo));
  EXPECT_THAT(EndOf(Shell("exit 1", Role::kLoader)), FailsWith(FaultCode::kTargetUnwritable));
  EXPECT_THAT(EndOf(Shell("kill -SEGV $$")),
              FailsWith(FaultCode::kSourceConnectionLost, HasSubstr("SIGSEGV")));
  EXPECT_TRUE(IsRetryable(EndOf(Shell("exit 75"))));
  EXPECT_TRUE(IsRetryable(EndOf(Shell("kill -KILL $$"))));
  EXPECT_FALSE(IsRetryable(EndOf(Shell("exit 1"))));
}

TEST_F(RunningProgramTest, ItsLastWordsAreInTheError) {
  const Fault fault = FaultOf(EndOf(Shell("echo first >&2; echo last words >&2; exit 1")));
  EXPECT_EQ(fault.Detail("stderr"), "first | last words");
  EXPECT_EQ(fault.Detail("exit_status"), "1");
}

TEST_F(RunningProgramTest, OneThatEndsEarlyIsAnErrorWhateverItsStatus) {
  EXPECT_THAT(RowsOf(Shell("exit 0")), FailsWith(FaultCode::kSourceProtocol));
  const std::string path = StreamFile("n.arrows", {numbers_, numbers_});
  EXPECT_THAT(RowsOf(Shell("head -c 300 " + path)), FailsWith(FaultCode::kSourceProtocol));
  EXPECT_THAT(RowsOf(Shell("head -c 300 " + path + "; exit 75")),
              FailsWith(FaultCode::kSourceBusy));
  EXPECT_THAT(RowsOf(Shell("cat " + path + "; exit 65")), FailsWith(FaultCode::kValueRefused));
  EXPECT_THAT(RowsOf(Shell("cat " + path + " " + path)), FailsWith(FaultCode::kSourceProtocol));
}

TEST_F(RunningProgramTest, OneThatSpeaksAnotherLanguageIsEnded) {
  EXPECT_THAT(RowsOf(Shell("echo hello; sleep 1000")),
              FailsWith(FaultCode::kSourceProtocol, HasSubstr("text")));
}

TEST_F(RunningProgramTest, RowsAreCutToSize) {
  const auto options = Options({"cat", StreamFile("n.arrows", {numbers_, numbers_->Slice(0, 0)})});
  const auto whole = ValueOf(RowsOf(options));
  ASSERT_EQ(whole.size(), 1U);
  EXPECT_TRUE(whole[0]->Equals(*numbers_));
  const auto pieces = ValueOf(RowsOf(options, nullptr, {.rows = 3}));
  ASSERT_EQ(pieces.size(), 3U);
  EXPECT_TRUE(pieces[1]->Equals(*numbers_->Slice(3, 3)));
  EXPECT_EQ(pieces[2]->num_rows(), 1);
  EXPECT_EQ(ValueOf(RowsOf(options, nullptr, {.rows = 3, .bytes = 1})).size(), 7U);
}

TEST_F(RunningProgramTest, AnotherSchemaIsDrift) {
  const auto options = Options({"cat", StreamFile("n.arrows", {numbers_})});
  EXPECT_THAT(RowsOf(options, numbers_->schema()), IsOk());
  const auto other = MakeBatch({{"n", "int32", "[1]"}})->schema();
  EXPECT_THAT(RowsOf(options, other), FailsWith(FaultCode::kSchemaDrift, HasSubstr("\"n\"")));
}

TEST_F(RunningProgramTest, ATimeoutEndsIt) {
  auto options = Shell("sleep 1000");
  options.timeout = std::chrono::milliseconds(50);
  EXPECT_THAT(RowsOf(options), FailsWith(FaultCode::kSourceTimeout));
}

TEST_F(RunningProgramTest, AStopEndsIt) {
  surroundings_.stop.request_stop();
  EXPECT_THAT(RowsOf(Shell("sleep 1000")), FailsWith(FaultCode::kStopped));
}

TEST_F(RunningProgramTest, SaysItsSchemaOrIsStoppedAfterIt) {
  const std::string path = StreamFile("n.arrows", {numbers_});
  const auto asked = [&](const ProgramOptions& options, const elt::SchemaPtr& input = nullptr) {
    return AskSchema(ctx_, options, input);
  };
  EXPECT_TRUE(ValueOf(asked(Options({"cat", path})))->Equals(*numbers_->schema()));
  EXPECT_TRUE(ValueOf(asked(Shell("cat " + path + "; sleep 1000")))->Equals(*numbers_->schema()));
  EXPECT_THAT(asked(Shell("test $LEVADA_ASK = schema || exit 1; exit 78")),
              FailsWith(FaultCode::kBadValue));
  // What has no rows and fails is believed nothing.
  const std::string none = StreamFile("none.arrows", {numbers_->Slice(0, 0)});
  EXPECT_THAT(asked(Shell("cat " + none + "; exit 1")), FailsWith(FaultCode::kProgramFailed));
  EXPECT_TRUE(ValueOf(asked(Options({"cat"}, Role::kTransformer), numbers_->schema()))
                  ->Equals(*numbers_->schema()));
}

TEST_F(RunningProgramTest, AProgramThatIsNoneIsTheMistakeOfThePipeline) {
  EXPECT_THAT(RowsOf(Options({"no-such-program"})), FailsWith(FaultCode::kBadValue));
}

}  // namespace
}  // namespace levada::programs
