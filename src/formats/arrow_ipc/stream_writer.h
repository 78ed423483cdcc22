#pragma once
// StreamWriter: record batches as Arrow's IPC streaming format, uncompressed: its reader is another
// process of this machine.

#include <arrow/memory_pool.h>
#include <arrow/record_batch.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "base/fault.h"

namespace arrow::io {
class OutputStream;
}
namespace arrow::ipc {
class RecordBatchWriter;
}

namespace levada::arrow_ipc {

/// Takes all of `bytes`.
using ByteSink = std::function<Status(std::span<const uint8_t> bytes)>;

/// One thread at a time. After an error of the sink, which is handed on, nothing more is written.
class StreamWriter final {
 public:
  /// The schema is written with the first batch, or with the end.
  static Result<std::unique_ptr<StreamWriter>> Open(const std::shared_ptr<arrow::Schema>& schema,
                                                    ByteSink sink, arrow::MemoryPool* pool);
  ~StreamWriter();

  Status Write(const arrow::RecordBatch& batch);
  /// The end marker.
  Status Finish();

 private:
  class Output;
  StreamWriter();

  std::shared_ptr<arrow::io::OutputStream> output_;
  std::shared_ptr<arrow::ipc::RecordBatchWriter> writer_;
};

}  // namespace levada::arrow_ipc
