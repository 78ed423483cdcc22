#include "connectors/generate/row_stream.h"

#include <algorithm>
#include <utility>

#include "base/counters.h"

namespace levada::generate {
namespace {

// Offsets of texts have 32 bits, whatever the limits say.
constexpr int64_t kBatchBytesMax = int64_t{1} << 30;

int64_t RowsPerBatch(const GeneratedTable& table, const elt::BatchLimits& limits) {
  const int64_t bytes = std::min(limits.bytes, kBatchBytesMax);
  return std::max<int64_t>(
      1, std::min(limits.rows, bytes / std::max<int64_t>(1, table.row_bytes_max())));
}

int64_t BytesOf(const arrow::RecordBatch& batch) {
  int64_t bytes = 0;
  for (int c = 0; c < batch.num_columns(); ++c) {
    for (const auto& buffer : batch.column_data(c)->buffers) {
      if (buffer != nullptr) bytes += buffer->size();
    }
  }
  return bytes;
}

class RowStream final : public elt::BatchStream {
 public:
  RowStream(const Context& ctx, std::shared_ptr<const GeneratedTable> table, const RowRange& range,
            int64_t rows_per_batch)
      : ctx_(ctx),
        table_(std::move(table)),
        range_(range),
        rows_per_batch_(rows_per_batch),
        next_(range.from) {}

  std::shared_ptr<arrow::Schema> schema() const override { return table_->schema(); }

  Status ReadNext(elt::BatchPtr* out) override {
    *out = nullptr;
    if (state_ == State::kEnded) return Status::OK();
    if (state_ != State::kReading) {
      return Fault(FaultCode::kInternal, "generate: read after an error or Close");
    }
    state_ = State::kClosed;  // until this batch is whole
    ARROW_RETURN_NOT_OK(ctx_.Check());
    const int64_t rows = std::min(rows_per_batch_, range_.to - next_);
    if (rows > 0) {
      ARROW_ASSIGN_OR_RAISE(*out, Next(rows));
    }
    state_ = rows > 0 ? State::kReading : State::kEnded;
    return Status::OK();
  }

  Result<elt::StreamEnd> Finish() override {
    if (state_ != State::kEnded) {
      return Fault(FaultCode::kInternal, "generate: finished before its end, or twice");
    }
    elt::StreamEnd end;
    end.rows_sent = range_.rows();
    end.rows_read = rows_read_;
    end.rows_out = rows_read_;
    ARROW_RETURN_NOT_OK(Close());
    return end;
  }

  Status Close() override {
    state_ = State::kClosed;
    return Status::OK();
  }

 private:
  enum class State : uint8_t {
    kReading,
    kEnded,   ///< ReadNext gave null
    kClosed,  ///< also after an error
  };

  Result<elt::BatchPtr> Next(int64_t rows) {
    Timed timed(ctx_.counters->decode_ns);
    ARROW_ASSIGN_OR_RAISE(elt::BatchPtr batch, table_->Make(ctx_, next_, rows));
    next_ += rows;
    rows_read_ += batch->num_rows();
    ctx_.counters->rows_read.fetch_add(rows, std::memory_order_relaxed);
    ctx_.counters->bytes_read.fetch_add(BytesOf(*batch), std::memory_order_relaxed);
    return batch;
  }

  const Context ctx_;
  const std::shared_ptr<const GeneratedTable> table_;
  const RowRange range_;
  const int64_t rows_per_batch_;
  int64_t next_;
  int64_t rows_read_ = 0;
  State state_ = State::kReading;
};

}  // namespace

std::unique_ptr<elt::BatchStream> MakeRowStream(const Context& ctx,
                                                std::shared_ptr<const GeneratedTable> table,
                                                const RowRange& range,
                                                const elt::BatchLimits& limits) {
  const int64_t rows_per_batch = RowsPerBatch(*table, limits);
  return std::make_unique<RowStream>(ctx, std::move(table), range, rows_per_batch);
}

}  // namespace levada::generate
