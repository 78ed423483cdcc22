#include "formats/arrow_ipc/accepted_types.h"

#include <arrow/util/checked_cast.h>
#include <arrow/util/utf8.h>

#include <set>
#include <string>
#include <utility>

namespace levada::arrow_ipc {
namespace {

using arrow::Type;
using arrow::internal::checked_cast;

// As deep as rows are hashed.
constexpr int kNestingMax = 32;
// A Parquet file could hold no more; schemas are copied and compared.
constexpr int kColumnsMax = 20'000;

/// What to write instead of a type that is not taken; empty when it is.
std::string InsteadOf(const arrow::DataType& type) {
  switch (type.id()) {
    case Type::BOOL:
    case Type::INT8:
    case Type::INT16:
    case Type::INT32:
    case Type::INT64:
    case Type::UINT8:
    case Type::UINT16:
    case Type::UINT32:
    case Type::UINT64:
    case Type::FLOAT:
    case Type::DOUBLE:
    case Type::DATE32:
    case Type::TIME32:
    case Type::TIME64:
    case Type::TIMESTAMP:
    case Type::DECIMAL32:
    case Type::DECIMAL64:
    case Type::DECIMAL128:
    case Type::DECIMAL256:
    case Type::STRING:
    case Type::LARGE_STRING:
    case Type::BINARY:
    case Type::LARGE_BINARY:
    case Type::LIST:
    case Type::LARGE_LIST:
    case Type::MAP:
      return {};
    case Type::FIXED_SIZE_BINARY:
      return checked_cast<const arrow::FixedSizeBinaryType&>(type).byte_width() > 0 ? "" : "binary";
    case Type::STRUCT:
      return type.num_fields() > 0 ? "" : "a struct of at least one field";
    case Type::NA:
      return "a type for it, though all its values are null";
    case Type::DICTIONARY:
      return "its values (pyarrow: column.dictionary_decode(); pandas: astype(str))";
    case Type::DATE64:
      return "date32";
    case Type::HALF_FLOAT:
      return "float32";
    case Type::STRING_VIEW:
      return "string";
    case Type::BINARY_VIEW:
      return "binary";
    case Type::FIXED_SIZE_LIST:
    case Type::LIST_VIEW:
    case Type::LARGE_LIST_VIEW:
      return "list";
    case Type::DURATION:
      return "int64";
    case Type::EXTENSION:
      return "its storage type";
    default:
      return "another type, or text";
  }
}

Status CheckType(const std::string& path, const arrow::DataType& type, int depth) {
  if (depth > kNestingMax) {
    return Fault(FaultCode::kUnsupportedType, "column \"" + path +
                                                  "\": expected types nested at "
                                                  "most " +
                                                  std::to_string(kNestingMax) + " deep, got more");
  }
  if (const std::string instead = InsteadOf(type); !instead.empty()) {
    return Fault(FaultCode::kUnsupportedType,
                 "column \"" + path + "\": the type \"" + type.ToString() + "\" is not taken")
        .With("column", path)
        .Help("write " + instead);
  }
  for (const auto& child : type.fields()) {
    ARROW_RETURN_NOT_OK(CheckType(path + "." + child->name(), *child->type(), depth + 1));
  }
  return Status::OK();
}

std::string Lower(std::string name) {
  for (char& c : name) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return name;
}

Status CheckNulls(const std::string& path, const arrow::Field& field, const arrow::Array& array) {
  if (!field.nullable() && array.null_count() > 0) {
    return Fault(FaultCode::kValueRefused,
                 "column \"" + path + "\": its schema says that it has no NULL, got " +
                     std::to_string(array.null_count()) + " of them in one batch")
        .With("column", path)
        .Help("declare the field nullable, or leave such rows out");
  }
  const auto child = [&](const arrow::Field& of, const arrow::Array& values) {
    return CheckNulls(path + "." + of.name(), of, values);
  };
  switch (array.type_id()) {
    case Type::STRUCT: {
      const auto& structs = checked_cast<const arrow::StructArray&>(array);
      for (int i = 0; i < structs.num_fields(); ++i) {
        ARROW_RETURN_NOT_OK(child(*array.type()->field(i), *structs.field(i)));
      }
      return Status::OK();
    }
    case Type::LIST:
    case Type::MAP:
      return child(*array.type()->field(0), *checked_cast<const arrow::ListArray&>(array).values());
    case Type::LARGE_LIST:
      return child(*array.type()->field(0),
                   *checked_cast<const arrow::LargeListArray&>(array).values());
    default:
      return Status::OK();
  }
}

}  // namespace

Result<std::shared_ptr<arrow::Schema>> AcceptedSchema(const arrow::Schema& schema) {
  if (!schema.is_native_endian()) {
    return Fault(FaultCode::kSourceProtocol, "schema: expected little endian, got big endian");
  }
  if (schema.num_fields() == 0 || schema.num_fields() > kColumnsMax) {
    return Fault(FaultCode::kSourceProtocol, "schema: expected 1 to " +
                                                 std::to_string(kColumnsMax) + " columns, got " +
                                                 std::to_string(schema.num_fields()));
  }
  std::set<std::string> names;
  arrow::FieldVector fields;
  for (const auto& field : schema.fields()) {
    const std::string& name = field->name();
    if (name.empty() || name.find('\0') != std::string::npos || !arrow::util::ValidateUTF8(name)) {
      return Fault(
          FaultCode::kSourceProtocol,
          "schema: column " + std::to_string(fields.size() + 1) + " has a name that is no text");
    }
    if (!names.insert(Lower(name)).second) {
      return Fault(FaultCode::kDuplicateColumn, "column \"" + name + "\" is there twice")
          .With("column", name)
          .Help("names must differ in more than upper and lower case");
    }
    ARROW_RETURN_NOT_OK(CheckType(name, *field->type(), 1));
    fields.push_back(field->RemoveMetadata());
  }
  return arrow::schema(std::move(fields));
}

Status CheckColumn(const arrow::Field& field, const arrow::Array& array) {
  const Status valid = array.ValidateFull();
  if (!valid.ok()) {
    const bool is_text = valid.message().find("UTF8") != std::string::npos;
    const std::string problem =
        is_text ? "a text is not UTF-8" : "its values are not what Arrow's format allows";
    return Fault(is_text ? FaultCode::kInvalidUtf8 : FaultCode::kSourceProtocol,
                 "column \"" + field.name() + "\": " + problem)
        .With("column", field.name())
        .Because(is_text ? Status::OK() : valid);
  }
  return CheckNulls(field.name(), field, array);
}

}  // namespace levada::arrow_ipc
