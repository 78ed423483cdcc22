#pragma once
// AES-256-GCM in place: what seals secrets under the master key and blocks under a client's key.
// Source: NIST SP 800-38D; OpenSSL does the arithmetic. Pure; any thread.

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace levada::services {

using AesKey = std::array<uint8_t, 32>;
/// Never twice with one key.
using GcmNonce = std::array<uint8_t, 12>;
using GcmTag = std::array<uint8_t, 16>;

/// Encrypts `data` and authenticates it with `context`, which is not stored. nullopt: the library
/// refused.
std::optional<GcmTag> SealInPlace(const AesKey& key, const GcmNonce& nonce,
                                  std::string_view context, std::span<uint8_t> data);
/// False, and `data` is of no use, when any of the arguments is not what it was sealed with.
bool OpenInPlace(const AesKey& key, const GcmNonce& nonce, std::string_view context,
                 std::span<uint8_t> data, const GcmTag& tag);

}  // namespace levada::services
