#include "connectors/generate/number_column.h"

#include <arrow/buffer.h>
#include <arrow/util/bit_util.h>

#include <algorithm>
#include <array>
#include <bit>

namespace levada::generate {
namespace {

// Of one block the numbers stay in the first-level cache. A multiple of 8: a block of bits is whole
// bytes.
constexpr int64_t kBlockRows = 1024;

// Each is exact.
constexpr std::array<double, 16> kPowersOfTen = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};

/// Writes numbers as values of one type; the place behind them.
using Store = uint8_t* (*)(std::span<const int64_t> numbers, double divisor, uint8_t* out);

template <typename Value>
uint8_t* StoreIntegers(std::span<const int64_t> numbers, double /*divisor*/, uint8_t* out) {
  auto* values = reinterpret_cast<Value*>(out);
  for (const int64_t number : numbers) *values++ = static_cast<Value>(number);
  return reinterpret_cast<uint8_t*>(values);
}

// One division of two exact doubles: rounded once, by IEEE 754.
template <typename Value>
uint8_t* StoreFloats(std::span<const int64_t> numbers, double divisor, uint8_t* out) {
  auto* values = reinterpret_cast<Value*>(out);
  for (const int64_t number : numbers) {
    *values++ = static_cast<Value>(static_cast<double>(number) / divisor);
  }
  return reinterpret_cast<uint8_t*>(values);
}

uint8_t* StoreDecimals(std::span<const int64_t> numbers, double /*divisor*/, uint8_t* out) {
  // Two words, the lower one first where the machine has it so.
  constexpr size_t kLow = std::endian::native == std::endian::little ? 0 : 1;
  auto* words = reinterpret_cast<int64_t*>(out);
  for (const int64_t number : numbers) {
    words[kLow] = number;
    words[1 - kLow] = number >> 63;
    words += 2;
  }
  return reinterpret_cast<uint8_t*>(words);
}

uint8_t* StoreBits(std::span<const int64_t> numbers, double /*divisor*/, uint8_t* out) {
  for (size_t begin = 0; begin < numbers.size(); begin += 8) {
    unsigned byte = 0;
    for (size_t bit = 0; bit < std::min<size_t>(8, numbers.size() - begin); ++bit) {
      byte |= static_cast<unsigned>(numbers[begin + bit] & 1) << bit;
    }
    *out++ = static_cast<uint8_t>(byte);
  }
  return out;
}

Store StoreOf(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::BOOL:
      return StoreBits;
    case arrow::Type::FLOAT:
      return StoreFloats<float>;
    case arrow::Type::DOUBLE:
      return StoreFloats<double>;
    case arrow::Type::DECIMAL128:
      return StoreDecimals;
    default:
      break;
  }
  // Signed or not: the bits are the same.
  switch (type.bit_width()) {
    case 8:
      return StoreIntegers<int8_t>;
    case 16:
      return StoreIntegers<int16_t>;
    case 32:
      return StoreIntegers<int32_t>;
    default:
      return StoreIntegers<int64_t>;
  }
}

class NumberColumn final : public Column {
 public:
  explicit NumberColumn(NumberColumnParts parts)
      : numbers_(std::move(parts.numbers)),
        nulls_(parts.nulls),
        store_(StoreOf(*parts.field->type())),
        bit_width_(parts.field->type()->bit_width()),
        divisor_(kPowersOfTen.at(static_cast<size_t>(parts.float_scale))) {
    shape_.field = std::move(parts.field);
    shape_.value_bytes = bit_width_ / 8.0;
    shape_.row_bytes_max = (bit_width_ + 7) / 8 + (nulls_.any() ? 1 : 0);
    shape_.distinct = parts.distinct;
    shape_.null_fraction = nulls_.fraction();
    shape_.rise = parts.rise;
  }

  const ColumnShape& shape() const override { return shape_; }

  Result<std::shared_ptr<arrow::Array>> Make(int64_t first_row, int64_t rows,
                                             arrow::MemoryPool* pool) const override {
    ARROW_ASSIGN_OR_RAISE(NullRule::Validity validity, nulls_.Make(first_row, rows, pool));
    ARROW_ASSIGN_OR_RAISE(
        std::shared_ptr<arrow::Buffer> values,
        arrow::AllocateBuffer(arrow::bit_util::BytesForBits(rows * bit_width_), pool));
    uint8_t* out = values->mutable_data();
    std::array<int64_t, kBlockRows> block;
    for (int64_t done = 0; done < rows; done += kBlockRows) {
      const std::span<int64_t> numbers(block.data(),
                                       static_cast<size_t>(std::min(kBlockRows, rows - done)));
      numbers_->Fill(first_row + done, numbers);
      out = store_(numbers, divisor_, out);
    }
    return arrow::MakeArray(arrow::ArrayData::Make(shape_.field->type(), rows,
                                                   {std::move(validity.bits), std::move(values)},
                                                   validity.null_count));
  }

 private:
  ColumnShape shape_;
  const std::unique_ptr<Numbers> numbers_;
  const NullRule nulls_;
  const Store store_;
  const int bit_width_;
  const double divisor_;
};

}  // namespace

std::unique_ptr<Column> MakeNumberColumn(NumberColumnParts parts) {
  return std::make_unique<NumberColumn>(std::move(parts));
}

}  // namespace levada::generate
