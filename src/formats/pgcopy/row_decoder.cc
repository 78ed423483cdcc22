#include "formats/pgcopy/row_decoder.h"

#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "formats/pgcopy/ascii.h"
#include "formats/pgcopy/wire.h"

namespace levada::pgcopy {

namespace {

/// Rows a first batch makes room for; it doubles from there.
constexpr int64_t kFirstRows = 1024;

int64_t SlotCost(const Sink& sink) { return std::max(sink.slot_bytes(), 1); }

/// What DecodeCommon may load of a field without looking how much there is.
int64_t ReservedBytes(Step step) {
  switch (step) {
    case Step::kBool:
      return 1;
    case Step::kInt16:
      return 2;
    case Step::kInt32:
    case Step::kOid:
    case Step::kDate:
      return 4;
    case Step::kInt64:
    case Step::kTime:
    case Step::kTimestamp:
    case Step::kTimestamptz:
      return 8;
    case Step::kDecimal128:
      return 16;
    default:
      return 0;
  }
}

/// Negative sizes come out larger than any tuple, and so than any room.
int64_t TextSize(uint32_t raw_size) { return int64_t{__builtin_bswap32(raw_size)}; }

/// The values that nearly all fields are, and nothing else: no NULL, no special value, no missing
/// byte, no growth. `from` is behind the field's length, which `raw_size` is as it was loaded.
/// kRoomy: at least ReservedBytes of the step, and sink.rest_bytes() behind them, are known to be
/// there. Returns the end of the field, or nullptr without having changed anything.
template <bool kRoomy>
[[gnu::always_inline]] inline const uint8_t* DecodeCommon(Sink& sink, int64_t slot,
                                                          const uint8_t* from, uint32_t raw_size,
                                                          const uint8_t* end, int64_t& text_bytes) {
  const int64_t readable = end - from;
  const auto is = [&](int32_t size) {
    // Comparing the raw word spares the swap, and a roomy row the bound.
    return raw_size == __builtin_bswap32(static_cast<uint32_t>(size)) &&
           (kRoomy || readable >= size);
  };
  switch (sink.step()) {
    case Step::kBool:
      if (!is(1) || *from > 1) return nullptr;
      sink.PutBit(slot, *from != 0);
      return from + 1;
    case Step::kInt16:
      if (!is(2)) return nullptr;
      sink.Put(slot, LoadBig16(from));
      return from + 2;
    case Step::kInt32:
      if (!is(4)) return nullptr;
      sink.Put(slot, LoadBig32(from));
      return from + 4;
    case Step::kInt64:
      if (!is(8)) return nullptr;
      sink.Put(slot, LoadBig64(from));
      return from + 8;
    case Step::kOid:
      if (!is(4)) return nullptr;
      sink.Put(slot, int64_t{LoadBig32(from)});
      return from + 4;
    case Step::kDate: {
      if (!is(4)) return nullptr;
      const uint32_t days = LoadBig32(from);
      if (days - static_cast<uint32_t>(kDateMin) >= uint32_t{kDateEnd} - kDateMin) return nullptr;
      sink.Put(slot, days + uint32_t{kDaysTo2000});
      return from + 4;
    }
    case Step::kTime: {
      if (!is(8)) return nullptr;
      const uint64_t micros = LoadBig64(from);
      if (micros >= uint64_t{kMicrosPerDay}) return nullptr;
      sink.Put(slot, micros);
      return from + 8;
    }
    case Step::kTimestamp:
    case Step::kTimestamptz: {
      if (!is(8)) return nullptr;
      const uint64_t micros = LoadBig64(from);
      constexpr uint64_t kSpan = uint64_t{INT64_MAX} - kMicrosTo2000 - kTimestampMin;
      if (micros - static_cast<uint64_t>(kTimestampMin) > kSpan) return nullptr;
      sink.Put(slot, micros + uint64_t{kMicrosTo2000});
      return from + 8;
    }
    case Step::kDecimal128: {
      const int32_t size = static_cast<int32_t>(__builtin_bswap32(raw_size));
      int64_t value;
      if (!kRoomy && readable < 16) return nullptr;
      if (!sink.short_numeric().Decode(from, size, value)) return nullptr;
      sink.Put(slot, std::array<int64_t, 2>{value, value >> 63});
      return from + size;
    }
    case Step::kText: {
      const int64_t size = TextSize(raw_size);
      if (size > readable - (kRoomy ? sink.rest_bytes() : 0)) return nullptr;
      if (!sink.PutBytesIfRoom(slot, from, size, readable)) return nullptr;
      text_bytes += size;
      return from + size;
    }
    case Step::kCheckedText: {
      const int64_t size = TextSize(raw_size);
      if (size > readable - (kRoomy ? sink.rest_bytes() : 0)) return nullptr;
      if (!IsAscii(from, size) || !sink.PutBytesIfRoom(slot, from, size, readable)) return nullptr;
      text_bytes += size;
      return from + size;
    }
    case Step::kDecimal256:
    case Step::kTrimmedText:
    case Step::kInternalChar:
    case Step::kJsonb:
    case Step::kUuidText:
    case Step::kUuidBytes:
    case Step::kInterval:
    case Step::kNumericText:
    case Step::kNumericDouble:
    case Step::kDateText:
    case Step::kTimeText:
    case Step::kTimestampText:
    case Step::kTimestamptzText:
    case Step::kList:
      return nullptr;
  }
  __builtin_unreachable();
}

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
  for (size_t i = columns.size(); i-- > 0;) {
    Sink& sink = rows->sinks_[i];
    sink.set_rest_bytes(rows->row_reserved_bytes_);
    rows->row_reserved_bytes_ += 4 + ReservedBytes(sink.step());
  }
  return rows;
}

const uint8_t* RowDecoder::DecodeValue(Sink& sink, int64_t slot, const uint8_t* from,
                                       const uint8_t* end) {
  if (end - from < 4) return nullptr;
  uint32_t raw_size;
  std::memcpy(&raw_size, from, sizeof(raw_size));
  const uint8_t* const next =
      DecodeCommon</*kRoomy=*/false>(sink, slot, from + 4, raw_size, end, batch_bytes_);
  return next != nullptr ? next : DecodeAny(sink, slot, from, end);
}

const uint8_t* RowDecoder::DecodeRow(const uint8_t* from, const uint8_t* end) {
  if (row_ == row_limit_) [[unlikely]] {
    if (!Check(MakeRoomForRow())) return nullptr;
  }
  const int64_t row = row_;
  const int64_t batch_bytes = batch_bytes_;
  int64_t text_bytes = row_slot_bytes_;
  Sink* sink = sinks_.data();
  Sink* const last = sink + sinks_.size();
  // A row of which each field's least size is known to be there needs no bound checked but that of
  // its texts. Where NULLs make it shorter than that, and a chunk ends with it, the second loop
  // takes over.
  if (end - from >= row_reserved_bytes_) {
    for (; sink != last; ++sink) {
      uint32_t raw_size;
      std::memcpy(&raw_size, from, sizeof(raw_size));
      const uint8_t* next =
          DecodeCommon</*kRoomy=*/true>(*sink, row, from + 4, raw_size, end, text_bytes);
      if (next == nullptr) [[unlikely]] {
        next = DecodeAny(*sink, row, from, end);
        if (next == nullptr) return TakeBack(sink, batch_bytes);
        if (end - next < sink->rest_bytes()) {
          from = next;
          ++sink;
          break;
        }
      }
      from = next;
    }
  }
  for (; sink != last; ++sink) {
    from = DecodeValue(*sink, row, from, end);
    if (from == nullptr) [[unlikely]] {
      return TakeBack(sink, batch_bytes);
    }
  }
  batch_bytes_ += text_bytes;
  row_ = row + 1;
  return from;
}

const uint8_t* RowDecoder::DecodeAny(Sink& sink, int64_t slot, const uint8_t* from,
                                     const uint8_t* end) {
  const int32_t size = static_cast<int32_t>(LoadBig32(from));
  from += 4;
  if (&sink >= sinks_.data() && &sink < sinks_.data() + sinks_.size()) {
    column_ = static_cast<size_t>(&sink - sinks_.data());
  }
  if (size == kNullLength) {
    if (!sink.nullable()) {
      Malformed("NULL in a column declared NOT NULL");
      return nullptr;
    }
    return sink.PutNullIfRoom(slot) || Check(sink.PutNull(slot)) ? from : nullptr;
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

const uint8_t* RowDecoder::TakeBack(const Sink* failed, int64_t batch_bytes) {
  for (Sink* sink = sinks_.data(); sink != failed; ++sink) sink->Forget(row_, row_ + 1);
  batch_bytes_ = batch_bytes;
  return nullptr;
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
