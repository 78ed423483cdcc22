#include "connectors/files/files_stream.h"

#include <arrow/filesystem/filesystem.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/counters.h"
#include "base/failpoint.h"
#include "connectors/files/batch_fitter.h"

namespace levada::files {
namespace {

class FilesStream final : public elt::BatchStream {
 public:
  FilesStream(const Context& ctx, std::shared_ptr<const OpenPartition> partition)
      : ctx_(ctx), partition_(std::move(partition)) {
    const ConsumerOptions& options = *partition_->options;
    rules_ = {partition_->bounds.dialect, options.csv.null_values, options.csv.skip_rows,
              options.csv.columns, !options.columns.empty()};
  }
  ~FilesStream() override { (void)Close(); }

  elt::SchemaPtr schema() const override { return partition_->table.schema; }

  Status ReadNext(elt::BatchPtr* out) override {
    *out = nullptr;
    if (state_ == State::kEnded) return Status::OK();
    if (state_ != State::kReading) {
      return Fault(FaultCode::kInternal, "files: read after an error or Close");
    }
    state_ = State::kClosed;  // until this batch is whole
    ARROW_ASSIGN_OR_RAISE(*out, Next());
    state_ = *out == nullptr ? State::kEnded : State::kReading;
    return Status::OK();
  }

  Result<elt::StreamEnd> Finish() override {
    if (state_ != State::kEnded) {
      return Fault(FaultCode::kInternal, "files: finished before its end, or twice");
    }
    elt::StreamEnd end;
    end.rows_read = rows_read_;
    end.rows_filtered = rows_filtered_;
    end.rows_out = rows_out_;
    ARROW_RETURN_NOT_OK(Close());
    return end;
  }

  Status Close() override {
    state_ = State::kClosed;
    CloseFile();
    rest_.reset();
    return Status::OK();
  }

 private:
  enum class State : uint8_t {
    kReading,
    kEnded,   ///< ReadNext gave null
    kClosed,  ///< also after an error
  };

  const FileEntry& file() const { return partition_->bounds.files[at_]; }

  Result<elt::BatchPtr> Next() {
    while (true) {
      ARROW_RETURN_NOT_OK(ctx_.Check());
      if (rest_ != nullptr && rest_->num_rows() > 0) return Cut();
      rest_.reset();
      if (rows_ == nullptr) {
        if (at_ == partition_->bounds.files.size()) return nullptr;
        ARROW_RETURN_NOT_OK(OpenNext());
      }
      ARROW_ASSIGN_OR_RAISE(rest_, ReadBatch());
      if (rest_ == nullptr) ARROW_RETURN_NOT_OK(EndFile());
    }
  }

  Status OpenNext() {
    Timed timed(ctx_.counters->source_wait_ns);
    ARROW_RETURN_NOT_OK(CheckUnchanged(*partition_->system, file()));
    const FilePlace place{partition_->system, file().path, partition_->bounds.format};
    ARROW_ASSIGN_OR_RAISE(open_, Open(ctx_, place, rules_, partition_->limits));
    row_ = 1;
    elt::SchemaPtr schema = open_->schema();
    const bool is_empty = schema != nullptr && schema->num_fields() == 0;
    if (is_empty && partition_->bounds.format == Format::kCsv) {
      // An empty file has no columns that could be missing.
      ARROW_ASSIGN_OR_RAISE(rows_, open_->Read({}));
      fitter_.reset();
      return Status::OK();
    }
    ARROW_ASSIGN_OR_RAISE(fitter_,
                          BatchFitter::Make(*partition_->options, partition_->table, schema,
                                            partition_->bounds, file().path, ctx_.pool));
    auto rows = open_->Read(fitter_->read());
    if (!rows.ok()) return InFile(rows.status(), file().path);
    rows_ = *std::move(rows);
    return Status::OK();
  }

  /// The next batch of this file as one of the table, null at its end; one without rows where the
  /// window has none of them.
  Result<elt::BatchPtr> ReadBatch() {
    Timed timed(ctx_.counters->decode_ns);
    elt::BatchPtr read;
    const Status status = rows_->ReadNext(&read);
    if (!status.ok()) return InFile(status, file().path);
    if (read == nullptr) return nullptr;
    ARROW_ASSIGN_OR_RAISE(elt::BatchPtr fitted, fitter_->Fit(ctx_, *read, row_));
    auto kept = partition_->window.Apply(fitted, ctx_.pool);
    if (!kept.ok()) return InFile(kept.status(), file().path);
    row_ += read->num_rows();
    rows_read_ += read->num_rows();
    rows_filtered_ += read->num_rows() - (*kept)->num_rows();
    ctx_.counters->rows_read.fetch_add(read->num_rows(), std::memory_order_relaxed);
    ctx_.counters->rows_filtered.fetch_add(read->num_rows() - (*kept)->num_rows(),
                                           std::memory_order_relaxed);
    return kept;
  }

  /// What a file says behind its end is for nobody if it has been another one meanwhile.
  Status EndFile() {
    ARROW_RETURN_NOT_OK(CheckUnchanged(*partition_->system, file()));
    ctx_.counters->bytes_read.fetch_add(file().size, std::memory_order_relaxed);
    CloseFile();
    ++at_;
    return Status::OK();
  }

  void CloseFile() {
    rows_.reset();
    fitter_.reset();
    open_.reset();
  }

  /// As much of the batch that is left as the limits allow.
  elt::BatchPtr Cut() {
    elt::BatchPtr batch = std::exchange(rest_, nullptr);
    const int64_t rows = std::min(batch->num_rows(), partition_->limits.rows);
    rows_out_ += rows;
    if (rows == batch->num_rows()) return batch;
    rest_ = batch->Slice(rows);
    return batch->Slice(0, rows);
  }

  const Context ctx_;
  const std::shared_ptr<const OpenPartition> partition_;
  TextRules rules_;
  size_t at_ = 0;  ///< which file
  std::unique_ptr<OpenFile> open_;
  std::optional<BatchFitter> fitter_;
  std::shared_ptr<arrow::RecordBatchReader> rows_;  ///< of open_, which outlives it
  elt::BatchPtr rest_;
  int64_t row_ = 1;  ///< of this file, the next one's number
  int64_t rows_read_ = 0;
  int64_t rows_filtered_ = 0;
  int64_t rows_out_ = 0;
  State state_ = State::kReading;
};

class Reader final : public elt::PartitionReader {
 public:
  explicit Reader(OpenPartition open)
      : open_(std::make_shared<const OpenPartition>(std::move(open))) {}

  Result<std::unique_ptr<elt::BatchStream>> Read(Context& ctx, int slice) override {
    if (slice != 0) return Fault(FaultCode::kInternal, "files: no such slice");
    LEVADA_FAILPOINT(ctx, "read.opened");
    return std::make_unique<FilesStream>(ctx, open_);
  }

 private:
  const std::shared_ptr<const OpenPartition> open_;
};

}  // namespace

std::unique_ptr<elt::PartitionReader> MakeReader(OpenPartition open) {
  return std::make_unique<Reader>(std::move(open));
}

}  // namespace levada::files
