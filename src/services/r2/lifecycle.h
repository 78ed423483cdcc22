#pragma once
// Lifecycle: what goes by itself, by the rules of a bucket: objects that are old, versions that are
// not current, delete markers that hide nothing, uploads that nobody completed. Each is decided
// again under the key's lock, so that a write in between is never lost to a rule.

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "formats/s3xml/lifecycle.h"
#include "services/r2/object_store.h"

namespace levada::services::r2 {

/// What one pass did.
struct LifecycleCounts {
  uint64_t objects_expired = 0;
  uint64_t versions_removed = 0;
  uint64_t markers_removed = 0;
  uint64_t uploads_aborted = 0;
  uint64_t objects_moved = 0;  ///< to the infrequent storage class, in name
};

/// What the rules say of a current object now; null rules never apply.
struct ObjectFate {
  bool expires = false;
  bool becomes_infrequent = false;
};
ObjectFate FateOf(const std::vector<s3xml::LifecycleRule>& rules, std::string_view key,
                  const ObjectRecord& record, int64_t now_ms);

/// When a current object goes, and by which rule: the first of those that would have it go.
struct ObjectExpiry {
  int64_t at_ms = 0;
  std::string rule_id;
  bool operator==(const ObjectExpiry&) const = default;
};
/// nullopt: no rule does.
std::optional<ObjectExpiry> ExpiryOf(const std::vector<s3xml::LifecycleRule>& rules,
                                     std::string_view key, const ObjectRecord& record);

/// R2 aborts uploads after seven days where no rule says otherwise.
constexpr uint32_t kAbortDaysDefault = 7;

/// One pass over a bucket. `is_stopping` is asked at each page.
net::Task<Result<LifecycleCounts>> RunLifecycle(ObjectStore& store, Bucket bucket,
                                                std::vector<s3xml::LifecycleRule> rules,
                                                std::function<bool()> is_stopping);

}  // namespace levada::services::r2
