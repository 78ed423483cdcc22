#include <algorithm>
#include <set>
#include <utility>

#include "base/ascii.h"
#include "readers/spark.h"
#include "readers/spark_nodes.h"

namespace levada::readers {
namespace {

using parquet_format::Annotation;
using parquet_format::PhysicalType;
using parquet_format::RepetitionType;
using parquet_format::SchemaNode;
using parquet_format::TimeUnit;
using Kind = SparkType::Kind;
using Note = parquet_format::Annotation::Kind;

constexpr int kIntDigits = 9;
constexpr int kLongDigits = 18;

/// A type, or why there is none.
struct Converted {
  std::optional<SparkType> type;
  std::string refused;
};

Converted Is(Kind kind) { return {SparkType{kind, 0, 0, {}}, {}}; }
Converted Refuse(std::string why) { return {std::nullopt, std::move(why)}; }
Converted Illegal(const SchemaNode& node) {
  return Refuse("Spark has no type for " + DescribeType(node));
}

/// Digits that a two's complement number of so many bytes surely holds.
int DigitsOf(int bytes) {
  // log10(2^(8 * bytes - 1) - 1), without floating point: 0.30103 digits a bit.
  return static_cast<int>((static_cast<int64_t>(8) * bytes - 1) * 30103 / 100000);
}

Converted Decimal(const SchemaNode& node, int digits_max) {
  const Annotation& note = node.annotation;
  if (note.precision < 1 || note.precision > digits_max) {
    return Refuse(DescribeType(node) + " cannot hold so many digits");
  }
  return {SparkType{Kind::kDecimal, note.precision, note.scale, {}}, {}};
}

Converted OfInteger(const SchemaNode& node, int bits_of_type) {
  const Annotation& note = node.annotation;
  const int bits = note.precision;
  if (bits_of_type == 64) {
    if (bits != 64) return Illegal(node);
    if (note.is_flag) return Is(Kind::kLong);
    return {SparkType{Kind::kDecimal, 20, 0, {}}, {}};
  }
  if (bits == 8) return Is(note.is_flag ? Kind::kByte : Kind::kShort);
  if (bits == 16) return Is(note.is_flag ? Kind::kShort : Kind::kInt);
  if (bits == 32) return Is(note.is_flag ? Kind::kInt : Kind::kLong);
  return Illegal(node);
}

Converted OfInt32(const SchemaNode& node) {
  switch (node.annotation.kind) {
    case Note::kNone:
      return Is(Kind::kInt);
    case Note::kInteger:
      return OfInteger(node, 32);
    case Note::kDate:
      return Is(Kind::kDate);
    case Note::kDecimal:
      return Decimal(node, kIntDigits);
    default:
      return Illegal(node);
  }
}

Converted OfInt64(const SchemaNode& node) {
  const Annotation& note = node.annotation;
  switch (note.kind) {
    case Note::kNone:
      return Is(Kind::kLong);
    case Note::kInteger:
      return OfInteger(node, 64);
    case Note::kDecimal:
      return Decimal(node, kLongDigits);
    case Note::kTimestamp:
      if (note.unit == TimeUnit::kNanos) return Refuse("Spark refuses timestamps of nanoseconds");
      return Is(note.is_flag ? Kind::kTimestamp : Kind::kTimestampNtz);
    default:
      return Illegal(node);
  }
}

Converted OfByteArray(const SchemaNode& node) {
  switch (node.annotation.kind) {
    case Note::kString:
    case Note::kEnum:
    case Note::kJson:
      return Is(Kind::kString);
    case Note::kNone:
    case Note::kBson:
      return Is(Kind::kBinary);
    case Note::kDecimal:
      return Decimal(node, 38);
    default:
      return Illegal(node);
  }
}

Converted OfLeaf(const SchemaNode& node) {
  if (node.annotation.kind == Note::kUnknown) {
    SchemaNode plain = node;
    plain.annotation = {};
    return OfLeaf(plain);
  }
  switch (node.physical) {
    case PhysicalType::kBoolean:
      return Is(Kind::kBoolean);
    case PhysicalType::kInt32:
      return OfInt32(node);
    case PhysicalType::kInt64:
      return OfInt64(node);
    case PhysicalType::kInt96:
      return Is(Kind::kTimestamp);
    case PhysicalType::kFloat:
      return Is(Kind::kFloat);
    case PhysicalType::kDouble:
      return Is(Kind::kDouble);
    case PhysicalType::kByteArray:
      return OfByteArray(node);
    default:
      if (node.annotation.kind == Note::kNone) return Is(Kind::kBinary);
      if (node.annotation.kind == Note::kDecimal) return Decimal(node, DigitsOf(node.length));
      return Illegal(node);
  }
}

Converted OfNode(const SchemaNode& node, SparkVersion version);

Converted OfFields(const std::vector<SchemaNode>& children, SparkVersion version) {
  SparkType type{Kind::kStruct, 0, 0, {}};
  for (const SchemaNode& child : children) {
    Converted converted = OfNode(child, version);
    if (!converted.type) return converted;
    type.fields.push_back(
        {child.name, std::move(*converted.type), child.repetition == RepetitionType::kOptional});
  }
  return {std::move(type), {}};
}

Converted AsArray(Converted element, bool nullable) {
  if (!element.type) return element;
  return {SparkType{Kind::kArray, 0, 0, {{"element", std::move(*element.type), nullable}}}, {}};
}

/// What of `node` its repetition says is left out.
Converted OfOne(const SchemaNode& node, SparkVersion version);

Converted OfList(const SchemaNode& node, SparkVersion version) {
  if (node.children.size() != 1 || node.children[0].repetition != RepetitionType::kRepeated) {
    return Refuse("not a list as the format has it");
  }
  const SchemaNode& repeated = node.children[0];
  if (IsListElement(repeated, node.name)) return AsArray(OfOne(repeated, version), false);
  if (repeated.children.size() != 1) return Refuse("not a list as the format has it");
  const SchemaNode& element = repeated.children[0];
  return AsArray(OfOne(element, version), element.repetition == RepetitionType::kOptional);
}

Converted OfMap(const SchemaNode& node, SparkVersion version) {
  const bool is_map = node.children.size() == 1 && node.children[0].is_group() &&
                      node.children[0].repetition == RepetitionType::kRepeated &&
                      node.children[0].children.size() == 2;
  if (!is_map) return Refuse("not a map as the format has it");
  const SchemaNode& key_node = node.children[0].children[0];
  const SchemaNode& value_node = node.children[0].children[1];
  Converted key = OfOne(key_node, version);
  if (!key.type) return key;
  Converted value = OfOne(value_node, version);
  if (!value.type) return value;
  const bool nullable = value_node.repetition == RepetitionType::kOptional;
  return {SparkType{
              Kind::kMap,
              0,
              0,
              {{"key", std::move(*key.type), false}, {"value", std::move(*value.type), nullable}}},
          {}};
}

Converted OfOne(const SchemaNode& node, SparkVersion version) {
  if (!node.is_group()) return OfLeaf(node);
  switch (node.annotation.kind) {
    case Note::kNone:
      return OfFields(node.children, version);
    case Note::kList:
      return OfList(node, version);
    case Note::kMap:
    case Note::kMapKeyValue:
      return OfMap(node, version);
    case Note::kVariant:
      if (version == SparkVersion::k4) return Is(Kind::kVariant);
      return Illegal(node);
    default:
      return Illegal(node);
  }
}

Converted OfNode(const SchemaNode& node, SparkVersion version) {
  Converted one = OfOne(node, version);
  // Outside of lists a repeated field is a list of its own.
  return node.repetition == RepetitionType::kRepeated ? AsArray(std::move(one), false) : one;
}

}  // namespace

bool IsListElement(const SchemaNode& repeated, const std::string& parent) {
  return !repeated.is_group() || repeated.children.size() > 1 || repeated.name == "array" ||
         repeated.name == parent + "_tuple";
}

std::optional<std::string> FindTwice(const SparkType& type) {
  std::set<std::string> seen;
  for (const SparkField& field : type.fields) {
    if (type.kind == Kind::kStruct && !seen.insert(LowerAscii(field.name)).second) {
      return field.name;
    }
    if (auto deeper = FindTwice(field.type)) return deeper;
  }
  return std::nullopt;
}

bool SparkSchema::is_readable() const { return refused.empty() && has_types(); }

bool SparkSchema::has_types() const {
  return std::all_of(columns.begin(), columns.end(),
                     [](const SparkColumn& c) { return c.type.has_value(); });
}

SparkType SparkSchema::AsStruct() const {
  SparkType type{Kind::kStruct, 0, 0, {}};
  for (const SparkColumn& column : columns) type.fields.push_back({column.name, *column.type});
  return type;
}

SparkSchema InferSparkSchema(const parquet_format::SchemaTree& file, SparkVersion version) {
  SparkSchema schema;
  if (file.spark_row_metadata) {
    if (auto type = ParseSparkMetadata(*file.spark_row_metadata)) {
      schema.from_metadata = true;
      for (SparkField& field : type->fields) {
        schema.columns.push_back({std::move(field.name), std::move(field.type), {}});
      }
    }
  }
  if (!schema.from_metadata) {
    for (const SchemaNode& column : file.columns) {
      Converted converted = OfNode(column, version);
      schema.columns.push_back(
          {column.name, std::move(converted.type), std::move(converted.refused)});
    }
  }
  if (!schema.has_types()) return schema;
  if (const auto name = FindTwice(schema.AsStruct())) {
    schema.refused = "\"" + *name + "\" is there twice, and Spark does not look at case";
  }
  return schema;
}

}  // namespace levada::readers
