// What of KV reads bytes of clients and of the disk: keys, metadata, expirations, limits, cursors
// and records. The first byte chooses.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "services/kv/kv_record.h"
#include "services/kv/kv_rules.h"

namespace levada::services::kv {
namespace {

void Check(bool holds) {
  if (!holds) __builtin_trap();
}

void ReadRules(std::string_view text) {
  const KvLimits limits;
  (void)CheckKey(limits, text);
  (void)CheckMetadata(limits, text);
  const std::string number(text);
  const int64_t now_s = 1'800'000'000;
  for (const bool is_ttl : {false, true}) {
    const std::optional<std::string> given(number);
    const Expiry expiry =
        CheckExpiry(limits, now_s, is_ttl ? std::nullopt : given, is_ttl ? given : std::nullopt);
    if (!expiry.error && expiry.expires_s) Check(*expiry.expires_s > now_s);
  }
  const ListLimit limit = CheckListLimit(limits, "limit", number);
  if (!limit.error) Check(limit.limit >= 1 && limit.limit <= 1000);
}

void ReadCursor(std::string_view text) {
  const size_t half = text.size() / 2;
  const std::string_view prefix = text.substr(0, half);
  (void)DecodeCursor(text, 1, "");
  (void)DecodeCursor(text.substr(half), 1, prefix);
  const std::string cursor = EncodeCursor(1, prefix, text);
  Check(DecodeCursor(cursor, 1, prefix) == text);
  Check(!DecodeCursor(cursor, 2, prefix));
}

void ReadRecord(std::string_view bytes) {
  (void)ExpiryOfValueKey(bytes);
  const auto record = DecodeRecord(bytes);
  if (!record) return;
  const std::string encoded = EncodeRecord(*record);
  const auto again = DecodeRecord(encoded);
  Check(again && again->value == record->value && again->metadata == record->metadata);
}

}  // namespace
}  // namespace levada::services::kv

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 3) {
    case 0:
      levada::services::kv::ReadRules(text);
      break;
    case 1:
      levada::services::kv::ReadCursor(text);
      break;
    default:
      levada::services::kv::ReadRecord(text);
  }
  return 0;
}
