#pragma once
// Sink: one column of the batch being filled, or the items of one array column: buffers, and where
// in them to write.
//
// Memory is reserved ahead in slots, so that writing a value checks nothing; only bytes of unknown
// length are checked for room. A value written to a slot twice is simply overwritten: a row that
// turns out to be incomplete is written again when the rest of it is here, after Forget has taken
// back its NULLs.

#include <arrow/buffer.h>
#include <arrow/type_fwd.h>

#include <cstdint>
#include <cstring>
#include <memory>

#include "formats/pgcopy/short_numeric.h"
#include "formats/pgcopy/step.h"

namespace levada::pgcopy {

class Sink final {
 public:
  /// `bytes_max` bounds what is reserved from experience with the batch before, not what can be
  /// written.
  static Result<Sink> Make(const ColumnType& type, bool validate_utf8, int64_t bytes_max,
                           arrow::MemoryPool* pool);

  Step step() const { return step_; }
  bool nullable() const { return nullable_; }
  bool check_utf8() const { return check_utf8_; }
  ValuePolicy special() const { return special_; }
  int32_t slot_bytes() const { return slot_bytes_; }
  uint32_t element_oid() const { return element_oid_; }
  const DecimalShape& decimal() const { return decimal_; }
  const ShortNumeric& short_numeric() const { return short_numeric_; }
  Sink& items() { return *items_; }
  /// The column's index in the row, and the least bytes on the wire of the fields behind it when
  /// none is NULL.
  size_t column() const { return column_; }
  int64_t rest_bytes() const { return rest_bytes_; }
  void SetPlace(size_t column, int64_t rest_bytes) {
    column_ = column;
    rest_bytes_ = rest_bytes;
    if (items_ != nullptr) items_->SetPlace(column, 0);
  }

  int64_t slot_capacity() const { return slot_capacity_; }
  /// Makes room for `slots` slots in all. Values written before stay.
  Status Reserve(int64_t slots);

  template <typename Value>
  void Put(int64_t slot, Value value) {
    Store(values_ + slot * static_cast<int64_t>(sizeof(Value)), value);
  }
  void PutBit(int64_t slot, bool value) {
    const uint8_t mask = static_cast<uint8_t>(1 << (slot & 7));
    const uint8_t others = static_cast<uint8_t>(values_[slot >> 3] & ~mask);
    values_[slot >> 3] = static_cast<uint8_t>(others | (value ? mask : 0));
  }
  void PutSlot(int64_t slot, const uint8_t* bytes) {
    std::memcpy(values_ + slot * slot_bytes_, bytes, static_cast<size_t>(slot_bytes_));
  }
  /// False, and nothing is written, on the first NULL of a batch: then PutNull.
  bool PutNullIfRoom(int64_t slot) {
    if (validity_ == nullptr) return false;
    validity_[slot >> 3] &= static_cast<uint8_t>(~(1 << (slot & 7)));
    ++null_count_;
    if (has_offsets_) {
      offsets_[slot + 1] = offsets_[slot];
    } else if (slot_bytes_ == 0) {
      PutBit(slot, false);
    } else {
      std::memset(values_ + slot * slot_bytes_, 0, static_cast<size_t>(slot_bytes_));
    }
    return true;
  }
  Status PutNull(int64_t slot);

  /// Where the bytes or items of `slot` begin, and where they shall end.
  int32_t Offset(int64_t slot) const { return offsets_[slot]; }
  void SetEnd(int64_t slot, int64_t end) { offsets_[slot + 1] = static_cast<int32_t>(end); }

  /// Writes the bytes of `slot` if there is room for them: false, and nothing is written,
  /// otherwise. Of `bytes` the first `readable` >= size may be loaded.
  bool PutBytesIfRoom(int64_t slot, const uint8_t* bytes, int64_t size, int64_t readable) {
    const int64_t at = offsets_[slot];
    if (at + size + kSlackBytes > byte_capacity_) return false;
    CopyShort(values_ + at, bytes, size, readable);
    offsets_[slot + 1] = static_cast<int32_t>(at + size);
    return true;
  }
  /// The same, making room. Errors: CapacityError when the column's bytes pass what 32-bit offsets
  /// reach.
  Status PutBytes(int64_t slot, const void* bytes, int64_t size);
  /// Makes room for `size` bytes of `slot`, to be written to Bytes(slot) and ended with SetEnd. The
  /// errors of PutBytes.
  Status ReserveBytes(int64_t slot, int64_t size) { return MakeRoom(offsets_[slot], size); }
  uint8_t* Bytes(int64_t slot) { return values_ + offsets_[slot]; }

  /// The NULLs among slots [begin, end) never were.
  void Forget(int64_t begin, int64_t end);

  /// Hands over the first `length` slots and starts again with none reserved.
  Result<std::shared_ptr<arrow::ArrayData>> Take(int64_t length);

 private:
  /// A copy may write this much behind its end, so that short ones are a few fixed moves.
  static constexpr int64_t kSlackBytes = 64;

  Sink() = default;

  static void CopyShort(uint8_t* to, const uint8_t* from, int64_t size, int64_t readable) {
    if (size <= 16 && readable >= 16) {
      std::memcpy(to, from, 16);
    } else if (size <= 64 && readable >= 64) {
      std::memcpy(to, from, 64);
    } else {
      std::memcpy(to, from, static_cast<size_t>(size));
    }
  }

  Status MakeRoom(int64_t at, int64_t size);
  Status MakeValidity();
  int64_t BytesExpected(int64_t slots) const;

  // Read for each value.
  uint8_t* values_ = nullptr;  // slots, bits, or the bytes that offsets point into
  int32_t* offsets_ = nullptr;
  int64_t rest_bytes_ = 0;
  int64_t byte_capacity_ = 0;  // of values_ where there are offsets into it
  uint8_t* validity_ =
      nullptr;  // absent until the first NULL of a batch; then a bit for every slot reserved
  int64_t null_count_ = 0;
  Step step_{};
  bool nullable_ = true;
  bool check_utf8_ = false;
  bool has_offsets_ = false;
  ValuePolicy special_{};
  int32_t slot_bytes_ = 0;
  ShortNumeric short_numeric_;

  size_t column_ = 0;
  DecimalShape decimal_{};
  uint32_t element_oid_ = 0;
  int64_t slot_capacity_ = 0;
  int64_t bytes_max_ = 0;
  int64_t last_length_ = 0;  // of the batch before, and the bytes or items in it
  int64_t last_bytes_ = 0;
  std::unique_ptr<Sink> items_;  // arrays only
  std::shared_ptr<arrow::DataType> type_;
  std::unique_ptr<arrow::ResizableBuffer> values_buffer_;
  std::unique_ptr<arrow::ResizableBuffer> offsets_buffer_;
  std::unique_ptr<arrow::ResizableBuffer> validity_buffer_;
  arrow::MemoryPool* pool_ = nullptr;
};

}  // namespace levada::pgcopy
