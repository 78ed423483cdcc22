#include "elt/row_encoding.h"

#include <arrow/extension_type.h>
#include <arrow/util/checked_cast.h>
#include <arrow/util/decimal.h>
#include <arrow/util/float16.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <type_traits>
#include <utility>
#include <vector>

namespace levada::elt {
namespace {

static_assert(std::endian::native == std::endian::little, "the canonical form is little endian");

using arrow::internal::checked_cast;

constexpr uint8_t kNull = 0;
constexpr uint8_t kPresent = 1;
constexpr int kNestingMax = 32;

template <typename T>
void Put(uint8_t*& cursor, T value) {
  std::memcpy(cursor, &value, sizeof(T));
  cursor += sizeof(T);
}

void PutBytes(uint8_t*& cursor, std::string_view bytes) {
  Put(cursor, static_cast<uint32_t>(bytes.size()));
  std::memcpy(cursor, bytes.data(), bytes.size());
  cursor += bytes.size();
}

/// Wrapping, as the format says: no count of seconds may be an error here.
int64_t Scaled(int64_t value, int64_t by) {
  return static_cast<int64_t>(static_cast<uint64_t>(value) * static_cast<uint64_t>(by));
}

int64_t FloorDivide(int64_t value, int64_t by) { return value / by - (value % by < 0 ? 1 : 0); }

// Shapes: what one value of an array becomes. kSize bytes after the presence byte, written by Put.

template <typename ArrayType>
struct IntegerShape {
  static constexpr uint64_t kSize = 8;
  explicit IntegerShape(const arrow::Array& array)
      : values(checked_cast<const ArrayType&>(array).raw_values()) {}
  void Write(int64_t i, uint8_t*& cursor) const { Put(cursor, static_cast<int64_t>(values[i])); }
  decltype(std::declval<const ArrayType&>().raw_values()) values;
};

struct BooleanShape {
  static constexpr uint64_t kSize = 1;
  explicit BooleanShape(const arrow::Array& array)
      : values(checked_cast<const arrow::BooleanArray&>(array)) {}
  void Write(int64_t i, uint8_t*& cursor) const { Put(cursor, uint8_t{values.Value(i)}); }
  const arrow::BooleanArray& values;
};

/// One NaN for all: their payload bits are not data.
void PutDouble(uint8_t*& cursor, double value) {
  Put(cursor, std::isnan(value) ? uint64_t{0x7ff8000000000000} : std::bit_cast<uint64_t>(value));
}

template <typename ArrayType>
struct FloatShape {
  static constexpr uint64_t kSize = 8;
  explicit FloatShape(const arrow::Array& array)
      : values(checked_cast<const ArrayType&>(array).raw_values()) {}
  void Write(int64_t i, uint8_t*& cursor) const { PutDouble(cursor, values[i]); }
  decltype(std::declval<const ArrayType&>().raw_values()) values;
};

struct HalfFloatShape {
  static constexpr uint64_t kSize = 8;
  explicit HalfFloatShape(const arrow::Array& array)
      : values(checked_cast<const arrow::HalfFloatArray&>(array).raw_values()) {}
  void Write(int64_t i, uint8_t*& cursor) const {
    PutDouble(cursor, arrow::util::Float16::FromBits(values[i]).ToDouble());
  }
  const uint16_t* values;
};

struct Date64Shape {
  static constexpr uint64_t kSize = 8;
  explicit Date64Shape(const arrow::Array& array)
      : values(checked_cast<const arrow::Date64Array&>(array).raw_values()) {}
  void Write(int64_t i, uint8_t*& cursor) const {
    Put(cursor, FloorDivide(values[i], int64_t{86'400'000}));
  }
  const int64_t* values;
};

/// Timestamps, times of day and durations: whole microseconds, then the nanoseconds beyond them.
template <typename ArrayType>
struct TimeShape {
  static constexpr uint64_t kSize = 10;
  explicit TimeShape(const arrow::Array& array, arrow::TimeUnit::type unit)
      : values(checked_cast<const ArrayType&>(array).raw_values()) {
    if (unit == arrow::TimeUnit::SECOND) micros_per_unit = 1'000'000;
    if (unit == arrow::TimeUnit::MILLI) micros_per_unit = 1'000;
    if (unit == arrow::TimeUnit::NANO) micros_per_unit = 0;
  }
  void Write(int64_t i, uint8_t*& cursor) const {
    const int64_t value = values[i];
    if (micros_per_unit != 0) {
      Put(cursor, Scaled(value, micros_per_unit));
      Put(cursor, uint16_t{0});
    } else {
      const int64_t micros = FloorDivide(value, 1000);
      Put(cursor, micros);
      Put(cursor, static_cast<uint16_t>(value - micros * 1000));
    }
  }
  decltype(std::declval<const ArrayType&>().raw_values()) values;
  int64_t micros_per_unit = 1;
};

void PutInterval(uint8_t*& cursor, int32_t months, int32_t days, int64_t nanos) {
  Put(cursor, months);
  Put(cursor, days);
  Put(cursor, nanos);
}

struct IntervalShape {
  static constexpr uint64_t kSize = 16;
  explicit IntervalShape(const arrow::Array& array) : array(array) {}
  void Write(int64_t i, uint8_t*& cursor) const {
    if (array.type_id() == arrow::Type::INTERVAL_MONTHS) {
      PutInterval(cursor, checked_cast<const arrow::MonthIntervalArray&>(array).Value(i), 0, 0);
    } else if (array.type_id() == arrow::Type::INTERVAL_DAY_TIME) {
      auto value = checked_cast<const arrow::DayTimeIntervalArray&>(array).GetValue(i);
      PutInterval(cursor, 0, value.days, int64_t{value.milliseconds} * 1'000'000);
    } else {
      auto value = checked_cast<const arrow::MonthDayNanoIntervalArray&>(array).GetValue(i);
      PutInterval(cursor, value.months, value.days, value.nanoseconds);
    }
  }
  const arrow::Array& array;
};

/// Cells of one size.
template <typename Shape>
class FixedEncoder final : public CellEncoder {
 public:
  template <typename... Args>
  explicit FixedEncoder(const arrow::Array& array, Args... args)
      : array_(array), shape_(array, args...), no_nulls_(array.null_count() == 0) {}

  void AddSizes(int64_t begin, int64_t count, uint64_t* sizes) const override {
    for (int64_t k = 0; k < count; ++k) {
      sizes[k] += no_nulls_ || array_.IsValid(begin + k) ? 1 + Shape::kSize : 1;
    }
  }
  void Write(int64_t begin, int64_t count, uint8_t** cursors) const override {
    if (no_nulls_) {
      for (int64_t k = 0; k < count; ++k) WriteValue(begin + k, cursors[k]);
      return;
    }
    for (int64_t k = 0; k < count; ++k) {
      if (array_.IsValid(begin + k)) {
        WriteValue(begin + k, cursors[k]);
      } else {
        Put(cursors[k], kNull);
      }
    }
  }

 private:
  void WriteValue(int64_t i, uint8_t*& cursor) const {
    Put(cursor, kPresent);
    shape_.Write(i, cursor);
  }
  const arrow::Array& array_;
  const Shape shape_;
  const bool no_nulls_;
};

/// Text and bytes of every layout: size, then the bytes.
template <typename ArrayType>
class BytesEncoder final : public CellEncoder {
 public:
  explicit BytesEncoder(const arrow::Array& array)
      : array_(checked_cast<const ArrayType&>(array)), no_nulls_(array.null_count() == 0) {}

  void AddSizes(int64_t begin, int64_t count, uint64_t* sizes) const override {
    for (int64_t k = 0; k < count; ++k) {
      sizes[k] += IsValid(begin + k) ? 5 + View(begin + k).size() : 1;
    }
  }
  void Write(int64_t begin, int64_t count, uint8_t** cursors) const override {
    for (int64_t k = 0; k < count; ++k) {
      if (IsValid(begin + k)) {
        Put(cursors[k], kPresent);
        PutBytes(cursors[k], View(begin + k));
      } else {
        Put(cursors[k], kNull);
      }
    }
  }

 private:
  bool IsValid(int64_t i) const { return no_nulls_ || array_.IsValid(i); }
  std::string_view View(int64_t i) const { return std::string_view(array_.GetView(i)); }
  const ArrayType& array_;
  const bool no_nulls_;
};

/// Decimals of every width: scale, size of the integer (8, 16 or 32: the smallest that holds it),
/// the integer.
template <typename ArrayType, int kWords>
class DecimalEncoder final : public CellEncoder {
 public:
  DecimalEncoder(const arrow::Array& array, int32_t scale)
      : array_(checked_cast<const ArrayType&>(array)), scale_(static_cast<int8_t>(scale)) {}

  void AddSizes(int64_t begin, int64_t count, uint64_t* sizes) const override {
    for (int64_t k = 0; k < count; ++k) {
      sizes[k] += array_.IsValid(begin + k) ? 3 + SizeOf(Load(begin + k)) : 1;
    }
  }
  void Write(int64_t begin, int64_t count, uint8_t** cursors) const override {
    for (int64_t k = 0; k < count; ++k) {
      uint8_t*& cursor = cursors[k];
      if (!array_.IsValid(begin + k)) {
        Put(cursor, kNull);
        continue;
      }
      const Words words = Load(begin + k);
      const uint64_t size = SizeOf(words);
      Put(cursor, kPresent);
      Put(cursor, scale_);
      Put(cursor, static_cast<uint8_t>(size));
      std::memcpy(cursor, words.data(), size);
      cursor += size;
    }
  }

 private:
  using Words = std::array<uint64_t, kWords>;

  Words Load(int64_t i) const {
    Words words;
    if constexpr (std::is_same_v<ArrayType, arrow::Decimal32Array>) {
      int32_t narrow;
      std::memcpy(&narrow, array_.GetValue(i), sizeof(narrow));
      words[0] = static_cast<uint64_t>(int64_t{narrow});
    } else {
      std::memcpy(words.data(), array_.GetValue(i), sizeof(words));
    }
    return words;
  }
  static uint64_t SizeOf(const Words& words) {
    if (HoldsIn<1>(words)) return 8;
    if (HoldsIn<2>(words)) return 16;
    return 32;
  }
  /// Every word from the n-th on only repeats the sign.
  template <int n>
  static bool HoldsIn(const Words& words) {
    if constexpr (n >= kWords) return true;
    const uint64_t sign = static_cast<int64_t>(words[n - 1]) < 0 ? ~uint64_t{0} : 0;
    for (int w = n; w < kWords; ++w) {
      if (words[w] != sign) return false;
    }
    return true;
  }

  const ArrayType& array_;
  const int8_t scale_;
};

/// A column without values.
class NullEncoder final : public CellEncoder {
 public:
  void AddSizes(int64_t, int64_t count, uint64_t* sizes) const override {
    for (int64_t k = 0; k < count; ++k) sizes[k] += 1;
  }
  void Write(int64_t, int64_t count, uint8_t** cursors) const override {
    for (int64_t k = 0; k < count; ++k) Put(cursors[k], kNull);
  }
};

/// The value behind the index; a NULL may be in the index or in the dictionary.
class DictionaryEncoder final : public CellEncoder {
 public:
  DictionaryEncoder(const arrow::DictionaryArray& array, std::unique_ptr<CellEncoder> values)
      : array_(array), values_(std::move(values)) {}

  void AddSizes(int64_t begin, int64_t count, uint64_t* sizes) const override {
    for (int64_t k = 0; k < count; ++k) {
      if (array_.IsValid(begin + k)) {
        values_->AddSizes(array_.GetValueIndex(begin + k), 1, sizes + k);
      } else {
        sizes[k] += 1;
      }
    }
  }
  void Write(int64_t begin, int64_t count, uint8_t** cursors) const override {
    for (int64_t k = 0; k < count; ++k) {
      if (array_.IsValid(begin + k)) {
        values_->Write(array_.GetValueIndex(begin + k), 1, cursors + k);
      } else {
        Put(cursors[k], kNull);
      }
    }
  }

 private:
  const arrow::DictionaryArray& array_;
  const std::unique_ptr<CellEncoder> values_;
};

/// Writes cells [begin, begin + count) one behind the other at one cursor.
void WriteInSequence(const CellEncoder& encoder, int64_t begin, int64_t count, uint8_t*& cursor) {
  for (int64_t k = 0; k < count; ++k) encoder.Write(begin + k, 1, &cursor);
}

uint64_t SizeInSequence(const CellEncoder& encoder, int64_t begin, int64_t count) {
  uint64_t total = 0;
  for (int64_t k = 0; k < count; ++k) encoder.AddSizes(begin + k, 1, &total);
  return total;
}

/// Lists of every layout: the number of elements, then each as a cell.
template <typename ArrayType>
class ListEncoder final : public CellEncoder {
 public:
  ListEncoder(const arrow::Array& array, std::unique_ptr<CellEncoder> elements)
      : array_(checked_cast<const ArrayType&>(array)), elements_(std::move(elements)) {}

  void AddSizes(int64_t begin, int64_t count, uint64_t* sizes) const override {
    for (int64_t k = 0; k < count; ++k) {
      const int64_t i = begin + k;
      sizes[k] += 1;
      if (array_.IsNull(i)) continue;
      sizes[k] += 4 + SizeInSequence(*elements_, array_.value_offset(i), array_.value_length(i));
    }
  }
  void Write(int64_t begin, int64_t count, uint8_t** cursors) const override {
    for (int64_t k = 0; k < count; ++k) {
      const int64_t i = begin + k;
      if (array_.IsNull(i)) {
        Put(cursors[k], kNull);
        continue;
      }
      Put(cursors[k], kPresent);
      Put(cursors[k], static_cast<uint32_t>(array_.value_length(i)));
      WriteInSequence(*elements_, array_.value_offset(i), array_.value_length(i), cursors[k]);
    }
  }

 private:
  const ArrayType& array_;
  const std::unique_ptr<CellEncoder> elements_;
};

/// Each field as a cell. Owns the field arrays, which Arrow makes anew with the struct's offset.
/// `tagged` is false for the entries of a map, which cannot be NULL.
class StructEncoder final : public CellEncoder {
 public:
  StructEncoder(const arrow::Array& array, bool tagged,
                std::vector<std::shared_ptr<arrow::Array>> arrays,
                std::vector<std::unique_ptr<CellEncoder>> fields)
      : array_(array), tagged_(tagged), arrays_(std::move(arrays)), fields_(std::move(fields)) {}

  void AddSizes(int64_t begin, int64_t count, uint64_t* sizes) const override {
    for (int64_t k = 0; k < count; ++k) {
      if (tagged_) sizes[k] += 1;
      if (tagged_ && array_.IsNull(begin + k)) continue;
      for (const auto& field : fields_) field->AddSizes(begin + k, 1, sizes + k);
    }
  }
  void Write(int64_t begin, int64_t count, uint8_t** cursors) const override {
    for (int64_t k = 0; k < count; ++k) {
      const bool null = tagged_ && array_.IsNull(begin + k);
      if (tagged_) Put(cursors[k], null ? kNull : kPresent);
      if (null) continue;
      for (const auto& field : fields_) field->Write(begin + k, 1, cursors + k);
    }
  }

 private:
  const arrow::Array& array_;
  const bool tagged_;
  const std::vector<std::shared_ptr<arrow::Array>> arrays_;
  const std::vector<std::unique_ptr<CellEncoder>> fields_;
};

/// Owns the array it encodes, where Arrow makes one on request.
class OwningEncoder final : public CellEncoder {
 public:
  OwningEncoder(std::shared_ptr<arrow::Array> array, std::unique_ptr<CellEncoder> encoder)
      : array_(std::move(array)), encoder_(std::move(encoder)) {}
  void AddSizes(int64_t begin, int64_t count, uint64_t* sizes) const override {
    encoder_->AddSizes(begin, count, sizes);
  }
  void Write(int64_t begin, int64_t count, uint8_t** cursors) const override {
    encoder_->Write(begin, count, cursors);
  }

 private:
  const std::shared_ptr<arrow::Array> array_;
  const std::unique_ptr<CellEncoder> encoder_;
};

using EncoderResult = Result<std::unique_ptr<CellEncoder>>;

EncoderResult Make(const arrow::Array& array, int depth);

template <typename Encoder, typename... Args>
EncoderResult New(Args&&... args) {
  return std::unique_ptr<CellEncoder>(std::make_unique<Encoder>(std::forward<Args>(args)...));
}

Status TooLarge() {
  return Fault(FaultCode::kValueRefused, "row hash: a text, blob or list of 2^32 or more")
      .Help("split the value, or use verify: count");
}

template <typename ArrayType>
EncoderResult MakeLargeBytes(const arrow::Array& array) {
  const auto& bytes = checked_cast<const ArrayType&>(array);
  for (int64_t i = 0; bytes.total_values_length() > UINT32_MAX && i < bytes.length(); ++i) {
    if (bytes.value_length(i) > int64_t{UINT32_MAX}) return TooLarge();
  }
  return New<BytesEncoder<ArrayType>>(array);
}

EncoderResult MakeStruct(const arrow::Array& array, bool tagged, int depth) {
  std::vector<std::shared_ptr<arrow::Array>> arrays;
  std::vector<std::unique_ptr<CellEncoder>> fields;
  const auto& structs = checked_cast<const arrow::StructArray&>(array);
  for (int f = 0; f < structs.num_fields(); ++f) {
    arrays.push_back(structs.field(f));
    ARROW_ASSIGN_OR_RAISE(auto field, Make(*arrays.back(), depth + 1));
    fields.push_back(std::move(field));
  }
  return New<StructEncoder>(array, tagged, std::move(arrays), std::move(fields));
}

template <typename ArrayType>
EncoderResult MakeList(const arrow::Array& array, int depth) {
  const auto& lists = checked_cast<const ArrayType&>(array);
  if (lists.values()->length() > int64_t{UINT32_MAX}) return TooLarge();
  ARROW_ASSIGN_OR_RAISE(auto elements, Make(*lists.values(), depth + 1));
  return New<ListEncoder<ArrayType>>(array, std::move(elements));
}

EncoderResult MakeTime(const arrow::Array& array) {
  const arrow::DataType& type = *array.type();
  switch (type.id()) {
    case arrow::Type::TIMESTAMP:
      return New<FixedEncoder<TimeShape<arrow::TimestampArray>>>(
          array, checked_cast<const arrow::TimestampType&>(type).unit());
    case arrow::Type::DURATION:
      return New<FixedEncoder<TimeShape<arrow::DurationArray>>>(
          array, checked_cast<const arrow::DurationType&>(type).unit());
    case arrow::Type::TIME32:
      return New<FixedEncoder<TimeShape<arrow::Time32Array>>>(
          array, checked_cast<const arrow::TimeType&>(type).unit());
    default:
      return New<FixedEncoder<TimeShape<arrow::Time64Array>>>(
          array, checked_cast<const arrow::TimeType&>(type).unit());
  }
}

EncoderResult MakeDecimal(const arrow::Array& array) {
  const int32_t scale = checked_cast<const arrow::DecimalType&>(*array.type()).scale();
  switch (array.type_id()) {
    case arrow::Type::DECIMAL32:
      return New<DecimalEncoder<arrow::Decimal32Array, 1>>(array, scale);
    case arrow::Type::DECIMAL64:
      return New<DecimalEncoder<arrow::Decimal64Array, 1>>(array, scale);
    case arrow::Type::DECIMAL128:
      return New<DecimalEncoder<arrow::Decimal128Array, 2>>(array, scale);
    default:
      return New<DecimalEncoder<arrow::Decimal256Array, 4>>(array, scale);
  }
}

EncoderResult MakeNested(const arrow::Array& array, int depth) {
  switch (array.type_id()) {
    case arrow::Type::LIST:
      return MakeList<arrow::ListArray>(array, depth);
    case arrow::Type::LARGE_LIST:
      return MakeList<arrow::LargeListArray>(array, depth);
    case arrow::Type::LIST_VIEW:
      return MakeList<arrow::ListViewArray>(array, depth);
    case arrow::Type::LARGE_LIST_VIEW:
      return MakeList<arrow::LargeListViewArray>(array, depth);
    case arrow::Type::FIXED_SIZE_LIST:
      return MakeList<arrow::FixedSizeListArray>(array, depth);
    case arrow::Type::MAP: {
      const auto& entries = *checked_cast<const arrow::MapArray&>(array).values();
      ARROW_ASSIGN_OR_RAISE(auto entry, MakeStruct(entries, /*tagged=*/false, depth + 1));
      return New<ListEncoder<arrow::MapArray>>(array, std::move(entry));
    }
    case arrow::Type::STRUCT:
      return MakeStruct(array, /*tagged=*/true, depth);
    case arrow::Type::DICTIONARY: {
      const auto& dictionary = checked_cast<const arrow::DictionaryArray&>(array);
      ARROW_ASSIGN_OR_RAISE(auto values, Make(*dictionary.dictionary(), depth + 1));
      return New<DictionaryEncoder>(dictionary, std::move(values));
    }
    case arrow::Type::EXTENSION: {
      auto storage = checked_cast<const arrow::ExtensionArray&>(array).storage();
      ARROW_ASSIGN_OR_RAISE(auto encoder, Make(*storage, depth + 1));
      return New<OwningEncoder>(std::move(storage), std::move(encoder));
    }
    default:
      return Fault(FaultCode::kUnsupportedType,
                   "row hash: no canonical form of type \"" + array.type()->ToString() + "\"")
          .Help("cast the column, or use verify: count");
  }
}

EncoderResult Make(const arrow::Array& array, int depth) {
  if (depth > kNestingMax) {
    return Fault(FaultCode::kUnsupportedType, "row hash: expected types nested at most " +
                                                  std::to_string(kNestingMax) + " deep, got more")
        .Help("use verify: count");
  }
  switch (array.type_id()) {
    case arrow::Type::NA:
      return New<NullEncoder>();
    case arrow::Type::BOOL:
      return New<FixedEncoder<BooleanShape>>(array);
    case arrow::Type::INT8:
      return New<FixedEncoder<IntegerShape<arrow::Int8Array>>>(array);
    case arrow::Type::INT16:
      return New<FixedEncoder<IntegerShape<arrow::Int16Array>>>(array);
    case arrow::Type::INT32:
      return New<FixedEncoder<IntegerShape<arrow::Int32Array>>>(array);
    case arrow::Type::INT64:
      return New<FixedEncoder<IntegerShape<arrow::Int64Array>>>(array);
    case arrow::Type::UINT8:
      return New<FixedEncoder<IntegerShape<arrow::UInt8Array>>>(array);
    case arrow::Type::UINT16:
      return New<FixedEncoder<IntegerShape<arrow::UInt16Array>>>(array);
    case arrow::Type::UINT32:
      return New<FixedEncoder<IntegerShape<arrow::UInt32Array>>>(array);
    case arrow::Type::UINT64:
      return New<FixedEncoder<IntegerShape<arrow::UInt64Array>>>(array);
    case arrow::Type::DATE32:
      return New<FixedEncoder<IntegerShape<arrow::Date32Array>>>(array);
    case arrow::Type::DATE64:
      return New<FixedEncoder<Date64Shape>>(array);
    case arrow::Type::HALF_FLOAT:
      return New<FixedEncoder<HalfFloatShape>>(array);
    case arrow::Type::FLOAT:
      return New<FixedEncoder<FloatShape<arrow::FloatArray>>>(array);
    case arrow::Type::DOUBLE:
      return New<FixedEncoder<FloatShape<arrow::DoubleArray>>>(array);
    case arrow::Type::TIMESTAMP:
    case arrow::Type::DURATION:
    case arrow::Type::TIME32:
    case arrow::Type::TIME64:
      return MakeTime(array);
    case arrow::Type::INTERVAL_MONTHS:
    case arrow::Type::INTERVAL_DAY_TIME:
    case arrow::Type::INTERVAL_MONTH_DAY_NANO:
      return New<FixedEncoder<IntervalShape>>(array);
    case arrow::Type::DECIMAL32:
    case arrow::Type::DECIMAL64:
    case arrow::Type::DECIMAL128:
    case arrow::Type::DECIMAL256:
      return MakeDecimal(array);
    case arrow::Type::STRING:
    case arrow::Type::BINARY:
      return New<BytesEncoder<arrow::BinaryArray>>(array);
    case arrow::Type::LARGE_STRING:
    case arrow::Type::LARGE_BINARY:
      return MakeLargeBytes<arrow::LargeBinaryArray>(array);
    case arrow::Type::STRING_VIEW:
    case arrow::Type::BINARY_VIEW:
      return New<BytesEncoder<arrow::BinaryViewArray>>(array);
    case arrow::Type::FIXED_SIZE_BINARY:
      return New<BytesEncoder<arrow::FixedSizeBinaryArray>>(array);
    default:
      return MakeNested(array, depth);
  }
}

}  // namespace

Result<std::unique_ptr<CellEncoder>> MakeCellEncoder(const arrow::Array& array) {
  return Make(array, 0);
}

}  // namespace levada::elt
