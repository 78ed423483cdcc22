#include "connectors/sqlite/sqlite_reader.h"

#include <fmt/format.h>

#include <mutex>
#include <optional>
#include <utility>

#include "base/counters.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "connectors/sqlite/cell_decoder.h"
#include "connectors/sqlite/value_text.h"
#include "db/sqlite/snapshot.h"
#include "elt/type_name.h"

namespace levada::sqlite {
namespace {

using db::sqlite::Cell;
using db::sqlite::CellType;
using db::sqlite::QuoteName;
using db::sqlite::Statement;

// Of a value in the log: enough to find it.
constexpr size_t kShownBytesMax = 100;

std::string Described(const Cell& cell) {
  switch (cell.type) {
    case CellType::kNull:
      return "NULL";
    case CellType::kInteger:
      return "an INTEGER";
    case CellType::kReal:
      return "a REAL";
    case CellType::kText:
      return "a TEXT of " + std::to_string(cell.bytes.size()) + " bytes";
    case CellType::kBlob:
      return "a BLOB of " + std::to_string(cell.bytes.size()) + " bytes";
  }
  return "something";
}

std::string Shown(Cell cell) {
  const bool cut = cell.bytes.size() > kShownBytesMax;
  cell.bytes = cell.bytes.substr(0, kShownBytesMax);
  std::string text;
  if (!AppendLiteral(cell, text)) return "a text that is no valid UTF-16";
  return cut ? text + "..." : text;
}

class RowStream final : public elt::BatchStream {
 public:
  RowStream(const Context& ctx, const OpenPartition& partition, OpenSlice slice, Statement rows,
            std::vector<std::unique_ptr<CellDecoder>> decoders)
      : ctx_(ctx),
        relation_(partition.relation),
        headers_(partition.headers),
        position_(partition.position),
        limits_(partition.limits),
        slice_(std::move(slice)),
        rows_(std::move(rows)),
        decoders_(std::move(decoders)),
        nulled_(decoders_.size()) {}
  ~RowStream() override { (void)Close(); }

  std::shared_ptr<arrow::Schema> schema() const override { return relation_->schema; }

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
    ARROW_RETURN_NOT_OK(CheckUnchanged());
    WarnOfNulls();
    elt::StreamEnd end;
    end.rows_sent = rows_stepped_;
    end.rows_read = rows_read_;
    end.rows_out = rows_read_;
    end.position = position_;
    ARROW_RETURN_NOT_OK(Close());
    return end;
  }

  Status Close() override {
    state_ = State::kClosed;
    rows_.reset();
    slice_.snapshot.reset();
    slice_.database.reset();
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
    for (const auto& decoder : decoders_) ARROW_RETURN_NOT_OK(decoder->Reserve(limits_.rows));
    int64_t count = 0;
    int64_t bytes = 0;
    while (!rows_over_ && count < limits_.rows && bytes < limits_.bytes) {
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
        if (!relation_->schema->field(c)->nullable()) {
          return Refuse(c, cell, {.reason = "NOT NULL"});
        }
        decoders_[c]->AppendNull();
        continue;
      }
      const Refusal refusal = decoders_[c]->Append(cell);
      if (refusal.reason == nullptr) continue;
      if (relation_->mixed[c] != Mixed::kNull) return Refuse(c, cell, refusal);
      decoders_[c]->AppendNull();
      ++nulled_[c];
    }
    return Status::OK();
  }

  Status Refuse(int column, const Cell& cell, const Refusal& refusal) {
    const arrow::Field& field = *relation_->schema->field(column);
    const std::string row = std::to_string(rows_stepped_);
    std::string row_id;
    if (!relation_->row_id.empty()) row_id = rows_->Text(static_cast<int>(decoders_.size()));
    Fault fault(refusal.code,
                fmt::format("column \"{}\": expected {}, got {}: {} (row {}{})", field.name(),
                            elt::TypeName(*field.type()), Described(cell), refusal.reason, row,
                            row_id.empty() ? "" : ", rowid " + row_id));
    if (!relation_->name.empty()) fault.With("table", relation_->name);
    fault.With("column", field.name()).With("row", row);
    if (!row_id.empty()) fault.With("rowid", row_id);
    fault.Help(HelpFor(field, row_id));
    ctx_.log->Debug(
        "refused value",
        {{"column", field.name()}, {"row", row}, {"rowid", row_id}, {"value", Shown(cell)}});
    return fault;
  }

  std::string HelpFor(const arrow::Field& field, const std::string& row_id) const {
    const std::string name = field.name();
    const std::string say = "say what such values get, types: { " + name +
                            ": { mixed: null } } (or string), or another type; or correct it";
    if (row_id.empty()) return say;
    return say + ": SELECT " + QuoteName(name) + " FROM " + relation_->from + " WHERE " +
           relation_->row_id + " = " + row_id;
  }

  Result<elt::BatchPtr> Cut(int64_t count) {
    Timed timed(ctx_.counters->decode_ns);
    arrow::ArrayVector arrays;
    for (const auto& decoder : decoders_) {
      ARROW_ASSIGN_OR_RAISE(auto array, decoder->Finish());
      arrays.push_back(std::move(array));
    }
    return arrow::RecordBatch::Make(relation_->schema, count, std::move(arrays));
  }

  /// SQLite's locks keep nobody out who does not ask for them, such as cp.
  Status CheckUnchanged() {
    for (const FileHeader& file : headers_) {
      ARROW_ASSIGN_OR_RAISE(const db::sqlite::FileState now,
                            db::sqlite::ReadFileState(*slice_.database, file.schema));
      if (now.header == file.header) continue;
      return Fault(FaultCode::kSnapshotLost,
                   "database \"" + slice_.database->path() + "\"" +
                       (file.schema == "main" ? "" : ", " + file.schema) +
                       ": its file was written while it was read, behind its locks")
          .Help("copy databases with VACUUM INTO or .backup, and not over one that is in use");
    }
    return Status::OK();
  }

  void WarnOfNulls() const {
    for (size_t c = 0; c < nulled_.size(); ++c) {
      if (nulled_[c] == 0) continue;
      ctx_.log->Warning("values that their column does not hold were read as NULL",
                        {{"column", relation_->schema->field(static_cast<int>(c))->name()},
                         {"values", nulled_[c]}});
    }
  }

  const Context ctx_;
  const std::shared_ptr<const Relation> relation_;
  const std::vector<FileHeader> headers_;
  const std::string position_;
  const elt::BatchLimits limits_;
  OpenSlice slice_;
  std::optional<Statement> rows_;  // after slice_: it goes first
  const std::vector<std::unique_ptr<CellDecoder>> decoders_;
  std::vector<int64_t> nulled_;  ///< by column, values that became NULL
  int64_t rows_stepped_ = 0;     ///< given by SQLite
  int64_t rows_read_ = 0;        ///< in batches
  bool rows_over_ = false;       ///< SQLite has no more; a step would begin again
  State state_ = State::kReading;
};

class Reader final : public elt::PartitionReader {
 public:
  explicit Reader(OpenPartition open) : open_(std::move(open)) {}

  Result<std::unique_ptr<elt::BatchStream>> Read(Context& ctx, int slice) override {
    ARROW_ASSIGN_OR_RAISE(OpenSlice mine, Take(slice));
    ARROW_ASSIGN_OR_RAISE(Statement rows, mine.database->Prepare(ctx, mine.sql));
    std::vector<std::unique_ptr<CellDecoder>> decoders;
    for (const ColumnType& type : open_.relation->types) {
      ARROW_ASSIGN_OR_RAISE(auto decoder, MakeCellDecoder(type, ctx.pool));
      decoders.push_back(std::move(decoder));
    }
    LEVADA_FAILPOINT(ctx, "read.opened");
    return std::make_unique<RowStream>(ctx, open_, std::move(mine), std::move(rows),
                                       std::move(decoders));
  }

 private:
  Result<OpenSlice> Take(int slice) {
    std::lock_guard lock(mutex_);
    const auto index = static_cast<size_t>(slice);
    if (slice < 0 || index >= open_.slices.size() || open_.slices[index].database == nullptr) {
      return Fault(FaultCode::kInternal, "sqlite: no such slice, or one that was read");
    }
    return std::move(open_.slices[index]);
  }

  std::mutex mutex_;
  OpenPartition open_;
};

}  // namespace

std::unique_ptr<elt::PartitionReader> MakeReader(OpenPartition open) {
  return std::make_unique<Reader>(std::move(open));
}

}  // namespace levada::sqlite
