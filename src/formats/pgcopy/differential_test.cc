// Random tables: values chosen here go through the encoder and the decoder, and through Arrow's own
// builders; the two must agree, whatever the chunks and batches.

#include <arrow/api.h>
#include <arrow/util/decimal.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <random>

#include "formats/pgcopy/captured.h"
#include "formats/pgcopy/encoder.h"

namespace levada::pgcopy {
namespace {

using Random = std::mt19937_64;

int64_t Between(Random& random, int64_t low, int64_t high) {
  const uint64_t span = static_cast<uint64_t>(high) - static_cast<uint64_t>(low) + 1;
  return static_cast<int64_t>(static_cast<uint64_t>(low) +
                              (span == 0 ? random() : random() % span));
}

/// Small numbers, numbers around powers of two, and any.
int64_t Integer(Random& random, int64_t low, int64_t high) {
  switch (random() % 4) {
    case 0:
      return Between(random, std::max<int64_t>(low, -10), std::min<int64_t>(high, 10));
    case 1:
      return random() % 2 == 0 ? low : high;
    default:
      return Between(random, low, high);
  }
}

std::string Digits(Random& random, size_t count) {
  std::string digits;
  while (digits.size() < count) {
    // Runs of zeros, so that groups of the wire form are stripped.
    if (random() % 5 == 0) digits.append(random() % 9, '0');
    digits += static_cast<char>('0' + random() % 10);
  }
  digits.resize(count);
  return digits;
}

std::string Words(Random& random) {
  static const char* const kWords[] = {"a", "levada", "żółć", "日本", "😀", " ", "x\ty", ""};
  std::string text;
  for (uint64_t i = random() % 12; i > 0; --i) text += kWords[random() % 8];
  return text;
}

template <typename Builder>
Builder& As(arrow::ArrayBuilder& builder) {
  return static_cast<Builder&>(builder);
}

/// Puts one random value into both sides.
using PutValue = std::function<Status(Random&, const ColumnType&, Encoder&, arrow::ArrayBuilder&)>;

Status PutNumeric(Random& random, const ColumnType& type, Encoder& encoder,
                  arrow::ArrayBuilder& builder) {
  const int32_t precision = type.numeric->precision;
  const int32_t scale = type.numeric->scale;
  const size_t count = 1 + random() % static_cast<size_t>(precision);
  std::string digits = Digits(random, count);
  digits.insert(0, static_cast<size_t>(precision) - count, '0');
  std::string text = digits;
  if (scale > 0) text.insert(text.size() - static_cast<size_t>(scale), ".");
  const bool negative = random() % 2 == 0;
  ARROW_RETURN_NOT_OK(encoder.Numeric((negative ? "-" : "") + text));
  if (precision <= 38) {
    arrow::Decimal128 value(digits);
    return As<arrow::Decimal128Builder>(builder).Append(negative ? -value : value);
  }
  arrow::Decimal256 value(digits);
  return As<arrow::Decimal256Builder>(builder).Append(negative ? -value : value);
}

Status PutText(Random& random, const ColumnType& type, Encoder& encoder,
               arrow::ArrayBuilder& builder) {
  const std::string text = Words(random);
  encoder.Text(type.trim ? text + std::string(random() % 20, ' ') : text);
  std::string kept = text;
  if (type.trim) kept.erase(kept.find_last_not_of(' ') + 1);
  return As<arrow::StringBuilder>(builder).Append(kept);
}

std::map<ValueKind, PutValue> NumberPuts() {
  return {
      {ValueKind::kBool,
       [](Random& random, const ColumnType&, Encoder& encoder, arrow::ArrayBuilder& builder) {
         const bool value = random() % 2 == 0;
         encoder.Bool(value);
         return As<arrow::BooleanBuilder>(builder).Append(value);
       }},
      {ValueKind::kInt2,
       [](Random& random, const ColumnType&, Encoder& encoder, arrow::ArrayBuilder& builder) {
         const int16_t value = static_cast<int16_t>(Integer(random, INT16_MIN, INT16_MAX));
         encoder.Int2(value);
         return As<arrow::Int16Builder>(builder).Append(value);
       }},
      {ValueKind::kInt4,
       [](Random& random, const ColumnType&, Encoder& encoder, arrow::ArrayBuilder& builder) {
         const int32_t value = static_cast<int32_t>(Integer(random, INT32_MIN, INT32_MAX));
         encoder.Int4(value);
         return As<arrow::Int32Builder>(builder).Append(value);
       }},
      {ValueKind::kInt8,
       [](Random& random, const ColumnType&, Encoder& encoder, arrow::ArrayBuilder& builder) {
         const int64_t value = Integer(random, INT64_MIN, INT64_MAX);
         encoder.Int8(value);
         return As<arrow::Int64Builder>(builder).Append(value);
       }},
      {ValueKind::kOid,
       [](Random& random, const ColumnType&, Encoder& encoder, arrow::ArrayBuilder& builder) {
         const int64_t value = Integer(random, 0, UINT32_MAX);
         encoder.Oid(static_cast<uint32_t>(value));
         return As<arrow::Int64Builder>(builder).Append(value);
       }},
      {ValueKind::kFloat4,
       [](Random& random, const ColumnType&, Encoder& encoder, arrow::ArrayBuilder& builder) {
         const float value = static_cast<float>(Integer(random, -1'000'000, 1'000'000)) / 7;
         encoder.Float4(value);
         return As<arrow::FloatBuilder>(builder).Append(value);
       }},
      {ValueKind::kFloat8,
       [](Random& random, const ColumnType&, Encoder& encoder, arrow::ArrayBuilder& builder) {
         const double value = random() % 9 == 0 ? std::nan("") : static_cast<double>(random()) / 3;
         encoder.Float8(value);
         return As<arrow::DoubleBuilder>(builder).Append(value);
       }},
  };
}

std::map<ValueKind, PutValue> OtherPuts() {
  return {
      {ValueKind::kNumeric, PutNumeric},
      {ValueKind::kText, PutText},
      {ValueKind::kJsonb,
       [](Random& random, const ColumnType&, Encoder& encoder, arrow::ArrayBuilder& builder) {
         const std::string text = "{\"a\": \"" + Words(random) + "\"}";
         encoder.Jsonb(text);
         return As<arrow::StringBuilder>(builder).Append(text);
       }},
      {ValueKind::kBytea,
       [](Random& random, const ColumnType&, Encoder& encoder, arrow::ArrayBuilder& builder) {
         std::vector<uint8_t> value(random() % 100);
         for (uint8_t& byte : value) byte = static_cast<uint8_t>(random());
         encoder.Bytea(value);
         return As<arrow::BinaryBuilder>(builder).Append(value.data(),
                                                         static_cast<int32_t>(value.size()));
       }},
      {ValueKind::kDate,
       [](Random& random, const ColumnType&, Encoder& encoder, arrow::ArrayBuilder& builder) {
         const int32_t value = static_cast<int32_t>(Integer(random, -2'440'588, 2'145'042'905));
         ARROW_RETURN_NOT_OK(encoder.Date(value));
         return As<arrow::Date32Builder>(builder).Append(value);
       }},
      {ValueKind::kTime,
       [](Random& random, const ColumnType&, Encoder& encoder, arrow::ArrayBuilder& builder) {
         const int64_t value = Integer(random, 0, 86'399'999'999);
         ARROW_RETURN_NOT_OK(encoder.Time(value));
         return As<arrow::Time64Builder>(builder).Append(value);
       }},
      {ValueKind::kTimestamp,
       [](Random& random, const ColumnType&, Encoder& encoder, arrow::ArrayBuilder& builder) {
         const int64_t value = Integer(random, -210'866'803'200'000'000, INT64_MAX);
         ARROW_RETURN_NOT_OK(encoder.Timestamp(value));
         return As<arrow::TimestampBuilder>(builder).Append(value);
       }},
      {ValueKind::kUuid,
       [](Random& random, const ColumnType&, Encoder& encoder, arrow::ArrayBuilder& builder) {
         std::array<uint8_t, 16> value;
         for (uint8_t& byte : value) byte = static_cast<uint8_t>(random());
         encoder.Uuid(value);
         return As<arrow::FixedSizeBinaryBuilder>(builder).Append(value.data());
       }},
  };
}

const std::map<ValueKind, PutValue>& Puts() {
  static const std::map<ValueKind, PutValue> puts = [] {
    std::map<ValueKind, PutValue> all = NumberPuts();
    all.merge(OtherPuts());
    return all;
  }();
  return puts;
}

ColumnType RandomType(Random& random) {
  auto put = Puts().begin();
  std::advance(put, random() % Puts().size());
  ColumnType type;
  type.kind = put->first;
  type.array = random() % 4 == 0;
  type.nullable = random() % 4 != 0;
  type.trim = random() % 2 == 0;
  type.uuid_as_bytes = true;
  const int32_t precision = 1 + static_cast<int32_t>(random() % (random() % 2 == 0 ? 18 : 76));
  type.numeric = NumericBounds{
      precision, static_cast<int32_t>(random() % static_cast<uint64_t>(precision + 1))};
  return type;
}

Status PutArray(Random& random, const ColumnType& type, Encoder& encoder,
                arrow::ArrayBuilder& builder) {
  auto& list = As<arrow::ListBuilder>(builder);
  ARROW_RETURN_NOT_OK(list.Append());
  const int32_t size = static_cast<int32_t>(random() % 5);
  encoder.BeginArray(0, size, true, static_cast<int32_t>(random() % 3));
  for (int32_t i = 0; i < size; ++i) {
    if (random() % 4 == 0) {
      encoder.Null();
      ARROW_RETURN_NOT_OK(list.value_builder()->AppendNull());
    } else {
      ARROW_RETURN_NOT_OK(Puts().at(type.kind)(random, type, encoder, *list.value_builder()));
    }
  }
  encoder.EndArray();
  return Status::OK();
}

struct Table {
  std::vector<Column> columns;
  std::vector<uint8_t> stream;
  std::shared_ptr<arrow::Table> expected;
};

Result<Table> RandomTable(uint64_t seed) {
  Random random(seed);
  Table table;
  arrow::FieldVector fields;
  std::vector<std::unique_ptr<arrow::ArrayBuilder>> builders;
  for (uint64_t i = 1 + random() % 12; i > 0; --i) {
    const Column& column =
        table.columns.emplace_back(Column{"c" + std::to_string(i), RandomType(random)});
    ARROW_ASSIGN_OR_RAISE(fields.emplace_back(), FieldOf(column));
    ARROW_ASSIGN_OR_RAISE(builders.emplace_back(), arrow::MakeBuilder(fields.back()->type()));
  }
  Encoder encoder;
  encoder.Header();
  const uint64_t null_every = 2 + random() % 20;
  for (uint64_t row = random() % 400; row > 0; --row) {
    encoder.BeginTuple(static_cast<int16_t>(table.columns.size()));
    for (size_t i = 0; i < builders.size(); ++i) {
      const ColumnType& type = table.columns[i].type;
      if (type.nullable && random() % null_every == 0) {
        encoder.Null();
        ARROW_RETURN_NOT_OK(builders[i]->AppendNull());
      } else if (type.array) {
        ARROW_RETURN_NOT_OK(PutArray(random, type, encoder, *builders[i]));
      } else {
        ARROW_RETURN_NOT_OK(Puts().at(type.kind)(random, type, encoder, *builders[i]));
      }
    }
  }
  encoder.Trailer();
  table.stream = encoder.Take();
  arrow::ArrayVector arrays;
  for (const auto& builder : builders) {
    ARROW_ASSIGN_OR_RAISE(arrays.emplace_back(), builder->Finish());
  }
  table.expected = arrow::Table::Make(arrow::schema(fields), arrays);
  return table;
}

TEST(DifferentialTest, DecodesRandomTablesToWhatArrowBuildsOfThem) {
  const arrow::EqualOptions nans_equal = arrow::EqualOptions::Defaults().nans_equal(true);
  for (uint64_t seed = 0; seed < 300; ++seed) {
    const auto table = RandomTable(seed);
    ASSERT_TRUE(table.ok()) << seed << ": " << table.status().ToString();
    Random random(seed);
    DecoderOptions options;
    options.batch_rows_max = 1 + static_cast<int64_t>(random() % 200);
    options.batch_bytes_max = 1'000 + static_cast<int64_t>(random() % 30'000);
    const Decoded whole = DecodeInChunks(table->columns, options, table->stream);
    ASSERT_TRUE(whole.status.ok()) << seed << ": " << whole.status.ToString();
    const auto got = arrow::Table::FromRecordBatches(table->expected->schema(), whole.batches);
    ASSERT_TRUE(got.ok()) << seed << ": " << got.status().ToString();
    ASSERT_TRUE((*got)->Equals(*table->expected, nans_equal)) << seed;
    ASSERT_EQ(
        Difference(whole, DecodeBySize(table->columns, options, table->stream, 1 + random() % 50)),
        "")
        << seed;
    ASSERT_EQ(Difference(whole, DecodeBySize(table->columns, options, table->stream,
                                             100 + random() % 2'000)),
              "")
        << seed;
  }
}

}  // namespace
}  // namespace levada::pgcopy
