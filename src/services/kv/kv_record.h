#pragma once
// The bytes of a KV record and of a list's cursor (docs/wire/kv.md).

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace levada::services::kv {

/// What family "keys" holds under a key.
struct KvRecord {
  int64_t expires_ms = 0;  ///< 0: never
  bool value_elsewhere = false;
  std::string_view metadata;
  std::string_view value;  ///< unless elsewhere
};

/// Version 1: u8 version, u8 flags (1: value elsewhere), i64 expires_ms, u16 metadata size (all
/// little-endian), metadata, value.
std::string EncodeRecord(const KvRecord& record);
/// Views into `bytes`. nullopt: not a record.
std::optional<KvRecord> DecodeRecord(std::string_view bytes);

/// Of family "keys": the namespace's number, big-endian, then the key.
std::string StoreKey(uint64_t space, std::string_view key);
/// Of family "values": the same, then i64 expires_ms, big-endian: so that a compaction can tell
/// what is past without reading a blob. The value is the user's bytes, nothing more.
std::string ValueKey(std::string_view store_key, int64_t expires_ms);
/// 0 for what is too short to be a ValueKey.
int64_t ExpiryOfValueKey(std::string_view value_key);

/// base64url of: u8 version, u64 namespace big-endian, u16 prefix size, prefix, last key. It means
/// the same after a restart and in no other namespace.
std::string EncodeCursor(uint64_t space, std::string_view prefix, std::string_view last_key);
/// The last key; nullopt: not a cursor of this namespace and prefix.
std::optional<std::string> DecodeCursor(std::string_view cursor, uint64_t space,
                                        std::string_view prefix);

}  // namespace levada::services::kv
