#include "formats/pgcopy/types.h"

#include <arrow/type.h>

#include "formats/pgcopy/step.h"

namespace levada::pgcopy {

namespace {

constexpr int32_t kPrecisionMax = 1000;  // NUMERIC_MAX_PRECISION
constexpr int32_t kScaleMin = -1000;
constexpr int32_t kScaleMax = 1000;
constexpr int32_t kDecimal128Digits = 38;
constexpr int32_t kDecimal256Digits = 76;

/// Whether values of `kind` can be ones that its Arrow type does not hold.
bool HasSpecialValues(ValueKind kind) {
  switch (kind) {
    case ValueKind::kNumeric:
    case ValueKind::kDate:
    case ValueKind::kTime:
    case ValueKind::kTimestamp:
    case ValueKind::kTimestamptz:
    case ValueKind::kInterval:
      return true;
    default:
      return false;
  }
}

std::string NumericName(const ColumnType& type) {
  if (!type.numeric) return "numeric";
  return "numeric(" + std::to_string(type.numeric->precision) + "," +
         std::to_string(type.numeric->scale) + ")";
}

Status CheckBounds(const ColumnType& type) {
  if (!type.numeric) return Status::OK();
  const NumericBounds& bounds = *type.numeric;
  if (bounds.precision >= 1 && bounds.precision <= kPrecisionMax && bounds.scale >= kScaleMin &&
      bounds.scale <= kScaleMax) {
    return Status::OK();
  }
  return Fault(FaultCode::kBadValue,
               "expected a precision of 1 to 1000 and a scale of -1000 to "
               "1000, got " +
                   NumericName(type))
      .Help("correct the bounds");
}

Result<Step> StepOfWideNumeric(const ColumnType& type) {
  const bool string = type.unbounded == ValuePolicy::kString;
  switch (type.unbounded) {
    case ValuePolicy::kError:
      return Fault(FaultCode::kUnsupportedType,
                   NumericName(type) + " has no decimal type wide enough for every value")
          .Help("choose decimal(p,s) with p up to 76, string (exact) or double (rounded)");
    case ValuePolicy::kNull:
      return Fault(FaultCode::kBadValue,
                   "policy for unbounded numeric: expected error, string or double, got \"null\"")
          .Help("choose string, double or decimal(p,s)");
    case ValuePolicy::kString:
    case ValuePolicy::kDouble:
      break;
  }
  if (type.special == (string ? ValuePolicy::kDouble : ValuePolicy::kString)) {
    return Fault(FaultCode::kImpossiblePlan,
                 "unbounded numeric as \"" + std::string(PolicyName(type.unbounded)) +
                     "\" and NaN as \"" + std::string(PolicyName(type.special)) +
                     "\" are two types for one column")
        .Help("give both the same policy");
  }
  return string ? Step::kNumericText : Step::kNumericDouble;
}

Result<Step> StepOfNumeric(const ColumnType& type) {
  ARROW_RETURN_NOT_OK(CheckBounds(type));
  const std::optional<DecimalShape> shape =
      type.numeric ? ShapeOf(*type.numeric) : std::optional<DecimalShape>();
  if (!shape) return StepOfWideNumeric(type);
  if (type.special == ValuePolicy::kString) return Step::kNumericText;
  if (type.special == ValuePolicy::kDouble) return Step::kNumericDouble;
  return shape->precision <= kDecimal128Digits ? Step::kDecimal128 : Step::kDecimal256;
}

/// For the kinds whose special values have an exact text but no float64.
Result<Step> StepBySpecial(const ColumnType& type, Step exact, Step text) {
  if (type.special == ValuePolicy::kDouble) {
    return Fault(FaultCode::kBadValue,
                 "policy for special values of dates and times: expected error, null or string, "
                 "got \"double\"")
        .Help("double is for numeric only; choose null or string");
  }
  return type.special == ValuePolicy::kString ? text : exact;
}

std::shared_ptr<arrow::DataType> DecimalTypeOf(const ColumnType& type, Step step) {
  const DecimalShape shape = *ShapeOf(*type.numeric);
  if (step == Step::kDecimal128) return arrow::decimal128(shape.precision, shape.scale);
  return arrow::decimal256(shape.precision, shape.scale);
}

std::shared_ptr<arrow::DataType> ItemTypeOf(const ColumnType& type, Step step) {
  switch (step) {
    case Step::kBool:
      return arrow::boolean();
    case Step::kInt16:
      return arrow::int16();
    case Step::kInt32:
      return type.kind == ValueKind::kFloat4 ? arrow::float32() : arrow::int32();
    case Step::kInt64:
      return type.kind == ValueKind::kFloat8 ? arrow::float64() : arrow::int64();
    case Step::kOid:
      return arrow::int64();
    case Step::kDate:
      return arrow::date32();
    case Step::kTime:
      return arrow::time64(arrow::TimeUnit::MICRO);
    case Step::kTimestamp:
      return arrow::timestamp(arrow::TimeUnit::MICRO);
    case Step::kTimestamptz:
      return arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");
    case Step::kDecimal128:
    case Step::kDecimal256:
      return DecimalTypeOf(type, step);
    case Step::kText:
    case Step::kCheckedText:
      return type.kind == ValueKind::kBytea ? arrow::binary() : arrow::utf8();
    case Step::kUuidBytes:
      return arrow::fixed_size_binary(16);
    case Step::kNumericDouble:
      return arrow::float64();
    default:
      return arrow::utf8();
  }
}

}  // namespace

std::string_view PolicyName(ValuePolicy policy) {
  switch (policy) {
    case ValuePolicy::kError:
      return "error";
    case ValuePolicy::kNull:
      return "null";
    case ValuePolicy::kString:
      return "string";
    case ValuePolicy::kDouble:
      return "double";
  }
  return "";
}

std::optional<NumericBounds> NumericBoundsOf(int32_t typmod) {
  constexpr int32_t kTypmodOffset = 4;  // VARHDRSZ
  if (typmod < kTypmodOffset) return std::nullopt;
  const int32_t packed = typmod - kTypmodOffset;
  // The scale is 11 bits wide, two's complement.
  return NumericBounds{(packed >> 16) & 0xffff, ((packed & 0x7ff) ^ 1024) - 1024};
}

std::optional<DecimalShape> ShapeOf(const NumericBounds& bounds) {
  DecimalShape shape{bounds.precision, bounds.scale};
  if (shape.scale < 0) {
    shape = {shape.precision - shape.scale, 0};
  } else if (shape.scale > shape.precision) {
    shape.precision = shape.scale;
  }
  if (shape.precision > kDecimal256Digits) return std::nullopt;
  return shape;
}

Result<Step> StepOf(const ColumnType& type, bool validate_utf8) {
  switch (type.kind) {
    case ValueKind::kBool:
      return Step::kBool;
    case ValueKind::kInt2:
      return Step::kInt16;
    case ValueKind::kInt4:
    case ValueKind::kFloat4:
      return Step::kInt32;
    case ValueKind::kInt8:
    case ValueKind::kFloat8:
      return Step::kInt64;
    case ValueKind::kOid:
      return Step::kOid;
    case ValueKind::kNumeric:
      return StepOfNumeric(type);
    case ValueKind::kText:
      if (type.trim) return Step::kTrimmedText;
      return validate_utf8 || type.check_utf8 ? Step::kCheckedText : Step::kText;
    case ValueKind::kInternalChar:
      return Step::kInternalChar;
    case ValueKind::kJsonb:
      return Step::kJsonb;
    case ValueKind::kBytea:
      return Step::kText;
    case ValueKind::kDate:
      return StepBySpecial(type, Step::kDate, Step::kDateText);
    case ValueKind::kTime:
      return StepBySpecial(type, Step::kTime, Step::kTimeText);
    case ValueKind::kTimestamp:
      return StepBySpecial(type, Step::kTimestamp, Step::kTimestampText);
    case ValueKind::kTimestamptz:
      return StepBySpecial(type, Step::kTimestamptz, Step::kTimestamptzText);
    case ValueKind::kInterval:
      return StepBySpecial(type, Step::kInterval, Step::kInterval);
    case ValueKind::kUuid:
      return type.uuid_as_bytes ? Step::kUuidBytes : Step::kUuidText;
  }
  return Fault(FaultCode::kInternal, "a kind of value that pgcopy does not know");
}

int32_t SlotBytesOf(Step step) {
  switch (step) {
    case Step::kBool:
      return 0;
    case Step::kInt16:
      return 2;
    case Step::kInt64:
    case Step::kOid:
    case Step::kTime:
    case Step::kTimestamp:
    case Step::kTimestamptz:
    case Step::kNumericDouble:
      return 8;
    case Step::kDecimal128:
    case Step::kUuidBytes:
      return 16;
    case Step::kDecimal256:
      return 32;
    default:
      return 4;
  }
}

bool HasBytes(Step step) {
  switch (step) {
    case Step::kBool:
    case Step::kInt16:
    case Step::kInt32:
    case Step::kInt64:
    case Step::kOid:
    case Step::kDate:
    case Step::kTime:
    case Step::kTimestamp:
    case Step::kTimestamptz:
    case Step::kDecimal128:
    case Step::kDecimal256:
    case Step::kUuidBytes:
    case Step::kNumericDouble:
    case Step::kList:
      return false;
    default:
      return true;
  }
}

Result<std::shared_ptr<arrow::DataType>> ArrowTypeOf(const ColumnType& type) {
  ARROW_ASSIGN_OR_RAISE(const Step step, StepOf(type, /*validate_utf8=*/true));
  std::shared_ptr<arrow::DataType> item = ItemTypeOf(type, step);
  return type.array ? arrow::list(std::move(item)) : item;
}

Result<std::shared_ptr<arrow::Field>> FieldOf(const Column& column) {
  Result<std::shared_ptr<arrow::DataType>> type = ArrowTypeOf(column.type);
  if (!type.ok()) {
    const Fault fault = FaultOf(type.status());
    return Fault(fault.code(), "column \"" + column.name + "\": " + fault.message())
        .With("column", column.name)
        .Help(fault.help());
  }
  // A policy of null makes NULLs that the source's declaration rules out; an array keeps them
  // inside.
  const bool makes_nulls = column.type.special == ValuePolicy::kNull &&
                           HasSpecialValues(column.type.kind) && !column.type.array;
  return arrow::field(column.name, *type, column.type.nullable || makes_nulls);
}

}  // namespace levada::pgcopy
