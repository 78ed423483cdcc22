// Every file in tests/pipelines/broken is refused with the code and at the place that its first
// lines say:
//
//     # expect: LV1002 5:3
//     # also: LV1003 7:1         (further problems, in the order of the file)
//     # help: a part of the first problem's help

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/testing.h"
#include "elt/fake_catalog.h"
#include "elt/plan.h"

namespace levada::elt {
namespace {

struct Expected {
  std::vector<std::string> problems;  ///< "LV1002 5:3"
  std::string help;
};

Expected ReadExpected(const std::string& text) {
  Expected expected;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const auto after = [&](std::string_view head) {
      return line.starts_with(head) ? line.substr(head.size()) : std::string();
    };
    if (std::string problem = after("# expect: "); !problem.empty()) {
      expected.problems.push_back(std::move(problem));
    } else if (std::string also = after("# also: "); !also.empty()) {
      expected.problems.push_back(std::move(also));
    } else if (std::string help = after("# help: "); !help.empty()) {
      expected.help = std::move(help);
    } else {
      break;
    }
  }
  return expected;
}

/// What `levada check` does: parse, then make the stages.
Status Check(const std::shared_ptr<const SourceText>& source) {
  const auto environment = fake::MakeEnvironment(
      {{"WORD", "abc"}, {"BYTES", "\xff\xfe"}, {"PATHLIKE", "a/b"}}, {{"known.sql", "select 1"}});
  const Catalog catalog = fake::MakeCatalog();
  ARROW_ASSIGN_OR_RAISE(const Plan plan, ParsePlan(source, catalog, environment));
  return MakeStages(plan, catalog, StageInput{}).status();
}

std::string Place(const Diagnostic& diagnostic) {
  return CodeName(diagnostic.code) + " " + std::to_string(diagnostic.span.line) + ":" +
         std::to_string(diagnostic.span.column);
}

std::vector<std::filesystem::path> YamlFilesIn(const std::string& directory) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    if (entry.path().extension() == ".yaml") files.push_back(entry.path());
  }
  std::ranges::sort(files);
  return files;
}

std::vector<std::filesystem::path> Corpus() {
  return YamlFilesIn(LEVADA_TESTDATA "/../../../tests/pipelines/broken");
}

std::string ReadAll(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

class BrokenPlan : public testing::TestWithParam<std::filesystem::path> {};

TEST_P(BrokenPlan, IsRefusedWithItsCodeAtItsPlace) {
  const std::string text = ReadAll(GetParam());
  const Expected expected = ReadExpected(text);
  ASSERT_FALSE(expected.problems.empty()) << "the first line is \"# expect: LV1002 5:3\"";

  const Status status = Check(fake::MakeSource(text, GetParam().filename().string()));
  ASSERT_FALSE(status.ok()) << "accepted";
  EXPECT_EQ(ExitStatusOf(status), 10);
  const Fault fault = FaultOf(status);
  std::vector<std::string> problems;
  for (const Diagnostic& diagnostic : fault.diagnostics()) {
    problems.push_back(Place(diagnostic));
    EXPECT_FALSE(diagnostic.help.empty()) << "no fix: " << diagnostic.message;
    EXPECT_TRUE(diagnostic.span.known());
  }
  EXPECT_EQ(problems, expected.problems) << Render(fault, {});
  EXPECT_THAT(fault.diagnostics().at(0).help, testing::HasSubstr(expected.help));
  EXPECT_FALSE(Render(fault, {}).empty());
}

INSTANTIATE_TEST_SUITE_P(Corpus, BrokenPlan, testing::ValuesIn(Corpus()),
                         [](const auto& test) { return test.param.stem().string(); });

TEST(BrokenPlans, AreManyAndCoverEveryCodeOfAFile) { EXPECT_GE(Corpus().size(), 200U); }

}  // namespace
}  // namespace levada::elt
