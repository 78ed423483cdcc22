#include "connectors/generate/rise.h"

#include <gtest/gtest.h>

#include <vector>

namespace levada::generate {
namespace {

using arrow::TimeUnit;

constexpr int64_t kRows = 50;

/// `bound` in the unit of nanoseconds is compared with each row's.
int64_t Searched(const Rise& rise, int64_t micros) {
  const int64_t per_unit = rise.unit == TimeUnit::SECOND  ? 1'000'000'000
                           : rise.unit == TimeUnit::MILLI ? 1'000'000
                           : rise.unit == TimeUnit::MICRO ? 1'000
                                                          : 1;
  int64_t row = 0;
  while (row < kRows && rise(row) * per_unit < micros * 1'000) ++row;
  return row;
}

TEST(Rise, NeverFalls) {
  const Rise rise{.start = -100, .step = 7, .spread = 7, .key = 5};
  for (int64_t row = 0; row < 1'000; ++row) {
    EXPECT_GE(rise(row), -100 + row * 7);
    EXPECT_LT(rise(row), -100 + (row + 1) * 7);
  }
}

TEST(Rise, FindsTheFirstRowAsASearchWould) {
  for (const auto unit : {TimeUnit::SECOND, TimeUnit::MILLI, TimeUnit::MICRO, TimeUnit::NANO}) {
    for (const int64_t start : {-20'000, -7, 0, 3, 1'000}) {
      for (const int64_t step : {1, 2, 7, 999, 1'000}) {
        for (const uint64_t spread : {uint64_t{1}, static_cast<uint64_t>(step)}) {
          const Rise rise{.start = start, .step = step, .spread = spread, .key = 11, .unit = unit};
          const int64_t micros_per_unit = unit == TimeUnit::SECOND  ? 1'000'000
                                          : unit == TimeUnit::MILLI ? 1'000
                                                                    : 1;
          for (int64_t at = start - 3; at < start + step * (kRows + 2); at += step / 3 + 1) {
            for (const int64_t off : {-1, 0, 1}) {
              const int64_t micros = at * micros_per_unit + off;
              ASSERT_EQ(FirstRowAt(rise, micros, kRows), Searched(rise, micros))
                  << start << " " << step << " " << spread << " " << micros;
            }
          }
        }
      }
    }
  }
}

TEST(Rise, BoundsFarAwayAreBeforeAndBehindAllRows) {
  for (const auto unit : {TimeUnit::SECOND, TimeUnit::NANO}) {
    const Rise rise{.start = 0, .step = 1, .unit = unit};
    EXPECT_EQ(FirstRowAt(rise, INT64_MIN, kRows), 0);
    EXPECT_EQ(FirstRowAt(rise, INT64_MAX, kRows), kRows);
    EXPECT_EQ(FirstRowAt(rise, 0, 0), 0);
  }
}

TEST(Rise, DatesAreTheDayOfTheTime) {
  const RisingDate date{{.start = -kMicrosPerDay, .step = kMicrosPerDay / 4}};
  std::vector<int64_t> days;
  for (int64_t row = 0; row < 9; ++row) days.push_back(date(row));
  EXPECT_EQ(days, (std::vector<int64_t>{-1, -1, -1, -1, 0, 0, 0, 0, 1}));
}

}  // namespace
}  // namespace levada::generate
