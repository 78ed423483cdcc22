#include "connectors/postgres/cuts.h"

#include <limits>

#include "base/testing.h"

namespace levada::postgres {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr int64_t kLeast = std::numeric_limits<int64_t>::min();
constexpr int64_t kGreatest = std::numeric_limits<int64_t>::max();

/// Points "00" to "99" of one hundredth each.
std::vector<WeightedValue> Even() {
  std::vector<WeightedValue> values;
  for (int i = 0; i < 100; ++i) {
    values.push_back({std::string(1, char('0' + i / 10)) + char('0' + i % 10), 0.01, false});
  }
  return values;
}

TEST(CutsByWeight, MakesRangesOfEqualWeight) {
  EXPECT_THAT(CutsByWeight(Even(), 4, false),
              ElementsAre(Cut{"25", false}, Cut{"50", false}, Cut{"75", false}));
}

TEST(CutsByWeight, MakesNoMoreRangesThanPoints) {
  EXPECT_EQ(CutsByWeight(Even(), 1000, false).size(), 99u);
  EXPECT_THAT(CutsByWeight({}, 4, false), IsEmpty());
  EXPECT_THAT(CutsByWeight({{"x", 1.0, true}}, 1, false), IsEmpty());
  EXPECT_THAT(CutsByWeight({{"x", 0, false}}, 4, false), IsEmpty());
}

TEST(CutsByWeight, DividesTheSpaceBetweenIntegers) {
  const auto cuts =
      CutsByWeight({{"0", 0.5, false}, {"1000", 0.5, false}, {"2000", 0, false}}, 4, true);
  EXPECT_THAT(cuts, ElementsAre(Cut{"500", false}, Cut{"1000", false}, Cut{"1500", false}));
}

TEST(CutsByWeight, GivesAHeavyValueARangeOfItsOwn) {
  const auto cuts = CutsByWeight(
      {{"a", 0.1, false}, {"b", 0.1, false}, {"c", 0.6, true}, {"d", 0.2, false}}, 4, false);
  EXPECT_THAT(cuts, ElementsAre(Cut{"c", false}, Cut{"c", true}));
  // Also as the first and as the last value.
  EXPECT_THAT(CutsByWeight({{"a", 0.8, true}, {"b", 0.2, false}}, 4, false),
              ElementsAre(Cut{"a", false}, Cut{"a", true}));
  EXPECT_THAT(CutsByWeight({{"a", 0.2, false}, {"b", 0.8, true}}, 4, false),
              ElementsAre(Cut{"b", false}, Cut{"b", true}));
}

TEST(CutsByWeight, NeverCutsBackBehindAHeavyValue) {
  // The value is a bound of the histogram too, whose rows lie behind it: in whichever order they
  // come, these rows are a range of their own, not part of the next one.
  const std::vector<WeightedValue> bound_first = {
      {"a", 0.3, false}, {"b", 0.3, false}, {"b", 0.5, true}, {"c", 0.3, false}, {"d", 0, false}};
  std::vector<WeightedValue> value_first = bound_first;
  std::swap(value_first[1], value_first[2]);
  for (const auto& values : {bound_first, value_first}) {
    EXPECT_THAT(CutsByWeight(values, 5, false),
                ElementsAre(Cut{"b", false}, Cut{"b", true}, Cut{"c", false}));
  }
}

TEST(CutsByWeight, MakesNoRangeOfNextToNothing) {
  // Behind the last bound of a histogram there are no rows.
  EXPECT_THAT(CutsByWeight({{"a", 0.5, false}, {"b", 0.5, false}, {"c", 0, false}}, 2, false),
              ElementsAre(Cut{"b", false}));
}

TEST(EvenCuts, DividesTheWidth) {
  EXPECT_THAT(EvenCuts(0, 99, 4), ElementsAre(25, 50, 75));
  EXPECT_THAT(EvenCuts(-2, 1, 2), ElementsAre(0));
  EXPECT_THAT(EvenCuts(5, 5, 4), IsEmpty());
  EXPECT_THAT(EvenCuts(0, 1, 4), ElementsAre(1));
  EXPECT_THAT(EvenCuts(kLeast, kGreatest, 2), ElementsAre(0));
}

}  // namespace
}  // namespace levada::postgres
