#include "elt/row_hash.h"

#include <arrow/api.h>
#include <arrow/json/from_string.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <limits>
#include <sstream>

namespace levada::elt {
namespace {

using Column = std::shared_ptr<arrow::Array>;
using Type = std::shared_ptr<arrow::DataType>;

Column Array(const Type& type, const std::string& json) {
  return arrow::json::ArrayFromJSONString(type, json).ValueOrDie();
}

std::shared_ptr<arrow::RecordBatch> Batch(const std::vector<Column>& columns) {
  arrow::FieldVector fields;
  for (size_t c = 0; c < columns.size(); ++c) {
    fields.push_back(arrow::field("c" + std::to_string(c), columns[c]->type()));
  }
  return arrow::RecordBatch::Make(arrow::schema(fields), columns[0]->length(), columns);
}

std::string HashOf(const std::vector<Column>& columns) {
  RowHasher hasher;
  Status status = hasher.Update(*Batch(columns));
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(hasher.rows(), columns[0]->length());
  return hasher.Hex();
}

/// The canonical forms of the rows of one column, in hex.
std::vector<std::string> Forms(const Column& column) {
  auto rows = CanonicalRows(*Batch({column}));
  EXPECT_TRUE(rows.ok()) << rows.status();
  std::vector<std::string> forms;
  for (const std::string& row : *rows) {
    std::string hex;
    for (unsigned char c : row) {
      constexpr char kDigits[] = "0123456789abcdef";
      hex += kDigits[c >> 4];
      hex += kDigits[c & 15];
    }
    forms.push_back(hex);
  }
  return forms;
}

std::vector<std::string> Forms(const Type& type, const std::string& json) {
  return Forms(Array(type, json));
}

template <typename Builder, typename T>
Column Build(Builder&& builder, const std::vector<T>& values) {
  for (const T& value : values) EXPECT_TRUE(builder.Append(value).ok());
  return builder.Finish().ValueOrDie();
}

using testing::ElementsAre;

TEST(CanonicalForm, OfIntegersIsEightBytesWhateverTheirWidth) {
  const std::vector<std::string> expected = {"010100000000000000", "01ffffffffffffffff", "00"};
  for (const Type& type : {arrow::int8(), arrow::int16(), arrow::int32(), arrow::int64()}) {
    EXPECT_EQ(Forms(type, "[1, -1, null]"), expected) << type->ToString();
  }
  for (const Type& type : {arrow::uint8(), arrow::uint16(), arrow::uint32(), arrow::uint64()}) {
    EXPECT_THAT(Forms(type, "[255]"), ElementsAre("01ff00000000000000")) << type->ToString();
  }
  EXPECT_THAT(Forms(arrow::boolean(), "[true, false, null]"), ElementsAre("0101", "0100", "00"));
}

TEST(CanonicalForm, OfFloatsIsTheirDoubleWithOneNan) {
  EXPECT_THAT(Forms(arrow::float64(), "[1.5, null]"), ElementsAre("01000000000000f83f", "00"));
  EXPECT_EQ(Forms(arrow::float32(), "[1.5]"), Forms(arrow::float64(), "[1.5]"));
  EXPECT_EQ(Forms(arrow::float16(), "[1.5]"), Forms(arrow::float64(), "[1.5]"));
  const double quiet = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THAT(Forms(Build(arrow::DoubleBuilder(), std::vector<double>{quiet, -quiet, 0.0, -0.0})),
              ElementsAre("01000000000000f87f", "01000000000000f87f", "010000000000000000",
                          "010000000000000080"));
}

TEST(CanonicalForm, OfDecimalsIsScaleAndSmallestInteger) {
  const std::vector<std::string> expected = {"0102089600000000000000", "0102086affffffffffffff",
                                             "00"};
  const std::string json = R"(["1.50", "-1.50", null])";
  EXPECT_EQ(Forms(arrow::decimal32(9, 2), json), expected);
  EXPECT_EQ(Forms(arrow::decimal64(15, 2), json), expected);
  EXPECT_EQ(Forms(arrow::decimal128(15, 2), json), expected);
  EXPECT_EQ(Forms(arrow::decimal256(50, 2), json), expected);
  EXPECT_NE(Forms(arrow::decimal128(15, 3), R"(["1.500"])"),
            Forms(arrow::decimal128(15, 2), R"(["1.50"])"));
  // 2^63 - 1, 2^63, -2^63, -2^63 - 1
  const std::string edges = R"(["9223372036854775807", "9223372036854775808",
                                "-9223372036854775808", "-9223372036854775809"])";
  const std::vector<std::string> edge_forms = {"010008ffffffffffffff7f",
                                               "0100100000000000000080"
                                               "0000000000000000",
                                               "0100080000000000000080",
                                               "010010ffffffffffffff7f"
                                               "ffffffffffffffff"};
  EXPECT_EQ(Forms(arrow::decimal128(38, 0), edges), edge_forms);
  EXPECT_EQ(Forms(arrow::decimal256(40, 0), edges), edge_forms);
  // 2^127 needs the fourth word only for its sign.
  EXPECT_THAT(Forms(arrow::decimal256(40, 0), R"(["170141183460469231731687303715884105728"])"),
              ElementsAre("010020"
                          "0000000000000000"
                          "0000000000000080"
                          "0000000000000000"
                          "0000000000000000"));
}

TEST(CanonicalForm, OfTextAndBytesIsSizeAndBytesInEveryLayout) {
  const std::vector<std::string> expected = {"010100000061", "0100000000", "00"};
  const std::string json = R"(["a", "", null])";
  for (const Type& type : {arrow::utf8(), arrow::large_utf8(), arrow::utf8_view(), arrow::binary(),
                           arrow::large_binary(), arrow::binary_view()}) {
    EXPECT_EQ(Forms(type, json), expected) << type->ToString();
  }
  EXPECT_EQ(Forms(arrow::dictionary(arrow::int8(), arrow::utf8()), json), expected);
  EXPECT_EQ(Forms(arrow::dictionary(arrow::uint32(), arrow::large_utf8()), json), expected);
  EXPECT_THAT(Forms(arrow::fixed_size_binary(2), R"(["ab"])"), ElementsAre("01020000006162"));
}

TEST(CanonicalForm, OfTimesIsMicrosAndTheNanosBeyond) {
  using arrow::TimeUnit;
  const std::vector<std::string> expected = {"0140420f00000000000000"};
  EXPECT_EQ(Forms(arrow::timestamp(TimeUnit::SECOND), "[1]"), expected);
  EXPECT_EQ(Forms(arrow::timestamp(TimeUnit::MILLI), "[1000]"), expected);
  EXPECT_EQ(Forms(arrow::timestamp(TimeUnit::MICRO, "UTC"), "[1000000]"), expected);
  EXPECT_EQ(Forms(arrow::timestamp(TimeUnit::NANO), "[1000000000]"), expected);
  EXPECT_EQ(Forms(arrow::time32(TimeUnit::SECOND), "[1]"), expected);
  EXPECT_EQ(Forms(arrow::time64(TimeUnit::NANO), "[1000000000]"), expected);
  EXPECT_EQ(Forms(arrow::duration(TimeUnit::MILLI), "[1000]"), expected);
  EXPECT_THAT(Forms(arrow::timestamp(TimeUnit::NANO), "[-1, 1999]"),
              ElementsAre("01ffffffffffffffffe703", "010100000000000000e703"));
  // Seconds beyond the range of micros wrap instead of failing.
  EXPECT_THAT(Forms(arrow::timestamp(TimeUnit::SECOND), "[9223372036854775807]"),
              ElementsAre("01c0bdf0ffffffffff0000"));
}

TEST(CanonicalForm, OfDatesIsDays) {
  EXPECT_THAT(Forms(arrow::date32(), "[-1, null]"), ElementsAre("01ffffffffffffffff", "00"));
  EXPECT_EQ(Forms(arrow::date64(), "[-86400000, null]"), Forms(arrow::date32(), "[-1, null]"));
}

TEST(CanonicalForm, OfIntervalsIsMonthsDaysNanos) {
  EXPECT_EQ(Forms(arrow::month_interval(), "[2]"),
            Forms(arrow::month_day_nano_interval(), "[[2, 0, 0]]"));
  EXPECT_EQ(Forms(arrow::day_time_interval(), "[[3, 4]]"),
            Forms(arrow::month_day_nano_interval(), "[[0, 3, 4000000]]"));
  EXPECT_THAT(Forms(arrow::month_day_nano_interval(), "[[1, 2, 3]]"),
              ElementsAre("0101000000020000000300000000000000"));
}

TEST(CanonicalForm, OfListsIsCountAndCellsInEveryLayout) {
  const std::vector<std::string> expected = {
      "0102000000010700000000000000"
      "00",
      "0100000000", "00"};
  const std::string json = "[[7, null], [], null]";
  EXPECT_EQ(Forms(arrow::list(arrow::int64()), json), expected);
  EXPECT_EQ(Forms(arrow::large_list(arrow::int8()), json), expected);
  EXPECT_EQ(Forms(arrow::list_view(arrow::int16()), json), expected);
  EXPECT_EQ(Forms(arrow::fixed_size_list(arrow::int32(), 2), "[[7, null], null]"),
            (std::vector<std::string>{expected[0], "00"}));
  EXPECT_EQ(
      Forms(arrow::list(arrow::list(arrow::utf8())), R"([[["a"], null, []]])"),
      Forms(arrow::large_list(arrow::list_view(arrow::utf8_view())), R"([[["a"], null, []]])"));
}

TEST(CanonicalForm, OfStructsIsTheirCellsAndOfMapsTheirEntries) {
  EXPECT_THAT(Forms(arrow::struct_(
                        {arrow::field("a", arrow::boolean()), arrow::field("b", arrow::boolean())}),
                    R"([{"a": true, "b": null}, null])"),
              ElementsAre("01"
                          "0101"
                          "00",
                          "00"));
  EXPECT_THAT(Forms(arrow::map(arrow::boolean(), arrow::boolean()),
                    "[[[true, false], [false, null]], [], null]"),
              ElementsAre("0102000000"
                          "01010100"
                          "010000",
                          "0100000000", "00"));
}

TEST(CanonicalForm, OfNothingIsNull) {
  EXPECT_THAT(Forms(arrow::null(), "[null, null]"), ElementsAre("00", "00"));
}

TEST(CanonicalForm, SeesNullsOfTheDictionaryItself) {
  auto indices = Array(arrow::int8(), "[0, 1, null]");
  auto values = Array(arrow::utf8(), R"(["a", null])");
  auto array = arrow::DictionaryArray::FromArrays(arrow::dictionary(arrow::int8(), arrow::utf8()),
                                                  indices, values)
                   .ValueOrDie();
  EXPECT_EQ(Forms(array), Forms(arrow::utf8(), R"(["a", null, null])"));
}

TEST(CanonicalForm, IgnoresWhatIsHiddenBehindNullLists) {
  auto offsets = Array(arrow::int32(), "[0, 2, 3]");
  auto hidden = arrow::ListArray::FromArrays(*offsets, *Array(arrow::int64(), "[1, 2, 3]"),
                                             arrow::default_memory_pool(),
                                             arrow::AllocateBitmap(2).ValueOrDie())
                    .ValueOrDie();
  auto validity = arrow::AllocateEmptyBitmap(2).ValueOrDie();
  validity->mutable_data()[0] = 2;  // only the second is there
  hidden = std::make_shared<arrow::ListArray>(arrow::list(arrow::int64()), 2,
                                              hidden->value_offsets(), hidden->values(), validity);
  EXPECT_EQ(Forms(hidden), Forms(arrow::list(arrow::int64()), "[null, [3]]"));
}

std::vector<Column> MixedColumns() {
  return {
      Array(arrow::int64(), "[1, 2, null, 4, 5, 6, 7]"),
      Array(arrow::utf8(), R"(["a", "", null, "dd", "é", "f", "g"])"),
      Array(arrow::decimal128(9, 2), R"(["1.00", null, "3.00", "4.00", "5.00", "6.00", "7.00"])"),
      Array(arrow::list(arrow::utf8()), R"([["x"], [], null, [null], ["y", "z"], [""], []])"),
      Array(arrow::struct_({arrow::field("s", arrow::int8())}),
            R"([{"s": 1}, null, {"s": null}, {"s": 4}, {"s": 5}, {"s": 6}, {"s": 7}])"),
      Array(arrow::boolean(), "[true, false, null, true, true, false, false]"),
      Array(arrow::dictionary(arrow::int8(), arrow::utf8()),
            R"(["p", "q", null, "p", "q", "p", "p"])")};
}

TEST(RowHasher, DoesNotSeeWhereBatchesAreCut) {
  auto batch = Batch(MixedColumns());
  const std::string whole = HashOf(MixedColumns());
  for (int64_t cut = 0; cut <= batch->num_rows(); ++cut) {
    for (int64_t second = cut; second <= batch->num_rows(); ++second) {
      RowHasher hasher;
      ASSERT_TRUE(hasher.Update(*batch->Slice(0, cut)).ok());
      ASSERT_TRUE(hasher.Update(*batch->Slice(cut, second - cut)).ok());
      ASSERT_TRUE(hasher.Update(*batch->Slice(second)).ok());
      EXPECT_EQ(hasher.Hex(), whole);
      EXPECT_EQ(hasher.rows(), batch->num_rows());
    }
  }
}

TEST(RowHasher, IsTheSumOverRowsInAnyOrder) {
  auto batch = Batch(MixedColumns());
  RowHasher backwards;
  for (int64_t row = batch->num_rows(); row-- > 0;) {
    ASSERT_TRUE(backwards.Update(*batch->Slice(row, 1)).ok());
  }
  EXPECT_EQ(backwards.Hex(), HashOf(MixedColumns()));
  RowHasher twice;
  ASSERT_TRUE(twice.Update(*batch).ok());
  const uint64_t once = twice.sum();
  ASSERT_TRUE(twice.Update(*batch).ok());
  EXPECT_EQ(twice.sum(), once * 2) << "a row that comes twice counts twice";
}

TEST(RowHasher, IsZeroWithoutRows) {
  EXPECT_EQ(RowHasher().Hex(), "0000000000000000");
  RowHasher hasher;
  ASSERT_TRUE(hasher.Update(*Batch({Array(arrow::int64(), "[]")})).ok());
  EXPECT_EQ(hasher.Hex(), "0000000000000000");
}

TEST(RowHasher, CountsRowsWithoutColumns) {
  RowHasher hasher;
  auto batch = arrow::RecordBatch::Make(arrow::schema({}), 3, arrow::ArrayVector{});
  ASSERT_TRUE(hasher.Update(*batch).ok());
  EXPECT_EQ(hasher.rows(), 3);
  EXPECT_EQ(hasher.sum(), 3 * 0x2d06800538d394c2u) << "three times the hash of nothing";
}

TEST(RowHasher, TellsNullFromEmptyAndMovedBoundariesFromEachOther) {
  EXPECT_NE(HashOf({Array(arrow::utf8(), R"([""])")}), HashOf({Array(arrow::utf8(), "[null]")}));
  EXPECT_NE(HashOf({Array(arrow::utf8(), R"(["ab"])"), Array(arrow::utf8(), R"(["c"])")}),
            HashOf({Array(arrow::utf8(), R"(["a"])"), Array(arrow::utf8(), R"(["bc"])")}));
  EXPECT_NE(HashOf({Array(arrow::list(arrow::int8()), "[[]]")}),
            HashOf({Array(arrow::list(arrow::int8()), "[null]")}));
  EXPECT_NE(HashOf({Array(arrow::int8(), "[1]"), Array(arrow::int8(), "[2]")}),
            HashOf({Array(arrow::int8(), "[2]"), Array(arrow::int8(), "[1]")}));
}

TEST(RowHasher, HashesRowsFarLargerThanItsBlock) {
  const std::vector<std::string> texts = {"a", std::string(1 << 20, 'x'), "b",
                                          std::string(300 << 10, 'y'), "c"};
  auto column = Build(arrow::StringBuilder(), texts);
  RowHasher one_by_one;
  for (int64_t i = 0; i < column->length(); ++i) {
    ASSERT_TRUE(one_by_one.Update(*Batch({column->Slice(i, 1)})).ok());
  }
  EXPECT_EQ(HashOf({column}), one_by_one.Hex());
}

TEST(RowHasher, HashesManyBlocks) {
  arrow::Int64Builder builder;
  uint64_t sum = 0;
  for (int64_t i = 0; i < 5000; ++i) {
    ASSERT_TRUE(builder.Append(i).ok());
    RowHasher one;
    auto single = Array(arrow::int64(), "[" + std::to_string(i) + "]");
    ASSERT_TRUE(one.Update(*Batch({single})).ok());
    sum += one.sum();
  }
  RowHasher all;
  ASSERT_TRUE(all.Update(*Batch({builder.Finish().ValueOrDie()})).ok());
  EXPECT_EQ(all.sum(), sum);
}

TEST(RowHasher, RefusesTypesWithoutACanonicalFormAndCountsNothingOfTheBatch) {
  auto child = Array(arrow::int8(), "[1]");
  auto types = Array(arrow::int8(), "[0]");
  auto sparse = arrow::SparseUnionArray::Make(*types, {child}).ValueOrDie();
  RowHasher hasher;
  Status status = hasher.Update(*Batch({child, sparse}));
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(CodeOf(status), FaultCode::kUnsupportedType);
  EXPECT_EQ(hasher.rows(), 0);
  EXPECT_EQ(hasher.sum(), 0u);
}

TEST(RowHasher, RefusesEndlessNesting) {
  Type type = arrow::int8();
  std::string json = "1";
  for (int depth = 0; depth < 33; ++depth) {
    type = arrow::list(type);
    json = "[" + json + "]";
  }
  RowHasher hasher;
  Status status = hasher.Update(*Batch({Array(type, "[" + json + "]")}));
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(CodeOf(status), FaultCode::kUnsupportedType);
}

/// The rows behind the names of testdata/row_hash.txt, which tests/row_hash/reference.py makes from
/// docs/wire/hash.md alone.
std::vector<Column> Case(const std::string& name) {
  if (name == "mixed") return MixedColumns();
  if (name == "numbers") {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    return {Array(arrow::uint64(), "[18446744073709551615, 0, null]"),
            Build(arrow::DoubleBuilder(), std::vector<double>{nan, -0.0, 1.5}),
            Array(arrow::decimal256(40, 0), R"(["9223372036854775808", "-9223372036854775808",
                                             "170141183460469231731687303715884105728"])"),
            Build(arrow::Decimal128Builder(arrow::decimal128(10, -2)),
                  std::vector<arrow::Decimal128>{12, -1, 0})};
  }
  if (name == "times") {
    return {Array(arrow::timestamp(arrow::TimeUnit::NANO), "[-1, 1999, 1000000000000000000]"),
            Array(arrow::date32(), "[-1, 0, 20454]"),
            Array(arrow::month_day_nano_interval(), "[[1, 2, 3], null, [-1, -2, -3]]")};
  }
  if (name == "maps") {
    return {Array(arrow::map(arrow::utf8(), arrow::list(arrow::int64())),
                  R"([[["k", [1, null]], ["", null]], [], null])")};
  }
  if (name.starts_with("text-")) {
    std::string text(std::stoul(name.substr(5)), ' ');
    for (size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>('a' + i * 7 % 26);
    return {Build(arrow::StringBuilder(), std::vector<std::string>{text})};
  }
  ADD_FAILURE() << "a case without rows here: " << name;
  return {Array(arrow::int8(), "[]")};
}

TEST(RowHasher, AgreesWithTheReference) {
  std::ifstream file(LEVADA_TESTDATA "/row_hash.txt");
  ASSERT_TRUE(file.is_open());
  int cases = 0;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("#")) continue;
    std::istringstream words(line);
    std::string name, hash;
    words >> name >> hash;
    if (name == "nothing") continue;  // a row without columns, tested above
    EXPECT_EQ(HashOf(Case(name)), hash) << name;
    ++cases;
  }
  EXPECT_GT(cases, 20);
}

}  // namespace
}  // namespace levada::elt
