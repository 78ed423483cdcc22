#include "conversions/column_cast.h"

#include <arrow/util/decimal.h>

#include <set>

#include "conversions/conversion_fixture.h"

namespace levada::conversions {
namespace {

using testing::HasSubstr;

/// Every source type with values of it (and NULL), and the kind of casts it has.
struct SourceCase {
  const char* type;
  const char* json;
  const char* kind;
};
const SourceCase kSources[] = {
    {"bool", "[true, null, false]", "bool"},
    {"int8", "[1, null, 0]", "integer"},
    {"int16", "[1, null, 0]", "integer"},
    {"int32", "[1, null, 0]", "integer"},
    {"int64", "[1, null, 0]", "integer"},
    {"uint8", "[1, null, 0]", "integer"},
    {"uint16", "[1, null, 0]", "integer"},
    {"uint32", "[1, null, 0]", "integer"},
    {"uint64", "[1, null, 0]", "integer"},
    {"float16", "[1, null, 0]", "number"},
    {"float32", "[1, null, 0]", "number"},
    {"float64", "[1, null, 0]", "number"},
    {"decimal(5,2)", R"(["1.00", null, "0.00"])", "number"},
    {"wide(10,2)", R"(["1.00", null, "0.00"])", "number"},
    {"decimal(60,2)", R"(["1.00", null, "0.00"])", "number"},
    {"text", R"(["1", null, "0"])", "text"},
    {"large_text", R"(["1", null, "0"])", "text"},
    {"text_view", R"(["1", null, "0"])", "text"},
    {"dictionary", R"(["1", null, "0"])", "text"},
    {"binary", R"(["1", null, "0"])", "binary"},
    {"large_binary", R"(["1", null, "0"])", "binary"},
    {"binary_view", R"(["1", null, "0"])", "binary"},
    {"binary3", R"(["abc", null, "def"])", "binary"},
    {"date", "[1, null, 0]", "date"},
    {"time(s)", "[1, null, 0]", "time"},
    {"time(ms)", "[1000, null, 0]", "time"},
    {"time(us)", "[1000000, null, 0]", "time"},
    {"time(ns)", "[1000000000, null, 0]", "time"},
    {"timestamp(s)", "[86400, null, 0]", "timestamp"},
    {"timestamp(ms)", "[86400000, null, 0]", "timestamp"},
    {"timestamp(us)", "[86400000000, null, 0]", "timestamp"},
    {"timestamp(ns)", "[86400000000000, null, 0]", "timestamp"},
    {"timestamp(us, UTC)", "[86400000000, null, 0]", "instant"},
    {"timestamp(s, Europe/Lisbon)", "[86400, null, 0]", "instant"},
    {"null", "[null, null, null]", "null"},
    {"list", "[[1], null, []]", "nested"},
    {"struct", R"([{"a": 1}, null, {"a": null}])", "nested"},
    {"map", R"([[["a", 1]], null, []])", "nested"},
};

/// What the values 1, NULL and 0 of a kind become; an empty text where there is no cast.
std::string ExpectedOf(const std::string& kind, const std::string& to) {
  static const std::set<std::string> kIntegers = {"int8",  "int16",  "int32",  "int64",
                                                  "uint8", "uint16", "uint32", "uint64"};
  const bool is_number = kind == "integer" || kind == "number";
  const bool is_text = kind == "text";
  if (kind == "null") return "null, null, null";
  if (kind == "nested") return "";
  if (to == "bool")
    return kind == "bool" || kind == "integer" || is_text ? "true, null, false" : "";
  if (kIntegers.count(to) > 0) return is_number || kind == "bool" || is_text ? "1, null, 0" : "";
  if (to.starts_with("float")) return is_number || is_text ? "1, null, 0" : "";
  if (to.starts_with("decimal")) return is_number || is_text ? "1.00, null, 0.00" : "";
  if (to == "text") return "?";
  if (to == "binary") return is_text || kind == "binary" ? "?" : "";
  const bool is_moment = kind == "timestamp" || kind == "instant";
  if (to == "date") return is_text || kind == "date" || kind == "timestamp" ? "?" : "";
  if (to.starts_with("time(")) return is_text || kind == "time" ? "?" : "";
  if (to == "timestamp(ms, UTC)") return is_text || kind == "instant" ? "?" : "";
  return is_text || kind == "date" || (is_moment && kind != "instant") ? "?" : "";
}

TEST(ColumnCast, AcceptsExactlyThePairsThatHaveAMeaning) {
  int accepted = 0;
  for (const SourceCase& source : kSources) {
    const auto array = ArrayOf(source.type, source.json);
    for (
        const char* to :
        {"bool",         "int8",          "int16",         "int32",         "int64",
         "uint8",        "uint16",        "uint32",        "uint64",        "float32",
         "float64",      "decimal(5,2)",  "decimal(50,2)", "text",          "binary",
         "date",         "time(s)",       "time(ms)",      "time(us)",      "time(ns)",
         "timestamp(s)", "timestamp(ms)", "timestamp(us)", "timestamp(ns)", "timestamp(ms, UTC)"}) {
      const std::string expected = ExpectedOf(source.kind, to);
      SCOPED_TRACE(std::string(source.type) + " to " + to);
      auto cast = MakeColumnCast(array->type(), TargetOf(to));
      if (expected.empty()) {
        EXPECT_THAT(cast, FailsWith(FaultCode::kBadCast, HasSubstr("no cast from")));
        continue;
      }
      ASSERT_THAT(cast, IsOk());
      ++accepted;
      const std::string shown = CastOf(array, TargetOf(to));
      if (expected != "?") {
        EXPECT_EQ(shown, expected);
      }
      EXPECT_THAT(shown, HasSubstr(", null, "));
    }
  }
  EXPECT_EQ(accepted, 387);
}

struct ValueCase {
  const char* from;
  const char* json;
  const char* to;
  const char* expected;
};

void ExpectCasts(const std::vector<ValueCase>& cases) {
  for (const ValueCase& c : cases) {
    EXPECT_EQ(CastOf(c.from, c.json, c.to), c.expected)
        << c.from << " " << c.json << " to " << c.to;
  }
}

TEST(ColumnCast, KeepsIntegersInRange) {
  ExpectCasts({
      {"int64", "[-128, 127, -129, 128]", "int8", "-128, 127, !out of range, !out of range"},
      {"int64", "[-1, 0, 255, 256]", "uint8", "!out of range, 0, 255, !out of range"},
      {"int64", "[-32768, 32767, 32768]", "int16", "-32768, 32767, !out of range"},
      {"int64", "[65535, 65536]", "uint16", "65535, !out of range"},
      {"int64", "[-2147483648, 2147483648]", "int32", "-2147483648, !out of range"},
      {"int64", "[4294967295, 4294967296]", "uint32", "4294967295, !out of range"},
      {"int64", "[-1, 9223372036854775807]", "uint64", "!out of range, 9223372036854775807"},
      {"uint64", "[9223372036854775807, 9223372036854775808, 18446744073709551615]", "int64",
       "9223372036854775807, !out of range, !out of range"},
      {"int32", "[0, 1, 2, -1]", "bool", "false, true, !neither 0 nor 1, !neither 0 nor 1"},
      {"uint8", "[0, 1, 2]", "bool", "false, true, !neither 0 nor 1"},
  });
}

TEST(ColumnCast, MakesIntegersOfWholeNumbersOnly) {
  ExpectCasts({
      {"float64", "[1, -0.0, 1.5, 1e-300, NaN, Inf, -Inf]", "int64",
       "1, 0, !not a whole number, !not a whole number, !nan, !out of range, !out of range"},
      {"float64", "[-9223372036854775808, 9223372036854774784, 9223372036854775808]", "int64",
       "-9223372036854775808, 9223372036854774784, !out of range"},
      {"float64", "[18446744073709549568, 18446744073709551616, -1]", "uint64",
       "18446744073709549568, !out of range, !out of range"},
      {"float32", "[16777216, 0.5]", "int32", "16777216, !not a whole number"},
      {"float16", "[2048, 0.5, NaN]", "int16", "2048, !not a whole number, !nan"},
      {"decimal(20,2)", R"(["12.00", "-12.00", "12.10", "300.00"])", "int8",
       "12, -12, !not a whole number, !out of range"},
      {"decimal(38,0)", R"(["9223372036854775807", "9223372036854775808", "-9223372036854775809"])",
       "int64", "9223372036854775807, !out of range, !out of range"},
      {"decimal(76,1)", R"(["18446744073709551615.0", "18446744073709551616.0", "-1.0"])", "uint64",
       "18446744073709551615, !out of range, !out of range"},
      {"scaled(3,-2)", R"(["120", "0"])", "int16", "12000, 0"},
      {"scaled(3,-2)", R"(["999"])", "int16", "!out of range"},
      {"text", R"(["42", "+7", "-0", "", " 1", "1 ", "1.0", "0x1", "--1", "+-1", "٣"])", "int64",
       "42, 7, 0, !not an integer, !not an integer, !not an integer, !not an integer, "
       "!not an integer, !not an integer, !not an integer, !not an integer"},
      {"text", R"(["9223372036854775808", "-9223372036854775808", "99999999999999999999999"])",
       "int64", "!out of range, -9223372036854775808, !out of range"},
      {"text", R"(["18446744073709551615", "-1", "300"])", "uint64",
       "18446744073709551615, !out of range, 300"},
      {"text", R"(["300", "-1"])", "uint8", "!out of range, !out of range"},
  });
}

TEST(ColumnCast, MakesFloatsOfWhatTheyHold) {
  ExpectCasts({
      {"int64", "[9007199254740992, 9007199254740993, -9007199254740993]", "decimal(16,0)",
       "9007199254740992, 9007199254740993, -9007199254740993"},
      {"int64", "[16777216, 16777217, -16777217]", "float32",
       "16777216, !an integer that no float of this size holds, "
       "!an integer that no float of this size holds"},
      {"uint64", "[18446744073709551615]", "float64",
       "!an integer that no float of this size holds"},
      {"float64", "[0.1, 1e39, -1e39, 1e-46, NaN, Inf, -Inf, 0]", "float32",
       "0.1, !out of range, !out of range, !out of range, nan, inf, -inf, 0"},
      {"float32", "[0.5, NaN, -Inf]", "float64", "0.5, nan, -inf"},
      {"decimal(5,2)", R"(["0.10", "-999.99"])", "float64", "0.1, -999.99"},
      {"decimal(5,2)", R"(["0.10", "-999.99"])", "float32", "0.1, -999.99"},
      {"text", R"(["1e3", ".5", "5.", "-inf", "NaN", "+2", "1e400", "1e-400", "", "1,5", "nan("])",
       "float64",
       "1000, 0.5, 5, -inf, nan, 2, !out of range, !out of range, !not a number, !not a number, "
       "!not a number"},
      {"text", R"(["1e3", "+0.1", "-Infinity", "1e39", "1e-50", "0e-99", "x"])", "float32",
       "1000, 0.1, -inf, !out of range, !out of range, 0, !not a number"},
  });
}

TEST(ColumnCast, RoundsDecimalsToTheNearestFloatOnce) {
  // Halfway between two floats but for its last digit, so that rounding twice would go wrong.
  EXPECT_EQ(CastOf("decimal(38,28)", R"(["1.0000000596046447753906251000"])", "float32"),
            CastOf("text", R"(["1.0000000596046447753906251"])", "float32"));
  const auto nearest = [](const char* type, const std::string& json) {
    auto cast = ValueOf(MakeColumnCast(TypeNamed(type), TargetOf("float64")));
    auto column = ValueOf(cast->Convert(ArrayOf(type, json), arrow::default_memory_pool()));
    return static_cast<const arrow::DoubleArray&>(*column.values).Value(0);
  };
  EXPECT_EQ(nearest("decimal(38,20)", R"(["123456789012345678.12345678901234567890"])"),
            123456789012345678.12345678901234567890);
  EXPECT_EQ(nearest("decimal(76,60)", "[\"0.1" + std::string(59, '0') + "\"]"), 0.1);
  EXPECT_EQ(nearest("decimal(76,0)", "[\"" + std::string(76, '9') + "\"]"), 1e76);
  EXPECT_EQ(nearest("int64", "[9007199254740992]"), 9007199254740992.0);
}

TEST(ColumnCast, KeepsDecimalsExactOrRefusesThem) {
  ExpectCasts({
      {"decimal(10,3)", R"(["1.230", "1.234", "-1.230"])", "decimal(10,2)",
       "1.23, !more digits after the point than the scale, -1.23"},
      {"decimal(5,2)", R"(["999.99", "99.99"])", "decimal(4,2)", "!out of range, 99.99"},
      {"decimal(5,2)", R"(["999.99", "-0.01", "9.99"])", "decimal(5,4)",
       "!out of range, -0.0100, 9.9900"},
      {"decimal(38,0)", R"(["99999999999999999999999999999999999999", "1"])", "decimal(38,1)",
       "!out of range, 1.0"},
      {"decimal(38,0)", R"(["99999999999999999999999999999999999999"])", "decimal(76,38)",
       "99999999999999999999999999999999999999.00000000000000000000000000000000000000"},
      {"decimal(38,38)", R"(["0.00000000000000000000000000000000000001", "0E-38"])",
       "decimal(38,37)", "!more digits after the point than the scale, 0E-37"},
      {"decimal(76,38)",
       R"(["99999999999999999999999999999999999999.00000000000000000000000000000000000000",
           "-1.50000000000000000000000000000000000000",
           "1.00000000000000000000000000000000000001"])",
       "decimal(38,0)",
       "99999999999999999999999999999999999999, !more digits after the point than the scale, "
       "!more digits after the point than the scale"},
      {"decimal(76,0)", R"(["100000000000000000000000000000000000000", "-7"])", "decimal(38,0)",
       "!out of range, -7"},
      {"scaled(3,-2)", R"(["999", "-1", "0"])", "decimal(6,1)", "99900.0, -100.0, 0.0"},
      {"scaled(3,-2)", R"(["999", "0"])", "decimal(4,0)", "!out of range, 0"},
      {"int64", "[-9223372036854775808, 1]", "decimal(38,19)",
       "-9223372036854775808.0000000000000000000, 1.0000000000000000000"},
      {"int64", "[9223372036854775807]", "decimal(19,1)", "!out of range"},
      {"uint64", "[18446744073709551615]", "decimal(20,0)", "18446744073709551615"},
      {"uint64", "[18446744073709551615]", "decimal(76,56)",
       "18446744073709551615.00000000000000000000000000000000000000000000000000000000"},
      {"int8", "[5, 0, -5]", "decimal(3,3)", "!out of range, 0.000, !out of range"},
      {"text", R"(["1.5", "1.50000", "-.5", "1e2", "15e-1", "1.505", "1000", "", "1,5", "NaN"])",
       "decimal(5,2)",
       "1.50, 1.50, -0.50, 100.00, 1.50, !more digits after the point than the scale, "
       "!out of range, !not a decimal number, !not a decimal number, !not a decimal number"},
      {"text", R"(["1e75", "1e76", "1e99999999999999999999"])", "decimal(76,0)",
       "1000000000000000000000000000000000000000000000000000000000000000000000000000, "
       "!out of range, !out of range"},
  });
}

TEST(ColumnCast, TakesFloatsForTheirShortestDecimal) {
  ExpectCasts({
      {"float64", "[0.1, 1.005, -2.5, 1e15, NaN, Inf]", "decimal(20,2)",
       "0.10, !more digits after the point than the scale, -2.50, 1000000000000000.00, !nan, "
       "!infinite"},
      {"float64", "[0.1, 0.30000000000000004]", "decimal(38,17)",
       "0.10000000000000000, 0.30000000000000004"},
      {"float64", "[1e22, 1e-7]", "decimal(50,7)", "10000000000000000000000.0000000, 1E-7"},
      {"float64", "[NaN, -Inf]", "decimal(76,0)", "!nan, !infinite"},
      {"float32", "[0.1, 3.4e38, NaN, Inf]", "decimal(38,1)",
       "0.1, !out of range, !nan, !infinite"},
      {"float16", "[0.5, 65504]", "decimal(6,1)", "0.5, 65504.0"},
      // Whole numbers are what they are, as when they become integers.
      {"float32", "[1e11, -683793216, 0.1]", "decimal(38,1)", "99999997952.0, -683793216.0, 0.1"},
      {"float32", "[1e11]", "int64", "99999997952"},
      {"float64", "[1e23, -1e37, 1e38, -0.0]", "decimal(38,0)",
       "99999999999999991611392, -9999999999999999538762658202121142272, !out of range, 0"},
      {"float64", "[1e23, 1e76]", "decimal(76,0)", "99999999999999991611392, !out of range"},
  });
}

TEST(ColumnCast, WritesValuesAsText) {
  ExpectCasts({
      {"bool", "[true, false]", "text", "true, false"},
      {"int64", "[-9223372036854775808, 0]", "text", "-9223372036854775808, 0"},
      {"uint64", "[18446744073709551615]", "text", "18446744073709551615"},
      {"float64", "[0.1, 1e300, -0.0, NaN, Inf, -Inf]", "text",
       "0.1, 1e+300, -0, NaN, Infinity, -Infinity"},
      {"float32", "[0.1]", "text", "0.1"},
      {"float16", "[0.5]", "text", "0.5"},
      {"decimal(5,2)", R"(["-0.05", "1.50", "999.99"])", "text", "-0.05, 1.50, 999.99"},
      {"decimal(38,38)", R"(["0.00000000000000000000000000000000000001"])", "text",
       "0.00000000000000000000000000000000000001"},
      {"decimal(50,1)", R"(["-1.5"])", "text", "-1.5"},
      {"scaled(3,-2)", R"(["120", "0"])", "text", "12000, 0"},
      {"text", R"(["", "Ünï", null])", "text", ", Ünï, null"},
      {"text_view", R"(["", "longer than twelve bytes", null])", "text",
       ", longer than twelve bytes, null"},
      {"large_text", R"(["a"])", "text", "a"},
      {"binary", R"(["é", ""])", "text", "é, "},
      {"date", "[0, -719528, 2932896, 2932897, -719529]", "text",
       "1970-01-01, 0000-01-01, 9999-12-31, !out of range, !out of range"},
      {"time(ms)", "[0, 86399999, 86400000, -1]", "text",
       "00:00:00, 23:59:59.999, !no such time of day, !no such time of day"},
      {"time(ns)", "[1, 9223372036854775807]", "text", "00:00:00.000000001, !no such time of day"},
      {"timestamp(us)", "[0, -1, 1500000, 253402300800000000]", "text",
       "1970-01-01 00:00:00, 1969-12-31 23:59:59.999999, 1970-01-01 00:00:01.5, !out of range"},
      {"timestamp(s, Europe/Lisbon)", "[0]", "text", "1970-01-01 00:00:00Z"},
  });
  arrow::BinaryBuilder bytes;
  ASSERT_THAT(bytes.AppendValues({"ok", "\xff", "\xc3"}), IsOk());
  EXPECT_EQ(CastOf(ValueOf(bytes.Finish()), TargetOf("text")),
            "ok, !not valid UTF-8, !not valid UTF-8");
}

TEST(ColumnCast, ReadsTruthFromText) {
  ExpectCasts({{"text", R"(["true", "F", "1", "0", "FALSE", "yes", "", "2"])", "bool",
                "true, false, true, false, false, !neither true nor false, "
                "!neither true nor false, !neither true nor false"}});
}

TEST(ColumnCast, ConvertsADictionaryThroughItsValues) {
  auto indices = ArrayOf("int8", "[2, 0, null, 1, 2, 3]");
  auto values = ArrayOf("text", R"(["1", "x", "3", null, "unused and no number"])");
  auto array = ValueOf(arrow::DictionaryArray::FromArrays(indices, values));
  EXPECT_EQ(CastOf(array, TargetOf("int8")), "3, 1, null, !not an integer, 3, null");
  EXPECT_EQ(CastOf(array, TargetOf("text")), "3, 1, null, x, 3, null");
  auto part = ValueOf(arrow::DictionaryArray::FromArrays(ArrayOf("int8", "[1, 0]"),
                                                         Sliced(ArrayOf("text", R"(["1", "2"])"))));
  EXPECT_EQ(CastOf(part, TargetOf("int8")), "2, 1") << "a dictionary that is a slice itself";
}

TEST(ColumnCast, GivesBackTheColumnWhereNothingChanges) {
  const auto array = Sliced(ArrayOf("text", R"(["a", null, "c"])"));
  auto cast = ValueOf(MakeColumnCast(arrow::utf8(), TargetOf("text")));
  EXPECT_EQ(ValueOf(cast->Convert(array, arrow::default_memory_pool())).values, array);
}

TEST(ColumnCast, WorksAcrossItsBlocks) {
  arrow::Int64Builder numbers;
  for (int64_t i = 0; i < 1000; ++i) {
    ASSERT_THAT(i % 7 == 3 ? numbers.AppendNull() : numbers.Append(i), IsOk());
  }
  const auto array = ValueOf(numbers.Finish());
  auto cast = ValueOf(MakeColumnCast(arrow::int64(), TargetOf("int8")));
  for (const auto& part : {array, array->Slice(1, 255), array->Slice(250, 513)}) {
    const CastColumn column = ValueOf(cast->Convert(part, arrow::default_memory_pool()));
    ASSERT_THAT(column.values->ValidateFull(), IsOk());
    size_t failures = 0;
    for (int64_t i = 0; i < part->length(); ++i) {
      const int64_t value = i + part->offset();
      const bool fits = value < 128;
      EXPECT_EQ(column.values->IsNull(i), value % 7 == 3 || !fits);
      if (value % 7 != 3 && !fits) {
        EXPECT_EQ(column.failures.at(failures++).row, i);
      }
    }
    EXPECT_EQ(failures, column.failures.size());
  }
}

}  // namespace
}  // namespace levada::conversions
