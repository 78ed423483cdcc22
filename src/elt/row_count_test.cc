#include "elt/row_count.h"

#include "base/testing.h"

namespace levada::elt {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

RunInstance Day(int64_t start) {
  RunInstance run;
  run.window = Window{start, start + 1, "day", "UTC"};
  return run;
}

TEST(RowCount, HasBounds) {
  RowCountRule rule;
  rule.min = 10;
  rule.max = 20;
  EXPECT_THAT(CheckRowCount(rule, 10, {}), IsOk());
  EXPECT_THAT(CheckRowCount(rule, 20, {}), IsOk());
  EXPECT_THAT(CheckRowCount(rule, 9, {}),
              FailsWith(FaultCode::kRowCountRefused, HasSubstr("expected at least 10, got 9")));
  EXPECT_THAT(CheckRowCount(rule, 21, {}),
              FailsWith(FaultCode::kRowCountRefused, HasSubstr("expected at most 20, got 21")));
}

TEST(RowCount, IsComparedWithTheMedianOfEarlierRuns) {
  RowCountRule rule;
  rule.change_percent = 50;
  EXPECT_THAT(CheckRowCount(rule, 0, {}), IsOk()) << "nothing to compare with";
  EXPECT_THAT(CheckRowCount(rule, 50, {100}), IsOk());
  EXPECT_THAT(CheckRowCount(rule, 150, {100}), IsOk());
  EXPECT_THAT(CheckRowCount(rule, 49, {100}),
              FailsWith(FaultCode::kRowCountRefused,
                        HasSubstr("50% more or less than 100, the median of the run before")));
  EXPECT_THAT(CheckRowCount(rule, 151, {100, 1, 1'000'000}),
              FailsWith(FaultCode::kRowCountRefused, HasSubstr("the 3 runs before")));
  EXPECT_THAT(CheckRowCount(rule, 1, {0}), FailsWith(FaultCode::kRowCountRefused));
}

TEST(RowHistory, KnowsTheWindowsBefore) {
  RowHistory history;
  for (const int64_t day : {3, 1, 2, 5, 4}) history.Add(Day(day).Position(), day * 10);
  EXPECT_THAT(history.Before(Day(4), 7), ElementsAre(30, 20, 10));
  EXPECT_THAT(history.Before(Day(4), 2), ElementsAre(30, 20));
  EXPECT_THAT(history.Before(Day(1), 7), ElementsAre());
  RowHistory whole;
  whole.Add(RunInstance{}.Position(), 7);
  EXPECT_THAT(whole.Before(RunInstance{}, 3), ElementsAre(7));
}

}  // namespace
}  // namespace levada::elt
