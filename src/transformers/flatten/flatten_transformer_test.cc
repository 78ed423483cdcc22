#include "transformers/flatten/flatten_transformer.h"

#include "elt/transformer_fixture.h"

namespace levada::flatten {

void Register(elt::Catalog& catalog);

namespace {

using testing::HasSubstr;

Result<elt::Transformed> Flattened(const std::string& yaml) {
  ARROW_ASSIGN_OR_RAISE(auto transformer, elt::MakeTransformer(Register, "flatten", yaml));
  return elt::TransformRows(
      *transformer,
      elt::MakeBatch(
          {{"id", "int64", "[1, 2, 3, 4]"},
           {"doc", "text",
            R"(["{\"n\": 1.10, \"s\": \"x\", \"l\": [1]}", "{\"n\": \"2\"}", null, "{\"n\": true, \"s\": null}"])"},
           {"z", "bool", "[true, true, true, true]"}}));
}

TEST(Flatten, MakesColumnsOfValues) {
  EXPECT_EQ(ValueOf(Flattened("column: doc\nfields: { s: s, list: l, first: \"l[0]\" }\n")).shown,
            "id int64: 1, 2, 3, 4\nz bool: true, true, true, true\ns text: x, null, null, null\n"
            "list text: [1], null, null, null\nfirst text: 1, null, null, null\n");
  EXPECT_THAT(ValueOf(Flattened("{ column: doc, fields: { s: s }, keep: true }")).shown,
              HasSubstr("doc text: {\"n\": 1.10"));
  EXPECT_THAT(ValueOf(Flattened("{ column: doc, fields: { doc: s } }")).shown,
              HasSubstr("doc text: x, null, null, null\n"))
      << "the name is free again";
}

TEST(Flatten, ConvertsExactlyOrNotAtAll) {
  const std::string n = "{ column: doc, fields: { n: { path: n, type: \"decimal(9,2)\" } }";
  EXPECT_THAT(Flattened(n + " }"), FailsWith(FaultCode::kCastFailed, HasSubstr("column \"n\"")));
  EXPECT_THAT(Flattened(n + " }"), FailsWith(FaultCode::kCastFailed, HasSubstr("row 4")));
  EXPECT_THAT(ValueOf(Flattened(n + ", on_error: discard_value }")).shown,
              HasSubstr("n decimal(9,2): 1.10, 2.00, null, null"));
  const auto discarded = ValueOf(Flattened(n + ", on_error: discard_row }"));
  EXPECT_EQ(discarded.mapped.filtered, 1);
  const auto aside = ValueOf(Flattened(n + ", on_error: quarantine }"));
  ASSERT_EQ(aside.rejects.size(), 1u);
  EXPECT_EQ(aside.rejects[0].stage, "flatten");
  EXPECT_EQ(aside.rejects[0].column, "n");
  EXPECT_THAT(aside.rejects[0].reason, HasSubstr("not decimal(9,2): "));
}

TEST(Flatten, TellsBrokenDocuments) {
  const auto transformer = ValueOf(elt::MakeTransformer(
      Register, "flatten", "{ column: doc, fields: { a: a }, on_error: quarantine }"));
  const auto done = ValueOf(elt::TransformRows(
      *transformer, elt::MakeBatch({{"doc", "text", R"(["{\"a\": 1", "", "{\"a\": 2}"])"}})));
  EXPECT_EQ(done.shown, "a text: 2\n");
  ASSERT_EQ(done.rejects.size(), 2u);
  EXPECT_EQ(done.rejects[0].column, "doc");
  EXPECT_EQ(done.rejects[0].reason, "not JSON");
  EXPECT_EQ(done.rejects[1].reason, "an empty text");
}

TEST(Flatten, RefusesWhatItCannotDo) {
  EXPECT_THAT(Flattened("{ column: docs, fields: { a: a } }"),
              FailsWith(FaultCode::kUnknownColumn));
  EXPECT_THAT(Flattened("{ column: id, fields: { a: a } }"), FailsWith(FaultCode::kBadCast));
  EXPECT_THAT(Flattened("{ column: doc, fields: { Z: a } }"),
              FailsWith(FaultCode::kDuplicateColumn));
  EXPECT_THAT(Flattened("{ column: doc, fields: { a: a, A: b } }"),
              FailsWith(FaultCode::kDuplicateColumn));
  EXPECT_THAT(Flattened("{ column: doc, fields: { a: \"a[\" } }"), FailsWith(FaultCode::kBadValue));
  EXPECT_THAT(Flattened("{ column: doc, fields: { a: { path: a, type: number } } }"),
              FailsWith(FaultCode::kBadValue));
  EXPECT_THAT(Flattened("{ column: doc, fields: {} }"), FailsWith(FaultCode::kBadValue));
  EXPECT_THAT(Flattened("{ fields: { a: a } }"), FailsWith(FaultCode::kMissingKey));
}

}  // namespace
}  // namespace levada::flatten
