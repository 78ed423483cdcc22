#include "transformers/dedupe/dedupe_transformer.h"

#include "elt/transformer_fixture.h"

namespace levada::dedupe {

void Register(elt::Catalog& catalog);

namespace {

using testing::HasSubstr;

elt::BatchPtr Rows() {
  return elt::MakeBatch({{"id", "int64", "[1, 2, 1, 3, 2]"},
                         {"at", "timestamp", R"(["2026-01-02", "2026-01-09", "2026-01-01",
                                                 "2026-01-01", "2026-01-09"])"},
                         {"t", "text", R"(["a", "b", "c", "d", "e"])"}});
}

Result<std::unique_ptr<elt::Transformer>> Make(const std::string& yaml) {
  return elt::MakeTransformer(Register, "dedupe", yaml);
}

Result<elt::Transformed> Deduped(const std::string& yaml) {
  ARROW_ASSIGN_OR_RAISE(auto transformer, Make(yaml));
  return elt::PassRows(*transformer, {Rows()->Slice(0, 2), Rows()->Slice(2)});
}

TEST(Dedupe, LetsOneRowOfEachKeyGoOn) {
  EXPECT_THAT(ValueOf(Deduped("{ key: [id] }")).shown, HasSubstr("t text: a, b, d\n"));
  EXPECT_THAT(ValueOf(Deduped("{ key: [id], keep: last }")).shown, HasSubstr("t text: c, d, e\n"));
  EXPECT_THAT(ValueOf(Deduped("{ key: [id], order: at }")).shown, HasSubstr("t text: b, c, d\n"));
  EXPECT_THAT(ValueOf(Deduped("{ key: [id], keep: last, order: at }")).shown,
              HasSubstr("t text: a, d, e\n"));
  const auto all = ValueOf(Deduped("{ key: [id, t] }"));
  EXPECT_EQ(all.mapped.batch->num_rows(), 5);
  EXPECT_EQ(all.mapped.filtered, 0);
  EXPECT_EQ(ValueOf(Deduped("{ key: [id], memory: 1MiB }")).mapped.filtered, 2);
}

TEST(Dedupe, ItsMemoryIsInThePlansSum) {
  const auto bound = ValueOf(
      ValueOf(Make("{ key: [id], memory: 10MiB }"))->Bind(Rows()->schema(), elt::RunInstance{}));
  EXPECT_GE(bound->pass_bytes(), 10 << 20);
}

TEST(Dedupe, RefusesWhatMakesNoKey) {
  EXPECT_THAT(Make("{}"), FailsWith(FaultCode::kMissingKey));
  EXPECT_THAT(Make("{ key: [] }"), FailsWith(FaultCode::kBadValue));
  EXPECT_THAT(Make("{ key: [id], keep: any }"), FailsWith(FaultCode::kBadValue));
  EXPECT_THAT(Make("{ key: [id], memory: 1KiB }"), FailsWith(FaultCode::kBadValue));
  EXPECT_THAT(Deduped("{ key: [ID] }"), FailsWith(FaultCode::kUnknownColumn, HasSubstr("\"ID\"")));
  EXPECT_THAT(Deduped("{ key: [id, id] }"), FailsWith(FaultCode::kDuplicateColumn));
  EXPECT_THAT(Deduped("{ key: [id], order: nn }"), FailsWith(FaultCode::kUnknownColumn));
}

}  // namespace
}  // namespace levada::dedupe
