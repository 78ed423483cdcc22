#include "bench/latencies.h"

#include <gtest/gtest.h>

namespace levada::bench {
namespace {

TEST(Latencies, SmallValuesAreExact) {
  Latencies latencies;
  for (uint64_t ns = 1; ns <= 50; ++ns) latencies.Add(ns);
  EXPECT_EQ(latencies.Quantile(0.5), 25U);
  EXPECT_EQ(latencies.Quantile(1), 50U);
}

TEST(Latencies, EveryValueIsWithinTwoPercentOfItsQuantile) {
  for (uint64_t ns = 64; ns < uint64_t{1} << 62; ns += ns / 3 + 1) {
    Latencies latencies;
    latencies.Add(ns);
    latencies.Add(UINT64_MAX);
    const auto found = static_cast<double>(latencies.Quantile(0.5));
    EXPECT_GE(found, static_cast<double>(ns));
    EXPECT_LE(found, static_cast<double>(ns) * 1.02);
  }
}

TEST(Latencies, TheHighestQuantileIsTheLongest) {
  Latencies latencies;
  for (int i = 0; i < 99; ++i) latencies.Add(1'000'000);
  latencies.Add(77'000'123);
  EXPECT_LT(latencies.Quantile(0.99), 1'020'000U);
  EXPECT_EQ(latencies.Quantile(1), 77'000'123U);
}

TEST(Latencies, ThoseOfThreadsAddUp) {
  Latencies one;
  Latencies two;
  one.Add(10);
  two.Add(20);
  two.Add(30);
  one.Add(two);
  EXPECT_EQ(one.count(), 3U);
  EXPECT_EQ(one.Quantile(0.5), 20U);
  EXPECT_EQ(one.max_ns(), 30U);
}

TEST(Latencies, WithoutAnyThereIsNoQuantile) { EXPECT_EQ(Latencies().Quantile(0.99), 0U); }

}  // namespace
}  // namespace levada::bench
