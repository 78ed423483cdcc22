#include "connectors/sqlite/sqlite_reader.h"

#include <optional>
#include <utility>
#include <vector>

#include "base/counters.h"
#include "base/failpoint.h"
#include "connectors/sqlite/cell_decoder.h"
#include "elt/type_name.h"

namespace levada::sqlite {
namespace {

using db::sqlite::Cell;
using db::sqlite::CellType;
using db::sqlite::Statement;

std::string Described(const Cell& cell) {
  switch (cell.type) {
    case CellType::kNull:
      return "NULL";
    case CellType::kInteger:
      return "an integer";
    case CellType::kReal:
      return "a float";
    case CellType::kText:
      return "a text of " + std::to_string(cell.bytes.size()) + " bytes";
    case CellType::kBlob:
      return "a blob of " + std::to_string(cell.bytes.size()) + " bytes";
  }
  return "something";
}

class RowStream final : public elt::BatchStream {
 public:
  RowStream(const Context& ctx, OpenRelation open, Statement rows,
            std::vector<std::unique_ptr<CellDecoder>> decoders)
      : ctx_(ctx), open_(std::move(open)), rows_(std::move(rows)), decoders_(std::move(decoders)) {}
  ~RowStream() override { (void)Close(); }

  std::shared_ptr<arrow::Schema> schema() const override { return open_.schema; }

  Status ReadNext(elt::BatchPtr* out) override {
    *out = nullptr;
    if (state_ == State::kEnded) return Status::OK();
    if (state_ != State::kReading) {
      return Fault(FaultCode::kInternal, "sqlite: read after an error or Close");
    }
    state_ = State::kClosed;  // until this batch is whole
    ARROW_ASSIGN_OR_RAISE(int64_t count, Fill());
    if (count > 0) {
      ARROW_ASSIGN_OR_RAISE(*out, Cut(count));
    }
    // An end that nobody was told yet is none: a stream closed before it has failed.
    state_ = count > 0 ? State::kReading : State::kEnded;
    return Status::OK();
  }

  Result<elt::StreamEnd> Finish() override {
    if (state_ != State::kEnded) {
      return Fault(FaultCode::kInternal, "sqlite: finished before its end, or twice");
    }
    elt::StreamEnd end;
    end.rows_sent = rows_stepped_;
    end.rows_read = rows_read_;
    end.rows_out = rows_read_;
    ARROW_RETURN_NOT_OK(Close());
    return end;
  }

  Status Close() override {
    state_ = State::kClosed;
    rows_.reset();
    open_.snapshot.reset();
    open_.database.reset();
    return Status::OK();
  }

 private:
  enum class State : uint8_t {
    kReading,
    kEnded,   ///< ReadNext gave null
    kClosed,  ///< also after an error
  };

  /// Rows into the decoders until a batch is full or the rows are over. How many.
  Result<int64_t> Fill() {
    Timed timed(ctx_.counters->source_wait_ns);  // SQLite works on this thread: it is the source
    for (const auto& decoder : decoders_) ARROW_RETURN_NOT_OK(decoder->Reserve(open_.limits.rows));
    int64_t count = 0;
    int64_t bytes = 0;
    while (!rows_over_ && count < open_.limits.rows && bytes < open_.limits.bytes) {
      ARROW_ASSIGN_OR_RAISE(bool row, rows_->Step(ctx_));
      if (!row) {
        rows_over_ = true;
        break;
      }
      ++rows_stepped_;
      ARROW_RETURN_NOT_OK(DecodeRow(bytes));
      ++count;
    }
    rows_read_ += count;
    ctx_.counters->rows_read.fetch_add(count, std::memory_order_relaxed);
    ctx_.counters->bytes_read.fetch_add(bytes, std::memory_order_relaxed);
    return count;
  }

  Status DecodeRow(int64_t& bytes) {
    const int columns = static_cast<int>(decoders_.size());
    for (int c = 0; c < columns; ++c) {
      const Cell cell = rows_->At(c);
      bytes += static_cast<int64_t>(sizeof(int64_t) + cell.bytes.size());
      if (cell.type == CellType::kNull) {
        if (!open_.schema->field(c)->nullable()) return Refuse(c, cell, {.reason = "NOT NULL"});
        decoders_[c]->AppendNull();
        continue;
      }
      const Refusal refusal = decoders_[c]->Append(cell);
      if (refusal.reason != nullptr) return Refuse(c, cell, refusal);
    }
    return Status::OK();
  }

  Status Refuse(int column, const Cell& cell, const Refusal& refusal) {
    const arrow::Field& field = *open_.schema->field(column);
    const std::string row = std::to_string(rows_stepped_);
    std::string row_id;
    if (open_.has_row_id) row_id = rows_->Text(static_cast<int>(decoders_.size()));
    Fault fault(refusal.code, "column \"" + field.name() + "\": expected " +
                                  elt::TypeName(*field.type()) + ", got " + Described(cell) + ": " +
                                  refusal.reason + " (row " + row +
                                  (row_id.empty() ? "" : ", rowid " + row_id) + ")");
    fault.With("column", field.name()).With("row", row);
    if (!row_id.empty()) fault.With("rowid", row_id);
    fault.Help(
        "correct the value, read the column as another type with types:, or convert it in query:");
    return fault;
  }

  Result<elt::BatchPtr> Cut(int64_t count) {
    Timed timed(ctx_.counters->decode_ns);
    arrow::ArrayVector arrays;
    for (const auto& decoder : decoders_) {
      ARROW_ASSIGN_OR_RAISE(auto array, decoder->Finish());
      arrays.push_back(std::move(array));
    }
    return arrow::RecordBatch::Make(open_.schema, count, std::move(arrays));
  }

  const Context ctx_;
  OpenRelation open_;
  std::optional<Statement> rows_;  // after open_: it goes first
  const std::vector<std::unique_ptr<CellDecoder>> decoders_;
  int64_t rows_stepped_ = 0;  ///< given by SQLite
  int64_t rows_read_ = 0;     ///< in batches
  bool rows_over_ = false;    ///< SQLite has no more; a step would begin again
  State state_ = State::kReading;
};

class OneSliceReader final : public elt::PartitionReader {
 public:
  explicit OneSliceReader(OpenRelation open) : open_(std::move(open)) {}

  Result<std::unique_ptr<elt::BatchStream>> Read(Context& ctx, int slice) override {
    if (slice != 0 || open_.database == nullptr) {
      return Fault(FaultCode::kInternal, "sqlite: there is one slice, to be read once");
    }
    ARROW_ASSIGN_OR_RAISE(Statement rows, open_.database->Prepare(ctx, open_.sql));
    std::vector<std::unique_ptr<CellDecoder>> decoders;
    for (const auto& field : open_.schema->fields()) {
      ARROW_ASSIGN_OR_RAISE(auto decoder, MakeCellDecoder(field->type(), ctx.pool));
      decoders.push_back(std::move(decoder));
    }
    LEVADA_FAILPOINT(ctx, "read.opened");
    return std::make_unique<RowStream>(ctx, std::move(open_), std::move(rows), std::move(decoders));
  }

 private:
  OpenRelation open_;
};

}  // namespace

std::unique_ptr<elt::PartitionReader> MakeReader(OpenRelation open) {
  return std::make_unique<OneSliceReader>(std::move(open));
}

}  // namespace levada::sqlite
