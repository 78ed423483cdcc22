#pragma once
// Rise: times that grow with the row number, so that a window of time is a range of rows that is
// computed and not searched for.

#include <arrow/type.h>

#include <cstdint>

#include "connectors/generate/counter_random.h"

namespace levada::generate {

/// The time of row r is start + r * step and, with a spread above 1, a random part below it.
struct Rise {
  int64_t start = 0;    ///< since 1970-01-01 in `unit`
  int64_t step = 1;     ///< in `unit`, at least 1
  uint64_t spread = 1;  ///< at most `step`
  uint64_t key = 0;     ///< of the random part
  arrow::TimeUnit::type unit = arrow::TimeUnit::MICRO;

  int64_t operator()(int64_t row) const {
    uint64_t time =
        static_cast<uint64_t>(start) + static_cast<uint64_t>(row) * static_cast<uint64_t>(step);
    if (spread > 1) time += Below(WordAt(key, row), spread);
    return static_cast<int64_t>(time);
  }
};

inline constexpr int64_t kSecondsPerDay = 86'400;
inline constexpr int64_t kMicrosPerDay = kSecondsPerDay * 1'000'000;

/// The day since 1970-01-01 of a rise in microseconds.
struct RisingDate {
  Rise rise;
  int64_t operator()(int64_t row) const {
    const int64_t time = rise(row);
    return time / kMicrosPerDay - (time % kMicrosPerDay < 0 ? 1 : 0);
  }
};

/// The first of `rows` rows whose time is not before `micros` since 1970-01-01; `rows` where there
/// is none. Precondition: the times of all rows are in the range of their type.
int64_t FirstRowAt(const Rise& rise, int64_t micros, int64_t rows);

}  // namespace levada::generate
