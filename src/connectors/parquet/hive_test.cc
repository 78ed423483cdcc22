#include "connectors/parquet/hive.h"

#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/type.h>

#include "base/testing.h"

namespace levada::parquet {
namespace {

using ::testing::HasSubstr;

std::shared_ptr<arrow::Array> Texts(const std::vector<std::string>& values) {
  arrow::StringBuilder builder;
  for (const std::string& value : values) (void)builder.Append(value);
  return ValueOf(builder.Finish());
}

template <typename Builder, typename Value>
std::string DirectoryOfOne(Builder builder, Value value) {
  (void)builder.Append(value);
  return ValueOf(HiveDirectory("k", *ValueOf(builder.Finish()), 0));
}

TEST(EscapeHive, EscapesExactlyHivesCharacters) {
  std::string all;
  for (int c = 1; c < 128; ++c) all.push_back(static_cast<char>(c));
  std::string escaped;
  for (const char c : EscapeHive(all)) escaped.push_back(c);
  for (const char c : std::string("\"#'*/:=?\\^[]{\x7f\x01\x1f\n\t")) {
    EXPECT_EQ(escaped.find(c), std::string::npos) << static_cast<int>(c);
  }
  EXPECT_EQ(EscapeHive("a/b=c%d:e"), "a%2Fb%3Dc%25d%3Ae");
  EXPECT_EQ(EscapeHive("S\xc3\xa3o Paulo, (SP); a&b+c!@$~`|<>}.-_"),
            "S\xc3\xa3o Paulo, (SP); a&b+c!@$~`|<>}.-_");
  EXPECT_EQ(EscapeHive(std::string(1, '\0')), "%00");
  EXPECT_EQ(UnescapeHive(EscapeHive(all)), all);
}

TEST(UnescapeHive, TakesWhatIsNoEscapeAsItIs) {
  EXPECT_EQ(UnescapeHive("100%"), "100%");
  EXPECT_EQ(UnescapeHive("%2"), "%2");
  EXPECT_EQ(UnescapeHive("%zz%2f"), "%zz/");
}

TEST(HiveDirectory, WritesEachTypeAsReadersWriteIt) {
  EXPECT_EQ(DirectoryOfOne(arrow::BooleanBuilder(), true), "k=true");
  EXPECT_EQ(DirectoryOfOne(arrow::Int8Builder(), int8_t{-128}), "k=-128");
  EXPECT_EQ(DirectoryOfOne(arrow::Int16Builder(), int16_t{7}), "k=7");
  EXPECT_EQ(DirectoryOfOne(arrow::Int32Builder(), 2026), "k=2026");
  EXPECT_EQ(DirectoryOfOne(arrow::Int64Builder(), INT64_MIN), "k=-9223372036854775808");
  EXPECT_EQ(DirectoryOfOne(arrow::UInt8Builder(), uint8_t{255}), "k=255");
  EXPECT_EQ(DirectoryOfOne(arrow::UInt16Builder(), uint16_t{1}), "k=1");
  EXPECT_EQ(DirectoryOfOne(arrow::UInt32Builder(), 1u), "k=1");
  EXPECT_EQ(DirectoryOfOne(arrow::UInt64Builder(), UINT64_MAX), "k=18446744073709551615");
  EXPECT_EQ(DirectoryOfOne(arrow::StringBuilder(), "a b"), "k=a b");
  EXPECT_EQ(DirectoryOfOne(arrow::LargeStringBuilder(), "x"), "k=x");
  EXPECT_EQ(DirectoryOfOne(arrow::Date32Builder(), 20'454), "k=2026-01-01");
  EXPECT_EQ(DirectoryOfOne(arrow::Date32Builder(), -719'528), "k=0000-01-01");
  EXPECT_EQ(DirectoryOfOne(arrow::Date32Builder(), 2'932'896), "k=9999-12-31");
}

TEST(HiveDirectory, RefusesDatesThatReadersCannotRead) {
  arrow::Date32Builder builder;
  (void)builder.AppendValues({-719'529, 2'932'897, INT32_MIN, INT32_MAX});
  const auto values = ValueOf(builder.Finish());
  for (int64_t row = 0; row < 4; ++row) {
    EXPECT_THAT(HiveDirectory("day", *values, row), FailsWith(FaultCode::kValueRefused));
  }
}

TEST(HiveDirectory, NamesNullAndRefusesWhatWouldBeTakenForIt) {
  arrow::StringBuilder builder;
  (void)builder.AppendNull();
  EXPECT_EQ(ValueOf(HiveDirectory("k", *ValueOf(builder.Finish()), 0)),
            "k=__HIVE_DEFAULT_PARTITION__");
  const auto values = Texts({"", "__HIVE_DEFAULT_PARTITION__"});
  EXPECT_THAT(HiveDirectory("country", *values, 0),
              FailsWith(FaultCode::kValueRefused, HasSubstr("country")));
  EXPECT_THAT(HiveDirectory("country", *values, 1), FailsWith(FaultCode::kValueRefused));
}

TEST(HiveDirectory, RefusesNamesThatAreTooLongOrNoUtf8) {
  const auto values = Texts({std::string(198, 'x'), std::string(199, 'x'), "\xff"});
  EXPECT_EQ(ValueOf(HiveDirectory("k", *values, 0)).size(), kDirectoryNameBytesMax);
  EXPECT_THAT(HiveDirectory("k", *values, 1), FailsWith(FaultCode::kValueRefused));
  EXPECT_THAT(HiveDirectory("k", *values, 2), FailsWith(FaultCode::kInvalidUtf8));
}

TEST(HiveDirectory, EscapesTheColumnToo) {
  EXPECT_EQ(ValueOf(HiveDirectory("a=b", *Texts({"c/d"}), 0)), "a%3Db=c%2Fd");
}

TEST(HiveValue, GivesBackWhatADirectoryStandsFor) {
  EXPECT_TRUE(ValueOf(HiveValue("k=a%2Fb", arrow::utf8()))->Equals(*arrow::MakeScalar("a/b")));
  EXPECT_TRUE(ValueOf(HiveValue("k=-5", arrow::int16()))->Equals(arrow::Int16Scalar(-5)));
  EXPECT_TRUE(ValueOf(HiveValue("k=true", arrow::boolean()))->Equals(arrow::BooleanScalar(true)));
  EXPECT_TRUE(
      ValueOf(HiveValue("k=2026-01-01", arrow::date32()))->Equals(arrow::Date32Scalar(20'454)));
  const auto null = ValueOf(HiveValue("k=__HIVE_DEFAULT_PARTITION__", arrow::int64()));
  EXPECT_FALSE(null->is_valid);
  EXPECT_TRUE(null->type->Equals(arrow::int64()));
}

TEST(HiveValue, RefusesWhatIsNoValueOfTheType) {
  EXPECT_THAT(HiveValue("k=x", arrow::int64()), FailsWith(FaultCode::kManifestCorrupt));
  EXPECT_THAT(HiveValue("k", arrow::utf8()), FailsWith(FaultCode::kManifestCorrupt));
}

TEST(CheckPartitionColumn, RefusesTypesThatANameDoesNotGiveBack) {
  for (const auto& type :
       {arrow::float64(), arrow::binary(), arrow::timestamp(arrow::TimeUnit::MICRO),
        arrow::decimal128(10, 2), arrow::list(arrow::int32())}) {
    EXPECT_THAT(CheckPartitionColumn(*arrow::field("x", type)),
                FailsWith(FaultCode::kBadLayout, HasSubstr("\"x\"")));
  }
  EXPECT_THAT(CheckPartitionColumn(*arrow::field("x", arrow::date32())), IsOk());
}

}  // namespace
}  // namespace levada::parquet
