#pragma once
// Literals: what a text means as a number, a decimal, a date or a time. One strict reading for
// every stage that meets values written as text (cast, sources without types), so that a value
// means the same everywhere. White space, other alphabets' digits and trailing characters are
// refused; nothing is rounded.

#include <arrow/util/decimal.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace levada::elt {

/// A value, or why there is none: a few words in lower case that fit behind "not a date: ".
template <typename T>
struct Literal {
  T value{};
  const char* problem = nullptr;
  bool ok() const { return problem == nullptr; }
  static Literal Refused(const char* why) { return Literal{T{}, why}; }
};

/// true, false, t, f, 1 or 0; letters in any case.
Literal<bool> ParseBoolLiteral(std::string_view text);

/// [+-]digits
Literal<int64_t> ParseIntegerLiteral(std::string_view text);
/// [+]digits; also up to 2^64 - 1
Literal<uint64_t> ParseUnsignedLiteral(std::string_view text);

/// [+-]digits[.digits][e[+-]digits], nan, inf, infinity (any case). The nearest double; a number
/// beyond the largest or smaller than the smallest one is refused.
Literal<double> ParseFloatLiteral(std::string_view text);

/// [+-]digits[.digits][e[+-]digits] as exactly `scale` digits after the point; digits beyond them
/// must be zeros. The unscaled integer. 1 <= precision <= 38; 0 <= scale <= precision.
Literal<arrow::Decimal128> ParseDecimalLiteral(std::string_view text, int precision, int scale);
/// The same, up to 76 digits.
Literal<arrow::Decimal256> ParseWideDecimalLiteral(std::string_view text, int precision, int scale);
/// The shortest decimal form that reads back as `value`, as a decimal: 0.1 is 0.1 and not
/// 0.1000000000000000055. NaN and infinity are refused.
Literal<arrow::Decimal128> DecimalOfFloat(double value, int precision, int scale);

/// Days since 1970-01-01 of a date of the proleptic Gregorian calendar, years 0 to 9999.
Literal<int32_t> MakeDate(int year, int month, int day);
/// Nanoseconds since midnight. 24:00 and leap seconds are refused.
Literal<int64_t> MakeTimeOfDay(int hour, int minute, int second, int nanos);

/// YYYY-MM-DD, as days since 1970-01-01.
Literal<int32_t> ParseDateLiteral(std::string_view text);

/// Nanoseconds since midnight; HH:MM[:SS[.f...]], up to 9 digits of fraction. 24:00 and leap
/// seconds are refused.
Literal<int64_t> ParseTimeLiteral(std::string_view text);

/// A point of a calendar and a clock, as written.
struct DateTime {
  int32_t days = 0;            ///< since 1970-01-01
  int64_t nanos_of_day = 0;    ///< [0, 86,400 * 10^9)
  bool has_time = false;       ///< false: a date alone
  bool has_zone = false;       ///< an offset was written, or Z
  int32_t offset_minutes = 0;  ///< local minus UTC
};
/// DATE, or DATE[ T]TIME[Z | (+|-)HH[[:]MM] ] with DATE and TIME as above. `t` and `z` count as
/// capitals. Offsets up to 15:59.
Literal<DateTime> ParseDateTimeLiteral(std::string_view text);

/// "2026-01-31"; years outside 0000-9999 get a sign.
std::string DateText(int32_t days);
/// "2026-01-31 05:00:00" and as many digits of fraction as needed up to 6; `micros` since 1970 on
/// whatever clock the caller means.
std::string DateTimeText(int64_t micros);

}  // namespace levada::elt
