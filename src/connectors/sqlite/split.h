#pragma once
// Split: the partitions of a run and the slices of a partition, decided once.

#include <string>
#include <vector>

#include "base/context.h"
#include "connectors/sqlite/relation.h"
#include "connectors/sqlite/row_range.h"
#include "connectors/sqlite/sqlite_options.h"
#include "db/sqlite/database.h"
#include "elt/stages.h"

namespace levada::sqlite {

/// The window of `run` on the relation; none of all rows. kColumnNotFound, kBadWindow.
Result<WindowBounds> WindowOf(const Relation& relation, const ConsumerOptions& options,
                              const elt::RunInstance& run);

/// An upper bound of the rows of a table, where seeks can tell; else -1.
Result<int64_t> RowsAtMost(const Context& ctx, db::sqlite::Database& database,
                           const Relation& relation);

/// The partitions of `run`, each with at least one slice. `database` is in a read transaction.
/// kImpossiblePlan for a `partition:` that does not fit the relation, kColumnNotFound.
Result<std::vector<elt::Partition>> SplitRun(const Context& ctx, db::sqlite::Database& database,
                                             const ConsumerOptions& options,
                                             const Relation& relation, const elt::RunInstance& run,
                                             const elt::SplitLimits& limits);

/// What `plan` should say of how the source is read.
Result<std::vector<std::string>> NotesOfRelation(const Context& ctx, db::sqlite::Database& database,
                                                 const Relation& relation,
                                                 const ConsumerOptions& options);

/// kSchemaDrift when what the bounds were cut by is not what it was.
Status CheckBounds(const PartitionBounds& bounds, const Relation& relation,
                   const ConsumerOptions& options);

}  // namespace levada::sqlite
