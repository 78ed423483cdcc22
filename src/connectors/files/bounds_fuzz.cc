// Any bytes as the bounds of a split: bounds that are written the same again, or a fault that says
// so.

#include <cstdint>
#include <cstdlib>
#include <string>

#include "connectors/files/bounds.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using levada::files::PartitionBounds;
  const auto bounds =
      PartitionBounds::FromJson(std::string(reinterpret_cast<const char*>(data), size));
  if (!bounds.ok()) {
    if (levada::CodeOf(bounds.status()) != levada::FaultCode::kManifestCorrupt) std::abort();
    return 0;
  }
  const std::string json = bounds->ToJson();
  const auto again = PartitionBounds::FromJson(json);
  if (!again.ok() || again->ToJson() != json) std::abort();
  return 0;
}
