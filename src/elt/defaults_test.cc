#include "elt/defaults.h"

#include "base/testing.h"
#include "elt/fake_catalog.h"
#include "elt/plan.h"

namespace levada::elt {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* kPipeline = R"(name: orders
defaults: ../shared.yaml
consumer: { postgres: { dsn: "${env:SHOP}", table: public.orders } }
loaders:
  - parquet: { path: ./lake/orders }
)";

Result<std::shared_ptr<const Defaults>> Shared(const std::string& text) {
  return ParseDefaults(std::make_shared<SourceText>(SourceText{"shared.yaml", text}),
                       fake::MakeCatalog());
}

Result<Plan> ParseWith(const std::string& defaults, const std::string& pipeline = kPipeline) {
  PlanParts parts;
  parts.open_defaults = [&](const std::string& path) {
    EXPECT_EQ(path, "../shared.yaml");
    return Shared(defaults);
  };
  return ParsePlan(fake::MakeSource(pipeline), fake::MakeCatalog(), fake::MakeEnvironment({}),
                   parts);
}

/// "file line:column" of every problem.
std::vector<std::string> PlacesOf(const Status& status) {
  std::vector<std::string> places;
  const Fault fault = FaultOf(status);
  for (const Diagnostic& problem : fault.diagnostics()) {
    places.push_back(problem.source->name + " " + std::to_string(problem.span.line) + ":" +
                     std::to_string(problem.span.column));
  }
  return places;
}

TEST(Defaults, SayWhatThePipelineDoesNot) {
  const Plan plan = ValueOf(ParseWith(R"(memory: 64MiB
retry: { attempts: 7, backoff: 3s }
tags: [nightly]
consumer: { postgres: { columns: [id] } }
loaders: { parquet: { codec: snappy, path: ./elsewhere } }
)"));
  EXPECT_EQ(plan.memory_bytes, 64 << 20);
  EXPECT_EQ(plan.retry.attempts, 7);
  EXPECT_THAT(plan.tags, ElementsAre("nightly"));
  EXPECT_THAT(plan.consumer.options.Texts("columns"), ElementsAre("id"));
  EXPECT_EQ(plan.loaders[0].options.Text("codec"), "snappy");
  EXPECT_EQ(plan.loaders[0].options.Text("path"), "./lake/orders") << "its own word comes first";
}

TEST(Defaults, AreMergedOptionByOption) {
  const Plan plan = ValueOf(ParseWith("retry: { attempts: 7, backoff: 3s }\n",
                                      std::string(kPipeline) + "retry: { attempts: 2 }\n"));
  EXPECT_EQ(plan.retry.attempts, 2);
  EXPECT_EQ(plan.retry.backoff, std::chrono::seconds(3));
  EXPECT_TRUE(ValueOf(ParseWith("run: { every: day, column: at, start: 2026-01-01 }\n",
                                std::string(kPipeline) + "run: once\n"))
                  .once)
      << "a short form is a word of its own";
}

TEST(Defaults, MakeThePlanThatTheyWouldHaveMadeInTheFile) {
  const std::string whole = R"(name: orders
consumer: { postgres: { dsn: "${env:SHOP}", table: public.orders, columns: [id] } }
loaders:
  - parquet: { path: ./lake/orders, codec: snappy }
)";
  const Plan alone =
      ValueOf(ParsePlan(fake::MakeSource(whole), fake::MakeCatalog(), fake::MakeEnvironment({})));
  const Plan shared = ValueOf(ParseWith(
      "consumer: { postgres: { columns: [id] } }\nloaders: { parquet: { codec: snappy } }\n"));
  EXPECT_EQ(shared.hash, alone.hash);
}

TEST(Defaults, AreWrongWhereTheyStand) {
  EXPECT_THAT(PlacesOf(ParseWith("memory: much\nloaders: { parquet: { codec: zip } }\n").status()),
              testing::UnorderedElementsAre("shared.yaml 1:9", "shared.yaml 2:30"));
  EXPECT_THAT(PlacesOf(ParseWith("tags: [a b]\n").status()), ElementsAre("shared.yaml 1:8"));
}

TEST(Defaults, AreNoPipeline) {
  for (const auto& [text, words] : std::vector<std::pair<std::string, std::string>>{
           {"name: x\n", "is a pipeline's own"},
           {"defaults: more.yaml\n", "is a pipeline's own"},
           {"loader: { parquet: {} }\n", "unknown key \"loader\""},
           {"loaders: [{ parquet: {} }]\n", "expected kinds and their options, got a list"},
           {"loaders: { parkett: {} }\n", "there is no kind \"parkett\""},
           {"loaders: { parquet: { codek: zstd } }\n", "unknown key \"codek\""},
           {"loaders: { parquet: zstd }\n", "expected some of its options"},
           {"transformers: { rename: { a: b } }\n", "expected some of its options"},
           {"[1]\n", "is a map of keys"}}) {
    const Status refused = ParseWith(text).status();
    EXPECT_THAT(FaultOf(refused).message(), HasSubstr(words)) << text;
    ASSERT_FALSE(PlacesOf(refused).empty());
    EXPECT_THAT(PlacesOf(refused)[0], HasSubstr("shared.yaml 1:")) << text;
  }
}

TEST(Defaults, OfNothingAreNone) {
  EXPECT_THAT(ParseWith(""), IsOk());
  EXPECT_THAT(ParseWith("# nothing yet\n"), IsOk());
}

TEST(Defaults, HideTheirSecrets) {
  std::string pipeline = kPipeline;
  pipeline.erase(pipeline.find("dsn:"), pipeline.find("table:") - pipeline.find("dsn:"));
  const Status refused =
      ParseWith("consumer: { postgres: { dsn: 'postgres://me:hunter2@host/db', columns: 7 } }\n",
                pipeline)
          .status();
  ASSERT_FALSE(refused.ok());
  const Fault fault = FaultOf(refused);
  for (const Diagnostic& problem : fault.diagnostics()) {
    EXPECT_EQ(problem.source->text.find("hunter2"), std::string::npos);
  }
  const Plan plan = ValueOf(
      ParseWith("consumer: { postgres: { dsn: 'postgres://me:hunter2@host/db' } }\n", pipeline));
  ASSERT_EQ(plan.warnings.size(), 1U);
  EXPECT_EQ(plan.warnings[0].source->name, "shared.yaml");
  EXPECT_EQ(plan.warnings[0].source->text.find("hunter2"), std::string::npos);
}

TEST(Defaults, ThatCannotBeOpenedAreRefusedAtTheirName) {
  PlanParts parts;
  parts.open_defaults = [](const std::string&) -> Result<std::shared_ptr<const Defaults>> {
    return Fault(FaultCode::kFileUnreadable, "there is no file \"../shared.yaml\"");
  };
  const Status refused =
      ParsePlan(fake::MakeSource(kPipeline), fake::MakeCatalog(), fake::MakeEnvironment({}), parts)
          .status();
  EXPECT_THAT(refused, FailsWith(FaultCode::kFileUnreadable, HasSubstr("\"defaults\"")));
  EXPECT_EQ(FaultOf(refused).diagnostics().at(0).span.line, 2U);
}

}  // namespace
}  // namespace levada::elt
