#include "app/plan_text.h"

#include <gtest/gtest.h>

#include <sstream>

#include "app/column_steps.h"
#include "app/json_output.h"
#include "base/json.h"

namespace levada::app {
namespace {

class Step final : public elt::BoundTransformer {
 public:
  explicit Step(elt::SchemaPtr schema) : schema_(std::move(schema)) {}
  const elt::SchemaPtr& schema() const override { return schema_; }
  Result<elt::Mapped> Map(Context&, const elt::BatchPtr& batch, elt::RejectBuffer&) const override {
    return elt::Mapped{batch, 0, 0};
  }

 private:
  elt::SchemaPtr schema_;
};

struct Planned {
  elt::Plan plan;
  elt::Prepared prepared;
};

/// line_id, price: renamed, then the price cast; one window published before and replaced.
Planned TwoColumns() {
  Planned planned;
  elt::Plan& plan = planned.plan;
  plan.name = "orders";
  plan.hash = "00112233445566ff";
  plan.window = elt::WindowSpec();
  plan.transformers.resize(2);
  plan.transformers[0].kind = "rename";
  plan.transformers[1].kind = "cast";
  elt::Prepared& prepared = planned.prepared;
  const auto schema = [](const std::string& first, int precision) {
    return arrow::schema({arrow::field(first, arrow::int64(), false),
                          arrow::field("price", arrow::decimal128(precision, 2), false)});
  };
  prepared.source.schema = schema("line_id", 9);
  prepared.source.source_types = {"bigint", "numeric(9,2)"};
  prepared.source.description = "PostgreSQL 15";
  prepared.transformers.push_back(std::make_unique<Step>(schema("id", 9)));
  prepared.transformers.push_back(std::make_unique<Step>(schema("id", 12)));
  prepared.targets.emplace_back();
  prepared.targets[0].target_types = {"int64", "int64 (Decimal)"};
  elt::RunDecision replaced;
  replaced.run.window =
      elt::Window{1'767'225'600'000'000, 1'767'312'000'000'000, "2026-01-01", "UTC"};
  replaced.decision = elt::Decision::kReplace;
  replaced.reason = "published";
  elt::PublishedRun published;
  published.finished = true;
  published.files = 7;
  published.bytes = 7 << 20;
  elt::Receipt receipt;
  for (int i = 0; i < 7; ++i)
    receipt.files.push_back({"f" + std::to_string(i), "", 1, 1 << 20, ""});
  published.partitions.emplace_back();
  published.partitions[0].receipts.push_back(receipt);
  replaced.published.push_back(published);
  prepared.runs.push_back(std::move(replaced));
  prepared.partitions.emplace_back();
  prepared.partitions[0].id = "p0000";
  prepared.partitions[0].query = "SELECT \"line_id\", \"price\" FROM \"orders\"";
  prepared.partitions[0].slices.resize(1);
  return planned;
}

TEST(ColumnSteps, FollowNamesAndTypesThroughEveryTransformer) {
  const Planned planned = TwoColumns();
  const std::vector<ColumnPath> paths = FollowColumns(planned.plan, planned.prepared);
  ASSERT_EQ(paths.size(), 2u);
  EXPECT_EQ(NamesText(paths[0]), "line_id -> id");
  EXPECT_EQ(TypesText(paths[0]), "int64 not null");
  EXPECT_EQ(NamesText(paths[1]), "price");
  EXPECT_EQ(TypesText(paths[1]), "decimal128(9, 2) -> decimal128(12, 2) not null");
  EXPECT_EQ(paths[1].steps[2], (ColumnStep{"cast", "price", "decimal128(12, 2) not null"}));
}

TEST(ColumnSteps, NamesThatChangePlacesKeepTheTypesOfTheirColumns) {
  Planned planned = TwoColumns();
  const elt::SchemaPtr source = planned.prepared.source.schema;
  planned.plan.transformers.resize(1);
  planned.prepared.transformers.clear();
  planned.prepared.transformers.push_back(std::make_unique<Step>(
      arrow::schema({source->field(0)->WithName("price"), source->field(1)->WithName("line_id")})));
  const std::vector<ColumnPath> paths = FollowColumns(planned.plan, planned.prepared);
  EXPECT_EQ(NamesText(paths[0]), "line_id -> price");
  EXPECT_EQ(paths[0].source_type, "bigint");
  EXPECT_EQ(NamesText(paths[1]), "price -> line_id");
  EXPECT_EQ(paths[1].source_type, "numeric(9,2)");
}

TEST(PlanText, ShowsTheQueryWhatIsReplacedAndWhatIsToDo) {
  const Planned planned = TwoColumns();
  const std::string text = PlanText(planned.plan, planned.prepared, {});
  EXPECT_NE(text.find("7 files, 7 MiB, will be replaced\n    f0\n"), std::string::npos) << text;
  EXPECT_NE(text.find("    f4\n    and 2 more\n"), std::string::npos) << text;
  EXPECT_NE(text.find("query of p0000\n  SELECT \"line_id\", \"price\" FROM \"orders\"\n"),
            std::string::npos)
      << text;
  EXPECT_TRUE(text.ends_with("\nto do: 1 window\n")) << text;
}

TEST(PlanText, WrapsTheQueryOnATerminalOnly) {
  const Planned planned = TwoColumns();
  const std::string text = PlanText(planned.plan, planned.prepared, {.width = 40});
  EXPECT_NE(text.find("  SELECT \"line_id\", \"price\" FROM\n  \"orders\"\n"), std::string::npos)
      << text;
}

TEST(PlanText, StaysWithinSixtyColumns) {
  const Planned planned = TwoColumns();
  std::istringstream lines(PlanText(planned.plan, planned.prepared, {.width = 60}));
  for (std::string line; std::getline(lines, line);) EXPECT_LE(DisplayWidth(line), 60) << line;
}

TEST(PlanJson, HasItsWarningsInTheShapeOfDiagnostics) {
  Planned planned = TwoColumns();
  planned.plan.warnings.emplace_back();
  planned.plan.warnings[0].severity = Severity::kWarning;
  planned.plan.warnings[0].message = "a secret";
  const auto warnings = ParseJson(PlanJson(planned.plan, planned.prepared))["warnings"];
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_EQ(warnings[0]["severity"], "warning");
  EXPECT_EQ(warnings[0]["message"], "a secret");
  EXPECT_EQ(warnings[0]["notes"], Json::array());
}

TEST(PlanJson, HasAVersionTheWindowsBoundsAndEveryStep) {
  const Planned planned = TwoColumns();
  const auto json = ParseJson(PlanJson(planned.plan, planned.prepared));
  EXPECT_EQ(json["levada_plan"], kJsonVersion);
  EXPECT_EQ(json["runs"][0]["start"], "2026-01-01T00:00:00.000000Z");
  EXPECT_EQ(json["runs"][0]["replaces"]["paths"].size(), 7u);
  EXPECT_EQ(json["columns"][1]["steps"][2]["stage"], "cast");
  EXPECT_EQ(OneLine(PlanJson(planned.plan, planned.prepared)).find('\n'), std::string::npos);
}

}  // namespace
}  // namespace levada::app
