#pragma once
// How a run becomes partitions.

#include <vector>

#include "connectors/clickhouse/relation.h"
#include "elt/stages.h"

namespace levada::clickhouse {

/// The condition of the run's window, empty without one. kColumnNotFound, and as RunPredicate.
Result<std::string> WindowCondition(const Context& ctx, Session& session, const Relation& relation,
                                    const ConsumerOptions& options, const elt::RunInstance& run);

/// The partitions of `run`, each of one slice. kImpossiblePlan for a `partition:` that does not fit
/// the column, kColumnNotFound.
Result<std::vector<elt::Partition>> SplitRun(const Context& ctx, Session& session,
                                             const ConsumerOptions& options,
                                             const Relation& relation, const elt::RunInstance& run);

/// Rows with NULL in the window's column are in no window, and without this nobody would miss them:
/// kNullInWindow where that is an error.
Status CheckNoNulls(const Context& ctx, Session& session, const Relation& relation,
                    const ConsumerOptions& options, const elt::RunInstance& run);

/// kSchemaDrift when the column that partitions were cut by is not what it was.
Status CheckBounds(const Context& ctx, Session& session, const Relation& relation,
                   const ConsumerOptions& options, const PartitionBounds& bounds);

}  // namespace levada::clickhouse
