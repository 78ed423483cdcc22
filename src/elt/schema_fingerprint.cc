#include <arrow/extension_type.h>
#include <arrow/type.h>
#include <arrow/util/checked_cast.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

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

// A table that was replaced altogether has hundreds of differences.
constexpr size_t kDifferencesMax = 8;

struct FieldOfText {
  std::string_view name;  ///< in its quotes
  std::string_view type;  ///< "int64 not null"
};

// The fields of a fingerprint, which may come out of a record that somebody edited: whatever is no
// field of ours is left out.
std::vector<FieldOfText> FieldsOf(std::string_view text) {
  std::vector<FieldOfText> fields;
  size_t begin = 0, name_end = 0;
  int depth = 0;
  bool quoted = false;
  for (size_t i = 0; i <= text.size(); ++i) {
    const char c = i < text.size() ? text[i] : ',';
    if (quoted) {
      if (c == '\\') ++i;
      if (c == '"') quoted = false;
      if (c == '"' && name_end == 0) name_end = i + 1;
    } else if (c == '"') {
      quoted = true;
    } else if (c == '<' || c == '(') {
      ++depth;
    } else if (c == '>' || c == ')') {
      --depth;
    } else if (c == ',' && depth == 0) {
      if (name_end != 0 && name_end < i) {
        fields.push_back(
            {text.substr(begin, name_end - begin), text.substr(name_end + 1, i - name_end - 1)});
      }
      begin = i + 2;  // ", "
      name_end = 0;
    }
  }
  return fields;
}

const FieldOfText* Find(const std::vector<FieldOfText>& fields, std::string_view name) {
  const auto found = std::ranges::find(fields, name, &FieldOfText::name);
  return found == fields.end() ? nullptr : &*found;
}

}  // namespace

std::string SchemaDifference(std::string_view before, std::string_view now) {
  if (before == now) return {};
  const std::vector<FieldOfText> old_fields = FieldsOf(before), new_fields = FieldsOf(now);
  std::vector<std::string> differences;
  for (const FieldOfText& field : old_fields) {
    const FieldOfText* live = Find(new_fields, field.name);
    if (live == nullptr) {
      differences.push_back(fmt::format("column {} is gone", field.name));
    } else if (live->type != field.type) {
      differences.push_back(
          fmt::format("column {}: expected {}, got {}", field.name, field.type, live->type));
    }
  }
  for (const FieldOfText& field : new_fields) {
    if (Find(old_fields, field.name) != nullptr) continue;
    differences.push_back(fmt::format("column {} is new: {}", field.name, field.type));
  }
  if (differences.empty()) return "the columns come in another order";
  const size_t count = differences.size();
  if (count > kDifferencesMax) {
    differences.resize(kDifferencesMax);
    differences.push_back(fmt::format("and {} more", count - kDifferencesMax));
  }
  return fmt::format("{}", fmt::join(differences, "; "));
}

std::string SchemaFingerprint(const arrow::Schema& schema) {
  std::string text;
  for (const auto& field : schema.fields()) {
    text += (text.empty() ? "" : ", ") + FieldText(*field);
  }
  return text;
}

}  // namespace levada::elt
