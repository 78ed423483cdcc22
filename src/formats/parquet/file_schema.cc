#include "formats/parquet/file_schema.h"

#include <arrow/type.h>
#include <arrow/type_traits.h>
#include <arrow/util/utf8.h>
#include <parquet/arrow/schema.h>
#include <parquet/exception.h>
#include <parquet/properties.h>

#include <sstream>
#include <unordered_set>

#include "formats/parquet/leaf_plan.h"

namespace levada::parquet_format {
namespace {

using arrow::Type;

/// Recursion over a schema stops here; Spark and every source we know stay far below.
constexpr int kNestingMax = 32;
constexpr int kSparkPrecisionMax = 38;
constexpr std::string_view kSparkForbidden = " ,;{}()\n\t=";

bool IsSpark(Profile profile) { return profile != Profile::kArrow; }

Fault Refused(const std::string& path, const arrow::DataType& type, Profile profile,
              std::string why) {
  return Fault(FaultCode::kUnsupportedType, "column \"" + path + "\": " + type.ToString() +
                                                " cannot be written under profile \"" +
                                                std::string(NameOf(profile)) +
                                                "\": " + std::move(why))
      .With("column", path);
}

/// Printable: a name may hold anything.
std::string Quoted(const std::string& name) {
  std::string out = "\"";
  for (char c : name) {
    if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else {
      out += c;
    }
  }
  return out + "\"";
}

Status CheckName(const std::string& name, Profile profile) {
  arrow::util::InitializeUTF8();
  if (!arrow::util::ValidateUTF8(name)) {
    return Fault(FaultCode::kBadColumnName, "a column name is not valid UTF-8")
        .Help("rename the column");
  }
  if (name.empty())
    return Fault(FaultCode::kBadColumnName, "a column has an empty name").Help("rename the column");
  if (!IsSpark(profile)) return Status::OK();
  if (name.find_first_of(kSparkForbidden) != std::string::npos) {
    return Fault(FaultCode::kBadColumnName,
                 "column " + Quoted(name) +
                     ": Spark refuses names with any of \" ,;{}()\", newline, tab or \"=\"")
        .With("column", name)
        .Help("rename the column, or use profile: arrow");
  }
  return Status::OK();
}

std::string Folded(std::string name) {
  for (char& c : name) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return name;
}

Status CheckNames(const arrow::FieldVector& fields, Profile profile) {
  std::unordered_set<std::string> seen;
  for (const auto& field : fields) {
    ARROW_RETURN_NOT_OK(CheckName(field->name(), profile));
    if (!seen.insert(IsSpark(profile) ? Folded(field->name()) : field->name()).second) {
      std::string why = IsSpark(profile) ? " (Spark compares names without regard to case)" : "";
      return Fault(FaultCode::kDuplicateColumn,
                   "column " + Quoted(field->name()) + " is there twice" + why)
          .With("column", field->name())
          .Help("rename one of them");
    }
  }
  return Status::OK();
}

Status CheckDecimal(const std::string& path, const arrow::DecimalType& type, Profile profile) {
  if (type.scale() < 0 || type.scale() > type.precision()) {
    return Refused(path, type, profile, "Parquet wants 0 <= scale <= precision")
        .Help("cast the column to a decimal with such a scale");
  }
  if (IsSpark(profile) && type.precision() > kSparkPrecisionMax) {
    return Refused(path, type, profile, "Spark's decimals end at 38 digits")
        .Help("cast it to decimal(38,s) or to text, or use profile: arrow");
  }
  return Status::OK();
}

Status CheckTime(const std::string& path, const arrow::DataType& type, Profile profile) {
  if (IsSpark(profile)) {
    return Refused(path, type, profile, "Spark cannot read a time of day")
        .Help("cast it to text, or use profile: arrow");
  }
  if (static_cast<const arrow::TimeType&>(type).unit() == arrow::TimeUnit::SECOND) {
    return Refused(path, type, profile, "Parquet has no seconds").Help("cast it to time(ms)");
  }
  return Status::OK();
}

Status CheckTimestamp(const std::string& path, const arrow::TimestampType& type, Profile profile) {
  const bool fits = IsSpark(profile) ? type.unit() == arrow::TimeUnit::MICRO
                                     : type.unit() != arrow::TimeUnit::SECOND;
  if (fits) return Status::OK();
  std::string why =
      IsSpark(profile) ? "Spark's own files hold microseconds" : "Parquet has no seconds";
  // In the words of cast.
  return Refused(path, type, profile, why)
      .Help(type.timezone().empty() ? "cast it to timestamp(us)" : "cast it to timestamp(us, UTC)");
}

Status CheckLeaf(const std::string& path, const arrow::DataType& type, Profile profile) {
  switch (type.id()) {
    case Type::BOOL:
    case Type::INT8:
    case Type::INT16:
    case Type::INT32:
    case Type::INT64:
    case Type::FLOAT:
    case Type::DOUBLE:
    case Type::DATE32:
    case Type::STRING:
    case Type::LARGE_STRING:
    case Type::BINARY:
    case Type::LARGE_BINARY:
      return Status::OK();
    case Type::DECIMAL32:
    case Type::DECIMAL64:
    case Type::DECIMAL128:
    case Type::DECIMAL256:
      return CheckDecimal(path, static_cast<const arrow::DecimalType&>(type), profile);
    case Type::TIMESTAMP:
      return CheckTimestamp(path, static_cast<const arrow::TimestampType&>(type), profile);
    case Type::TIME32:
    case Type::TIME64:
      return CheckTime(path, type, profile);
    case Type::UINT8:
    case Type::UINT16:
    case Type::UINT32:
    case Type::UINT64:
      if (!IsSpark(profile)) return Status::OK();
      return Refused(path, type, profile, "Spark has no unsigned integers")
          .Help("cast it to the next wider signed integer (uint64: decimal(20,0))");
    case Type::FIXED_SIZE_BINARY:
      if (static_cast<const arrow::FixedSizeBinaryType&>(type).byte_width() < 1) {
        return Refused(path, type, profile, "a width of 0").Help("drop the column");
      }
      if (!IsSpark(profile)) return Status::OK();
      return Refused(path, type, profile, "Spark 3 cannot read fixed-length binary")
          .Help("cast it to binary, a uuid to text");
    default:
      return Refused(path, type, profile, "there is no such Parquet column")
          .Help("cast the column to a plain type, text for example");
  }
}

Status CheckField(const std::string& path, const arrow::Field& field, Profile profile, int depth) {
  const arrow::DataType& type = *field.type();
  if (depth > kNestingMax) {
    return Refused(path, type, profile, "nested deeper than " + std::to_string(kNestingMax))
        .Help("cast it to text");
  }
  switch (type.id()) {
    case Type::LIST:
    case Type::LARGE_LIST:
      return CheckField(path + ".element", *type.field(0), profile, depth + 1);
    case Type::MAP: {
      const auto& map = static_cast<const arrow::MapType&>(type);
      ARROW_RETURN_NOT_OK(
          CheckField(path + ".key_value.key", *map.key_field(), profile, depth + 1));
      return CheckField(path + ".key_value.value", *map.item_field(), profile, depth + 1);
    }
    case Type::STRUCT:
      if (type.num_fields() == 0)
        return Refused(path, type, profile, "it has no fields").Help("drop the column");
      ARROW_RETURN_NOT_OK(CheckNames(type.fields(), profile));
      for (const auto& child : type.fields()) {
        ARROW_RETURN_NOT_OK(CheckField(path + "." + child->name(), *child, profile, depth + 1));
      }
      return Status::OK();
    default:
      return CheckLeaf(path, type, profile);
  }
}

/// The schema as it is written: no metadata, Parquet's names for list and map parts, all OPTIONAL
/// under Spark.
std::shared_ptr<arrow::Field> Normalized(const arrow::Field& field, const std::string& name,
                                         bool all_nullable) {
  const bool nullable = all_nullable || field.nullable();
  std::shared_ptr<arrow::DataType> type = field.type();
  switch (type->id()) {
    case Type::LIST:
      type = arrow::list(Normalized(*type->field(0), "element", all_nullable));
      break;
    case Type::LARGE_LIST:
      type = arrow::large_list(Normalized(*type->field(0), "element", all_nullable));
      break;
    case Type::MAP: {
      const auto& map = static_cast<const arrow::MapType&>(*type);
      auto key = Normalized(*map.key_field(), "key", all_nullable)->WithNullable(false);
      type = std::make_shared<arrow::MapType>(key,
                                              Normalized(*map.item_field(), "value", all_nullable));
      break;
    }
    case Type::STRUCT: {
      arrow::FieldVector children;
      for (const auto& child : type->fields())
        children.push_back(Normalized(*child, child->name(), all_nullable));
      type = arrow::struct_(std::move(children));
      break;
    }
    default:
      break;
  }
  return arrow::field(name, std::move(type), nullable);
}

void AddLeaves(const arrow::Field& field, LeafPlan prefix, std::vector<LeafPlan>* out) {
  PathNode node;
  node.nullable = field.nullable();
  const arrow::DataType& type = *field.type();
  switch (type.id()) {
    case Type::LIST:
    case Type::LARGE_LIST:
      node.kind = type.id() == Type::LIST ? PathNode::Kind::kList : PathNode::Kind::kLargeList;
      prefix.nodes.push_back(node);
      prefix.path += ".element";
      return AddLeaves(*type.field(0), std::move(prefix), out);
    case Type::MAP:
      node.kind = PathNode::Kind::kList;
      prefix.nodes.push_back(node);
      prefix.path += ".key_value";
      return AddLeaves(*type.field(0), std::move(prefix), out);
    case Type::STRUCT:
      node.kind = PathNode::Kind::kStruct;
      for (int i = 0; i < type.num_fields(); ++i) {
        LeafPlan plan = prefix;
        node.child = i;
        plan.nodes.push_back(node);
        plan.path += "." + type.field(i)->name();
        AddLeaves(*type.field(i), std::move(plan), out);
      }
      return;
    default:
      prefix.nodes.push_back(node);
      prefix.type = field.type();
      out->push_back(std::move(prefix));
  }
}

std::vector<LeafPlan> LeavesOf(const arrow::FieldVector& fields) {
  std::vector<LeafPlan> leaves;
  for (size_t i = 0; i < fields.size(); ++i) {
    LeafPlan plan;
    plan.column = static_cast<int>(i);
    plan.path = fields[i]->name();
    AddLeaves(*fields[i], std::move(plan), &leaves);
  }
  return leaves;
}

arrow::FieldVector NormalizedFields(const arrow::Schema& schema, bool all_nullable) {
  arrow::FieldVector fields;
  for (const auto& field : schema.fields())
    fields.push_back(Normalized(*field, field->name(), all_nullable));
  return fields;
}

}  // namespace

Status CheckSchema(const arrow::Schema& schema, Profile profile) {
  if (schema.num_fields() == 0) {
    return Fault(FaultCode::kImpossiblePlan, "a Parquet file needs at least one column");
  }
  ARROW_RETURN_NOT_OK(CheckNames(schema.fields(), profile));
  Status first;
  std::string others;  // so that a wide table is not put right one column and one run at a time
  for (const auto& field : schema.fields()) {
    Status status = CheckField(field->name(), *field, profile, 1);
    if (status.ok()) continue;
    if (first.ok()) {
      first = std::move(status);
    } else {
      others += (others.empty() ? "" : ", ") + Quoted(field->name());
    }
  }
  return others.empty() ? first : WithDetail(first, "also refused", std::move(others));
}

std::vector<std::string> LeafPaths(const arrow::Schema& schema) {
  std::vector<std::string> paths;
  for (const LeafPlan& leaf : LeavesOf(NormalizedFields(schema, true))) paths.push_back(leaf.path);
  return paths;
}

Result<FileSchema> PlanFileSchema(const arrow::Schema& schema, Profile profile) {
  ARROW_RETURN_NOT_OK(CheckSchema(schema, profile));
  arrow::FieldVector fields = NormalizedFields(schema, IsSpark(profile));
  FileSchema out;
  out.leaves = LeavesOf(fields);

  parquet::WriterProperties::Builder properties;
  properties.enable_store_decimal_as_integer();
  std::shared_ptr<parquet::SchemaDescriptor> natural;
  const arrow::Schema normalized(fields);
  ARROW_RETURN_NOT_OK(parquet::arrow::ToParquetSchema(
      &normalized, *properties.build(), *parquet::default_arrow_writer_properties(), &natural));
  BEGIN_PARQUET_CATCH_EXCEPTIONS
  parquet::schema::NodeVector nodes;
  for (int i = 0; i < natural->group_node()->field_count(); ++i)
    nodes.push_back(natural->group_node()->field(i));
  out.descriptor = std::make_unique<parquet::SchemaDescriptor>();
  out.descriptor->Init(parquet::schema::GroupNode::Make(
      IsSpark(profile) ? "spark_schema" : "schema", parquet::Repetition::REQUIRED, nodes));
  END_PARQUET_CATCH_EXCEPTIONS
  if (out.descriptor->num_columns() != static_cast<int>(out.leaves.size())) {
    return Fault(FaultCode::kInternal, "the leaf columns of the schema were counted in two ways");
  }
  for (size_t i = 0; i < out.leaves.size(); ++i) {
    LeafPlan& leaf = out.leaves[i];
    leaf.descriptor = out.descriptor->Column(static_cast<int>(i));
    leaf.physical = leaf.descriptor->physical_type();
    leaf.fixed_width = leaf.descriptor->type_length();
  }
  return out;
}

Result<std::string> DescribeFileSchema(const arrow::Schema& schema, Profile profile) {
  ARROW_ASSIGN_OR_RAISE(FileSchema file, PlanFileSchema(schema, profile));
  std::ostringstream out;
  parquet::schema::PrintSchema(file.descriptor->schema_root().get(), out);
  return out.str();
}

}  // namespace levada::parquet_format
