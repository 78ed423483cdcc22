#include "transformers/rename/rename_transformer.h"

#include <arrow/json/from_string.h>
#include <arrow/util/key_value_metadata.h>

#include "base/testing.h"
#include "elt/catalog.h"
#include "elt/value.h"

namespace levada::rename {

void Register(elt::Catalog& catalog);

namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Result<std::unique_ptr<elt::Transformer>> Make(const std::string& yaml) {
  elt::Catalog catalog;
  Register(catalog);
  auto source = std::make_shared<const SourceText>(SourceText{"test.yaml", yaml});
  ARROW_ASSIGN_OR_RAISE(elt::Value value, elt::ParseYaml(source));
  const auto* entry = catalog.FindTransformer("rename");
  std::vector<Diagnostic> diagnostics;
  elt::Options options = elt::ValidateOptions(
      entry->spec, value, "transformer \"rename\"", source,
      std::make_shared<const elt::Environment>(elt::ProcessEnvironment()), diagnostics);
  if (!diagnostics.empty()) {
    return Fault(diagnostics[0].code, diagnostics[0].message).At(diagnostics);
  }
  return entry->make(options, elt::StageInput());
}

elt::SchemaPtr Input() {
  return arrow::schema({arrow::field("id", arrow::int64(), false),
                        arrow::field("qty", arrow::int8()), arrow::field("note", arrow::utf8())},
                       arrow::key_value_metadata({{"k", "v"}}));
}

Result<std::unique_ptr<elt::BoundTransformer>> Bind(const std::string& yaml) {
  return ValueOf(Make(yaml))->Bind(Input(), elt::RunInstance{});
}

std::vector<std::string> NamesAfter(const std::string& yaml) {
  return ValueOf(Bind(yaml))->schema()->field_names();
}

std::vector<Diagnostic> Problems(const std::string& yaml) {
  const auto bound = Bind(yaml);
  EXPECT_FALSE(bound.ok());
  return bound.ok() ? std::vector<Diagnostic>() : FaultOf(bound.status()).diagnostics();
}

TEST(Rename, ChangesNamesAndNothingElse) {
  auto bound = ValueOf(Bind("{ id: order_id, note: Ünï }"));
  EXPECT_THAT(bound->schema()->field_names(), ElementsAre("order_id", "qty", "Ünï"));
  EXPECT_FALSE(bound->schema()->field(0)->nullable());
  EXPECT_EQ(bound->schema()->metadata()->Get("k").ValueOr(""), "v");
  TestContext surroundings;
  Context ctx = surroundings.context();
  elt::RejectBuffer rejects;
  auto column = [](const auto& type, const char* json) {
    return ValueOf(arrow::json::ArrayFromJSONString(type, json));
  };
  auto batch = arrow::RecordBatch::Make(
      Input(), 2,
      {column(arrow::int64(), "[1, 2]"), column(arrow::int8(), "[null, 3]"),
       column(arrow::utf8(), R"(["a", ""])")});
  const elt::Mapped mapped = ValueOf(bound->Map(ctx, batch, rejects));
  EXPECT_TRUE(mapped.batch->schema()->Equals(*bound->schema()));
  EXPECT_EQ(mapped.batch->column(0), batch->column(0)) << "no copy";
  EXPECT_EQ(mapped.filtered + mapped.rejected, 0);
}

TEST(Rename, MaySwapNamesAndChangeCase) {
  EXPECT_THAT(NamesAfter("{ id: qty, qty: id }"), ElementsAre("qty", "id", "note"));
  EXPECT_THAT(NamesAfter("{ id: ID }"), ElementsAre("ID", "qty", "note"));
  EXPECT_THAT(NamesAfter("{ id: id }"), ElementsAre("id", "qty", "note"));
}

TEST(Rename, ReportsEveryUnknownColumnWhereItIsWritten) {
  const auto problems = Problems("idd: a\nqty: b\nNOTE: c\n");
  ASSERT_EQ(problems.size(), 2u);
  EXPECT_EQ(problems[0].code, FaultCode::kUnknownColumn);
  EXPECT_EQ(problems[0].span.line, 1u);
  EXPECT_EQ(problems[0].span.column, 1u);
  EXPECT_THAT(problems[0].help, HasSubstr("\"id\""));
  EXPECT_EQ(problems[1].span.line, 3u);
  EXPECT_THAT(problems[1].help, HasSubstr("\"note\""));
}

TEST(Rename, ReportsNamesThatWouldMeet) {
  auto problems = Problems("id: note");
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_EQ(problems[0].code, FaultCode::kDuplicateColumn);
  EXPECT_THAT(problems[0].message, HasSubstr("\"id\" and \"note\""));
  EXPECT_EQ(problems[0].span.column, 5u);
  EXPECT_EQ(Problems("{ id: x, qty: X }").size(), 1u) << "also when only their case differs";
  EXPECT_EQ(Problems("{ id: x, qty: x, note: x }").size(), 2u);
}

TEST(Rename, RefusesBodiesThatSayNothing) {
  EXPECT_THAT(Make("{}"), FailsWith(FaultCode::kBadValue));
  EXPECT_THAT(Make("{ id: \"\" }"), FailsWith(FaultCode::kBadValue));
  EXPECT_THAT(Make("{ id: [a] }"), FailsWith(FaultCode::kWrongType));
  EXPECT_THAT(Make("{ id: a, id: b }"), FailsWith(FaultCode::kDuplicateKey));
}

}  // namespace
}  // namespace levada::rename
