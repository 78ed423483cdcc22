#include "formats/chnative/type.h"

#include "base/testing.h"

namespace levada::chnative {
namespace {

using testing::HasSubstr;

TEST(ParseType, ReadsNamesOfFieldsAndEnums) {
  const Type tuple = ValueOf(ParseType("Tuple(a Int8, `b \\` c` String, Array(UInt8))"));
  EXPECT_EQ(tuple.field_names, (std::vector<std::string>{"a", "b ` c", "3"}));
  const Type values = ValueOf(ParseType("Enum16('a\\'b' = -300, ', )' = 7)"));
  ASSERT_EQ(values.enum_values.size(), 2u);
  EXPECT_EQ(values.enum_values[0].name, "a'b");
  EXPECT_EQ(values.enum_values[0].value, -300);
  EXPECT_EQ(values.enum_values[1].name, ", )");
}

TEST(ParseType, TakesWhateverJsonIsGiven) {
  EXPECT_EQ(ValueOf(ParseType("JSON(max_dynamic_paths=8, a.b UInt32, SKIP `x)`)")).kind,
            Kind::kJson);
}

TEST(ParseType, RefusesInWordsWhatIsNotRead) {
  for (const char* name : {"Variant(String, UInt8)", "Dynamic(max_types=3)", "Object('json')",
                           "AggregateFunction(sum, UInt64)", "Time64(3)", "Tuple()",
                           "Array(Dynamic)", "QBit(Float32, 4)"}) {
    EXPECT_THAT(ParseType(name), FailsWith(FaultCode::kUnsupportedType, HasSubstr(name)));
    EXPECT_THAT(FaultOf(ParseType(name).status()).help(), HasSubstr("query:"));
  }
}

TEST(ParseType, RefusesWhatIsNoName) {
  for (const char* name : {"",
                           " ",
                           "Array",
                           "Array(",
                           "Array(Int8",
                           "Array(Int8))",
                           "Int8 x",
                           "FixedString(0)",
                           "FixedString(x)",
                           "FixedString(99999999999999999999)",
                           "Decimal(77, 0)",
                           "Decimal(9, 10)",
                           "DateTime64(10)",
                           "Enum8('a' = 128)",
                           "Enum8('a)",
                           "Enum8(a = 1)",
                           "DateTime('a",
                           "Nullable(Array(Int8))",
                           "Nullable(Nullable(Int8))",
                           "LowCardinality(Array(Int8))",
                           "Map(Nullable(String), Int8)",
                           "Map(String)",
                           "Tuple(Int8",
                           "JSON(a",
                           "(",
                           "'a'"}) {
    EXPECT_THAT(ParseType(name), FailsWith(FaultCode::kSourceProtocol)) << name;
  }
}

TEST(ParseType, BoundsDepthAndLength) {
  std::string deep, ends;
  for (int i = 0; i < 100'000; ++i) deep += "Array(", ends += ")";
  EXPECT_THAT(ParseType(deep + "Int8" + ends),
              FailsWith(FaultCode::kSourceProtocol, HasSubstr("deeper")));
  EXPECT_THAT(ParseType(std::string(kTypeNameBytesMax + 1, 'a')),
              FailsWith(FaultCode::kSourceProtocol));
}

}  // namespace
}  // namespace levada::chnative
