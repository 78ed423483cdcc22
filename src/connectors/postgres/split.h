#pragma once
// Split: the partitions of a run and the slices of a partition, decided once.

#include <vector>

#include "base/context.h"
#include "connectors/postgres/bounds.h"
#include "connectors/postgres/postgres_options.h"
#include "connectors/postgres/subject.h"
#include "db/postgres/connection.h"
#include "elt/stages.h"

namespace levada::postgres {

/// Ranges of block numbers are scanned without reading what lies before since PostgreSQL 14.
inline constexpr int kSliceVersionMin = 140000;

/// The partitions of `run`, each with at least one slice. Asks the catalog, the statistics and,
/// where a rule needs them, the least and greatest value of a column inside the window. Errors:
/// kColumnNotFound, kImpossiblePlan, and those of the questions.
Result<std::vector<elt::Partition>> SplitRun(const Context& ctx, pq::Connection& connection,
                                             const ConsumerOptions& options, const Subject& subject,
                                             const elt::RunInstance& run,
                                             const elt::SplitLimits& limits);

}  // namespace levada::postgres
