#pragma once
// This loader's TargetRun: one process's hold on one run of one table. docs/wire/sql-target.md has
// the records and the order in which they change.

#include <memory>

#include "base/clock.h"
#include "connectors/postgres/loader_options.h"
#include "elt/stages.h"

namespace levada::postgres {

/// Loader::Begin: takes the lock, makes what is missing, raises the generation, recovers.
/// `options` is copied.
Result<std::unique_ptr<elt::TargetRun>> BeginTableRun(Context& ctx, const LoaderOptions& options,
                                                      const elt::RunInstance& run,
                                                      const elt::BoundTarget& bound,
                                                      Random& random);

}  // namespace levada::postgres
