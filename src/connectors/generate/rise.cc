#include "connectors/generate/rise.h"

#include "base/fault.h"

namespace levada::generate {
namespace {

using Wide = __int128;

Wide FloorDivide(Wide dividend, Wide divisor) {
  const Wide quotient = dividend / divisor;
  return quotient * divisor > dividend ? quotient - 1 : quotient;
}

/// The least time in `unit` that is not before `micros`.
Wide CeilInUnit(int64_t micros, arrow::TimeUnit::type unit) {
  switch (unit) {
    case arrow::TimeUnit::SECOND:
      return -FloorDivide(-Wide{micros}, 1'000'000);
    case arrow::TimeUnit::MILLI:
      return -FloorDivide(-Wide{micros}, 1'000);
    case arrow::TimeUnit::MICRO:
      return micros;
    case arrow::TimeUnit::NANO:
      return Wide{micros} * 1'000;
  }
  return micros;
}

}  // namespace

int64_t FirstRowAt(const Rise& rise, int64_t micros, int64_t rows) {
  const Wide bound = CeilInUnit(micros, rise.unit);
  // Rows before this one end before the bound, rows behind it begin there or later.
  const Wide row = FloorDivide(bound - rise.start, rise.step);
  if (row < 0) return 0;
  if (row >= rows) return rows;
  const auto candidate = static_cast<int64_t>(row);
  return Wide{rise(candidate)} >= bound ? candidate : candidate + 1;
}

}  // namespace levada::generate
