// Any bytes as the bounds of a partition or a slice, which lie in the target where others may
// write: a refusal, or bounds whose SQL and text again are what was read.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "connectors/postgres/bounds.h"

namespace levada::postgres {
namespace {

template <typename Bounds>
void Try(const std::string& text) {
  const Result<Bounds> bounds = Bounds::FromJson(text);
  if (!bounds.ok()) {
    if (CodeOf(bounds.status()) != FaultCode::kManifestCorrupt) std::abort();
    return;
  }
  const Result<Bounds> again = Bounds::FromJson(bounds->ToJson());
  if (!again.ok() || !(*again == *bounds)) std::abort();
  // A value never ends the statement it is quoted in.
  if (again->Predicate() != bounds->Predicate()) std::abort();
  if (bounds->Predicate().find('\0') != std::string::npos) std::abort();
}

}  // namespace
}  // namespace levada::postgres

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  levada::postgres::Try<levada::postgres::PartitionBounds>(text);
  levada::postgres::Try<levada::postgres::SliceBounds>(text);
  return 0;
}
