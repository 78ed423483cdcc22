#pragma once
// Types of PostgreSQL's COPY BINARY stream and the Arrow types they become.
//
// The stream itself carries no types, so whoever opens the COPY says what each field is (from the
// catalog) and what shall become of the few values that Arrow's type cannot hold. Here that is
// checked and turned into an Arrow schema, before a byte is read; decoder.h reads the bytes. Object
// ids stay with the caller, but for the element check of arrays.
//
//   kind            Arrow                     values that follow `special`
//   kBool           bool
//   kInt2 4 8       int16, int32, int64
//   kOid            int64
//   kFloat4 8       float, double             (NaN and infinities are ordinary values)
//   kNumeric        decimal128, decimal256    NaN, Infinity, -Infinity
//   kText, kJsonb   utf8
//   kInternalChar   utf8
//   kBytea          binary
//   kDate           date32                    infinity, -infinity
//   kTime           time64[us]                24:00:00
//   kTimestamp      timestamp[us]             infinity, -infinity, after
//   294247-01-10T04:00:54.775807 kTimestamptz    timestamp[us, UTC]        the same kInterval utf8,
//   ISO 8601            infinity, -infinity (PostgreSQL 17) kUuid           utf8 or
//   fixed_size_binary(16) array of these  list<item>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/fault.h"

namespace levada::pgcopy {

/// What the bytes of a field are. Domains are their base type.
enum class ValueKind : uint8_t {
  kBool,
  kInt2,
  kInt4,
  kInt8,
  kOid,
  kFloat4,
  kFloat8,
  kNumeric,
  kText,  ///< text, varchar, char(n), name, json, the labels of enums, and what is cast to it
  kInternalChar,  ///< "char", the one-byte type of the catalogs: its byte is text only through
                  ///< PostgreSQL's own rules
  kJsonb,
  kBytea,
  kDate,
  kTime,  ///< without time zone
  kTimestamp,
  kTimestamptz,
  kInterval,
  kUuid,
};

/// What to do with a value that the column's Arrow type cannot hold, and with a numeric no decimal
/// is wide enough for.
enum class ValuePolicy : uint8_t {
  kError,   ///< refuse: of one value kValueRefused, of a whole type kUnsupportedType
  kNull,    ///< the value becomes NULL, so the field is nullable whatever the source says
  kString,  ///< the column becomes utf8: every value in PostgreSQL's own text form, exactly
  kDouble,  ///< the column becomes float64 (numeric only): every value rounded to the nearest
};
/// "error", "null", "string", "double"
std::string_view PolicyName(ValuePolicy policy);

/// numeric(precision, scale) as declared: precision 1..1000, scale -1000..1000 (negative and larger
/// than the precision since PostgreSQL 15).
struct NumericBounds {
  int32_t precision = 0;
  int32_t scale = 0;
  bool operator==(const NumericBounds&) const = default;
};
/// Of pg_attribute.atttypmod; absent for plain `numeric` (-1). Source: numeric_typmod_* in
/// numeric.c.
std::optional<NumericBounds> NumericBoundsOf(int32_t typmod);

/// The type of one column. A value; fields that do not concern `kind` are ignored.
struct ColumnType {
  ValueKind kind = ValueKind::kText;
  /// An array of `kind`. One dimension; the lower bound is not kept.
  bool array = false;
  /// The type id that each array must name for its elements; 0: any.
  uint32_t element_oid = 0;
  /// False when the source declares NOT NULL: a NULL on the wire is then refused (kSourceProtocol).
  /// Elements of an array are always nullable.
  bool nullable = true;
  /// numeric: as declared, or for a numeric without bounds as the user decides. A value that does
  /// not fit exactly is refused (kValueRefused), never rounded. Absent: no bounds, `unbounded`
  /// decides.
  std::optional<NumericBounds> numeric;
  /// numeric without bounds, or with bounds over 76 digits: kError, kString or kDouble.
  ValuePolicy unbounded = ValuePolicy::kError;
  /// The values in the table above. kError refuses only what the Arrow type cannot hold: a column
  /// that is utf8 or float64 because of `unbounded` keeps its NaN.
  ValuePolicy special = ValuePolicy::kError;
  /// char(n): without the trailing blanks, which PostgreSQL itself takes for padding. Default:
  /// kept.
  bool trim = false;
  /// uuid: 16 bytes instead of canonical text. Spark has no such type.
  bool uuid_as_bytes = false;
  /// Text: checked to be UTF-8 whatever DecoderOptions::validate_utf8 says, because what makes it
  /// promises nothing.
  bool check_utf8 = false;

  bool operator==(const ColumnType&) const = default;
};

struct Column {
  std::string name;
  ColumnType type;
  bool operator==(const Column&) const = default;
};

/// The Arrow type of `type`.
/// Errors: kUnsupportedType for a numeric that needs a decision, kImpossiblePlan for two decisions
/// that contradict each other, kBadValue for bounds out of range or a policy that means nothing
/// here. All have a help.
Result<std::shared_ptr<arrow::DataType>> ArrowTypeOf(const ColumnType& type);

/// The field of `column`. The same errors, each naming the column.
Result<std::shared_ptr<arrow::Field>> FieldOf(const Column& column);

}  // namespace levada::pgcopy
