#include "formats/pgcopy/numeric.h"

#include <arrow/util/decimal.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "formats/pgcopy/encoder.h"
#include "formats/pgcopy/short_numeric.h"

namespace levada::pgcopy {
namespace {

using Bytes = std::vector<uint8_t>;

/// A field as it stands on the wire, from the five parts of its header and digits.
Bytes Wire(uint16_t count, int16_t weight, uint16_t sign, uint16_t scale,
           const std::vector<uint16_t>& digits) {
  Bytes bytes;
  const auto put = [&](uint16_t word) {
    bytes.push_back(static_cast<uint8_t>(word >> 8));
    bytes.push_back(static_cast<uint8_t>(word));
  };
  for (const uint16_t word : {count, static_cast<uint16_t>(weight), sign, scale}) put(word);
  for (const uint16_t digit : digits) put(digit);
  return bytes;
}

/// The same from a number as text.
Bytes Wire(const std::string& text) {
  Encoder encoder;
  EXPECT_TRUE(encoder.Numeric(text).ok()) << text;
  return Bytes(encoder.bytes().begin() + 4, encoder.bytes().end());
}

std::optional<NumericView> Parse(const Bytes& bytes) {
  return ParseNumeric(bytes.data(), static_cast<int32_t>(bytes.size()));
}

std::string Decimal(const Bytes& bytes, int32_t precision, int32_t scale) {
  const auto view = Parse(bytes);
  if (!view) return "malformed";
  const auto words = ToDecimal(*view, precision, scale);
  return words ? arrow::Decimal256(
                     arrow::BasicDecimal256(arrow::bit_util::little_endian::FromNative(*words)))
                     .ToIntegerString()
               : "does not fit";
}

std::string Text(const Bytes& bytes) {
  const auto view = Parse(bytes);
  if (!view) return "malformed";
  std::vector<char> room(RenderedSizeMax(*view));
  char* const end = RenderNumeric(*view, room.data());
  return end == nullptr ? "hidden digits" : std::string(room.data(), end);
}

TEST(NumericTest, RefusesBytesThatAreNone) {
  const Bytes good = Wire(2, 0, 0, 2, {1, 5000});
  ASSERT_TRUE(Parse(good));
  for (size_t size = 0; size < good.size(); ++size) {
    EXPECT_FALSE(Parse(Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size))));
  }
  EXPECT_FALSE(Parse(Wire(1, 0, 0, 2, {1, 5000})));      // longer than its count
  EXPECT_FALSE(Parse(Wire(65535, 0, 0, 2, {1, 5000})));  // a negative count
  EXPECT_FALSE(Parse(Wire(1, 0, 0, 0, {10'000})));       // a digit over 9999
  EXPECT_FALSE(Parse(Wire(1, 0, 0, 0, {65'535})));
  EXPECT_FALSE(Parse(Wire(2, 0, 0, 4, {1, 10'000})));
  EXPECT_FALSE(Parse(Wire(1, 0, 0x8000, 0, {1})));  // a sign that is none
  EXPECT_FALSE(Parse(Wire(1, 0, 0x4001, 0, {1})));
  EXPECT_FALSE(Parse(Wire(1, 0, 0, 0x4000, {1})));  // a display scale over the maximum
}

TEST(NumericTest, FitsDecimalsExactlyOrNotAtAll) {
  EXPECT_EQ(Decimal(Wire("123.45"), 5, 2), "12345");
  EXPECT_EQ(Decimal(Wire("123.45"), 4, 2), "does not fit");
  EXPECT_EQ(Decimal(Wire("123.45"), 10, 1), "does not fit");
  EXPECT_EQ(Decimal(Wire("123.40"), 10, 1), "1234");
  EXPECT_EQ(Decimal(Wire("-0.00000001"), 8, 8), "-1");
  EXPECT_EQ(Decimal(Wire("-0.00000001"), 8, 7), "does not fit");
  EXPECT_EQ(Decimal(Wire("0"), 1, 0), "0");
  EXPECT_EQ(Decimal(Wire("1e75"), 76, 0), "1" + std::string(75, '0'));
  EXPECT_EQ(Decimal(Wire("1e76"), 76, 0), "does not fit");
  const std::string nines(76, '9');
  EXPECT_EQ(Decimal(Wire(nines), 76, 0), nines);
  EXPECT_EQ(Decimal(Wire("-" + nines), 76, 0), "-" + nines);
  EXPECT_EQ(Decimal(Wire("-0." + nines), 76, 76), "-" + nines);
}

TEST(NumericTest, AcceptsDigitsTheServerWouldHaveStripped) {
  EXPECT_EQ(Decimal(Wire(4, 2, 0, 0, {0, 0, 7, 0}), 4, 2), "700");
  EXPECT_EQ(Decimal(Wire(3, -1, 0x4000, 0, {0, 0, 0}), 1, 0), "0");
  EXPECT_EQ(Text(Wire(4, 2, 0, 2, {0, 0, 7, 5000})), "7.50");
  EXPECT_EQ(Text(Wire(2, 0, 0x4000, 1, {0, 0})), "0.0");
}

TEST(NumericTest, PrintsAllOfTheDisplayScaleAndNothingBehindIt) {
  EXPECT_EQ(Text(Wire("-1.50")), "-1.50");
  EXPECT_EQ(Text(Wire("10000")), "10000");
  EXPECT_EQ(Text(Wire("0.000")), "0.000");
  EXPECT_EQ(Text(Wire("1e-9")), "0.000000001");
  EXPECT_EQ(Text(Wire("NaN")), "NaN");
  EXPECT_EQ(Text(Wire("-Infinity")), "-Infinity");
  EXPECT_EQ(Text(Wire(2, 0, 0, 1, {1, 5500})), "hidden digits");
  EXPECT_EQ(Text(Wire(3, 0, 0, 4, {1, 5500, 1})), "hidden digits");
  EXPECT_EQ(Text(Wire(1, -3, 0, 4, {1})), "hidden digits");
}

TEST(NumericTest, PrintsTheLargestWithinItsRoom) {
  const std::string text = Text(Wire(1, 32'767, 0x4000, 0x3FFF, {9'999}));
  EXPECT_EQ(text.size(), 1u + 4 * 32'768 + 1 + 16'383);
  EXPECT_EQ(text.substr(0, 6), "-99990");
  EXPECT_EQ(Text(Wire(1, -32'768, 0, 0, {0})), "0");
}

TEST(NumericTest, RoundsDoublesToTheNearest) {
  const auto number = [](const Bytes& bytes) { return ToDouble(*Parse(bytes)); };
  EXPECT_EQ(number(Wire("0.1")), 0.1);
  EXPECT_EQ(number(Wire("-9007199254740993")), -9007199254740992.0);
  EXPECT_EQ(number(Wire("9007199254740993.00000000000000000001")), 9007199254740994.0);
  EXPECT_EQ(number(Wire("0.000")), 0.0);
  EXPECT_EQ(number(Wire("1e-400")), 0.0);
  EXPECT_EQ(number(Wire("1e308")), 1e308);
  EXPECT_EQ(number(Wire("2e308")), std::nullopt);
  EXPECT_EQ(number(Wire("-1e5000")), std::nullopt);
  EXPECT_TRUE(std::isnan(*number(Wire("NaN"))));
  EXPECT_EQ(number(Wire("-Infinity")), -std::numeric_limits<double>::infinity());
}

TEST(NumericTest, IsTheSameTheShortWayAndTheLongWay) {
  std::mt19937_64 random(1);
  int64_t short_ones = 0;
  for (int i = 0; i < 200'000; ++i) {
    const int32_t precision = 1 + static_cast<int32_t>(random() % 38);
    const int32_t scale = static_cast<int32_t>(random() % static_cast<uint64_t>(precision + 1));
    std::vector<uint16_t> digits(random() % 6);
    for (uint16_t& digit : digits) {
      digit = static_cast<uint16_t>(random() % 4 == 0 ? random() % 100 * 100 : random() % 10'001);
    }
    const uint16_t signs[] = {0, 0, 0x4000, 0x4000, 0xC000, 0x0001};
    const Bytes bytes =
        Wire(static_cast<uint16_t>(digits.size()), static_cast<int16_t>(random() % 9) - 4,
             signs[random() % 6], static_cast<uint16_t>(random() % 20), digits);
    std::array<uint8_t, 32> padded;
    padded.fill(0xEE);
    std::copy(bytes.begin(), bytes.end(), padded.begin());
    int64_t value = 0;
    if (!ShortNumeric::Make(precision, scale)
             .Decode(padded.data(), static_cast<int32_t>(bytes.size()), value)) {
      continue;
    }
    ++short_ones;
    ASSERT_EQ(std::to_string(value), Decimal(bytes, precision, scale))
        << "decimal(" << precision << "," << scale << ")";
  }
  EXPECT_GT(short_ones, 5'000);
}

TEST(NumericTest, TakesTheShortWayForMoney) {
  const ShortNumeric money = ShortNumeric::Make(15, 2);
  for (const char* const text : {"0.00", "0.01", "-0.01", "0.10", "1", "99.99", "-9999.00",
                                 "10000.00", "104949.50", "99999999.99", "-999999999999.99"}) {
    Bytes bytes = Wire(text);
    const int32_t size = static_cast<int32_t>(bytes.size());
    bytes.resize(16);
    int64_t value = 0;
    ASSERT_TRUE(money.Decode(bytes.data(), size, value)) << text;
    EXPECT_EQ(value, std::llround(std::stod(text) * 100)) << text;
  }
}

TEST(NumericTest, IsNotFooledByASizeThatDoesNotMatch) {
  Bytes bytes = Wire("12345.67");
  bytes.resize(16);
  int64_t value;
  for (const int32_t size : {-1, 0, 8, 10, 12, 16}) {
    EXPECT_FALSE(ShortNumeric::Make(15, 2).Decode(bytes.data(), size, value)) << size;
  }
  EXPECT_TRUE(ShortNumeric::Make(15, 2).Decode(bytes.data(), 14, value));
}

}  // namespace
}  // namespace levada::pgcopy
