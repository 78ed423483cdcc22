#pragma once
// The rows of one window, as SQL conditions on the window's column.

#include <cstdint>
#include <string>

#include "connectors/postgres/postgres_options.h"
#include "connectors/postgres/subject.h"
#include "elt/run.h"

namespace levada::postgres {

/// The condition, empty for a run without a window: ValuesOf the window, as literals. Rows without
/// a place in time (UnplacedPredicate) are in this window when the run says so.
/// Errors: kColumnNotFound; kImpossiblePlan for another type than date, timestamp and timestamptz,
/// and for windows shorter than a day on a date; kBadWindow for an unknown time zone.
Result<std::string> WindowPredicate(const Subject& subject, const ConsumerOptions& options,
                                    const elt::RunInstance& run);

/// Rows without a place in time: where `column` is infinite or, if it may be, NULL. In a form that
/// an index on the column answers.
std::string UnplacedPredicate(const std::string& column, bool nullable);

/// Values of a date, timestamp or timestamptz, [from, to): microseconds since 1970, of a date or
/// timestamp as if it were UTC.
struct ValueRange {
  int64_t from = 0;
  int64_t to = 0;
};
/// The values that belong to `window`: a timestamptz is compared with its instants; a timestamp or
/// date with what a clock in its time zone shows (elt/local_range.h), by our zone data and not the
/// server's. kBadWindow for an unknown time zone.
Result<ValueRange> ValuesOf(const elt::Window& window, Order order);

}  // namespace levada::postgres
