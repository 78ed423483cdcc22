// Any bytes as a record of the exec loader: a refusal as kManifestCorrupt, or a record that,
// written again, reads as the same text. What run.json says of a run can be shown.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "connectors/exec/run_records.h"

namespace levada::exec {
namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

template <typename Record>
std::optional<Record> Try(std::string_view text) {
  const Result<Record> record = Record::FromJson(text);
  if (!record.ok()) {
    Require(CodeOf(record.status()) == FaultCode::kManifestCorrupt);
    return std::nullopt;
  }
  const std::string written = record->ToJson();
  const Result<Record> again = Record::FromJson(written);
  Require(again.ok() && again->ToJson() == written);
  return *record;
}

}  // namespace
}  // namespace levada::exec

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  levada::exec::RunState state;
  if (const auto part = levada::exec::Try<levada::exec::PartRecord>(text)) {
    state.parts.emplace(part->record.partition, *part);
  }
  if (const auto run = levada::exec::Try<levada::exec::RunRecord>(text)) state.run = *run;
  (void)state.Seen("pipeline", "label");
  return 0;
}
