#include "readers/spark_type.h"

#include <array>
#include <cstdio>
#include <string_view>
#include <utility>

#include "base/json.h"

namespace levada::readers {
namespace {

using Kind = SparkType::Kind;

constexpr int kDepthMax = 64;
constexpr size_t kBytesMax = 16 << 20;
constexpr int kDefaultPrecision = 10;  // of "decimal" alone
constexpr int kPrecisionMax = 38;

struct Name {
  Kind kind;
  std::string_view in_catalog;
  std::string_view in_metadata;
};
constexpr std::array<Name, 16> kNames = {{
    {Kind::kBoolean, "boolean", "boolean"},
    {Kind::kByte, "tinyint", "byte"},
    {Kind::kShort, "smallint", "short"},
    {Kind::kInt, "int", "integer"},
    {Kind::kLong, "bigint", "long"},
    {Kind::kFloat, "float", "float"},
    {Kind::kDouble, "double", "double"},
    {Kind::kString, "string", "string"},
    {Kind::kBinary, "binary", "binary"},
    {Kind::kDate, "date", "date"},
    {Kind::kTimestamp, "timestamp", "timestamp"},
    {Kind::kTimestampNtz, "timestamp_ntz", "timestamp_ntz"},
    {Kind::kVoid, "void", "void"},
    {Kind::kVariant, "variant", "variant"},
    {Kind::kYearMonth, "interval year to month", "interval year to month"},
    {Kind::kDayTime, "interval day to second", "interval day to second"},
}};

std::string ElementText(const SparkType& type, size_t at) { return ToText(type.fields[at].type); }

std::optional<SparkType> ParsePlain(const std::string& text) {
  SparkType type;
  for (const Name& name : kNames) {
    if (name.in_metadata != text) continue;
    type.kind = name.kind;
    return type;
  }
  char rest = 0;
  if (text == "decimal") {
    return SparkType{Kind::kDecimal, kDefaultPrecision, 0, {}};
  }
  if (std::sscanf(text.c_str(), "decimal(%2d,%2d)%c", &type.precision, &type.scale, &rest) == 2) {
    type.kind = Kind::kDecimal;
    const bool fits = type.precision >= 1 && type.precision <= kPrecisionMax && type.scale >= 0 &&
                      type.scale <= type.precision;
    return fits ? std::optional(type) : std::nullopt;
  }
  if (std::sscanf(text.c_str(), "time(%1d)%c", &type.precision, &rest) == 1) {
    type.kind = Kind::kTime;
    return type;
  }
  int length = 0;
  if (std::sscanf(text.c_str(), "varchar(%9d)%c", &length, &rest) == 1 ||
      std::sscanf(text.c_str(), "char(%9d)%c", &length, &rest) == 1) {
    type.kind = Kind::kString;
    return type;
  }
  return std::nullopt;
}

std::optional<SparkType> Parse(const Json& json, int depth);

bool IsTrue(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_boolean() && found->get<bool>();
}

bool AddField(const Json& json, const char* key, std::string name, bool nullable, int depth,
              SparkType& type) {
  const auto found = json.find(key);
  if (found == json.end()) return false;
  auto parsed = Parse(*found, depth + 1);
  if (!parsed) return false;
  type.fields.push_back({std::move(name), std::move(*parsed), nullable});
  return true;
}

std::optional<SparkType> ParseNested(const Json& json, int depth) {
  const auto kind = json.find("type");
  if (kind == json.end() || !kind->is_string()) return std::nullopt;
  SparkType type;
  if (*kind == "array") {
    type.kind = Kind::kArray;
    const bool nullable = IsTrue(json, "containsNull");
    if (!AddField(json, "elementType", "element", nullable, depth, type)) return std::nullopt;
    return type;
  }
  if (*kind == "map") {
    type.kind = Kind::kMap;
    const bool nullable = IsTrue(json, "valueContainsNull");
    if (!AddField(json, "keyType", "key", false, depth, type)) return std::nullopt;
    if (!AddField(json, "valueType", "value", nullable, depth, type)) return std::nullopt;
    return type;
  }
  const auto fields = json.find("fields");
  if (*kind != "struct" || fields == json.end() || !fields->is_array()) return std::nullopt;
  type.kind = Kind::kStruct;
  for (const Json& field : *fields) {
    if (!field.is_object()) return std::nullopt;
    const auto name = field.find("name");
    if (name == field.end() || !name->is_string()) return std::nullopt;
    const bool nullable = IsTrue(field, "nullable");
    if (!AddField(field, "type", name->get<std::string>(), nullable, depth, type)) {
      return std::nullopt;
    }
  }
  return type;
}

std::optional<SparkType> Parse(const Json& json, int depth) {
  if (depth > kDepthMax) return std::nullopt;
  if (json.is_string()) return ParsePlain(json.get<std::string>());
  return json.is_object() ? ParseNested(json, depth) : std::nullopt;
}

/// The parser recurses: what nests deeper than any schema is not given to it.
bool NestsTooDeep(const std::string& text) {
  int depth = 0;
  bool in_text = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_text) {
      if (c == '\\') ++i;
      if (c == '"') in_text = false;
    } else if (c == '"') {
      in_text = true;
    } else if (c == '{' || c == '[') {
      if (++depth > 4 * kDepthMax) return true;
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return false;
}

}  // namespace

bool SparkType::is_nested() const {
  return kind == Kind::kArray || kind == Kind::kMap || kind == Kind::kStruct;
}

bool SparkType::operator==(const SparkType& other) const {
  return kind == other.kind && precision == other.precision && scale == other.scale &&
         fields == other.fields;
}

std::string ToText(const SparkType& type) {
  switch (type.kind) {
    case Kind::kDecimal:
      return "decimal(" + std::to_string(type.precision) + "," + std::to_string(type.scale) + ")";
    case Kind::kTime:
      return "time(" + std::to_string(type.precision) + ")";
    case Kind::kArray:
      return "array<" + ElementText(type, 0) + ">";
    case Kind::kMap:
      return "map<" + ElementText(type, 0) + "," + ElementText(type, 1) + ">";
    case Kind::kStruct: {
      std::string text = "struct<";
      for (const SparkField& field : type.fields) {
        if (&field != type.fields.data()) text += ",";
        text += field.name + ":" + ToText(field.type);
      }
      return text + ">";
    }
    default:
      for (const Name& name : kNames) {
        if (name.kind == type.kind) return std::string(name.in_catalog);
      }
      return "unknown";
  }
}

std::optional<SparkType> ParseSparkMetadata(const std::string& json) {
  if (json.size() > kBytesMax || NestsTooDeep(json)) return std::nullopt;
  const Json document = ParseJson(json);
  if (!document.is_object()) return std::nullopt;
  auto type = Parse(document, 0);
  return type && type->kind == Kind::kStruct ? type : std::nullopt;
}

}  // namespace levada::readers
