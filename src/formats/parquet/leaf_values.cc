#include "formats/parquet/leaf_values.h"

#include <arrow/type_traits.h>
#include <arrow/util/bitmap_ops.h>
#include <arrow/util/decimal.h>

#include <array>
#include <bit>
#include <cstring>

namespace levada::parquet_format {
namespace {

using Int128 = __int128;

template <typename Source>
const Source* Begin(const Run& run) {
  return run.leaf->GetValues<Source>(1) + run.start;
}

template <typename Source, typename Word>
void CopyWords(std::span<const Run> runs, Word* out) {
  for (const Run& run : runs) {
    if (run.length == 0) continue;
    const Source* values = Begin<Source>(run);
    if constexpr (sizeof(Source) == sizeof(Word)) {
      std::memcpy(out, values, run.length * sizeof(Word));
    } else {
      for (int64_t i = 0; i < run.length; ++i) out[i] = static_cast<Word>(values[i]);
    }
    out += run.length;
  }
}

Fault DecimalTooLarge(const LeafPlan& leaf) {
  return Fault(
             FaultCode::kValueRefused,
             "column \"" + leaf.path + "\": a value has more digits than " + leaf.type->ToString())
      .With("column", leaf.path);
}

/// 10^digits - 1
Int128 LargestOf(int digits) {
  Int128 limit = 1;
  for (int i = 0; i < digits; ++i) limit *= 10;
  return limit - 1;
}

/// Decimal128 as Arrow lays it out; values are 8-byte aligned only.
struct Halves {
  uint64_t low;
  int64_t high;
};

template <typename Source>
Int128 Widen(Source value) {
  if constexpr (std::is_same_v<Source, Halves>) {
    return static_cast<Int128>(value.high) << 64 | value.low;
  } else {
    return value;
  }
}

/// Decimals of up to 128 bits whose precision fits an integer.
template <typename Source, typename Word>
Status NarrowDecimals(const LeafPlan& leaf, std::span<const Run> runs, Word* out) {
  const int precision = static_cast<const arrow::DecimalType&>(*leaf.type).precision();
  const auto limit = static_cast<int64_t>(LargestOf(precision));
  bool too_large = false;
  for (const Run& run : runs) {
    if (run.length == 0) continue;
    const Source* values = Begin<Source>(run);
    for (int64_t i = 0; i < run.length; ++i) {
      int64_t value;
      if constexpr (std::is_same_v<Source, Halves>) {
        value = static_cast<int64_t>(values[i].low);
        too_large |= values[i].high != value >> 63;
      } else {
        value = values[i];
      }
      too_large |= value > limit || value < -limit;
      out[i] = static_cast<Word>(value);
    }
    out += run.length;
  }
  if (too_large) return DecimalTooLarge(leaf);
  return Status::OK();
}

template <typename Word>
Status NarrowDecimals256(const LeafPlan& leaf, std::span<const Run> runs, Word* out) {
  const int precision = static_cast<const arrow::DecimalType&>(*leaf.type).precision();
  for (const Run& run : runs) {
    for (int64_t i = 0; i < run.length; ++i) {
      const arrow::Decimal256 value(run.leaf->GetValues<uint8_t>(1, 0) +
                                    (run.leaf->offset + run.start + i) * 32);
      if (!value.FitsInPrecision(precision)) return DecimalTooLarge(leaf);
      *out++ = static_cast<Word>(value.low_bits());
    }
  }
  return Status::OK();
}

template <typename Word>
Status GatherWordsOf(const LeafPlan& leaf, std::span<const Run> runs, Word* out) {
  switch (leaf.type->id()) {
    case arrow::Type::INT8:
      CopyWords<int8_t>(runs, out);
      return Status::OK();
    case arrow::Type::INT16:
      CopyWords<int16_t>(runs, out);
      return Status::OK();
    case arrow::Type::UINT8:
      CopyWords<uint8_t>(runs, out);
      return Status::OK();
    case arrow::Type::UINT16:
      CopyWords<uint16_t>(runs, out);
      return Status::OK();
    case arrow::Type::DECIMAL32:
      return NarrowDecimals<int32_t>(leaf, runs, out);
    case arrow::Type::DECIMAL64:
      return NarrowDecimals<int64_t>(leaf, runs, out);
    case arrow::Type::DECIMAL128:
      return NarrowDecimals<Halves>(leaf, runs, out);
    case arrow::Type::DECIMAL256:
      return NarrowDecimals256(leaf, runs, out);
    default:
      CopyWords<Word>(runs, out);
      return Status::OK();
  }
}

/// Decimal128 with more than 18 digits: the low `fixed_width` bytes, most significant first.
Status FixedDecimals128(const LeafPlan& leaf, std::span<const Run> runs, uint8_t* out) {
  const Int128 limit = LargestOf(static_cast<const arrow::DecimalType&>(*leaf.type).precision());
  const int dropped = static_cast<int>(sizeof(Halves)) - leaf.fixed_width;
  for (const Run& run : runs) {
    if (run.length == 0) continue;
    const Halves* values = Begin<Halves>(run);
    for (int64_t i = 0; i < run.length; ++i) {
      const Int128 value = Widen(values[i]);
      if (value > limit || value < -limit) return DecimalTooLarge(leaf);
      const std::array<uint64_t, 2> big_endian = {
          __builtin_bswap64(static_cast<uint64_t>(values[i].high)),
          __builtin_bswap64(values[i].low)};
      std::memcpy(out, reinterpret_cast<const uint8_t*>(big_endian.data()) + dropped,
                  leaf.fixed_width);
      out += leaf.fixed_width;
    }
  }
  return Status::OK();
}

Status FixedDecimals256(const LeafPlan& leaf, std::span<const Run> runs, uint8_t* out) {
  constexpr int kWidth = 32;
  const int precision = static_cast<const arrow::DecimalType&>(*leaf.type).precision();
  for (const Run& run : runs) {
    for (int64_t i = 0; i < run.length; ++i) {
      const uint8_t* bytes =
          run.leaf->GetValues<uint8_t>(1, 0) + (run.leaf->offset + run.start + i) * kWidth;
      if (!arrow::Decimal256(bytes).FitsInPrecision(precision)) return DecimalTooLarge(leaf);
      for (int j = 0; j < leaf.fixed_width; ++j) *out++ = bytes[leaf.fixed_width - 1 - j];
    }
  }
  return Status::OK();
}

template <typename Offset>
int64_t SumOfRanges(std::span<const Run> runs) {
  int64_t total = 0;
  for (const Run& run : runs) {
    if (run.length == 0) continue;
    const auto* offsets = Begin<Offset>(run);
    total += offsets[run.length] - offsets[0];
  }
  return total;
}

template <typename Offset>
int64_t GatherLengthsOf(std::span<const Run> runs, uint32_t* out) {
  int64_t total = 0;
  for (const Run& run : runs) {
    if (run.length == 0) continue;
    const auto* offsets = Begin<Offset>(run);
    for (int64_t i = 0; i < run.length; ++i) {
      out[i] = static_cast<uint32_t>(offsets[i + 1] - offsets[i]);
    }
    out += run.length;
    total += offsets[run.length] - offsets[0];
  }
  return total;
}

// The values of a run lie side by side already.
template <typename Offset>
void GatherBytesOf(std::span<const Run> runs, uint8_t* out) {
  for (const Run& run : runs) {
    if (run.length == 0) continue;
    const auto* offsets = Begin<Offset>(run);
    const auto size = static_cast<size_t>(offsets[run.length] - offsets[0]);
    if (size == 0) continue;
    std::memcpy(out, run.leaf->buffers[2]->data() + offsets[0], size);
    out += size;
  }
}

}  // namespace

static_assert(std::endian::native == std::endian::little,
              "PLAIN is little-endian, and so must we be");

Status GatherWords(const LeafPlan& leaf, std::span<const Run> runs, uint32_t* out) {
  return GatherWordsOf(leaf, runs, out);
}

Status GatherWords(const LeafPlan& leaf, std::span<const Run> runs, uint64_t* out) {
  return GatherWordsOf(leaf, runs, out);
}

Status GatherFixed(const LeafPlan& leaf, std::span<const Run> runs, uint8_t* out) {
  if (leaf.type->id() == arrow::Type::DECIMAL128) return FixedDecimals128(leaf, runs, out);
  if (leaf.type->id() == arrow::Type::DECIMAL256) return FixedDecimals256(leaf, runs, out);
  const int64_t width = leaf.fixed_width;
  for (const Run& run : runs) {
    if (run.length == 0) continue;
    std::memcpy(out, run.leaf->GetValues<uint8_t>(1, 0) + (run.leaf->offset + run.start) * width,
                run.length * width);
    out += run.length * width;
  }
  return Status::OK();
}

void GatherBools(std::span<const Run> runs, uint8_t* bitmap) {
  int64_t at = 0;
  for (const Run& run : runs) {
    if (run.length == 0) continue;
    arrow::internal::CopyBitmap(run.leaf->buffers[1]->data(), run.leaf->offset + run.start,
                                run.length, bitmap, at);
    at += run.length;
  }
}

const void* WordsInPlace(const LeafPlan& leaf, std::span<const Run> runs) {
  if (runs.size() != 1 || arrow::is_decimal(leaf.type->id())) return nullptr;
  const int width = leaf.type->byte_width();
  const bool words =
      leaf.physical == parquet::Type::INT64 || leaf.physical == parquet::Type::DOUBLE;
  if (width != (words ? 8 : 4)) return nullptr;
  return runs[0].leaf->GetValues<uint8_t>(1, 0) + (runs[0].leaf->offset + runs[0].start) * width;
}

int64_t CountOf(std::span<const Run> runs) {
  int64_t count = 0;
  for (const Run& run : runs) count += run.length;
  return count;
}

int64_t SumOfLengths(const LeafPlan& leaf, std::span<const Run> runs) {
  return HasLargeOffsets(leaf) ? SumOfRanges<int64_t>(runs) : SumOfRanges<int32_t>(runs);
}

int64_t GatherLengths(const LeafPlan& leaf, std::span<const Run> runs, uint32_t* out) {
  return HasLargeOffsets(leaf) ? GatherLengthsOf<int64_t>(runs, out)
                               : GatherLengthsOf<int32_t>(runs, out);
}

void GatherBytes(const LeafPlan& leaf, std::span<const Run> runs, uint8_t* out) {
  if (HasLargeOffsets(leaf)) {
    GatherBytesOf<int64_t>(runs, out);
  } else {
    GatherBytesOf<int32_t>(runs, out);
  }
}

}  // namespace levada::parquet_format
