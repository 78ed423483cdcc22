#pragma once
// Type: what a name such as "Array(LowCardinality(Nullable(String)))" means. Parsed from what a
// server sends, so nothing in it is trusted; what we do not read is refused in words.

#include <arrow/type.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/fault.h"

namespace levada::chnative {

enum class Kind : uint8_t {
  kInt,    ///< bits 8..256
  kUInt,   ///< bits 8..256
  kFloat,  ///< bits 32, 64
  kBFloat16,
  kDecimal,  ///< precision, scale; bits follow from the precision
  kBool,
  kString,
  kFixedString,  ///< length
  kDate,
  kDate32,
  kDateTime,
  kDateTime64,  ///< scale
  kInterval,
  kUuid,
  kIPv4,
  kIPv6,
  kEnum,  ///< bits 8, 16; names
  kNothing,
  kJson,
  kNullable,        ///< children[0]
  kLowCardinality,  ///< children[0]
  kArray,           ///< children[0]; Nested is an Array of a Tuple
  kTuple,           ///< children, field_names
  kMap,             ///< children[0] and [1]
};

struct EnumValue {
  std::string name;
  int16_t value = 0;
};

struct Type {
  Kind kind = Kind::kNothing;
  int bits = 0;
  int precision = 0;
  int scale = 0;
  int64_t length = 0;
  std::vector<Type> children{};
  std::vector<std::string> field_names{};  ///< kTuple; "1", "2" where it has none
  std::vector<EnumValue> enum_values{};
};

inline constexpr int kDepthMax = 16;
/// Of an Enum16 of as many names as it can have, each of 30 bytes.
inline constexpr int64_t kTypeNameBytesMax = int64_t{4} << 20;

/// kUnsupportedType for types that are not read, with what to do instead; kSourceProtocol for a
/// text that is no type's name or is nested deeper than kDepthMax.
Result<Type> ParseType(std::string_view name);

/// How columns become Arrow's.
struct TypeOptions {
  bool strings_as_binary = false;  ///< String as bytes, which need not be UTF-8
  bool keep_unsigned = false;      ///< else the next wider signed integer, UInt64 a decimal(20,0)
};

/// The Arrow type of a column, and whether it may have NULLs.
std::shared_ptr<arrow::Field> FieldOf(const std::string& name, const Type& type,
                                      const TypeOptions& options);

}  // namespace levada::chnative
