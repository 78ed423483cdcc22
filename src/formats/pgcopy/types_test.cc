#include "formats/pgcopy/types.h"

#include <arrow/type.h>
#include <gtest/gtest.h>

#include <map>

#include "formats/pgcopy/step.h"

namespace levada::pgcopy {
namespace {

ColumnType Of(ValueKind kind) {
  ColumnType type;
  type.kind = kind;
  return type;
}

ColumnType Numeric(int32_t precision, int32_t scale) {
  ColumnType type = Of(ValueKind::kNumeric);
  type.numeric = NumericBounds{precision, scale};
  return type;
}

std::string NameOf(const ColumnType& type) {
  const auto arrow_type = ArrowTypeOf(type);
  return arrow_type.ok() ? (*arrow_type)->ToString() : CodeName(CodeOf(arrow_type.status()));
}

TEST(TypesTest, MapEachKindToItsArrowType) {
  const std::map<ValueKind, std::string> expected = {
      {ValueKind::kBool, "bool"},
      {ValueKind::kInt2, "int16"},
      {ValueKind::kInt4, "int32"},
      {ValueKind::kInt8, "int64"},
      {ValueKind::kOid, "int64"},
      {ValueKind::kFloat4, "float"},
      {ValueKind::kFloat8, "double"},
      {ValueKind::kText, "string"},
      {ValueKind::kInternalChar, "string"},
      {ValueKind::kJsonb, "string"},
      {ValueKind::kBytea, "binary"},
      {ValueKind::kDate, "date32[day]"},
      {ValueKind::kTime, "time64[us]"},
      {ValueKind::kTimestamp, "timestamp[us]"},
      {ValueKind::kTimestamptz, "timestamp[us, tz=UTC]"},
      {ValueKind::kInterval, "string"},
      {ValueKind::kUuid, "string"},
  };
  for (const auto& [kind, name] : expected) {
    EXPECT_EQ(NameOf(Of(kind)), name);
    ColumnType array = Of(kind);
    array.array = true;
    EXPECT_EQ(NameOf(array), "list<item: " + name + ">");
  }
}

TEST(TypesTest, MapNumericToTheDecimalThatHoldsEveryValue) {
  EXPECT_EQ(NameOf(Numeric(15, 2)), "decimal128(15, 2)");
  EXPECT_EQ(NameOf(Numeric(38, 38)), "decimal128(38, 38)");
  EXPECT_EQ(NameOf(Numeric(39, 0)), "decimal256(39, 0)");
  EXPECT_EQ(NameOf(Numeric(76, 76)), "decimal256(76, 76)");
  EXPECT_EQ(NameOf(Numeric(3, -2)), "decimal128(5, 0)");
  EXPECT_EQ(NameOf(Numeric(3, 5)), "decimal128(5, 5)");
  EXPECT_EQ(NameOf(Numeric(30, -20)), "decimal256(50, 0)");
  EXPECT_EQ(NameOf(Numeric(77, 0)), "LV1016");
  EXPECT_EQ(NameOf(Numeric(3, -74)), "LV1016");
  EXPECT_EQ(NameOf(Numeric(1, 77)), "LV1016");
}

TEST(TypesTest, AskForADecisionOnUnboundedNumeric) {
  ColumnType type = Of(ValueKind::kNumeric);
  const Fault fault = FaultOf(ArrowTypeOf(type).status());
  EXPECT_EQ(fault.code(), FaultCode::kUnsupportedType);
  EXPECT_NE(fault.help().find("decimal(p,s)"), std::string::npos);
  type.unbounded = ValuePolicy::kString;
  EXPECT_EQ(NameOf(type), "string");
  type.unbounded = ValuePolicy::kDouble;
  EXPECT_EQ(NameOf(type), "double");
  type.unbounded = ValuePolicy::kNull;
  EXPECT_EQ(NameOf(type), CodeName(FaultCode::kBadValue));
}

TEST(TypesTest, RefuseTwoPoliciesThatWantTwoTypes) {
  ColumnType type = Of(ValueKind::kNumeric);
  type.unbounded = ValuePolicy::kString;
  type.special = ValuePolicy::kDouble;
  EXPECT_EQ(NameOf(type), CodeName(FaultCode::kImpossiblePlan));
  type.unbounded = ValuePolicy::kDouble;
  type.special = ValuePolicy::kString;
  EXPECT_EQ(NameOf(type), CodeName(FaultCode::kImpossiblePlan));
  type.special = ValuePolicy::kNull;
  EXPECT_EQ(NameOf(type), "double");
}

TEST(TypesTest, RefuseBoundsThatPostgresDoesNotHave) {
  for (const NumericBounds bounds :
       {NumericBounds{0, 0}, NumericBounds{1001, 0}, NumericBounds{5, 1001},
        NumericBounds{5, -1001}, NumericBounds{-1, 0}}) {
    EXPECT_EQ(NameOf(Numeric(bounds.precision, bounds.scale)), CodeName(FaultCode::kBadValue));
  }
}

TEST(TypesTest, FollowThePolicyForSpecialValues) {
  ColumnType numeric = Numeric(10, 2);
  numeric.special = ValuePolicy::kString;
  EXPECT_EQ(NameOf(numeric), "string");
  numeric.special = ValuePolicy::kDouble;
  EXPECT_EQ(NameOf(numeric), "double");
  numeric.special = ValuePolicy::kNull;
  EXPECT_EQ(NameOf(numeric), "decimal128(10, 2)");
  for (const ValueKind kind : {ValueKind::kDate, ValueKind::kTime, ValueKind::kTimestamp,
                               ValueKind::kTimestamptz, ValueKind::kInterval}) {
    ColumnType type = Of(kind);
    const std::string exact = NameOf(type);
    type.special = ValuePolicy::kNull;
    EXPECT_EQ(NameOf(type), exact);
    type.special = ValuePolicy::kString;
    EXPECT_EQ(NameOf(type), "string");
    type.special = ValuePolicy::kDouble;
    EXPECT_EQ(NameOf(type), CodeName(FaultCode::kBadValue));
  }
}

TEST(TypesTest, IgnoreWhatDoesNotConcernTheKind) {
  ColumnType type = Of(ValueKind::kInt4);
  type.special = ValuePolicy::kDouble;
  type.unbounded = ValuePolicy::kNull;
  type.numeric = NumericBounds{0, 0};
  type.trim = type.uuid_as_bytes = type.check_utf8 = true;
  EXPECT_EQ(NameOf(type), "int32");
}

TEST(TypesTest, OfferUuidAsBytes) {
  ColumnType type = Of(ValueKind::kUuid);
  type.uuid_as_bytes = true;
  EXPECT_EQ(NameOf(type), "fixed_size_binary[16]");
}

TEST(TypesTest, MakeFieldsNullableWhereAPolicyMakesNulls) {
  Column column{"c", Numeric(10, 2)};
  column.type.nullable = false;
  EXPECT_FALSE((*FieldOf(column))->nullable());
  column.type.special = ValuePolicy::kNull;
  EXPECT_TRUE((*FieldOf(column))->nullable());
  column.type.array = true;
  EXPECT_FALSE((*FieldOf(column))->nullable());
  column.type = Of(ValueKind::kInt8);
  column.type.nullable = false;
  column.type.special = ValuePolicy::kNull;
  EXPECT_FALSE((*FieldOf(column))->nullable());
}

TEST(TypesTest, NameTheColumnInErrors) {
  const Fault fault = FaultOf(FieldOf({"price", Of(ValueKind::kNumeric)}).status());
  EXPECT_EQ(fault.code(), FaultCode::kUnsupportedType);
  EXPECT_EQ(fault.Detail("column"), "price");
  EXPECT_NE(fault.message().find("\"price\""), std::string::npos);
  EXPECT_NE(fault.help(), "");
}

TEST(TypesTest, ReadTheBoundsOutOfATypmod) {
  // As make_numeric_typmod in numeric.c packs them.
  EXPECT_EQ(NumericBoundsOf(-1), std::nullopt);
  EXPECT_EQ(NumericBoundsOf(983'046), (NumericBounds{15, 2}));
  EXPECT_EQ(NumericBoundsOf(2'490'372), (NumericBounds{38, 0}));
  EXPECT_EQ(NumericBoundsOf(198'658), (NumericBounds{3, -2}));
  EXPECT_EQ(NumericBoundsOf(196'617), (NumericBounds{3, 5}));
  EXPECT_EQ(NumericBoundsOf(65'537'052), (NumericBounds{1000, -1000}));
}

}  // namespace
}  // namespace levada::pgcopy
