#include <gtest/gtest.h>

#include "app/progress_model.h"
#include "app/progress_text.h"

namespace levada::app {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

SteadyTime At(milliseconds since_start) { return SteadyTime(since_start + seconds(100)); }

/// A pipeline of one run with 1,000,000 estimated rows, one attempt in flight.
struct OneRun {
  explicit OneRun(int64_t estimated_rows = 1'000'000, int runs = 1) {
    model.InvocationBegins("orders", runs, At(milliseconds(0)));
    model.RunBegins({"orders", "2026-01-14", 1, 0, estimated_rows}, At(milliseconds(0)));
    model.AttemptBegins("2026-01-14", &counters);
  }
  Counters counters;
  ProgressModel model;
};

std::string Text(const ProgressView& view, int width = 200) {
  std::string text;
  for (const std::string& line :
       ProgressLines(view, {.color = false, .utf8 = false, .width = width})) {
    text += line + "\n";
  }
  return text;
}

TEST(Progress, ShowsNothingBetweenInvocations) {
  ProgressModel model;
  EXPECT_FALSE(model.Look(At(milliseconds(0))).has_value());
  OneRun one;
  one.model.InvocationEnds();
  EXPECT_FALSE(one.model.Look(At(milliseconds(100))).has_value());
}

TEST(Progress, ComputesFractionRateAndTimeLeft) {
  OneRun one;
  one.model.Look(At(milliseconds(0)));
  one.counters.rows_read = 500'000;
  one.counters.bytes_read = 100'000'000;
  one.counters.source_wait_ns = 1'800'000'000;
  one.counters.encode_ns = 400'000'000;
  const auto view = one.model.Look(At(seconds(2)));
  ASSERT_TRUE(view.has_value());
  EXPECT_DOUBLE_EQ(*view->fraction, 0.5);
  EXPECT_DOUBLE_EQ(view->rows_per_second, 250'000);
  EXPECT_DOUBLE_EQ(view->bytes_per_second, 50'000'000);
  EXPECT_EQ(view->bottleneck, Bottleneck::kSource);
  ASSERT_TRUE(view->time_left.has_value());
  EXPECT_EQ(*view->time_left, seconds(2));
  EXPECT_EQ(Text(*view),
            "orders  [############............]   50 %  500,000 rows  250k rows/s  47.7 MiB/s  "
            "2s left  limited by source\n");
}

TEST(Progress, NamesTheSideThatTheOthersWaitFor) {
  OneRun one;
  one.model.Look(At(milliseconds(0)));
  one.counters.target_wait_ns = 900;
  one.counters.encode_ns = 800;
  EXPECT_EQ(one.model.Look(At(seconds(1)))->bottleneck, Bottleneck::kTarget);
  one.counters.encode_ns = 10'000;
  EXPECT_EQ(one.model.Look(At(seconds(2)))->bottleneck, Bottleneck::kEncode);
}

TEST(Progress, RatesFollowTheLastSecondsOnly) {
  OneRun one;
  for (int second = 0; second <= 10; ++second) {
    one.counters.rows_read = 1000 * second;
    one.model.Look(At(seconds(second)));
  }
  for (int second = 11; second <= 20; ++second) {
    one.counters.rows_read = 10'000 + 100 * (second - 10);
    one.model.Look(At(seconds(second)));
  }
  EXPECT_DOUBLE_EQ(one.model.Look(At(seconds(20)))->rows_per_second, 100);
}

TEST(Progress, HasNoBarWithoutAnEstimate) {
  OneRun one(-1);
  one.counters.rows_read = 5;
  const auto view = one.model.Look(At(seconds(2)));
  EXPECT_FALSE(view->fraction.has_value());
  EXPECT_FALSE(view->time_left.has_value());
  EXPECT_EQ(Text(*view).find('['), std::string::npos);
}

TEST(Progress, NeverClaimsToBeDoneWhileRowsArrive) {
  OneRun one(1000);
  one.counters.rows_read = 5000;
  EXPECT_LT(*one.model.Look(At(seconds(2)))->fraction, 1);
}

TEST(Progress, SaysAHundredPercentOnlyAtTheEnd) {
  ProgressView view;
  view.pipeline = "orders";
  view.fraction = 0.996;
  EXPECT_NE(Text(view).find(" 99 %"), std::string::npos) << Text(view);
}

TEST(Progress, CountsWindowsAndShowsTheOneThatTakesLong) {
  OneRun one(1000, 4);
  EXPECT_EQ(one.model.RunEnds("2026-01-14", At(milliseconds(0))).label, "2026-01-14");
  one.model.RunBegins({"orders", "2026-01-15", 3, 1, 1000}, At(seconds(1)));
  Counters counters;
  counters.rows_read = 500;
  one.model.AttemptBegins("2026-01-15", &counters);
  auto view = one.model.Look(At(seconds(1)));
  EXPECT_DOUBLE_EQ(*view->fraction, 1.5 / 4);
  EXPECT_EQ(Text(*view), "orders  [#########...............]   37 %  1/4 windows  500 rows\n");
  view = one.model.Look(At(seconds(3)));
  EXPECT_NE(Text(*view).find("\n  2026-01-15   50 %  500 rows  1/3 partitions\n"),
            std::string::npos)
      << Text(*view);
}

TEST(Progress, KeepsTheRowsOfAttemptsThatEnded) {
  OneRun one;
  one.counters.rows_read = 600;
  one.model.AttemptEnds("2026-01-14", &one.counters, Status::OK(), -1, At(seconds(1)));
  EXPECT_EQ(one.model.Look(At(seconds(1)))->runs.front().rows, 600);
  EXPECT_EQ(one.model.Look(At(seconds(1)))->runs.front().partitions_done, 1);
}

TEST(Progress, AFailedAttemptStartsAgainFromZeroAndSaysWhy) {
  OneRun one;
  one.counters.rows_read = 600;
  one.model.AttemptEnds("2026-01-14", &one.counters,
                        Fault(FaultCode::kSourceConnectionLost, "the server closed the connection"),
                        4000, At(seconds(1)));
  auto view = one.model.Look(At(seconds(1)));
  EXPECT_EQ(view->runs.front().rows, 0);
  EXPECT_NE(Text(*view).find("trying again in 4s: the server closed the connection"),
            std::string::npos)
      << Text(*view);
  view = one.model.Look(At(seconds(9)));
  EXPECT_TRUE(view->runs.front().trouble.empty());
}

TEST(Progress, ShowsTheSpeedInALineOfItsOwnWhereTheTerminalIsNarrow) {
  OneRun one(1'000'000, 30);
  one.model.Look(At(milliseconds(0)));
  one.counters.rows_read = 500'000;
  one.counters.bytes_read = 100'000'000;
  one.counters.source_wait_ns = 1'000'000'000;
  const auto view = one.model.Look(At(seconds(2)));
  const std::string text = Text(*view, 80);
  EXPECT_NE(text.find("0/30 windows\n  500,000 rows  250k rows/s  47.7 MiB/s  1m58s left  "
                      "limited by source\n"),
            std::string::npos)
      << text;
}

TEST(Progress, NoLineIsWiderThanTheTerminal) {
  OneRun one;
  one.model.Look(At(milliseconds(0)));
  one.counters.rows_read = 500'000;
  one.counters.bytes_read = 1'000'000;
  const auto view = one.model.Look(At(seconds(2)));
  for (const int width : {20, 40, 60, 80, 120}) {
    const std::string text = Text(*view, width);
    for (size_t begin = 0; begin < text.size();) {
      const size_t end = text.find('\n', begin);
      EXPECT_LE(end - begin, static_cast<size_t>(width - 1)) << text;
      begin = end + 1;
    }
  }
}

}  // namespace
}  // namespace levada::app
