#include "base/quantity.h"

#include <cmath>
#include <limits>

#include "base/testing.h"

namespace levada {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;

constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
constexpr int64_t kLeast = std::numeric_limits<int64_t>::min();

TEST(ParseBytes, ReadsWhatPeopleWrite) {
  const std::pair<const char*, int64_t> cases[] = {
      {"0", 0},
      {"512", 512},
      {"512 B", 512},
      {"64KiB", 64 << 10},
      {"64kib", 64 << 10},
      {"1.5 GiB", int64_t{3} << 29},
      {"10MB", 10'000'000},
      {"8G", int64_t{8} << 30},
      {"1k", 1024},
      {"1TB", 1'000'000'000'000},
      {" 2 MiB ", 2 << 20},
      {"0.1KiB", 102},
      {"1.999999999999999999KB", 1999},
      {"9223372036854775807", kMost},
      {"8191.9 PiB", 9223259446864091545},
  };
  for (const auto& [text, bytes] : cases) {
    const auto parsed = ParseBytes(text);
    ASSERT_THAT(parsed, IsOk()) << text;
    EXPECT_EQ(*parsed, bytes) << text;
  }
}

TEST(ParseBytes, RefusesEverythingElse) {
  for (const char* text : {"",
                           " ",
                           "-1",
                           "+1",
                           "MiB",
                           "1.",
                           ".5",
                           "1.5",
                           "1.5B",
                           "1e3",
                           "0x10",
                           "1 M B",
                           "1MiBs",
                           "1,5G",
                           "9223372036854775808",
                           "8192PiB",
                           "99999999999999999999",
                           "12345678901234567890G",
                           "1..2K",
                           "ten",
                           "1\nK",
                           "1\xc3\xa9"}) {
    EXPECT_THAT(ParseBytes(text), FailsWith(FaultCode::kBadValue)) << text;
  }
  EXPECT_THAT(ParseBytes(std::string_view("1\0K", 3)), FailsWith(FaultCode::kBadValue));
}

TEST(ParseBytes, TellsWhatWasWrittenAndHowToWriteIt) {
  const Fault fault = FaultOf(ParseBytes("-1").status());
  EXPECT_THAT(fault.message(), testing::HasSubstr("\"-1\""));
  EXPECT_THAT(fault.help(), testing::HasSubstr("256MiB"));
}

TEST(FormatBytes, ShowsOneDecimalUnlessExact) {
  EXPECT_EQ(FormatBytes(0), "0 B");
  EXPECT_EQ(FormatBytes(812), "812 B");
  EXPECT_EQ(FormatBytes(1023), "1023 B");
  EXPECT_EQ(FormatBytes(1024), "1 KiB");
  EXPECT_EQ(FormatBytes(256 << 20), "256 MiB");
  EXPECT_EQ(FormatBytes(156'552'397), "149.3 MiB");
  EXPECT_EQ(FormatBytes((1 << 20) - 1), "1.0 MiB");
  EXPECT_EQ(FormatBytes(-1536), "-1.5 KiB");
  EXPECT_EQ(FormatBytes(kMost), "8.0 EiB");
  EXPECT_EQ(FormatBytes(kLeast), "-8 EiB");
}

TEST(ParseDuration, ReadsWhatPeopleWrite) {
  const std::pair<const char*, nanoseconds> cases[] = {
      {"250ms", 250ms},     {"30s", 30s},
      {"5m", 5min},         {"2h", 2h},
      {"1d", 24h},          {"1h30m", 90min},
      {"1h 30m 5s", 5405s}, {"1.5s", 1500ms},
      {"0s", 0s},           {"10us", 10us},
      {"7ns", 7ns},         {" 3 s ", 3s},
      {"1D", 24h},          {"106751d", 106751 * 24h},
  };
  for (const auto& [text, duration] : cases) {
    const auto parsed = ParseDuration(text);
    ASSERT_THAT(parsed, IsOk()) << text;
    EXPECT_EQ(*parsed, duration) << text;
  }
}

TEST(ParseDuration, RefusesEverythingElse) {
  for (const char* text : {"", " ", "0", "30", "-5s", "s", "5 minutes", "30m1h", "1h1h", "1h 30",
                           "1hm", "106752d", "999999999999999999d", "1e3s", "5s.", "1y"}) {
    EXPECT_THAT(ParseDuration(text), FailsWith(FaultCode::kBadValue)) << text;
  }
}

TEST(FormatDuration, ShowsTwoUnitsAtMost) {
  EXPECT_EQ(FormatDuration(0ns), "0s");
  EXPECT_EQ(FormatDuration(999ns), "999ns");
  EXPECT_EQ(FormatDuration(12us), "12us");
  EXPECT_EQ(FormatDuration(820ms), "820ms");
  EXPECT_EQ(FormatDuration(999'499us), "999ms");
  EXPECT_EQ(FormatDuration(999'500us), "1.0s");
  EXPECT_EQ(FormatDuration(1s), "1s");
  EXPECT_EQ(FormatDuration(4'799ms), "4.8s");
  EXPECT_EQ(FormatDuration(59'949ms), "59.9s");
  EXPECT_EQ(FormatDuration(59'950ms), "1m00s");
  EXPECT_EQ(FormatDuration(125s), "2m05s");
  EXPECT_EQ(FormatDuration(3599s + 500ms), "1h00m");
  EXPECT_EQ(FormatDuration(5h + 31min), "5h31m");
  EXPECT_EQ(FormatDuration(24h), "1d00h");
  EXPECT_EQ(FormatDuration(-4'800ms), "-4.8s");
  EXPECT_EQ(FormatDuration(nanoseconds::max()), "106752d00h");
  EXPECT_EQ(FormatDuration(nanoseconds::min()), "-106752d00h");
}

TEST(FormatCount, GroupsByThree) {
  EXPECT_EQ(FormatCount(0), "0");
  EXPECT_EQ(FormatCount(999), "999");
  EXPECT_EQ(FormatCount(1000), "1,000");
  EXPECT_EQ(FormatCount(6'001'215), "6,001,215");
  EXPECT_EQ(FormatCount(-123'456), "-123,456");
  EXPECT_EQ(FormatCount(kLeast), "-9,223,372,036,854,775,808");
}

TEST(FormatRate, ShowsThreeSignificantDigits) {
  EXPECT_EQ(FormatRate(0), "0");
  EXPECT_EQ(FormatRate(5), "5");
  EXPECT_EQ(FormatRate(9.46), "9.46");
  EXPECT_EQ(FormatRate(14.32), "14.3");
  EXPECT_EQ(FormatRate(999.4), "999");
  EXPECT_EQ(FormatRate(999.6), "1.00k");
  EXPECT_EQ(FormatRate(911'900), "912k");
  EXPECT_EQ(FormatRate(1'430'000), "1.43M");
  EXPECT_EQ(FormatRate(12.35e6), "12.3M");
  EXPECT_EQ(FormatRate(19.8e9), "19.8G");
  EXPECT_EQ(FormatRate(-1), "?");
  EXPECT_EQ(FormatRate(std::nan("")), "?");
  EXPECT_EQ(FormatRate(std::numeric_limits<double>::infinity()), "?");
}

}  // namespace
}  // namespace levada
