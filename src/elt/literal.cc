#include "elt/literal.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <limits>

namespace levada::elt {
namespace {

constexpr int64_t kNanosPerSecond = 1'000'000'000;
constexpr int64_t kMicrosPerDay = int64_t{86'400} * 1'000'000;

/// Each is exact.
constexpr std::array<double, 23> kPowersOfTen = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                 1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                                 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool EqualsAnyCase(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (Lower(text[i]) != lower[i]) return false;
  }
  return true;
}

/// Reads from the front of a text.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}
  bool done() const { return text_.empty(); }
  bool Take(char c) {
    if (text_.empty() || text_.front() != c) return false;
    text_.remove_prefix(1);
    return true;
  }
  bool TakeAnyOf(std::string_view chars) {
    if (text_.empty() || chars.find(text_.front()) == std::string_view::npos) return false;
    text_.remove_prefix(1);
    return true;
  }
  char Peek() const { return text_.empty() ? '\0' : text_.front(); }
  /// Exactly `count` digits, or -1.
  int Digits(int count) {
    if (text_.size() < static_cast<size_t>(count)) return -1;
    int value = 0;
    for (int i = 0; i < count; ++i) {
      if (!IsDigit(text_[i])) return -1;
      value = value * 10 + (text_[i] - '0');
    }
    text_.remove_prefix(count);
    return value;
  }
  std::string_view DigitRun() {
    size_t size = 0;
    while (size < text_.size() && IsDigit(text_[size])) ++size;
    std::string_view run = text_.substr(0, size);
    text_.remove_prefix(size);
    return run;
  }

 private:
  std::string_view text_;
};

template <typename T>
Literal<T> ParseInteger(std::string_view text) {
  if (!text.empty() && text.front() == '+') {
    text.remove_prefix(1);
    if (!text.empty() && text.front() == '-') return Literal<T>::Refused("not an integer");
  }
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc::result_out_of_range && end == text.data() + text.size()) {
    return Literal<T>::Refused("out of range");
  }
  if (error != std::errc() || end != text.data() + text.size()) {
    return Literal<T>::Refused("not an integer");
  }
  return {value};
}

/// A number as sign, digits and the power of ten of the last digit; without leading zeros.
struct DecimalParts {
  bool negative = false;
  std::string_view whole;
  std::string_view fraction;
  int exponent = 0;
};

// Beyond this every number is zero or out of range for 76 digits; it keeps the arithmetic in an
// int.
constexpr int kExponentMax = 10'000;

Literal<DecimalParts> SplitDecimal(std::string_view text) {
  constexpr const char* kProblem = "not a decimal number";
  DecimalParts parts;
  Scanner scanner(text);
  parts.negative = scanner.Peek() == '-';
  scanner.TakeAnyOf("+-");
  parts.whole = scanner.DigitRun();
  if (scanner.Take('.')) parts.fraction = scanner.DigitRun();
  if (parts.whole.empty() && parts.fraction.empty()) {
    return Literal<DecimalParts>::Refused(kProblem);
  }
  if (scanner.TakeAnyOf("eE")) {
    const bool negative = scanner.Peek() == '-';
    scanner.TakeAnyOf("+-");
    const std::string_view digits = scanner.DigitRun();
    if (digits.empty()) return Literal<DecimalParts>::Refused(kProblem);
    for (char c : digits) parts.exponent = std::min(kExponentMax, parts.exponent * 10 + (c - '0'));
    if (negative) parts.exponent = -parts.exponent;
  }
  if (!scanner.done()) return Literal<DecimalParts>::Refused(kProblem);
  return {parts};
}

/// Decimal is Decimal128 or Decimal256, which hold one digit more than any precision allows.
template <typename Decimal>
Literal<Decimal> ParseDecimal(std::string_view text, int precision, int scale) {
  const Literal<DecimalParts> split = SplitDecimal(text);
  if (!split.ok()) return Literal<Decimal>::Refused(split.problem);
  const DecimalParts& parts = split.value;
  // Digit k of whole + fraction (from 0) has the weight 10^(whole - 1 - k + exponent); the last one
  // kept has 10^-scale.
  const auto whole = static_cast<int64_t>(parts.whole.size());
  const int64_t kept = whole + parts.exponent + scale;
  const int64_t digits = whole + static_cast<int64_t>(parts.fraction.size());
  auto digit = [&](int64_t k) {
    return (k < whole ? parts.whole[k] : parts.fraction[k - whole]) - '0';
  };
  Decimal value = 0;
  int significant = 0;
  // Eighteen digits at a time: a multiplication of the wide type for each would cost too much.
  int64_t chunk = 0, chunk_power = 1;
  for (int64_t k = 0; k < std::max(digits, kept); ++k) {
    if (k >= digits && significant == 0) break;
    const int d = k < digits ? digit(k) : 0;
    if (k >= kept) {
      if (d != 0) return Literal<Decimal>::Refused("more digits after the point than the scale");
      continue;
    }
    if (significant == 0 && d == 0) continue;
    if (++significant > precision) return Literal<Decimal>::Refused("out of range");
    chunk = chunk * 10 + d;
    chunk_power *= 10;
    if (chunk_power == 1'000'000'000'000'000'000) {
      value = value * Decimal(chunk_power) + Decimal(chunk);
      chunk = 0, chunk_power = 1;
    }
  }
  if (chunk_power > 1) value = value * Decimal(chunk_power) + Decimal(chunk);
  if (parts.negative) value.Negate();
  return {value};
}

bool IsLeapYear(int year) { return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0; }

int DaysInMonth(int year, int month) {
  constexpr std::array<int, 12> kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && IsLeapYear(year) ? 29 : kDays[month - 1];
}

/// Days since 1970-01-01 of a valid date, after Howard Hinnant's days_from_civil.
int32_t DaysFromCivil(int year, int month, int day) {
  year -= month <= 2 ? 1 : 0;
  const int era = (year >= 0 ? year : year - 399) / 400;
  const int year_of_era = year - era * 400;
  const int day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  const int day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146'097 + day_of_era - 719'468;
}

const char* TakeDate(Scanner& scanner, int32_t& days) {
  const int year = scanner.Digits(4);
  const bool first = year >= 0 && scanner.Take('-');
  const int month = first ? scanner.Digits(2) : -1;
  const bool second = month >= 0 && scanner.Take('-');
  const int day = second ? scanner.Digits(2) : -1;
  if (day < 0) return "not of the form YYYY-MM-DD";
  const Literal<int32_t> date = MakeDate(year, month, day);
  days = date.value;
  return date.problem;
}

const char* TakeTime(Scanner& scanner, int64_t& nanos) {
  constexpr const char* kForm = "not of the form HH:MM:SS";
  const int hour = scanner.Digits(2);
  const bool first = hour >= 0 && scanner.Take(':');
  const int minute = first ? scanner.Digits(2) : -1;
  if (minute < 0) return kForm;
  int second = 0;
  int64_t fraction = 0;
  if (scanner.Take(':')) {
    second = scanner.Digits(2);
    if (second < 0) return kForm;
    if (scanner.Take('.')) {
      const std::string_view digits = scanner.DigitRun();
      if (digits.empty()) return kForm;
      if (digits.size() > 9) return "more than 9 digits of a second";
      for (size_t i = 0; i < 9; ++i) {
        fraction = fraction * 10 + (i < digits.size() ? digits[i] - '0' : 0);
      }
    }
  }
  const Literal<int64_t> time = MakeTimeOfDay(hour, minute, second, static_cast<int>(fraction));
  nanos = time.value;
  return time.problem;
}

const char* TakeZone(Scanner& scanner, DateTime& value) {
  value.has_zone = true;
  if (scanner.TakeAnyOf("Zz")) return nullptr;
  const bool west = scanner.Peek() == '-';
  scanner.TakeAnyOf("+-");
  const int hours = scanner.Digits(2);
  const bool colon = scanner.Take(':');
  int minutes = 0;
  if (colon || !scanner.done()) minutes = scanner.Digits(2);
  if (hours < 0 || minutes < 0) return "not an offset of the form +HH:MM";
  if (hours > 15 || minutes > 59) return "no such offset from UTC";
  value.offset_minutes = (hours * 60 + minutes) * (west ? -1 : 1);
  return nullptr;
}

}  // namespace

Literal<bool> ParseBoolLiteral(std::string_view text) {
  if (text == "1" || EqualsAnyCase(text, "true") || EqualsAnyCase(text, "t")) return {true};
  if (text == "0" || EqualsAnyCase(text, "false") || EqualsAnyCase(text, "f")) return {false};
  return Literal<bool>::Refused("neither true nor false");
}

Literal<int64_t> ParseIntegerLiteral(std::string_view text) { return ParseInteger<int64_t>(text); }

Literal<uint64_t> ParseUnsignedLiteral(std::string_view text) {
  if (!text.empty() && text.front() == '-' && ParseIntegerLiteral(text).ok()) {
    return Literal<uint64_t>::Refused("out of range");
  }
  return ParseInteger<uint64_t>(text);
}

Literal<double> ParseFloatLiteral(std::string_view text) {
  constexpr const char* kProblem = "not a number";
  std::string_view digits = text;
  if (!digits.empty() && (digits.front() == '+' || digits.front() == '-')) digits.remove_prefix(1);
  const bool negative = text.size() != digits.size() && text.front() == '-';
  if (EqualsAnyCase(digits, "nan")) return {std::numeric_limits<double>::quiet_NaN()};
  double value = 0;
  if (EqualsAnyCase(digits, "inf") || EqualsAnyCase(digits, "infinity")) {
    value = std::numeric_limits<double>::infinity();
  } else {
    // from_chars also knows nan(...) and an own sign.
    if (digits.empty() || !(IsDigit(digits.front()) || digits.front() == '.')) {
      return Literal<double>::Refused(kProblem);
    }
    const char* last = digits.data() + digits.size();
    const auto [end, error] = std::from_chars(digits.data(), last, value);
    if (error == std::errc::result_out_of_range && end == last) {
      return Literal<double>::Refused("out of range");
    }
    if (error != std::errc() || end != last) return Literal<double>::Refused(kProblem);
  }
  return {negative ? -value : value};
}

Literal<arrow::Decimal128> ParseDecimalLiteral(std::string_view text, int precision, int scale) {
  return ParseDecimal<arrow::Decimal128>(text, precision, scale);
}

Literal<arrow::Decimal256> ParseWideDecimalLiteral(std::string_view text, int precision,
                                                   int scale) {
  return ParseDecimal<arrow::Decimal256>(text, precision, scale);
}

Literal<arrow::Decimal128> DecimalOfFloat(double value, int precision, int scale) {
  if (!std::isfinite(value)) {
    return Literal<arrow::Decimal128>::Refused(std::isnan(value) ? "nan" : "infinite");
  }
  // Where v is the quotient of an integer of at most 15 digits and a power of ten up to 10^22, that
  // quotient is its shortest decimal form: two decimals of 15 digits never share a double.
  if (scale <= 22) {
    const double power = kPowersOfTen[scale];
    const double scaled = std::nearbyint(value * power);
    if (std::fabs(scaled) < 1e15 && scaled / power == value &&
        std::fabs(scaled) < kPowersOfTen[std::min(precision, 22)]) {
      return {arrow::Decimal128(static_cast<int64_t>(scaled))};
    }
  }
  // The longest: -1.2345678901234567e-308
  std::array<char, 32> text;
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), value);
  const auto size = static_cast<size_t>(end - text.data());
  return ParseDecimalLiteral(std::string_view(text.data(), size), precision, scale);
}

Literal<int32_t> MakeDate(int year, int month, int day) {
  if (year < 0 || year > 9999) return Literal<int32_t>::Refused("no year from 0 to 9999");
  if (month < 1 || month > 12) return Literal<int32_t>::Refused("no such month");
  if (day < 1 || day > DaysInMonth(year, month)) return Literal<int32_t>::Refused("no such day");
  return {DaysFromCivil(year, month, day)};
}

Literal<int64_t> MakeTimeOfDay(int hour, int minute, int second, int nanos) {
  const bool valid = hour >= 0 && hour < 24 && minute >= 0 && minute < 60 && second >= 0 &&
                     second < 60 && nanos >= 0 && nanos < kNanosPerSecond;
  if (!valid) return Literal<int64_t>::Refused("no such time of day");
  return {((hour * 60 + minute) * 60 + second) * kNanosPerSecond + nanos};
}

Literal<int32_t> ParseDateLiteral(std::string_view text) {
  Scanner scanner(text);
  Literal<int32_t> literal;
  literal.problem = TakeDate(scanner, literal.value);
  if (literal.ok() && !scanner.done()) literal.problem = "not of the form YYYY-MM-DD";
  return literal;
}

Literal<int64_t> ParseTimeLiteral(std::string_view text) {
  Scanner scanner(text);
  Literal<int64_t> literal;
  literal.problem = TakeTime(scanner, literal.value);
  if (literal.ok() && !scanner.done()) literal.problem = "not of the form HH:MM:SS";
  return literal;
}

Literal<DateTime> ParseDateTimeLiteral(std::string_view text) {
  Scanner scanner(text);
  Literal<DateTime> literal;
  DateTime& value = literal.value;
  literal.problem = TakeDate(scanner, value.days);
  if (!literal.ok() || scanner.done()) return literal;
  if (!scanner.TakeAnyOf(" Tt")) {
    literal.problem = "not of the form YYYY-MM-DD HH:MM:SS";
    return literal;
  }
  value.has_time = true;
  literal.problem = TakeTime(scanner, value.nanos_of_day);
  if (literal.ok() && !scanner.done()) literal.problem = TakeZone(scanner, value);
  if (literal.ok() && !scanner.done()) literal.problem = "not of the form YYYY-MM-DD HH:MM:SS";
  return literal;
}

std::string DateText(int32_t days) {
  using std::chrono::year_month_day;
  const year_month_day date{std::chrono::sys_days(std::chrono::days(days))};
  std::array<char, 24> text;
  std::snprintf(text.data(), text.size(), "%04d-%02u-%02u", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
  return text.data();
}

std::string DateTimeText(int64_t micros) {
  int64_t day = micros / kMicrosPerDay;
  int64_t rest = micros % kMicrosPerDay;
  if (rest < 0) --day, rest += kMicrosPerDay;
  const int64_t seconds = rest / 1'000'000;
  std::array<char, 32> text;
  std::snprintf(text.data(), text.size(), " %02d:%02d:%02d.%06d", static_cast<int>(seconds / 3600),
                static_cast<int>(seconds / 60 % 60), static_cast<int>(seconds % 60),
                static_cast<int>(rest % 1'000'000));
  std::string time = text.data();
  time.erase(time.find_last_not_of('0') + 1);
  if (time.back() == '.') time.pop_back();
  // Only the fraction may be shortened.
  return DateText(static_cast<int32_t>(day)) + time;
}

}  // namespace levada::elt
