#include "connectors/sqlite/cell_decoder.h"

#include <arrow/builder.h>
#include <arrow/util/checked_cast.h>
#include <arrow/util/utf8.h>

#include <cmath>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "connectors/sqlite/value_text.h"
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
    switch (cell.type) {
      case CellType::kInteger:
        value = cell.integer;
        return {};
      case CellType::kReal:
        // SQLite makes floats of whole numbers beyond 64 bits; a float above 2^53 may be one.
        if (!(std::abs(cell.real) < static_cast<double>(kExactInteger))) {
          return Refused("a float that may stand for several whole numbers");
        }
        if (std::trunc(cell.real) != cell.real) return Refused("not a whole number");
        value = static_cast<int64_t>(cell.real);
        return {};
      case CellType::kText: {
        const auto literal = elt::ParseIntegerLiteral(cell.bytes);
        value = literal.value;
        return Refused(literal.problem);
      }
      default:
        return Refused("not a number");
    }
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

/// Values of any size: texts and blobs, or texts that are made of values.
template <typename Reader>
class BytesDecoder final : public CellDecoder {
 public:
  BytesDecoder(const std::shared_ptr<arrow::DataType>& type, arrow::MemoryPool* pool)
      : builder_(type, pool) {}

  Status Reserve(int64_t rows) override { return builder_.Reserve(rows); }
  Refusal Append(const Cell& cell) override {
    const Refusal refusal = reader_.Read(cell);
    if (refusal.reason != nullptr || !failure_.ok()) return refusal;
    failure_ = builder_.Append(reader_.value);
    return {};
  }
  void AppendNull() override { builder_.UnsafeAppendNull(); }
  Result<std::shared_ptr<arrow::Array>> Finish() override {
    ARROW_RETURN_NOT_OK(failure_);
    return builder_.Finish();
  }

 private:
  Reader reader_;
  typename Reader::Builder builder_;
  Status failure_;
};

Refusal CheckText(const Cell& cell) {
  if (cell.type != CellType::kText) return Refused("not stored as text");
  if (!arrow::util::ValidateUTF8(cell.bytes)) return {FaultCode::kInvalidUtf8, "not valid UTF-8"};
  return {};
}

struct TextReader {
  using Builder = arrow::StringBuilder;
  std::string_view value;
  Refusal Read(const Cell& cell) {
    value = cell.bytes;
    return CheckText(cell);
  }
};

struct BlobReader {
  using Builder = arrow::BinaryBuilder;
  std::string_view value;
  Refusal Read(const Cell& cell) {
    if (cell.type != CellType::kBlob) return Refused("not stored as a blob");
    value = cell.bytes;
    return {};
  }
};

struct JsonReader {
  using Builder = arrow::StringBuilder;
  std::string_view value;
  std::string made{};
  Refusal Read(const Cell& cell) {
    const bool is_number = cell.type == CellType::kInteger || cell.type == CellType::kReal;
    if (!is_number) {
      value = cell.bytes;
      return CheckText(cell);
    }
    if (cell.type == CellType::kReal && std::isinf(cell.real)) return Refused("infinite");
    made.clear();
    AppendLiteral(cell, made);
    value = made;
    return {};
  }
};

struct UuidReader {
  using Builder = arrow::StringBuilder;
  std::string value;
  Refusal Read(const Cell& cell) {
    std::optional<std::string> uuid;
    if (cell.type == CellType::kText) uuid = UuidOfText(cell.bytes);
    if (cell.type == CellType::kBlob) uuid = UuidOfBytes(cell.bytes);
    if (!uuid) return Refused("neither 32 hex digits nor 16 bytes");
    value = *std::move(uuid);
    return {};
  }
};

struct LiteralReader {
  using Builder = arrow::StringBuilder;
  std::string value;
  Refusal Read(const Cell& cell) {
    value.clear();
    if (!AppendLiteral(cell, value)) return {FaultCode::kInvalidUtf8, "not valid UTF-16"};
    return {};
  }
};

template <typename Decoder, typename... Args>
Result<std::unique_ptr<CellDecoder>> New(const std::shared_ptr<arrow::DataType>& type,
                                         arrow::MemoryPool* pool, Args&&... args) {
  return std::unique_ptr<CellDecoder>(
      std::make_unique<Decoder>(type, pool, std::forward<Args>(args)...));
}

}  // namespace

Result<std::unique_ptr<CellDecoder>> MakeCellDecoder(const ColumnType& column,
                                                     arrow::MemoryPool* pool) {
  const std::shared_ptr<arrow::DataType>& type = column.type;
  arrow::util::InitializeUTF8();
  switch (column.reading) {
    case Reading::kJson:
      return New<BytesDecoder<JsonReader>>(type, pool);
    case Reading::kUuid:
      return New<BytesDecoder<UuidReader>>(type, pool);
    case Reading::kLiteral:
      return New<BytesDecoder<LiteralReader>>(type, pool);
    case Reading::kPlain:
      break;
  }
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
      return New<BytesDecoder<TextReader>>(type, pool);
    case arrow::Type::BINARY:
      return New<BytesDecoder<BlobReader>>(type, pool);
    default:
      return Fault(FaultCode::kUnsupportedType,
                   "no value of SQLite is read as \"" + type->ToString() + "\"");
  }
}

}  // namespace levada::sqlite
