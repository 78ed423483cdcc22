#include "transformers/validate/validate_transformer.h"

#include "elt/transformer_fixture.h"

namespace levada::validate {

void Register(elt::Catalog& catalog);

namespace {

using testing::HasSubstr;

elt::BatchPtr Rows() {
  return elt::MakeBatch({{"id", "int64", "[1, 2, null, 2]"},
                         {"amount", "decimal(9,2)", R"(["1.50", "-0.01", "100.01", null])"},
                         {"status", "text", R"(["new", "paid", "gone", null])"},
                         {"day", "date", "[20454, 20485, null, 20819]"}});
}

Result<std::unique_ptr<elt::Transformer>> Make(const std::string& yaml) {
  return elt::MakeTransformer(Register, "validate", yaml);
}

Result<elt::Transformed> Validated(const std::string& yaml) {
  ARROW_ASSIGN_OR_RAISE(auto transformer, Make(yaml));
  if (transformer->sees_whole_partition()) return elt::PassRows(*transformer, {Rows()});
  return elt::TransformRows(*transformer, Rows());
}

// Which rows go on when those that break the rule are left out, by "id" or the day's row.
std::string Kept(const std::string& column_rules) {
  const auto done =
      ValueOf(Validated("{ columns: { " + column_rules + " }, on_error: discard_row }"));
  EXPECT_EQ(done.mapped.batch->num_rows() + done.mapped.filtered, 4);
  return done.shown.substr(done.shown.find("day"));
}

TEST(Validate, EachRuleKnowsWhatBreaksIt) {
  const std::string all = "day date: 2026-01-01, 2026-02-01, null, 2027-01-01\n";
  EXPECT_EQ(Kept("id: { not_null: true }"), "day date: 2026-01-01, 2026-02-01, 2027-01-01\n");
  EXPECT_EQ(Kept("amount: { min: 0 }"), "day date: 2026-01-01, null, 2027-01-01\n");
  EXPECT_EQ(Kept("amount: { max: 100 }"), "day date: 2026-01-01, 2026-02-01, 2027-01-01\n");
  EXPECT_EQ(Kept("amount: { min: -0.01, max: 100.01 }"), all) << "bounds are allowed";
  EXPECT_EQ(Kept("day: { min: 2026-02-01 }"), "day date: 2026-02-01, null, 2027-01-01\n");
  EXPECT_EQ(Kept("status: { in: [new, paid] }"), "day date: 2026-01-01, 2026-02-01, 2027-01-01\n");
  EXPECT_EQ(Kept("id: { in: [1, 3] }"), "day date: 2026-01-01, null\n");
  EXPECT_EQ(Kept("status: { matches: '^(new|gone)$' }"),
            "day date: 2026-01-01, null, 2027-01-01\n");
  EXPECT_EQ(Kept("status: { min: new, max: paid }"),
            "day date: 2026-01-01, 2026-02-01, 2027-01-01\n");
  EXPECT_EQ(Kept("id: { unique: true }"), "day date: 2026-01-01, 2026-02-01, null\n");
  EXPECT_EQ(Kept("id: { unique: true }, status: { unique: true }"),
            "day date: 2026-01-01, 2026-02-01, null\n");
  EXPECT_EQ(Kept("id: { not_null: false, unique: false, min: 0 }"), all);
}

TEST(Validate, ConditionsAreAboutRows) {
  const auto done = ValueOf(Validated(
      "{ check: { small: amount < 100 or id = 1, whole: \"div(10, id - 2) > 0\" }, on_error: "
      "quarantine }"));
  EXPECT_THAT(done.shown, HasSubstr("amount decimal(9,2): 100.01\n")) << "not known is not broken";
  ASSERT_EQ(done.rejects.size(), 3u);
  EXPECT_EQ(done.rejects[0].reason, "check \"whole\" does not hold");
  EXPECT_THAT(done.rejects[1].reason, HasSubstr("div(10, id - 2): division by zero"));
  EXPECT_THAT(done.rejects[2].reason, HasSubstr("div(10, id - 2): division by zero"));
}

TEST(Validate, AnUnknownKeyOrOneOfNulls) {
  EXPECT_EQ(ValueOf(Validated("{ unique: [id], on_error: discard_row }")).mapped.filtered, 1);
  EXPECT_EQ(ValueOf(Validated("{ unique: [id, status] }")).mapped.batch->num_rows(), 4);
  EXPECT_THAT(Validated("{ unique: [id] }"),
              FailsWith(FaultCode::kValidationFailed,
                        HasSubstr("columns (id): row 4 of the partition repeats another")));
  const auto aside =
      ValueOf(Validated("{ columns: { id: { unique: true, on_error: quarantine } } }"));
  ASSERT_EQ(aside.rejects.size(), 1u);
  EXPECT_EQ(aside.rejects[0].reason, "column \"id\": repeats an earlier row");
}

TEST(Validate, FailsForTheFirstRowThatBreaksARule) {
  EXPECT_THAT(
      Validated("{ columns: { id: { not_null: true }, amount: { min: 0 } } }"),
      FailsWith(FaultCode::kValidationFailed,
                HasSubstr("validate: column \"amount\": less than 0 (row 2 of its batch)")));
  EXPECT_THAT(Validated("{ check: { small: amount < 1 } }"),
              FailsWith(FaultCode::kValidationFailed,
                        HasSubstr("check \"small\" does not hold (row 1 of its batch)")));
}

TEST(Validate, ARulesOwnWordComesBeforeTheStages) {
  const auto done = ValueOf(
      Validated("{ columns: { amount: { min: 0, on_error: discard_value }, id: { not_null: true, "
                "on_error: quarantine } }, on_error: discard_row, unique: [id] }"));
  EXPECT_EQ(done.shown,
            "id int64: 1, 2\namount decimal(9,2): 1.50, null\nstatus text: new, paid\n"
            "day date: 2026-01-01, 2026-02-01\n");
  EXPECT_EQ(done.mapped.filtered, 1);
  EXPECT_EQ(done.mapped.rejected, 1);
  EXPECT_THAT(done.rejects[0].row_json, HasSubstr("\"amount\": \"100.01\""));
}

TEST(Validate, KnowsWhatCanBeNull) {
  const auto schema =
      arrow::schema({arrow::field("id", arrow::int64()), arrow::field("n", arrow::int64(), false)});
  const auto bound = ValueOf(
      ValueOf(Make("columns: { id: { not_null: true }, n: { min: 0, on_error: discard_value } }"))
          ->Bind(schema, elt::RunInstance{}));
  EXPECT_FALSE(bound->schema()->field(0)->nullable());
  EXPECT_TRUE(bound->schema()->field(1)->nullable());
}

TEST(Validate, RefusesRulesThatCannotBe) {
  EXPECT_THAT(Make("{}"), FailsWith(FaultCode::kBadValue, HasSubstr("nothing to validate")));
  EXPECT_THAT(Make("{ columns: { id: {} } }"), FailsWith(FaultCode::kBadValue));
  EXPECT_THAT(Make("{ columns: { id: { not_null: false } } }"), FailsWith(FaultCode::kBadValue));
  EXPECT_THAT(Make("{ rows: { min: 1, history: 3 } }"),
              FailsWith(FaultCode::kImpossiblePlan, HasSubstr("\"history\"")));
  EXPECT_THAT(Make("{ columns: { id: { in: [] } } }"), FailsWith(FaultCode::kBadValue));
  EXPECT_THAT(Make("{ unique: [] }"), FailsWith(FaultCode::kBadValue));
  EXPECT_THAT(Make("{ check: { a: 'b +' } }"), FailsWith(FaultCode::kBadExpression));
  EXPECT_THAT(Make("{ columns: { id: { least: 3 } } }"), FailsWith(FaultCode::kUnknownKey));
  EXPECT_THAT(Validated("{ columns: { idd: { min: 0 } } }"),
              FailsWith(FaultCode::kUnknownColumn, HasSubstr("\"idd\"")));
  EXPECT_THAT(Validated("{ columns: { id: { min: zero } } }"),
              FailsWith(FaultCode::kBadExpression, HasSubstr("column \"id\", min: ")));
  EXPECT_THAT(Validated("{ columns: { id: { min: '0 or true' } } }"),
              FailsWith(FaultCode::kBadExpression));
  for (const char* range :
       {"id: { min: 5, max: -5 }", "amount: { min: 0.02, max: 0.01 }",
        "day: { min: 2026-02-01, max: 2026-01-31 }", "status: { min: b, max: a }"}) {
    EXPECT_THAT(Validated(std::string("{ columns: { ") + range + " } }"),
                FailsWith(FaultCode::kImpossiblePlan, HasSubstr("no value is at least")))
        << range;
  }
  EXPECT_THAT(Validated("{ columns: { id: { min: 5, max: 5 } } }"),
              testing::Not(FailsWith(FaultCode::kImpossiblePlan)));
  EXPECT_THAT(Validated("{ columns: { id: { matches: x } } }"),
              FailsWith(FaultCode::kBadExpression));
  EXPECT_THAT(Validated("{ columns: { status: { matches: '(' } } }"),
              FailsWith(FaultCode::kBadExpression, HasSubstr("not a pattern")));
  EXPECT_THAT(Validated("{ columns: { id: { not_null: true } }, on_error: discard_value }"),
              FailsWith(FaultCode::kImpossiblePlan));
  EXPECT_THAT(Validated("{ unique: [id], on_error: discard_value }"),
              FailsWith(FaultCode::kImpossiblePlan));
  EXPECT_THAT(Validated("{ check: { a: id > 0 }, on_error: discard_value }"),
              FailsWith(FaultCode::kImpossiblePlan));
  EXPECT_THAT(Validated("{ check: { a: id } }"), FailsWith(FaultCode::kBadExpression));
  EXPECT_THAT(Validated("{ unique: [nn] }"), FailsWith(FaultCode::kUnknownColumn));
  const auto several = Validated("columns:\n  idd: { min: 0 }\n  amount: { min: x }\n");
  EXPECT_EQ(FaultOf(several.status()).diagnostics().size(), 2u);
}

}  // namespace
}  // namespace levada::validate
