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

/// What DecodeUsual may load of a field without looking how much there is.
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

/// One field whose length has been loaded: `raw_size` as it lies in memory, `from` behind it.
struct Field {
  const uint8_t* from;
  uint32_t raw_size;
  int64_t readable;  // bytes at `from`
};

/// Whether `field` is of `size` bytes and they are there. Comparing the raw word spares the swap,
/// and a roomy row the bound.
template <bool kRoomy>
[[gnu::always_inline]] inline bool HasSize(const Field& field, int32_t size) {
  return field.raw_size == __builtin_bswap32(static_cast<uint32_t>(size)) &&
         (kRoomy || field.readable >= size);
}

// Each of these writes a value if it is one of the usual ones, and returns the end of the field;
// else nullptr.

template <bool kRoomy, typename Value, Value (*kLoad)(const uint8_t*)>
[[gnu::always_inline]] inline const uint8_t* PutNumber(Sink& sink, int64_t slot,
                                                       const Field& field) {
  if (!HasSize<kRoomy>(field, sizeof(Value))) return nullptr;
  sink.Put(slot, kLoad(field.from));
  return field.from + sizeof(Value);
}

template <bool kRoomy>
[[gnu::always_inline]] inline const uint8_t* PutBool(Sink& sink, int64_t slot, const Field& field) {
  if (!HasSize<kRoomy>(field, 1) || *field.from > 1) return nullptr;
  sink.PutBit(slot, *field.from != 0);
  return field.from + 1;
}

template <bool kRoomy>
[[gnu::always_inline]] inline const uint8_t* PutOid(Sink& sink, int64_t slot, const Field& field) {
  if (!HasSize<kRoomy>(field, 4)) return nullptr;
  sink.Put(slot, int64_t{LoadBig32(field.from)});
  return field.from + 4;
}

template <bool kRoomy>
[[gnu::always_inline]] inline const uint8_t* PutDate(Sink& sink, int64_t slot, const Field& field) {
  if (!HasSize<kRoomy>(field, 4)) return nullptr;
  const uint32_t days = LoadBig32(field.from);
  constexpr uint32_t kSpan = uint32_t{kDateEnd} - kDateMin;
  if (days - static_cast<uint32_t>(kDateMin) >= kSpan) return nullptr;
  sink.Put(slot, days + uint32_t{kDaysTo2000});
  return field.from + 4;
}

template <bool kRoomy>
[[gnu::always_inline]] inline const uint8_t* PutTime(Sink& sink, int64_t slot, const Field& field) {
  if (!HasSize<kRoomy>(field, 8)) return nullptr;
  const uint64_t micros = LoadBig64(field.from);
  if (micros >= uint64_t{kMicrosPerDay}) return nullptr;
  sink.Put(slot, micros);
  return field.from + 8;
}

template <bool kRoomy>
[[gnu::always_inline]] inline const uint8_t* PutTimestamp(Sink& sink, int64_t slot,
                                                          const Field& field) {
  if (!HasSize<kRoomy>(field, 8)) return nullptr;
  const uint64_t micros = LoadBig64(field.from);
  constexpr uint64_t kSpan = uint64_t{INT64_MAX} - kMicrosTo2000 - kTimestampMin;
  if (micros - static_cast<uint64_t>(kTimestampMin) > kSpan) return nullptr;
  sink.Put(slot, micros + uint64_t{kMicrosTo2000});
  return field.from + 8;
}

template <bool kRoomy>
[[gnu::always_inline]] inline const uint8_t* PutDecimal128(Sink& sink, int64_t slot,
                                                           const Field& field) {
  const int32_t size = static_cast<int32_t>(__builtin_bswap32(field.raw_size));
  int64_t value;
  if (!kRoomy && field.readable < 16) return nullptr;
  if (!sink.short_numeric().Decode(field.from, size, value)) return nullptr;
  sink.Put(slot, std::array<int64_t, 2>{value, value >> 63});
  return field.from + size;
}

template <bool kRoomy, bool kChecked>
[[gnu::always_inline]] inline const uint8_t* PutText(Sink& sink, int64_t slot, const Field& field,
                                                     int64_t& text_bytes) {
  // A negative size comes out larger than any tuple, and so than any room.
  const int64_t size = int64_t{__builtin_bswap32(field.raw_size)};
  if (size > field.readable - (kRoomy ? sink.rest_bytes() : 0)) return nullptr;
  if (kChecked && !IsAscii(field.from, size)) return nullptr;
  if (!sink.PutBytesIfRoom(slot, field.from, size, field.readable)) return nullptr;
  text_bytes += size;
  return field.from + size;
}

/// The values that nearly all fields are: no NULL, no special value, no missing byte, no growth.
/// `from` points at the length. kRoomy: ReservedBytes of the step, and sink.rest_bytes() behind
/// them, are known to be there. Returns the end of the field, or nullptr without having changed
/// anything.
template <bool kRoomy>
[[gnu::always_inline]] inline const uint8_t* DecodeUsual(Sink& sink, int64_t slot,
                                                         const uint8_t* from, const uint8_t* end,
                                                         int64_t& text_bytes) {
  Field field{from + 4, 0, end - (from + 4)};
  std::memcpy(&field.raw_size, from, sizeof(field.raw_size));
  switch (sink.step()) {
    case Step::kBool:
      return PutBool<kRoomy>(sink, slot, field);
    case Step::kInt16:
      return PutNumber<kRoomy, uint16_t, LoadBig16>(sink, slot, field);
    case Step::kInt32:
      return PutNumber<kRoomy, uint32_t, LoadBig32>(sink, slot, field);
    case Step::kInt64:
      return PutNumber<kRoomy, uint64_t, LoadBig64>(sink, slot, field);
    case Step::kOid:
      return PutOid<kRoomy>(sink, slot, field);
    case Step::kDate:
      return PutDate<kRoomy>(sink, slot, field);
    case Step::kTime:
      return PutTime<kRoomy>(sink, slot, field);
    case Step::kTimestamp:
    case Step::kTimestamptz:
      return PutTimestamp<kRoomy>(sink, slot, field);
    case Step::kDecimal128:
      return PutDecimal128<kRoomy>(sink, slot, field);
    case Step::kText:
      return PutText<kRoomy, /*kChecked=*/false>(sink, slot, field, text_bytes);
    case Step::kCheckedText:
      return PutText<kRoomy, /*kChecked=*/true>(sink, slot, field, text_bytes);
    // All are named, so that the jump needs no bound.
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
    sink.SetPlace(i, rows->row_reserved_bytes_);
    rows->row_reserved_bytes_ += 4 + ReservedBytes(sink.step());
  }
  return rows;
}

const uint8_t* RowDecoder::DecodeValue(Sink& sink, int64_t slot, const uint8_t* from,
                                       const uint8_t* end) {
  if (end - from < 4) return nullptr;
  const uint8_t* const next = DecodeUsual</*kRoomy=*/false>(sink, slot, from, end, batch_bytes_);
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
      const uint8_t* next = DecodeUsual</*kRoomy=*/true>(*sink, row, from, end, text_bytes);
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
  column_ = sink.column();
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
  if (status.IsCapacityError()) {
    return Refuse(FaultCode::kValueRefused, "more than 2 GiB of text in one batch",
                  "choose another type than string for the column, or a batch of fewer rows");
  }
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
