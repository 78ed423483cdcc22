#include <arrow/extension_type.h>
#include <arrow/type.h>
#include <arrow/util/checked_cast.h>

#include "base/json.h"
#include "elt/stages.h"

namespace levada::elt {
namespace {

using arrow::internal::checked_cast;

// Our own words and not Arrow's: the text is recorded in the target, and another Arrow may spell a
// type differently while a run is pending. Deep types come from sources that bound their depth.
std::string TypeText(const arrow::DataType& type);

std::string FieldText(const arrow::Field& field) {
  return QuoteJson(field.name()) + " " + TypeText(*field.type()) +
         (field.nullable() ? "" : " not null");
}

std::string Children(const arrow::DataType& type) {
  std::string text;
  for (const auto& field : type.fields()) text += (text.empty() ? "" : ", ") + FieldText(*field);
  return "<" + text + ">";
}

const char* UnitText(arrow::TimeUnit::type unit) {
  switch (unit) {
    case arrow::TimeUnit::SECOND:
      return "s";
    case arrow::TimeUnit::MILLI:
      return "ms";
    case arrow::TimeUnit::MICRO:
      return "us";
    case arrow::TimeUnit::NANO:
      return "ns";
  }
  return "?";
}

std::string TypeText(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::DECIMAL32:
    case arrow::Type::DECIMAL64:
    case arrow::Type::DECIMAL128:
    case arrow::Type::DECIMAL256: {
      const auto& decimal = checked_cast<const arrow::DecimalType&>(type);
      return "decimal" + std::to_string(decimal.bit_width()) + "(" +
             std::to_string(decimal.precision()) + "," + std::to_string(decimal.scale()) + ")";
    }
    case arrow::Type::TIMESTAMP: {
      const auto& timestamp = checked_cast<const arrow::TimestampType&>(type);
      return std::string("timestamp(") + UnitText(timestamp.unit()) +
             (timestamp.timezone().empty() ? "" : ", " + QuoteJson(timestamp.timezone())) + ")";
    }
    case arrow::Type::TIME32:
    case arrow::Type::TIME64:
      return type.name() + "(" + UnitText(checked_cast<const arrow::TimeType&>(type).unit()) + ")";
    case arrow::Type::DURATION:
      return std::string("duration(") +
             UnitText(checked_cast<const arrow::DurationType&>(type).unit()) + ")";
    case arrow::Type::FIXED_SIZE_BINARY:
      return "fixed_size_binary(" +
             std::to_string(checked_cast<const arrow::FixedSizeBinaryType&>(type).byte_width()) +
             ")";
    case arrow::Type::FIXED_SIZE_LIST:
      return "fixed_size_list(" +
             std::to_string(checked_cast<const arrow::FixedSizeListType&>(type).list_size()) + ")" +
             Children(type);
    case arrow::Type::DICTIONARY: {
      const auto& dictionary = checked_cast<const arrow::DictionaryType&>(type);
      return "dictionary(" + TypeText(*dictionary.index_type()) + ", " +
             TypeText(*dictionary.value_type()) + (dictionary.ordered() ? ", ordered)" : ")");
    }
    case arrow::Type::EXTENSION: {
      const auto& extension = checked_cast<const arrow::ExtensionType&>(type);
      return "extension(" + QuoteJson(extension.extension_name()) + ", " +
             QuoteJson(extension.Serialize()) + ", " + TypeText(*extension.storage_type()) + ")";
    }
    case arrow::Type::MAP:
      return std::string("map") +
             (checked_cast<const arrow::MapType&>(type).keys_sorted() ? "(sorted)" : "") +
             Children(type);
    default:
      return type.num_fields() == 0 ? type.name() : type.name() + Children(type);
  }
}

}  // namespace

std::string SchemaFingerprint(const arrow::Schema& schema) {
  std::string text;
  for (const auto& field : schema.fields()) {
    text += (text.empty() ? "" : ", ") + FieldText(*field);
  }
  return text;
}

}  // namespace levada::elt
