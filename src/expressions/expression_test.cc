#include "expressions/expression.h"

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/builder.h>
#include <arrow/json/from_string.h>
#include <arrow/scalar.h>

#include <map>

#include "base/testing.h"
#include "elt/type_name.h"

namespace levada::expressions {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct ColumnSpec {
  const char* name;
  const char* type;
  const char* json;
};

// Five rows of everything; the last is NULL everywhere but for `always`.
constexpr ColumnSpec kColumns[] = {
    {"i", "int64", "[7, -7, 0, 9223372036854775807, null]"},
    {"j", "int64", "[2, 2, 0, 1, null]"},
    {"small", "int16", "[1, -1, 32767, 0, null]"},
    {"big", "uint64", "[1, 0, 18446744073709551615, 5, null]"},
    {"x", "float64", "[1.5, -1.5, 0, 1e300, null]"},
    {"price", "decimal(15,2)", R"(["1.25", "-1.25", "0.00", "9999999999999.99", null])"},
    {"rate", "decimal(5,4)", R"(["0.5000", "0.3333", "0.0000", "9.9999", null])"},
    {"wide", "decimal(50,10)",
     R"(["1.0000000001", "-2.5000000000", "0.0000000000", "3.0000000000", null])"},
    {"t", "text", R"(["Ab", "größe", "", " x ", null])"},
    {"n", "text", R"(["12", "-3", "x", "1.5", null])"},
    {"d", "date", "[20089, -1, 0, 19782, null]"},  // 2025-01-01, 1969-12-31, 1970-01-01, 2024-02-29
    {"at", "timestamp",
     R"(["2025-01-01 05:06:07", "1969-12-31 23:59:59", "1970-01-01", "2024-02-29 12:00", null])"},
    {"seen", "timestamp(us, UTC)",
     R"(["2025-01-01 05:06:07", "1969-12-31 23:59:59", "1970-01-01", "2024-02-29 12:00", null])"},
    {"clock", "time", R"([0, 86399000000, 3661000000, 1, null])"},
    {"b", "bool", "[true, false, true, false, null]"},
    {"raw", "binary", R"(["ab", "", "c", "d", null])"},
    {"always", "int64", "[1, 2, 3, 4, 5]"},
};

std::shared_ptr<arrow::RecordBatch> Batch() {
  static const auto kBatch = [] {
    arrow::FieldVector fields;
    arrow::ArrayVector arrays;
    for (const ColumnSpec& column : kColumns) {
      const auto type = ValueOf(elt::ParseTypeName(column.type));
      fields.push_back(arrow::field(column.name, type, std::string(column.name) != "always"));
      arrays.push_back(ValueOf(arrow::json::ArrayFromJSONString(type, column.json)));
    }
    return arrow::RecordBatch::Make(arrow::schema(fields), 5, arrays);
  }();
  return kBatch;
}

std::string Shown(const Evaluated& evaluated) {
  std::string text;
  size_t failure = 0;
  for (int64_t row = 0; row < evaluated.values->length(); ++row) {
    text += row > 0 ? ", " : "";
    if (failure < evaluated.failures.size() && evaluated.failures[failure].row == row) {
      EXPECT_TRUE(evaluated.values->IsNull(row));
      text += std::string("!") + evaluated.failures[failure++].reason;
    } else {
      text += evaluated.values->IsNull(row) ? "null"
                                            : ValueOf(evaluated.values->GetScalar(row))->ToString();
    }
  }
  EXPECT_EQ(failure, evaluated.failures.size()) << "failures in the order of rows, each once";
  return text;
}

// "type: values", or "!place problem". Slices and empty batches must agree.
std::string ValuesOf(std::string_view text) {
  const auto batch = Batch();
  const Compiled compiled = Compile(text, *batch->schema());
  if (compiled.expression == nullptr) {
    std::string problems;
    for (const Problem& problem : compiled.problems) {
      problems += (problems.empty() ? "!" : "; !") + std::to_string(problem.range.begin) + "-" +
                  std::to_string(problem.range.end) + " " + problem.message;
    }
    return problems;
  }
  const auto evaluate = [&](const arrow::RecordBatch& rows) {
    Evaluated evaluated =
        ValueOf(compiled.expression->Evaluate(rows, arrow::default_memory_pool()));
    EXPECT_THAT(evaluated.values->ValidateFull(), IsOk());
    EXPECT_EQ(evaluated.values->length(), rows.num_rows());
    EXPECT_TRUE(evaluated.values->type()->Equals(*compiled.expression->type()))
        << text << " is " << evaluated.values->type()->ToString();
    if (!compiled.expression->nullable() && evaluated.failures.empty()) {
      EXPECT_EQ(evaluated.values->null_count(), 0) << text;
    }
    return Shown(evaluated);
  };
  const std::string shown = evaluate(*batch);
  auto twice = ValueOf(arrow::ConcatenateRecordBatches({batch, batch, batch}));
  EXPECT_EQ(evaluate(*twice->Slice(5, 5)), shown) << "of a slice: " << text;
  EXPECT_EQ(evaluate(*batch->Slice(0, 0)), "") << text;
  return elt::TypeName(*compiled.expression->type()) + ": " + shown;
}

TEST(Expression, ComputesWithIntegers) {
  EXPECT_EQ(ValuesOf("i + 1"), "int64: 8, -6, 1, !overflow, null");
  EXPECT_EQ(ValuesOf("i - j"), "int64: 5, -9, 0, 9223372036854775806, null");
  EXPECT_EQ(ValuesOf("small * small"), "int64: 1, 1, 1073676289, 0, null");
  EXPECT_EQ(ValuesOf("i * 2"), "int64: 14, -14, 0, !overflow, null");
  EXPECT_EQ(ValuesOf("-i"), "int64: -7, 7, 0, -9223372036854775807, null");
  EXPECT_EQ(ValuesOf("div(i, j)"), "int64: 3, -3, !division by zero, 9223372036854775807, null");
  EXPECT_EQ(ValuesOf("i % j"), "int64: 1, -1, !division by zero, 0, null");
  EXPECT_EQ(ValuesOf("mod(i, 4)"), "int64: 3, -3, 0, 3, null");
  EXPECT_EQ(ValuesOf("abs(small)"), "int16: 1, 1, 32767, 0, null");
  EXPECT_EQ(ValuesOf("sign(i)"), "int64: 1, -1, 0, 1, null");
  EXPECT_EQ(ValuesOf("1 + 2"), "int64: 3, 3, 3, 3, 3");
  EXPECT_EQ(ValuesOf("i + null"), "int64: null, null, null, null, null");
}

TEST(Expression, KeepsEveryDigitOfUnsignedIntegers) {
  EXPECT_EQ(ValuesOf("big + 1"), "decimal(21,0): 2, 1, 18446744073709551616, 6, null");
  EXPECT_EQ(ValuesOf("big = i"), "bool: false, false, false, false, null");
  EXPECT_EQ(ValuesOf("big > i"), "bool: false, true, true, false, null");
}

TEST(Expression, ComputesWithDecimals) {
  EXPECT_EQ(ValuesOf("price + 1"), "decimal(16,2): 2.25, -0.25, 1.00, 10000000000000.99, null");
  EXPECT_EQ(ValuesOf("price - rate"),
            "decimal(18,4): 0.7500, -1.5833, 0.0000, 9999999999989.9901, null");
  EXPECT_EQ(ValuesOf("price * (1 - rate)"),
            "decimal(22,6): 0.625000, -0.833375, 0.000000, -89998999999999.910001, null");
  EXPECT_EQ(ValuesOf("price * 2"), "decimal(17,2): 2.50, -2.50, 0.00, 19999999999999.98, null");
  EXPECT_EQ(ValuesOf("price * 0.5"),
            "decimal(18,3): 0.625, -0.625, 0.000, 4999999999999.995, null");
  EXPECT_EQ(ValuesOf("wide + price"),
            "decimal(51,10): 2.2500000001, -3.7500000000, 0E-10, 10000000000002.9900000000, null");
  EXPECT_EQ(ValuesOf("price / rate"),
            "float64: 2.5, -3.75037503750375, !division by zero, "
            "1.0000100001e+12, null")
      << "a quotient is a float";
  EXPECT_EQ(ValuesOf("round(price * rate, 2)::decimal(18,2)"),
            "decimal(18,2): 0.63, -0.42, 0.00, 99998999999999.90, null");
  EXPECT_EQ(ValuesOf("round(price)"), "decimal(15,2): 1.00, -1.00, 0.00, !overflow, null");
  EXPECT_EQ(ValuesOf("floor(price)"), "decimal(15,2): 1.00, -2.00, 0.00, 9999999999999.00, null");
}

TEST(Expression, ComputesWithFloats) {
  EXPECT_EQ(ValuesOf("x / 2"), "float64: 0.75, -0.75, 0, 5e+299, null");
  EXPECT_EQ(ValuesOf("1 / x"),
            "float64: 0.6666666666666666, -0.6666666666666666, !division by zero, 1e-300, null");
  EXPECT_EQ(ValuesOf("i / j"),
            "float64: 3.5, -3.5, !division by zero, 9.223372036854776e+18, null");
  EXPECT_EQ(ValuesOf("x + price"), "float64: 2.75, -2.75, 0, 1e+300, null");
  EXPECT_EQ(ValuesOf("sqrt(x * x)"), "float64: 1.5, 1.5, 0, inf, null");
  EXPECT_EQ(ValuesOf("sqrt(x)"),
            "float64: 1.224744871391589, !root of a negative number, 0, 1e+150, null");
  EXPECT_EQ(ValuesOf("ln(i)"),
            "float64: 1.9459101490553132, !logarithm of a negative number, !logarithm of zero, "
            "43.66827237527655, null");
  EXPECT_EQ(ValuesOf("round(x)"), "float64: 2, -2, 0, 1e+300, null") << "halves go away from zero";
}

TEST(Expression, ComparesExactly) {
  EXPECT_EQ(ValuesOf("i > 0"), "bool: true, false, false, true, null");
  EXPECT_EQ(ValuesOf("price = 1.25"), "bool: true, false, false, false, null");
  EXPECT_EQ(ValuesOf("price >= rate"), "bool: true, false, true, true, null");
  EXPECT_EQ(ValuesOf("i = 9223372036854775807.0"), "bool: false, false, false, true, null");
  EXPECT_EQ(ValuesOf("t < 'a'"), "bool: true, false, true, true, null") << "by bytes";
  EXPECT_EQ(ValuesOf("t = ''"), "bool: false, false, true, false, null");
  EXPECT_EQ(ValuesOf("d >= '2024-02-29'"), "bool: true, false, false, true, null");
  EXPECT_EQ(ValuesOf("at = '2025-01-01T05:06:07'"), "bool: true, false, false, false, null");
  EXPECT_EQ(ValuesOf("seen >= '2025-01-01 06:06:07+01:00'"),
            "bool: true, false, false, false, null");
  EXPECT_EQ(ValuesOf("at >= d"), "bool: true, true, true, true, null");
  EXPECT_EQ(ValuesOf("clock < '01:01:02'"), "bool: true, false, true, true, null");
  EXPECT_EQ(ValuesOf("b = true"), "bool: true, false, true, false, null");
  EXPECT_EQ(ValuesOf("i in (7, 0)"), "bool: true, false, true, false, null");
  EXPECT_EQ(ValuesOf("t not in ('Ab', 'x')"), "bool: false, true, true, true, null");
  EXPECT_EQ(ValuesOf("price in (1.25, 7)"), "bool: true, false, false, false, null");
  EXPECT_EQ(ValuesOf("d in ('2025-01-01')"), "bool: true, false, false, false, null");
  EXPECT_EQ(ValuesOf("i between -7 and 6"), "bool: false, true, true, false, null");
  EXPECT_EQ(ValuesOf("d not between '1970-01-01' and '2024-12-31'"),
            "bool: true, true, false, false, null");
  EXPECT_EQ(ValuesOf("t like '%x%'"), "bool: false, false, false, true, null");
}

TEST(Expression, ThinksInThreeValues) {
  EXPECT_EQ(ValuesOf("b and i > 0"), "bool: true, false, false, false, null");
  EXPECT_EQ(ValuesOf("b or i is null"), "bool: true, false, true, false, true");
  EXPECT_EQ(ValuesOf("i > 0 and always = 5"), "bool: false, false, false, false, null");
  EXPECT_EQ(ValuesOf("i > 0 and always < 5"), "bool: true, false, false, true, false");
  EXPECT_EQ(ValuesOf("not b"), "bool: false, true, false, true, null");
  EXPECT_EQ(ValuesOf("i is not null"), "bool: true, true, true, true, false");
  EXPECT_EQ(ValuesOf("b and null"), "bool: null, false, null, false, null");
}

TEST(Expression, EvaluatesOnlyWhatIsTaken) {
  EXPECT_EQ(ValuesOf("case when j != 0 then div(i, j) end"),
            "int64: 3, -3, null, 9223372036854775807, null");
  EXPECT_EQ(ValuesOf("case when j != 0 then 0 else div(i, j) end"),
            "int64: 0, 0, !division by zero, 0, null")
      << "a NULL condition is not met, and NULL divides to NULL";
  EXPECT_EQ(ValuesOf("j != 0 and div(i, j) > 3"), "bool: false, false, false, true, null");
  EXPECT_EQ(ValuesOf("div(i, j) > 3 and j != 0"),
            "bool: false, false, !division by zero, true, null");
  EXPECT_EQ(ValuesOf("j = 0 or div(i, j) > 3"), "bool: false, false, true, true, null");
  EXPECT_EQ(ValuesOf("coalesce(j, div(i, 0))"), "int64: 2, 2, 0, 1, null");
  EXPECT_EQ(ValuesOf("coalesce(always, div(i, j))"), "int64: 1, 2, 3, 4, 5");
  EXPECT_EQ(ValuesOf("coalesce(div(i, j), always)"),
            "int64: 3, -3, !division by zero, 9223372036854775807, 5");
  EXPECT_EQ(ValuesOf("if(b, cast(n as int64), 0)"), "int64: 12, 0, !not an integer, 0, 0");
}

TEST(Expression, Chooses) {
  EXPECT_EQ(ValuesOf("case when i > 0 then 'more' when i = 0 then t else null end"),
            "text: more, null, , more, null");
  EXPECT_EQ(ValuesOf("case when b then price else i end"),
            "decimal(21,2): 1.25, -7.00, 0.00, 9223372036854775807.00, null");
  EXPECT_EQ(ValuesOf("nullif(j, 2)"), "int64: null, null, 0, 1, null");
  EXPECT_EQ(ValuesOf("coalesce(d, '2000-01-01')"),
            "date: 2025-01-01, 1969-12-31, 1970-01-01, 2024-02-29, 2000-01-01");
  EXPECT_EQ(ValuesOf("greatest(i, small, 5)"), "int64: 7, 5, 32767, 9223372036854775807, 5");
  EXPECT_EQ(ValuesOf("least(price, 1)"), "decimal(15,2): 1.00, -1.25, 0.00, 1.00, 1.00");
}

TEST(Expression, WorksOnTexts) {
  EXPECT_EQ(ValuesOf("lower(t)"), "text: ab, größe, ,  x , null");
  EXPECT_EQ(ValuesOf("upper(t)"), "text: AB, GRÖẞE, ,  X , null");
  EXPECT_EQ(ValuesOf("length(t)"), "int64: 2, 5, 0, 3, null");
  EXPECT_EQ(ValuesOf("octet_length(t)"), "int64: 2, 7, 0, 3, null");
  EXPECT_EQ(ValuesOf("t || '-' || n"), "text: Ab-12, größe--3, -x,  x -1.5, null");
  EXPECT_EQ(ValuesOf("concat(t, n)"), "text: Ab12, größe-3, x,  x 1.5, null");
  EXPECT_EQ(ValuesOf("trim(t)"), "text: Ab, größe, , x, null");
  EXPECT_EQ(ValuesOf("ltrim(t, ' A')"), "text: b, größe, , x , null");
  EXPECT_EQ(ValuesOf("substring(t, 2)"), "text: b, röße, , x , null");
  EXPECT_EQ(ValuesOf("substring(t, 2, 2)"), "text: b, rö, , x , null");
  EXPECT_EQ(ValuesOf("left(t, 1) || right(t, 2)"), "text: AAb, gße, ,  x , null");
  EXPECT_EQ(ValuesOf("lpad(n, 4, '0')"), "text: 0012, 00-3, 000x, 01.5, null");
  EXPECT_EQ(ValuesOf("replace(t, 'ö', 'oe')"), "text: Ab, groeße, ,  x , null");
  EXPECT_EQ(ValuesOf(R"(regexp_replace(n, '(\d)', '<\1>'))"),
            "text: <1><2>, -<3>, x, <1>.<5>, null");
  EXPECT_EQ(ValuesOf("regexp_matches(n, '^-?[0-9]+$')"), "bool: true, true, false, false, null");
  EXPECT_EQ(ValuesOf("starts_with(t, 'A') or ends_with(t, ' ') or contains(t, 'öß')"),
            "bool: true, true, false, true, null");
  EXPECT_EQ(ValuesOf("reverse(t)"), "text: bA, eßörg, ,  x , null");
}

TEST(Expression, WorksOnDates) {
  EXPECT_EQ(ValuesOf("year(d) * 100 + month(d)"), "int64: 202501, 196912, 197001, 202402, null");
  EXPECT_EQ(ValuesOf("d + 1"), "date: 2025-01-02, 1970-01-01, 1970-01-02, 2024-03-01, null");
  EXPECT_EQ(ValuesOf("d - '2024-02-29'::date"), "int64: 307, -19783, -19782, 0, null");
  EXPECT_EQ(ValuesOf("d + 9223372036854775807"),
            "date: !overflow, !overflow, !overflow, !overflow, null");
  EXPECT_EQ(ValuesOf("date(at)"), "date: 2025-01-01, 1969-12-31, 1970-01-01, 2024-02-29, null");
  EXPECT_EQ(ValuesOf("date_trunc('month', seen)"),
            "timestamp(us, UTC): 2025-01-01 00:00:00.000000Z, 1969-12-01 00:00:00.000000Z, "
            "1970-01-01 00:00:00.000000Z, 2024-02-01 00:00:00.000000Z, null");
  EXPECT_EQ(ValuesOf("date_trunc('week', d)"),
            "date: 2024-12-30, 1969-12-29, 1969-12-29, 2024-02-26, null");
  EXPECT_EQ(ValuesOf("hour(seen) * 60 + minute(seen)"), "int64: 306, 1439, 0, 720, null");
  EXPECT_EQ(ValuesOf("second(clock)"), "int64: 0, 59, 1, 0, null");
  EXPECT_EQ(ValuesOf("day_of_week(d)"), "int64: 3, 3, 4, 4, null");
  EXPECT_EQ(ValuesOf("week(d)"), "int64: 1, 1, 1, 9, null");
  EXPECT_EQ(ValuesOf("quarter(d) + day(d) + day_of_year(d)"), "int64: 3, 400, 3, 90, null");
}

TEST(Expression, ConvertsExactly) {
  EXPECT_EQ(ValuesOf("cast(n as int64)"), "int64: 12, -3, !not an integer, !not an integer, null");
  EXPECT_EQ(ValuesOf("n::decimal(5,1)"),
            "decimal(5,1): 12.0, -3.0, !not a decimal number, 1.5, null");
  EXPECT_EQ(ValuesOf("price::text || ' EUR'"),
            "text: 1.25 EUR, -1.25 EUR, 0.00 EUR, 9999999999999.99 EUR, null");
  EXPECT_EQ(ValuesOf("cast(null as date)"), "date: null, null, null, null, null");
  EXPECT_EQ(ValuesOf("'2026-02-30'::date"), "!0-18 never has a value: no such day");
}

TEST(Expression, SaysWhatIsWrongBeforeARowIsRead) {
  EXPECT_EQ(ValuesOf("pricee + 1"), "!0-6 no column \"pricee\" reaches this stage");
  EXPECT_EQ(
      ValuesOf("nope + nada"),
      "!0-4 no column \"nope\" reaches this stage; !7-11 no column \"nada\" reaches this stage");
  EXPECT_EQ(ValuesOf("lowr(t)"), "!0-7 no function \"lowr\"");
  EXPECT_EQ(ValuesOf("lower(t, 1)"), "!0-11 lower: expected 1 argument, got 2");
  EXPECT_EQ(ValuesOf("lower(i)"), "!6-7 lower: expected text, got int64");
  EXPECT_EQ(ValuesOf("t + 1"), "!0-5 no + of text and int64");
  EXPECT_EQ(ValuesOf("i + '1'"), "!0-7 no + of int64 and text");
  EXPECT_EQ(ValuesOf("t = 1"), "!0-5 text and int64 have no type in common");
  EXPECT_EQ(ValuesOf("i = 'one'"), "!4-9 not int64: not an integer");
  EXPECT_EQ(ValuesOf("i = null"), "!0-8 a comparison with null is never true");
  EXPECT_EQ(ValuesOf("i in (1, null)"), "!9-13 null is never in a list");
  EXPECT_EQ(ValuesOf("i in (j)"), "!6-7 a list of in has constants only");
  EXPECT_EQ(ValuesOf("i and b"), "!0-1 the left of and is a condition, got int64");
  EXPECT_EQ(ValuesOf("not i"), "!4-5 not: expected a condition, got int64");
  EXPECT_EQ(ValuesOf("at = seen"),
            "!0-9 timestamp(us) and timestamp(us, UTC) have no type in common");
  EXPECT_EQ(ValuesOf("d = seen"), "!0-8 date and timestamp(us, UTC) have no type in common");
  EXPECT_EQ(ValuesOf("x % 2"), "!0-5 no remainder of float64");
  EXPECT_EQ(ValuesOf("d + d"), "!0-5 no + of a date and date");
  EXPECT_EQ(ValuesOf("wide * wide"),
            "!0-11 the result of decimal(50,10) * decimal(50,10) has more than 76 digits");
  EXPECT_EQ(ValuesOf("1 / 0"), "!0-5 never has a value: division by zero");
  EXPECT_EQ(ValuesOf("cast(i as strin)").substr(0, 6), "!0-16 ");
  EXPECT_EQ(ValuesOf("b::date").substr(0, 5), "!0-7 ");
  EXPECT_EQ(ValuesOf("case when b then null end"), "!0-25 every branch is null");
  EXPECT_EQ(ValuesOf("case when i then 1 end"),
            "!10-11 what stands behind when is a condition, got int64");
  EXPECT_EQ(ValuesOf("date_trunc('eon', d)"), "!11-16 date_trunc: no unit \"eon\"");
  EXPECT_EQ(
      ValuesOf("substring(t, i)"),
      "!13-14 substring: expected an integer that is written out, from 1 to 1073741824, got int64");
  EXPECT_EQ(ValuesOf("regexp_matches(t, '(')"), "!18-21 not a pattern: missing ): (");
  EXPECT_THAT(ValuesOf("regexp_replace(t, '[a', 'b')"), HasSubstr("not a pattern: "));
  EXPECT_THAT(ValuesOf("regexp_replace(t, 'a', '\\1')"), HasSubstr("!"));
  EXPECT_EQ(ValuesOf("a +"), "!3-3 expected a value, got the end");
}

TEST(Expression, FindsTheFailingRowsOfMany) {
  // One of a thousand is zero.
  arrow::Int64Builder builder;
  constexpr int64_t kRows = 20'000;
  for (int64_t row = 0; row < kRows; ++row) ASSERT_THAT(builder.Append(row % 1000), IsOk());
  const auto batch = arrow::RecordBatch::Make(arrow::schema({arrow::field("k", arrow::int64())}),
                                              kRows, {ValueOf(builder.Finish())});
  const Compiled compiled = Compile("div(1000, k)", *batch->schema());
  const Evaluated evaluated =
      ValueOf(compiled.expression->Evaluate(*batch, arrow::default_memory_pool()));
  ASSERT_EQ(evaluated.failures.size(), 20u);
  for (size_t i = 0; i < 20; ++i)
    EXPECT_EQ(evaluated.failures[i].row, static_cast<int64_t>(i) * 1000);
  const auto& values = static_cast<const arrow::Int64Array&>(*evaluated.values);
  EXPECT_EQ(values.null_count(), 20);
  EXPECT_EQ(values.Value(1), 1000);
  EXPECT_EQ(values.Value(19'999), 1);
}

TEST(Expression, EvaluatesSharedPartsOnce) {
  std::string text = "always";
  for (int i = 0; i < 60; ++i) text = "nullif(" + text + ", 0)";
  EXPECT_EQ(ValuesOf(text), "int64: 1, 2, 3, 4, 5");
  text = "always";
  for (int i = 0; i < 60; ++i) text += " % 9";
  EXPECT_EQ(ValuesOf(text), "int64: 1, 2, 3, 4, 5");
}

TEST(Expression, KnowsItsColumns) {
  const Compiled compiled = Compile("case when b then i else j end + i", *Batch()->schema());
  EXPECT_THAT(compiled.expression->columns(), ElementsAre(0, 1, 14));
  EXPECT_TRUE(compiled.expression->nullable());
  EXPECT_FALSE(Compile("always + 1", *Batch()->schema()).expression->nullable());
}

}  // namespace
}  // namespace levada::expressions
