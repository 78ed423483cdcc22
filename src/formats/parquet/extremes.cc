#include "formats/parquet/extremes.h"

#include <arrow/type_traits.h>
#include <arrow/util/bit_util.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>

namespace levada::parquet_format {
namespace {

/// Longer ones are left out: every column chunk of a file keeps its two in the footer, and they
/// cannot be cut short without readers taking the cut value for a real one.
constexpr size_t kBoundBytesMax = 256;

template <typename Word>
std::string Plain(Word value) {
  std::string out(sizeof(value), '\0');
  std::memcpy(out.data(), &value, sizeof(value));
  return out;
}

}  // namespace

Extremes::Order Extremes::OrderOf(const LeafPlan& leaf) {
  switch (leaf.type->id()) {
    case arrow::Type::UINT8:
    case arrow::Type::UINT16:
    case arrow::Type::UINT32:
    case arrow::Type::UINT64:
      return Order::kUnsigned;
    case arrow::Type::FLOAT:
    case arrow::Type::DOUBLE:
      return Order::kFloating;
    default:
      break;
  }
  if (leaf.physical == parquet::Type::BYTE_ARRAY) return Order::kBytes;
  if (leaf.physical == parquet::Type::FIXED_LEN_BYTE_ARRAY) {
    return arrow::is_decimal(leaf.type->id()) ? Order::kBigEndianSigned : Order::kBytes;
  }
  return Order::kSigned;
}

template <typename Word>
void Extremes::AddIntegers(const Word* values, int64_t count) {
  Word low = values[0];
  Word high = values[0];
  for (int64_t i = 1; i < count; ++i) {
    low = std::min(low, values[i]);
    high = std::max(high, values[i]);
  }
  using Wide = std::conditional_t<std::is_signed_v<Word>, int64_t, uint64_t>;
  if (any_) {
    low = static_cast<Word>(std::min(static_cast<Wide>(min_), static_cast<Wide>(low)));
    high = static_cast<Word>(std::max(static_cast<Wide>(max_), static_cast<Wide>(high)));
  }
  min_ = static_cast<int64_t>(low);
  max_ = static_cast<int64_t>(high);
  any_ = true;
}

template <typename Float, typename Word>
void Extremes::AddFloats(const Word* values, int64_t count) {
  auto low = std::numeric_limits<Float>::infinity();
  Float high = -low;
  bool nan = false;
  for (int64_t i = 0; i < count; ++i) {
    const auto value = std::bit_cast<Float>(values[i]);
    nan |= std::isnan(value);
    low = value < low ? value : low;
    high = value > high ? value : high;
  }
  nan_ |= nan;
  float_min_ = any_ ? std::min<double>(float_min_, low) : low;
  float_max_ = any_ ? std::max<double>(float_max_, high) : high;
  any_ = true;
}

void Extremes::AddWords(const uint32_t* values, int64_t count) {
  if (count == 0) return;
  width_ = 4;
  if (order_ == Order::kFloating) return AddFloats<float>(values, count);
  if (order_ == Order::kUnsigned) return AddIntegers(values, count);
  AddIntegers(reinterpret_cast<const int32_t*>(values), count);
}

void Extremes::AddWords(const uint64_t* values, int64_t count) {
  if (count == 0) return;
  width_ = 8;
  if (order_ == Order::kFloating) return AddFloats<double>(values, count);
  if (order_ == Order::kUnsigned) return AddIntegers(values, count);
  AddIntegers(reinterpret_cast<const int64_t*>(values), count);
}

void Extremes::AddBools(const uint8_t* bitmap, int64_t count) {
  if (count == 0) return;
  width_ = 1;
  const bool first = arrow::bit_util::GetBit(bitmap, 0);
  if (!any_) min_ = max_ = first;
  any_ = true;
  for (int64_t i = 0; i < count && (min_ != 0 || max_ != 1); ++i) {
    const int64_t value = arrow::bit_util::GetBit(bitmap, i);
    min_ = std::min(min_, value);
    max_ = std::max(max_, value);
  }
}

bool Extremes::Less(std::string_view a, std::string_view b) const {
  if (order_ == Order::kBigEndianSigned) {
    const bool a_negative = (a[0] & 0x80) != 0;
    const bool b_negative = (b[0] & 0x80) != 0;
    if (a_negative != b_negative) return a_negative;
  }
  return a < b;
}

void Extremes::AddBytes(std::string_view value) {
  const bool lower = !any_ || Less(value, low_);
  const bool higher = !any_ || Less(high_, value);
  if (!lower && !higher) return;
  any_ = true;
  uint8_t first[sizeof(uint64_t)] = {};
  std::copy_n(value.begin(), std::min(value.size(), sizeof(first)), first);
  const uint64_t prefix = PrefixOf(first, sizeof(first));
  if (lower) {
    low_ = value;
    low_prefix_ = prefix;
  }
  if (higher) {
    high_ = value;
    high_prefix_ = prefix;
  }
}

void Extremes::Settle() {
  if (!any_ || (order_ != Order::kBytes && order_ != Order::kBigEndianSigned)) return;
  // One byte more than fits decides everything: whatever compares differently beyond it is too long
  // as well.
  constexpr size_t kKept = kBoundBytesMax + 1;
  if (low_.data() != low_kept_.data()) low_kept_.assign(low_.substr(0, kKept));
  if (high_.data() != high_kept_.data()) high_kept_.assign(high_.substr(0, kKept));
  low_ = low_kept_;
  high_ = high_kept_;
}

std::optional<Extremes::Bounds> Extremes::Take() {
  if (!any_) return std::nullopt;
  switch (order_) {
    case Order::kBytes:
    case Order::kBigEndianSigned:
      if (low_.size() > kBoundBytesMax || high_.size() > kBoundBytesMax) return std::nullopt;
      return Bounds{std::string(low_), std::string(high_)};
    case Order::kFloating: {
      if (nan_) return std::nullopt;
      const double low = float_min_ == 0 ? -0.0 : float_min_;
      const double high = float_max_ == 0 ? 0.0 : float_max_;
      if (width_ == 8) return Bounds{Plain(low), Plain(high)};
      return Bounds{Plain(static_cast<float>(low)), Plain(static_cast<float>(high))};
    }
    case Order::kSigned:
    case Order::kUnsigned:
      break;
  }
  if (width_ == 8) return Bounds{Plain(min_), Plain(max_)};
  if (width_ == 1)
    return Bounds{Plain(static_cast<uint8_t>(min_)), Plain(static_cast<uint8_t>(max_))};
  return Bounds{Plain(static_cast<uint32_t>(min_)), Plain(static_cast<uint32_t>(max_))};
}

void Extremes::Clear() {
  any_ = false;
  nan_ = false;
  low_prefix_ = UINT64_MAX;
  high_prefix_ = 0;
  low_ = high_ = {};
}

}  // namespace levada::parquet_format
