// Any bytes as the bounds of a partition or a slice, which lie in the target where others may
// write: a refusal, or bounds whose text and SQL again are what was read.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "connectors/sqlite/row_range.h"

namespace levada::sqlite {
namespace {

template <typename Bounds>
void Try(const std::string& text) {
  const Result<Bounds> bounds = Bounds::FromJson(text);
  if (!bounds.ok()) {
    if (CodeOf(bounds.status()) != FaultCode::kManifestCorrupt) std::abort();
    return;
  }
  const Result<Bounds> again = Bounds::FromJson(bounds->ToJson());
  if (!again.ok() || !(*again == *bounds) || again->Meaning() != bounds->Meaning()) std::abort();
}

}  // namespace
}  // namespace levada::sqlite

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  levada::sqlite::Try<levada::sqlite::PartitionBounds>(text);
  levada::sqlite::Try<levada::sqlite::RowRange>(text);
  return 0;
}
