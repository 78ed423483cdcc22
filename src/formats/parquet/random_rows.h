#pragma once
// Random rows of any type the encoder takes, for the tests and the bench of this folder.

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>

#include <limits>
#include <memory>
#include <random>
#include <string>

namespace levada::parquet_format {

class RandomRows {
 public:
  explicit RandomRows(uint64_t seed) : engine_(seed) {}

  std::shared_ptr<arrow::RecordBatch> Batch(const std::shared_ptr<arrow::Schema>& schema,
                                            int64_t rows) {
    arrow::ArrayVector columns;
    for (const auto& field : schema->fields()) columns.push_back(Column(*field, rows));
    return arrow::RecordBatch::Make(schema, rows, std::move(columns));
  }

  std::shared_ptr<arrow::Array> Column(const arrow::Field& field, int64_t rows) {
    auto builder = arrow::MakeBuilder(field.type()).ValueOrDie();
    for (int64_t i = 0; i < rows; ++i) Append(field, builder.get());
    return builder->Finish().ValueOrDie();
  }

  uint64_t Below(uint64_t limit) { return engine_() % limit; }

 private:
  using Type = arrow::Type;

  void Append(const arrow::Field& field, arrow::ArrayBuilder* builder) {
    if (field.nullable() && Below(5) == 0) {
      Must(builder->AppendNull());
      return;
    }
    const arrow::DataType& type = *field.type();
    switch (type.id()) {
      case Type::LIST:
        Must(static_cast<arrow::ListBuilder*>(builder)->Append());
        return AppendElements(*type.field(0),
                              static_cast<arrow::ListBuilder*>(builder)->value_builder());
      case Type::LARGE_LIST:
        Must(static_cast<arrow::LargeListBuilder*>(builder)->Append());
        return AppendElements(*type.field(0),
                              static_cast<arrow::LargeListBuilder*>(builder)->value_builder());
      case Type::MAP: {
        auto* map = static_cast<arrow::MapBuilder*>(builder);
        const auto& map_type = static_cast<const arrow::MapType&>(type);
        Must(map->Append());
        for (uint64_t i = Below(4); i > 0; --i) {
          Append(*map_type.key_field(), map->key_builder());
          Append(*map_type.item_field(), map->item_builder());
        }
        return;
      }
      case Type::STRUCT: {
        auto* group = static_cast<arrow::StructBuilder*>(builder);
        Must(group->Append());
        for (int i = 0; i < type.num_fields(); ++i) Append(*type.field(i), group->field_builder(i));
        return;
      }
      default:
        return AppendValue(type, builder);
    }
  }

  void AppendElements(const arrow::Field& element, arrow::ArrayBuilder* builder) {
    for (uint64_t i = Below(4); i > 0; --i) Append(element, builder);
  }

  void AppendValue(const arrow::DataType& type, arrow::ArrayBuilder* builder) {
    switch (type.id()) {
      case Type::BOOL:
        return Must(static_cast<arrow::BooleanBuilder*>(builder)->Append(Below(2) == 0));
      case Type::STRING:
        return Must(static_cast<arrow::StringBuilder*>(builder)->Append(Text()));
      case Type::LARGE_STRING:
        return Must(static_cast<arrow::LargeStringBuilder*>(builder)->Append(Text()));
      case Type::BINARY:
        return Must(static_cast<arrow::BinaryBuilder*>(builder)->Append(Text()));
      case Type::LARGE_BINARY:
        return Must(static_cast<arrow::LargeBinaryBuilder*>(builder)->Append(Text()));
      case Type::FIXED_SIZE_BINARY: {
        std::string bytes(static_cast<const arrow::FixedSizeBinaryType&>(type).byte_width(), '\0');
        for (char& byte : bytes) byte = static_cast<char>(Below(256));
        return Must(static_cast<arrow::FixedSizeBinaryBuilder*>(builder)->Append(bytes));
      }
      case Type::FLOAT:
        return Must(static_cast<arrow::FloatBuilder*>(builder)->Append(static_cast<float>(Real())));
      case Type::DOUBLE:
        return Must(static_cast<arrow::DoubleBuilder*>(builder)->Append(Real()));
      case Type::DECIMAL32:
        return Must(
            static_cast<arrow::Decimal32Builder*>(builder)->Append(arrow::Decimal32(Digits(type))));
      case Type::DECIMAL64:
        return Must(
            static_cast<arrow::Decimal64Builder*>(builder)->Append(arrow::Decimal64(Digits(type))));
      case Type::DECIMAL128:
        return Must(static_cast<arrow::Decimal128Builder*>(builder)->Append(
            arrow::Decimal128(Digits(type))));
      case Type::DECIMAL256:
        return Must(static_cast<arrow::Decimal256Builder*>(builder)->Append(
            arrow::Decimal256(Digits(type))));
      default:
        return AppendInteger(type, builder);
    }
  }

  void AppendInteger(const arrow::DataType& type, arrow::ArrayBuilder* builder) {
    auto value = static_cast<int64_t>(Below(3) == 0 ? engine_() : Below(100));
    // A time of day outside the day is no valid array; a day has at least 86,400,000 of any unit
    // that Parquet holds.
    if (type.id() == arrow::Type::TIME32 || type.id() == arrow::Type::TIME64)
      value = std::abs(value % 86'400'000);
    switch (type.id()) {
#define LEVADA_INTEGER(ID, BUILDER, CTYPE) \
  case Type::ID:                           \
    return Must(static_cast<arrow::BUILDER*>(builder)->Append(static_cast<CTYPE>(value)))
      LEVADA_INTEGER(INT8, Int8Builder, int8_t);
      LEVADA_INTEGER(INT16, Int16Builder, int16_t);
      LEVADA_INTEGER(INT32, Int32Builder, int32_t);
      LEVADA_INTEGER(INT64, Int64Builder, int64_t);
      LEVADA_INTEGER(UINT8, UInt8Builder, uint8_t);
      LEVADA_INTEGER(UINT16, UInt16Builder, uint16_t);
      LEVADA_INTEGER(UINT32, UInt32Builder, uint32_t);
      LEVADA_INTEGER(UINT64, UInt64Builder, uint64_t);
      LEVADA_INTEGER(DATE32, Date32Builder, int32_t);
      LEVADA_INTEGER(TIME32, Time32Builder, int32_t);
      LEVADA_INTEGER(TIME64, Time64Builder, int64_t);
      LEVADA_INTEGER(TIMESTAMP, TimestampBuilder, int64_t);
#undef LEVADA_INTEGER
      default:
        Must(arrow::Status::NotImplemented(type.ToString()));
    }
  }

  std::string Text() {
    if (Below(3) == 0) return std::string(Below(40), static_cast<char>('a' + Below(26)));
    static const std::string kWords[] = {"", "naïve", "ключ", "a longer word that repeats", "x"};
    return kWords[Below(std::size(kWords))];
  }

  double Real() {
    static const double kReals[] = {0.0,
                                    -0.0,
                                    std::numeric_limits<double>::infinity(),
                                    -1.5,
                                    std::numeric_limits<double>::quiet_NaN(),
                                    1e300};
    return Below(2) == 0 ? kReals[Below(std::size(kReals))] : static_cast<double>(engine_()) / 7;
  }

  /// An integer of up to as many digits as the type has, of either sign.
  std::string Digits(const arrow::DataType& type) {
    const auto precision =
        static_cast<uint64_t>(static_cast<const arrow::DecimalType&>(type).precision());
    std::string text = Below(2) == 0 ? "-" : "";
    for (uint64_t i = 1 + Below(precision); i > 0; --i) text += static_cast<char>('0' + Below(10));
    return text;
  }

  static void Must(const arrow::Status& status) {
    if (!status.ok()) status.Abort("random rows");
  }

  std::mt19937_64 engine_;
};

/// The same rows cut elsewhere: consecutive slices of 1..`rows_max` rows.
inline arrow::RecordBatchVector Recut(const std::shared_ptr<arrow::RecordBatch>& batch,
                                      int64_t rows_max, uint64_t seed) {
  RandomRows random(seed);
  arrow::RecordBatchVector out;
  for (int64_t at = 0; at < batch->num_rows();) {
    const auto rows =
        std::min<int64_t>(1 + static_cast<int64_t>(random.Below(rows_max)), batch->num_rows() - at);
    out.push_back(batch->Slice(at, rows));
    at += rows;
  }
  return out;
}

}  // namespace levada::parquet_format
