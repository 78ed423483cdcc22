#include "base/timestamp.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/testing.h"

namespace levada {
namespace {

constexpr WallMicros kTime = 1'255'369'830'000'000;  // 2009-10-12T17:50:30Z

TEST(Timestamp, IsReadInAllFormsThatClientsSend) {
  EXPECT_EQ(ParseTimestamp("2009-10-12T17:50:30Z"), kTime);
  EXPECT_EQ(ParseTimestamp("2009-10-12T17:50:30"), kTime);
  EXPECT_EQ(ParseTimestamp("2009-10-12T17:50:30.5Z"), kTime + 500'000);
  EXPECT_EQ(ParseTimestamp("2009-10-12T17:50:30.123456789Z"), kTime + 123'456);
  EXPECT_EQ(ParseTimestamp("2009-10-12T19:50:30+02:00"), kTime);
  EXPECT_EQ(ParseTimestamp("2009-10-12T16:20:30.000-01:30"), kTime);
  EXPECT_EQ(ParseTimestamp("Mon, 12 Oct 2009 17:50:30 GMT"), kTime);
  EXPECT_EQ(ParseTimestamp("2030-01-01"), 1'893'456'000'000'000);
  EXPECT_EQ(ParseTimestamp("2028-02-29"), 1'835'395'200'000'000);
}

TEST(Timestamp, OthersAreRefused) {
  for (const char* text : {"",
                           "20200101",
                           "2020-1-1",
                           "2030-02-29",
                           "2030-13-01",
                           "2030-00-10",
                           "2030-01-00",
                           "0000-01-01",
                           "2030-01-01T",
                           "2030-01-01T24:00:00Z",
                           "2030-01-01T00:60:00Z",
                           "2030-01-01T00:00:60Z",
                           "2030-01-01T00:00Z",
                           "2030-01-01T00:00:00.Z",
                           "2030-01-01T00:00:00.1234567890Z",
                           "2030-01-01T00:00:00ZZ",
                           "2030-01-01T00:00:00+1",
                           "2030-01-01T00:00:00+15:00",
                           "2030-01-01 00:00:00",
                           "12 Oct 2009 17:50:30 GMT",
                           "Mon, 12 Okt 2009 17:50:30 GMT",
                           "Mon, 12 Oct 2009 17:50:30",
                           "Mon",
                           "Mon, ",
                           "Mon, 32 Oct 2009 17:50:30 GMT",
                           "now"}) {
    EXPECT_EQ(ParseTimestamp(text), std::nullopt) << text;
  }
}

TEST(Timestamp, ATextCutAnywhereIsNoOtherTime) {
  const std::string iso = "2009-10-12T17:50:30.250Z";
  for (size_t size = 0; size < iso.size(); ++size) {
    const auto time = ParseTimestamp(iso.substr(0, size));
    if (time) {
      EXPECT_THAT(size, testing::AnyOf(10, 19, 21, 22, 23));
    }
  }
}

TEST(Timestamp, OursIsReadAgain) {
  const auto random = MakeSeededRandom(7);
  for (int i = 0; i < 1000; ++i) {
    const auto time = static_cast<WallMicros>(random->Next() % 4'000'000'000'000'000);
    EXPECT_EQ(ParseTimestamp(FormatTimestamp(time)), time);
  }
}

}  // namespace
}  // namespace levada
