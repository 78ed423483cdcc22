#include "app/command_line.h"

#include <gtest/gtest.h>

#include "app/help.h"

namespace levada::app {
namespace {

Result<CommandLine> Parse(std::vector<std::string> arguments) {
  return ParseCommandLine(arguments, 80);
}

CommandLine Parsed(std::vector<std::string> arguments) {
  Result<CommandLine> line = Parse(std::move(arguments));
  EXPECT_TRUE(line.ok()) << line.status().ToString();
  return line.ok() ? *line : CommandLine();
}

/// The whole complaint as a person would see it.
std::string Complaint(std::vector<std::string> arguments) {
  const Result<CommandLine> line = Parse(std::move(arguments));
  if (line.ok()) return "";
  EXPECT_EQ(CodeOf(line.status()), FaultCode::kBadCommandLine);
  return Render(FaultOf(line.status()), RenderStyle{});
}

TEST(CommandLine, WithoutArgumentsShowsTheHelp) {
  for (const auto& arguments : std::vector<std::vector<std::string>>{{}, {"--help"}, {"help"}}) {
    const CommandLine line = Parsed(arguments);
    EXPECT_EQ(line.verb, Verb::kHelp);
    EXPECT_NE(line.help.find("Usage: levada <command>"), std::string::npos);
  }
}

TEST(CommandLine, EachCommandHasAHelpPage) {
  for (const VerbText& verb : VerbTexts()) {
    const CommandLine line = Parsed({std::string(verb.name), "--help"});
    EXPECT_EQ(line.verb, Verb::kHelp);
    EXPECT_NE(line.help.find("Usage:"), std::string::npos) << verb.name;
    EXPECT_EQ(Parsed({"help", std::string(verb.name)}).help, line.help);
  }
}

TEST(CommandLine, HelpStaysInsideTheTerminal) {
  const CommandLine line = *ParseCommandLine(std::vector<std::string>{"run", "--help"}, 60);
  const std::string options = line.help.substr(0, line.help.find("Examples:"));
  for (size_t at = 0; at < options.size();) {
    const size_t end = options.find('\n', at);
    EXPECT_LE(end - at, 62U) << options.substr(at, end - at);
    at = end + 1;
  }
}

TEST(CommandLine, RunTakesFilesAndWindowsInAnyOrder) {
  const CommandLine line = Parsed({"run", "--window", "2026-01-31", "a.yaml", "--window=2026-02-01",
                                   "b.yaml", "--replace", "-q", "--memory", "256MiB"});
  EXPECT_EQ(line.verb, Verb::kRun);
  EXPECT_EQ(line.files, (std::vector<std::string>{"a.yaml", "b.yaml"}));
  EXPECT_EQ(line.windows, (std::vector<std::string>{"2026-01-31", "2026-02-01"}));
  EXPECT_TRUE(line.replace);
  EXPECT_TRUE(line.quiet);
  EXPECT_EQ(line.memory_bytes, 256 << 20);
}

TEST(CommandLine, RunTakesAUrlAndADirectory) {
  const CommandLine line =
      Parsed({"run", "postgres://me@localhost/shop?table=t", "./lake/t", "--save", "t.yaml"});
  ASSERT_TRUE(line.ad_hoc.has_value());
  EXPECT_EQ(line.ad_hoc->path, "./lake/t");
  EXPECT_EQ(line.ad_hoc->save, "t.yaml");
  EXPECT_TRUE(line.files.empty());
}

TEST(CommandLine, AUrlNeedsNoSlashes) {
  EXPECT_TRUE(Parsed({"run", "sqlite:shop.db?table=t", "./lake/t"}).ad_hoc.has_value());
  EXPECT_EQ(Parsed({"run", "in/50%?.csv.gz", "lake"}).ad_hoc->url, "file:in/50%25%3F.csv.gz");
  EXPECT_EQ(Parsed({"plan", "file:in/*.csv", "lake"}).ad_hoc->url, "file:in/*.csv");
  EXPECT_FALSE(Parsed({"run", "./a:b.yaml", "c.yaml"}).ad_hoc.has_value());
}

TEST(CommandLine, AfterTwoDashesEverythingIsAFile) {
  EXPECT_EQ(Parsed({"check", "--", "-odd.yaml"}).files, std::vector<std::string>{"-odd.yaml"});
}

TEST(CommandLine, LogOptionsAreUnderstood) {
  const CommandLine line =
      Parsed({"run", "a.yaml", "--log-level", "debug", "--log-format=json", "--error-format",
              "json", "--state", "st", "--no-color", "--json"});
  EXPECT_EQ(line.log_level, LogLevel::kDebug);
  EXPECT_EQ(line.log_format, LogFormat::kJson);
  EXPECT_EQ(line.error_format, ErrorFormat::kJson);
  EXPECT_EQ(line.state_directory, "st");
  EXPECT_TRUE(line.no_color);
  EXPECT_TRUE(line.json);
}

TEST(CommandLine, AnUnknownOptionIsPointedAtWithTheNearest) {
  EXPECT_EQ(Complaint({"run", "a.yaml", "--windw", "x"}),
            "error[LV1017]: unknown option \"--windw\"\n"
            "  --> <command line>:1:19\n"
            "   |\n"
            " 1 | levada run a.yaml --windw x\n"
            "   |                   ^^^^^^^ not an option of `levada run`\n"
            "   |\n"
            "   = help: did you mean \"--window\"?\n");
}

TEST(CommandLine, AllUnknownOptionsAreNamedAtOnce) {
  const std::string complaint = Complaint({"check", "--windw", "--memry=1"});
  EXPECT_NE(complaint.find("\"--windw\""), std::string::npos);
  EXPECT_NE(complaint.find("\"--memry\""), std::string::npos);
}

TEST(CommandLine, OptionsOfAnotherCommandAreUnknown) {
  EXPECT_NE(Complaint({"check", "a.yaml", "--replace"}).find("not an option of `levada check`"),
            std::string::npos);
}

TEST(CommandLine, AnUnknownCommandGetsASuggestion) {
  EXPECT_NE(Complaint({"rnu", "a.yaml"}).find("did you mean \"run\"?"), std::string::npos);
  EXPECT_NE(Complaint({"orders.yaml"}).find("write levada run orders.yaml"), std::string::npos);
  EXPECT_NE(Complaint({"--state", "x"}).find("options come after the command"), std::string::npos);
  EXPECT_NE(Complaint({"help", "rnu"}).find("unknown command \"rnu\""), std::string::npos);
}

TEST(CommandLine, WhatIsMissingIsSaid) {
  EXPECT_NE(Complaint({"run"}).find("run needs a pipeline file"), std::string::npos);
  EXPECT_NE(Complaint({"status"}).find("--state DIR"), std::string::npos);
  EXPECT_NE(Complaint({"status", "--rebuild", "--state", "x"}).find("which targets to ask"),
            std::string::npos);
  EXPECT_NE(Complaint({"run", "a.yaml", "--window", "--json"}).find("\"--window\" needs a value"),
            std::string::npos);
  EXPECT_NE(Complaint({"run", "--state", "--memory=1GiB", "a.yaml"}).find("\"--state\" needs"),
            std::string::npos);
  EXPECT_NE(Complaint({"run", "a.yaml", "--window"}).find("\"--window\" needs a value"),
            std::string::npos);
  EXPECT_NE(Complaint({"run", "sqlite:///x.db"}).find("one target directory"), std::string::npos);
}

TEST(CommandLine, WhatMakesNoSenseIsRefused) {
  EXPECT_NE(Complaint({"run", "a.yaml", "--save", "b.yaml"}).find("--save"), std::string::npos);
  EXPECT_NE(Complaint({"version", "now"}).find("takes no arguments"), std::string::npos);
  EXPECT_NE(Complaint({"explain", "LV1", "LV2"}).find("one code"), std::string::npos);
  EXPECT_NE(Complaint({"run", "a", "--quiet=maybe"}).find("takes no value"), std::string::npos);
}

TEST(CommandLine, BadValuesNameWhatIsExpected) {
  EXPECT_NE(Complaint({"run", "a", "--memory", "lots"}).find("such as 256MiB, got \"lots\""),
            std::string::npos);
  EXPECT_NE(Complaint({"run", "a", "--memory", "0"}).find("such as 256MiB"), std::string::npos);
  EXPECT_NE(Complaint({"run", "a", "--log-level", "inof"}).find("did you mean \"info\"?"),
            std::string::npos);
  EXPECT_NE(Complaint({"run", "a", "--error-format", "xml"}).find("text, json, got \"xml\""),
            std::string::npos);
}

TEST(CommandLine, AskingForTheVersionIsTheSameInThreeWays) {
  for (const char* word : {"version", "--version", "-V"}) {
    EXPECT_EQ(Parsed({word}).verb, Verb::kVersion);
  }
}

TEST(ErrorWishes, AreFoundInWhatCannotBeParsed) {
  using List = std::vector<std::string>;
  EXPECT_EQ(FindErrorWishes(List{"rnu", "--error-format=json"}).format, ErrorFormat::kJson);
  EXPECT_EQ(FindErrorWishes(List{"rnu", "--error-format", "json"}).format, ErrorFormat::kJson);
  EXPECT_EQ(FindErrorWishes(List{"rnu", "--error-format"}).format, ErrorFormat::kText);
  EXPECT_EQ(FindErrorWishes(List{"rnu", "--json"}).format, ErrorFormat::kJson);
  EXPECT_EQ(FindErrorWishes(List{"rnu", "--json", "--error-format=text"}).format,
            ErrorFormat::kText);
  EXPECT_TRUE(FindErrorWishes(List{"--no-color"}).no_color);
}

}  // namespace
}  // namespace levada::app
