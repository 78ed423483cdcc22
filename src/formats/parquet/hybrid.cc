#include "formats/parquet/hybrid.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace levada::parquet_format {
namespace {

/// Groups of a literal run are counted in one header byte, as every other writer does.
constexpr int64_t kLiteralGroupsMax = 63;
constexpr int64_t kGroup = 8;
constexpr int64_t kHeaderBytesMax = 10;  // a 64-bit varint
constexpr int64_t kStoreSlack = 16;      // packing stores whole words past the end of what it keeps

uint8_t* PutVarint(uint64_t value, uint8_t* out) {
  while (value >= 0x80) {
    *out++ = static_cast<uint8_t>(value | 0x80);
    value >>= 7;
  }
  *out++ = static_cast<uint8_t>(value);
  return out;
}

uint8_t* PutRun(uint32_t value, int64_t count, int bit_width, uint8_t* out) {
  out = PutVarint(static_cast<uint64_t>(count) << 1, out);
  for (int bits = 0; bits < bit_width; bits += 8) *out++ = static_cast<uint8_t>(value >> bits);
  return out;
}

/// Whether eight values are the same.
template <typename T>
bool AllEqual(const T* values) {
  constexpr size_t kWords = kGroup * sizeof(T) / sizeof(uint64_t);
  uint64_t words[kWords];
  std::memcpy(words, values, sizeof(words));
  uint64_t pattern = static_cast<std::make_unsigned_t<T>>(values[0]);
  for (size_t width = sizeof(T) * 8; width < 64; width *= 2) pattern |= pattern << width;
  uint64_t difference = 0;
  for (uint64_t word : words) difference |= word ^ pattern;
  return difference == 0;
}

/// Packs eight values into bit_width bytes; may write up to kStoreSlack bytes.
template <typename T>
uint8_t* PackGroup(const T* values, int bit_width, uint8_t* out) {
  if (bit_width <= 16) {
    uint64_t low = 0;
    uint64_t high = 0;
    for (int i = 0; i < 4; ++i) {
      low |= static_cast<uint64_t>(values[i]) << (i * bit_width);
      high |= static_cast<uint64_t>(values[i + 4]) << (i * bit_width);
    }
    unsigned __int128 packed = low | static_cast<unsigned __int128>(high) << (4 * bit_width);
    std::memcpy(out, &packed, sizeof(packed));
    return out + bit_width;
  }
  uint64_t pending = 0;
  int pending_bits = 0;
  uint8_t* end = out + bit_width;
  for (int64_t i = 0; i < kGroup; ++i) {
    pending |= static_cast<uint64_t>(values[i]) << pending_bits;
    pending_bits += bit_width;
    while (pending_bits >= 8) {
      *out++ = static_cast<uint8_t>(pending);
      pending >>= 8;
      pending_bits -= 8;
    }
  }
  return end;
}

template <typename T>
uint8_t* PutLiterals(const T* values, int64_t count, int bit_width, uint8_t* out) {
  while (count > 0) {
    const int64_t groups = std::min((count + kGroup - 1) / kGroup, kLiteralGroupsMax);
    out = PutVarint(static_cast<uint64_t>(groups) << 1 | 1, out);
    for (int64_t group = 0; group < groups; ++group) {
      if (count >= kGroup) {
        out = PackGroup(values, bit_width, out);
      } else {
        T padded[kGroup] = {};
        std::copy_n(values, count, padded);
        out = PackGroup(padded, bit_width, out);
      }
      values += kGroup;
      count -= kGroup;
    }
  }
  return out;
}

template <typename T>
uint8_t* PutHybrid(const T* values, int64_t count, int bit_width, uint8_t* out) {
  int64_t literal_start = 0;
  int64_t at = 0;
  while (at + kGroup <= count) {
    if (!AllEqual(values + at)) {
      at += kGroup;
      continue;
    }
    int64_t end = at + kGroup;
    while (end < count && values[end] == values[at]) ++end;
    out = PutLiterals(values + literal_start, at - literal_start, bit_width, out);
    out = PutRun(static_cast<uint32_t>(values[at]), end - at, bit_width, out);
    at = literal_start = end;
  }
  return PutLiterals(values + literal_start, count - literal_start, bit_width, out);
}

}  // namespace

int BitWidthOf(uint32_t max) { return std::bit_width(max); }

template <typename T>
Status AppendHybrid(const T* values, int64_t count, int bit_width, arrow::BufferBuilder* out) {
  if (count == 0) return Status::OK();
  if (bit_width == 0) return AppendHybridRun(0, count, 0, out);
  // Each group costs at most a run header and a value, or its packed bytes and a share of a literal
  // header.
  const int64_t groups = count / kGroup + 1;
  ARROW_RETURN_NOT_OK(
      out->Reserve(groups * (kHeaderBytesMax + bit_width) + kHeaderBytesMax + kStoreSlack));
  uint8_t* begin = out->mutable_data() + out->length();
  uint8_t* end = PutHybrid(values, count, bit_width, begin);
  out->UnsafeAdvance(end - begin);
  return Status::OK();
}

template Status AppendHybrid(const uint32_t*, int64_t, int, arrow::BufferBuilder*);
template Status AppendHybrid(const int16_t*, int64_t, int, arrow::BufferBuilder*);

Status AppendHybridBits(const uint8_t* bitmap, int64_t count, arrow::BufferBuilder* out) {
  // A run of fewer equal bytes costs less inside a literal.
  constexpr int64_t kRunBytesMin = 4;
  const int64_t bytes = (count + 7) / 8;
  ARROW_RETURN_NOT_OK(out->Reserve(bytes + (bytes / kRunBytesMin + 2) * (kHeaderBytesMax + 1)));
  uint8_t* begin = out->mutable_data() + out->length();
  uint8_t* put = begin;
  auto literals = [&](int64_t from, int64_t to) {
    while (from < to) {
      const int64_t groups = std::min(to - from, kLiteralGroupsMax);
      put = PutVarint(static_cast<uint64_t>(groups) << 1 | 1, put);
      std::memcpy(put, bitmap + from, groups);
      put += groups;
      from += groups;
    }
  };
  int64_t literal_start = 0;
  int64_t at = 0;
  while (at < bytes) {
    int64_t end = at + 1;
    if (bitmap[at] == 0x00 || bitmap[at] == 0xff) {
      while (end < bytes && bitmap[end] == bitmap[at]) ++end;
    }
    if (end - at >= kRunBytesMin && end < bytes) {  // the last byte may be padded: keep it literal
      literals(literal_start, at);
      put = PutRun(bitmap[at] & 1, (end - at) * 8, 1, put);
      literal_start = end;
    }
    at = end;
  }
  literals(literal_start, bytes);
  out->UnsafeAdvance(put - begin);
  return Status::OK();
}

Status AppendHybridRun(uint32_t value, int64_t count, int bit_width, arrow::BufferBuilder* out) {
  ARROW_RETURN_NOT_OK(out->Reserve(kHeaderBytesMax + sizeof(value)));
  uint8_t* begin = out->mutable_data() + out->length();
  out->UnsafeAdvance(PutRun(value, count, bit_width, begin) - begin);
  return Status::OK();
}

}  // namespace levada::parquet_format
