#include "connectors/generate/column_options.h"

#include <charconv>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "base/json.h"
#include "connectors/generate/generate_fixture.h"
#include "elt/type_name.h"

namespace levada::generate {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

class ColumnOptionsTest : public GenerateFixture {
 protected:
  std::shared_ptr<arrow::Array> Values(const std::string& options, int rows) {
    return ReadAll("rows: " + std::to_string(rows) + "\ncolumns:\n  x: " + options)
        .table->column(0)
        ->chunk(0);
  }
  /// Numbers by their value; ISO dates and times by their text.
  struct Before {
    bool operator()(const std::string& a, const std::string& b) const {
      const auto number = [](const std::string& text) {
        double value = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
        const bool whole = error == std::errc() && end == text.data() + text.size();
        return whole ? std::optional(value) : std::nullopt;
      };
      if (number(a) && number(b)) return *number(a) < *number(b);
      return a < b;
    }
  };
  /// The least and the greatest value, as Arrow prints them.
  std::pair<std::string, std::string> Extremes(const std::string& options, int rows = 2'000) {
    std::set<std::string, Before> values;
    const auto array = Values(options, rows);
    for (int64_t i = 0; i < rows; ++i) values.insert(ValueOf(array->GetScalar(i))->ToString());
    return {*values.begin(), *values.rbegin()};
  }
  std::set<std::string> Texts(const std::string& options, int rows) {
    std::set<std::string> texts;
    const auto values = Values(options, rows);
    for (int64_t i = 0; i < values->length(); ++i) {
      texts.insert(std::string(static_cast<const arrow::BinaryArray&>(*values).GetView(i)));
    }
    return texts;
  }
};

TEST_F(ColumnOptionsTest, ATypeAloneIsEnough) {
  for (const char* type : {"bool",
                           "int8",
                           "int16",
                           "int32",
                           "int64",
                           "uint8",
                           "uint16",
                           "uint32",
                           "uint64",
                           "float32",
                           "float64",
                           "\"decimal(18,2)\"",
                           "\"decimal(5,5)\"",
                           "\"decimal(38,30)\"",
                           "text",
                           "binary",
                           "date",
                           "time",
                           "time(s)",
                           "time(ms)",
                           "time(ns)",
                           "timestamp",
                           "timestamp(s)",
                           "timestamp(ms)",
                           "timestamp(ns)",
                           "\"timestamp(us, UTC)\""}) {
    const Read read = ReadAll(std::string("rows: 1000\ncolumns: { x: ") + type + " }");
    EXPECT_EQ(read.table->num_rows(), 1'000) << type;
    EXPECT_FALSE(read.table->schema()->field(0)->nullable());
    const auto named = ValueOf(elt::ParseTypeName(
        type[0] == '"' ? std::string(type).substr(1, std::string(type).size() - 2) : type));
    EXPECT_TRUE(read.table->schema()->field(0)->type()->Equals(*named)) << type;
    std::set<std::string> distinct;
    for (int64_t i = 0; i < 1'000; ++i) {
      distinct.insert(ValueOf(read.table->column(0)->GetScalar(i))->ToString());
    }
    EXPECT_GE(distinct.size(), type == std::string("bool") ? 2u : 100u) << type;
  }
}

TEST_F(ColumnOptionsTest, SequencesAddTheirStep) {
  EXPECT_EQ(ColumnText("{ type: int64, sequence: 1 }", 4), "[1, 2, 3, 4]");
  EXPECT_EQ(ColumnText("{ type: int8, sequence: -128, step: 100 }", 3), "[-128, -28, 72]");
  EXPECT_EQ(ColumnText("{ type: uint64, sequence: 7, step: 7 }", 3), "[7, 14, 21]");
  EXPECT_EQ(ColumnText("{ type: \"decimal(4,2)\", sequence: 0.5, step: 0.25 }", 3),
            "[0.50, 0.75, 1.00]");
  EXPECT_EQ(ColumnText("{ type: float64, sequence: -1, step: 0.5 }", 4), "[-1, -0.5, 0, 0.5]");
  EXPECT_EQ(ColumnText("{ type: date, sequence: 2024-02-28 }", 3),
            "[2024-02-28, 2024-02-29, 2024-03-01]");
  EXPECT_EQ(ColumnText("{ type: date, sequence: 1969-12-31, step: 12h }", 4),
            "[1969-12-31, 1969-12-31, 1970-01-01, 1970-01-01]");
  EXPECT_EQ(ColumnText("{ type: timestamp, sequence: 2026-01-01, step: 90m }", 2),
            "[2026-01-01 00:00:00.000000, 2026-01-01 01:30:00.000000]");
  EXPECT_EQ(ColumnText("{ type: timestamp(s), sequence: \"2025-12-31T23:59:59\" }", 2),
            "[2025-12-31 23:59:59, 2026-01-01 00:00:00]");
  EXPECT_EQ(ColumnText("{ type: \"timestamp(ns, UTC)\", sequence: \"2026-01-01T01:00+01:00\" }", 1),
            "[2026-01-01 00:00:00.000000000Z]");
}

TEST_F(ColumnOptionsTest, SequencesMayEndAtTheEndOfTheirType) {
  EXPECT_THAT(MakeColumn("{ type: int8, sequence: -128 }", 256), IsOk());
  EXPECT_THAT(MakeColumn("{ type: int8, sequence: -128 }", 257),
              FailsWith(FaultCode::kBadValue, HasSubstr("behind row 256 of 257")));
  EXPECT_THAT(MakeColumn("{ type: int64, sequence: 9223372036854775807 }", 1), IsOk());
  EXPECT_THAT(MakeColumn("{ type: int64, sequence: 9223372036854775807 }", 2),
              FailsWith(FaultCode::kBadValue));
  EXPECT_THAT(
      MakeColumn("{ type: int64, sequence: -9223372036854775808, step: 9223372036854775807 }", 3),
      IsOk());
  EXPECT_THAT(MakeColumn("{ type: date, sequence: 9999-12-31 }", 1), IsOk());
  EXPECT_THAT(MakeColumn("{ type: date, sequence: 9999-12-31 }", 2),
              FailsWith(FaultCode::kBadValue));
  EXPECT_THAT(MakeColumn("{ type: date, sequence: 9999-12-31, step: 12h }", 2), IsOk());
  EXPECT_THAT(MakeColumn("{ type: timestamp, sequence: \"9999-12-31T23:59:59\", step: 1s }", 2),
              FailsWith(FaultCode::kBadValue));
  EXPECT_THAT(MakeColumn("{ type: \"decimal(3,1)\", sequence: 99.8, step: 0.1 }", 2), IsOk());
  EXPECT_THAT(MakeColumn("{ type: \"decimal(3,1)\", sequence: 99.8, step: 0.1 }", 3),
              FailsWith(FaultCode::kBadValue));
}

TEST_F(ColumnOptionsTest, RangesIncludeBothEnds) {
  using Pair = std::pair<std::string, std::string>;
  EXPECT_EQ(Extremes("{ type: int32, min: -3, max: 4 }"), Pair("-3", "4"));
  EXPECT_EQ(Extremes("{ type: \"decimal(9,2)\", min: -0.05, max: 0.05 }"), Pair("-0.05", "0.05"));
  EXPECT_EQ(Extremes("{ type: float64, min: 0, max: 0.3, scale: 1 }"), Pair("0", "0.3"));
  EXPECT_EQ(Extremes("{ type: date, min: 2026-01-01, max: 2026-01-31 }"),
            Pair("2026-01-01", "2026-01-31"));
  EXPECT_EQ(Extremes("{ type: time(s), min: \"05:00\", max: \"05:00:30\" }"),
            Pair("05:00:00", "05:00:30"));
  EXPECT_EQ(Extremes("{ type: timestamp(s), min: 2026-01-01, max: \"2026-01-01 00:01\" }"),
            Pair("2026-01-01 00:00:00", "2026-01-01 00:01:00"));
  EXPECT_EQ(Extremes("{ type: int8 }", 20'000), Pair("0", "127"));
  EXPECT_EQ(Extremes("{ type: uint8 }", 20'000), Pair("0", "255"));
  EXPECT_EQ(Extremes("{ type: int8, min: -128 }", 20'000), Pair("-128", "127"));
  EXPECT_EQ(Extremes("{ type: int64, min: 5, max: 5 }"), Pair("5", "5"));
}

TEST_F(ColumnOptionsTest, TheWholeRangeOfInt64IsARange) {
  const auto values =
      Values("{ type: int64, min: -9223372036854775808, max: 9223372036854775807 }", 1'000);
  int negative = 0;
  for (const auto value : static_cast<const arrow::Int64Array&>(*values)) negative += *value < 0;
  EXPECT_NEAR(negative, 500, 64);
}

TEST_F(ColumnOptionsTest, FloatsAreTheNearestToADecimal) {
  const auto values = Values("{ type: float64, min: 0, max: 1, scale: 2 }", 1'000);
  for (const auto value : static_cast<const arrow::DoubleArray&>(*values)) {
    const auto hundredths = static_cast<int64_t>(*value * 100 + 0.5);
    EXPECT_EQ(*value, static_cast<double>(hundredths) / 100);
  }
}

TEST_F(ColumnOptionsTest, ValuesAreChosenFrom) {
  EXPECT_EQ(Texts("{ type: text, values: [a, bb, \"\"] }", 200),
            (std::set<std::string>{"", "a", "bb"}));
  const std::string of_40(40, 'x');
  EXPECT_EQ(Texts("{ type: text, values: [a, " + of_40 + "] }", 200),
            (std::set<std::string>{"a", of_40}));
  using Pair = std::pair<std::string, std::string>;
  EXPECT_EQ(Extremes("{ type: int16, values: [7, -300, 12] }"), Pair("-300", "12"));
  EXPECT_EQ(Extremes("{ type: date, values: [2026-01-01, 2020-02-29] }"),
            Pair("2020-02-29", "2026-01-01"));
}

TEST_F(ColumnOptionsTest, TextsAreAsLongAsTheyShallBe) {
  for (const char* form : {"words", "characters"}) {
    std::set<size_t> sizes;
    for (const auto& text :
         Texts(std::string("{ type: text, form: ") + form + ", length: { min: 0, max: 40 } }",
               2'000)) {
      sizes.insert(text.size());
    }
    EXPECT_EQ(sizes.size(), 41u) << form;
    EXPECT_EQ(*sizes.rbegin(), 40u) << form;
  }
  for (const auto& text : Texts("{ type: binary, length: 5 }", 100)) EXPECT_EQ(text.size(), 5u);
  EXPECT_EQ(Texts("{ type: text, length: 0 }", 10), std::set<std::string>{""});
  EXPECT_EQ(Texts("{ type: text, length: 1048576 }", 3).begin()->size(), 1'048'576u);
}

TEST_F(ColumnOptionsTest, UuidsAreOfVersionFour) {
  const auto texts = Texts("{ type: text, form: uuid }", 500);
  EXPECT_EQ(texts.size(), 500u);
  for (const std::string& text : texts) {
    EXPECT_THAT(text, testing::MatchesRegex(
                          "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"));
  }
}

TEST_F(ColumnOptionsTest, JsonIsAnObject) {
  for (const std::string& text : Texts("{ type: text, form: json }", 2'000)) {
    const Json json = ParseJson(text);
    ASSERT_TRUE(json.is_object()) << text;
    EXPECT_TRUE(json["user"]["id"].is_number_unsigned());
    EXPECT_TRUE(json["mobile"].is_boolean());
  }
}

TEST_F(ColumnOptionsTest, NullsAreTheirFraction) {
  EXPECT_EQ(Values("{ type: int32, nulls: 0 }", 100)->null_count(), 0);
  EXPECT_EQ(Values("{ type: int32, nulls: 1 }", 100)->null_count(), 100);
  EXPECT_EQ(Values("{ type: text, nulls: 1.0 }", 100)->null_count(), 100);
  EXPECT_NEAR(static_cast<double>(Values("{ type: bool, nulls: 0.25 }", 4'000)->null_count()),
              1'000, 110);
  const auto texts = Values("{ type: text, length: 8, nulls: 0.5 }", 1'000);
  EXPECT_EQ(static_cast<const arrow::StringArray&>(*texts).total_values_length(),
            8 * (1'000 - texts->null_count()));
  EXPECT_TRUE(
      Describe("rows: 1\ncolumns: { x: { type: int8, nulls: 0.1 } }").schema->field(0)->nullable());
}

TEST_F(ColumnOptionsTest, AColumnKeepsItsValuesAmongOthers) {
  const Read alone = ReadAll("rows: 100\nseed: 3\ncolumns: { x: int64 }");
  const Read among = ReadAll("rows: 100\nseed: 3\ncolumns: { a: text, x: int64, b: date }");
  EXPECT_TRUE(alone.table->column(0)->Equals(*among.table->column(1)));
  const Read other = ReadAll("rows: 100\nseed: 4\ncolumns: { x: int64 }");
  EXPECT_FALSE(alone.table->column(0)->Equals(*other.table->column(0)));
}

TEST_F(ColumnOptionsTest, MoreRowsBeginWithTheSameOnes) {
  for (const char* columns : {"columns: { x: int64, y: { type: text, nulls: 0.1 } }",
                              "table: lineitem", "table: events", "table: wide-500"}) {
    const Read few = ReadAll(std::string("rows: 100\n") + columns);
    const Read many = ReadAll(std::string("rows: 150\n") + columns);
    EXPECT_TRUE(few.table->Equals(*many.table->Slice(0, 100))) << columns;
  }
}

/// What is refused, how, and the option it is about.
struct Wrong {
  const char* options;
  FaultCode code;
  const char* about;
};

TEST_F(ColumnOptionsTest, RefusesWhatMakesNoColumn) {
  const Wrong wrongs[] = {
      {"{ type: varchar }", FaultCode::kBadValue, "text"},
      {"{ type: \"decimal(39,2)\" }", FaultCode::kUnsupportedType, "decimal"},
      {"{ min: 1 }", FaultCode::kMissingKey, "type"},
      {"{ type: int8, min: 1, max: 300 }", FaultCode::kBadValue, "out of range"},
      {"{ type: int8, min: 1.5 }", FaultCode::kBadValue, "1.5"},
      {"{ type: int8, min: 5, max: 4 }", FaultCode::kBadValue, "min"},
      {"{ type: int8, max: -1 }", FaultCode::kBadValue, "min"},
      {"{ type: \"decimal(9,2)\", min: 0.001 }", FaultCode::kBadValue, "0.001"},
      {"{ type: \"decimal(30,2)\", max: 99999999999999999 }", FaultCode::kBadValue, "out of range"},
      {"{ type: float64, max: nan }", FaultCode::kBadValue, "nan"},
      {"{ type: float64, max: 1e300 }", FaultCode::kBadValue, "1e300"},
      {"{ type: float64, max: 0.1234567 }", FaultCode::kBadValue, "0.1234567"},
      {"{ type: float64, scale: 16 }", FaultCode::kBadValue, "scale"},
      {"{ type: date, min: 2026-02-30 }", FaultCode::kBadValue, "2026-02-30"},
      {"{ type: date, min: \"2026-02-01 05:00\" }", FaultCode::kBadValue, "2026-02-01"},
      {"{ type: time(s), min: \"00:00:00.5\" }", FaultCode::kBadValue, "finer"},
      {"{ type: timestamp, min: \"2026-01-01T00:00Z\" }", FaultCode::kBadValue, "offset"},
      {"{ type: timestamp(ns), min: 1600-01-01 }", FaultCode::kBadValue, "out of range"},
      {"{ type: int8, sequence: x }", FaultCode::kBadValue, "x"},
      {"{ type: int8, sequence: 1, step: 0 }", FaultCode::kBadValue, "above zero"},
      {"{ type: int8, sequence: 1, step: -1 }", FaultCode::kBadValue, "above zero"},
      {"{ type: timestamp, sequence: 2026-01-01, step: 5 }", FaultCode::kBadValue, "duration"},
      {"{ type: timestamp(s), sequence: 2026-01-01, step: 5ms }", FaultCode::kBadValue, "finer"},
      {"{ type: timestamp, sequence: 2026-01-01, step: 0s }", FaultCode::kBadValue, "above zero"},
      {"{ type: int8, step: 1 }", FaultCode::kImpossiblePlan, "step"},
      {"{ type: int8, sequence: 1, max: 4 }", FaultCode::kImpossiblePlan, "max"},
      {"{ type: int8, values: [1], max: 4 }", FaultCode::kImpossiblePlan, "max"},
      {"{ type: int8, values: [] }", FaultCode::kBadValue, "empty"},
      {"{ type: int8, values: [1, 1000] }", FaultCode::kBadValue, "1000"},
      {"{ type: int8, form: words }", FaultCode::kImpossiblePlan, "form"},
      {"{ type: int8, length: 5 }", FaultCode::kImpossiblePlan, "length"},
      {"{ type: int8, scale: 2 }", FaultCode::kImpossiblePlan, "scale"},
      {"{ type: time, sequence: \"00:00\" }", FaultCode::kImpossiblePlan, "sequence"},
      {"{ type: bool, min: 1 }", FaultCode::kImpossiblePlan, "min"},
      {"{ type: text, min: 1 }", FaultCode::kImpossiblePlan, "min"},
      {"{ type: text, values: [] }", FaultCode::kBadValue, "empty"},
      {"{ type: text, values: [a], form: words }", FaultCode::kImpossiblePlan, "form"},
      {"{ type: text, form: uuid, length: 5 }", FaultCode::kImpossiblePlan, "length"},
      {"{ type: text, form: xml }", FaultCode::kBadValue, "form"},
      {"{ type: text, length: { min: 5 } }", FaultCode::kMissingKey, "max"},
      {"{ type: text, length: { min: 5, max: 4 } }", FaultCode::kBadValue, "min"},
      {"{ type: text, length: 1048577 }", FaultCode::kBadValue, "1048576"},
      {"{ type: binary, values: [a] }", FaultCode::kImpossiblePlan, "values"},
      {"{ type: binary, form: json }", FaultCode::kImpossiblePlan, "form"},
      {"{ type: int8, nulls: -0.1 }", FaultCode::kBadValue, "nulls"},
      {"{ type: int8, nulls: 1.1 }", FaultCode::kBadValue, "nulls"},
      {"{ type: int8, nulls: 10% }", FaultCode::kBadValue, "10%"},
      {"{ type: int8, nulls: 0.0000000001 }", FaultCode::kBadValue, "nulls"},
  };
  for (const Wrong& wrong : wrongs) {
    const Status status = MakeColumn(wrong.options).status();
    ASSERT_THAT(status, FailsWith(wrong.code)) << wrong.options;
    const Fault fault = FaultOf(status);
    EXPECT_THAT(fault.message() + " " + fault.help() + " " + fault.diagnostics()[0].help,
                HasSubstr(wrong.about))
        << wrong.options;
    for (const Diagnostic& problem : fault.diagnostics()) {
      EXPECT_EQ(problem.span.line, 3u) << wrong.options;
      EXPECT_THAT(problem.help, testing::Not(IsEmpty())) << wrong.options;
    }
  }
}

}  // namespace
}  // namespace levada::generate
