// What of R2 reads bytes of clients and of the disk: a binding's JSON, conditions, ranges, records
// and keys of the store. The first byte chooses.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "services/r2/binding_request.h"
#include "services/r2/buckets.h"
#include "services/r2/byte_range.h"
#include "services/r2/conditions.h"
#include "services/r2/notification_json.h"
#include "services/r2/object_record.h"
#include "services/r2/r2_settings_json.h"

namespace levada::services::r2 {
namespace {

void ReadBinding(std::string_view text) {
  const Result<BindingRequest> request = BindingRequest::Parse(text);
  if (!request.ok()) return;
  (void)request->Objects();
  (void)request->Attributes();
  (void)request->OnlyIf();
  (void)request->Key();
  (void)request->Digests();
  (void)request->Parts();
  (void)request->Number("limit");
  (void)request->Includes(1);
  const auto range = request->Range(1000);
  if (range.ok() && *range && (*range)->begin + (*range)->bytes > 1000) __builtin_trap();
}

void ReadRecords(std::string_view bytes) {
  if (const auto record = DecodeObject(bytes)) {
    if (!DecodeObject(Encode(*record))) __builtin_trap();
  }
  if (const auto record = DecodeUpload(bytes)) {
    if (!DecodeUpload(Encode(*record))) __builtin_trap();
  }
  if (const auto record = DecodePart(bytes)) {
    if (!DecodePart(Encode(*record))) __builtin_trap();
  }
  (void)SplitKeyed(bytes);
  (void)QueueOfEventKey(bytes);
}

void ReadSettings(std::string_view text) {
  BucketSettings settings;
  (void)ChangeCors(text, settings);
  (void)ChangeLifecycle(text, settings);
  (void)ChangeVersioning(text, settings);
  (void)ChangePublic(text, settings);
  if (auto rules = ReadNotificationRules(text); rules.ok()) settings.notifications = *rules;
  (void)ReadRuleIds(text);
  // What was taken comes back.
  const Result<BucketSettings> again = ParseSettings(TextOf(settings));
  if (!again.ok()) __builtin_trap();
  (void)ParseSettings(text);
}

void ReadHeaders(std::string_view text) {
  (void)ParseEtagList(text);
  const auto range = RangeOf(text, 1000);
  if (range.ok() && range->range.begin + range->range.bytes > 1000) __builtin_trap();
}

void ReadOne(uint8_t which, std::string_view text) {
  switch (which % 4) {
    case 0:
      return ReadBinding(text);
    case 1:
      return ReadRecords(text);
    case 2:
      return ReadSettings(text);
    default:
      return ReadHeaders(text);
  }
}

}  // namespace
}  // namespace levada::services::r2

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > 0) {
    levada::services::r2::ReadOne(data[0], {reinterpret_cast<const char*>(data) + 1, size - 1});
  }
  return 0;
}
