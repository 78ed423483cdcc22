#include "services/kv/kv_record.h"

#include <cstring>

#include "base/binary_text.h"
#include "services/core/master_key.h"

namespace levada::services::kv {
namespace {

constexpr uint8_t kVersion = 1;
constexpr uint8_t kElsewhere = 1;
constexpr size_t kHeaderBytes = 1 + 1 + 8 + 2;

template <typename T>
void AppendLittle(std::string& out, T value) {
  for (size_t i = 0; i < sizeof(T); ++i) {
    out.push_back(static_cast<char>((static_cast<uint64_t>(value) >> (8 * i)) & 255));
  }
}

template <typename T>
T ReadLittle(std::string_view bytes) {
  uint64_t value = 0;
  for (size_t i = 0; i < sizeof(T); ++i) {
    value |= static_cast<uint64_t>(static_cast<uint8_t>(bytes[i])) << (8 * i);
  }
  return static_cast<T>(value);
}

void AppendBig(std::string& out, uint64_t value) {
  for (int shift = 56; shift >= 0; shift -= 8) {
    out.push_back(static_cast<char>((value >> shift) & 255));
  }
}

std::string CursorHead(uint64_t space, std::string_view prefix) {
  std::string head(1, static_cast<char>(kVersion));
  AppendBig(head, space);
  AppendLittle(head, static_cast<uint16_t>(prefix.size()));
  head += prefix;
  return head;
}

}  // namespace

std::string EncodeRecord(const KvRecord& record) {
  std::string bytes;
  bytes.reserve(kHeaderBytes + record.metadata.size() + record.value.size());
  bytes.push_back(static_cast<char>(kVersion));
  bytes.push_back(static_cast<char>(record.value_elsewhere ? kElsewhere : 0));
  AppendLittle(bytes, record.expires_ms);
  AppendLittle(bytes, static_cast<uint16_t>(record.metadata.size()));
  bytes += record.metadata;
  if (!record.value_elsewhere) bytes += record.value;
  return bytes;
}

std::optional<KvRecord> DecodeRecord(std::string_view bytes) {
  if (bytes.size() < kHeaderBytes || static_cast<uint8_t>(bytes[0]) != kVersion) {
    return std::nullopt;
  }
  const auto flags = static_cast<uint8_t>(bytes[1]);
  const auto metadata_bytes = ReadLittle<uint16_t>(bytes.substr(10));
  if ((flags & ~kElsewhere) != 0 || bytes.size() - kHeaderBytes < metadata_bytes) {
    return std::nullopt;
  }
  KvRecord record;
  record.expires_ms = ReadLittle<int64_t>(bytes.substr(2));
  record.value_elsewhere = (flags & kElsewhere) != 0;
  record.metadata = bytes.substr(kHeaderBytes, metadata_bytes);
  record.value = bytes.substr(kHeaderBytes + metadata_bytes);
  if (record.value_elsewhere && !record.value.empty()) return std::nullopt;
  return record;
}

std::string StoreKey(uint64_t space, std::string_view key) {
  std::string bytes;
  bytes.reserve(8 + key.size());
  AppendBig(bytes, space);
  bytes += key;
  return bytes;
}

std::string ValueKey(std::string_view store_key, int64_t expires_ms) {
  std::string bytes;
  bytes.reserve(store_key.size() + 8);
  bytes += store_key;
  AppendBig(bytes, static_cast<uint64_t>(expires_ms));
  return bytes;
}

int64_t ExpiryOfValueKey(std::string_view value_key) {
  if (value_key.size() < 16) return 0;
  uint64_t value = 0;
  for (const char c : value_key.substr(value_key.size() - 8)) {
    value = (value << 8) | static_cast<uint8_t>(c);
  }
  return static_cast<int64_t>(value);
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
