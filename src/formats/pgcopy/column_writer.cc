#include "formats/pgcopy/column_writer.h"

#include <arrow/type.h>
#include <arrow/util/decimal.h>
#include <arrow/util/float16.h>

#include <algorithm>
#include <array>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "formats/pgcopy/wire.h"

namespace levada::pgcopy {

namespace {

constexpr int64_t kFieldBytesMax = (int64_t{1} << 30) - 1;  // MaxAllocSize of the server

Fault Refused(std::string what, std::string help) {
  return Fault(FaultCode::kValueRefused, std::move(what)).Help(std::move(help));
}

/// `Array` at hand, and nothing else of a writer.
template <typename Array>
class TypedWriter : public ColumnWriter {
 public:
  void Take(const arrow::Array& values) final { values_ = &static_cast<const Array&>(values); }
  bool IsNull(int64_t row) const final { return values_->IsNull(row); }

 protected:
  const Array* values_ = nullptr;  // the batch's, between Take and the last Write
};

/// `Put` is a function of an Encoder and a value.
template <typename Array, auto Put>
class PlainWriter final : public TypedWriter<Array> {
 public:
  Status Write(int64_t row, Encoder& out) const override {
    if constexpr (std::is_same_v<decltype(Put(out, this->values_->Value(row))), Status>) {
      return Put(out, this->values_->Value(row));
    } else {
      Put(out, this->values_->Value(row));
      return Status::OK();
    }
  }
};

template <typename Array, auto Put>
std::unique_ptr<ColumnWriter> Plain() {
  return std::make_unique<PlainWriter<Array, Put>>();
}

void PutBool(Encoder& out, bool value) { out.Bool(value); }
template <typename Value>
void PutInt2(Encoder& out, Value value) {
  out.Int2(static_cast<int16_t>(value));
}
template <typename Value>
void PutInt4(Encoder& out, Value value) {
  out.Int4(static_cast<int32_t>(value));
}
template <typename Value>
void PutInt8(Encoder& out, Value value) {
  out.Int8(static_cast<int64_t>(value));
}
void PutHalf(Encoder& out, uint16_t value) {
  out.Float4(arrow::util::Float16::FromBits(value).ToFloat());
}
void PutFloat4(Encoder& out, float value) { out.Float4(value); }
void PutFloat8(Encoder& out, double value) { out.Float8(value); }

Status CheckSize(size_t size) {
  if (static_cast<int64_t>(size) <= kFieldBytesMax) return Status::OK();
  return Refused("expected less than 1 GiB, got " + std::to_string(size) + " bytes",
                 "PostgreSQL has no larger values: leave the column or the row out");
}
Status PutText(Encoder& out, std::string_view value) {
  ARROW_RETURN_NOT_OK(CheckSize(value.size()));
  if (value.find('\0') != std::string_view::npos) {
    return Refused("a text with a zero byte, which PostgreSQL's texts cannot hold",
                   "clean the column before it gets here, or write it as bytes with cast: binary");
  }
  out.Text(value);
  return Status::OK();
}
Status PutBytes(Encoder& out, std::string_view value) {
  ARROW_RETURN_NOT_OK(CheckSize(value.size()));
  out.Text(value);
  return Status::OK();
}
class FixedBytesWriter final : public TypedWriter<arrow::FixedSizeBinaryArray> {
 public:
  Status Write(int64_t row, Encoder& out) const override {
    out.Text(values_->GetView(row));
    return Status::OK();
  }
};

template <typename Array, auto Put>
class ViewWriter final : public TypedWriter<Array> {
 public:
  Status Write(int64_t row, Encoder& out) const override {
    return Put(out, this->values_->GetView(row));
  }
};

/// What PostgreSQL has no room for: its own words are "date" and the like.
Status InRange(Status put) {
  if (put.ok()) return put;
  return Refused(FaultOf(put).message(),
                 "PostgreSQL's years go from 4713 BC to 294276 (dates: "
                 "5874897): correct the value, or leave it out");
}

Status PutDate32(Encoder& out, int32_t days) { return InRange(out.Date(days)); }
Status PutDate64(Encoder& out, int64_t millis) {
  constexpr int64_t kMillisPerDay = 86'400'000;
  // Arrow promises whole days, and programs do not keep it.
  const int64_t days = millis / kMillisPerDay - (millis % kMillisPerDay < 0 ? 1 : 0);
  if (days < INT32_MIN || days > INT32_MAX) {
    return InRange(Fault(FaultCode::kBadValue, "date out of PostgreSQL's range"));
  }
  return InRange(out.Date(static_cast<int32_t>(days)));
}

/// Whole microseconds of `value` units, of which `per_micro` or `micros` are one another.
struct MicroScale {
  int64_t micros = 1;     // one unit is so many microseconds
  int64_t per_micro = 1;  // or so many units are one
};

MicroScale ScaleOf(arrow::TimeUnit::type unit) {
  switch (unit) {
    case arrow::TimeUnit::SECOND:
      return {1'000'000, 1};
    case arrow::TimeUnit::MILLI:
      return {1'000, 1};
    case arrow::TimeUnit::MICRO:
      return {1, 1};
    case arrow::TimeUnit::NANO:
      return {1, 1'000};
  }
  return {};
}

template <typename Array, bool kTimeOfDay>
class TimeWriter final : public TypedWriter<Array> {
 public:
  explicit TimeWriter(arrow::TimeUnit::type unit) : scale_(ScaleOf(unit)) {}

  Status Write(int64_t row, Encoder& out) const override {
    int64_t micros = this->values_->Value(row);
    if (micros % scale_.per_micro != 0) {
      return Refused("a time with nanoseconds, which PostgreSQL does not keep",
                     "cast the column to microseconds: cast: { NAME: timestamp[us] }");
    }
    micros /= scale_.per_micro;
    if (__builtin_mul_overflow(micros, scale_.micros, &micros)) {
      return InRange(Fault(FaultCode::kBadValue, "timestamp out of PostgreSQL's range"));
    }
    return InRange(kTimeOfDay ? out.Time(micros) : out.Timestamp(micros));
  }

 private:
  const MicroScale scale_;
};

/// Least significant word first, of an absolute value.
using Words = std::array<uint64_t, 4>;

bool IsZero(const Words& words) { return (words[0] | words[1] | words[2] | words[3]) == 0; }

/// Divides in place; returns the remainder.
uint32_t DivideBy(Words& words, uint32_t divisor) {
  unsigned __int128 rest = 0;
  for (size_t i = words.size(); i-- > 0;) {
    if (rest == 0 && words[i] == 0) continue;
    const unsigned __int128 value = (rest << 64) | words[i];
    words[i] = static_cast<uint64_t>(value / divisor);
    rest = value % divisor;
  }
  return static_cast<uint32_t>(rest);
}

constexpr uint32_t kPowersOfTen[] = {1, 10, 100, 1000, 10000};

/// `words` * 10^-scale, whose digits of base 10000 meet at the point.
void PutDecimal(Encoder& out, bool negative, Words words, int32_t scale) {
  std::array<uint16_t, 24> digits;  // 76 decimal digits, and a group that they only touch
  size_t first = digits.size();
  int32_t weight = -((scale + 3) / 4);  // of the group to come
  const int32_t odd = scale % 4;
  if (odd != 0) {
    digits[--first] =
        static_cast<uint16_t>(DivideBy(words, kPowersOfTen[odd]) * kPowersOfTen[4 - odd]);
    ++weight;
  }
  while (!IsZero(words)) {
    digits[--first] = static_cast<uint16_t>(DivideBy(words, 10'000));
    ++weight;
  }
  size_t end = digits.size();
  while (end > first && digits[end - 1] == 0) --end;
  while (first < end && digits[first] == 0) ++first, --weight;
  const bool zero = first == end;
  out.NumericDigits(negative && !zero, static_cast<int16_t>(zero ? 0 : weight - 1),
                    static_cast<uint16_t>(scale),
                    std::span<const uint16_t>(digits).subspan(first, end - first));
}

template <typename Array, typename Decimal>
class DecimalWriter final : public TypedWriter<Array> {
 public:
  explicit DecimalWriter(int32_t scale) : scale_(scale) {}

  Status Write(int64_t row, Encoder& out) const override {
    Decimal value(this->values_->GetValue(row));
    const bool negative = value.IsNegative();
    if (negative) value.Negate();
    Words words{};
    const auto parts = value.little_endian_array();
    std::copy(parts.begin(), parts.end(), words.begin());
    PutDecimal(out, negative, words, scale_);
    return Status::OK();
  }

 private:
  const int32_t scale_;
};

class UnsignedWriter final : public TypedWriter<arrow::UInt64Array> {
 public:
  Status Write(int64_t row, Encoder& out) const override {
    PutDecimal(out, false, {values_->Value(row), 0, 0, 0}, 0);
    return Status::OK();
  }
};

class DictionaryWriter final : public TypedWriter<arrow::DictionaryArray> {
 public:
  explicit DictionaryWriter(std::unique_ptr<ColumnWriter> values) : of_values_(std::move(values)) {}

  Status Write(int64_t row, Encoder& out) const override {
    of_values_->Take(*values_->dictionary());
    const int64_t index = values_->GetValueIndex(row);
    if (of_values_->IsNull(index)) return out.Null(), Status::OK();
    return of_values_->Write(index, out);
  }

 private:
  const std::unique_ptr<ColumnWriter> of_values_;
};

template <typename Array>
class ListWriter final : public TypedWriter<Array> {
 public:
  ListWriter(std::unique_ptr<ColumnWriter> items, uint32_t element_oid)
      : items_(std::move(items)), element_oid_(element_oid) {}

  Status Write(int64_t row, Encoder& out) const override {
    const auto first = static_cast<int64_t>(this->values_->value_offset(row));
    const auto size = static_cast<int64_t>(this->values_->value_length(row));
    items_->Take(*this->values_->values());
    bool has_null = false;
    for (int64_t i = first; i < first + size && !has_null; ++i) has_null = items_->IsNull(i);
    if (size > INT32_MAX) {
      return Refused("a list of " + std::to_string(size) + " items", "PostgreSQL has none so long");
    }
    out.BeginArray(element_oid_, static_cast<int32_t>(size), has_null);
    for (int64_t i = first; i < first + size; ++i) {
      if (items_->IsNull(i)) {
        out.Null();
      } else {
        ARROW_RETURN_NOT_OK(items_->Write(i, out));
      }
    }
    out.EndArray();
    return Status::OK();
  }

 private:
  const std::unique_ptr<ColumnWriter> items_;
  const uint32_t element_oid_;
};

Fault NoType(const arrow::DataType& type, std::string help) {
  return Fault(FaultCode::kUnsupportedType, "PostgreSQL has no column for " + type.ToString())
      .Help(std::move(help));
}

ColumnType Kind(ValueKind kind) {
  ColumnType type;
  type.kind = kind;
  return type;
}

Result<ScalarType> DecimalTypeOf(const arrow::DataType& type) {
  const auto& decimal = static_cast<const arrow::DecimalType&>(type);
  if (decimal.scale() < 0 || decimal.scale() > decimal.precision()) {
    return NoType(type, "cast it to a decimal whose scale is 0 to its precision");
  }
  ColumnType column = Kind(ValueKind::kNumeric);
  column.numeric = NumericBounds{decimal.precision(), decimal.scale()};
  return ScalarType{"numeric(" + std::to_string(decimal.precision()) + "," +
                        std::to_string(decimal.scale()) + ")",
                    1700, column};
}

std::unique_ptr<ColumnWriter> MakeTimeWriter(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::TIME32:
      return std::make_unique<TimeWriter<arrow::Time32Array, true>>(
          static_cast<const arrow::Time32Type&>(type).unit());
    case arrow::Type::TIME64:
      return std::make_unique<TimeWriter<arrow::Time64Array, true>>(
          static_cast<const arrow::Time64Type&>(type).unit());
    default:
      return std::make_unique<TimeWriter<arrow::TimestampArray, false>>(
          static_cast<const arrow::TimestampType&>(type).unit());
  }
}

std::unique_ptr<ColumnWriter> MakeScalarWriter(const arrow::DataType& type) {
  using arrow::Type;
  switch (type.id()) {
    case Type::BOOL:
      return Plain<arrow::BooleanArray, PutBool>();
    case Type::INT8:
      return Plain<arrow::Int8Array, PutInt2<int8_t>>();
    case Type::UINT8:
      return Plain<arrow::UInt8Array, PutInt2<uint8_t>>();
    case Type::INT16:
      return Plain<arrow::Int16Array, PutInt2<int16_t>>();
    case Type::UINT16:
      return Plain<arrow::UInt16Array, PutInt4<uint16_t>>();
    case Type::INT32:
      return Plain<arrow::Int32Array, PutInt4<int32_t>>();
    case Type::UINT32:
      return Plain<arrow::UInt32Array, PutInt8<uint32_t>>();
    case Type::INT64:
      return Plain<arrow::Int64Array, PutInt8<int64_t>>();
    case Type::UINT64:
      return std::make_unique<UnsignedWriter>();
    case Type::HALF_FLOAT:
      return Plain<arrow::HalfFloatArray, PutHalf>();
    case Type::FLOAT:
      return Plain<arrow::FloatArray, PutFloat4>();
    case Type::DOUBLE:
      return Plain<arrow::DoubleArray, PutFloat8>();
    case Type::STRING:
      return std::make_unique<ViewWriter<arrow::StringArray, PutText>>();
    case Type::LARGE_STRING:
      return std::make_unique<ViewWriter<arrow::LargeStringArray, PutText>>();
    case Type::BINARY:
      return std::make_unique<ViewWriter<arrow::BinaryArray, PutBytes>>();
    case Type::LARGE_BINARY:
      return std::make_unique<ViewWriter<arrow::LargeBinaryArray, PutBytes>>();
    case Type::FIXED_SIZE_BINARY:
      return std::make_unique<FixedBytesWriter>();
    case Type::DATE32:
      return Plain<arrow::Date32Array, PutDate32>();
    case Type::DATE64:
      return Plain<arrow::Date64Array, PutDate64>();
    case Type::TIME32:
    case Type::TIME64:
    case Type::TIMESTAMP:
      return MakeTimeWriter(type);
    case Type::DECIMAL128:
      return std::make_unique<DecimalWriter<arrow::Decimal128Array, arrow::Decimal128>>(
          static_cast<const arrow::DecimalType&>(type).scale());
    case Type::DECIMAL256:
      return std::make_unique<DecimalWriter<arrow::Decimal256Array, arrow::Decimal256>>(
          static_cast<const arrow::DecimalType&>(type).scale());
    default:
      return nullptr;
  }
}

}  // namespace

Result<ScalarType> ScalarTypeOf(const arrow::DataType& type) {
  using arrow::Type;
  switch (type.id()) {
    case Type::BOOL:
      return ScalarType{"bool", 16, Kind(ValueKind::kBool)};
    case Type::INT8:
    case Type::UINT8:
    case Type::INT16:
      return ScalarType{"int2", 21, Kind(ValueKind::kInt2)};
    case Type::UINT16:
    case Type::INT32:
      return ScalarType{"int4", 23, Kind(ValueKind::kInt4)};
    case Type::UINT32:
    case Type::INT64:
      return ScalarType{"int8", 20, Kind(ValueKind::kInt8)};
    case Type::UINT64: {
      ColumnType column = Kind(ValueKind::kNumeric);
      column.numeric = NumericBounds{20, 0};
      return ScalarType{"numeric(20,0)", 1700, column};
    }
    case Type::HALF_FLOAT:
    case Type::FLOAT:
      return ScalarType{"float4", 700, Kind(ValueKind::kFloat4)};
    case Type::DOUBLE:
      return ScalarType{"float8", 701, Kind(ValueKind::kFloat8)};
    case Type::STRING:
    case Type::LARGE_STRING:
      return ScalarType{"text", 25, Kind(ValueKind::kText)};
    case Type::BINARY:
    case Type::LARGE_BINARY:
    case Type::FIXED_SIZE_BINARY:
      return ScalarType{"bytea", 17, Kind(ValueKind::kBytea)};
    case Type::DATE32:
    case Type::DATE64:
      return ScalarType{"date", 1082, Kind(ValueKind::kDate)};
    case Type::TIME32:
    case Type::TIME64:
      return ScalarType{"time", 1083, Kind(ValueKind::kTime)};
    case Type::TIMESTAMP:
      if (static_cast<const arrow::TimestampType&>(type).timezone().empty()) {
        return ScalarType{"timestamp", 1114, Kind(ValueKind::kTimestamp)};
      }
      return ScalarType{"timestamptz", 1184, Kind(ValueKind::kTimestamptz)};
    case Type::DECIMAL128:
    case Type::DECIMAL256:
      return DecimalTypeOf(type);
    case Type::STRUCT:
      return NoType(type, "take it apart with flatten");
    case Type::LIST:
    case Type::LARGE_LIST:
    case Type::FIXED_SIZE_LIST:
      return NoType(type, "an array of arrays has none: flatten it or read it as text");
    default:
      return NoType(type, "cast the column to another type, or leave it out with select");
  }
}

std::shared_ptr<arrow::DataType> ItemTypeOf(const arrow::DataType& type) {
  const bool is_list = type.id() == arrow::Type::LIST || type.id() == arrow::Type::LARGE_LIST ||
                       type.id() == arrow::Type::FIXED_SIZE_LIST;
  return is_list ? type.field(0)->type() : nullptr;
}

Result<std::unique_ptr<ColumnWriter>> MakeColumnWriter(const arrow::DataType& type) {
  if (type.id() == arrow::Type::DICTIONARY) {
    const auto& values = static_cast<const arrow::DictionaryType&>(type).value_type();
    ARROW_ASSIGN_OR_RAISE(auto of_values, MakeColumnWriter(*values));
    return std::make_unique<DictionaryWriter>(std::move(of_values));
  }
  const std::shared_ptr<arrow::DataType> item = ItemTypeOf(type);
  if (item == nullptr) {
    ARROW_RETURN_NOT_OK(ScalarTypeOf(type));
    return MakeScalarWriter(type);
  }
  ARROW_ASSIGN_OR_RAISE(const ScalarType scalar, ScalarTypeOf(*item));
  std::unique_ptr<ColumnWriter> items = MakeScalarWriter(*item);
  switch (type.id()) {
    case arrow::Type::LIST:
      return std::make_unique<ListWriter<arrow::ListArray>>(std::move(items), scalar.oid);
    case arrow::Type::LARGE_LIST:
      return std::make_unique<ListWriter<arrow::LargeListArray>>(std::move(items), scalar.oid);
    default:
      return std::make_unique<ListWriter<arrow::FixedSizeListArray>>(std::move(items), scalar.oid);
  }
}

}  // namespace levada::pgcopy
