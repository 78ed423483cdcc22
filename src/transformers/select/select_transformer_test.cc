#include "transformers/select/select_transformer.h"

#include "elt/transformer_fixture.h"

namespace levada::select {

void Register(elt::Catalog& catalog);

namespace {

using testing::HasSubstr;

Result<elt::Transformed> Selected(const std::string& yaml) {
  ARROW_ASSIGN_OR_RAISE(auto transformer, elt::MakeTransformer(Register, "select", yaml));
  return elt::TransformRows(*transformer, elt::MakeBatch({{"a", "int64", "[1, 2]"},
                                                          {"b", "text", R"(["x", null])"},
                                                          {"c", "bool", "[true, false]"}}));
}

TEST(Select, KeepsColumnsInTheirNewOrder) {
  EXPECT_EQ(ValueOf(Selected("columns: [c, a]")).shown, "c bool: true, false\na int64: 1, 2\n");
  EXPECT_EQ(ValueOf(Selected("except: [b]")).shown, "a int64: 1, 2\nc bool: true, false\n");
}

TEST(Select, RefusesWhatItCannotDo) {
  EXPECT_THAT(Selected("{}"), FailsWith(FaultCode::kBadValue));
  EXPECT_THAT(Selected("columns: [a]\nexcept: [b]\n"), FailsWith(FaultCode::kBadValue));
  EXPECT_THAT(Selected("columns: [d]"), FailsWith(FaultCode::kUnknownColumn, HasSubstr("\"d\"")));
  EXPECT_THAT(Selected("columns: [A]"), FailsWith(FaultCode::kUnknownColumn));
  EXPECT_THAT(Selected("columns: [a, a]"), FailsWith(FaultCode::kDuplicateColumn));
  EXPECT_THAT(Selected("except: [a, b, c]"), FailsWith(FaultCode::kBadValue));
  EXPECT_THAT(Selected("columns: []"), FailsWith(FaultCode::kBadValue));
}

}  // namespace
}  // namespace levada::select
