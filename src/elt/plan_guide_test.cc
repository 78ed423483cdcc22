// What docs/guide/pipelines.md shows is what is read.

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "base/testing.h"
#include "elt/fake_catalog.h"
#include "elt/plan.h"

namespace levada::elt {
namespace {

std::string ReadGuide() {
  std::ifstream file(LEVADA_TESTDATA "/../../../docs/guide/pipelines.md");
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

/// The ```yaml blocks of a page.
std::vector<std::string> Examples(const std::string& page) {
  const std::string open = "```yaml\n";
  std::vector<std::string> examples;
  for (size_t at = page.find(open); at != std::string::npos; at = page.find(open, at)) {
    at += open.size();
    examples.push_back(page.substr(at, page.find("```", at) - at));
  }
  return examples;
}

/// An example that shows a part of a file, with the rest of the file.
std::string Completed(std::string example) {
  const std::pair<const char*, const char*> parts[] = {
      {"name:", "name: orders\n"},
      {"consumer:", "consumer: { postgres: { dsn: \"${env:DSN}\", table: orders } }\n"},
      {"loaders:", "loaders: [{ parquet: { path: lake } }]\n"}};
  for (const auto& [key, part] : parts) {
    if (!example.starts_with(key) && example.find(std::string("\n") + key) == std::string::npos) {
      example += part;
    }
  }
  return example;
}

TEST(PipelinesGuide, EveryExampleIsReadAsItStands) {
  const std::vector<std::string> examples = Examples(ReadGuide());
  EXPECT_GE(examples.size(), 6U);
  const auto environment = fake::MakeEnvironment({{"SHOP_TABLE", "orders"}});
  for (const std::string& example : examples) {
    const Result<Plan> plan =
        ParsePlan(fake::MakeSource(Completed(example)), fake::MakeCatalog(), environment);
    ASSERT_TRUE(plan.ok()) << example << Render(FaultOf(plan.status()), {});
    EXPECT_TRUE(plan->warnings.empty()) << example;
  }
}

TEST(PipelinesGuide, EveryTopLevelKeyIsInTheTable) {
  const std::string guide = ReadGuide();
  for (const OptionSpec& option : PipelineSpec().fields) {
    EXPECT_NE(guide.find("| `" + option.name + "` |"), std::string::npos) << option.name;
  }
}

TEST(PipelinesGuide, ShowsTheErrorThatTheExampleGives) {
  const std::string guide = ReadGuide();
  std::string broken = Examples(guide).at(0);
  broken.replace(broken.find("table:"), 6, "tabel:");
  const Result<Plan> plan =
      ParsePlan(fake::MakeSource(broken), fake::MakeCatalog(), fake::MakeEnvironment());
  ASSERT_FALSE(plan.ok());
  EXPECT_NE(guide.find(Render(FaultOf(plan.status()), {})), std::string::npos)
      << Render(FaultOf(plan.status()), {});
}

}  // namespace
}  // namespace levada::elt
