#pragma once
// LeaseId: what a consumer that pulls acknowledges a message by. It says which delivery of which
// message it is of, so that nothing has to be remembered for an answer that comes late, and is
// sealed with the store's key, so that nobody can make one.
//
// base64url of: u8 version, u64 queue, u32 epoch, u64 seq, u16 attempt (all big-endian), then
// the first 16 bytes of their HMAC-SHA-256.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace levada::services::queues {

struct LeaseId {
  uint64_t queue = 0;
  uint32_t epoch = 0;  ///< of the queue: how often it had been purged
  uint64_t seq = 0;
  uint16_t attempt = 0;
  bool operator==(const LeaseId&) const = default;
};

/// Immutable; thread-safe.
class LeaseSeal final {
 public:
  static constexpr size_t kKeyBytes = 32;
  explicit LeaseSeal(std::string key) : key_(std::move(key)) {}

  std::string Seal(const LeaseId& id) const;
  /// nullopt: not one of ours.
  std::optional<LeaseId> Open(std::string_view text) const;

 private:
  std::string TagOf(std::string_view fields) const;
  std::string key_;
};

}  // namespace levada::services::queues
