#pragma once
// StreamReader: the Arrow IPC streaming format of somebody else's, from bytes to record batches.
//
// Framing and limits are ours, decoding is Arrow's. No length is believed before it is compared
// with a limit; a batch is given out only after all of it was validated, texts included. The end is
// an end only with the format's own marker, and with nothing behind it. It does not know where the
// bytes come from.

#include <arrow/memory_pool.h>
#include <arrow/record_batch.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "base/fault.h"

namespace levada::arrow_ipc {

struct ReadLimits {
  /// Of a schema or the description of a batch: 20,000 columns take less.
  int64_t metadata_bytes = 8 << 20;
  /// Of one batch, as it comes and decompressed.
  int64_t batch_bytes = 16 << 20;
};

/// Some bytes, at least one; 0 at the end.
using ByteSource = std::function<Result<size_t>(std::span<uint8_t> out)>;

/// One thread at a time. What fails once is not read further.
class StreamReader final {
 public:
  /// Reads the schema. `pool` outlives every batch. kSourceProtocol, and the faults of
  /// AcceptedSchema.
  static Result<std::unique_ptr<StreamReader>> Open(ByteSource source, const ReadLimits& limits,
                                                    arrow::MemoryPool* pool);
  ~StreamReader();

  /// Without metadata.
  const std::shared_ptr<arrow::Schema>& schema() const;
  /// The next batch, valid in all its parts; null at the end. kSourceProtocol (also for a
  /// batch over the limit), kInvalidUtf8, kValueRefused for a NULL where none may be.
  Result<std::shared_ptr<arrow::RecordBatch>> Next();

  int64_t bytes_read() const;

 private:
  class Frames;
  class Messages;
  StreamReader();

  std::unique_ptr<Frames> frames_;
  std::shared_ptr<arrow::RecordBatchReader> batches_;
  std::shared_ptr<arrow::Schema> schema_;
  bool is_over_ = false;
};

}  // namespace levada::arrow_ipc
