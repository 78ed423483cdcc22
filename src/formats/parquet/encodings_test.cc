// Which encoding the pages of a column have: dictionary, delta or plain.

#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_decimal.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/array/builder_time.h>
#include <arrow/type.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <parquet/statistics.h>

#include <string>
#include <vector>

#include "formats/parquet/random_rows.h"
#include "formats/parquet/testing.h"

namespace levada::parquet_format {
namespace {

using arrow::field;
using testing::ElementsAre;

/// Of the data pages of a column in a row group. What readers look at first, the chunk's
/// list of encodings, names each of them too.
std::vector<parquet::Encoding::type> DataEncodings(const parquet::FileMetaData& metadata,
                                                   int column, int row_group = 0) {
  std::vector<parquet::Encoding::type> found;
  const auto chunk = metadata.RowGroup(row_group)->ColumnChunk(column);
  for (const auto& pages : chunk->encoding_stats()) {
    if (pages.page_type != parquet::PageType::DATA_PAGE) continue;
    found.push_back(pages.encoding);
    EXPECT_THAT(chunk->encodings(), testing::Contains(pages.encoding));
  }
  return found;
}

/// The same rows under options that know PLAIN alone: more bytes than `file`, the same statistics.
void ExpectSameButLarger(const std::shared_ptr<arrow::Buffer>& file, const BatchPtr& batch,
                         const EncodeOptions& plain_options) {
  const auto plain_file = Encode(batch->schema(), {batch}, plain_options);
  const auto plain = MetadataOf(plain_file);
  const auto metadata = MetadataOf(file);
  EXPECT_GT(plain_file->size(), file->size());
  for (int column = 0; column < batch->num_columns(); ++column) {
    EXPECT_THAT(DataEncodings(*plain, column), ElementsAre(parquet::Encoding::PLAIN));
    const auto of_plain = plain->RowGroup(0)->ColumnChunk(column)->statistics();
    EXPECT_TRUE(metadata->RowGroup(0)->ColumnChunk(column)->statistics()->Equals(*of_plain));
  }
}

/// `rows` of each kind of integer, by what they are like.
BatchPtr Integers(int rows) {
  auto schema =
      arrow::schema({field("serial", arrow::int32()), field("random", arrow::int64()),
                     field("at", arrow::timestamp(arrow::TimeUnit::MICRO, "UTC")),
                     field("price", arrow::decimal128(12, 2)), field("real", arrow::float64()),
                     field("late", arrow::int64()), field("mixed", arrow::int32())});
  RandomRows random(9);
  arrow::Int32Builder serial;
  arrow::Int64Builder noise;
  arrow::TimestampBuilder at(schema->field(2)->type(), arrow::default_memory_pool());
  arrow::Decimal128Builder price(schema->field(3)->type());
  arrow::DoubleBuilder real;
  arrow::Int64Builder late;   // NULL in all of the first chunk
  arrow::Int32Builder mixed;  // in no order in the first chunk
  for (int i = 0; i < rows; ++i) {
    EXPECT_TRUE(serial.Append(INT32_MIN + i).ok());
    EXPECT_TRUE(noise.Append(static_cast<int64_t>(random.Below(UINT64_MAX))).ok());
    EXPECT_TRUE(at.Append(1'700'000'000'000'000 + i * 1000 + random.Below(500)).ok());
    EXPECT_TRUE(i % 7 == 0 ? price.AppendNull().ok()
                           : price.Append(arrow::Decimal128(3 * i + random.Below(100))).ok());
    EXPECT_TRUE(real.Append(i).ok());
    EXPECT_TRUE(i < 4096 ? late.AppendNull().ok() : late.Append(int64_t{5} * i).ok());
    EXPECT_TRUE(mixed.Append(i < 4096 ? static_cast<int32_t>(random.Below(1u << 31)) : i).ok());
  }
  return arrow::RecordBatch::Make(
      schema, rows,
      {serial.Finish().ValueOrDie(), noise.Finish().ValueOrDie(), at.Finish().ValueOrDie(),
       price.Finish().ValueOrDie(), real.Finish().ValueOrDie(), late.Finish().ValueOrDie(),
       mixed.Finish().ValueOrDie()});
}

TEST(Encodings, IntegersTakeTheSmallerOfPlainAndDelta) {
  const BatchPtr batch = Integers(20'000);
  EncodeOptions options;
  options.chunk_rows = 4096;
  options.dictionary.assign(7, DictionaryUse::kOff);
  const auto file = Encode(batch->schema(), {batch}, options);
  const auto metadata = MetadataOf(file);
  constexpr auto kPlain = parquet::Encoding::PLAIN;
  constexpr auto kDelta = parquet::Encoding::DELTA_BINARY_PACKED;
  EXPECT_THAT(DataEncodings(*metadata, 0), ElementsAre(kDelta));
  EXPECT_THAT(DataEncodings(*metadata, 1), ElementsAre(kPlain));
  EXPECT_THAT(DataEncodings(*metadata, 2), ElementsAre(kDelta));
  EXPECT_THAT(DataEncodings(*metadata, 3), ElementsAre(kDelta));
  EXPECT_THAT(DataEncodings(*metadata, 4), ElementsAre(kPlain));
  EXPECT_THAT(DataEncodings(*metadata, 5), ElementsAre(kPlain, kDelta));
  EXPECT_THAT(DataEncodings(*metadata, 6), ElementsAre(kPlain, kDelta));
  ExpectRoundTrip(batch, options);

  options.encoding = ValueEncoding::kPlain;
  ExpectSameButLarger(file, batch, options);
  ExpectRoundTrip(batch, options);
}

TEST(Encodings, DeltasOfExtremesComeBack) {
  auto schema = arrow::schema({field("n", arrow::int32()), field("m", arrow::int64())});
  arrow::Int32Builder n;
  arrow::Int64Builder m;
  for (int i = 0; i < 1000; ++i) {  // serial at first, so that delta is chosen
    ASSERT_TRUE(n.Append(i < 200 ? i : (i % 2 == 0 ? INT32_MIN : INT32_MAX)).ok());
    ASSERT_TRUE(m.Append(i < 200 ? i : (i % 2 == 0 ? INT64_MIN : INT64_MAX)).ok());
  }
  auto batch =
      arrow::RecordBatch::Make(schema, 1000, {n.Finish().ValueOrDie(), m.Finish().ValueOrDie()});
  for (const int chunk_rows : {1, 31, 128, 129, 200, 1000}) {
    EncodeOptions options;
    options.chunk_rows = chunk_rows;
    options.dictionary.assign(2, DictionaryUse::kOff);
    if (chunk_rows == 200) {
      EXPECT_THAT(DataEncodings(*MetadataOf(Encode(schema, {batch}, options)), 1),
                  ElementsAre(parquet::Encoding::DELTA_BINARY_PACKED));
    }
    ExpectRoundTrip(batch, options);
  }
}

/// Texts of every width of offset, by what they are like. The first 4096 of `late` are NULL.
BatchPtr Texts(int rows) {
  auto schema =
      arrow::schema({field("hex", arrow::utf8()), field("phrases", arrow::utf8()),
                     field("bytes", arrow::large_binary()), field("late", arrow::large_utf8())});
  RandomRows random(3);
  arrow::StringBuilder hex, phrases;
  arrow::LargeBinaryBuilder bytes;
  arrow::LargeStringBuilder late;
  std::vector<std::string> few;
  for (int i = 0; i < 40; ++i) {
    few.emplace_back();
    while (few.back().size() < 20 + random.Below(200)) {
      few.back() += static_cast<char>('a' + random.Below(26));
    }
  }
  for (int i = 0; i < rows; ++i) {
    const std::string digits =
        fmt::format("{:016x}{:016x}", random.Below(UINT64_MAX), random.Below(UINT64_MAX));
    EXPECT_TRUE(i % 5 == 0 ? hex.AppendNull().ok() : hex.Append(digits).ok());
    EXPECT_TRUE(phrases.Append(few[random.Below(few.size())]).ok());
    EXPECT_TRUE(bytes.Append(digits.substr(0, random.Below(8))).ok());  // some are empty
    EXPECT_TRUE(i < 4096 ? late.AppendNull().ok() : late.Append(digits).ok());
  }
  return arrow::RecordBatch::Make(schema, rows,
                                  {hex.Finish().ValueOrDie(), phrases.Finish().ValueOrDie(),
                                   bytes.Finish().ValueOrDie(), late.Finish().ValueOrDie()});
}

TEST(Encodings, TextsTakeTheSmallerOfPlainAndDeltaLengths) {
  const BatchPtr batch = Texts(20'000);
  EncodeOptions options;
  options.chunk_rows = 4096;
  options.row_group_rows = 10'000;
  options.dictionary.assign(4, DictionaryUse::kOff);
  const auto file = Encode(batch->schema(), {batch}, options);
  const auto metadata = MetadataOf(file);
  constexpr auto kPlain = parquet::Encoding::PLAIN;
  constexpr auto kDelta = parquet::Encoding::DELTA_LENGTH_BYTE_ARRAY;
  EXPECT_THAT(DataEncodings(*metadata, 0), ElementsAre(kDelta));
  EXPECT_THAT(DataEncodings(*metadata, 1), ElementsAre(kPlain));
  EXPECT_THAT(DataEncodings(*metadata, 2), ElementsAre(kDelta));
  EXPECT_THAT(DataEncodings(*metadata, 3), ElementsAre(kPlain, kDelta)) << "no values, then some";
  EXPECT_THAT(DataEncodings(*metadata, 3, 1), ElementsAre(kDelta)) << "chosen for the file";
  for (const int chunk_rows : {1, 100, 4096}) {
    options.chunk_rows = chunk_rows;
    ExpectRoundTrip(batch->Slice(4000, 300), options);
  }
  ExpectRoundTrip(batch, options);

  options.encoding = ValueEncoding::kPlain;
  ExpectSameButLarger(file, batch, options);
}

TEST(Encodings, WhatIsChosenForTextsOutlivesARowGroupThatIsEnded) {
  const BatchPtr batch = Texts(2000);
  const auto schema = arrow::schema({field("x", arrow::utf8())});
  const auto first = arrow::RecordBatch::Make(schema, 2000, {batch->column(0)});
  const auto second = arrow::RecordBatch::Make(schema, 2000, {batch->column(1)});
  EncodeOptions options;
  options.dictionary.assign(1, DictionaryUse::kOff);
  ASSERT_THAT(DataEncodings(*MetadataOf(Encode(schema, {second}, options)), 0),
              ElementsAre(parquet::Encoding::PLAIN));
  auto sink = arrow::io::BufferOutputStream::Create().ValueOrDie();
  auto encoder = FileEncoder::Make(*schema, options, kCreatedBy, sink, Environment()).ValueOrDie();
  ASSERT_TRUE(encoder->Write(*first).ok());
  ASSERT_TRUE(encoder->EndRowGroup().ok());
  ASSERT_TRUE(encoder->Write(*second).ok());
  ASSERT_TRUE(encoder->Close().ok());
  const auto metadata = MetadataOf(sink->Finish().ValueOrDie());
  for (const int row_group : {0, 1}) {
    EXPECT_THAT(DataEncodings(*metadata, 0, row_group),
                ElementsAre(parquet::Encoding::DELTA_LENGTH_BYTE_ARRAY));
  }
}

TEST(Encodings, DictionariesAreKeptWhereTheyPay) {
  auto schema = arrow::schema({field("few", arrow::utf8()), field("unique", arrow::utf8()),
                               field("counter", arrow::int64())});
  arrow::StringBuilder few;
  arrow::StringBuilder unique;
  arrow::Int64Builder counter;
  RandomRows random(4);
  for (int i = 0; i < 20'000; ++i) {
    ASSERT_TRUE(few.Append("status " + std::to_string(random.Below(20))).ok());
    ASSERT_TRUE(unique.Append(std::to_string(random.Below(1ull << 62))).ok());
    ASSERT_TRUE(counter.Append(i / 4).ok());
  }
  auto batch = arrow::RecordBatch::Make(
      schema, 20'000,
      {few.Finish().ValueOrDie(), unique.Finish().ValueOrDie(), counter.Finish().ValueOrDie()});
  auto encodings = [&](const EncodeOptions& options, int column) {
    return DataEncodings(*MetadataOf(Encode(schema, {batch}, options)), column);
  };
  EncodeOptions options;
  options.chunk_rows = 4096;
  EXPECT_THAT(encodings(options, 0), ElementsAre(parquet::Encoding::RLE_DICTIONARY));
  EXPECT_THAT(encodings(options, 1), ElementsAre(parquet::Encoding::DELTA_LENGTH_BYTE_ARRAY));
  EXPECT_THAT(encodings(options, 2), ElementsAre(parquet::Encoding::DELTA_BINARY_PACKED));
  options.encoding = ValueEncoding::kPlain;
  EXPECT_THAT(encodings(options, 2),
              ElementsAre(parquet::Encoding::PLAIN));  // zstd likes counters better
  options.dictionary.assign(3, DictionaryUse::kOn);
  options.dictionary_bytes = 300'000;
  EXPECT_THAT(encodings(options, 1),
              ElementsAre(parquet::Encoding::PLAIN, parquet::Encoding::RLE_DICTIONARY));
  ExpectRoundTrip(batch, options);
}

}  // namespace
}  // namespace levada::parquet_format
