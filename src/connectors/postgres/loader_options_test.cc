#include "connectors/postgres/loader_options.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "base/testing.h"
#include "elt/value.h"

namespace levada::postgres {
namespace {

Result<LoaderOptions> OptionsOf(const std::string& yaml) {
  auto source = std::make_shared<SourceText>(SourceText{"test.yaml", yaml});
  ARROW_ASSIGN_OR_RAISE(const elt::Value value, elt::ParseYaml(source));
  std::vector<Diagnostic> problems;
  const elt::Options options =
      elt::ValidateOptions(LoaderSpec(), value, "loader \"postgres\"", source,
                           std::make_shared<elt::Environment>(), problems);
  if (!problems.empty()) return Fault(problems[0].code, problems[0].message).At(problems);
  return ReadLoaderOptions(options);
}

TEST(LoaderOptions, ReplaceUnlessTheySaySomethingElse) {
  const LoaderOptions read = ValueOf(OptionsOf("table: public.orders"));
  EXPECT_EQ(read.mode, LoadMode::kReplace);
  EXPECT_TRUE(read.create);
  EXPECT_EQ(read.table, (TableName{"public", "orders"}));
}

TEST(LoaderOptions, RefuseWhatMakesNoSense) {
  EXPECT_THAT(OptionsOf("mode: append"), FailsWith(FaultCode::kMissingKey));
  EXPECT_THAT(OptionsOf("table: a.b.c"), FailsWith(FaultCode::kBadValue));
  EXPECT_THAT(OptionsOf("{table: t, mode: upsert}"), FailsWith(FaultCode::kImpossiblePlan));
  EXPECT_THAT(OptionsOf("{table: t, key: [a, a]}"), FailsWith(FaultCode::kDuplicateColumn));
  EXPECT_THAT(OptionsOf("{table: t, mode: truncate}"), FailsWith(FaultCode::kBadValue));
}

TEST(LoaderOptions, ComeFromAUrl) {
  const elt::WrittenOptions written = ValueOf(LoaderOptionsFromUrl(
      "postgres://me@host/db?table=public.orders&sslmode=require&mode=append"));
  EXPECT_EQ(written, (elt::WrittenOptions{{"dsn", "postgres://me@host/db?sslmode=require"},
                                          {"table", "public.orders"},
                                          {"mode", "append"}}));
  EXPECT_THAT(LoaderOptionsFromUrl("postgres://host/db"), FailsWith(FaultCode::kBadCommandLine));
  const Status secret = LoaderOptionsFromUrl("postgres://me:pw@host/db").status();
  EXPECT_EQ(FaultOf(secret).message().find("pw"), std::string::npos);
}

}  // namespace
}  // namespace levada::postgres
