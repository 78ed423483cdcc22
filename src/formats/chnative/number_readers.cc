// Values of a fixed width that stay numbers: copied where Arrow has the same bytes, else converted
// one by one.

#include <arrow/array/data.h>
#include <arrow/array/util.h>
#include <arrow/util/bit_util.h>
#include <arrow/util/decimal.h>

#include <array>
#include <bit>
#include <string>
#include <utility>

#include "formats/chnative/column_reader.h"

namespace levada::chnative {
namespace {

using ArrayPtr = std::shared_ptr<arrow::Array>;
using TypePtr = std::shared_ptr<arrow::DataType>;

bool IsNull(const uint8_t* nulls, int64_t row) { return nulls != nullptr && nulls[row] != 0; }

ArrayPtr Assemble(const TypePtr& type, int64_t rows, std::shared_ptr<arrow::Buffer> values) {
  return arrow::MakeArray(arrow::ArrayData::Make(type, rows, {nullptr, std::move(values)}, 0));
}

class CopyReader final : public ColumnReader {
 public:
  CopyReader(TypePtr type, int width) : type_(std::move(type)), width_(width) {}
  Result<ArrayPtr> Read(ColumnInput& in, int64_t rows, const uint8_t*) override {
    ARROW_ASSIGN_OR_RAISE(auto values, in.Values(rows, width_));
    return Assemble(type_, rows, std::move(values));
  }

 private:
  const TypePtr type_;
  const int width_;
};

class BoolReader final : public ColumnReader {
 public:
  Result<ArrayPtr> Read(ColumnInput& in, int64_t rows, const uint8_t* nulls) override {
    ARROW_ASSIGN_OR_RAISE(const auto bytes, in.Values(rows, 1));
    ARROW_ASSIGN_OR_RAISE(auto bits, in.Room(arrow::bit_util::BytesForBits(rows)));
    std::fill_n(bits->mutable_data(), bits->size(), uint8_t{0});
    for (int64_t i = 0; i < rows; ++i) {
      const uint8_t byte = bytes->data()[i];
      if (byte > 1 && !IsNull(nulls, i)) {
        return Fault(FaultCode::kSourceProtocol, "expected a bool, 0 or 1, got " +
                                                     std::to_string(byte) + " (row " +
                                                     std::to_string(i + 1) + " of the block)");
      }
      arrow::bit_util::SetBitTo(bits->mutable_data(), i, byte != 0);
    }
    return Assemble(arrow::boolean(), rows, std::move(bits));
  }
};

/// `Convert` has a static bool of a Wire and a Value*: false, where there is none.
template <typename Wire, typename Value, typename Convert>
class ConvertReader final : public ColumnReader {
 public:
  ConvertReader(TypePtr type, Convert convert) : type_(std::move(type)), convert_(convert) {}
  Result<ArrayPtr> Read(ColumnInput& in, int64_t rows, const uint8_t* nulls) override {
    ARROW_ASSIGN_OR_RAISE(const auto wire, in.Values(rows, sizeof(Wire)));
    ARROW_ASSIGN_OR_RAISE(auto values, in.Room(rows * static_cast<int64_t>(sizeof(Value))));
    const auto* from = reinterpret_cast<const Wire*>(wire->data());
    auto* to = reinterpret_cast<Value*>(values->mutable_data());
    for (int64_t i = 0; i < rows; ++i) {
      if (!convert_(from[i], &to[i]) && !IsNull(nulls, i)) {
        return Fault(FaultCode::kValueRefused, "a value that does not fit into " +
                                                   type_->ToString() + " (row " +
                                                   std::to_string(i + 1) + " of the block)")
            .Help("convert the column in query:, or leave such rows out");
      }
    }
    return Assemble(type_, rows, std::move(values));
  }

 private:
  const TypePtr type_;
  const Convert convert_;
};

template <typename Wire, typename Value, typename Convert>
std::unique_ptr<ColumnReader> Converting(TypePtr type, Convert convert) {
  return std::make_unique<ConvertReader<Wire, Value, Convert>>(std::move(type), convert);
}

template <typename Wire, typename Value>
std::unique_ptr<ColumnReader> Widening(TypePtr type) {
  return Converting<Wire, Value>(std::move(type), [](Wire wire, Value* value) {
    *value = static_cast<Value>(wire);
    return true;
  });
}

using Words2 = std::array<uint64_t, 2>;
using Words4 = std::array<uint64_t, 4>;

/// Values that are scaled integers of `Wire` as the words of Arrow's. ClickHouse itself does not
/// keep them within their digits.
template <typename Wire>
std::unique_ptr<ColumnReader> SmallDecimal(TypePtr type, int precision) {
  return Converting<Wire, Words2>(std::move(type), [precision](Wire wire, Words2* value) {
    *value = {static_cast<uint64_t>(int64_t{wire}), wire < 0 ? ~uint64_t{0} : 0};
    return arrow::Decimal128(int64_t{wire}).FitsInPrecision(precision);
  });
}

std::unique_ptr<ColumnReader> DecimalReader(const Type& type, TypePtr arrow_type) {
  const int precision = type.precision;
  switch (type.bits) {
    case 32:
      return SmallDecimal<int32_t>(std::move(arrow_type), precision);
    case 64:
      return SmallDecimal<int64_t>(std::move(arrow_type), precision);
    case 128:
      return Converting<Words2, Words2>(std::move(arrow_type), [precision](const Words2& wire,
                                                                           Words2* value) {
        *value = wire;
        return arrow::Decimal128(static_cast<int64_t>(wire[1]), wire[0]).FitsInPrecision(precision);
      });
    default:
      return Converting<Words4, Words4>(std::move(arrow_type),
                                        [precision](const Words4& wire, Words4* value) {
                                          *value = wire;
                                          return arrow::Decimal256(wire).FitsInPrecision(precision);
                                        });
  }
}

std::unique_ptr<ColumnReader> UnsignedReader(int bits) {
  switch (bits) {
    case 8:
      return Widening<uint8_t, int16_t>(arrow::int16());
    case 16:
      return Widening<uint16_t, int32_t>(arrow::int32());
    case 32:
      return Widening<uint32_t, int64_t>(arrow::int64());
    default:
      return Converting<uint64_t, Words2>(arrow::decimal128(20, 0),
                                          [](uint64_t wire, Words2* value) {
                                            *value = {wire, 0};
                                            return true;
                                          });
  }
}

std::unique_ptr<ColumnReader> DateTime64Reader(const Type& type, TypePtr arrow_type) {
  int64_t factor = 1;
  for (int digit = type.scale; digit != (type.scale <= 6 ? 6 : 9); ++digit) factor *= 10;
  if (factor == 1) return std::make_unique<CopyReader>(std::move(arrow_type), 8);
  return Converting<int64_t, int64_t>(std::move(arrow_type),
                                      [factor](int64_t wire, int64_t* value) {
                                        return !__builtin_mul_overflow(wire, factor, value);
                                      });
}

}  // namespace

std::unique_ptr<ColumnReader> MakeNumberReader(const Type& type, const TypeOptions& options) {
  const TypePtr arrow_type = FieldOf("", type, options)->type();
  switch (type.kind) {
    case Kind::kUInt:
      if (!options.keep_unsigned) return UnsignedReader(type.bits);
      [[fallthrough]];
    case Kind::kInt:
    case Kind::kFloat:
    case Kind::kDate32:
    case Kind::kInterval:
      return std::make_unique<CopyReader>(arrow_type, type.bits / 8);
    case Kind::kBFloat16:
      return Converting<uint16_t, float>(arrow_type, [](uint16_t wire, float* value) {
        *value = std::bit_cast<float>(uint32_t{wire} << 16);
        return true;
      });
    case Kind::kDecimal:
      return DecimalReader(type, arrow_type);
    case Kind::kBool:
      return std::make_unique<BoolReader>();
    case Kind::kDate:
      return Widening<uint16_t, int32_t>(arrow_type);
    case Kind::kDateTime:
      return Converting<uint32_t, int64_t>(arrow_type, [](uint32_t wire, int64_t* value) {
        *value = int64_t{wire} * 1'000'000;
        return true;
      });
    case Kind::kDateTime64:
      return DateTime64Reader(type, arrow_type);
    default:
      return nullptr;
  }
}

}  // namespace levada::chnative
