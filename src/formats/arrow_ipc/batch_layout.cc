#include "formats/arrow_ipc/batch_layout.h"

#include <bit>
#include <cstring>
#include <limits>
#include <optional>
#include <string>

namespace levada::arrow_ipc {
namespace {

static_assert(std::endian::native == std::endian::little, "flatbuffers are little endian");

using Bytes = std::span<const uint8_t>;

// Indices of fields in the tables of Message.fbs.
constexpr int kMessageHeader = 2;
constexpr int kBatchLength = 0;
constexpr int kBatchBuffers = 2;
constexpr int kBatchCompression = 3;
constexpr uint64_t kBufferEntrySize = 16;  // struct Buffer { offset: long; length: long; }
// In front of each buffer of a compressed body: its size when decompressed.
constexpr int64_t kSizePrefix = 8;

Fault Malformed(const std::string& what) {
  return Fault(FaultCode::kSourceProtocol, "record batch: " + what);
}

template <typename T>
std::optional<T> Load(Bytes bytes, uint64_t at) {
  if (at > bytes.size() || bytes.size() - at < sizeof(T)) return std::nullopt;
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof(T));
  return value;
}

/// A table of a flatbuffer: a position, and the vtable that says where its fields are.
struct Table {
  Bytes bytes;
  uint64_t at = 0;

  /// Where field `index` is; 0: it has its default.
  Result<uint64_t> Field(int index) const {
    const auto back = Load<int32_t>(bytes, at);
    if (!back) return Malformed("a table outside of the metadata");
    const int64_t vtable = static_cast<int64_t>(at) - *back;
    if (vtable < 0) return Malformed("a vtable outside of the metadata");
    const auto size = Load<uint16_t>(bytes, static_cast<uint64_t>(vtable));
    if (!size) return Malformed("a vtable outside of the metadata");
    const uint64_t entry = 4 + 2 * static_cast<uint64_t>(index);
    if (entry + 2 > *size) return uint64_t{0};
    const auto offset = Load<uint16_t>(bytes, static_cast<uint64_t>(vtable) + entry);
    if (!offset) return Malformed("a vtable outside of the metadata");
    return *offset == 0 ? uint64_t{0} : at + *offset;
  }

  /// The table or vector that the offset in field `index` leads to; 0: there is none.
  Result<uint64_t> Follow(int index) const {
    ARROW_ASSIGN_OR_RAISE(const uint64_t field, Field(index));
    if (field == 0) return uint64_t{0};
    const auto offset = Load<uint32_t>(bytes, field);
    if (!offset) return Malformed("an offset outside of the metadata");
    return field + *offset;
  }
};

Result<Table> RecordBatchTable(Bytes metadata) {
  const auto root = Load<uint32_t>(metadata, 0);
  if (!root) return Malformed("no metadata");
  ARROW_ASSIGN_OR_RAISE(const uint64_t header, (Table{metadata, *root}.Follow(kMessageHeader)));
  if (header == 0) return Malformed("a message without a header");
  return Table{metadata, header};
}

/// The size of a buffer of a compressed body when it is decompressed.
Result<int64_t> DecodedBytes(Bytes body, int64_t offset, int64_t length) {
  if (length == 0) return int64_t{0};
  if (length < kSizePrefix) return Malformed("a compressed buffer of less than 8 bytes");
  const int64_t size = *Load<int64_t>(body, static_cast<uint64_t>(offset));
  if (size == -1) return length - kSizePrefix;  // it was not worth compressing
  if (size < 0) return Malformed("a compressed buffer of negative size");
  return size;
}

}  // namespace

Result<BatchLayout> ReadBatchLayout(Bytes metadata, Bytes body) {
  ARROW_ASSIGN_OR_RAISE(const Table batch, RecordBatchTable(metadata));
  BatchLayout layout;
  ARROW_ASSIGN_OR_RAISE(const uint64_t length, batch.Field(kBatchLength));
  if (length != 0) {
    const auto rows = Load<int64_t>(metadata, length);
    if (!rows) return Malformed("a length outside of the metadata");
    layout.rows = *rows;
  }
  if (layout.rows < 0) return Malformed("a negative number of rows");
  ARROW_ASSIGN_OR_RAISE(const uint64_t compression, batch.Follow(kBatchCompression));
  ARROW_ASSIGN_OR_RAISE(const uint64_t buffers, batch.Follow(kBatchBuffers));
  const uint32_t count = buffers == 0 ? 0 : Load<uint32_t>(metadata, buffers).value_or(0);
  const auto body_size = static_cast<int64_t>(body.size());
  for (uint64_t i = 0; i < count; ++i) {
    const uint64_t entry = buffers + sizeof(uint32_t) + i * kBufferEntrySize;
    const auto offset = Load<int64_t>(metadata, entry);
    const auto size = Load<int64_t>(metadata, entry + sizeof(int64_t));
    if (!offset || !size) return Malformed("buffers outside of the metadata");
    if (*offset < 0 || *size < 0 || *offset > body_size || *size > body_size - *offset) {
      return Malformed("a buffer outside of the body");
    }
    layout.body_bytes += *size;
    // So none can be there twice: copies of it could be any number.
    if (layout.body_bytes > body_size) return Malformed("buffers over each other");
    int64_t decoded = *size;
    if (compression != 0) {
      ARROW_ASSIGN_OR_RAISE(decoded, DecodedBytes(body, *offset, *size));
    }
    if (decoded > std::numeric_limits<int64_t>::max() - layout.decoded_bytes) {
      return Malformed("buffers of more than 2^63 bytes");
    }
    layout.decoded_bytes += decoded;
  }
  return layout;
}

}  // namespace levada::arrow_ipc
