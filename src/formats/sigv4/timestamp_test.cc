#include "formats/sigv4/timestamp.h"

#include <gtest/gtest.h>

namespace levada::sigv4 {
namespace {

constexpr int64_t kExample = 1'369'353'600;  // date -d 2013-05-24T00:00:00Z +%s

TEST(TimestampTest, ReadsTheFormOfXAmzDate) {
  EXPECT_EQ(ParseTimestamp("20130524T000000Z"), kExample);
  EXPECT_EQ(ParseTimestamp("19700101T000001Z"), 1);
  EXPECT_EQ(ParseTimestamp("20240229T235959Z"), 1'709'251'199);
  for (const char* text :
       {"", "20130524", "20130524T000000", "20130524T000000z", "2013-05-24T00:00:00Z",
        "20130524T000000Z ", " 20130524T000000Z", "20130524T00000Z", "20130524 000000Z",
        "20230229T000000Z", "20131301T000000Z", "20130532T000000Z", "20130500T000000Z",
        "20130524T240000Z", "20130524T006000Z", "20130524T000060Z", "00000524T000000Z",
        "2013052+T000000Z", "20130524T000000Z0"}) {
    EXPECT_EQ(ParseTimestamp(text), std::nullopt) << text;
  }
}

TEST(TimestampTest, ReadsADay) {
  EXPECT_EQ(ParseDay("20130524"), kExample);
  for (const char* text :
       {"", "2013052", "201305240", "20130524T", "20130524T000000Z", "20130230"}) {
    EXPECT_EQ(ParseDay(text), std::nullopt) << text;
  }
}

TEST(TimestampTest, ReadsTheDateOfHttp) {
  EXPECT_EQ(ParseHttpDate("Fri, 24 May 2013 00:00:00 GMT"), kExample);
  EXPECT_EQ(ParseHttpDate("Fri, 24 May 2013 00:00:00 +0000"), kExample);
  EXPECT_EQ(ParseHttpDate("Fri, 24 May 2013 00:00:00 -0000"), kExample);
  EXPECT_EQ(ParseHttpDate("20130524T000000Z"), kExample);
  for (const char* text : {"", "Fri, 24 May 2013 00:00:00", "Fri, 24 May 2013 00:00:00 UTC",
                           "24 May 2013 00:00:00 GMT", "Friday, 24-May-13 00:00:00 GMT",
                           "Fri May 24 00:00:00 2013", "Fri, 31 Jun 2013 00:00:00 GMT",
                           "Fri, 24 may 2013 00:00:00 GMT", "Fri, 24 May 2013 00:00:00 GMT+1",
                           "Fri, 24 May 2013 00:00:00 +0100", "Fri, 24 May 2013 00:00:00GMT"}) {
    EXPECT_EQ(ParseHttpDate(text), std::nullopt) << text;
  }
}

TEST(TimestampTest, WritesWhatItReads) {
  for (const int64_t seconds :
       {int64_t{0}, kExample, int64_t{1'709'251'199}, int64_t{253402300799}}) {
    EXPECT_EQ(ParseTimestamp(FormatTimestamp(seconds)), seconds);
  }
  EXPECT_EQ(FormatTimestamp(kExample), "20130524T000000Z");
  EXPECT_EQ(FormatErrorTime(kExample + 3'661), "2013-05-24T01:01:01Z");
}

}  // namespace
}  // namespace levada::sigv4
