#include "formats/pgcopy/sink.h"

#include <arrow/array/data.h>
#include <arrow/type.h>

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

namespace levada::pgcopy {

namespace {

/// Capacities are whole words of validity bits, and the 64 bytes Arrow aligns to.
constexpr int64_t kRounding = 64;
constexpr int64_t kFirstBytesPerSlot = 16;
constexpr int64_t kOffsetMax = std::numeric_limits<int32_t>::max();
/// A buffer handed over may be larger than its content by a quarter and kSpareBytes, but where it
/// is small by three eighths and kSpareBytesMin; else it is shrunk. A table of hundreds of columns
/// has thousands of small buffers, whose spare bytes would together be many times their content.
constexpr int64_t kSpareBytes = 64 * 1024;
constexpr int64_t kSpareBytesMin = 512;

int64_t RoundUp(int64_t value) { return (value + kRounding - 1) / kRounding * kRounding; }

/// `buffer` with a size of `bytes`, made if there is none. What it holds stays.
Status Resize(std::unique_ptr<arrow::ResizableBuffer>& buffer, int64_t bytes,
              arrow::MemoryPool* pool) {
  if (buffer != nullptr) return buffer->Resize(bytes, /*shrink_to_fit=*/false);
  return arrow::AllocateResizableBuffer(bytes, pool).Value(&buffer);
}

Result<std::shared_ptr<arrow::Buffer>> HandOver(std::unique_ptr<arrow::ResizableBuffer> buffer,
                                                int64_t bytes) {
  const int64_t spare = bytes / 4 + std::min(bytes / 8 + kSpareBytesMin, kSpareBytes);
  const bool shrink = buffer->capacity() - bytes > spare;
  ARROW_RETURN_NOT_OK(buffer->Resize(bytes, shrink));
  return std::shared_ptr<arrow::Buffer>(std::move(buffer));
}

int64_t BytesOfBits(int64_t bits) { return (bits + 7) / 8; }

/// Bits behind the last slot are zero, so that equal batches have equal buffers.
void ClearSpareBits(uint8_t* bits, int64_t length) {
  if (length % 8 != 0) bits[length / 8] &= static_cast<uint8_t>((1 << (length % 8)) - 1);
}

}  // namespace

Result<Sink> Sink::Make(const ColumnType& type, bool validate_utf8, int64_t bytes_max,
                        arrow::MemoryPool* pool) {
  Sink sink;
  sink.pool_ = pool;
  sink.bytes_max_ = bytes_max;
  ARROW_ASSIGN_OR_RAISE(sink.type_, ArrowTypeOf(type));
  ARROW_ASSIGN_OR_RAISE(sink.step_, StepOf(type, validate_utf8));
  sink.nullable_ = type.nullable;
  if (type.array) {
    ColumnType item_type = type;
    item_type.array = false;
    item_type.nullable = true;
    ARROW_ASSIGN_OR_RAISE(Sink items, Make(item_type, validate_utf8, bytes_max, pool));
    sink.items_ = std::make_unique<Sink>(std::move(items));
    sink.step_ = Step::kList;
    sink.element_oid_ = type.element_oid;
  }
  sink.slot_bytes_ = SlotBytesOf(sink.step_);
  sink.has_offsets_ = HasBytes(sink.step_) || type.array;
  sink.special_ = type.special;
  sink.check_utf8_ = validate_utf8 || type.check_utf8;
  if (sink.step_ == Step::kDecimal128 || sink.step_ == Step::kDecimal256) {
    sink.decimal_ = *ShapeOf(*type.numeric);
    sink.short_numeric_ = ShortNumeric::Make(sink.decimal_.precision, sink.decimal_.scale);
  }
  return sink;
}

Status Sink::Reserve(int64_t slots) {
  if (slots <= slot_capacity_) return Status::OK();
  const int64_t capacity = RoundUp(slots);
  if (has_offsets_) {
    ARROW_RETURN_NOT_OK(Resize(offsets_buffer_, (capacity + 1) * 4, pool_));
    offsets_ = reinterpret_cast<int32_t*>(offsets_buffer_->mutable_data());
    if (slot_capacity_ == 0) {
      offsets_[0] = 0;
      const int64_t expected = BytesExpected(capacity);
      ARROW_RETURN_NOT_OK(items_ ? items_->Reserve(std::max<int64_t>(expected, 1))
                                 : MakeRoom(0, expected));
    }
  } else if (slot_bytes_ > 0) {
    ARROW_RETURN_NOT_OK(Resize(values_buffer_, capacity * slot_bytes_, pool_));
    values_ = values_buffer_->mutable_data();
  } else {
    ARROW_RETURN_NOT_OK(Resize(values_buffer_, capacity / 8, pool_));
    values_ = values_buffer_->mutable_data();
    std::memset(values_ + slot_capacity_ / 8, 0,
                static_cast<size_t>((capacity - slot_capacity_) / 8));
  }
  if (validity_ != nullptr) {
    ARROW_RETURN_NOT_OK(Resize(validity_buffer_, capacity / 8, pool_));
    validity_ = validity_buffer_->mutable_data();
    std::memset(validity_ + slot_capacity_ / 8, 0xff,
                static_cast<size_t>((capacity - slot_capacity_) / 8));
  }
  slot_capacity_ = capacity;
  return Status::OK();
}

int64_t Sink::BytesExpected(int64_t slots) const {
  if (last_length_ == 0) return items_ ? slots : std::min(slots * kFirstBytesPerSlot, bytes_max_);
  // An eighth more than the average of the batch before.
  const double expected = static_cast<double>(last_bytes_) * static_cast<double>(slots) * 1.125 /
                          static_cast<double>(last_length_);
  return std::min(static_cast<int64_t>(expected), bytes_max_);
}

Status Sink::MakeRoom(int64_t at, int64_t size) {
  const int64_t needed = at + size + kSlackBytes;
  if (needed <= byte_capacity_) return Status::OK();
  if (at + size > kOffsetMax) {
    return Status::CapacityError("more bytes than 32-bit offsets reach");
  }
  const int64_t capacity = RoundUp(std::max(needed, std::min(byte_capacity_ * 2, kOffsetMax)));
  ARROW_RETURN_NOT_OK(Resize(values_buffer_, capacity, pool_));
  values_ = values_buffer_->mutable_data();
  byte_capacity_ = capacity;
  return Status::OK();
}

Status Sink::MakeValidity() {
  ARROW_RETURN_NOT_OK(Resize(validity_buffer_, slot_capacity_ / 8, pool_));
  validity_ = validity_buffer_->mutable_data();
  std::memset(validity_, 0xff, static_cast<size_t>(slot_capacity_ / 8));
  return Status::OK();
}

Status Sink::PutNull(int64_t slot) {
  if (validity_ == nullptr) ARROW_RETURN_NOT_OK(MakeValidity());
  PutNullIfRoom(slot);
  return Status::OK();
}

Status Sink::PutBytes(int64_t slot, const void* bytes, int64_t size) {
  ARROW_RETURN_NOT_OK(ReserveBytes(slot, size));
  if (size > 0) std::memcpy(Bytes(slot), bytes, static_cast<size_t>(size));
  SetEnd(slot, offsets_[slot] + size);
  return Status::OK();
}

void Sink::Forget(int64_t begin, int64_t end) {
  if (items_ != nullptr) items_->Forget(offsets_[begin], offsets_[end]);
  if (null_count_ == 0) return;
  for (int64_t slot = begin; slot < end; ++slot) {
    const uint8_t mask = static_cast<uint8_t>(1 << (slot & 7));
    if ((validity_[slot >> 3] & mask) != 0) continue;
    validity_[slot >> 3] |= mask;
    --null_count_;
  }
}

Result<std::shared_ptr<arrow::ArrayData>> Sink::Take(int64_t length) {
  std::vector<std::shared_ptr<arrow::Buffer>> buffers(1);
  if (null_count_ > 0) {
    ClearSpareBits(validity_, length);
    ARROW_ASSIGN_OR_RAISE(buffers[0], HandOver(std::move(validity_buffer_), BytesOfBits(length)));
  }
  const int64_t content = has_offsets_ ? offsets_[length] : 0;
  if (has_offsets_) {
    ARROW_ASSIGN_OR_RAISE(buffers.emplace_back(),
                          HandOver(std::move(offsets_buffer_), (length + 1) * 4));
  } else if (slot_bytes_ == 0) {
    ClearSpareBits(values_, length);
  }
  if (items_ == nullptr) {
    const int64_t bytes = has_offsets_       ? content
                          : slot_bytes_ == 0 ? BytesOfBits(length)
                                             : length * slot_bytes_;
    ARROW_ASSIGN_OR_RAISE(buffers.emplace_back(), HandOver(std::move(values_buffer_), bytes));
  }
  std::shared_ptr<arrow::ArrayData> data =
      arrow::ArrayData::Make(type_, length, std::move(buffers), null_count_);
  if (items_ != nullptr) {
    ARROW_ASSIGN_OR_RAISE(data->child_data.emplace_back(), items_->Take(content));
  }
  values_ = validity_ = nullptr;
  offsets_ = nullptr;
  byte_capacity_ = slot_capacity_ = null_count_ = 0;
  last_length_ = length;
  last_bytes_ = content;
  return data;
}

}  // namespace levada::pgcopy
