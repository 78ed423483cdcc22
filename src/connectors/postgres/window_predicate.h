#pragma once
// The rows of one window, as an SQL condition on the window's column.

#include <string>

#include "connectors/postgres/postgres_options.h"
#include "connectors/postgres/subject.h"
#include "elt/run.h"

namespace levada::postgres {

/// The condition, empty for a run without a window. A timestamptz is compared with the window's
/// instants; a timestamp or a date with what a clock in the window's time zone shows at them (the
/// server's zone data), so that consecutive windows meet without a gap or an overlap even where
/// that clock is turned. Infinite values are in no window. Rows where the column is NULL are in
/// this one when the run says so.
/// Errors: kColumnNotFound; kImpossiblePlan for another type, and for windows shorter than a day on
/// a date.
Result<std::string> WindowPredicate(const Subject& subject, const ConsumerOptions& options,
                                    const elt::RunInstance& run);

/// An SQL expression for what a column of `order` (date, timestamp, timestamptz) shows at
/// `instant`.
std::string ShownAt(WallMicros instant, Order order, const std::string& timezone);

}  // namespace levada::postgres
