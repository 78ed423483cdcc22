#include "elt/type_name.h"

#include "base/testing.h"

namespace levada::elt {
namespace {

using testing::HasSubstr;

std::string HelpFor(const char* text) {
  auto type = ParseTypeName(text);
  EXPECT_THAT(type, FailsWith(FaultCode::kBadValue)) << text;
  return type.ok() ? "" : FaultOf(type.status()).help();
}

TEST(TypeName, ReadsEveryNameItPrints) {
  using arrow::TimeUnit;
  for (const auto& type : {arrow::boolean(),
                           arrow::int8(),
                           arrow::int16(),
                           arrow::int32(),
                           arrow::int64(),
                           arrow::uint8(),
                           arrow::uint16(),
                           arrow::uint32(),
                           arrow::uint64(),
                           arrow::float32(),
                           arrow::float64(),
                           arrow::decimal128(38, 38),
                           arrow::decimal128(1, 0),
                           arrow::decimal256(39, 2),
                           arrow::decimal256(76, 0),
                           arrow::utf8(),
                           arrow::binary(),
                           arrow::date32(),
                           arrow::time32(TimeUnit::SECOND),
                           arrow::time32(TimeUnit::MILLI),
                           arrow::time64(TimeUnit::MICRO),
                           arrow::time64(TimeUnit::NANO),
                           arrow::timestamp(TimeUnit::SECOND),
                           arrow::timestamp(TimeUnit::NANO),
                           arrow::timestamp(TimeUnit::MICRO, "UTC"),
                           arrow::timestamp(TimeUnit::MICRO, "Europe/Lisbon")}) {
    auto read = ParseTypeName(TypeName(*type));
    ASSERT_THAT(read, IsOk()) << TypeName(*type);
    EXPECT_TRUE((*read)->Equals(*type)) << TypeName(*type);
  }
}

TEST(TypeName, DoesNotMindSpacesAndCapitals) {
  EXPECT_TRUE(ValueOf(ParseTypeName("  DECIMAL ( 18 ,2 ) "))->Equals(arrow::decimal128(18, 2)));
  EXPECT_TRUE(ValueOf(ParseTypeName("Int64"))->Equals(arrow::int64()));
  EXPECT_TRUE(ValueOf(ParseTypeName("TIMESTAMP(US, Europe/Lisbon)"))
                  ->Equals(arrow::timestamp(arrow::TimeUnit::MICRO, "Europe/Lisbon")));
}

TEST(TypeName, HasDefaultsForWhatIsLeftOut) {
  EXPECT_TRUE(
      ValueOf(ParseTypeName("timestamp"))->Equals(arrow::timestamp(arrow::TimeUnit::MICRO)));
  EXPECT_TRUE(ValueOf(ParseTypeName("time"))->Equals(arrow::time64(arrow::TimeUnit::MICRO)));
  EXPECT_TRUE(ValueOf(ParseTypeName("decimal(9)"))->Equals(arrow::decimal128(9, 0)));
}

TEST(TypeName, SaysWhatItWouldTakeInstead) {
  EXPECT_THAT(HelpFor("in64"), HasSubstr("int64"));
  EXPECT_THAT(HelpFor("timestmp"), HasSubstr("timestamp"));
  EXPECT_THAT(HelpFor("varchar(20)"), HasSubstr("text"));
  EXPECT_THAT(HelpFor("integer"), HasSubstr("int32 or int64"));
  EXPECT_THAT(HelpFor("numeric(18,2)"), HasSubstr("decimal(p,s)"));
  EXPECT_THAT(HelpFor("zzzzzzzzzz"), HasSubstr("the types are"));
  EXPECT_THAT(HelpFor("timestamp(us, Europe/Lisbonn)"), HasSubstr("Europe/Lisbon"));
}

TEST(TypeName, RefusesWhatIsNoType) {
  for (const char* text : {"",
                           " ",
                           "()",
                           "decimal",
                           "decimal()",
                           "decimal(0)",
                           "decimal(77)",
                           "decimal(5,6)",
                           "decimal(5,-1)",
                           "decimal(5,2,1)",
                           "decimal(5,)",
                           "decimal(5",
                           "decimal 5)",
                           "decimal(5))",
                           "decimal((5))",
                           "decimal(5.0)",
                           "int64(8)",
                           "text(20)",
                           "time(UTC)",
                           "time(us, UTC)",
                           "timestamp(UTC)",
                           "timestamp(us, Nowhere/City)",
                           "timestamp(us, UTC, x)",
                           "timestamp(m)"}) {
    EXPECT_THAT(ParseTypeName(text), FailsWith(FaultCode::kBadValue)) << text;
  }
  EXPECT_THAT(ParseTypeName(std::string(1 << 20, '(')), FailsWith(FaultCode::kBadValue));
}

TEST(TypeName, FallsBackToArrowsWordsForTypesOfSources) {
  EXPECT_EQ(TypeName(*arrow::list(arrow::int8())), "list<item: int8>");
}

}  // namespace
}  // namespace levada::elt
