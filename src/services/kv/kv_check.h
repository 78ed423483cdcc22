#pragma once
// CheckKv: whether the store of KV is whole while nobody has it open: reads every record and every
// value, each of which RocksDB has a checksum of, and holds them against each other.

#include <cstdint>
#include <string>

#include "base/context.h"
#include "base/fault.h"
#include "services/core/findings.h"

namespace levada::services::kv {

struct KvChecked {
  uint64_t keys = 0;
  uint64_t value_bytes = 0;  ///< read and whole
};

/// Changes nothing. Errors: kStopped; what is wrong with the store is a finding.
Result<KvChecked> CheckKv(const Context& ctx, const std::string& path,
                          const KnownResources& namespaces, Findings& findings);

}  // namespace levada::services::kv
