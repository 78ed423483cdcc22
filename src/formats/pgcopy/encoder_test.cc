#include "formats/pgcopy/encoder.h"

#include <gtest/gtest.h>

#include "formats/pgcopy/captured.h"

namespace levada::pgcopy {
namespace {

/// The stream of one column of texts, each put by `put`.
template <typename Put>
std::vector<uint8_t> OneColumn(const Capture& capture, Put put) {
  Encoder encoder;
  encoder.Header();
  for (const auto& row : capture.rows) {
    encoder.BeginTuple(1);
    if (row[0]) {
      put(encoder, *row[0]);
    } else {
      encoder.Null();
    }
  }
  encoder.Trailer();
  return encoder.Take();
}

TEST(EncoderTest, WritesNumericsAsTheServerDoes) {
  for (const char* const name : {"numeric_15_2", "numeric_wide", "numeric_as_string"}) {
    const Capture capture = ReadCapture(name);
    EXPECT_EQ(OneColumn(capture,
                        [](Encoder& encoder, const std::string& text) {
                          ASSERT_TRUE(encoder.Numeric(text).ok()) << text;
                        }),
              capture.stream)
        << name;
  }
}

TEST(EncoderTest, WritesJsonbAsTheServerDoes) {
  const Capture capture = ReadCapture("jsonb");
  EXPECT_EQ(
      OneColumn(capture, [](Encoder& encoder, const std::string& text) { encoder.Jsonb(text); }),
      capture.stream);
}

TEST(EncoderTest, WritesNumbersOfAllWidthsAsTheServerDoes) {
  const Capture capture = ReadCapture("bool_and_int");
  Encoder encoder;
  encoder.Header();
  for (const auto& row : capture.rows) {
    encoder.BeginTuple(5);
    row[0] ? encoder.Bool(*row[0] == "t") : encoder.Null();
    row[1] ? encoder.Int2(static_cast<int16_t>(std::stol(*row[1]))) : encoder.Null();
    row[2] ? encoder.Int4(static_cast<int32_t>(std::stol(*row[2]))) : encoder.Null();
    row[3] ? encoder.Int8(std::stoll(*row[3])) : encoder.Null();
    row[4] ? encoder.Oid(static_cast<uint32_t>(std::stoul(*row[4]))) : encoder.Null();
  }
  encoder.Trailer();
  EXPECT_EQ(encoder.Take(), capture.stream);
}

TEST(EncoderTest, WritesArraysAsTheServerDoes) {
  const Capture capture = ReadCapture("array_lower_bound");
  Encoder encoder;
  encoder.Header();
  encoder.BeginTuple(1);
  encoder.BeginArray(23, 3, true, 5);
  encoder.Int4(1);
  encoder.Null();
  encoder.Int4(3);
  encoder.EndArray();
  encoder.BeginTuple(1);
  encoder.BeginArray(23, 2, false, -1);
  encoder.Int4(8);
  encoder.Int4(9);
  encoder.EndArray();
  encoder.Trailer();
  EXPECT_EQ(encoder.Take(), capture.stream);
}

TEST(EncoderTest, RefusesTextThatIsNoNumber) {
  Encoder encoder;
  for (const char* const text : {"", "-", ".", "1.2.3", "1e", "1e1x", "0x10", " 1", "nan",
                                 "1e200000", "1e-16384", "1e131072"}) {
    EXPECT_EQ(CodeOf(encoder.Numeric(text)), FaultCode::kBadValue) << text;
  }
  EXPECT_TRUE(encoder.bytes().empty());
  EXPECT_TRUE(encoder.Numeric("1e131071").ok());
  EXPECT_TRUE(encoder.Numeric("1e-16383").ok());
}

TEST(EncoderTest, RefusesDatesAndTimesThatPostgresDoesNotHave) {
  Encoder encoder;
  EXPECT_EQ(CodeOf(encoder.Date(INT32_MIN)), FaultCode::kBadValue);
  EXPECT_EQ(CodeOf(encoder.Date(INT32_MAX)), FaultCode::kBadValue);
  EXPECT_EQ(CodeOf(encoder.Time(-1)), FaultCode::kBadValue);
  EXPECT_EQ(CodeOf(encoder.Time(86'400'000'001)), FaultCode::kBadValue);
  EXPECT_EQ(CodeOf(encoder.Timestamp(INT64_MIN)), FaultCode::kBadValue);
  EXPECT_TRUE(encoder.bytes().empty());
  EXPECT_TRUE(encoder.Timestamp(INT64_MAX).ok());
}

}  // namespace
}  // namespace levada::pgcopy
