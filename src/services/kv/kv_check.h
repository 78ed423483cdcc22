#pragma once
// CheckKv: whether the store of KV is whole while nobody has it open: reads every record and every
// value, each of which RocksDB has a checksum of, and holds them against each other.

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/context.h"
#include "base/fault.h"
#include "services/core/findings.h"

namespace levada::services::kv {

struct KvChecked {
  uint64_t keys = 0;
  uint64_t value_bytes = 0;  ///< read and whole
  bool is_readable = true;   ///< false: the store cannot be opened, or not be walked to its end
};

/// Changes nothing. Errors: kStopped; what is wrong with the store is a finding. `on_progress`,
/// when there is one, hears behind each key what was read so far.
Result<KvChecked> CheckKv(const Context& ctx, const std::string& path,
                          const KnownResources& namespaces, Findings& findings,
                          const std::function<void(const KvChecked&)>& on_progress = {});

/// Of a store's key, for people.
std::string WhereOf(const KnownResources& namespaces, std::string_view store_key);

}  // namespace levada::services::kv
