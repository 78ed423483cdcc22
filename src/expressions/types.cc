#include "expressions/types.h"

#include <arrow/type_traits.h>

#include <algorithm>

namespace levada::expressions {
namespace {

const arrow::DecimalType& Decimal(const TypePtr& type) {
  return static_cast<const arrow::DecimalType&>(*type);
}

int64_t DigitsOf(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::INT8:
    case arrow::Type::UINT8:
      return 3;
    case arrow::Type::INT16:
    case arrow::Type::UINT16:
      return 5;
    case arrow::Type::INT32:
    case arrow::Type::UINT32:
      return 10;
    case arrow::Type::UINT64:
      return 20;
    default:
      return 19;
  }
}

arrow::TimeUnit::type Finer(arrow::TimeUnit::type a, arrow::TimeUnit::type b) {
  return std::max(a, b);  // SECOND, MILLI, MICRO, NANO
}

arrow::TimeUnit::type UnitOfTime(const arrow::DataType& type) {
  return static_cast<const arrow::TimeType&>(type).unit();
}

bool IsTime(const arrow::DataType& type) {
  return type.id() == arrow::Type::TIME32 || type.id() == arrow::Type::TIME64;
}

TypePtr TimeOf(arrow::TimeUnit::type unit) {
  return unit <= arrow::TimeUnit::MILLI ? arrow::time32(unit) : arrow::time64(unit);
}

TypePtr JointTimestamp(const arrow::TimestampType& left, const arrow::TimestampType& right) {
  if (left.timezone().empty() != right.timezone().empty()) return nullptr;
  // Of two zones the left: both are instants, and the zone is only how they are shown.
  return arrow::timestamp(Finer(left.unit(), right.unit()), left.timezone());
}

TypePtr JointNumber(const TypePtr& left, const TypePtr& right) {
  if (IsFloat(*left) || IsFloat(*right)) return arrow::float64();
  const bool has_large = left->id() == arrow::Type::UINT64 || right->id() == arrow::Type::UINT64;
  if (IsInteger(*left) && IsInteger(*right) && !has_large) return arrow::int64();
  const TypePtr a = AsDecimal(left), b = AsDecimal(right);
  const int scale = std::max(Decimal(a).scale(), Decimal(b).scale());
  const int whole = std::max(Decimal(a).precision() - Decimal(a).scale(),
                             Decimal(b).precision() - Decimal(b).scale());
  return DecimalOf(whole + scale, scale);
}

}  // namespace

bool IsInteger(const arrow::DataType& type) { return arrow::is_integer(type.id()); }
bool IsDecimal(const arrow::DataType& type) { return arrow::is_decimal(type.id()); }
bool IsFloat(const arrow::DataType& type) {
  return type.id() == arrow::Type::FLOAT || type.id() == arrow::Type::DOUBLE;
}
bool IsNumber(const arrow::DataType& type) {
  return IsInteger(type) || IsDecimal(type) || IsFloat(type);
}
bool IsText(const arrow::DataType& type) {
  return type.id() == arrow::Type::STRING || type.id() == arrow::Type::LARGE_STRING;
}
bool IsTimestamp(const arrow::DataType& type) { return type.id() == arrow::Type::TIMESTAMP; }

TypePtr DecimalOf(int precision, int scale) {
  if (precision <= arrow::Decimal128Type::kMaxPrecision) return arrow::decimal128(precision, scale);
  if (precision <= arrow::Decimal256Type::kMaxPrecision) return arrow::decimal256(precision, scale);
  return nullptr;
}

TypePtr AsDecimal(const TypePtr& type) {
  if (IsDecimal(*type)) return type;
  return DecimalOf(static_cast<int>(DigitsOf(*type)), 0);
}

TypePtr JointType(const TypePtr& left, const TypePtr& right) {
  if (left->id() == arrow::Type::NA) return right;
  if (right->id() == arrow::Type::NA) return left;
  if (IsNumber(*left) && IsNumber(*right)) return JointNumber(left, right);
  if (left->Equals(*right)) return left;
  if (IsText(*left) && IsText(*right)) return arrow::large_utf8();
  if (arrow::is_base_binary_like(left->id()) && arrow::is_base_binary_like(right->id()) &&
      !IsText(*left) && !IsText(*right)) {
    return arrow::large_binary();
  }
  if (IsTime(*left) && IsTime(*right)) {
    return TimeOf(Finer(UnitOfTime(*left), UnitOfTime(*right)));
  }
  if (IsTimestamp(*left) && IsTimestamp(*right)) {
    return JointTimestamp(static_cast<const arrow::TimestampType&>(*left),
                          static_cast<const arrow::TimestampType&>(*right));
  }
  // A date is its midnight, on the same unknown clock; which instant that is nobody knows.
  const bool left_date = left->id() == arrow::Type::DATE32;
  const bool right_date = right->id() == arrow::Type::DATE32;
  if (left_date && IsTimestamp(*right)) return JointType(right, left);
  if (right_date && IsTimestamp(*left)) {
    return static_cast<const arrow::TimestampType&>(*left).timezone().empty() ? left : nullptr;
  }
  return nullptr;
}

TypePtr ArithmeticType(char symbol, const TypePtr& left, const TypePtr& right) {
  if (!IsNumber(*left) || !IsNumber(*right)) return nullptr;
  const TypePtr joint = JointNumber(left, right);
  if (joint != nullptr && !IsDecimal(*joint)) return joint;
  const TypePtr a = AsDecimal(left), b = AsDecimal(right);
  const int p1 = Decimal(a).precision(), s1 = Decimal(a).scale();
  const int p2 = Decimal(b).precision(), s2 = Decimal(b).scale();
  if (symbol == '*') return DecimalOf(p1 + p2 + 1, s1 + s2);
  const int scale = std::max(s1, s2);
  return DecimalOf(std::max(p1 - s1, p2 - s2) + scale + 1, scale);
}

}  // namespace levada::expressions
