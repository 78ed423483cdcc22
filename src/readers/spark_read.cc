#include <algorithm>
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

constexpr int kIntDigits = 10;   // of any INT32
constexpr int kLongDigits = 20;  // of any INT64, as Spark counts them
constexpr int kLongDecimalDigits = 18;
constexpr int kIntDecimalDigits = 9;

Reading SameIf(bool same) { return same ? Reading::kSame : Reading::kOther; }
Reading SameOrError(bool same) { return same ? Reading::kSame : Reading::kError; }

bool IsPlainInteger(const Annotation& note) {
  return note.kind == Note::kNone || (note.kind == Note::kInteger && note.is_flag);
}

/// Bits of the values that a 32-bit column of integers holds, as a signed number; 99: no integers.
int SignedBits(const Annotation& note) {
  if (note.kind == Note::kNone) return 32;
  if (note.kind == Note::kInteger) return note.is_flag ? note.precision : note.precision + 1;
  return note.kind == Note::kDecimal && note.scale == 0 ? 32 : 99;
}

/// Spark 3.5: a decimal may only grow, at the same scale, within its physical form.
bool GrowsAlike(const Annotation& note, const SparkType& type) {
  return note.kind == Note::kDecimal && note.scale == type.scale &&
         note.precision <= type.precision;
}

/// Spark 4: digits before and behind the point may be added, and integers are decimals.
bool FitsDecimal(const SchemaNode& node, const SparkType& type) {
  const Annotation& note = node.annotation;
  if (note.kind == Note::kDecimal) {
    const int more = type.scale - note.scale;
    return more >= 0 && type.precision - note.precision >= more;
  }
  if (!IsPlainInteger(note)) return false;
  const int digits = type.precision - type.scale;
  if (node.physical == PhysicalType::kInt32) return digits >= kIntDigits;
  return node.physical == PhysicalType::kInt64 && digits >= kLongDigits;
}

bool ReadsDecimal(const SchemaNode& node, const SparkType& type, SparkVersion version) {
  // In either version a decimal of bytes fails at run time unless it is one of bytes to Spark too.
  if (node.physical == PhysicalType::kByteArray && type.precision <= kLongDecimalDigits)
    return false;
  if (version == SparkVersion::k4) return FitsDecimal(node, type);
  if (!GrowsAlike(node.annotation, type)) return false;
  switch (node.physical) {
    case PhysicalType::kInt32:
      return type.precision <= kIntDecimalDigits;
    case PhysicalType::kInt64:
      return type.precision <= kLongDecimalDigits;
    default:
      return true;
  }
}

Reading ReadInt32(const SchemaNode& node, const SparkType& type, SparkVersion version) {
  const bool is_new = version == SparkVersion::k4;
  const int bits = SignedBits(node.annotation);
  switch (type.kind) {
    case Kind::kByte:
      return SameIf(bits <= 8);
    case Kind::kShort:
      return SameIf(bits <= 16);
    case Kind::kInt:
      return SameIf(bits <= 32);
    case Kind::kLong:
      if (is_new || bits == 33) return SameIf(bits <= 64);
      return Reading::kError;
    case Kind::kDouble:
      return is_new ? SameIf(bits <= 32) : Reading::kError;
    case Kind::kDecimal:
      return SameOrError(ReadsDecimal(node, type, version));
    case Kind::kDate:
      // Large ones are days before 1582 then, which Spark 3.5 refuses of writers it does not know.
      if (!is_new && bits == 33) return Reading::kError;
      return SameIf(node.annotation.kind == Note::kDate);
    case Kind::kTimestampNtz:
      return SameOrError(is_new && node.annotation.kind == Note::kDate);
    case Kind::kYearMonth:
      return Reading::kOther;
    default:
      return Reading::kError;
  }
}

Reading ReadInt64(const SchemaNode& node, const SparkType& type, SparkVersion version) {
  const Annotation& note = node.annotation;
  const bool is_time_of_spark = note.kind == Note::kTimestamp && note.unit != TimeUnit::kNanos;
  switch (type.kind) {
    case Kind::kLong:
      return SameIf(IsPlainInteger(note) || (note.kind == Note::kDecimal && note.scale == 0));
    case Kind::kDecimal:
      if (note.kind == Note::kInteger && !note.is_flag) {
        return SameOrError(note.precision == 64 && type.precision == 20 && type.scale == 0);
      }
      return SameOrError(ReadsDecimal(node, type, version));
    case Kind::kTimestamp:
      return is_time_of_spark ? SameIf(note.is_flag) : Reading::kError;
    case Kind::kTimestampNtz:
      if (!is_time_of_spark) return Reading::kError;
      // Spark 3.5 would not take a point in time for what a clock on the wall showed.
      if (version == SparkVersion::k3) return SameOrError(!note.is_flag);
      return SameIf(!note.is_flag);
    case Kind::kDayTime:
      return Reading::kOther;
    default:
      return Reading::kError;
  }
}

Reading ReadBytes(const SchemaNode& node, const SparkType& type, SparkVersion version) {
  const bool is_decimal = node.annotation.kind == Note::kDecimal;
  // Spark 3.5 cannot open a file with an annotation that is younger than it.
  if (version == SparkVersion::k3 && node.annotation.kind == Note::kFloat16) return Reading::kError;
  if (type.kind == Kind::kDecimal) return SameOrError(ReadsDecimal(node, type, version));
  if (type.kind == Kind::kBinary) return SameIf(!is_decimal);
  if (type.kind == Kind::kString && node.physical == PhysicalType::kByteArray) {
    return SameIf(!is_decimal);
  }
  return Reading::kError;
}

Reading ReadLeaf(const SchemaNode& node, const SparkType& type, SparkVersion version) {
  const bool is_new = version == SparkVersion::k4;
  if (node.annotation.kind == Note::kUnknown) {
    // Spark passes over the annotation, though not where a decimal is wanted, and NULL is the same
    // whatever it is read as.
    if (type.kind == Kind::kDecimal) return Reading::kError;
    SchemaNode plain = node;
    plain.annotation = {};
    return SameOrError(ReadLeaf(plain, type, version) != Reading::kError);
  }
  switch (node.physical) {
    case PhysicalType::kBoolean:
      return SameOrError(type.kind == Kind::kBoolean);
    case PhysicalType::kInt32:
      return ReadInt32(node, type, version);
    case PhysicalType::kInt64:
      return ReadInt64(node, type, version);
    case PhysicalType::kInt96:
      if (type.kind == Kind::kTimestamp) return Reading::kSame;
      return is_new && type.kind == Kind::kTimestampNtz ? Reading::kOther : Reading::kError;
    case PhysicalType::kFloat:
      return SameOrError(type.kind == Kind::kFloat || (is_new && type.kind == Kind::kDouble));
    case PhysicalType::kDouble:
      return SameOrError(type.kind == Kind::kDouble);
    default:
      return ReadBytes(node, type, version);
  }
}

Reading ReadOne(const SchemaNode& node, const SparkType& type, SparkVersion version);

Reading ReadFields(const std::vector<SchemaNode>& children, const SparkType& type,
                   SparkVersion version) {
  Reading worst = Reading::kSame;
  bool any = false;
  for (const SparkField& field : type.fields) {
    const SchemaNode* found = nullptr;
    for (const SchemaNode& child : children) {
      if (!EqualsIgnoringCase(child.name, field.name)) continue;
      if (found != nullptr) return Reading::kError;
      found = &child;
    }
    if (found == nullptr) continue;
    any = true;
    worst = std::max(worst, ReadNode(*found, field.type, version));
  }
  // Spark 3.5 takes a struct of which it finds no field for NULL.
  if (!any && version == SparkVersion::k3) worst = std::max(worst, Reading::kOther);
  return worst;
}

size_t CountWanted(const SchemaNode& group, const SparkType& type) {
  return static_cast<size_t>(
      std::count_if(group.children.begin(), group.children.end(), [&](const SchemaNode& child) {
        return std::any_of(type.fields.begin(), type.fields.end(), [&](const SparkField& field) {
          return EqualsIgnoringCase(field.name, child.name);
        });
      }));
}

Reading ReadList(const SchemaNode& node, const SparkType& type, SparkVersion version) {
  if (type.kind != Kind::kArray || node.children.size() != 1) return Reading::kError;
  const SchemaNode& repeated = node.children[0];
  if (repeated.repetition != RepetitionType::kRepeated) return Reading::kError;
  const SparkType& element = type.fields[0].type;
  if (IsListElement(repeated, node.name)) {
    const Reading reading = ReadOne(repeated, element, version);
    // Spark leaves out the fields that nobody wants and looks then whether it is an element: a
    // group of one field that has not the name of one is none.
    const bool was_one_by_size = repeated.is_group() && repeated.children.size() > 1 &&
                                 repeated.name != "array" && repeated.name != node.name + "_tuple";
    if (was_one_by_size && CountWanted(repeated, element) < 2) return Reading::kError;
    return reading;
  }
  if (repeated.children.size() != 1) return Reading::kError;
  return ReadOne(repeated.children[0], element, version);
}

Reading ReadMap(const SchemaNode& node, const SparkType& type, SparkVersion version) {
  if (type.kind != Kind::kMap || node.children.size() != 1 ||
      node.children[0].children.size() != 2) {
    return Reading::kError;
  }
  const auto& parts = node.children[0].children;
  return std::max(ReadOne(parts[0], type.fields[0].type, version),
                  ReadOne(parts[1], type.fields[1].type, version));
}

Reading ReadOne(const SchemaNode& node, const SparkType& type, SparkVersion version) {
  if (!node.is_group()) {
    return type.is_nested() ? Reading::kError : ReadLeaf(node, type, version);
  }
  switch (node.annotation.kind) {
    case Note::kNone:
      return type.kind == Kind::kStruct ? ReadFields(node.children, type, version)
                                        : Reading::kError;
    case Note::kList:
      return ReadList(node, type, version);
    case Note::kMap:
    case Note::kMapKeyValue:
      return ReadMap(node, type, version);
    case Note::kVariant:
      return SameOrError(type.kind == Kind::kVariant && version == SparkVersion::k4);
    default:
      return Reading::kError;
  }
}

std::string Why(const SchemaNode& node, const SparkType& type, Reading reading) {
  const std::string what = DescribeType(node) + " as " + ToText(type);
  if (reading == Reading::kError) return "Spark cannot read " + what;
  return "Spark reads " + what + " without a word, and the values are others";
}

}  // namespace

Reading ReadNode(const SchemaNode& node, const SparkType& type, SparkVersion version) {
  if (node.repetition != RepetitionType::kRepeated) return ReadOne(node, type, version);
  return type.kind == Kind::kArray ? ReadOne(node, type.fields[0].type, version) : Reading::kError;
}

std::vector<ColumnReading> ReadUnder(const parquet_format::SchemaTree& file,
                                     const SparkType& columns, SparkVersion version) {
  std::vector<ColumnReading> readings;
  for (const SparkField& field : columns.fields) {
    ColumnReading& made = readings.emplace_back();
    made.name = field.name;
    const SchemaNode* found = nullptr;
    for (const SchemaNode& column : file.columns) {
      if (!EqualsIgnoringCase(column.name, field.name)) continue;
      if (found != nullptr) {
        made.reading = Reading::kError;
        made.why = "\"" + found->name + "\" and \"" + column.name + "\" are one name to Spark";
      }
      found = &column;
    }
    if (found == nullptr || made.reading == Reading::kError) continue;
    made.reading = ReadNode(*found, field.type, version);
    if (made.reading != Reading::kSame) made.why = Why(*found, field.type, made.reading);
  }
  return readings;
}

Reading WorstOf(const std::vector<ColumnReading>& readings) {
  Reading worst = Reading::kSame;
  for (const ColumnReading& one : readings) worst = std::max(worst, one.reading);
  return worst;
}

}  // namespace levada::readers
