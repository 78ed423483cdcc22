#include "transformers/cast/cast_transformer.h"

#include <arrow/util/key_value_metadata.h>

#include "conversions/conversion_fixture.h"
#include "elt/transformer_fixture.h"

namespace levada::cast {

void Register(elt::Catalog& catalog);

namespace {

using conversions::ArrayOf;

Result<std::unique_ptr<elt::Transformer>> MakeCast(const std::string& yaml) {
  return elt::MakeTransformer(Register, "cast", yaml);
}

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

elt::SchemaPtr Input() {
  return arrow::schema(
      {arrow::field("id", arrow::int64(), false), arrow::field("amount", arrow::utf8()),
       arrow::field("day", arrow::utf8()), arrow::field("tags", arrow::list(arrow::utf8()))},
      arrow::key_value_metadata({{"k", "v"}}));
}

elt::BatchPtr Batch(const std::string& ids, const std::string& amounts, const std::string& days) {
  const auto id = ArrayOf("int64", ids);
  std::string tags;
  for (int64_t i = 0; i < id->length(); ++i) tags += (i > 0 ? ", " : "") + std::string("[\"x\"]");
  return arrow::RecordBatch::Make(
      Input(), id->length(),
      {id, ArrayOf("text", amounts), ArrayOf("text", days),
       ValueOf(arrow::json::ArrayFromJSONString(arrow::list(arrow::utf8()), "[" + tags + "]"))});
}

class CastTransformerTest : public testing::Test {
 protected:
  Result<std::unique_ptr<elt::BoundTransformer>> Bind(const std::string& yaml) {
    ARROW_ASSIGN_OR_RAISE(transformer_, MakeCast(yaml));
    return transformer_->Bind(Input(), elt::RunInstance{});
  }
  Result<elt::Mapped> Map(const std::string& yaml, const elt::BatchPtr& batch) {
    ARROW_ASSIGN_OR_RAISE(auto bound, Bind(yaml));
    Context ctx = surroundings_.context();
    ARROW_ASSIGN_OR_RAISE(elt::Mapped mapped, bound->Map(ctx, batch, rejects_));
    EXPECT_THAT(mapped.batch->ValidateFull(), IsOk());
    EXPECT_TRUE(mapped.batch->schema()->Equals(*bound->schema(), /*check_metadata=*/true));
    EXPECT_EQ(mapped.batch->num_rows() + mapped.filtered + mapped.rejected, batch->num_rows());
    return mapped;
  }
  static std::string Column(const elt::Mapped& mapped, const std::string& name) {
    return conversions::Shown(conversions::CastColumn{mapped.batch->GetColumnByName(name), {}});
  }
  std::vector<Diagnostic> Problems(const std::string& yaml) {
    const Status status = Bind(yaml).status();
    EXPECT_FALSE(status.ok()) << yaml;
    return status.ok() ? std::vector<Diagnostic>() : FaultOf(status).diagnostics();
  }

  TestContext surroundings_;
  elt::RejectBuffer rejects_;
  std::unique_ptr<elt::Transformer> transformer_;
};

TEST_F(CastTransformerTest, ChangesTheColumnsItNamesAndNothingElse) {
  auto bound = ValueOf(Bind("{ amount: \"decimal(9,2)\", id: int32 }"));
  EXPECT_EQ(bound->schema()->ToString(/*show_metadata=*/false),
            "id: int32 not null\namount: decimal128(9, 2)\nday: string\n"
            "tags: list<item: string>");
  EXPECT_EQ(bound->schema()->metadata()->Get("k").ValueOr(""), "v");
  const auto batch = Batch("[1, 2]", R"(["1.5", null])", R"(["x", "y"])");
  const auto mapped = ValueOf(Map("{ amount: \"decimal(9,2)\", id: int32 }", batch));
  EXPECT_EQ(Column(mapped, "id"), "1, 2");
  EXPECT_EQ(Column(mapped, "amount"), "1.50, null");
  EXPECT_EQ(mapped.batch->column(3), batch->column(3)) << "what is not cast is not touched";
}

TEST_F(CastTransformerTest, NamesEveryColumnProblemAtItsPlace) {
  const auto problems = Problems(
      "amuont: int64\nid: date\ntags: text\nday: { type: int64, format: \"%d.%m.%Y\" }\n"
      "zzzzzzzz: text");
  ASSERT_EQ(problems.size(), 5u);
  EXPECT_EQ(problems[0].code, FaultCode::kUnknownColumn);
  EXPECT_THAT(problems[0].message, HasSubstr("\"amuont\""));
  EXPECT_THAT(problems[0].help, HasSubstr("\"amount\""));
  EXPECT_EQ(problems[0].span.line, 1u);
  EXPECT_EQ(problems[1].code, FaultCode::kBadCast);
  EXPECT_THAT(problems[1].message, HasSubstr("\"id\": no cast from int64 to date"));
  EXPECT_EQ(problems[1].span.line, 2u);
  EXPECT_EQ(problems[1].span.column, 5u) << "where the type stands";
  EXPECT_THAT(problems[2].message, HasSubstr("\"tags\": no cast from list"));
  EXPECT_THAT(problems[3].message, HasSubstr("format is for texts"));
  EXPECT_THAT(problems[4].help, HasSubstr("known: "));
}

TEST_F(CastTransformerTest, RefusesWordsThatMeanNothing) {
  const auto refused = [](const std::string& yaml) { return MakeCast(yaml).status(); };
  Status status = refused("{ id: varchar, amount: in64, day: \"decimal(77,0)\" }");
  EXPECT_THAT(status, FailsWith(FaultCode::kBadValue));
  const auto diagnostics = FaultOf(status).diagnostics();
  ASSERT_EQ(diagnostics.size(), 3u) << "all at once";
  EXPECT_THAT(diagnostics[0].message, HasSubstr("column \"id\": \"varchar\" is not a type"));
  EXPECT_THAT(diagnostics[0].help, HasSubstr("text"));
  EXPECT_THAT(diagnostics[1].help, HasSubstr("\"int64\""));
  EXPECT_THAT(diagnostics[2].help, HasSubstr("p from 1 to 76"));
  EXPECT_EQ(diagnostics[1].span.line, 1u);
  EXPECT_THAT(refused("{ id: { type: int8, on_error: ignore } }"), FailsWith(FaultCode::kBadValue));
  EXPECT_THAT(refused("{ id: { tipe: int8 } }"), FailsWith(FaultCode::kUnknownKey));
  EXPECT_THAT(refused("{ id: { on_error: fail } }"), FailsWith(FaultCode::kMissingKey));
  EXPECT_THAT(refused("{ id: { type: date, format: \"%Q\" } }"), FailsWith(FaultCode::kBadValue));
  EXPECT_THAT(refused("{ id: { type: timestamp, timezone: Europe/Lisbn } }"),
              FailsWith(FaultCode::kBadValue, HasSubstr("no time zone")));
  EXPECT_THAT(refused("{}"), FailsWith(FaultCode::kBadValue, HasSubstr("nothing to cast")));
}

TEST_F(CastTransformerTest, FailsAtTheFirstRowThatHasNoCounterpart) {
  const auto batch = Batch("[1, 2, 300]", R"(["1", "2", "3"])", R"(["2026-01-01", "secret", "x"])");
  const Status status = Map("{ id: int8, day: date }", batch).status();
  EXPECT_THAT(status, FailsWith(FaultCode::kCastFailed, HasSubstr("column \"day\"")));
  const Fault fault = FaultOf(status);
  EXPECT_EQ(fault.Detail("column"), "day") << "though the other column stands before it";
  EXPECT_EQ(fault.Detail("batch_row"), "2");
  EXPECT_THAT(fault.message(), HasSubstr("text and 6 bytes"));
  EXPECT_THAT(fault.help(), HasSubstr("on_error"));
  EXPECT_THAT(status.ToString(), Not(HasSubstr("secret"))) << "values of rows stay out of logs";
  EXPECT_EQ(rejects_.size(), 0u);
}

TEST_F(CastTransformerTest, DiscardsValues) {
  const auto batch = Batch("[1, 300]", R"(["x", "2"])", R"(["a", null])");
  const auto mapped =
      ValueOf(Map("{ id: { type: int8, on_error: discard_value }, amount: { type: int8, on_error: "
                  "discard_value } }",
                  batch));
  EXPECT_EQ(Column(mapped, "id"), "1, null");
  EXPECT_EQ(Column(mapped, "amount"), "null, 2");
  EXPECT_TRUE(mapped.batch->schema()->field(0)->nullable()) << "it was not null before";
  EXPECT_EQ(mapped.filtered + mapped.rejected, 0);
}

TEST_F(CastTransformerTest, DiscardsRows) {
  const auto batch =
      Batch("[1, 2, 3, 4, 5]", R"(["x", "2", null, "y", "5"])", R"(["a", "b", "c", "d", "e"])");
  const auto mapped = ValueOf(Map("{ amount: { type: int8, on_error: discard_row } }", batch));
  EXPECT_EQ(Column(mapped, "id"), "2, 3, 5");
  EXPECT_EQ(Column(mapped, "amount"), "2, null, 5") << "NULL is no failure";
  EXPECT_EQ(mapped.filtered, 2);
  EXPECT_EQ(mapped.rejected, 0);
  EXPECT_EQ(rejects_.size(), 0u);
  const auto none = ValueOf(Map("{ day: { type: int8, on_error: discard_row } }", batch));
  EXPECT_EQ(none.batch->num_rows(), 0) << "all of them";
  EXPECT_EQ(none.filtered, 5);
}

TEST_F(CastTransformerTest, PutsRowsAsideAsTheyCame) {
  const auto batch = Batch("[1, 300, 3]", R"(["x", "2", null])", R"(["a", "b", "c"])");
  const auto mapped =
      ValueOf(Map("{ id: { type: int8, on_error: quarantine }, amount: { type: int8, on_error: "
                  "quarantine } }",
                  batch));
  EXPECT_EQ(Column(mapped, "id"), "3");
  EXPECT_EQ(mapped.rejected, 2);
  EXPECT_EQ(mapped.filtered, 0);
  const auto rejects = rejects_.Take();
  ASSERT_EQ(rejects.size(), 2u) << "in the order of rows";
  EXPECT_EQ(rejects[0].stage, "cast");
  EXPECT_EQ(rejects[0].column, "amount");
  EXPECT_EQ(rejects[0].reason, "not int8: not an integer");
  EXPECT_EQ(rejects[0].row_json, R"({"id": 1, "amount": "x", "day": "a", "tags": ["x"]})");
  EXPECT_EQ(rejects[1].reason, "not int8: out of range");
  EXPECT_EQ(rejects[1].row_json, R"({"id": 300, "amount": "2", "day": "b", "tags": ["x"]})");
}

TEST_F(CastTransformerTest, KeepsARowAsideOnceAndRatherThanLosingIt) {
  const auto batch = Batch("[300, 300, 1]", R"(["x", "2", "x"])", R"(["x", "2", "3"])");
  const auto mapped = ValueOf(
      Map("{ id: { type: int8, on_error: discard_row }, amount: { type: int8, on_error: quarantine "
          "}, day: { type: int8, on_error: quarantine } }",
          batch));
  EXPECT_EQ(mapped.batch->num_rows(), 0);
  EXPECT_EQ(mapped.filtered, 1) << "the second row";
  EXPECT_EQ(mapped.rejected, 2);
  const auto rejects = rejects_.Take();
  ASSERT_EQ(rejects.size(), 2u);
  EXPECT_EQ(rejects[0].column, "amount") << "its first reason to be put aside";
}

TEST_F(CastTransformerTest, MapsNothingAndPartsOfBatches) {
  const auto batch = Batch("[9, 9, 1, 300, 3, 9]", R"(["x", "x", "1", "2", null, "x"])",
                           R"(["a", "b", "c", "d", "e", "f"])");
  const std::string yaml =
      "{ id: { type: int8, on_error: quarantine }, amount: { type: int8, on_error: discard_row } }";
  const auto part = ValueOf(Map(yaml, batch->Slice(2, 3)));
  EXPECT_EQ(Column(part, "id"), "1, 3");
  EXPECT_EQ(Column(part, "amount"), "1, null");
  EXPECT_EQ(Column(part, "day"), "c, e");
  EXPECT_EQ(Column(part, "tags"), "list<item: string>[x], list<item: string>[x]");
  EXPECT_EQ(rejects_.Take().at(0).row_json,
            R"({"id": 300, "amount": "2", "day": "d", "tags": ["x"]})");
  const auto none = ValueOf(Map(yaml, batch->Slice(6, 0)));
  EXPECT_EQ(none.batch->num_rows(), 0);
  EXPECT_EQ(none.filtered + none.rejected, 0);
}

TEST_F(CastTransformerTest, StopsBeforeTheQuarantineHoldsEverything) {
  arrow::Int64Builder ids;
  for (size_t i = 0; i <= elt::RejectBuffer::kRowsMax; ++i) ASSERT_THAT(ids.Append(300), IsOk());
  const auto schema = arrow::schema({arrow::field("id", arrow::int64())});
  const auto batch = arrow::RecordBatch::Make(schema, ids.length(), {ValueOf(ids.Finish())});
  auto transformer = ValueOf(MakeCast("{ id: { type: int8, on_error: quarantine } }"));
  auto bound = ValueOf(transformer->Bind(schema, elt::RunInstance{}));
  Context ctx = surroundings_.context();
  EXPECT_THAT(bound->Map(ctx, batch, rejects_), FailsWith(FaultCode::kRejectsTooMany));
}

}  // namespace
}  // namespace levada::cast
