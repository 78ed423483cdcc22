#pragma once
// What is readable of a damaged index of R2, put in its place. No file of an object is removed: one
// that no record names any more may be all there is of an object.

#include <string>

#include "base/context.h"
#include "os/disk.h"
#include "services/core/findings.h"

namespace levada::services::r2 {

/// Of the objects in `directory`. As SalvageStore.
Result<std::string> SalvageR2(const Context& ctx, os::Disk& disk, const std::string& directory,
                              const KnownResources& buckets, Findings& findings);

}  // namespace levada::services::r2
