#pragma once
// The limits of KV in the words its clients know: what a key, a value, metadata and an expiry may
// be. Both doors ask here before anything reaches the store. The texts are those that Workers and
// wrangler print; tests of applications match them.

#include <optional>
#include <string>
#include <string_view>

#include "services/core/api.h"
#include "services/kv/kv_store.h"

namespace levada::services::kv {

std::optional<ApiError> CheckKey(const KvLimits& limits, std::string_view key);
std::optional<ApiError> CheckValueSize(const KvLimits& limits, uint64_t bytes);
/// JSON text; "" is none.
std::optional<ApiError> CheckMetadata(const KvLimits& limits, std::string_view metadata);

/// The texts of the two query parameters; the time to live wins. nullopt: never expires.
struct Expiry {
  std::optional<ApiError> error;
  std::optional<int64_t> expires_s;
};
Expiry CheckExpiry(const KvLimits& limits, int64_t now_s,
                   const std::optional<std::string>& expiration,
                   const std::optional<std::string>& expiration_ttl);

/// Of a list; `text` absent: the most there is.
struct ListLimit {
  std::optional<ApiError> error;
  int64_t limit = 0;
};
ListLimit CheckListLimit(const KvLimits& limits, std::string_view name,
                         const std::optional<std::string>& text);

inline constexpr int64_t kKeyNotFound = 10009;
inline constexpr int64_t kNamespaceNotFound = 10013;
inline constexpr int64_t kTitleTaken = 10014;
inline constexpr int64_t kBadTitle = 10019;
inline constexpr int64_t kBadArgument = 10022;
inline constexpr int64_t kOverLimit = 10030;

}  // namespace levada::services::kv
