#include "programs/program_options.h"

#include <algorithm>

#include "programs/program_fixture.h"

namespace levada::programs {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class ProgramOptionsTest : public ProgramFixture {
 protected:
  static Result<ProgramOptions> Read(const std::string& yaml, Role role = Role::kConsumer,
                                     bool has_windows = true) {
    elt::OptionSpec spec;
    spec.name = "exec";
    spec.type = elt::OptionType::kGroup;
    spec.fields = ProgramSpecs();
    ARROW_ASSIGN_OR_RAISE(const elt::Options options, OptionsFrom(spec, yaml));
    return ReadProgramOptions(role, options, ProcessStageInput(has_windows));
  }
  static StartCommand Command(const std::string& yaml, const Call& call,
                              Role role = Role::kConsumer) {
    return ValueOf(MakeCommand(ValueOf(Read(yaml, role)), call));
  }
};

TEST_F(ProgramOptionsTest, TemplatesAreFilledIn) {
  const elt::RunInstance run = NewYearsRun("at");
  Call call;
  call.run = &run;
  call.partition_index = 3;
  call.partition_count = 4;
  const auto command = Command(
      "command: [a, '{run.start:%Y-%m-%d}', '{run.label}', '{pipeline}-{partition}', "
      "'{{partition}}']",
      call);
  EXPECT_THAT(command.child.arguments,
              ElementsAre("a", "2026-01-01", "2026-01-01", "test-3", "{partition}"));
}

TEST_F(ProgramOptionsTest, ForTheSchemaTheyNameADayLongAgo) {
  Call call;
  call.ask = "schema";
  const auto command =
      Command("command: [a, '{run.start:%F}', '{run.end:%F}', '{partition}']", call);
  EXPECT_THAT(command.child.arguments, ElementsAre("a", "1970-01-01", "1970-01-02", "0"));
}

TEST_F(ProgramOptionsTest, TheProgramIsToldWhatItIsFor) {
  const elt::RunInstance run = NewYearsRun("at");
  Call call;
  call.ask = "rows";
  call.run = &run;
  call.partition_index = 1;
  call.partition_count = 2;
  const auto told = Command("command: [a]", call).child.environment;
  for (const char* expected :
       {"LEVADA_STAGE=consumer", "LEVADA_ASK=rows", "LEVADA_PIPELINE=test", "LEVADA_RUN=2026-01-01",
        "LEVADA_WINDOW_COLUMN=at", "LEVADA_WINDOW_TIMEZONE=UTC", "LEVADA_PARTITION_INDEX=1",
        "LEVADA_PARTITION_COUNT=2"}) {
    EXPECT_THAT(told, Contains(expected));
  }
  EXPECT_THAT(told, Contains(HasSubstr("LEVADA_WINDOW_START=2026-01-01T00:00:00")));
  EXPECT_THAT(told, Contains(HasSubstr("LEVADA_WINDOW_END=2026-01-02T00:00:00")));
  EXPECT_THAT(Command("command: [a]", call, Role::kTransformer).child.environment,
              Not(Contains(HasSubstr("PARTITION"))));
}

TEST_F(ProgramOptionsTest, ItsEnvironmentIsWhatIsNamed) {
  ::setenv("EXEC_TEST_SECRET", "hunter22", 1);
  ::setenv("EXEC_TEST_OTHER", "x", 1);
  const auto command = Command(
      "command: [a]\nenvironment: { MODE: full, LANG: C }\n"
      "secrets: { TOKEN: \"${env:EXEC_TEST_SECRET}\" }",
      {});
  EXPECT_THAT(command.child.environment, Contains("MODE=full"));
  EXPECT_THAT(command.child.environment, Contains("LANG=C"));
  EXPECT_THAT(command.child.environment, Contains("TOKEN=hunter22"));
  EXPECT_THAT(command.child.environment, Not(Contains(HasSubstr("EXEC_TEST_OTHER"))));
  EXPECT_EQ(std::ranges::count_if(command.child.environment,
                                  [](const auto& v) { return v.starts_with("LANG="); }),
            1);
  ASSERT_EQ(command.secrets.size(), 1U);
  EXPECT_EQ(command.secrets[0].Reveal(), "hunter22");
  EXPECT_EQ(command.child.search_path, ::getenv("PATH"));
}

TEST_F(ProgramOptionsTest, ASecretThatCannotBeHadIsAnError) {
  const ProgramOptions options =
      ValueOf(Read("command: [a]\nsecrets: { TOKEN: \"${env:EXEC_TEST_NOT_SET}\" }"));
  EXPECT_THAT(MakeCommand(options, {}), FailsWith(FaultCode::kUnresolvedReference));
}

TEST_F(ProgramOptionsTest, WhatCannotBeIsRefused) {
  EXPECT_THAT(Read("command: []"), FailsWith(FaultCode::kBadValue, HasSubstr("no program")));
  EXPECT_THAT(Read("command: [\"\"]"), FailsWith(FaultCode::kBadValue, HasSubstr("no program")));
  EXPECT_THAT(Read("command: [\"python3 x.py\"]"),
              FailsWith(FaultCode::kBadValue, HasSubstr("no shell")));
  EXPECT_THAT(Read("command: [a, '{run.strat:%F}']"), FailsWith(FaultCode::kBadLayout));
  EXPECT_THAT(Read("command: [a, '{run.start:%F}']", Role::kConsumer, /*has_windows=*/false),
              FailsWith(FaultCode::kBadLayout, HasSubstr("without windows")));
  EXPECT_THAT(Read("command: [a, '{partition}']", Role::kTransformer),
              FailsWith(FaultCode::kBadLayout));
  EXPECT_THAT(Read("command: [a]\nenvironment: { \"A=B\": x }"),
              FailsWith(FaultCode::kBadValue, HasSubstr("variable")));
  EXPECT_THAT(Read("command: [a]\nenvironment: { LEVADA_ASK: x }"),
              FailsWith(FaultCode::kBadValue, HasSubstr("LEVADA_")));
  EXPECT_THAT(Read("command: [a]\nenvironment: { A: x }\nsecrets: { A: \"${env:B}\" }"),
              FailsWith(FaultCode::kDuplicateKey));
  EXPECT_THAT(Read("command: [a]\ntimeout: 0s"), FailsWith(FaultCode::kBadValue));
  EXPECT_THAT(Read("command: [a]\nbatch_bytes: 1KiB"), FailsWith(FaultCode::kBadValue));
  EXPECT_THAT(Read("{}"), FailsWith(FaultCode::kMissingKey));
}

TEST_F(ProgramOptionsTest, ACommandIsShownAsOneWouldTypeIt) {
  EXPECT_EQ(ShownCommand({"python3", "a b.py", "--x=1", "it's", ""}),
            "python3 'a b.py' --x=1 'it'\\''s' ''");
}

}  // namespace
}  // namespace levada::programs
