// Any bytes as the bounds of a partition, which lie in the target where others may write, and as a
// dsn: a refusal, or bounds whose SQL and text again are what was read.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "connectors/clickhouse/bounds.h"
#include "connectors/clickhouse/dsn.h"

namespace levada::clickhouse {
namespace {

void TryBounds(const std::string& text) {
  const Result<PartitionBounds> bounds = PartitionBounds::FromJson(text);
  if (!bounds.ok()) {
    if (CodeOf(bounds.status()) != FaultCode::kManifestCorrupt) std::abort();
    return;
  }
  const Result<PartitionBounds> again = PartitionBounds::FromJson(bounds->ToJson());
  if (!again.ok() || !(*again == *bounds)) std::abort();
  // A value never ends the statement it is quoted in.
  if (again->Predicate() != bounds->Predicate()) std::abort();
  if (bounds->Predicate().find('\0') != std::string::npos) std::abort();
}

void TryDsn(const std::string& text) {
  const Result<Dsn> dsn = ParseDsn(text);
  if (!dsn.ok() && CodeOf(dsn.status()) != FaultCode::kBadValue) std::abort();
}

}  // namespace
}  // namespace levada::clickhouse

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  levada::clickhouse::TryBounds(text);
  levada::clickhouse::TryDsn(text);
  return 0;
}
