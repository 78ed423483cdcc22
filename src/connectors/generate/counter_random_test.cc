#include "connectors/generate/counter_random.h"

#include <gmock/gmock.h>

#include <array>
#include <set>
#include <string>

namespace levada::generate {
namespace {

TEST(CounterRandom, IsSplitmix64) {
  // The first outputs of Sebastiano Vigna's splitmix64.c for the states 0 and 1234567.
  EXPECT_EQ(WordAt(0, 0), 0xE220A8397B1DCDAFu);
  EXPECT_EQ(WordAt(0, 1), 0x6E789E6AA1B965F4u);
  EXPECT_EQ(WordAt(0, 2), 0x06C45D188009454Fu);
  EXPECT_EQ(WordAt(1'234'567, 0), 6'457'827'717'110'365'317u);
  EXPECT_EQ(WordAt(1'234'567, 1), 3'203'168'211'198'807'973u);
}

TEST(CounterRandom, KeysDependOnSeedAndName) {
  std::set<uint64_t> keys;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    for (const char* name : {"", "a", "b", "ab", "ba", "aa"}) keys.insert(KeyOf(seed, name));
  }
  EXPECT_EQ(keys.size(), 600u);
}

TEST(CounterRandom, BelowKeepsToItsRange) {
  EXPECT_EQ(Below(0, 10), 0u);
  EXPECT_EQ(Below(UINT64_MAX, 10), 9u);
  EXPECT_EQ(Below(UINT64_MAX, 1), 0u);
  EXPECT_EQ(Below(UINT64_MAX, UINT64_MAX), UINT64_MAX - 1);
  EXPECT_EQ(Below(12345, 0), 12345u);
}

TEST(CounterRandom, ValuesAreEvenlySpread) {
  constexpr int kRows = 100'000;
  std::array<int, 10> counts{};
  for (int row = 0; row < kRows; ++row) ++counts[Below(WordAt(KeyOf(7, "x"), row), counts.size())];
  for (const int count : counts) EXPECT_NEAR(count, kRows / 10, 400);  // four standard deviations
}

TEST(CounterRandom, ColumnsAreIndependent) {
  constexpr int kRows = 100'000;
  int equal = 0;
  for (int row = 0; row < kRows; ++row) {
    equal += Below(WordAt(KeyOf(7, "x"), row), 10) == Below(WordAt(KeyOf(7, "y"), row), 10) ? 1 : 0;
  }
  EXPECT_NEAR(equal, kRows / 10, 400);
}

TEST(CounterRandom, WordsOfARowDiffer) {
  std::set<uint64_t> words;
  for (int row = 0; row < 100; ++row) {
    RowWords of_row(3, row);
    for (int i = 0; i < 10; ++i) words.insert(of_row.Next());
  }
  EXPECT_EQ(words.size(), 1000u);
}

}  // namespace
}  // namespace levada::generate
