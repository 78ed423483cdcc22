#include "elt/grid_cuts.h"

#include <limits>

#include "base/testing.h"

namespace levada::elt {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr int64_t kLeast = std::numeric_limits<int64_t>::min();
constexpr int64_t kGreatest = std::numeric_limits<int64_t>::max();

TEST(GridCuts, AreTheMultiplesOfTheStep) {
  EXPECT_THAT(*GridCuts(3, 20, 5, 100), ElementsAre(5, 10, 15, 20));
  EXPECT_THAT(*GridCuts(5, 9, 5, 100), IsEmpty());
  EXPECT_THAT(*GridCuts(-7, 6, 5, 100), ElementsAre(-5, 0, 5));
  EXPECT_THAT(*GridCuts(-5, -5, 5, 100), IsEmpty());
  EXPECT_THAT(*GridCuts(kLeast, kGreatest, int64_t{1} << 62, 100),
              ElementsAre(-(int64_t{1} << 62), 0, int64_t{1} << 62));
  EXPECT_THAT(*GridCuts(kGreatest - 1, kGreatest, kGreatest, 100), ElementsAre(kGreatest));
}

TEST(GridCuts, GiveUpBeforeThereAreTooMany) {
  EXPECT_EQ(GridCuts(0, 1'000'000'000, 500, 10'000), std::nullopt);
  EXPECT_EQ(GridCuts(kLeast, kGreatest, 1, 10'000), std::nullopt);
  EXPECT_EQ(GridCuts(0, 10, 1, 10), std::nullopt);
  EXPECT_EQ(GridCuts(0, 10, 1, 11)->size(), 10u);
}

TEST(GridCuts, AreTheMultiplesBehindTheLeast) {
  EXPECT_THAT(*GridCuts(1, 25, 10, 100), ElementsAre(10, 20));
  EXPECT_THAT(*GridCuts(-25, 5, 10, 100), ElementsAre(-20, -10, 0));
  EXPECT_THAT(*GridCuts(10, 10, 10, 100), ElementsAre());
  EXPECT_THAT(*GridCuts(9, 10, 10, 100), ElementsAre(10));
  EXPECT_THAT(*GridCuts(kLeast, kGreatest, kGreatest, 100), ElementsAre(-kGreatest, 0, kGreatest));
  EXPECT_EQ(GridCuts(0, 1000, 1, 1000), std::nullopt);
  EXPECT_EQ(GridCuts(kLeast, kGreatest, 1, 10'000), std::nullopt);
}

}  // namespace
}  // namespace levada::elt
