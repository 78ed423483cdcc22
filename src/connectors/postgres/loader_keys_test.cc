// Which unique indexes of a table mode: upsert may go by, as a real server describes them.

#include <arrow/type.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "base/testing.h"
#include "connectors/postgres/loader_options.h"
#include "connectors/postgres/loader_postgres.h"
#include "elt/stages.h"
#include "elt/value.h"
#include "tests/postgres_fixture.h"  // tidy: allow a header of tests

namespace levada::postgres {
namespace {

using testing::HasSubstr;
using tests::PostgresServer;

class LoaderKeysTest : public testing::Test {
 protected:
  static PostgresServer& Server() { return PostgresServer::Shared(); }

  /// What a plan says of rows (id, part) that are upserted by `key` into a table of these
  /// statements.
  Status Plan(const std::string& statements, const std::string& key) {
    Server().NewDatabase(kDatabase);
    Server().Execute(statements, kDatabase);
    const std::string yaml = "{dsn: \"" + Server().Dsn(kDatabase) +
                             "\", table: public.t, mode: upsert, key: [" + key + "]}";
    auto source = std::make_shared<SourceText>(SourceText{"test.yaml", yaml});
    const elt::Value value = ValueOf(elt::ParseYaml(source));
    std::vector<Diagnostic> problems;
    const elt::Options options =
        elt::ValidateOptions(LoaderSpec(), value, "loader \"postgres\"", source,
                             std::make_shared<elt::Environment>(), problems);
    elt::StageInput input;
    input.random = random_.get();
    const auto loader = MakePostgresLoader(ValueOf(ReadLoaderOptions(options)), input);
    elt::RunInstance run;
    run.pipeline = "p";
    const auto schema =
        arrow::schema({arrow::field("id", arrow::int64()), arrow::field("part", arrow::int64())});
    return loader->Bind(ctx_, schema, {}, run).status();
  }

  static constexpr const char* kDatabase = "loader_keys";
  std::unique_ptr<Random> random_ = MakeSeededRandom(1);
  TestContext test_;
  Context ctx_ = test_.context();
};

TEST_F(LoaderKeysTest, AKeyThatMayBeNullIsNone) {
  EXPECT_THAT(Plan("create table t(id int8 not null, part int8, unique (id, part))", "id, part"),
              FailsWith(FaultCode::kImpossiblePlan, HasSubstr("NOT NULL")));
  EXPECT_THAT(
      Plan("create table t(id int8 not null, part int8 not null, unique (part, id))", "id, part"),
      IsOk());
  if (Server().Value("select current_setting('server_version_num')::int >= 150000") == "t") {
    EXPECT_THAT(Plan("create table t(id int8, part int8, unique nulls not distinct (id))", "id"),
                IsOk());
  }
}

TEST_F(LoaderKeysTest, ColumnsAreKnownByTheirNamesOfNow) {
  EXPECT_THAT(
      Plan("create table t(old int8 primary key, part int8); alter table t rename old to id", "id"),
      IsOk());
}

TEST_F(LoaderKeysTest, IndexesOfSomeRowsOrExpressionsAreNone) {
  for (const char* index : {"(id) where part > 0", "(abs(id))", "(id, abs(part))", "(id, part)"}) {
    EXPECT_THAT(Plan("create table t(id int8 not null, part int8 not null); create unique index on "
                     "t " +
                         std::string(index),
                     "id"),
                FailsWith(FaultCode::kImpossiblePlan, HasSubstr("no unique index")))
        << index;
  }
  EXPECT_THAT(Plan("create table t(id int8 not null, part int8); create unique index on t (id) "
                   "include (part)",
                   "id"),
              IsOk());
}

}  // namespace
}  // namespace levada::postgres
