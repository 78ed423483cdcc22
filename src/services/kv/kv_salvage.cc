#include "services/kv/kv_salvage.h"

#include <algorithm>

#include "services/core/salvage_store.h"
#include "services/kv/kv_check.h"
#include "services/kv/kv_families.h"

namespace levada::services::kv {

Result<std::string> SalvageKv(const Context& ctx, os::Disk& disk, const std::string& path,
                              const KnownResources& namespaces, Findings& findings) {
  findings.Begin("kv");
  const auto where = [&namespaces](db::rocks::FamilyIndex family, std::string_view key) {
    if (family == kValues) key.remove_suffix(std::min(key.size(), sizeof(int64_t)));  // expiry
    return WhereOf(namespaces, key);
  };
  return SalvageStore(ctx, disk, {path, KvFamilies(), where}, findings);
}

}  // namespace levada::services::kv
