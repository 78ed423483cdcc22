#include "formats/pgcopy/batch_encoder.h"

#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_decimal.h>
#include <arrow/array/builder_dict.h>
#include <arrow/array/builder_nested.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/type.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "base/testing.h"
#include "formats/pgcopy/captured.h"
#include "formats/pgcopy/decoder.h"

namespace levada::pgcopy {
namespace {

std::vector<uint8_t> Encoded(const arrow::RecordBatch& batch) {
  const auto encoder = ValueOf(BatchEncoder::Make(*batch.schema()));
  Encoder out;
  out.Header();
  EXPECT_THAT(encoder->Encode(batch, 0, batch.num_rows(), out), IsOk());
  out.Trailer();
  return out.Take();
}

std::shared_ptr<arrow::RecordBatch> Decoded(const std::vector<uint8_t>& stream,
                                            const arrow::Schema& schema) {
  std::vector<Column> columns;
  for (const auto& field : schema.fields()) columns.push_back(ValueOf(ColumnOf(*field)));
  const auto decoder = ValueOf(Decoder::Make(columns, {}, arrow::default_memory_pool()));
  EXPECT_THAT(decoder->Decode(stream), IsOk());
  EXPECT_THAT(decoder->Finish(), IsOk());
  return ValueOf(decoder->TakeBatch());
}

std::shared_ptr<arrow::RecordBatch> OneColumn(const std::shared_ptr<arrow::Array>& values) {
  return arrow::RecordBatch::Make(arrow::schema({arrow::field("a", values->type())}),
                                  values->length(), {values});
}

template <typename Builder, typename Value>
std::shared_ptr<arrow::Array> ArrayOf(Builder&& builder, const std::vector<Value>& values) {
  for (const Value& value : values) EXPECT_TRUE(builder.Append(value).ok());
  EXPECT_TRUE(builder.AppendNull().ok());
  return builder.Finish().ValueOrDie();
}

/// Out and back again.
void ExpectRoundTrip(const std::shared_ptr<arrow::Array>& values) {
  const auto batch = OneColumn(values);
  const auto back = Decoded(Encoded(*batch), *batch->schema());
  EXPECT_TRUE(back->column(0)->Equals(values, arrow::EqualOptions().nans_equal(true)))
      << values->type()->ToString() << "\n"
      << values->ToString() << back->column(0)->ToString();
}

TEST(BatchEncoderTest, BringsWholeNumbersAndFloatsBack) {
  auto* pool = arrow::default_memory_pool();
  ExpectRoundTrip(ArrayOf(arrow::BooleanBuilder(), std::vector<bool>{true, false}));
  ExpectRoundTrip(ArrayOf(arrow::Int16Builder(), std::vector<int16_t>{-32768, 0, 32767}));
  ExpectRoundTrip(ArrayOf(arrow::Int32Builder(), std::vector<int32_t>{INT32_MIN, 7, INT32_MAX}));
  ExpectRoundTrip(ArrayOf(arrow::Int64Builder(), std::vector<int64_t>{INT64_MIN, 7, INT64_MAX}));
  const double infinity = std::numeric_limits<double>::infinity();
  ExpectRoundTrip(ArrayOf(arrow::DoubleBuilder(), std::vector<double>{-0.0, infinity, 1e-308}));
  ExpectRoundTrip(ArrayOf(arrow::FloatBuilder(), std::vector<float>{-0.0F, 1.5F, 3e38F}));
  ExpectRoundTrip(ArrayOf(arrow::Date32Builder(), std::vector<int32_t>{-2'440'588, 0, 10957}));
  ExpectRoundTrip(ArrayOf(arrow::TimestampBuilder(arrow::timestamp(arrow::TimeUnit::MICRO), pool),
                          std::vector<int64_t>{-1, 0, INT64_MAX}));
  ExpectRoundTrip(
      ArrayOf(arrow::TimestampBuilder(arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"), pool),
              std::vector<int64_t>{-1, 0, 1'767'225'600'000'000}));
  ExpectRoundTrip(ArrayOf(arrow::Time64Builder(arrow::time64(arrow::TimeUnit::MICRO), pool),
                          std::vector<int64_t>{0, 86'399'999'999}));
}

TEST(BatchEncoderTest, BringsTextsAndBytesBack) {
  ExpectRoundTrip(ArrayOf(arrow::StringBuilder(), std::vector<std::string>{"", "é", "a\nb"}));
  ExpectRoundTrip(
      ArrayOf(arrow::BinaryBuilder(), std::vector<std::string>{"", std::string("\0\xff", 2), "x"}));
}

TEST(BatchEncoderTest, BringsDecimalsOfEachScaleBack) {
  for (int32_t precision : {1, 4, 5, 9, 18, 19, 38}) {
    for (int32_t scale = 0; scale <= precision; ++scale) {
      arrow::Decimal128Builder builder(arrow::decimal128(precision, scale));
      for (const std::string& text :
           {std::string("0"), std::string("1"), std::string("-7"),
            std::string(static_cast<size_t>(precision), '9'),
            "-1" + std::string(static_cast<size_t>(precision - 1), '0')}) {
        ASSERT_TRUE(builder.Append(arrow::Decimal128(text)).ok());
      }
      ASSERT_TRUE(builder.AppendNull().ok());
      ExpectRoundTrip(builder.Finish().ValueOrDie());
    }
  }
  for (int32_t scale : {0, 1, 2, 3, 40, 75, 76}) {
    arrow::Decimal256Builder builder(arrow::decimal256(76, scale));
    for (const std::string& text : {std::string("0"), std::string("-12345678901234567890123"),
                                    std::string(76, '9'), "1" + std::string(75, '0')}) {
      ASSERT_TRUE(builder.Append(arrow::Decimal256(text)).ok());
    }
    ExpectRoundTrip(builder.Finish().ValueOrDie());
  }
}

TEST(BatchEncoderTest, WritesDecimalsAsTheServerDoes) {
  const Capture capture = ReadCapture("numeric_15_2");
  arrow::Decimal128Builder builder(arrow::decimal128(15, 2));
  bool any_other = false;
  for (const auto& row : capture.rows) {
    if (!row[0]) {
      ASSERT_TRUE(builder.AppendNull().ok());
      continue;
    }
    arrow::Decimal128 value;
    int32_t precision = 0, scale = 0;
    const bool number = arrow::Decimal128::FromString(*row[0], &value, &precision, &scale).ok();
    any_other |= !number || scale != 2;
    ASSERT_TRUE(builder.Append(value).ok());
  }
  ASSERT_FALSE(any_other) << "the capture has values that are no decimal";
  EXPECT_EQ(Encoded(*OneColumn(builder.Finish().ValueOrDie())), capture.stream);
}

TEST(BatchEncoderTest, BringsListsBack) {
  auto* pool = arrow::default_memory_pool();
  auto items = std::make_shared<arrow::Int32Builder>();
  arrow::ListBuilder lists(pool, items);
  ASSERT_TRUE(lists.Append().ok());  // empty
  ASSERT_TRUE(lists.Append().ok());
  ASSERT_TRUE(items->AppendValues({1, -2}).ok());
  ASSERT_TRUE(items->AppendNull().ok());
  ASSERT_TRUE(lists.AppendNull().ok());
  ASSERT_TRUE(lists.Append().ok());
  ASSERT_TRUE(items->Append(9).ok());
  const auto values = lists.Finish().ValueOrDie();
  ExpectRoundTrip(values);
  ExpectRoundTrip(values->Slice(1));
}

TEST(BatchEncoderTest, WritesWhatADictionaryStandsFor) {
  arrow::StringDictionaryBuilder builder;
  ASSERT_TRUE(builder.Append("a").ok());
  ASSERT_TRUE(builder.Append("b").ok());
  ASSERT_TRUE(builder.AppendNull().ok());
  ASSERT_TRUE(builder.Append("a").ok());
  const auto values = builder.Finish().ValueOrDie();
  arrow::StringBuilder plain;
  for (const char* text : {"a", "b"}) ASSERT_TRUE(plain.Append(text).ok());
  ASSERT_TRUE(plain.AppendNull().ok());
  ASSERT_TRUE(plain.Append("a").ok());
  EXPECT_EQ(Encoded(*OneColumn(values)), Encoded(*OneColumn(plain.Finish().ValueOrDie())));
}

TEST(BatchEncoderTest, WidensWhatPostgresHasNoTypeFor) {
  auto* pool = arrow::default_memory_pool();
  EXPECT_EQ(*SqlTypeOf(*arrow::uint32()), "int8");
  EXPECT_EQ(*SqlTypeOf(*arrow::uint64()), "numeric(20,0)");
  EXPECT_EQ(*SqlTypeOf(*arrow::list(arrow::utf8())), "text[]");
  const auto numbers =
      OneColumn(ArrayOf(arrow::UInt64Builder(), std::vector<uint64_t>{0, 10'000, UINT64_MAX}));
  EXPECT_EQ(Decoded(Encoded(*numbers), *numbers->schema())
                ->column(0)
                ->GetScalar(2)
                .ValueOrDie()
                ->ToString(),
            "18446744073709551615");
  const auto seconds =
      OneColumn(ArrayOf(arrow::TimestampBuilder(arrow::timestamp(arrow::TimeUnit::SECOND), pool),
                        std::vector<int64_t>{-1}));
  const auto micros =
      OneColumn(ArrayOf(arrow::TimestampBuilder(arrow::timestamp(arrow::TimeUnit::MICRO), pool),
                        std::vector<int64_t>{-1'000'000}));
  EXPECT_EQ(Encoded(*seconds), Encoded(*micros));
}

Status Failure(const std::shared_ptr<arrow::Array>& values) {
  const auto batch = OneColumn(values);
  const auto encoder = ValueOf(BatchEncoder::Make(*batch->schema()));
  Encoder out;
  return encoder->Encode(*batch, 0, batch->num_rows(), out);
}

TEST(BatchEncoderTest, RefusesWhatPostgresCannotHold) {
  auto* pool = arrow::default_memory_pool();
  for (const auto& values :
       {ArrayOf(arrow::StringBuilder(), std::vector<std::string>{std::string("a\0b", 3)}),
        ArrayOf(arrow::TimestampBuilder(arrow::timestamp(arrow::TimeUnit::NANO), pool),
                std::vector<int64_t>{1001}),
        ArrayOf(arrow::TimestampBuilder(arrow::timestamp(arrow::TimeUnit::SECOND), pool),
                std::vector<int64_t>{INT64_MAX}),
        ArrayOf(arrow::Date32Builder(), std::vector<int32_t>{INT32_MIN})}) {
    const Status refused = Failure(values);
    EXPECT_EQ(CodeOf(refused), FaultCode::kValueRefused) << values->type()->ToString();
    EXPECT_EQ(FaultOf(refused).Detail("column"), "a");
    EXPECT_FALSE(FaultOf(refused).help().empty());
  }
}

TEST(BatchEncoderTest, RefusesTypesWithoutAColumn) {
  for (const auto& type :
       {arrow::struct_({arrow::field("x", arrow::int32())}), arrow::null(),
        arrow::map(arrow::utf8(), arrow::utf8()), arrow::list(arrow::list(arrow::int32())),
        arrow::duration(arrow::TimeUnit::SECOND), arrow::decimal128(5, -2)}) {
    EXPECT_EQ(CodeOf(SqlTypeOf(*type).status()), FaultCode::kUnsupportedType) << type->ToString();
    EXPECT_EQ(CodeOf(BatchEncoder::Make(*arrow::schema({arrow::field("a", type)})).status()),
              FaultCode::kUnsupportedType);
  }
}

}  // namespace
}  // namespace levada::pgcopy
