#include "services/queues/lease_id.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>

#include "base/binary_text.h"
#include "base/byte_order.h"

namespace levada::services::queues {
namespace {

constexpr uint8_t kVersion = 1;
constexpr size_t kFieldsBytes = 1 + 8 + 4 + 8 + 2;
constexpr size_t kTagBytes = 16;
constexpr size_t kTextBytes = (kFieldsBytes + kTagBytes) * 4 / 3 + 2;  // at most

}  // namespace

std::string LeaseSeal::TagOf(std::string_view fields) const {
  std::array<uint8_t, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  HMAC(EVP_sha256(), key_.data(), static_cast<int>(key_.size()),
       reinterpret_cast<const uint8_t*>(fields.data()), fields.size(), digest.data(), &size);
  return {reinterpret_cast<const char*>(digest.data()), size < kTagBytes ? 0 : kTagBytes};
}

std::string LeaseSeal::Seal(const LeaseId& id) const {
  std::string bytes(1, static_cast<char>(kVersion));
  AppendBigEndian(bytes, id.queue, 8);
  AppendBigEndian(bytes, id.epoch, 4);
  AppendBigEndian(bytes, id.seq, 8);
  AppendBigEndian(bytes, id.attempt, 2);
  bytes += TagOf(bytes);
  return Base64UrlOf(bytes);
}

std::optional<LeaseId> LeaseSeal::Open(std::string_view text) const {
  if (text.size() > kTextBytes) return std::nullopt;
  const std::optional<std::string> bytes = BytesOfBase64Url(text);
  if (!bytes || bytes->size() != kFieldsBytes + kTagBytes) return std::nullopt;
  const std::string_view fields = std::string_view(*bytes).substr(0, kFieldsBytes);
  const std::string tag = TagOf(fields);
  if (tag.size() != kTagBytes ||
      CRYPTO_memcmp(tag.data(), bytes->data() + kFieldsBytes, kTagBytes) != 0 ||
      static_cast<uint8_t>(fields[0]) != kVersion) {
    return std::nullopt;
  }
  LeaseId id;
  id.queue = ReadBigEndian(fields.substr(1, 8));
  id.epoch = static_cast<uint32_t>(ReadBigEndian(fields.substr(9, 4)));
  id.seq = ReadBigEndian(fields.substr(13, 8));
  id.attempt = static_cast<uint16_t>(ReadBigEndian(fields.substr(21, 2)));
  return id;
}

}  // namespace levada::services::queues
