#include "elt/type_name.h"

#include <arrow/util/checked_cast.h>

#include <charconv>
#include <optional>
#include <utility>
#include <vector>

#include "elt/time_zone.h"

namespace levada::elt {
namespace {

using arrow::internal::checked_cast;
using TypeResult = Result<std::shared_ptr<arrow::DataType>>;

constexpr int kDecimal128Digits = 38;
constexpr int kDecimal256Digits = 76;
constexpr size_t kNameBytesMax = 100;  // the longest zone name is far shorter

using Plain = std::pair<const char*, std::shared_ptr<arrow::DataType> (*)()>;

const std::vector<Plain>& PlainTypes() {
  static const std::vector<Plain> kTypes = {
      {"bool", [] { return arrow::boolean(); }},    {"int8", [] { return arrow::int8(); }},
      {"int16", [] { return arrow::int16(); }},     {"int32", [] { return arrow::int32(); }},
      {"int64", [] { return arrow::int64(); }},     {"uint8", [] { return arrow::uint8(); }},
      {"uint16", [] { return arrow::uint16(); }},   {"uint32", [] { return arrow::uint32(); }},
      {"uint64", [] { return arrow::uint64(); }},   {"float32", [] { return arrow::float32(); }},
      {"float64", [] { return arrow::float64(); }}, {"text", [] { return arrow::utf8(); }},
      {"binary", [] { return arrow::binary(); }},   {"date", [] { return arrow::date32(); }},
  };
  return kTypes;
}

std::string Trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(" \t") - first + 1));
}

std::string Lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

/// "decimal(18, 2)" as its name and arguments; without parentheses there are no arguments.
struct Written {
  std::string name;
  std::vector<std::string> arguments;
};

std::optional<Written> Split(std::string_view text) {
  Written written;
  const size_t open = text.find('(');
  written.name = Lower(Trimmed(text.substr(0, open)));
  if (open == std::string_view::npos) return written;
  const std::string rest = Trimmed(text.substr(open + 1));
  if (rest.empty() || rest.back() != ')' || rest.find_first_of("()") != rest.size() - 1) {
    return std::nullopt;
  }
  std::string_view inside(rest.data(), rest.size() - 1);
  while (true) {
    const size_t comma = inside.find(',');
    written.arguments.push_back(Trimmed(inside.substr(0, comma)));
    if (written.arguments.back().empty()) return std::nullopt;
    if (comma == std::string_view::npos) return written;
    inside.remove_prefix(comma + 1);
  }
}

Fault Unknown(std::string_view text, std::string help) {
  return Fault(FaultCode::kBadValue,
               "\"" + std::string(text.substr(0, kNameBytesMax)) + "\" is not a type")
      .Help(std::move(help));
}

std::optional<int> Number(const std::string& text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<arrow::TimeUnit::type> Unit(const std::string& text) {
  const std::string unit = Lower(text);
  if (unit == "s") return arrow::TimeUnit::SECOND;
  if (unit == "ms") return arrow::TimeUnit::MILLI;
  if (unit == "us") return arrow::TimeUnit::MICRO;
  if (unit == "ns") return arrow::TimeUnit::NANO;
  return std::nullopt;
}

const char* UnitName(arrow::TimeUnit::type unit) {
  constexpr const char* kNames[] = {"s", "ms", "us", "ns"};
  return kNames[static_cast<int>(unit)];
}

TypeResult MakeDecimal(std::string_view text, const Written& written) {
  constexpr const char* kForm = "write decimal(p,s) with p from 1 to 76 and s from 0 to p";
  if (written.arguments.empty() || written.arguments.size() > 2) return Unknown(text, kForm);
  const std::optional<int> precision = Number(written.arguments[0]);
  const std::optional<int> scale =
      written.arguments.size() == 2 ? Number(written.arguments[1]) : std::optional<int>(0);
  if (!precision || !scale || *precision < 1 || *precision > kDecimal256Digits || *scale < 0 ||
      *scale > *precision) {
    return Unknown(text, kForm);
  }
  if (*precision <= kDecimal128Digits) return arrow::decimal128(*precision, *scale);
  return arrow::decimal256(*precision, *scale);
}

TypeResult MakeTime(std::string_view text, const Written& written) {
  constexpr const char* kForm = "write time or time(unit) with s, ms, us or ns as unit";
  if (written.arguments.size() > 1) return Unknown(text, kForm);
  const auto unit = written.arguments.empty() ? arrow::TimeUnit::MICRO : Unit(written.arguments[0]);
  if (!unit) return Unknown(text, kForm);
  const bool narrow = *unit == arrow::TimeUnit::SECOND || *unit == arrow::TimeUnit::MILLI;
  return narrow ? arrow::time32(*unit) : arrow::time64(*unit);
}

TypeResult MakeTimestamp(std::string_view text, const Written& written) {
  constexpr const char* kForm =
      "write timestamp, timestamp(unit) or timestamp(unit, ZONE) with s, ms, us or ns as unit";
  if (written.arguments.size() > 2) return Unknown(text, kForm);
  const auto unit = written.arguments.empty() ? arrow::TimeUnit::MICRO : Unit(written.arguments[0]);
  if (!unit) return Unknown(text, kForm);
  if (written.arguments.size() < 2) return arrow::timestamp(*unit);
  const std::string& zone = written.arguments[1];
  if (Result<TimeZone> found = TimeZone::Find(zone); !found.ok()) {
    return Unknown(text, FaultOf(found.status()).help());
  }
  return arrow::timestamp(*unit, zone);
}

/// Words of other systems, and what they are called here.
std::string OtherWord(const std::string& name) {
  constexpr std::pair<const char*, const char*> kWords[] = {{"boolean", "bool"},
                                                            {"string", "text"},
                                                            {"utf8", "text"},
                                                            {"varchar", "text"},
                                                            {"bytes", "binary"},
                                                            {"bytea", "binary"},
                                                            {"blob", "binary"},
                                                            {"int", "int32 or int64"},
                                                            {"integer", "int32 or int64"},
                                                            {"bigint", "int64"},
                                                            {"smallint", "int16"},
                                                            {"double", "float64"},
                                                            {"real", "float32"},
                                                            {"float", "float32 or float64"},
                                                            {"numeric", "decimal(p,s)"},
                                                            {"datetime", "timestamp"},
                                                            {"date32", "date"},
                                                            {"timestamptz", "timestamp(us, UTC)"},
                                                            {"decimal128", "decimal(p,s)"}};
  for (const auto& [word, ours] : kWords) {
    if (name == word) return ours;
  }
  return {};
}

}  // namespace

TypeResult ParseTypeName(std::string_view text) {
  constexpr const char* kList =
      "the types are bool, int8 to int64, uint8 to uint64, float32, float64, decimal(p,s), text, "
      "binary, date, time and timestamp";
  const std::optional<Written> written =
      text.size() <= kNameBytesMax ? Split(text) : std::optional<Written>();
  if (!written) return Unknown(text, kList);
  if (written->name == "decimal") return MakeDecimal(text, *written);
  if (written->name == "time") return MakeTime(text, *written);
  if (written->name == "timestamp") return MakeTimestamp(text, *written);
  std::vector<std::string> names = {"decimal(p,s)", "time", "timestamp"};
  for (const auto& [name, make] : PlainTypes()) {
    if (written->name == name) {
      if (written->arguments.empty()) return make();
      return Unknown(text, std::string("write ") + name + " alone");
    }
    names.push_back(name);
  }
  if (std::string word = OtherWord(written->name); !word.empty()) {
    return Unknown(text, "here it is called " + word);
  }
  if (std::string nearest = NearestName(written->name, names); !nearest.empty()) {
    return Unknown(text, "did you mean \"" + nearest + "\"?");
  }
  return Unknown(text, kList);
}

std::string TypeName(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::DECIMAL128:
    case arrow::Type::DECIMAL256: {
      const auto& decimal = checked_cast<const arrow::DecimalType&>(type);
      return "decimal(" + std::to_string(decimal.precision()) + "," +
             std::to_string(decimal.scale()) + ")";
    }
    case arrow::Type::TIME32:
    case arrow::Type::TIME64:
      return std::string("time(") + UnitName(checked_cast<const arrow::TimeType&>(type).unit()) +
             ")";
    case arrow::Type::TIMESTAMP: {
      const auto& timestamp = checked_cast<const arrow::TimestampType&>(type);
      return std::string("timestamp(") + UnitName(timestamp.unit()) +
             (timestamp.timezone().empty() ? "" : ", " + timestamp.timezone()) + ")";
    }
    default:
      for (const auto& [name, make] : PlainTypes()) {
        if (make()->id() == type.id()) return name;
      }
      return type.ToString();
  }
}

}  // namespace levada::elt
