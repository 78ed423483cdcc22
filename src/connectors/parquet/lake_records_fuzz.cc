// Any bytes as a record below `_levada`: a refusal as kManifestCorrupt, or a record that, written
// again, reads as the same text.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "connectors/parquet/lake_records.h"
#include "elt/run.h"

namespace levada::parquet {
namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

template <typename Record>
void Try(std::string_view text) {
  const Result<Record> record = Record::FromJson(text);
  if (!record.ok()) {
    Require(CodeOf(record.status()) == FaultCode::kManifestCorrupt);
    return;
  }
  const std::string written = record->ToJson();
  const Result<Record> again = Record::FromJson(written);
  Require(again.ok() && again->ToJson() == written);
}

}  // namespace
}  // namespace levada::parquet

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace levada;  // tidy: allow nine records in one place
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  parquet::Try<elt::SplitRecord>(text);
  parquet::Try<elt::PartitionRecord>(text);
  parquet::Try<elt::Receipt>(text);
  parquet::Try<parquet::Manifest>(text);
  parquet::Try<parquet::PublishIntent>(text);
  parquet::Try<parquet::SwitchIntent>(text);
  parquet::Try<parquet::AbandonIntent>(text);
  parquet::Try<parquet::Generation>(text);
  parquet::Try<parquet::Owner>(text);
  return 0;
}
