#include "formats/pgcopy/row_decoder.h"

#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <algorithm>

#include "formats/pgcopy/ascii.h"
#include "formats/pgcopy/wire.h"

namespace levada::pgcopy {

namespace {

/// Rows a first batch makes room for; it doubles from there.
constexpr int64_t kFirstRows = 1024;

int64_t SlotCost(const Sink& sink) { return std::max(sink.slot_bytes(), 1); }

}  // namespace

Result<std::unique_ptr<RowDecoder>> RowDecoder::Make(const std::vector<Column>& columns,
                                                     std::shared_ptr<arrow::Schema> schema,
                                                     int64_t rows_max, int64_t bytes_max,
                                                     bool validate_utf8, arrow::MemoryPool* pool) {
  std::unique_ptr<RowDecoder> rows(new RowDecoder());
  rows->schema_ = std::move(schema);
  rows->rows_max_ = rows_max;
  rows->bytes_max_ = bytes_max;
  rows->sinks_.reserve(columns.size());
  for (const Column& column : columns) {
    ARROW_ASSIGN_OR_RAISE(Sink sink, Sink::Make(column.type, validate_utf8, bytes_max, pool));
    rows->row_slot_bytes_ += SlotCost(sink);
    rows->sinks_.push_back(std::move(sink));
  }
  return rows;
}

/// The values that nearly all fields are, and nothing else: no NULL, no special value, no missing
/// byte, no growth. Returns the end of the field, or nullptr without having changed anything.
[[gnu::always_inline]] inline const uint8_t* RowDecoder::DecodeCommon(Sink& sink, int64_t slot,
                                                                      const uint8_t* from,
                                                                      int32_t size,
                                                                      const uint8_t* end) {
  const int64_t readable = end - from;
  switch (sink.step()) {
    case Step::kBool:
      if (size != 1 || readable < 1 || *from > 1) return nullptr;
      sink.PutBit(slot, *from != 0);
      return from + 1;
    case Step::kInt16:
      if (size != 2 || readable < 2) return nullptr;
      sink.Put(slot, LoadBig16(from));
      return from + 2;
    case Step::kInt32:
      if (size != 4 || readable < 4) return nullptr;
      sink.Put(slot, LoadBig32(from));
      return from + 4;
    case Step::kInt64:
      if (size != 8 || readable < 8) return nullptr;
      sink.Put(slot, LoadBig64(from));
      return from + 8;
    case Step::kOid:
      if (size != 4 || readable < 4) return nullptr;
      sink.Put(slot, int64_t{LoadBig32(from)});
      return from + 4;
    case Step::kDate: {
      if (size != 4 || readable < 4) return nullptr;
      const uint32_t days = LoadBig32(from);
      if (days - static_cast<uint32_t>(kDateMin) >= uint32_t{kDateEnd} - kDateMin) return nullptr;
      sink.Put(slot, days + uint32_t{kDaysTo2000});
      return from + 4;
    }
    case Step::kTime: {
      if (size != 8 || readable < 8) return nullptr;
      const uint64_t micros = LoadBig64(from);
      if (micros >= uint64_t{kMicrosPerDay}) return nullptr;
      sink.Put(slot, micros);
      return from + 8;
    }
    case Step::kTimestamp:
    case Step::kTimestamptz: {
      if (size != 8 || readable < 8) return nullptr;
      const uint64_t micros = LoadBig64(from);
      constexpr uint64_t kSpan = uint64_t{INT64_MAX} - kMicrosTo2000 - kTimestampMin;
      if (micros - static_cast<uint64_t>(kTimestampMin) > kSpan) return nullptr;
      sink.Put(slot, micros + uint64_t{kMicrosTo2000});
      return from + 8;
    }
    case Step::kDecimal128: {
      int64_t value;
      if (readable < 16 || !sink.short_numeric().Decode(from, size, value)) return nullptr;
      struct {
        int64_t low, high;
      } words{value, value >> 63};
      sink.Put(slot, words);
      return from + size;
    }
    case Step::kText:
      if (size < 0 || size > readable || !sink.PutBytesIfRoom(slot, from, size, readable)) {
        return nullptr;
      }
      batch_bytes_ += size;
      return from + size;
    case Step::kCheckedText:
      if (size < 0 || size > readable || !IsAscii(from, size) ||
          !sink.PutBytesIfRoom(slot, from, size, readable)) {
        return nullptr;
      }
      batch_bytes_ += size;
      return from + size;
    default:
      return nullptr;
  }
}

[[gnu::always_inline]] inline const uint8_t* RowDecoder::DecodeValue(Sink& sink, int64_t slot,
                                                                     const uint8_t* from,
                                                                     const uint8_t* end) {
  if (end - from < 4) [[unlikely]] {
    return nullptr;
  }
  const int32_t size = static_cast<int32_t>(LoadBig32(from));
  from += 4;
  const uint8_t* const next = DecodeCommon(sink, slot, from, size, end);
  if (next != nullptr) [[likely]] {
    return next;
  }
  return DecodeAny(sink, slot, from, size, end);
}

const uint8_t* RowDecoder::DecodeRow(const uint8_t* from, const uint8_t* end) {
  if (row_ == row_limit_) [[unlikely]] {
    if (!Check(MakeRoomForRow())) return nullptr;
  }
  const int64_t row = row_;
  const int64_t batch_bytes = batch_bytes_;
  const size_t columns = sinks_.size();
  Sink* const sinks = sinks_.data();
  for (size_t i = 0; i < columns; ++i) {
    column_ = i;
    from = DecodeValue(sinks[i], row, from, end);
    if (from == nullptr) [[unlikely]] {
      TakeBack(i, batch_bytes);
      return nullptr;
    }
  }
  batch_bytes_ += row_slot_bytes_;
  row_ = row + 1;
  return from;
}

const uint8_t* RowDecoder::DecodeAny(Sink& sink, int64_t slot, const uint8_t* from, int32_t size,
                                     const uint8_t* end) {
  if (size == kNullLength) {
    if (!sink.nullable()) {
      Malformed("NULL in a column declared NOT NULL");
      return nullptr;
    }
    return Check(sink.PutNull(slot)) ? from : nullptr;
  }
  if (size < 0) {
    Malformed("expected a length of at least -1, got " + std::to_string(size));
    return nullptr;
  }
  if (size > end - from) return nullptr;
  return DecodeField(sink, slot, from, size) ? from + size : nullptr;
}

bool RowDecoder::DecodeItems(Sink& sink, int64_t slot, const uint8_t* from, const uint8_t* end,
                             int32_t count) {
  Sink& items = sink.items();
  const int64_t first = sink.Offset(slot);
  if (first + count > items.slot_capacity() &&
      !Check(items.Reserve(std::max(first + count, 2 * items.slot_capacity())))) {
    return false;
  }
  for (item_ = 0; item_ < count; ++item_) {
    from = DecodeValue(items, first + item_, from, end);
    if (from != nullptr) continue;
    items.Forget(first, first + item_);
    if (failure_.ok()) Malformed("an array ends inside an element");
    return false;
  }
  item_ = -1;
  if (from != end) {
    items.Forget(first, first + count);
    return Malformed("expected an array to end with its last element, got " +
                     std::to_string(end - from) + " more bytes");
  }
  batch_bytes_ += count * SlotCost(items);
  sink.SetEnd(slot, first + count);
  return true;
}

Status RowDecoder::MakeRoomForRow() {
  int64_t limit = 2 * row_limit_;
  if (row_limit_ == 0) limit = rows_expected_ == 0 ? kFirstRows : rows_expected_;
  limit = std::min(limit, rows_max_);
  for (Sink& sink : sinks_) ARROW_RETURN_NOT_OK(sink.Reserve(limit));
  row_limit_ = limit;
  return Status::OK();
}

void RowDecoder::TakeBack(size_t columns, int64_t batch_bytes) {
  for (size_t i = 0; i < columns; ++i) sinks_[i].Forget(row_, row_ + 1);
  batch_bytes_ = batch_bytes;
}

Result<std::shared_ptr<arrow::RecordBatch>> RowDecoder::Cut() {
  const int64_t rows = row_;
  if (rows == 0) return arrow::RecordBatch::MakeEmpty(schema_);
  std::vector<std::shared_ptr<arrow::ArrayData>> columns;
  columns.reserve(sinks_.size());
  for (Sink& sink : sinks_) {
    ARROW_ASSIGN_OR_RAISE(columns.emplace_back(), sink.Take(rows));
  }
  rows_cut_ += rows;
  // Batches cut by their bytes differ a little in rows.
  rows_expected_ = std::min(rows_max_, rows == rows_max_ ? rows : rows + rows / 8 + 1);
  row_ = row_limit_ = batch_bytes_ = 0;
  return arrow::RecordBatch::Make(schema_, rows, std::move(columns));
}

Status RowDecoder::TakeFailure() {
  Status failure = std::move(failure_);
  failure_ = Status::OK();
  item_ = -1;
  return failure;
}

bool RowDecoder::Check(Status status) {
  if (status.ok()) return true;
  failure_ = std::move(status);
  return false;
}

bool RowDecoder::Malformed(std::string what) {
  return Refuse(FaultCode::kSourceProtocol, std::move(what), "");
}

bool RowDecoder::Refuse(FaultCode code, std::string what, std::string help) {
  const std::string& name = schema_->field(static_cast<int>(column_))->name();
  const std::string row = std::to_string(rows_cut_ + row_ + 1);
  std::string place = "column \"" + name + "\": ";
  if (item_ >= 0) place += "element " + std::to_string(item_ + 1) + ": ";
  Fault fault(code, place + std::move(what) + " (row " + row + ")");
  fault.With("column", name).With("row", row);
  if (item_ >= 0) fault.With("element", std::to_string(item_ + 1));
  if (!help.empty()) fault.Help(std::move(help));
  failure_ = fault;
  return false;
}

}  // namespace levada::pgcopy
