#pragma once
// The increments that targets know. Their marks were made up by no calendar: they are recorded with
// the data, and nowhere else.

#include <vector>

#include "base/context.h"
#include "elt/runner.h"

namespace levada::elt {

/// Those that `options` ask for, oldest first: all that one of the targets has, finished, or begun
/// and to be gone on with. Errors: kPlanChanged for those of another column; kBadWindow for a label
/// that no target has; kManifestCorrupt where an increment between others is not to be found, or
/// two targets have other marks of one.
Result<std::vector<RunInstance>> ListIncrements(Context& ctx, const Engine& engine,
                                                const RunOptions& options);

}  // namespace levada::elt
