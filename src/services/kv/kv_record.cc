#include "services/kv/kv_record.h"

#include "base/binary_text.h"
#include "base/byte_order.h"

namespace levada::services::kv {
namespace {

constexpr uint8_t kVersion = 1;
constexpr uint8_t kElsewhere = 1;
constexpr size_t kHeaderBytes = 1 + 1 + 8 + 2;

std::string CursorHead(uint64_t space, std::string_view prefix) {
  std::string head(1, static_cast<char>(kVersion));
  AppendBigEndian(head, space, 8);
  AppendLittleEndian(head, prefix.size(), 2);
  head += prefix;
  return head;
}

}  // namespace

std::string EncodeRecord(const KvRecord& record) {
  std::string bytes;
  bytes.reserve(kHeaderBytes + record.metadata.size() + record.value.size());
  bytes.push_back(static_cast<char>(kVersion));
  bytes.push_back(static_cast<char>(record.value_elsewhere ? kElsewhere : 0));
  AppendLittleEndian(bytes, static_cast<uint64_t>(record.expires_ms), 8);
  AppendLittleEndian(bytes, record.metadata.size(), 2);
  bytes += record.metadata;
  if (!record.value_elsewhere) bytes += record.value;
  return bytes;
}

std::optional<KvRecord> DecodeRecord(std::string_view bytes) {
  if (bytes.size() < kHeaderBytes || static_cast<uint8_t>(bytes[0]) != kVersion) {
    return std::nullopt;
  }
  const auto flags = static_cast<uint8_t>(bytes[1]);
  const auto metadata_bytes = ReadLittleEndian(bytes.substr(10, 2));
  if ((flags & ~kElsewhere) != 0 || bytes.size() - kHeaderBytes < metadata_bytes) {
    return std::nullopt;
  }
  KvRecord record;
  record.expires_ms = static_cast<int64_t>(ReadLittleEndian(bytes.substr(2, 8)));
  record.value_elsewhere = (flags & kElsewhere) != 0;
  record.metadata = bytes.substr(kHeaderBytes, metadata_bytes);
  record.value = bytes.substr(kHeaderBytes + metadata_bytes);
  if (record.value_elsewhere && !record.value.empty()) return std::nullopt;
  return record;
}

std::string StoreKey(uint64_t space, std::string_view key) {
  std::string bytes;
  bytes.reserve(8 + key.size());
  AppendBigEndian(bytes, space, 8);
  bytes += key;
  return bytes;
}

std::string ValueKey(std::string_view store_key, int64_t expires_ms) {
  std::string bytes;
  bytes.reserve(store_key.size() + 8);
  bytes += store_key;
  AppendBigEndian(bytes, static_cast<uint64_t>(expires_ms), 8);
  return bytes;
}

int64_t ExpiryOfValueKey(std::string_view value_key) {
  if (value_key.size() < 16) return 0;
  return static_cast<int64_t>(ReadBigEndian(value_key.substr(value_key.size() - 8)));
}

std::string EncodeCursor(uint64_t space, std::string_view prefix, std::string_view last_key) {
  return Base64UrlOf(CursorHead(space, prefix) + std::string(last_key));
}

std::optional<std::string> DecodeCursor(std::string_view cursor, uint64_t space,
                                        std::string_view prefix) {
  const std::optional<std::string> bytes = BytesOfBase64Url(cursor);
  const std::string head = CursorHead(space, prefix);
  if (!bytes || !bytes->starts_with(head)) return std::nullopt;
  std::string last = bytes->substr(head.size());
  if (!last.starts_with(prefix)) return std::nullopt;
  return last;
}

}  // namespace levada::services::kv
