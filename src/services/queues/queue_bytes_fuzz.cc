// What of queues reads bytes of clients and of the disk: lease ids, records and keys. The first
// byte chooses.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "services/queues/lease_id.h"
#include "services/queues/queue_record.h"

namespace levada::services::queues {
namespace {

void Check(bool holds) {
  if (!holds) __builtin_trap();
}

void ReadLease(std::string_view text) {
  const LeaseSeal seal(std::string(LeaseSeal::kKeyBytes, 'k'));
  // One that opens is one that was sealed, to the letter.
  if (const auto id = seal.Open(text)) Check(seal.Seal(*id) == text);
}

void ReadRecords(std::string_view bytes) {
  if (const auto message = DecodeMessage(bytes)) Check(EncodeMessage(*message) == bytes);
  if (const auto entry = DecodeEntry(bytes)) Check(EncodeEntry(*entry) == bytes);
  if (const auto totals = DecodeTotals(bytes)) Check(EncodeTotals(*totals) == bytes);
}

void ReadKeys(std::string_view bytes) {
  if (const auto at = DecodePlaceKey(bytes)) Check(PlaceKey(at->queue, at->place) == bytes);
  if (const auto at = DecodeMessageKey(bytes)) Check(MessageKey(at->queue, at->seq) == bytes);
  if (const auto queue = DecodeQueueKey(bytes)) Check(QueueKey(*queue) == bytes);
  if (const auto type = ContentTypeOf(bytes)) Check(NameOf(*type) == bytes);
}

}  // namespace
}  // namespace levada::services::queues

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 3) {
    case 0:
      levada::services::queues::ReadLease(text);
      break;
    case 1:
      levada::services::queues::ReadRecords(text);
      break;
    default:
      levada::services::queues::ReadKeys(text);
  }
  return 0;
}
