#include "formats/pgcopy/text_form.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <limits>
#include <string>

#include "formats/pgcopy/wire.h"

namespace levada::pgcopy {
namespace {

template <typename Render, typename... Arguments>
std::string Text(Render render, Arguments... arguments) {
  char text[kTextFormSizeMax];
  return std::string(text, render(arguments..., text));
}

std::string ByChrono(int32_t days_since_2000) {
  using std::chrono::days, std::chrono::sys_days, std::chrono::year_month_day;
  const year_month_day date(sys_days(days(days_since_2000 + kDaysTo2000)));
  const int year = static_cast<int>(date.year());
  char text[40];
  std::snprintf(text, sizeof(text), "%04d-%02u-%02u%s", year > 0 ? year : 1 - year,
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                year > 0 ? "" : " BC");
  return text;
}

TEST(TextFormTest, PrintsEveryDayOfTheErasAroundTheFirst) {
  // 500 BC to AD 500 holds each leap rule, and the year there is not.
  for (int32_t day = -730'000 - 183'000; day < -730'000 + 183'000; ++day) {
    ASSERT_EQ(Text(RenderDate, day), ByChrono(day));
  }
}

TEST(TextFormTest, PrintsDaysAsChronoDoesAsFarAsItGoes) {
  for (int32_t day = -2'440'000; day < 10'957'000; day += 97) {
    ASSERT_EQ(Text(RenderDate, day), ByChrono(day));
  }
}

TEST(TextFormTest, PrintsTheEdgesOfDates) {
  EXPECT_EQ(Text(RenderDate, kDateMin), "4714-11-24 BC");
  EXPECT_EQ(Text(RenderDate, kDateEnd - 1), "5874897-12-31");
  EXPECT_EQ(Text(RenderDate, std::numeric_limits<int32_t>::max()), "infinity");
  EXPECT_EQ(Text(RenderDate, std::numeric_limits<int32_t>::min()), "-infinity");
}

TEST(TextFormTest, PrintsTimestampsOnBothSidesOfMidnightAndEras) {
  EXPECT_EQ(Text(RenderTimestamp, int64_t{-1}, false), "1999-12-31 23:59:59.999999");
  EXPECT_EQ(Text(RenderTimestamp, int64_t{0}, true), "2000-01-01 00:00:00+00");
  EXPECT_EQ(Text(RenderTimestamp, kTimestampMin, true), "4714-11-24 00:00:00+00 BC");
  EXPECT_EQ(Text(RenderTimestamp, kTimestampEnd - 1, false), "294276-12-31 23:59:59.999999");
}

TEST(TextFormTest, PrintsFractionsWithoutTrailingZeros) {
  EXPECT_EQ(Text(RenderTime, int64_t{0}), "00:00:00");
  EXPECT_EQ(Text(RenderTime, int64_t{1}), "00:00:00.000001");
  EXPECT_EQ(Text(RenderTime, int64_t{100'000}), "00:00:00.1");
  EXPECT_EQ(Text(RenderTime, kMicrosPerDay), "24:00:00");
}

TEST(TextFormTest, KeepsThePartsOfAnIntervalApart) {
  EXPECT_EQ(Text(RenderInterval, 0, 0, int64_t{0}), "PT0S");
  EXPECT_EQ(Text(RenderInterval, 1, 2, int64_t{11'045'000'000}), "P1M2DT3H4M5S");
  EXPECT_EQ(Text(RenderInterval, -14, 40, int64_t{-1}), "P-1Y-2M40DT-0.000001S");
  EXPECT_EQ(Text(RenderInterval, 0, 0, std::numeric_limits<int64_t>::min()),
            "PT-2562047788H-54.775808S");
  EXPECT_EQ(Text(RenderInterval, std::numeric_limits<int32_t>::min(), 0, int64_t{0}),
            "P-178956970Y-8M");
}

TEST(TextFormTest, FitsTheLongestIntervalIntoItsRoom) {
  const std::string text =
      Text(RenderInterval, std::numeric_limits<int32_t>::min() + 1,
           std::numeric_limits<int32_t>::min(), std::numeric_limits<int64_t>::min() + 1);
  EXPECT_EQ(text, "P-178956970Y-7M-2147483648DT-2562047788H-54.775807S");
  EXPECT_LT(text.size(), static_cast<size_t>(kTextFormSizeMax));
}

TEST(TextFormTest, KnowsTheInfiniteIntervals) {
  constexpr int32_t kLow = std::numeric_limits<int32_t>::min();
  constexpr int32_t kHigh = std::numeric_limits<int32_t>::max();
  constexpr int64_t kLowest = std::numeric_limits<int64_t>::min();
  constexpr int64_t kHighest = std::numeric_limits<int64_t>::max();
  EXPECT_EQ(Text(RenderInterval, kHigh, kHigh, kHighest), "infinity");
  EXPECT_EQ(Text(RenderInterval, kLow, kLow, kLowest), "-infinity");
  EXPECT_FALSE(IsInfiniteInterval(kHigh, kHigh, kHighest - 1));
  EXPECT_FALSE(IsInfiniteInterval(kLow, kHigh, kHighest));
}

TEST(TextFormTest, PrintsInternalCharsAsTheServerDoes) {
  EXPECT_EQ(Text(RenderInternalChar, uint8_t{0}), "");
  EXPECT_EQ(Text(RenderInternalChar, uint8_t{'a'}), "a");
  EXPECT_EQ(Text(RenderInternalChar, uint8_t{0xC3}), "\\303");
  EXPECT_EQ(Text(RenderInternalChar, uint8_t{0xFF}), "\\377");
}

}  // namespace
}  // namespace levada::pgcopy
