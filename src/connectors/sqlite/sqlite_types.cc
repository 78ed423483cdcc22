#include "connectors/sqlite/sqlite_types.h"

#include <arrow/util/checked_cast.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>
#include <vector>

#include "elt/type_name.h"

namespace levada::sqlite {
namespace {

using arrow::internal::checked_cast;
using TypeResult = Result<ColumnType>;

constexpr int kDigitsMax = 38;  // of a decimal128
// A longer one, which only a hostile file has, is not taken apart.
constexpr size_t kDeclaredBytesMax = 256;

/// "Double  Precision" and "VARCHAR ( 20 )" as DOUBLE PRECISION and VARCHAR with its arguments.
struct Declared {
  std::string words;
  std::vector<int> arguments;
};

std::optional<Declared> Split(std::string_view text) {
  if (text.size() > kDeclaredBytesMax) return std::nullopt;
  Declared declared;
  size_t at = 0;
  auto skip_spaces = [&] {
    while (at < text.size() && (text[at] == ' ' || text[at] == '\t' || text[at] == '\n')) ++at;
  };
  skip_spaces();
  for (; at < text.size() && text[at] != '('; ++at) {
    const char c = text[at];
    const bool space = c == ' ' || c == '\t' || c == '\n';
    if (space && (declared.words.empty() || declared.words.back() == ' ')) continue;
    declared.words += space ? ' ' : c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  if (!declared.words.empty() && declared.words.back() == ' ') declared.words.pop_back();
  if (at == text.size()) return declared;
  do {
    ++at;
    skip_spaces();
    int value = 0;
    const auto [end, error] = std::from_chars(text.data() + at, text.data() + text.size(), value);
    if (error != std::errc()) return std::nullopt;
    declared.arguments.push_back(value);
    at = static_cast<size_t>(end - text.data());
    skip_spaces();
  } while (at < text.size() && text[at] == ',');
  if (at >= text.size() || text[at] != ')') return std::nullopt;
  ++at;
  skip_spaces();
  // What follows the parentheses belongs to the words: TIMESTAMP(6) WITH TIME ZONE.
  if (at < text.size()) {
    std::optional<Declared> rest = Split(text.substr(at));
    if (!rest || !rest->arguments.empty()) return std::nullopt;
    declared.words += ' ' + rest->words;
  }
  return declared;
}

/// How many arguments a word takes, and the type.
struct Word {
  std::string_view word;
  size_t arguments_max;
  std::shared_ptr<arrow::DataType> (*make)();
  Reading reading = Reading::kPlain;
};

constexpr Word kWords[] = {
    {"INTEGER", 1, [] { return arrow::int64(); }},
    {"INT", 1, [] { return arrow::int64(); }},
    {"TINYINT", 1, [] { return arrow::int64(); }},
    {"SMALLINT", 1, [] { return arrow::int64(); }},
    {"MEDIUMINT", 1, [] { return arrow::int64(); }},
    {"BIGINT", 1, [] { return arrow::int64(); }},
    {"INT2", 0, [] { return arrow::int64(); }},
    {"INT4", 0, [] { return arrow::int64(); }},
    {"INT8", 0, [] { return arrow::int64(); }},
    {"REAL", 0, [] { return arrow::float64(); }},
    {"DOUBLE", 2, [] { return arrow::float64(); }},
    {"DOUBLE PRECISION", 0, [] { return arrow::float64(); }},
    {"FLOAT", 2, [] { return arrow::float64(); }},
    {"TEXT", 1, [] { return arrow::utf8(); }},
    {"CLOB", 1, [] { return arrow::utf8(); }},
    {"CHAR", 1, [] { return arrow::utf8(); }},
    {"CHARACTER", 1, [] { return arrow::utf8(); }},
    {"VARCHAR", 1, [] { return arrow::utf8(); }},
    {"VARYING CHARACTER", 1, [] { return arrow::utf8(); }},
    {"CHARACTER VARYING", 1, [] { return arrow::utf8(); }},
    {"NCHAR", 1, [] { return arrow::utf8(); }},
    {"NATIVE CHARACTER", 1, [] { return arrow::utf8(); }},
    {"NVARCHAR", 1, [] { return arrow::utf8(); }},
    {"BLOB", 1, [] { return arrow::binary(); }},
    {"BINARY", 1, [] { return arrow::binary(); }},
    {"VARBINARY", 1, [] { return arrow::binary(); }},
    {"BYTEA", 0, [] { return arrow::binary(); }},
    {"JSON", 0, [] { return arrow::utf8(); }, Reading::kJson},
    {"JSONB", 0, [] { return arrow::utf8(); }, Reading::kJson},
    {"UUID", 0, [] { return arrow::utf8(); }, Reading::kUuid},
    {"GUID", 0, [] { return arrow::utf8(); }, Reading::kUuid},
    {"UNIQUEIDENTIFIER", 0, [] { return arrow::utf8(); }, Reading::kUuid},
    {"BOOLEAN", 0, [] { return arrow::boolean(); }},
    {"BOOL", 0, [] { return arrow::boolean(); }},
    {"DATE", 0, [] { return arrow::date32(); }},
    {"TIME", 1, [] { return arrow::time64(arrow::TimeUnit::MICRO); }},
    {"DATETIME", 1, [] { return arrow::timestamp(arrow::TimeUnit::MICRO); }},
    {"TIMESTAMP", 1, [] { return arrow::timestamp(arrow::TimeUnit::MICRO); }},
    {"TIMESTAMP WITHOUT TIME ZONE", 1, [] { return arrow::timestamp(arrow::TimeUnit::MICRO); }},
    {"TIMESTAMPTZ", 1, [] { return arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"); }},
    {"TIMESTAMP WITH TIME ZONE", 1, [] { return arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"); }},
};

std::string Shown(std::string_view declared) {
  if (declared.size() <= kDeclaredBytesMax) return std::string(declared);
  return std::string(declared.substr(0, kDeclaredBytesMax)) + "...";
}

Fault Unsupported(std::string_view declared, std::string help) {
  std::string message = declared.empty() ? std::string("no declared type")
                                         : "declared type \"" + Shown(declared) + "\"";
  return Fault(FaultCode::kUnsupportedType, std::move(message)).Help(std::move(help));
}

TypeResult DecimalOf(std::string_view text, const Declared& declared) {
  if (declared.arguments.empty()) {
    return Unsupported(text, "say how many digits it has, types: {COLUMN: decimal(18,2)}");
  }
  const int precision = declared.arguments[0];
  const int scale = declared.arguments.size() > 1 ? declared.arguments[1] : 0;
  if (declared.arguments.size() > 2 || precision < 1 || precision > kDigitsMax || scale < 0 ||
      scale > precision) {
    return Unsupported(text,
                       "decimals of up to 38 digits are read, types: {COLUMN: decimal(38,9)}");
  }
  return ColumnType{arrow::decimal128(precision, scale)};
}

bool IsDecimalWord(const std::string& words) {
  return words == "DECIMAL" || words == "NUMERIC" || words == "DEC" || words == "NUMBER";
}

bool Holds(std::string_view text, std::string_view word) {
  return std::ranges::search(text, word, {}, [](char c) {
           return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
         }).begin() != text.end();
}

}  // namespace

Affinity AffinityOf(std::string_view declared) {
  const auto holds = [&](std::string_view word) { return Holds(declared, word); };
  if (holds("INT")) return Affinity::kInteger;
  if (holds("CHAR") || holds("CLOB") || holds("TEXT")) return Affinity::kText;
  if (declared.empty() || holds("BLOB")) return Affinity::kBlob;
  if (holds("REAL") || holds("FLOA") || holds("DOUB")) return Affinity::kReal;
  return Affinity::kNumeric;
}

TypeResult TypeOfDeclared(std::string_view text) {
  constexpr const char* kHelp = "say what it is, types: {COLUMN: text}";
  const std::optional<Declared> declared = Split(text);
  if (declared && IsDecimalWord(declared->words)) return DecimalOf(text, *declared);
  for (const Word& word : kWords) {
    if (declared && declared->words == word.word &&
        declared->arguments.size() <= word.arguments_max) {
      return ColumnType{word.make(), word.reading};
    }
  }
  const bool says_nothing = text.find_first_not_of(" \t\r\n") == std::string_view::npos;
  if (says_nothing) return Unsupported("", kHelp);
  switch (AffinityOf(text)) {
    case Affinity::kInteger:
      return ColumnType{arrow::int64()};
    case Affinity::kText:
      return ColumnType{arrow::utf8()};
    case Affinity::kBlob:
      return ColumnType{arrow::binary()};
    case Affinity::kReal:
      return ColumnType{arrow::float64()};
    case Affinity::kNumeric:
      break;  // whole numbers, floats and texts are all at home there
  }
  return Unsupported(text, kHelp);
}

ColumnType LiteralType() { return {arrow::utf8(), Reading::kLiteral}; }

TypeResult TypeOfOption(std::string_view name) {
  const auto is = [&](std::string_view word) {
    return name.size() == word.size() && Holds(name, word);
  };
  if (is("JSON")) return ColumnType{arrow::utf8(), Reading::kJson};
  if (is("UUID")) return ColumnType{arrow::utf8(), Reading::kUuid};
  ARROW_ASSIGN_OR_RAISE(auto type, elt::ParseTypeName(name));
  switch (type->id()) {
    case arrow::Type::BOOL:
    case arrow::Type::INT64:
    case arrow::Type::DOUBLE:
    case arrow::Type::STRING:
    case arrow::Type::BINARY:
    case arrow::Type::DECIMAL128:
    case arrow::Type::DATE32:
      return ColumnType{type};
    case arrow::Type::TIME64:
      if (checked_cast<const arrow::TimeType&>(*type).unit() == arrow::TimeUnit::MICRO) {
        return ColumnType{type};
      }
      break;
    case arrow::Type::TIMESTAMP:
      if (checked_cast<const arrow::TimestampType&>(*type).unit() == arrow::TimeUnit::MICRO) {
        return ColumnType{type};
      }
      break;
    default:
      break;
  }
  return Fault(FaultCode::kUnsupportedType,
               "no value of SQLite is read as \"" + elt::TypeName(*type) + "\"")
      .Help(
          "read it as bool, int64, float64, decimal(p,s) up to 38 digits, text, json, uuid, "
          "binary, "
          "date, time or timestamp, then cast it");
}

}  // namespace levada::sqlite
