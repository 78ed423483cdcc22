#pragma once
// SchemaTree: the schema of a Parquet file as it stands in the footer, as plain values. What a
// reader makes of it is for src/readers to say; where it comes from is schema_tree_reader.h. It
// knows nothing of Arrow: two files that Arrow reads alike may differ here.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/fault.h"

namespace levada::parquet_format {

enum class PhysicalType : uint8_t {
  kBoolean,
  kInt32,
  kInt64,
  kInt96,
  kFloat,
  kDouble,
  kByteArray,
  kFixedLenByteArray,
  kGroup  ///< none: the node has children
};

enum class RepetitionType : uint8_t { kRequired, kOptional, kRepeated };

enum class TimeUnit : uint8_t { kMillis, kMicros, kNanos };

/// The logical type; a converted type of older files is the logical one that it stands for.
struct Annotation {
  enum class Kind : uint8_t {
    kNone,
    kString,
    kMap,
    kMapKeyValue,
    kList,
    kEnum,
    kDecimal,
    kDate,
    kTime,
    kTimestamp,
    kInteger,
    kUnknown,  ///< of a column that holds nothing but NULL
    kJson,
    kBson,
    kUuid,
    kFloat16,
    kInterval,
    kVariant,
    kOther  ///< one that we do not know
  };
  Kind kind = Kind::kNone;
  int precision = 0;     ///< of kDecimal; the bits of kInteger; the version of kVariant
  int scale = 0;         ///< of kDecimal
  bool is_flag = false;  ///< kInteger: signed; kTime, kTimestamp: adjusted to UTC
  TimeUnit unit = TimeUnit::kMicros;

  bool operator==(const Annotation&) const = default;
};

struct SchemaNode {
  RepetitionType repetition = RepetitionType::kOptional;
  PhysicalType physical = PhysicalType::kGroup;
  int length = 0;  ///< bytes of a FIXED_LEN_BYTE_ARRAY
  std::string name;
  Annotation annotation;
  std::optional<int32_t> field_id;
  std::vector<SchemaNode> children;

  bool is_group() const { return physical == PhysicalType::kGroup; }
  bool operator==(const SchemaNode&) const = default;
};

struct SchemaTree {
  std::string name;  ///< of the root: "spark_schema"
  std::vector<SchemaNode> columns;
  /// What Spark wrote into the footer about its own types, as JSON
  /// (`org.apache.spark.sql.parquet.row.metadata`).
  std::optional<std::string> spark_row_metadata;

  bool operator==(const SchemaTree&) const = default;
};

/// No schema nests deeper, and none has more nodes: what is beyond is refused.
inline constexpr int kSchemaDepthMax = 64;
inline constexpr int kSchemaNodesMax = 100'000;

/// "int64 (TIMESTAMP(MICROS,true))", "group (LIST)", without the name.
std::string DescribeType(const SchemaNode& node);

/// The format's own notation in one line, without the metadata:
/// "message spark_schema { optional int32 a (INTEGER(8,true)) = 1; }". A name that is no word is in
/// quotes.
std::string ToText(const SchemaTree& tree);
/// The inverse; kBadValue for what ToText would not write (spaces aside).
Result<SchemaTree> ParseSchemaText(std::string_view text);

}  // namespace levada::parquet_format
