#pragma once
// RowSpool: batches that wait on disk, in order.

#include <arrow/record_batch.h>

#include <memory>

#include "base/context.h"
#include "spill/scratch_file.h"

namespace arrow::ipc {
class RecordBatchWriter;
}

namespace levada::spill {

/// Any number of Append, then any number of Next. One thread at a time. Arrow's stream format,
/// compressed by LZ4.
class RowSpool final {
 public:
  static Result<std::unique_ptr<RowSpool>> Create(const Context& ctx, const ScratchSpace& space,
                                                  const std::shared_ptr<arrow::Schema>& schema);
  ~RowSpool();

  Status Append(const arrow::RecordBatch& batch);
  /// The next batch as it was appended; null at the end.
  Result<std::shared_ptr<arrow::RecordBatch>> Next();
  int64_t rows() const { return rows_; }

 private:
  class Output;
  class Input;
  RowSpool() = default;

  arrow::MemoryPool* pool_ = nullptr;
  std::unique_ptr<ScratchFile> file_;
  std::shared_ptr<Output> output_;
  std::shared_ptr<arrow::ipc::RecordBatchWriter> writer_;
  std::shared_ptr<arrow::RecordBatchReader> reader_;
  int64_t rows_ = 0;
};

}  // namespace levada::spill
