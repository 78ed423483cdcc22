#include "transformers/add/add_transformer.h"

#include "elt/transformer_fixture.h"

namespace levada::add {

void Register(elt::Catalog& catalog);

namespace {

using testing::HasSubstr;

elt::BatchPtr Rows() { return elt::MakeBatch({{"id", "int64", "[1, 2]"}}); }

elt::RunInstance Day() {
  elt::RunInstance run;
  run.pipeline = "orders";
  // 2026-03-29 in Lisbon, which has 23 hours.
  run.window =
      elt::Window{1'774'742'400'000'000, 1'774'825'200'000'000, "2026-03-29", "Europe/Lisbon"};
  return run;
}

Result<std::unique_ptr<elt::Transformer>> Make(const std::string& yaml) {
  return elt::MakeTransformer(Register, "add", yaml);
}

Result<elt::Transformed> Added(const std::string& yaml) {
  ARROW_ASSIGN_OR_RAISE(auto transformer, Make(yaml));
  return elt::TransformRows(*transformer, Rows(), Day());
}

TEST(Add, AddsValuesBehindTheOthers) {
  EXPECT_EQ(ValueOf(Added("region: eu\nversion: { value: 3, type: int32 }\nempty: ''\n")).shown,
            "id int64: 1, 2\nregion text: eu, eu\nversion int32: 3, 3\nempty text: , \n");
  EXPECT_EQ(ValueOf(Added("price: { value: 1.5, type: \"decimal(9,2)\" }")).shown,
            "id int64: 1, 2\nprice decimal(9,2): 1.50, 1.50\n");
}

TEST(Add, KnowsTheRun) {
  EXPECT_EQ(ValueOf(Added("day: { value: '{run.start:%F}', type: date }\n"
                          "until: { value: '{run.end:%F %H:%M:%S}', type: 'timestamp(us, UTC)' }\n"
                          "source: '{pipeline}/{run.label} {{x}}'\n"))
                .shown,
            "id int64: 1, 2\nday date: 2026-03-29, 2026-03-29\n"
            "until timestamp(us, UTC): 2026-03-29 23:00:00.000000Z, 2026-03-29 23:00:00.000000Z\n"
            "source text: orders/2026-03-29 {x}, orders/2026-03-29 {x}\n");
}

TEST(Add, ItsColumnsAreNeverNull) {
  const auto bound = ValueOf(ValueOf(Make("a: x"))->Bind(Rows()->schema(), Day()));
  EXPECT_FALSE(bound->schema()->field(1)->nullable());
}

TEST(Add, RefusesWhatCannotBeAdded) {
  EXPECT_THAT(Make("{}"), FailsWith(FaultCode::kBadValue));
  EXPECT_THAT(Make("a: '{run.begin:%F}'"), FailsWith(FaultCode::kBadLayout));
  EXPECT_THAT(Make("a: { value: x, type: int46 }"), FailsWith(FaultCode::kBadValue));
  EXPECT_THAT(Make("a: { value: x, type: int64 }"),
              FailsWith(FaultCode::kBadValue, HasSubstr("expected int64, got \"x\"")));
  EXPECT_THAT(Make("a: { type: int64 }"), FailsWith(FaultCode::kMissingKey));
  EXPECT_THAT(Added("ID: x"), FailsWith(FaultCode::kDuplicateColumn));
  EXPECT_THAT(Added("a: x\nA: y\n"), FailsWith(FaultCode::kDuplicateColumn));
  EXPECT_THAT(ValueOf(Make("a: '{run.label}'"))->Bind(Rows()->schema(), elt::RunInstance{}),
              FailsWith(FaultCode::kBadLayout));
}

}  // namespace
}  // namespace levada::add
