#include "transformers/derive/derive_transformer.h"

#include "elt/transformer_fixture.h"

namespace levada::derive {

void Register(elt::Catalog& catalog);

namespace {

using testing::ElementsAre;
using testing::HasSubstr;

elt::BatchPtr Rows() {
  return elt::MakeBatch({{"id", "int64", "[1, 2, 3]"},
                         {"price", "decimal(9,2)", R"(["1.50", "2.00", null])"},
                         {"n", "int64", "[2, 0, 4]"},
                         {"t", "text", R"(["12", "x", "7"])"}});
}

Result<std::unique_ptr<elt::Transformer>> Make(const std::string& yaml) {
  return elt::MakeTransformer(Register, "derive", yaml);
}

Result<elt::Transformed> Derived(const std::string& yaml) {
  ARROW_ASSIGN_OR_RAISE(auto transformer, Make(yaml));
  return elt::TransformRows(*transformer, Rows());
}

TEST(Derive, AddsColumnsBehindTheOthersAndReplacesInPlace) {
  EXPECT_EQ(ValueOf(Derived("total: price * n\nt: \"'<' || t || '>'\"\nk: \"1\"\n")).shown,
            "id int64: 1, 2, 3\nprice decimal(9,2): 1.50, 2.00, null\nn int64: 2, 0, 4\n"
            "t text: <12>, <x>, <7>\ntotal decimal(29,2): 3.00, 0.00, null\nk int64: 1, 1, 1\n");
}

TEST(Derive, SeesColumnsAsTheyReachTheStage) {
  EXPECT_EQ(ValueOf(Derived("id: n\nn: id\nsum: id + n\n")).shown,
            "id int64: 2, 0, 4\nprice decimal(9,2): 1.50, 2.00, null\nn int64: 1, 2, 3\n"
            "t text: 12, x, 7\nsum int64: 3, 2, 7\n");
}

TEST(Derive, KnowsWhatCanBeNull) {
  TestContext surroundings;
  const auto never = arrow::schema({arrow::field("id", arrow::int64(), false)});
  const auto make =
      ValueOf(Make("a: id + 1\nb: { expression: \"div(1, id)\", on_error: discard_value }\n"));
  const auto bound = ValueOf(make->Bind(never, elt::RunInstance{}));
  EXPECT_FALSE(bound->schema()->field(1)->nullable());
  EXPECT_TRUE(bound->schema()->field(2)->nullable());
}

TEST(Derive, SaysWhatToDoWhereThereIsNoValue) {
  EXPECT_THAT(
      Derived("a: \"div(id, n)\""),
      FailsWith(FaultCode::kExpressionFailed,
                HasSubstr("column \"a\": div(id, n): division by zero (row 2 of its batch)")));
  EXPECT_THAT(Derived("a: t::int64\nb: \"div(id, n)\"\n"), FailsWith(FaultCode::kExpressionFailed));
  EXPECT_THAT(ValueOf(Derived("a: { expression: \"div(id, n)\", on_error: discard_value }")).shown,
              HasSubstr("a int64: 0, null, 0"));
  const auto discarded =
      ValueOf(Derived("a: { expression: \"div(id, n)\", on_error: discard_row }"));
  EXPECT_EQ(discarded.mapped.filtered, 1);
  EXPECT_THAT(discarded.shown, HasSubstr("id int64: 1, 3"));
  const auto aside =
      ValueOf(Derived("a: { expression: \"t::int64\", on_error: quarantine }\nb: { expression: "
                      "\"div(id, n)\", on_error: discard_row }"));
  EXPECT_EQ(aside.mapped.rejected, 1) << "to keep aside is stronger than to leave out";
  EXPECT_EQ(aside.mapped.filtered, 0);
  ASSERT_EQ(aside.rejects.size(), 1u);
  EXPECT_EQ(aside.rejects[0].column, "a");
  EXPECT_THAT(aside.rejects[0].reason, HasSubstr("t::int64: "));
  EXPECT_THAT(aside.rejects[0].row_json, HasSubstr("\"t\": \"x\""));
}

TEST(Derive, RefusesWhatCannotBeDerived) {
  EXPECT_THAT(Make("{}"), FailsWith(FaultCode::kBadValue));
  EXPECT_THAT(Make("a: 'b +'"), FailsWith(FaultCode::kBadExpression));
  EXPECT_THAT(Derived("a: 'null'"), FailsWith(FaultCode::kBadExpression));
  EXPECT_THAT(Derived("ID: n"), FailsWith(FaultCode::kDuplicateColumn));
  EXPECT_THAT(Derived("a: n\nA: n\n"), FailsWith(FaultCode::kDuplicateColumn));
  const auto several = Derived("a: nn\nb: t + 1\n");
  EXPECT_EQ(FaultOf(several.status()).diagnostics().size(), 2u);
  EXPECT_EQ(FaultOf(several.status()).diagnostics()[1].span.line, 2u);
}

}  // namespace
}  // namespace levada::derive
