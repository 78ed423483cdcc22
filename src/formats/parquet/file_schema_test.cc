#include "formats/parquet/file_schema.h"

#include <arrow/type.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace levada::parquet_format {
namespace {

using arrow::field;
using arrow::TimeUnit;
using testing::ElementsAre;
using testing::HasSubstr;

Status Check(const std::shared_ptr<arrow::DataType>& type, Profile profile) {
  return CheckSchema(*arrow::schema({field("c", type)}), profile);
}

TEST(FileSchema, TypesThatSparkCannotReadAreRefusedWithTheCastThatHelps) {
  const std::pair<std::shared_ptr<arrow::DataType>, const char*> cases[] = {
      {arrow::uint8(), "signed integer"},
      {arrow::uint16(), "signed integer"},
      {arrow::uint32(), "signed integer"},
      {arrow::uint64(), "decimal(20,0)"},
      {arrow::time32(TimeUnit::MILLI), "text"},
      {arrow::time64(TimeUnit::MICRO), "text"},
      {arrow::timestamp(TimeUnit::NANO), "timestamp(us)"},
      {arrow::timestamp(TimeUnit::MILLI, "UTC"), "timestamp(us, UTC)"},
      {arrow::fixed_size_binary(16), "uuid to text"},
      {arrow::decimal256(39, 0), "decimal(38,s)"},
      {arrow::list(arrow::uint8()), "signed integer"},
      {arrow::map(arrow::utf8(), arrow::time64(TimeUnit::MICRO)), "text"},
      {arrow::struct_({field("x", arrow::decimal256(76, 0))}), "decimal(38,s)"},
  };
  for (const auto& [type, help] : cases) {
    for (Profile profile : {Profile::kSpark3, Profile::kSpark4}) {
      Status status = Check(type, profile);
      ASSERT_EQ(CodeOf(status), FaultCode::kUnsupportedType) << type->ToString();
      EXPECT_THAT(FaultOf(status).help(), HasSubstr(help)) << type->ToString();
    }
    EXPECT_TRUE(Check(type, Profile::kArrow).ok()) << type->ToString();
  }
}

TEST(FileSchema, EveryColumnThatIsRefusedIsNamed) {
  const auto schema = arrow::schema({field("a", arrow::uint8()), field("b", arrow::int32()),
                                     field("c", arrow::uint8()), field("d\n", arrow::null())});
  const Fault fault = FaultOf(CheckSchema(*schema, Profile::kArrow));
  EXPECT_EQ(fault.Detail("column"), "d\n");
  EXPECT_EQ(fault.Detail("also refused"), "");
  const auto spark = arrow::schema({schema->field(0), schema->field(1), schema->field(2),
                                    field("e", arrow::list(arrow::uint64()))});
  const Fault first = FaultOf(CheckSchema(*spark, Profile::kSpark3));
  EXPECT_EQ(first.Detail("column"), "a");
  EXPECT_EQ(first.Detail("also refused"), "\"c\", \"e\"");
}

TEST(FileSchema, TypesThatParquetCannotHoldAreRefusedInEveryProfile) {
  auto nested = arrow::int32();
  for (int i = 0; i < 40; ++i) nested = arrow::list(nested);
  for (const auto& type :
       {arrow::null(), arrow::float16(), arrow::date64(), arrow::duration(TimeUnit::MICRO),
        arrow::time32(TimeUnit::SECOND), arrow::timestamp(TimeUnit::SECOND),
        arrow::decimal128(5, -1), arrow::decimal128(5, 6), arrow::month_interval(),
        arrow::utf8_view(), arrow::dictionary(arrow::int32(), arrow::utf8()), arrow::struct_({}),
        arrow::fixed_size_list(arrow::int32(), 2), arrow::fixed_size_binary(0), nested}) {
    for (Profile profile : {Profile::kSpark3, Profile::kArrow}) {
      Status status = Check(type, profile);
      EXPECT_EQ(CodeOf(status), FaultCode::kUnsupportedType) << type->ToString();
      EXPECT_FALSE(FaultOf(status).help().empty()) << type->ToString();
    }
  }
}

TEST(FileSchema, NamesThatSparkRefusesAreRefused) {
  for (const char* name : {"a b", "a,b", "a;b", "a{", "}", "a(b)", "a\nb", "a\tb", "a=b"}) {
    auto schema = arrow::schema({field(name, arrow::int32())});
    EXPECT_EQ(CodeOf(CheckSchema(*schema, Profile::kSpark3)), FaultCode::kBadColumnName) << name;
    EXPECT_TRUE(CheckSchema(*schema, Profile::kArrow).ok()) << name;
    auto inner =
        arrow::schema({field("s", arrow::list(arrow::struct_({field(name, arrow::int32())})))});
    EXPECT_EQ(CodeOf(CheckSchema(*inner, Profile::kSpark3)), FaultCode::kBadColumnName) << name;
  }
  for (const char* name : {"", "\xff"}) {
    EXPECT_EQ(CodeOf(CheckSchema(*arrow::schema({field(name, arrow::int32())}), Profile::kArrow)),
              FaultCode::kBadColumnName);
  }
  EXPECT_TRUE(
      CheckSchema(*arrow::schema({field("größe.€", arrow::int32())}), Profile::kSpark3).ok());
}

TEST(FileSchema, NamesEqualButForCaseAreOneToSpark) {
  auto schema = arrow::schema(
      {field("Id", arrow::int32()), field("x", arrow::int32()), field("iD", arrow::int32())});
  EXPECT_EQ(CodeOf(CheckSchema(*schema, Profile::kSpark3)), FaultCode::kDuplicateColumn);
  EXPECT_TRUE(CheckSchema(*schema, Profile::kArrow).ok());
  auto same = arrow::schema({field("id", arrow::int32()), field("id", arrow::int32())});
  EXPECT_EQ(CodeOf(CheckSchema(*same, Profile::kArrow)), FaultCode::kDuplicateColumn);
  auto inner = arrow::schema(
      {field("s", arrow::struct_({field("a", arrow::int32()), field("A", arrow::int32())}))});
  EXPECT_EQ(CodeOf(CheckSchema(*inner, Profile::kSpark3)), FaultCode::kDuplicateColumn);
}

TEST(FileSchema, NoColumnsAreNoFile) {
  EXPECT_EQ(CodeOf(CheckSchema(*arrow::schema({}), Profile::kArrow)), FaultCode::kImpossiblePlan);
}

TEST(FileSchema, LeavesAreCountedDepthFirst) {
  auto schema = arrow::schema({
      field("id", arrow::int64()),
      field("tags", arrow::list(arrow::utf8())),
      field("at", arrow::struct_({field("x", arrow::int32()),
                                  field("ys", arrow::large_list(arrow::int32()))})),
      field("map", arrow::map(arrow::utf8(), arrow::list(arrow::int8()))),
  });
  EXPECT_THAT(LeafPaths(*schema), ElementsAre("id", "tags.element", "at.x", "at.ys.element",
                                              "map.key_value.key", "map.key_value.value.element"));
}

TEST(FileSchema, TheArrowProfileKeepsNullabilityAndTypes) {
  auto schema = arrow::schema(
      {field("id", arrow::uint64(), false), field("at", arrow::time64(TimeUnit::MICRO))});
  EXPECT_EQ(*DescribeFileSchema(*schema, Profile::kArrow),
            R"(required group field_id=-1 schema {
  required int64 field_id=-1 id (Int(bitWidth=64, isSigned=false));
  optional int64 field_id=-1 at (Time(isAdjustedToUTC=false, timeUnit=microseconds));
}
)");
}

}  // namespace
}  // namespace levada::parquet_format
