#include "connectors/clickhouse/block_stream.h"

#include <arrow/record_batch.h>
#include <arrow/util/byte_size.h>

#include <algorithm>
#include <atomic>
#include <optional>
#include <utility>

#include "base/counters.h"

namespace levada::clickhouse {
namespace {

class BlockStream final : public elt::BatchStream {
 public:
  BlockStream(const Context& ctx, std::unique_ptr<Session> session, elt::SchemaPtr schema,
              const elt::BatchLimits& limits)
      : ctx_(ctx), session_(std::move(session)), schema_(std::move(schema)), limits_(limits) {}
  ~BlockStream() override { (void)BlockStream::Close(); }

  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }

  Status ReadNext(elt::BatchPtr* out) override {
    *out = nullptr;
    if (session_ == nullptr) return Fault(FaultCode::kInternal, "a closed stream is read");
    ARROW_RETURN_NOT_OK(failure_);
    failure_ = ctx_.Check();
    if (failure_.ok()) failure_ = Next(*out);
    return failure_;
  }

  Result<elt::StreamEnd> Finish() override {
    ARROW_RETURN_NOT_OK(failure_);
    if (!ended_ || session_ == nullptr) {
      return Fault(FaultCode::kSourceProtocol, "the stream was left before its end");
    }
    elt::StreamEnd end;
    end.rows_sent = session_->rows_sent();
    end.rows_read = rows_read_;
    end.rows_out = rows_read_;
    if (end.rows_sent >= 0 && end.rows_sent != end.rows_read) {
      return Fault(FaultCode::kCountMismatch,
                   "rows decoded: expected " + std::to_string(end.rows_sent) +
                       " as the server says it sent, got " + std::to_string(end.rows_read));
    }
    ARROW_RETURN_NOT_OK(Close());
    return end;
  }

  Status Close() override {
    session_.reset();  // which cancels what is at work
    return Status::OK();
  }

 private:
  Status Next(elt::BatchPtr& out) {
    while (rest_ == nullptr && !ended_) ARROW_RETURN_NOT_OK(ReadBlock());
    if (rest_ == nullptr) return Status::OK();
    const int64_t rows = std::min(rest_->num_rows(), rows_at_once_);
    out = rest_->Slice(0, rows);
    rest_ = rows == rest_->num_rows() ? nullptr : rest_->Slice(rows);
    rows_read_ += rows;
    ctx_.counters->rows_read.fetch_add(rows, std::memory_order_relaxed);
    return Status::OK();
  }

  Status ReadBlock() {
    ARROW_ASSIGN_OR_RAISE(std::optional<chnative::Block> block, TimedNext());
    if (!block) {
      ended_ = true;
      return Status::OK();
    }
    if (block->rows == 0) return Status::OK();
    ARROW_RETURN_NOT_OK(CheckColumns(*block));
    rest_ = arrow::RecordBatch::Make(schema_, block->rows, std::move(block->arrays));
    // A server need not keep to the rows that it is asked for, and knows nothing of our bytes.
    const int64_t bytes = std::max<int64_t>(1, arrow::util::TotalBufferSize(*rest_));
    const int64_t parts = std::max<int64_t>(1, bytes / std::max<int64_t>(1, limits_.bytes));
    rows_at_once_ = std::clamp<int64_t>(rest_->num_rows() / parts, 1, limits_.rows);
    return Status::OK();
  }

  Result<std::optional<chnative::Block>> TimedNext() {
    const int64_t before = spent_ns_ - session_->wait_ns();
    Result<std::optional<chnative::Block>> block = [&] {
      const Timed timed(spent_ns_);
      return session_->Next();
    }();
    ctx_.counters->decode_ns.fetch_add(spent_ns_ - session_->wait_ns() - before,
                                       std::memory_order_relaxed);
    return block;
  }

  Status CheckColumns(const chnative::Block& block) const {
    bool same = static_cast<int>(block.columns.size()) == schema_->num_fields();
    for (int i = 0; same && i < schema_->num_fields(); ++i) {
      same = block.columns[static_cast<size_t>(i)].field->Equals(*schema_->field(i));
    }
    if (same) return Status::OK();
    return Fault(FaultCode::kSourceProtocol, "a block has other columns than the statement");
  }

  const Context ctx_;
  std::unique_ptr<Session> session_;
  const elt::SchemaPtr schema_;
  const elt::BatchLimits limits_;
  elt::BatchPtr rest_;  ///< of a block, not given yet
  int64_t rows_at_once_ = 1;
  int64_t rows_read_ = 0;
  std::atomic<int64_t> spent_ns_{0};
  bool ended_ = false;
  Status failure_;
};

}  // namespace

std::unique_ptr<elt::BatchStream> MakeBlockStream(const Context& ctx,
                                                  std::unique_ptr<Session> session,
                                                  elt::SchemaPtr schema,
                                                  const elt::BatchLimits& limits) {
  return std::make_unique<BlockStream>(ctx, std::move(session), std::move(schema), limits);
}

}  // namespace levada::clickhouse
