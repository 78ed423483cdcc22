// Any bytes as a stream: what is given out is valid and within the limit, and memory too.

#include <arrow/memory_pool.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "formats/arrow_ipc/stream_reader.h"

namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

/// What fails must not fail for want of memory: then a length was believed.
void RequireOfSize(const levada::Status& status) {
  Require(!status.IsOutOfMemory());
  const levada::Fault* fault = levada::AttachedFault(status);
  Require(fault == nullptr || !fault->cause().IsOutOfMemory());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using levada::arrow_ipc::StreamReader;
  levada::arrow_ipc::ReadLimits limits;
  limits.metadata_bytes = 64 << 10;
  limits.batch_bytes = 256 << 10;
  // A body, the same decompressed, copies of what is not aligned, and the batches of before.
  arrow::CappedMemoryPool pool(arrow::system_memory_pool(), 16 << 20);
  size_t at = 0;
  const auto source = [&](std::span<uint8_t> out) -> levada::Result<size_t> {
    const size_t count = std::min(out.size(), size - at);
    std::memcpy(out.data(), data + at, count);
    at += count;
    return count;
  };
  auto reader = StreamReader::Open(source, limits, &pool);
  if (!reader.ok()) {
    RequireOfSize(reader.status());
    return 0;
  }
  while (true) {
    auto batch = (*reader)->Next();
    if (!batch.ok()) {
      RequireOfSize(batch.status());
      break;
    }
    if (*batch == nullptr) {
      Require(at == size);
      break;
    }
    Require((*batch)->ValidateFull().ok());
    Require((*batch)->schema()->Equals(*(*reader)->schema()));
  }
  return 0;
}
