#pragma once
// Arrow's units of time as numbers.

#include <arrow/type_fwd.h>

#include <cstdint>

namespace levada::elt {

/// 1 of seconds to 1,000,000,000 of nanoseconds.
constexpr int64_t UnitsPerSecond(arrow::TimeUnit::type unit) {
  switch (unit) {
    case arrow::TimeUnit::SECOND:
      return 1;
    case arrow::TimeUnit::MILLI:
      return 1'000;
    case arrow::TimeUnit::MICRO:
      return 1'000'000;
    case arrow::TimeUnit::NANO:
      break;
  }
  return 1'000'000'000;
}

}  // namespace levada::elt
