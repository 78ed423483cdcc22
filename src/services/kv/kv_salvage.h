#pragma once
// What is readable of a damaged store of KV, put in its place.

#include <string>

#include "base/context.h"
#include "os/disk.h"
#include "services/core/findings.h"

namespace levada::services::kv {

/// Of the store at `path`. As SalvageStore.
Result<std::string> SalvageKv(const Context& ctx, os::Disk& disk, const std::string& path,
                              const KnownResources& namespaces, Findings& findings);

}  // namespace levada::services::kv
