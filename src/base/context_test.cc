#include "base/context.h"

#include <limits>

#include "base/testing.h"

namespace levada {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

TEST(Context, ChecksTheStopBeforeTheDeadline) {
  TestContext test;
  Context ctx = test.context();
  EXPECT_THAT(ctx.Check(), IsOk());
  ctx.deadline = test.clock.Steady();
  EXPECT_THAT(ctx.Check(), FailsWith(FaultCode::kSourceTimeout));
  test.stop.request_stop();
  EXPECT_THAT(ctx.Check(), FailsWith(FaultCode::kStopped));
}

TEST(Context, WithinKeepsTheEarlierDeadline) {
  TestContext test;
  const Context ctx = test.context();
  const Context narrow = ctx.Within(seconds(5));
  EXPECT_EQ(narrow.deadline, test.clock.Steady() + seconds(5));
  EXPECT_EQ(narrow.Within(seconds(9)).deadline, narrow.deadline);
  EXPECT_EQ(narrow.Within(seconds(2)).deadline, test.clock.Steady() + seconds(2));
  EXPECT_EQ(ctx.Within(seconds(-1)).deadline, test.clock.Steady());
  EXPECT_EQ(ctx.deadline, SteadyTime::max());
}

TEST(Context, WithinALimitBeyondTimeIsNoLimit) {
  TestContext test;
  test.clock.Advance(1);
  EXPECT_EQ(test.context().Within(nanoseconds::max()).deadline, SteadyTime::max());
}

TEST(Context, PollTimeoutsAreRoundedUpAndStayWithinTheirLimit) {
  TestContext test;
  Context ctx = test.context();
  EXPECT_EQ(ctx.PollTimeoutMs(700), 700);
  EXPECT_EQ(ctx.PollTimeoutMs(-1), 0);
  ctx.deadline = test.clock.Steady() + milliseconds(500);
  EXPECT_EQ(ctx.PollTimeoutMs(700), 500);
  EXPECT_EQ(ctx.PollTimeoutMs(100), 100);
  test.clock.Advance(499'900);
  EXPECT_EQ(ctx.PollTimeoutMs(700), 1);
  test.clock.Advance(100);
  EXPECT_EQ(ctx.PollTimeoutMs(700), 0);
  test.clock.Advance(1'000'000);
  EXPECT_EQ(ctx.PollTimeoutMs(700), 0);
  ctx.deadline = SteadyTime::max() - nanoseconds(1);
  EXPECT_EQ(ctx.PollTimeoutMs(std::numeric_limits<int>::max()), std::numeric_limits<int>::max());
}

TEST(Context, WithoutAClockTheMachinesIsUsed) {
  Context ctx;
  ctx.deadline = SteadyTime::min();
  EXPECT_THAT(ctx.Check(), FailsWith(FaultCode::kSourceTimeout));
}

TEST(Counters, AddEachValueToATotal) {
  Counters one, total;
  std::atomic<int64_t>* const values[] = {
      &one.rows_read,     &one.bytes_read,    &one.rows_written,   &one.bytes_written,
      &one.rows_filtered, &one.rows_rejected, &one.source_wait_ns, &one.decode_ns,
      &one.transform_ns,  &one.encode_ns,     &one.target_wait_ns};
  int64_t number = 1;
  for (auto* value : values) *value = number++;
  one.AddTo(total);
  one.AddTo(total);
  EXPECT_EQ(total.rows_read, 2);
  EXPECT_EQ(total.bytes_read, 4);
  EXPECT_EQ(total.rows_written, 6);
  EXPECT_EQ(total.bytes_written, 8);
  EXPECT_EQ(total.rows_filtered, 10);
  EXPECT_EQ(total.rows_rejected, 12);
  EXPECT_EQ(total.source_wait_ns, 14);
  EXPECT_EQ(total.decode_ns, 16);
  EXPECT_EQ(total.transform_ns, 18);
  EXPECT_EQ(total.encode_ns, 20);
  EXPECT_EQ(total.target_wait_ns, 22);
}

TEST(Timed, OnlyEverAdds) {
  std::atomic<int64_t> counter{7};
  {
    const Timed timed(counter);
  }
  EXPECT_GE(counter.load(), 7);
}

}  // namespace
}  // namespace levada
