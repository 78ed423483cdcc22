#include "connectors/sqlite/cell_decoder.h"

#include <arrow/builder.h>
#include <arrow/util/checked_cast.h>
#include <arrow/util/utf8.h>

#include <cmath>
#include <string>
#include <utility>

#include "elt/literal.h"

namespace levada::sqlite {
namespace {

using arrow::internal::checked_cast;
using db::sqlite::Cell;
using db::sqlite::CellType;

constexpr int64_t kMicrosPerDay = int64_t{86'400} * 1'000'000;
constexpr int64_t kMicrosPerMinute = int64_t{60} * 1'000'000;
// Every integer up to here is a double.
constexpr int64_t kExactInteger = int64_t{1} << 53;

Refusal Refused(const char* reason) { return {FaultCode::kValueRefused, reason}; }

// Readers: what a cell is as a value of one type. Read gives the refusal and fills `value`.

struct BoolReader {
  using Builder = arrow::BooleanBuilder;
  bool value = false;
  Refusal Read(const Cell& cell) {
    if (cell.type != CellType::kInteger || (cell.integer != 0 && cell.integer != 1)) {
      return Refused("neither 0 nor 1");
    }
    value = cell.integer == 1;
    return {};
  }
};

struct IntegerReader {
  using Builder = arrow::Int64Builder;
  int64_t value = 0;
  Refusal Read(const Cell& cell) {
    if (cell.type != CellType::kInteger) return Refused("not stored as an integer");
    value = cell.integer;
    return {};
  }
};

struct FloatReader {
  using Builder = arrow::DoubleBuilder;
  double value = 0;
  Refusal Read(const Cell& cell) {
    if (cell.type == CellType::kReal) {
      value = cell.real;
      return {};
    }
    if (cell.type != CellType::kInteger) return Refused("not stored as a number");
    if (cell.integer > kExactInteger || cell.integer < -kExactInteger) {
      return Refused("an integer that no float holds");
    }
    value = static_cast<double>(cell.integer);
    return {};
  }
};

struct DecimalReader {
  using Builder = arrow::Decimal128Builder;
  explicit DecimalReader(const arrow::DataType& type)
      : precision(checked_cast<const arrow::Decimal128Type&>(type).precision()),
        scale(checked_cast<const arrow::Decimal128Type&>(type).scale()),
        power(arrow::Decimal128::GetScaleMultiplier(scale)),
        limit(arrow::Decimal128::GetMaxValue(precision - scale)) {}
  const int precision;
  const int scale;
  const arrow::Decimal128 power;
  const arrow::Decimal128 limit;  ///< the largest integer part
  arrow::Decimal128 value;

  Refusal Read(const Cell& cell) {
    switch (cell.type) {
      case CellType::kInteger: {
        const arrow::Decimal128 whole(cell.integer);
        if (whole > limit || -whole > limit) return Refused("out of range");
        value = whole * power;
        return {};
      }
      case CellType::kReal:
        return Take(elt::DecimalOfFloat(cell.real, precision, scale));
      case CellType::kText:
        return Take(elt::ParseDecimalLiteral(cell.bytes, precision, scale));
      default:
        return Refused("not a number");
    }
  }
  Refusal Take(const elt::Literal<arrow::Decimal128>& literal) {
    value = literal.value;
    return Refused(literal.problem);
  }
};

struct DateReader {
  using Builder = arrow::Date32Builder;
  int32_t value = 0;
  Refusal Read(const Cell& cell) {
    if (cell.type != CellType::kText) return Refused("not stored as text");
    const auto literal = elt::ParseDateLiteral(cell.bytes);
    value = literal.value;
    return Refused(literal.problem);
  }
};

struct TimeReader {
  using Builder = arrow::Time64Builder;
  int64_t value = 0;
  Refusal Read(const Cell& cell) {
    if (cell.type != CellType::kText) return Refused("not stored as text");
    const auto literal = elt::ParseTimeLiteral(cell.bytes);
    value = literal.value / 1000;
    if (literal.ok() && literal.value % 1000 != 0) return Refused("finer than a microsecond");
    return Refused(literal.problem);
  }
};

struct TimestampReader {
  using Builder = arrow::TimestampBuilder;
  explicit TimestampReader(const arrow::DataType& type)
      : zoned(!checked_cast<const arrow::TimestampType&>(type).timezone().empty()) {}
  const bool zoned;
  int64_t value = 0;
  Refusal Read(const Cell& cell) {
    if (cell.type != CellType::kText) return Refused("not stored as text");
    const auto literal = elt::ParseDateTimeLiteral(cell.bytes);
    if (!literal.ok()) return Refused(literal.problem);
    const elt::DateTime& time = literal.value;
    if (time.nanos_of_day % 1000 != 0) return Refused("finer than a microsecond");
    if (zoned && !time.has_zone) return Refused("without an offset from UTC");
    if (!zoned && time.has_zone) {
      return Refused("with an offset from UTC, which this type has no place for");
    }
    value = time.days * kMicrosPerDay + time.nanos_of_day / 1000 -
            time.offset_minutes * kMicrosPerMinute;
    return {};
  }
};

/// Values of one size: the room is there before they come.
template <typename Reader>
class FixedDecoder final : public CellDecoder {
 public:
  template <typename... Args>
  FixedDecoder(const std::shared_ptr<arrow::DataType>& type, arrow::MemoryPool* pool,
               Args&&... args)
      : reader_{std::forward<Args>(args)...}, builder_(type, pool) {}

  Status Reserve(int64_t rows) override { return builder_.Reserve(rows); }
  Refusal Append(const Cell& cell) override {
    const Refusal refusal = reader_.Read(cell);
    if (refusal.reason == nullptr) builder_.UnsafeAppend(reader_.value);
    return refusal;
  }
  void AppendNull() override { builder_.UnsafeAppendNull(); }
  Result<std::shared_ptr<arrow::Array>> Finish() override { return builder_.Finish(); }

 private:
  Reader reader_;
  typename Reader::Builder builder_;
};

template <typename Builder, CellType kType>
class BytesDecoder final : public CellDecoder {
 public:
  BytesDecoder(const std::shared_ptr<arrow::DataType>& type, arrow::MemoryPool* pool)
      : builder_(type, pool) {}

  Status Reserve(int64_t rows) override { return builder_.Reserve(rows); }
  Refusal Append(const Cell& cell) override {
    if (cell.type != kType) {
      return Refused(kType == CellType::kText ? "not stored as text" : "not stored as a blob");
    }
    if (kType == CellType::kText && !arrow::util::ValidateUTF8(cell.bytes)) {
      return {FaultCode::kInvalidUtf8, "not valid UTF-8"};
    }
    Status appended = builder_.Append(cell.bytes);
    if (!appended.ok()) return Refused("too large");
    return {};
  }
  void AppendNull() override { builder_.UnsafeAppendNull(); }
  Result<std::shared_ptr<arrow::Array>> Finish() override { return builder_.Finish(); }

 private:
  Builder builder_;
};

template <typename Decoder, typename... Args>
Result<std::unique_ptr<CellDecoder>> New(const std::shared_ptr<arrow::DataType>& type,
                                         arrow::MemoryPool* pool, Args&&... args) {
  return std::unique_ptr<CellDecoder>(
      std::make_unique<Decoder>(type, pool, std::forward<Args>(args)...));
}

}  // namespace

Result<std::unique_ptr<CellDecoder>> MakeCellDecoder(const std::shared_ptr<arrow::DataType>& type,
                                                     arrow::MemoryPool* pool) {
  switch (type->id()) {
    case arrow::Type::BOOL:
      return New<FixedDecoder<BoolReader>>(type, pool);
    case arrow::Type::INT64:
      return New<FixedDecoder<IntegerReader>>(type, pool);
    case arrow::Type::DOUBLE:
      return New<FixedDecoder<FloatReader>>(type, pool);
    case arrow::Type::DECIMAL128:
      return New<FixedDecoder<DecimalReader>>(type, pool, *type);
    case arrow::Type::DATE32:
      return New<FixedDecoder<DateReader>>(type, pool);
    case arrow::Type::TIME64:
      return New<FixedDecoder<TimeReader>>(type, pool);
    case arrow::Type::TIMESTAMP:
      return New<FixedDecoder<TimestampReader>>(type, pool, *type);
    case arrow::Type::STRING:
      arrow::util::InitializeUTF8();
      return New<BytesDecoder<arrow::StringBuilder, CellType::kText>>(type, pool);
    case arrow::Type::BINARY:
      return New<BytesDecoder<arrow::BinaryBuilder, CellType::kBlob>>(type, pool);
    default:
      return Fault(FaultCode::kUnsupportedType,
                   "no value of SQLite is read as \"" + type->ToString() + "\"");
  }
}

}  // namespace levada::sqlite
