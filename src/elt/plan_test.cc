#include "elt/plan.h"

#include <gtest/gtest.h>

#include "base/testing.h"
#include "elt/fake_catalog.h"
#include "elt/plan_hash.h"

namespace levada::elt {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const std::shared_ptr<const Environment>& TestEnvironment() {
  static const auto environment =
      fake::MakeEnvironment({{"TABLE", "public.orders"}, {"START", "2026-01-01"}});
  return environment;
}

Result<Plan> Parse(const std::string& text) {
  return ParsePlan(fake::MakeSource(text), fake::MakeCatalog(), TestEnvironment());
}
Plan Parsed(const std::string& text) { return ValueOf(Parse(text)); }

/// "code line:column" of every problem.
std::vector<std::string> Problems(const std::string& text) {
  const Result<Plan> plan = Parse(text);
  std::vector<std::string> problems;
  if (plan.ok()) return problems;
  const Fault fault = FaultOf(plan.status());
  for (const Diagnostic& diagnostic : fault.diagnostics()) {
    problems.push_back(CodeName(diagnostic.code) + " " + std::to_string(diagnostic.span.line) +
                       ":" + std::to_string(diagnostic.span.column));
  }
  return problems;
}

constexpr const char* kOrders = R"(# a comment
name: orders
run: { every: day, column: created_at, start: 2026-01-01, timezone: Europe/Lisbon }
consumer:
  postgres:
    dsn: ${env:ORDERS_DSN}
    table: public.orders
    partition: { by: account_id, size: 500 }
transformers:
  - rename: { id: order_id }
  - cast:   { amount: decimal(18,2) }
loaders:
  - parquet:
      path: ./lake/orders
      layout: "day={run.start:%Y-%m-%d}"
      profile: spark-3
      concurrency: 2
parallel: { partitions: 2, windows: 3 }
memory: 256MiB
partition_bytes: 1GiB
verify: readback
retry: { attempts: 3, backoff: 2s, backoff_max: 30s, deadline: 1h }
)";

/// kOrders with one text replaced.
std::string With(const std::string& from, const std::string& to) {
  std::string text = kOrders;
  const size_t at = text.find(from);
  if (at == std::string::npos) throw std::runtime_error("not in the file: " + from);
  return text.replace(at, from.size(), to);
}

constexpr const char* kSmallest = R"(name: copy
consumer: { sqlite: { path: shop.db, table: orders } }
loaders: [{ parquet: { path: lake } }]
)";

TEST(Plan, HasEverythingTheFileSays) {
  const Plan plan = Parsed(kOrders);
  EXPECT_EQ(plan.name, "orders");
  ASSERT_TRUE(plan.window.has_value());
  EXPECT_EQ(plan.window->every, Every::kDay);
  EXPECT_EQ(plan.window->column, "created_at");
  EXPECT_EQ(plan.window->timezone, "Europe/Lisbon");
  EXPECT_EQ(FormatTimestamp(plan.window->start), "2026-01-01T00:00:00.000000Z");
  EXPECT_FALSE(plan.once);
  EXPECT_EQ(plan.consumer.kind, "postgres");
  EXPECT_EQ(plan.consumer.span.line, 5U);
  EXPECT_EQ(plan.consumer.options.Group("partition").Integer("size"), 500);
  ASSERT_EQ(plan.transformers.size(), 2U);
  EXPECT_EQ(plan.transformers[1].kind, "cast");
  EXPECT_EQ(plan.transformers[1].options.Map("")[0].second.Text("type"), "decimal(18,2)");
  ASSERT_EQ(plan.loaders.size(), 1U);
  EXPECT_EQ(plan.loaders[0].options.Text("codec"), "zstd");
  EXPECT_EQ(plan.partitions_parallel, 2);
  EXPECT_EQ(plan.windows_parallel, 3);
  EXPECT_EQ(plan.memory_bytes, 256 << 20);
  EXPECT_EQ(plan.partition_bytes, 1 << 30);
  EXPECT_EQ(plan.verify, Verify::kReadback);
  EXPECT_EQ(plan.retry.attempts, 3);
  EXPECT_EQ(plan.retry.backoff, std::chrono::seconds(2));
  EXPECT_EQ(plan.retry.backoff_max, std::chrono::seconds(30));
  EXPECT_EQ(plan.retry.deadline, std::chrono::hours(1));
  EXPECT_EQ(plan.hash.size(), 16U);
  EXPECT_THAT(plan.warnings, IsEmpty());
}

TEST(Plan, DefaultsAreThoseOfTheStruct) {
  const Plan plan = Parsed(kSmallest);
  const Plan defaults;
  EXPECT_FALSE(plan.window.has_value());
  EXPECT_FALSE(plan.once);
  EXPECT_EQ(plan.partitions_parallel, defaults.partitions_parallel);
  EXPECT_EQ(plan.windows_parallel, defaults.windows_parallel);
  EXPECT_EQ(plan.memory_bytes, defaults.memory_bytes);
  EXPECT_EQ(plan.partition_bytes, defaults.partition_bytes);
  EXPECT_EQ(plan.verify, defaults.verify);
  EXPECT_EQ(plan.retry.attempts, defaults.retry.attempts);
  EXPECT_EQ(plan.retry.backoff, defaults.retry.backoff);
  EXPECT_EQ(plan.retry.backoff_max, defaults.retry.backoff_max);
  EXPECT_EQ(plan.retry.deadline, defaults.retry.deadline);
}

TEST(Plan, RunOnceHasTwoForms) {
  EXPECT_TRUE(Parsed(std::string(kSmallest) + "run: once\n").once);
  EXPECT_TRUE(Parsed(std::string(kSmallest) + "run: { mode: once }\n").once);
}

TEST(Plan, WindowsHaveAllTheirOptions) {
  const Plan plan =
      Parsed(std::string(kSmallest) +
             "run: { every: hour, column: at, start: \"${env:START}\", end: 2026-01-02, "
             "delay: 2h, lookback: 3, null: 2026-01-01T07 }\n");
  EXPECT_EQ(plan.window->every, Every::kHour);
  EXPECT_EQ(*plan.window->end - plan.window->start, int64_t{24} * 3'600'000'000);
  EXPECT_EQ(plan.window->delay, std::chrono::hours(2));
  EXPECT_EQ(plan.window->lookback, 3);
  EXPECT_EQ(plan.window->null_window, "2026-01-01T07");
}

TEST(Plan, AStageMayBeABareName) {
  const Catalog catalog = [] {
    Catalog made = fake::MakeCatalog();
    made.Add(
        CatalogEntry<Transformer>{.kind = "flatten",
                                  .doc = "",
                                  .spec = {.name = "flatten",
                                           .type = OptionType::kGroup,
                                           .fields = {{.name = "separator", .default_text = "_"}}},
                                  .make = nullptr,
                                  .url_schemes = {},
                                  .from_url = nullptr});
    return made;
  }();
  const Plan plan =
      ValueOf(ParsePlan(fake::MakeSource(std::string(kSmallest) + "transformers:\n  - flatten:\n"),
                        catalog, TestEnvironment()));
  EXPECT_EQ(plan.transformers[0].options.Text("separator"), "_");
}

TEST(Plan, AllProblemsComeInTheOrderOfTheFile) {
  EXPECT_THAT(Problems("loaders:\n"
                       "  - parqet: { path: x }\n"
                       "consumer:\n"
                       "  sqlite: { tabel: x }\n"
                       "run: { every: day, column: at, start: 2026-01-01T05:00 }\n"
                       "memry: 1GiB\n"
                       "retry: { attempts: 0 }\n"),
              ElementsAre("LV1003 1:1", "LV1007 2:5", "LV1003 4:3", "LV1002 4:13", "LV1010 5:39",
                          "LV1002 6:1", "LV1005 7:20"));
}

TEST(Plan, TheFaultNamesTheFirstProblemAndCountsTheOthers) {
  const Status status = Parse("nam: x\n" + std::string(kSmallest) + "memory: 1\n").status();
  const Fault fault = FaultOf(status);
  EXPECT_EQ(fault.code(), FaultCode::kUnknownKey);
  EXPECT_EQ(fault.message(), "unknown key \"nam\" (and 1 more problem)");
  EXPECT_EQ(ExitStatusOf(status), 10);
}

TEST(Plan, AFileIsAMap) {
  for (const char* text : {"", "# nothing\n", "orders\n", "- a\n", "null\n"}) {
    EXPECT_THAT(Parse(text), FailsWith(FaultCode::kWrongType)) << text;
  }
}

TEST(Plan, ProblemsAreRenderedLikeThis) {
  EXPECT_EQ(Render(FaultOf(Parse(With("table: public", "tabel: public")).status()), {}),
            "error[LV1002]: unknown key \"tabel\"\n"
            "  --> orders.yaml:7:5\n"
            "   |\n"
            " 7 |     tabel: public.orders\n"
            "   |     ^^^^^ not an option of consumer \"postgres\"\n"
            "   |\n"
            "   = help: did you mean \"table\"?\n");
}

// ---- what cannot work

TEST(Plan, OnceHasNoWindows) {
  EXPECT_THAT(Problems(std::string(kSmallest) + "run: { mode: once, lookback: 2 }\n"),
              ElementsAre("LV1009 4:30"));
}

TEST(Plan, WindowsNeedAColumn) {
  EXPECT_THAT(Problems(std::string(kSmallest) + "run: { every: day, start: 2026-01-01 }\n"),
              ElementsAre("LV1009 4:15"));
}

TEST(Plan, WindowsInParallelNeedWindows) {
  EXPECT_THAT(Problems(std::string(kSmallest) + "parallel: { windows: 2 }\n"),
              ElementsAre("LV1009 4:22"));
}

TEST(Plan, TwoLoadersShareNoPath) {
  const std::string head = "name: x\nconsumer: { sqlite: { path: a } }\nloaders:\n";
  EXPECT_THAT(Problems(head + "  - parquet: { path: ./lake//orders/ }\n"
                              "  - parquet: { path: lake/orders }\n"),
              ElementsAre("LV1009 5:22"));
  for (const char* outer : {"./lake", "lake/", "."}) {
    EXPECT_THAT(Problems(head + "  - parquet: { path: lake/orders }\n" +
                         "  - parquet: { path: " + outer + " }\n"),
                ElementsAre("LV1009 5:22"))
        << outer;
  }
  for (const char* beside : {"lake/orders_2", "lake/orders/../other", "../lake/orders",
                             "file:///mnt/lake/orders/more"}) {
    EXPECT_THAT(Problems(head + "  - parquet: { path: lake/orders }\n" +
                         "  - parquet: { path: " + beside + " }\n"),
                IsEmpty())
        << beside;
  }
  EXPECT_THAT(Problems(head + "  - parquet: { path: s3://lake/a }\n"
                              "  - parquet: { path: s3://lake/./a/ }\n"),
              ElementsAre("LV1009 5:22"));
  EXPECT_THAT(Problems(head + "  - parquet: { path: lake/orders }\n"
                              "  - parquet: { path: /lake/orders }\n"),
              IsEmpty());
}

TEST(Plan, TheLongestWaitIsNotTheShortest) {
  EXPECT_THAT(Problems(std::string(kSmallest) + "retry: { backoff: 5m }\n"),
              ElementsAre("LV1009 4:19"));
}

// ---- secrets

TEST(Plan, ProblemsShowNoPassword) {
  const Status status =
      Parse(With("dsn: ${env:ORDERS_DSN}\n", "{dsn: 'postgres://me:s3cret@h/db', tabel: x}\n"))
          .status();
  EXPECT_EQ(Render(FaultOf(status), {}).find("s3cret"), std::string::npos);
  const Status other = Parse(std::string(kSmallest) + "dsn: postgres://me:s3cret@h/db\n").status();
  EXPECT_EQ(Render(FaultOf(other), {}).find("s3cret"), std::string::npos);
  EXPECT_EQ(RenderJson(FaultOf(other)).find("s3cret"), std::string::npos);
}

TEST(Plan, TheSourceOfAPlanShowsNoPassword) {
  const Plan plan = Parsed(With("${env:ORDERS_DSN}", "postgres://me:s3cret@h/db"));
  EXPECT_EQ(plan.source->text.find("s3cret"), std::string::npos);
  EXPECT_EQ(ValueOf(plan.consumer.options.Reveal("dsn")).Reveal(), "postgres://me:s3cret@h/db");
}

// ---- warnings

TEST(Plan, WarnsOfAColumnThatUpdatesMove) {
  for (const char* column : {"updated_at", "UpdatedAt", "last_modified", "mtime"}) {
    const Plan plan = Parsed(With("created_at", column));
    ASSERT_EQ(plan.warnings.size(), 1U) << column;
    EXPECT_EQ(plan.warnings[0].severity, Severity::kWarning);
    EXPECT_EQ(plan.warnings[0].span.line, 3U);
    EXPECT_EQ(plan.warnings[0].span.column, 28U);
    EXPECT_THAT(plan.warnings[0].message, HasSubstr(column));
  }
}

TEST(Plan, WarnsOfASecretInTheFile) {
  const Plan plan = Parsed(With("${env:ORDERS_DSN}", "postgres://me:s3cret@h/db"));
  ASSERT_EQ(plan.warnings.size(), 1U);
  EXPECT_EQ(plan.warnings[0].span.line, 6U);
  EXPECT_THAT(Render(plan.warnings[0], {}),
              AllOf(HasSubstr("put the password alone"), Not(HasSubstr("s3cret"))));
  EXPECT_THAT(Parsed(With("${env:ORDERS_DSN}", "postgres://me@h/db")).warnings, IsEmpty());
  EXPECT_THAT(Parsed(With("${env:ORDERS_DSN}", "postgres://me:${env:PW}@h/db")).warnings,
              IsEmpty());
}

// ---- the hash

TEST(PlanHash, IsWrittenDownForOnePlan) {
  // A change of this value means that no published run is recognised any more.
  EXPECT_EQ(CanonicalPlan(Parsed(kSmallest)),
            "{\"consumer\":{\"sqlite\":{\"path\":\"shop.db\",\"table\":\"orders\"}},"
            "\"loaders\":[{\"parquet\":{\"codec\":\"zstd\",\"file_bytes\":536870912,\"level\":1,"
            "\"path\":\"lake\",\"profile\":\"spark-3\"}}],\"name\":\"copy\","
            "\"partition_bytes\":8589934592,\"semantics\":1,\"transformers\":[],\"window\":null}");
  EXPECT_EQ(Parsed(kSmallest).hash, "ed4d504f3ef0698d");
}

TEST(PlanHash, DoesNotChangeWithWhatShapesNoOutput) {
  const std::string hash = Parsed(kOrders).hash;
  const std::pair<const char*, const char*> changes[] = {
      {"# a comment", "# another comment"},
      {"id: order_id", "\"id\": 'order_id'"},
      {"{ by: account_id, size: 500 }", "{ size: 500, by: account_id }"},
      {"profile: spark-3", "profile: spark-3\n      codec: zstd\n      level: 1"},
      {"partition_bytes: 1GiB", "partition_bytes: 1024MiB"},
      {"concurrency: 2", "concurrency: 7"},
      {"parallel: { partitions: 2, windows: 3 }", "parallel: 9"},
      {"memory: 256MiB", "memory: 1GiB"},
      {"verify: readback", "verify: count"},
      {"attempts: 3", "attempts: 4"},
      {"deadline: 1h", "deadline: 2h"},
      {"start: 2026-01-01,", "start: 2025-06-01,"},
      {"start: 2026-01-01,", "start: 2026-01-01, end: 2027-01-01, delay: 2h, lookback: 3,"},
      {"start: 2026-01-01,", "start: 2026-01-01, null: error,"},
      {"table: public.orders", "table: \"${env:TABLE}\""},
      {"table: public.orders", "table: public.orders\n    connect_timeout: 5s"},
      {"cast:   { amount: decimal(18,2) }", "cast: { amount: { type: \"decimal(18,2)\" } }"},
  };
  for (const auto& [from, to] : changes) {
    EXPECT_EQ(Parsed(With(from, to)).hash, hash) << from << " -> " << to;
  }
}

TEST(PlanHash, DoesNotDependOnTheOrderOfKeys) {
  const std::string other =
      "loaders: [{ parquet: { path: lake } }]\n"
      "consumer: { sqlite: { table: orders, path: shop.db } }\n"
      "name: copy\n";
  EXPECT_EQ(Parsed(other).hash, Parsed(kSmallest).hash);
  EXPECT_EQ(Parsed(other + "run: once\n").hash, Parsed(kSmallest).hash);
  EXPECT_EQ(Parsed(other + "transformers: [{ rename: { a: b, c: d } }]\n").hash,
            Parsed(other + "transformers: [{ rename: { c: d, a: b } }]\n").hash);
}

TEST(PlanHash, ChangesWithWhatShapesTheOutput) {
  const std::pair<const char*, const char*> changes[] = {
      {"name: orders", "name: orders2"},
      {"every: day", "every: month"},
      {"column: created_at", "column: paid_at"},
      {"Europe/Lisbon", "UTC"},
      {"start: 2026-01-01,", "start: 2026-01-01, null: 2026-01-01,"},
      {"dsn: ${env:ORDERS_DSN}", "dsn: ${env:OTHER_DSN}"},
      {"table: public.orders", "table: public.orders2"},
      {"size: 500", "size: 501"},
      {"id: order_id", "id: order_no"},
      {"decimal(18,2)", "decimal(18,3)"},
      {"cast:   { amount: decimal(18,2) }",
       "cast: { amount: { type: \"decimal(18,2)\", on_error: discard_row } }"},
      {"path: ./lake/orders", "path: ./lake/orders2"},
      {"layout: \"day={run.start:%Y-%m-%d}\"", "layout: \"d={run.start:%Y-%m-%d}\""},
      {"profile: spark-3", "profile: spark-4"},
      {"profile: spark-3", "profile: spark-3\n      level: 2"},
      {"partition_bytes: 1GiB", "partition_bytes: 2GiB"},
      {"transformers:\n  - rename: { id: order_id }\n  - cast:   { amount: decimal(18,2) }",
       "transformers:\n  - cast:   { amount: decimal(18,2) }\n  - rename: { id: order_id }"},
      {"      concurrency: 2", "      concurrency: 2\n  - parquet: { path: ./lake/copy }"},
  };
  const std::string hash = Parsed(kOrders).hash;
  for (const auto& [from, to] : changes) {
    EXPECT_NE(Parsed(With(from, to)).hash, hash) << from << " -> " << to;
  }
}

TEST(PlanHash, APasswordIsNoPartOfIt) {
  const auto with = [](const char* dsn) { return Parsed(With("${env:ORDERS_DSN}", dsn)); };
  EXPECT_EQ(with("postgres://me:a@h/db").hash, with("postgres://me:b@h/db").hash);
  EXPECT_EQ(with("postgres://me:a@h/db").hash, with("postgres://me:${env:PW}@h/db").hash);
  EXPECT_NE(with("postgres://me:a@h/db").hash, with("postgres://me:a@h/other").hash);
  EXPECT_THAT(CanonicalPlan(with("postgres://me:s3cret@h/db")), Not(HasSubstr("s3cret")));
}

// ---- stages

Result<Stages> Made(const std::string& text) {
  return MakeStages(Parsed(text), fake::MakeCatalog(), StageInput{});
}

TEST(MakeStages, MakesAllOfThem) {
  const Result<Stages> stages = Made(kOrders);
  ASSERT_THAT(stages, IsOk());
  EXPECT_NE(stages->consumer, nullptr);
  EXPECT_EQ(stages->transformers.size(), 2U);
  ASSERT_EQ(stages->loaders.size(), 1U);
  EXPECT_NE(stages->loaders[0], nullptr);
}

TEST(MakeStages, AFailureWithoutAPlacePointsAtTheStage) {
  const Result<Stages> stages = Made(With("    table: public.orders\n", ""));
  ASSERT_THAT(stages, FailsWith(FaultCode::kMissingKey));
  const Diagnostic diagnostic = FaultOf(stages.status()).diagnostics().at(0);
  EXPECT_EQ(diagnostic.span.line, 5U);
  EXPECT_EQ(diagnostic.help, "add table:");
}

TEST(MakeStages, FailuresOfAllStagesComeTogether) {
  const Result<Stages> stages = Made(
      "name: x\nloaders:\n  - parquet: { path: /forbidden }\nconsumer:\n"
      "  sqlite: { path: a, table: b, query: c }\n");
  ASSERT_FALSE(stages.ok());
  const Fault fault = FaultOf(stages.status());
  ASSERT_EQ(fault.diagnostics().size(), 2U);
  EXPECT_EQ(fault.diagnostics()[0].span.line, 3U);
  EXPECT_EQ(fault.diagnostics()[1].span.line, 5U);
}

// ---- the spec

void CheckDocumented(const OptionSpec& spec, const std::string& path) {
  for (const OptionSpec& field : spec.fields) {
    const std::string name = path + "." + field.name;
    EXPECT_FALSE(field.name.empty()) << name;
    EXPECT_FALSE(field.doc.empty()) << name;
    EXPECT_FALSE(field.example.empty()) << name;
    if (field.type == OptionType::kGroup) CheckDocumented(field, name);
  }
}

TEST(PipelineSpec, DocumentsEveryOption) { CheckDocumented(PipelineSpec(), "pipeline"); }

TEST(CatalogDeathTest, TwoStagesOfOneKindAreABug) {
  Catalog catalog = fake::MakeCatalog();
  const CatalogEntry<Loader> entry = *catalog.FindLoader("parquet");
  EXPECT_DEATH(catalog.Add(entry), "two stages");
}

TEST(Catalog, FindsStagesByKind) {
  const Catalog catalog = fake::MakeCatalog();
  EXPECT_NE(catalog.FindConsumer("postgres"), nullptr);
  EXPECT_EQ(catalog.FindConsumer("parquet"), nullptr);
  EXPECT_EQ(catalog.FindTransformer("rename")->kind, "rename");
  EXPECT_EQ(catalog.FindLoader("none"), nullptr);
}

}  // namespace
}  // namespace levada::elt
