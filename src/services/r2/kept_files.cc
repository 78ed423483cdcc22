#include "services/r2/kept_files.h"

#include <utility>

#include "services/r2/object_index.h"

namespace levada::services::r2 {

using db::rocks::Batch;

Status KeepFiles(const BlobDirectory& blobs, db::rocks::Store& index) {
  constexpr size_t kBatchBytes = size_t{1} << 20;
  Batch batch;
  ARROW_RETURN_NOT_OK(blobs.Walk([&](const Stamp& blob) -> Status {
    ARROW_ASSIGN_OR_RAISE(const auto registered, index.Get(kBlobs, blob.Bytes()));
    if (registered) return Status::OK();
    batch.Put(kBlobs, blob.Bytes(), "");
    if (batch.bytes() < kBatchBytes) return Status::OK();
    const Batch full = std::exchange(batch, {});
    return index.Write({&full});
  }));
  return batch.empty() ? Status::OK() : index.Write({&batch});
}

}  // namespace levada::services::r2
