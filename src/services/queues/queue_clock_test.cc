#include "services/queues/queue_clock.h"

#include <gtest/gtest.h>

namespace levada::services::queues {
namespace {

constexpr WallMicros kSecond = 1'000'000;

TEST(QueueClock, GoesOnWhateverIsDoneToTheMachinesClock) {
  ManualClock set(1000 * kSecond);
  const QueueClock clock(set, 0);
  EXPECT_EQ(clock.NowMs(), 1'000'000);
  set.Advance(5 * kSecond);
  EXPECT_EQ(clock.NowMs(), 1'005'000);
  set.Set(1 * kSecond);
  EXPECT_EQ(clock.NowMs(), 1'005'000);
  EXPECT_EQ(clock.WallMs(), 1000);
  set.Set(9'000'000 * kSecond);
  set.Advance(1 * kSecond);
  EXPECT_EQ(clock.NowMs(), 1'006'000);
}

TEST(QueueClock, BeginsNoEarlierThanTheStoreHasSeen) {
  const ManualClock machine(1000 * kSecond);
  EXPECT_EQ(QueueClock(machine, 2'000'000).NowMs(), 2'000'000);
  EXPECT_EQ(QueueClock(machine, 500'000).NowMs(), 1'000'000);
}

}  // namespace
}  // namespace levada::services::queues
