#include "transformers/filter/filter_transformer.h"

#include "elt/transformer_fixture.h"

namespace levada::filter {

void Register(elt::Catalog& catalog);

namespace {

using testing::ElementsAre;
using testing::HasSubstr;

elt::BatchPtr Rows() {
  return elt::MakeBatch({{"id", "int64", "[1, 2, 3, 4]"},
                         {"n", "int64", "[5, 0, null, 20]"},
                         {"t", "text", R"(["a", "b", null, "d"])"}});
}

Result<std::unique_ptr<elt::Transformer>> Make(const std::string& yaml) {
  return elt::MakeTransformer(Register, "filter", yaml);
}

Result<elt::Transformed> Filtered(const std::string& yaml) {
  ARROW_ASSIGN_OR_RAISE(auto transformer, Make(yaml));
  return elt::TransformRows(*transformer, Rows());
}

TEST(Filter, KeepsRowsForWhichTheConditionIsTrue) {
  const auto some = ValueOf(Filtered("n > 1"));
  EXPECT_EQ(some.shown, "id int64: 1, 4\nn int64: 5, 20\nt text: a, d\n");
  EXPECT_EQ(some.mapped.filtered, 2) << "NULL is not true";
  EXPECT_EQ(ValueOf(Filtered("{ where: id < 10 }")).mapped.filtered, 0);
  EXPECT_EQ(ValueOf(Filtered("id > 10")).shown, "id int64:\nn int64:\nt text:\n");
  EXPECT_EQ(ValueOf(Filtered("true")).mapped.batch->num_rows(), 4);
  EXPECT_EQ(ValueOf(Filtered("\"t in ('a', 'b') or n is null\"")).mapped.filtered, 1);
}

TEST(Filter, SaysWhatToDoWithARowWhoseConditionFails) {
  EXPECT_THAT(
      Filtered("div(10, n) > 1"),
      FailsWith(FaultCode::kExpressionFailed, HasSubstr("div(10, n): division by zero (row 2")));
  const auto discarded = ValueOf(Filtered("{ where: \"div(10, n) < 5\", on_error: discard_row }"));
  EXPECT_EQ(discarded.mapped.filtered, 2);
  EXPECT_EQ(discarded.mapped.rejected, 0);
  const auto aside = ValueOf(Filtered("{ where: \"div(10, n) < 5\", on_error: quarantine }"));
  EXPECT_EQ(aside.shown, "id int64: 1, 4\nn int64: 5, 20\nt text: a, d\n");
  EXPECT_EQ(aside.mapped.filtered, 1);
  ASSERT_EQ(aside.rejects.size(), 1u);
  EXPECT_EQ(aside.rejects[0].reason, "div(10, n): division by zero");
  EXPECT_EQ(aside.rejects[0].row_json, R"({"id": 2, "n": 0, "t": "b"})");
}

TEST(Filter, RefusesWhatIsNoCondition) {
  EXPECT_THAT(Make("n >"), FailsWith(FaultCode::kBadExpression));
  EXPECT_THAT(Make("{ where: n > 1, on_error: discard_value }"), FailsWith(FaultCode::kBadValue));
  EXPECT_THAT(Make("{}"), FailsWith(FaultCode::kMissingKey));
  EXPECT_THAT(Filtered("n + 1"), FailsWith(FaultCode::kBadExpression, HasSubstr("int64")));
  EXPECT_THAT(Filtered("m > 1"), FailsWith(FaultCode::kUnknownColumn));
}

TEST(Filter, PointsAtTheWordsThatAreWrong) {
  const auto span = [](const std::string& yaml) {
    const auto result = Filtered(yaml);
    const Diagnostic diagnostic = FaultOf(result.status()).diagnostics().at(0);
    return std::vector<uint32_t>{diagnostic.span.line, diagnostic.span.column,
                                 diagnostic.span.length};
  };
  EXPECT_THAT(span("id > 1 and nn = 2"), ElementsAre(1, 12, 2));
  EXPECT_THAT(span("where: \"id > 1 and nn = 2\""), ElementsAre(1, 20, 2));
  EXPECT_THAT(span("on_error: fail\nwhere: id >> 1\n"), ElementsAre(2, 12, 1));
  const auto folded = Filtered("where: >-\n  id > 1\n  and nn = 2\n");
  const Diagnostic diagnostic = FaultOf(folded.status()).diagnostics().at(0);
  EXPECT_EQ(diagnostic.span.line, 1u);
  EXPECT_THAT(diagnostic.notes, ElementsAre("behind: id > 1 and "));
}

}  // namespace
}  // namespace levada::filter
