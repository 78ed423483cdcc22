#pragma once
// The rows of one run, as SQL conditions on the column of its window or increment.

#include <cstdint>
#include <string>

#include "connectors/postgres/postgres_options.h"
#include "connectors/postgres/subject.h"
#include "elt/run.h"

namespace levada::postgres {

/// The condition, empty for a run of the whole table. Of a window: ValuesOf it, as literals; rows
/// without a place (UnplacedPredicate) are in this window when the run says so. Of an increment:
/// its marks, as literals. Errors: kColumnNotFound; kImpossiblePlan for a type that has no windows
/// or no marks, and for windows shorter than a day on a date; kBadWindow for an unknown time zone.
Result<std::string> RunPredicate(const Subject& subject, const ConsumerOptions& options,
                                 const elt::RunInstance& run);

/// Rows without a place among the others: where the column is infinite or, if it may be, NULL. In a
/// form that an index on the column answers; empty when no row can be such.
std::string UnplacedPredicate(const std::string& column, Order order, bool nullable);

/// What has an infinity and may have a time zone.
bool IsTime(Order order);

/// An SQL literal of a date, timestamp or timestamptz: `micros` as ValueRange counts them.
std::string TimeLiteral(int64_t micros, Order order);
/// An SQL literal of the value that `text` is for a column of `order`.
std::string MarkLiteral(const std::string& text, Order order);

/// The column that a run goes by, if its marks or windows can be made of it: kColumnNotFound, else
/// kImpossiblePlan.
Result<const pq::StatementColumn*> FindMarkColumn(const Subject& subject,
                                                  const ConsumerOptions& options,
                                                  const std::string& name);

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
