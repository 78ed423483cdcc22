#include "elt/row_json.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/json/from_string.h>

#include <limits>

#include "base/json.h"
#include "base/testing.h"

namespace levada::elt {
namespace {

std::string Cell(const std::shared_ptr<arrow::Array>& array, int64_t row = 0) {
  auto schema = arrow::schema({arrow::field("c", array->type())});
  auto batch = arrow::RecordBatch::Make(schema, array->length(), {array});
  const std::string json = ValueOf(RowJson(*batch, row));
  EXPECT_FALSE(ParseJson(json).is_discarded()) << json;
  return json.substr(6, json.size() - 7);
}

std::string Cell(const std::shared_ptr<arrow::DataType>& type, const std::string& json) {
  return Cell(ValueOf(arrow::json::ArrayFromJSONString(type, json)));
}

TEST(RowJson, WritesEveryKindOfValue) {
  using arrow::TimeUnit;
  EXPECT_EQ(Cell(arrow::int64(), "[-9223372036854775808]"), "-9223372036854775808");
  EXPECT_EQ(Cell(arrow::uint64(), "[18446744073709551615]"), "18446744073709551615");
  EXPECT_EQ(Cell(arrow::boolean(), "[true]"), "true");
  EXPECT_EQ(Cell(arrow::float64(), "[0.1]"), "0.1");
  EXPECT_EQ(Cell(arrow::int64(), "[null]"), "null");
  EXPECT_EQ(Cell(arrow::null(), "[null]"), "null");
  EXPECT_EQ(Cell(arrow::decimal128(9, 2), R"(["1.50"])"), R"("1.50")");
  EXPECT_EQ(Cell(arrow::date32(), "[20484]"), R"("2026-01-31")");
  EXPECT_EQ(Cell(arrow::timestamp(TimeUnit::MICRO), "[0]"), R"("1970-01-01 00:00:00.000000")");
  EXPECT_EQ(Cell(arrow::timestamp(TimeUnit::SECOND, "UTC"), "[0]"), R"("1970-01-01 00:00:00Z")");
  EXPECT_EQ(Cell(arrow::time32(TimeUnit::SECOND), "[61]"), R"("00:01:01")");
  for (const auto& type : {arrow::utf8(), arrow::large_utf8(), arrow::utf8_view(),
                           arrow::dictionary(arrow::int8(), arrow::utf8())}) {
    EXPECT_EQ(Cell(type, R"(["a\"é\n"])"), R"("a\"é\n")") << type->ToString();
  }
  for (const auto& type : {arrow::binary(), arrow::large_binary(), arrow::binary_view(),
                           arrow::fixed_size_binary(2)}) {
    EXPECT_EQ(Cell(type, R"(["a\n"])"), R"("\\x610a")") << type->ToString();
  }
  for (const auto& type : {arrow::list(arrow::int8()), arrow::large_list(arrow::int8()),
                           arrow::fixed_size_list(arrow::int8(), 2)}) {
    EXPECT_EQ(Cell(type, "[[1, null]]"), "[1, null]") << type->ToString();
  }
  EXPECT_EQ(Cell(arrow::map(arrow::utf8(), arrow::int8()), R"([[["k", 1], ["l", null]]])"),
            R"([["k", 1], ["l", null]])");
  EXPECT_EQ(
      Cell(arrow::struct_({arrow::field("x", arrow::int8()), arrow::field("y", arrow::utf8())}),
           R"([{"x": 1, "y": "z"}])"),
      R"({"x": 1, "y": "z"})");
}

TEST(RowJson, WritesWhatJsonHasNoNumberForAsText) {
  arrow::DoubleBuilder builder;
  ASSERT_THAT(builder.AppendValues({std::numeric_limits<double>::quiet_NaN(),
                                    -std::numeric_limits<double>::infinity()}),
              IsOk());
  auto array = ValueOf(builder.Finish());
  EXPECT_EQ(Cell(array, 0), R"("nan")");
  EXPECT_EQ(Cell(array, 1), R"("-inf")");
}

TEST(RowJson, ReplacesInvalidUtf8) {
  arrow::StringBuilder builder;
  ASSERT_THAT(builder.Append("caf\xe9"), IsOk());
  EXPECT_EQ(Cell(ValueOf(builder.Finish())), "\"caf\xef\xbf\xbd\"");
}

TEST(RowJson, TakesTheRowOfASlice) {
  auto a = ValueOf(arrow::json::ArrayFromJSONString(arrow::int8(), "[1, 2, 3]"));
  auto b = ValueOf(arrow::json::ArrayFromJSONString(arrow::utf8(), R"(["x", null, "z"])"));
  auto schema = arrow::schema({arrow::field("a", a->type()), arrow::field("é\"", b->type())});
  auto batch = arrow::RecordBatch::Make(schema, 3, {a, b})->Slice(1);
  EXPECT_EQ(ValueOf(RowJson(*batch, 0)), R"({"a": 2, "é\"": null})");
  EXPECT_EQ(ValueOf(RowJson(*batch, 1)), R"({"a": 3, "é\"": "z"})");
}

}  // namespace
}  // namespace levada::elt
