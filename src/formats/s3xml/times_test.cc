#include "formats/s3xml/times.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/testing.h"

namespace levada::s3xml {
namespace {

constexpr WallMicros kTime = 1'255'369'830'000'000;  // 2009-10-12T17:50:30Z

TEST(Times, AreWrittenWithMilliseconds) {
  EXPECT_EQ(FormatTime(kTime), "2009-10-12T17:50:30.000Z");
  EXPECT_EQ(FormatTime(kTime + 123'999), "2009-10-12T17:50:30.123Z");
  EXPECT_EQ(FormatTime(0), "1970-01-01T00:00:00.000Z");
}

TEST(Times, AreReadAsClientsSendThem) {
  EXPECT_EQ(ParseTime("2009-10-12T19:50:30.5+02:00"), kTime + 500'000);
  EXPECT_EQ(ParseTime("Mon, 12 Oct 2009 17:50:30 GMT"), kTime);
  EXPECT_EQ(ParseTime("12 Oct 2009"), std::nullopt);
}

TEST(Times, WhatIsWrittenIsReadAgain) {
  const auto random = MakeSeededRandom(7);
  for (int i = 0; i < 1000; ++i) {
    const auto time = static_cast<WallMicros>(random->Next() % 4'000'000'000'000) * 1000;
    EXPECT_EQ(ParseTime(FormatTime(time)), time);
  }
}

}  // namespace
}  // namespace levada::s3xml
