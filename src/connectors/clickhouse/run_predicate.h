#pragma once
// The rows of one run, as an SQL condition on the column of its window.

#include <string>

#include "connectors/clickhouse/bounds.h"
#include "elt/run.h"

namespace levada::clickhouse {

/// The condition; empty without a window. A DateTime or DateTime64 is an instant and compared with
/// the window's instants; a Date with what a clock in the window's time zone shows
/// (elt/local_range.h). Rows with NULL are in this window when the run says so. kImpossiblePlan for
/// a type that has no windows, and for windows shorter than a day on dates; kBadWindow for an
/// unknown time zone.
Result<std::string> RunPredicate(const elt::RunInstance& run, const chnative::Type& type);

}  // namespace levada::clickhouse
