#pragma once
// ExecRun: the exec loader's TargetRun, one process's hold on one run. Every step is recorded
// before it is asked of the program and after it was done, so that a successor repeats at most one.

#include <memory>

#include "connectors/exec/exec_loader.h"
#include "connectors/exec/run_records.h"
#include "elt/stages.h"

namespace levada::exec {

/// Loader::Begin: takes the lock, raises the generation, and ends what an earlier process left:
/// decided publications are asked for again, other attempts discarded.
Result<std::unique_ptr<elt::TargetRun>> BeginExecRun(Context& ctx, const LoaderOptions& options,
                                                     RunRecords records,
                                                     const elt::RunInstance& run);

}  // namespace levada::exec
