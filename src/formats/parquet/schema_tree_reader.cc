#include "formats/parquet/schema_tree_reader.h"

#include <arrow/io/interfaces.h>
#include <arrow/util/key_value_metadata.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>
#include <parquet/properties.h>
#include <parquet/schema.h>
#include <parquet/types.h>

#include <string>
#include <utility>

#include "formats/parquet/guarded_read.h"
#include "formats/parquet/leaf_plan.h"

namespace levada::parquet_format {
namespace {

using Kind = Annotation::Kind;

constexpr const char* kSparkRowMetadata = "org.apache.spark.sql.parquet.row.metadata";
/// Of one schema; Spark's own text of 10,000 columns is below 1 MB.
constexpr size_t kRowMetadataBytesMax = 64 << 20;

constexpr ReadFaults kFaults{FaultCode::kSourceFileMalformed};

Fault Malformed(const std::string& why) { return NotReadable(kFaults, why); }

TimeUnit UnitOf(parquet::LogicalType::TimeUnit::unit unit) {
  if (unit == parquet::LogicalType::TimeUnit::MILLIS) return TimeUnit::kMillis;
  return unit == parquet::LogicalType::TimeUnit::MICROS ? TimeUnit::kMicros : TimeUnit::kNanos;
}

Kind PlainKindOf(const parquet::LogicalType& type) {
  if (type.is_none() || !type.is_valid()) return Kind::kNone;
  if (type.is_string()) return Kind::kString;
  if (type.is_map()) return Kind::kMap;
  if (type.is_list()) return Kind::kList;
  if (type.is_enum()) return Kind::kEnum;
  if (type.is_date()) return Kind::kDate;
  if (type.is_null()) return Kind::kUnknown;
  if (type.is_JSON()) return Kind::kJson;
  if (type.is_BSON()) return Kind::kBson;
  if (type.is_UUID()) return Kind::kUuid;
  if (type.is_float16()) return Kind::kFloat16;
  if (type.is_interval()) return Kind::kInterval;
  return Kind::kOther;
}

Annotation AnnotationOf(const parquet::schema::Node& node) {
  Annotation annotation;
  // Arrow takes it for MAP, which it is not where it stands on the inner group.
  if (node.converted_type() == parquet::ConvertedType::MAP_KEY_VALUE) {
    annotation.kind = Kind::kMapKeyValue;
    return annotation;
  }
  const parquet::LogicalType& type = *node.logical_type();
  if (type.is_decimal()) {
    const auto& decimal = static_cast<const parquet::DecimalLogicalType&>(type);
    annotation = {Kind::kDecimal, decimal.precision(), decimal.scale()};
  } else if (type.is_int()) {
    const auto& integer = static_cast<const parquet::IntLogicalType&>(type);
    annotation = {Kind::kInteger, integer.bit_width(), 0, integer.is_signed()};
  } else if (type.is_time()) {
    const auto& time = static_cast<const parquet::TimeLogicalType&>(type);
    annotation = {Kind::kTime, 0, 0, time.is_adjusted_to_utc(), UnitOf(time.time_unit())};
  } else if (type.is_timestamp()) {
    const auto& time = static_cast<const parquet::TimestampLogicalType&>(type);
    annotation = {Kind::kTimestamp, 0, 0, time.is_adjusted_to_utc(), UnitOf(time.time_unit())};
  } else if (type.type() == parquet::LogicalType::Type::VARIANT) {
    annotation = {Kind::kVariant, 1};
  } else {
    annotation.kind = PlainKindOf(type);
  }
  return annotation;
}

class TreeMaker {
 public:
  Status Append(const parquet::schema::GroupNode& group, int depth,
                std::vector<SchemaNode>& children) {
    if (depth > kSchemaDepthMax) {
      return Malformed("its schema nests deeper than " + std::to_string(kSchemaDepthMax));
    }
    for (int i = 0; i < group.field_count(); ++i) {
      if (++nodes_ > kSchemaNodesMax) {
        return Malformed("its schema has more than " + std::to_string(kSchemaNodesMax) + " nodes");
      }
      const parquet::schema::Node& node = *group.field(i);
      SchemaNode& made = children.emplace_back();
      made.name = node.name();
      const int repetition = node.repetition();  // of the file, and not looked at by Arrow
      if (repetition < 0 || repetition >= parquet::Repetition::UNDEFINED) {
        return Malformed("a column of no repetition");
      }
      made.repetition = static_cast<RepetitionType>(repetition);
      made.annotation = AnnotationOf(node);
      if (node.field_id() >= 0) made.field_id = node.field_id();
      if (node.is_group()) {
        ARROW_RETURN_NOT_OK(
            Append(static_cast<const parquet::schema::GroupNode&>(node), depth + 1, made.children));
        continue;
      }
      const auto& leaf = static_cast<const parquet::schema::PrimitiveNode&>(node);
      const int physical = leaf.physical_type();
      if (physical < 0 || physical >= parquet::Type::UNDEFINED) {
        return Malformed("a column of no type");
      }
      made.physical = static_cast<PhysicalType>(leaf.physical_type());
      if (made.physical == PhysicalType::kFixedLenByteArray) made.length = leaf.type_length();
    }
    return Status::OK();
  }

 private:
  int nodes_ = 0;
};

Result<SchemaTree> TreeOf(const parquet::schema::GroupNode& root) {
  SchemaTree tree;
  tree.name = root.name();
  ARROW_RETURN_NOT_OK(TreeMaker().Append(root, 0, tree.columns));
  return tree;
}

Result<SchemaTree> TreeOf(const parquet::FileMetaData& metadata) {
  ARROW_ASSIGN_OR_RAISE(SchemaTree tree, TreeOf(*metadata.schema()->group_node()));
  if (const auto& values = metadata.key_value_metadata()) {
    const int at = values->FindKey(kSparkRowMetadata);
    if (at >= 0) {
      if (values->value(at).size() > kRowMetadataBytesMax) {
        return Malformed("Spark's row metadata is over 64 MiB");
      }
      tree.spark_row_metadata = values->value(at);
    }
  }
  return tree;
}

}  // namespace

Result<SchemaTree> ReadSchemaTree(std::shared_ptr<arrow::io::RandomAccessFile> file,
                                  arrow::MemoryPool* pool) {
  return GuardedRead(kFaults, [&]() -> Result<SchemaTree> {
    const auto reader =
        parquet::ParquetFileReader::Open(std::move(file), parquet::ReaderProperties(pool));
    return TreeOf(*reader->metadata());
  });
}

Result<SchemaTree> SchemaTreeOf(const arrow::Schema& schema, Profile profile) {
  ARROW_ASSIGN_OR_RAISE(const FileSchema file, PlanFileSchema(schema, profile));
  return TreeOf(*file.descriptor->group_node());
}

}  // namespace levada::parquet_format
