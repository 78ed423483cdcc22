#pragma once
// Spark SQL's types, as far as Parquet files hold them.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace levada::readers {

struct SparkField;

struct SparkType {
  enum class Kind : uint8_t {
    kBoolean,
    kByte,
    kShort,
    kInt,
    kLong,
    kFloat,
    kDouble,
    kDecimal,
    kString,
    kBinary,
    kDate,
    kTimestamp,
    kTimestampNtz,
    kTime,
    kVoid,
    kVariant,
    kYearMonth,
    kDayTime,
    kArray,
    kMap,
    kStruct
  };
  Kind kind = Kind::kInt;
  int precision = 0;  ///< of kDecimal, kTime
  int scale = 0;      ///< of kDecimal
  /// Of a struct; one of an array, the key and the value of a map.
  std::vector<SparkField> fields;

  bool is_nested() const;
  bool operator==(const SparkType& other) const;
};

struct SparkField {
  std::string name;
  SparkType type;
  bool nullable = true;

  bool operator==(const SparkField&) const = default;
};

/// As Spark's own catalogs write it: "struct<a:int,b:decimal(9,2)>".
std::string ToText(const SparkType& type);

/// The columns of Spark's row metadata, a JSON document of Spark's; nullopt where Spark, too, would
/// not understand it and look at the file's own schema. Nesting is bounded.
std::optional<SparkType> ParseSparkMetadata(const std::string& json);

}  // namespace levada::readers
