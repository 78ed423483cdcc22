#include "elt/literal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace levada::elt {
namespace {

using testing::HasSubstr;

/// The decimal as text at `scale`, or its problem in brackets.
std::string Decimal(std::string_view text, int precision, int scale) {
  auto narrow = ParseDecimalLiteral(text, precision, scale);
  auto wide = ParseWideDecimalLiteral(text, precision, scale);
  EXPECT_EQ(narrow.ok(), wide.ok()) << text;
  if (!narrow.ok()) return "[" + std::string(narrow.problem) + "]";
  EXPECT_EQ(narrow.value.ToString(scale), wide.value.ToString(scale)) << text;
  return narrow.value.ToString(scale);
}

std::string OfFloat(double value, int precision, int scale) {
  auto decimal = DecimalOfFloat(value, precision, scale);
  return decimal.ok() ? decimal.value.ToString(scale) : "[" + std::string(decimal.problem) + "]";
}

TEST(Literal, ReadsBooleans) {
  for (const char* text : {"true", "TRUE", "True", "t", "T", "1"}) {
    EXPECT_TRUE(ParseBoolLiteral(text).ok() && ParseBoolLiteral(text).value) << text;
  }
  for (const char* text : {"false", "FALSE", "f", "F", "0"}) {
    EXPECT_TRUE(ParseBoolLiteral(text).ok() && !ParseBoolLiteral(text).value) << text;
  }
  for (const char* text : {"", "yes", "2", "tru", "truee", " true", "true ", "01"}) {
    EXPECT_FALSE(ParseBoolLiteral(text).ok()) << text;
  }
}

TEST(Literal, ReadsIntegersToTheirLimits) {
  EXPECT_EQ(ParseIntegerLiteral("9223372036854775807").value, INT64_MAX);
  EXPECT_EQ(ParseIntegerLiteral("-9223372036854775808").value, INT64_MIN);
  EXPECT_EQ(ParseIntegerLiteral("+7").value, 7);
  EXPECT_EQ(ParseIntegerLiteral("-0").value, 0);
  EXPECT_EQ(ParseIntegerLiteral("007").value, 7);
  EXPECT_STREQ(ParseIntegerLiteral("9223372036854775808").problem, "out of range");
  EXPECT_STREQ(ParseIntegerLiteral("-9223372036854775809").problem, "out of range");
  for (const char* text :
       {"", "+", "-", "+-1", "--1", "1.0", "1e3", " 1", "1 ", "0x10", "1_000", "١"}) {
    EXPECT_STREQ(ParseIntegerLiteral(text).problem, "not an integer") << text;
    EXPECT_STREQ(ParseUnsignedLiteral(text).problem, "not an integer") << text;
  }
  EXPECT_EQ(ParseUnsignedLiteral("18446744073709551615").value, UINT64_MAX);
  EXPECT_STREQ(ParseUnsignedLiteral("18446744073709551616").problem, "out of range");
  EXPECT_STREQ(ParseUnsignedLiteral("-1").problem, "out of range");
}

TEST(Literal, ReadsFloats) {
  EXPECT_EQ(ParseFloatLiteral("1.5").value, 1.5);
  EXPECT_EQ(ParseFloatLiteral("+1e3").value, 1000);
  EXPECT_EQ(ParseFloatLiteral("-.5").value, -0.5);
  EXPECT_EQ(ParseFloatLiteral("5.").value, 5);
  EXPECT_EQ(ParseFloatLiteral("0.1").value, 0.1);
  EXPECT_TRUE(std::signbit(ParseFloatLiteral("-0").value));
  EXPECT_EQ(ParseFloatLiteral("Infinity").value, std::numeric_limits<double>::infinity());
  EXPECT_EQ(ParseFloatLiteral("-inf").value, -std::numeric_limits<double>::infinity());
  EXPECT_TRUE(std::isnan(ParseFloatLiteral("NaN").value));
  EXPECT_STREQ(ParseFloatLiteral("1e999").problem, "out of range");
  EXPECT_STREQ(ParseFloatLiteral("1e-999").problem, "out of range");
  for (const char* text : {"", "+", "-", "--1", "+-1", ".", "e5", "1e", "1.5x", " 1", "1 ",
                           "nan(1)", "0x1p3", "infinit"}) {
    EXPECT_STREQ(ParseFloatLiteral(text).problem, "not a number") << text;
  }
}

TEST(Literal, ReadsDecimalsExactly) {
  EXPECT_EQ(Decimal("1.5", 10, 2), "1.50");
  EXPECT_EQ(Decimal("-1.50", 10, 2), "-1.50");
  EXPECT_EQ(Decimal("+.5", 10, 2), "0.50");
  EXPECT_EQ(Decimal("5.", 10, 2), "5.00");
  EXPECT_EQ(Decimal("0", 1, 1), "0.0");
  EXPECT_EQ(Decimal("-0", 1, 0), "0");
  EXPECT_EQ(Decimal("000123.4500", 5, 2), "123.45") << "zeros around a number mean nothing";
  EXPECT_EQ(Decimal("1e3", 4, 0), "1000");
  EXPECT_EQ(Decimal("1.5E+2", 10, 2), "150.00");
  EXPECT_EQ(Decimal("150e-2", 10, 2), "1.50");
  EXPECT_EQ(Decimal("12345678901234567890.123456789012345678", 38, 18),
            "12345678901234567890.123456789012345678");
  EXPECT_EQ(Decimal("99999999999999999999999999999999999999", 38, 0),
            "99999999999999999999999999999999999999");
  EXPECT_EQ(Decimal("-99999999999999999999999999999999999999", 38, 0),
            "-99999999999999999999999999999999999999");
  EXPECT_EQ(Decimal("0.00000000000000000000000000000000000001", 38, 38), "1E-38");
  EXPECT_EQ(Decimal("0e9999999999", 3, 2), "0.00");
  EXPECT_EQ(Decimal("0e-9999999999", 3, 2), "0.00");
}

TEST(Literal, NeverRoundsADecimal) {
  EXPECT_EQ(Decimal("1.501", 10, 2), "[more digits after the point than the scale]");
  EXPECT_EQ(Decimal("1e-3", 10, 2), "[more digits after the point than the scale]");
  EXPECT_EQ(Decimal("1e-9999999999", 10, 2), "[more digits after the point than the scale]");
  EXPECT_EQ(Decimal("100", 4, 2), "[out of range]");
  EXPECT_EQ(Decimal("99.99", 4, 2), "99.99");
  EXPECT_EQ(Decimal("1e2", 4, 2), "[out of range]");
  EXPECT_EQ(Decimal("1e9999999999", 38, 0), "[out of range]");
  EXPECT_EQ(Decimal("100000000000000000000000000000000000000", 38, 0), "[out of range]");
}

TEST(Literal, RefusesWhatIsNoDecimal) {
  for (const char* text : {"", "+", "-", ".", "-.", "e3", "1e", "1e+", "1.2.3", "1,5", " 1", "1 ",
                           "nan", "inf", "0x1", "--1", "1-"}) {
    EXPECT_EQ(Decimal(text, 10, 2), "[not a decimal number]") << text;
  }
}

TEST(Literal, ReadsDecimalsOf76Digits) {
  const std::string nines(76, '9');
  EXPECT_EQ(ParseWideDecimalLiteral("-" + nines, 76, 0).value.ToString(0), "-" + nines);
  EXPECT_STREQ(ParseWideDecimalLiteral("1" + nines, 76, 0).problem, "out of range");
}

TEST(Literal, TakesTheShortestDecimalOfAFloat) {
  EXPECT_EQ(OfFloat(0.1, 10, 2), "0.10");
  EXPECT_EQ(OfFloat(-1.005, 10, 3), "-1.005");
  EXPECT_EQ(OfFloat(1.005, 10, 2), "[more digits after the point than the scale]");
  EXPECT_EQ(OfFloat(0.1 + 0.2, 20, 10), "[more digits after the point than the scale]");
  EXPECT_EQ(OfFloat(0.1 + 0.2, 20, 17), "0.30000000000000004");
  EXPECT_EQ(OfFloat(1e22, 38, 2), "10000000000000000000000.00");
  EXPECT_EQ(OfFloat(9007199254740993.0, 20, 0), "9007199254740992");
  EXPECT_EQ(OfFloat(123456789012345678.0, 20, 0), "123456789012345680");
  EXPECT_EQ(OfFloat(99.99, 4, 2), "99.99");
  EXPECT_EQ(OfFloat(100.0, 4, 2), "[out of range]");
  EXPECT_EQ(OfFloat(-0.0, 4, 2), "0.00");
  EXPECT_EQ(OfFloat(5e-324, 38, 38), "[more digits after the point than the scale]");
  EXPECT_EQ(OfFloat(1e-30, 38, 38), "1.00000000E-30");
  EXPECT_EQ(OfFloat(1.7976931348623157e308, 38, 0), "[out of range]");
  EXPECT_EQ(OfFloat(std::nan(""), 10, 2), "[nan]");
  EXPECT_EQ(OfFloat(std::numeric_limits<double>::infinity(), 10, 2), "[infinite]");
}

TEST(Literal, TakesEveryCentThatWasStoredAsAFloat) {
  // The short cut through a multiplication must agree with the digits themselves.
  for (int64_t cents = -200'000; cents <= 200'000; cents += 37) {
    const std::string text = arrow::Decimal128(cents).ToString(2);
    const double value = ParseFloatLiteral(text).value;
    EXPECT_EQ(OfFloat(value, 10, 2), text);
    EXPECT_EQ(OfFloat(std::nextafter(value, 1e300), 10, 2),
              "[more digits after the point than the scale]");
  }
}

TEST(Literal, ReadsDates) {
  EXPECT_EQ(ParseDateLiteral("1970-01-01").value, 0);
  EXPECT_EQ(ParseDateLiteral("1969-12-31").value, -1);
  EXPECT_EQ(ParseDateLiteral("2026-01-31").value, 20484);
  EXPECT_EQ(ParseDateLiteral("2000-02-29").value, 11016);
  EXPECT_EQ(ParseDateLiteral("0000-03-01").value, -719468);
  EXPECT_EQ(ParseDateLiteral("9999-12-31").value, 2932896);
  for (const char* text : {"2026-02-29", "1900-02-29", "2026-04-31", "2026-01-00"}) {
    EXPECT_STREQ(ParseDateLiteral(text).problem, "no such day") << text;
  }
  EXPECT_STREQ(ParseDateLiteral("2026-13-01").problem, "no such month");
  for (const char* text : {"", "2026", "2026-1-1", "26-01-01", "2026/01/01", "20260101",
                           "2026-01-01 ", "2026-01-01T00:00", "-026-01-01", "12026-01-01"}) {
    EXPECT_THAT(ParseDateLiteral(text).problem, HasSubstr("YYYY-MM-DD")) << text;
  }
}

TEST(Literal, PrintsTheDatesItReads) {
  for (int32_t days = -719528; days <= 2932896; days += 97) {
    EXPECT_EQ(ParseDateLiteral(DateText(days)).value, days) << DateText(days);
  }
}

TEST(Literal, ReadsTimes) {
  EXPECT_EQ(ParseTimeLiteral("00:00").value, 0);
  EXPECT_EQ(ParseTimeLiteral("01:02:03.000000004").value, 3'723'000'000'004);
  EXPECT_EQ(ParseTimeLiteral("23:59:59.9").value, 86'399'900'000'000);
  for (const char* text : {"24:00:00", "23:60", "23:59:60"}) {
    EXPECT_STREQ(ParseTimeLiteral(text).problem, "no such time of day") << text;
  }
  EXPECT_STREQ(ParseTimeLiteral("00:00:00.0000000001").problem, "more than 9 digits of a second");
  for (const char* text : {"", "1:00", "0000", "00:00:", "00:00:00.", "00:00:00Z", "00:00 "}) {
    EXPECT_THAT(ParseTimeLiteral(text).problem, HasSubstr("HH:MM")) << text;
  }
}

TEST(Literal, ReadsTimestamps) {
  auto value = ParseDateTimeLiteral("2026-01-31 05:06:07.25").value;
  EXPECT_EQ(value.days, 20484);
  EXPECT_EQ(value.nanos_of_day, 18'367'250'000'000);
  EXPECT_TRUE(value.has_time);
  EXPECT_FALSE(value.has_zone);
  EXPECT_FALSE(ParseDateTimeLiteral("2026-01-31").value.has_time);
  EXPECT_EQ(ParseDateTimeLiteral("2026-01-31T05:06").value.nanos_of_day, 18'360'000'000'000);
  for (const char* text :
       {"2026-01-31T05:06:07Z", "2026-01-31t05:06:07.0z", "2026-01-31 05:06+00"}) {
    auto zoned = ParseDateTimeLiteral(text);
    ASSERT_TRUE(zoned.ok()) << text << zoned.problem;
    EXPECT_TRUE(zoned.value.has_zone);
    EXPECT_EQ(zoned.value.offset_minutes, 0);
  }
  EXPECT_EQ(ParseDateTimeLiteral("2026-01-31 00:00+02:30").value.offset_minutes, 150);
  EXPECT_EQ(ParseDateTimeLiteral("2026-01-31 00:00-0330").value.offset_minutes, -210);
  EXPECT_EQ(ParseDateTimeLiteral("2026-01-31 00:00:00-08").value.offset_minutes, -480);
}

TEST(Literal, RefusesWhatIsNoTimestamp) {
  for (const char* text :
       {"", "2026-02-30 00:00", "2026-01-01_00:00", "2026-01-01 ", "2026-01-01  00:00",
        "2026-01-01 00:00 Z", "2026-01-01 00:00ZZ", "2026-01-01 00:00+", "2026-01-01 00:00+1",
        "2026-01-01 00:00+16", "2026-01-01 00:00+01:", "2026-01-01 00:00+01:60",
        "2026-01-01 00:00+01:000", "2026-01-01 24:00", "2026-01-01Z", "2026-01-01 00:00 UTC"}) {
    EXPECT_FALSE(ParseDateTimeLiteral(text).ok()) << text;
  }
}

TEST(Literal, PrintsTimestamps) {
  EXPECT_EQ(DateTimeText(0), "1970-01-01 00:00:00");
  EXPECT_EQ(DateTimeText(-1), "1969-12-31 23:59:59.999999");
  EXPECT_EQ(DateTimeText(1'767'225'600'500'000), "2026-01-01 00:00:00.5");
  EXPECT_EQ(DateTimeText(1'767'225'610'000'000), "2026-01-01 00:00:10");
}

}  // namespace
}  // namespace levada::elt
