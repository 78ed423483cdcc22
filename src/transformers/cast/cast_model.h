#pragma once
// A model of the cast transformer for its tests: one value at a time, with numbers as digits on
// paper instead of machine words, and every rule in its plainest form.

#include <arrow/type.h>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <regex>
#include <string>
#include <type_traits>
#include <utility>

#include "elt/type_name.h"

namespace levada::cast {

using Wide = __int128;

inline constexpr Wide kModelNanosPerDay = Wide{86'400} * 1'000'000'000;

// ---------------------------------------------------------------------------------------------
// numbers on paper

/// digits * 10^-scale without leading or trailing zeros; no digits: zero.
struct Paper {
  bool negative = false;
  std::string digits;
  int scale = 0;
};

inline Paper Normal(Paper paper) {
  paper.digits.erase(0, paper.digits.find_first_not_of('0'));
  while (!paper.digits.empty() && paper.digits.back() == '0') {
    paper.digits.pop_back();
    --paper.scale;
  }
  if (paper.digits.empty()) paper = Paper();
  return paper;
}

inline std::optional<Paper> PaperOf(const std::string& text) {
  static const std::regex kForm(R"(([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,4}))?)");
  std::smatch parts;
  if (!std::regex_match(text, parts, kForm)) return std::nullopt;
  const std::string whole = parts[2], fraction = parts[3];
  if (whole.empty() && fraction.empty()) return std::nullopt;
  const int exponent = parts[4].length() > 0 ? std::stoi(parts[4]) : 0;
  return Normal({parts[1] == "-", whole + fraction, static_cast<int>(fraction.size()) - exponent});
}

/// The integer in all its digits, "0" with `zeros` more behind.
inline std::string Signed(const Paper& paper, int zeros) {
  if (paper.digits.empty()) return "0";
  return (paper.negative ? "-" : "") + paper.digits + std::string(zeros, '0');
}

inline std::string WideText(Wide value) {
  std::string text;
  const bool negative = value < 0;
  do {
    const int digit = static_cast<int>(value % 10);
    text.insert(text.begin(), static_cast<char>('0' + std::abs(digit)));
    value /= 10;
  } while (value != 0);
  return (negative ? "-" : "") + text;
}

/// With the fewest digits that read back as the same number.
template <typename Float>
std::string Shortest(Float value) {
  char text[64];
  for (int digits = 1;; ++digits) {
    std::snprintf(text, sizeof text, "%.*e", digits - 1, static_cast<double>(value));
    const bool same = std::is_same_v<Float, float> ? std::strtof(text, nullptr) == value
                                                   : std::strtod(text, nullptr) == value;
    if (same || digits == 17) return text;
  }
}

// ---------------------------------------------------------------------------------------------
// values and what they become

struct Value {
  enum class Kind { kNull, kNumber, kFloat, kText, kBool, kMoment };
  explicit Value(Kind what = Kind::kNull, std::string written = {})
      : kind(what), text(std::move(written)) {}
  Kind kind;
  std::string text;           ///< of numbers and texts, as written
  double real = 0;            ///< of floats
  std::optional<Wide> nanos;  ///< of moments, and of texts that are one; since 1970
  bool has_time = false;      ///< of such texts
};

using Answer =
    std::optional<std::string>;  ///< the value as Canonical shows it; none: no counterpart

inline Answer ToWhole(const Paper& paper, const std::string& type) {
  if (paper.scale > 0) return std::nullopt;
  if (paper.digits.size() - paper.scale > 20) return std::nullopt;
  const std::string text = Signed(paper, -paper.scale);
  Wide value = 0;
  for (char c : text) {
    if (c != '-') value = value * 10 + (c - '0');
  }
  if (text.front() == '-') value = -value;
  const bool is_unsigned = type.front() == 'u';
  const int bits = std::stoi(type.substr(is_unsigned ? 4 : 3));
  const Wide span = Wide{1} << (is_unsigned ? bits : bits - 1);
  if (value >= span || value < (is_unsigned ? 0 : -span)) return std::nullopt;
  return WideText(value);
}

inline Answer ToFixed(const Paper& paper, int precision, int scale) {
  if (paper.digits.empty()) return "0";
  const int whole = static_cast<int>(paper.digits.size()) - paper.scale;
  if (paper.scale > scale || whole > precision - scale) return std::nullopt;
  return Signed(paper, scale - paper.scale);
}

inline std::string HexFloat(double value) {
  char text[64];
  std::snprintf(text, sizeof text, "%a", value);
  return std::isnan(value) ? "nan" : text;
}

inline Answer ToFloat(const std::string& digits) {
  const double value = std::strtod(digits.c_str(), nullptr);
  if (std::isinf(value) || (value == 0 && !PaperOf(digits)->digits.empty())) return std::nullopt;
  return HexFloat(value);
}

inline Answer ToMoment(const Value& value, const arrow::DataType& to) {
  if (!value.nanos) return std::nullopt;
  if (to.id() == arrow::Type::DATE32) {
    const bool is_text = value.kind == Value::Kind::kText;
    if (is_text ? value.has_time : *value.nanos % kModelNanosPerDay != 0) return std::nullopt;
    const Wide days = *value.nanos / kModelNanosPerDay;
    if (days < INT32_MIN || days > INT32_MAX) return std::nullopt;
    return WideText(days);
  }
  Wide unit = 1;
  for (int u = static_cast<const arrow::TimestampType&>(to).unit(); u < 3; ++u) unit *= 1000;
  const Wide units = *value.nanos / unit;
  if (*value.nanos % unit != 0 || units < INT64_MIN || units > INT64_MAX) return std::nullopt;
  return WideText(units);
}

/// The rules of the README in the plainest form. `from` and `to` by their names.
inline Answer ModelOf(const Value& value, const std::string& from, const arrow::DataType& to) {
  const std::string type = elt::TypeName(to);
  const bool is_whole = from.find("int") != std::string::npos;
  if (to.id() == arrow::Type::DATE32 || to.id() == arrow::Type::TIMESTAMP) {
    return ToMoment(value, to);
  }
  if (type == "text") return value.text;
  if (value.kind == Value::Kind::kBool) return value.text == "true" ? "1" : "0";
  if (type == "bool") {
    if (value.text == "1") return "true";
    return value.text == "0" ? Answer("false") : std::nullopt;
  }
  std::string digits = value.text;
  if (value.kind == Value::Kind::kFloat) {
    if (type == "float64") return HexFloat(value.real);
    if (!std::isfinite(value.real)) return std::nullopt;
    digits = from == "float32" ? Shortest(static_cast<float>(value.real)) : Shortest(value.real);
    if (value.real == std::trunc(value.real)) {
      digits = WideText(static_cast<Wide>(value.real));  // whole numbers are what they are
    } else if (type.find("int") != std::string::npos) {
      return std::nullopt;
    }
  }
  const std::optional<Paper> paper = PaperOf(digits);
  if (!paper) return std::nullopt;
  if (type.find("int") != std::string::npos) {
    // A text of an unsigned type has no minus, not even before zero.
    const char* refused = type.front() == 'u' ? "-.eE" : ".eE";
    const bool is_plain = from != "text" || digits.find_first_of(refused) == std::string::npos;
    return is_plain ? ToWhole(*paper, type) : std::nullopt;
  }
  if (type == "float64") {
    const std::string magnitude = digits.substr(digits.front() == '-' ? 1 : 0);
    if (is_whole && std::stoull(magnitude) > uint64_t{1} << 53) return std::nullopt;
    return ToFloat(digits);
  }
  const auto& decimal = static_cast<const arrow::DecimalType&>(to);
  return ToFixed(*paper, decimal.precision(), decimal.scale());
}

}  // namespace levada::cast
