#include "formats/aesql/literals.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <utility>
#include <vector>

#include "formats/aesql/functions.h"

namespace levada::aesql {
namespace {

// More of a unit would leave the years that a datetime can hold by far.
constexpr uint64_t kIntervalMax = 100'000'000;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool AreDigits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, IsDigit);
}

std::optional<uint64_t> WholeNumber(std::string_view digits) {
  uint64_t number = 0;
  const char* end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, number);
  if (error != std::errc() || stop != end) return std::nullopt;
  return number;
}

std::optional<Node> Integer(const Syntax& syntax, Refusal& refusal) {
  const std::optional<uint64_t> number = WholeNumber(syntax.text);
  if (!number) {
    return refusal.Fail(ProblemCode::kBadLiteral, syntax.range,
                        "integer " + syntax.text + " has more than 64 bits",
                        "write it as a double: " + syntax.text + ".0");
  }
  return MakeLiteral(NodeKind::kInteger, Kind::kInteger, std::to_string(*number), syntax.range);
}

std::optional<Node> Double(const Syntax& syntax, Refusal& refusal) {
  // Digits on both sides of the point, for every reader.
  std::string text = syntax.text;
  if (text.front() == '.') text.insert(0, "0");
  if (const size_t point = text.find('.');
      point != text.npos && (point + 1 == text.size() || !IsDigit(text[point + 1]))) {
    text.insert(point + 1, "0");
  }
  double number = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) {
    return refusal.Fail(ProblemCode::kBadLiteral, syntax.range,
                        "number " + syntax.text + " is out of a double's range", "");
  }
  return MakeLiteral(NodeKind::kDouble, Kind::kDouble, std::move(text), syntax.range);
}

std::optional<Node> Interval(const Syntax& syntax, Refusal& refusal) {
  const std::optional<uint64_t> number =
      AreDigits(syntax.text) ? WholeNumber(syntax.text) : std::nullopt;
  if (!number || *number > kIntervalMax) {
    return refusal.Fail(
        ProblemCode::kBadLiteral, syntax.range,
        "interval '" + syntax.text + "': expected a whole number up to " +
            std::to_string(kIntervalMax),
        "write INTERVAL '42' DAY; a minus stands before INTERVAL or in the subtraction");
  }
  Node node =
      MakeLiteral(NodeKind::kInterval, Kind::kInterval, std::to_string(*number), syntax.range);
  node.engine = IntervalFunction(syntax.unit);
  return node;
}

// "2025-10-27" by the form "dddd-dd-dd", whose letters are digits.
bool HasForm(std::string_view text, std::string_view form) {
  return std::ranges::equal(
      text, form, [](char c, char wanted) { return wanted == 'd' ? IsDigit(c) : c == wanted; });
}

int TwoDigits(std::string_view text, size_t at) {
  return (text[at] - '0') * 10 + (text[at + 1] - '0');
}

bool IsDate(std::string_view text) {
  if (!HasForm(text, "dddd-dd-dd")) return false;
  const int year = TwoDigits(text, 0) * 100 + TwoDigits(text, 2);
  const int month = TwoDigits(text, 5), day = TwoDigits(text, 8);
  return year >= 1970 && year <= 2105 && month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

bool IsTimeText(std::string_view text) {
  constexpr size_t kSecondsDigitsMax = 10, kDateSize = 10, kTimeSize = 19;
  if (AreDigits(text)) {
    return text.size() <= kSecondsDigitsMax && *WholeNumber(text) <= UINT32_MAX;
  }
  if (!IsDate(text.substr(0, kDateSize))) return false;
  if (text.size() == kDateSize) return true;
  if (text.size() < kTimeSize || (text[kDateSize] != ' ' && text[kDateSize] != 'T')) return false;
  const std::string_view time = text.substr(kDateSize + 1, kTimeSize - kDateSize - 1);
  if (!HasForm(time, "dd:dd:dd")) return false;
  if (TwoDigits(time, 0) > 23 || TwoDigits(time, 3) > 59 || TwoDigits(time, 6) > 59) return false;
  const std::string_view fraction = text.substr(kTimeSize);
  return fraction.empty() || (fraction.front() == '.' && AreDigits(fraction.substr(1)));
}

}  // namespace

std::optional<Node> BindLiteral(const Syntax& syntax, Refusal& refusal) {
  switch (syntax.kind) {
    case SyntaxKind::kInteger:
      return Integer(syntax, refusal);
    case SyntaxKind::kDouble:
      return Double(syntax, refusal);
    case SyntaxKind::kInterval:
      return Interval(syntax, refusal);
    case SyntaxKind::kBoolean:
      return MakeLiteral(NodeKind::kBoolean, Kind::kBoolean, syntax.text, syntax.range);
    default:
      return MakeLiteral(NodeKind::kText, Kind::kText, syntax.text, syntax.range);
  }
}

std::optional<Node> NegateLiteral(Node literal, Refusal& refusal) {
  if (literal.value.front() == '-') {
    literal.value.erase(0, 1);
    return literal;
  }
  constexpr uint64_t kLeast = uint64_t{1} << 63;
  if (literal.kind == NodeKind::kInteger && WholeNumber(literal.value).value_or(0) > kLeast) {
    return refusal.Fail(ProblemCode::kBadLiteral, literal.range,
                        "integer -" + literal.value + " has more than 64 bits",
                        "write it as a double: -" + literal.value + ".0");
  }
  literal.value.insert(0, "-");
  return literal;
}

std::optional<Node> TimeOfText(Node literal, const std::string& zone, Refusal& refusal) {
  const Range range = literal.range;
  if (!IsTimeText(literal.value)) {
    return refusal.Fail(ProblemCode::kBadLiteral, range, "'" + literal.value + "' is no datetime",
                        "write '2025-10-27 16:55:25'; another timezone than UTC is the second "
                        "argument of toDateTime");
  }
  std::vector<Node> arguments;
  if (AreDigits(literal.value)) {
    // As a number: the engine reads a string of few digits as a year.
    literal = MakeLiteral(NodeKind::kInteger, Kind::kInteger,
                          std::to_string(*WholeNumber(literal.value)), range);
  }
  arguments.push_back(std::move(literal));
  if (!zone.empty()) {
    arguments.push_back(MakeLiteral(NodeKind::kText, Kind::kText, zone, range));
  }
  return MakeCall("toDateTime", {Kind::kTime, zone}, std::move(arguments), range);
}

bool IsZoneName(std::string_view name) {
  constexpr size_t kSizeMax = 64;
  return !name.empty() && name.size() <= kSizeMax && std::ranges::all_of(name, [](char c) {
    return IsDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '/' || c == '_' ||
           c == '+' || c == '-';
  });
}

}  // namespace levada::aesql
