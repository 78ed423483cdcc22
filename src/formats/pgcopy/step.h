#pragma once
// Step: a column's type and policies resolved to the one thing the decoder does with each of its
// fields.

#include <cstdint>
#include <optional>

#include "formats/pgcopy/types.h"

namespace levada::pgcopy {

enum class Step : uint8_t {
  kBool,
  kInt16,
  kInt32,  // int4, and float4 by its bits
  kInt64,  // int8, and float8 by its bits
  kOid,
  kDate,
  kTime,
  kTimestamp,
  kTimestamptz,
  kDecimal128,
  kDecimal256,
  kText,         // also bytea: bytes as they are
  kCheckedText,  // UTF-8 is validated
  kTrimmedText,
  kInternalChar,
  kJsonb,
  kUuidText,
  kUuidBytes,
  kInterval,
  kNumericText,
  kNumericDouble,
  kDateText,
  kTimeText,
  kTimestampText,
  kTimestamptzText,
  kList,
};

/// The decimal that holds every numeric(precision, scale) exactly, e.g. decimal(5, 0) for
/// numeric(3, -2).
struct DecimalShape {
  int32_t precision;
  int32_t scale;
};
/// Absent over 76 digits. Precondition: bounds in range.
std::optional<DecimalShape> ShapeOf(const NumericBounds& bounds);

/// The step of one value of `type`: of an array, that of its elements. The errors of ArrowTypeOf.
Result<Step> StepOf(const ColumnType& type, bool validate_utf8);

/// Bytes of a value in its column's fixed-width buffer: 0 for booleans (bits), 4 where there are
/// offsets.
int32_t SlotBytesOf(Step step);
/// Whether the step's column has offsets and a buffer of bytes.
bool HasBytes(Step step);

}  // namespace levada::pgcopy
