#include "base/clock.h"

#include <limits>
#include <set>
#include <thread>

#include "base/testing.h"

namespace levada {
namespace {

using std::chrono::microseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

TEST(ManualClock, StandsUntilItIsMoved) {
  ManualClock clock(1000);
  const SteadyTime before = clock.Steady();
  EXPECT_EQ(clock.Now(), 1000);
  clock.Advance(5);
  EXPECT_EQ(clock.Now(), 1005);
  EXPECT_EQ(clock.Steady() - before, microseconds(5));
  clock.Set(1);
  EXPECT_EQ(clock.Now(), 1);
  EXPECT_EQ(clock.Steady() - before, microseconds(5));
}

TEST(ManualClock, SleepingMovesItAtLeastThatFar) {
  const ManualClock clock(0);
  EXPECT_TRUE(clock.SleepUntil(clock.Steady() + seconds(60), {}));
  EXPECT_EQ(clock.Now(), 60'000'000);
  const SteadyTime odd = clock.Steady() + nanoseconds(1);
  EXPECT_TRUE(clock.SleepUntil(odd, {}));
  EXPECT_GE(clock.Steady(), odd);
  EXPECT_TRUE(clock.SleepUntil(clock.Steady() - seconds(1), {}));
  EXPECT_EQ(clock.Now(), 60'000'001);
}

TEST(ManualClock, AStopEndsTheSleepWhereItBegan) {
  std::stop_source stop;
  stop.request_stop();
  const ManualClock clock(0);
  EXPECT_FALSE(clock.SleepUntil(clock.Steady() + seconds(1), stop.get_token()));
  EXPECT_EQ(clock.Now(), 0);
}

TEST(ManualClock, SleepingForeverDoesNotOverflow) {
  const ManualClock clock(0);
  EXPECT_TRUE(clock.SleepUntil(SteadyTime::max(), {}));
  EXPECT_TRUE(clock.SleepUntil(SteadyTime::max(), {}));
}

TEST(SystemClock, SleepsUntilATimeThatHasPassed) {
  const auto clock = MakeSystemClock();
  EXPECT_TRUE(clock->SleepUntil(clock->Steady(), {}));
  EXPECT_GT(clock->Now(), 1'700'000'000'000'000);
}

TEST(SystemClock, AStopFromAnotherThreadEndsASleepWithoutEnd) {
  const auto clock = MakeSystemClock();
  std::stop_source stop;
  std::jthread stopper([&] { stop.request_stop(); });
  EXPECT_FALSE(clock->SleepUntil(SteadyTime::max(), stop.get_token()));
}

TEST(FormatTimestamp, PrintsMicrosecondsInUtc) {
  EXPECT_EQ(FormatTimestamp(0), "1970-01-01T00:00:00.000000Z");
  EXPECT_EQ(FormatTimestamp(1'795'363'492'123'456), "2026-11-22T16:04:52.123456Z");
  EXPECT_EQ(FormatTimestamp(951'782'400'000'000), "2000-02-29T00:00:00.000000Z");
  EXPECT_EQ(FormatTimestamp(-1), "1969-12-31T23:59:59.999999Z");
  EXPECT_EQ(FormatTimestamp(253'402'300'799'999'999), "9999-12-31T23:59:59.999999Z");
}

TEST(FormatTimestamp, YearsOutsideFourDigitsCarryTheirSign) {
  EXPECT_EQ(FormatTimestamp(253'402'300'800'000'000), "+10000-01-01T00:00:00.000000Z");
  EXPECT_EQ(FormatTimestamp(-62'167'219'200'000'000), "0000-01-01T00:00:00.000000Z");
  EXPECT_EQ(FormatTimestamp(-62'167'219'200'000'001), "-0001-12-31T23:59:59.999999Z");
  EXPECT_EQ(FormatTimestamp(std::numeric_limits<int64_t>::max()), "+294247-01-10T04:00:54.775807Z");
  EXPECT_EQ(FormatTimestamp(std::numeric_limits<int64_t>::min()), "-290308-12-21T19:59:05.224192Z");
}

TEST(SeededRandom, GivesTheSameNumbersEverywhere) {
  // The first numbers of splitmix64 from state 1234567, as its authors' own splitmix64.c prints
  // them.
  const auto random = MakeSeededRandom(1234567);
  EXPECT_EQ(random->Next(), 6457827717110365317u);
  EXPECT_EQ(random->Next(), 3203168211198807973u);
  EXPECT_EQ(random->Next(), 9817491932198370423u);
}

TEST(SystemRandom, DoesNotRepeatItself) {
  const auto random = MakeSystemRandom();
  std::set<uint64_t> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(random->Next());
  EXPECT_EQ(seen.size(), 1000u);
}

TEST(NewId, IsSixteenHexDigits) {
  class Small final : public Random {
   public:
    uint64_t Next() override { return 0xab; }
  } small;
  EXPECT_EQ(NewId(small), "00000000000000ab");
}

}  // namespace
}  // namespace levada
