#include "formats/parquet/file_encoder.h"

#include <arrow/json/from_string.h>
#include <arrow/util/key_value_metadata.h>
#include <arrow/util/thread_pool.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <parquet/statistics.h>

#include <map>

#include "formats/parquet/file_schema.h"
#include "formats/parquet/random_rows.h"
#include "formats/parquet/testing.h"

namespace levada::parquet_format {
namespace {

using arrow::field;
using testing::HasSubstr;

EncodeOptions SmallOptions() {
  EncodeOptions options;
  options.chunk_rows = 100;
  options.row_group_rows = 700;
  options.chunk_bytes = 64 * 1024;
  options.dictionary_bytes = 2 * 1024;
  return options;
}

SchemaPtr SparkSchema() {
  return arrow::schema({
      field("flag", arrow::boolean()),
      field("tiny", arrow::int8()),
      field("small", arrow::int16()),
      field("number", arrow::int32()),
      field("big", arrow::int64()),
      field("ratio", arrow::float32()),
      field("real", arrow::float64()),
      field("day", arrow::date32()),
      field("at", arrow::timestamp(arrow::TimeUnit::MICRO)),
      field("at_utc", arrow::timestamp(arrow::TimeUnit::MICRO, "UTC")),
      field("at_zone", arrow::timestamp(arrow::TimeUnit::MICRO, "Europe/Lisbon")),
      field("word", arrow::utf8()),
      field("essay", arrow::large_utf8()),
      field("raw", arrow::binary()),
      field("blob", arrow::large_binary()),
      field("d9", arrow::decimal128(9, 3)),
      field("d18", arrow::decimal128(18, 0)),
      field("d19", arrow::decimal128(19, 2)),
      field("d38", arrow::decimal128(38, 10)),
      field("d7_32", arrow::decimal32(7, 2)),
      field("d15_64", arrow::decimal64(15, 2)),
      field("d5_256", arrow::decimal256(5, 1)),
      field("d16_256", arrow::decimal256(16, 1)),
      field("d30_256", arrow::decimal256(30, 1)),
      field("id", arrow::int64(), /*nullable=*/false),
      field("name", arrow::utf8(), /*nullable=*/false),
  });
}

SchemaPtr NestedSchema() {
  auto point =
      arrow::struct_({field("x", arrow::int32()), field("y", arrow::decimal128(20, 2), false)});
  return arrow::schema({
      field("numbers", arrow::list(arrow::int32())),
      field("words", arrow::list(field("item", arrow::utf8(), false))),
      field("large", arrow::large_list(arrow::large_utf8())),
      field("required", arrow::list(field("item", arrow::int64(), false)), false),
      field("point", point),
      field("points", arrow::list(point)),
      field("deep", arrow::list(arrow::list(arrow::boolean()))),
      field("map", arrow::map(arrow::utf8(), arrow::float64())),
      field("maps", arrow::map(arrow::int32(), arrow::list(point))),
      field("outer", arrow::struct_({field(
                         "inner", arrow::struct_({field("leaf", arrow::list(arrow::date32()))}))})),
  });
}

SchemaPtr ArrowSchema() {
  return arrow::schema({
      field("u8", arrow::uint8()),
      field("u16", arrow::uint16()),
      field("u32", arrow::uint32()),
      field("u64", arrow::uint64(), false),
      field("ms", arrow::time32(arrow::TimeUnit::MILLI)),
      field("us", arrow::time64(arrow::TimeUnit::MICRO)),
      field("ns", arrow::time64(arrow::TimeUnit::NANO)),
      field("at_ns", arrow::timestamp(arrow::TimeUnit::NANO)),
      field("at_ms", arrow::timestamp(arrow::TimeUnit::MILLI, "UTC")),
      field("uuid", arrow::fixed_size_binary(16)),
      field("three", arrow::fixed_size_binary(3), false),
      field("d76", arrow::decimal256(76, 20)),
  });
}

BatchPtr FromJson(const SchemaPtr& schema, const std::vector<std::string>& columns) {
  arrow::ArrayVector arrays;
  for (size_t i = 0; i < columns.size(); ++i) {
    arrays.push_back(
        arrow::json::ArrayFromJSONString(schema->field(static_cast<int>(i))->type(), columns[i])
            .ValueOrDie());
  }
  const int64_t rows = arrays[0]->length();
  return arrow::RecordBatch::Make(schema, rows, std::move(arrays));
}

TEST(FileEncoder, EveryTypeOfTheSparkProfileComesBack) {
  for (Codec codec : {Codec::kNone, Codec::kSnappy, Codec::kZstd, Codec::kLz4}) {
    for (DictionaryUse use : {DictionaryUse::kOff, DictionaryUse::kAuto, DictionaryUse::kOn}) {
      EncodeOptions options = SmallOptions();
      options.codec = codec;
      options.level = codec == Codec::kZstd ? 1 : 0;
      options.dictionary.assign(SparkSchema()->num_fields(), use);
      ExpectRoundTrip(RandomRows(7).Batch(SparkSchema(), 1500), options);
    }
  }
}

TEST(FileEncoder, NestedColumnsComeBack) {
  for (DictionaryUse use : {DictionaryUse::kOff, DictionaryUse::kOn}) {
    EncodeOptions options = SmallOptions();
    options.dictionary.assign(LeafPaths(*NestedSchema()).size(), use);
    ExpectRoundTrip(RandomRows(8).Batch(NestedSchema(), 1500), options);
    options.profile = Profile::kArrow;
    ExpectRoundTrip(RandomRows(9).Batch(NestedSchema(), 1500), options);
  }
}

TEST(FileEncoder, EveryTypeOfTheArrowProfileComesBack) {
  for (DictionaryUse use : {DictionaryUse::kOff, DictionaryUse::kOn}) {
    EncodeOptions options = SmallOptions();
    options.profile = Profile::kArrow;
    options.dictionary.assign(ArrowSchema()->num_fields(), use);
    ExpectRoundTrip(RandomRows(10).Batch(ArrowSchema(), 1500), options);
    options.dictionary.assign(SparkSchema()->num_fields(), use);
    ExpectRoundTrip(RandomRows(11).Batch(SparkSchema(), 1500), options);
  }
}

TEST(FileEncoder, SlicedBatchesComeBack) {
  for (const auto& schema : {SparkSchema(), NestedSchema()}) {
    auto whole = RandomRows(12).Batch(schema, 500);
    ExpectRoundTrip(whole->Slice(13, 401), SmallOptions());
    ExpectRoundTrip(whole->Slice(499, 1), SmallOptions());
  }
}

TEST(FileEncoder, FilesOfNoRowsAndOfNullsOnlyAreValid) {
  for (const auto& schema : {SparkSchema(), NestedSchema()}) {
    auto empty = RandomRows(1).Batch(schema, 0);
    EXPECT_EQ(ReadBack(Encode(schema, {}, SmallOptions()), schema)->num_rows(), 0);
    EXPECT_EQ(ReadBack(Encode(schema, {empty, empty}, SmallOptions()), schema)->num_rows(), 0);
  }
  auto schema =
      arrow::schema({field("a", arrow::int64()), field("b", arrow::utf8()),
                     field("c", arrow::list(arrow::int32())), field("d", arrow::boolean())});
  auto nulls = arrow::RecordBatch::Make(
      schema, 250,
      {arrow::MakeArrayOfNull(arrow::int64(), 250).ValueOrDie(),
       arrow::MakeArrayOfNull(arrow::utf8(), 250).ValueOrDie(),
       arrow::MakeArrayOfNull(arrow::list(arrow::int32()), 250).ValueOrDie(),
       arrow::MakeArrayOfNull(arrow::boolean(), 250).ValueOrDie()});
  ExpectRoundTrip(nulls, SmallOptions());
  EncodeOptions options = SmallOptions();
  options.dictionary.assign(4, DictionaryUse::kOn);
  ExpectRoundTrip(nulls, options);
}

TEST(FileEncoder, ExtremesAndEmptyValuesComeBack) {
  auto schema = arrow::schema({field("i", arrow::int64()), field("s", arrow::utf8()),
                               field("f", arrow::float64()), field("d", arrow::decimal128(18, 0)),
                               field("l", arrow::list(arrow::utf8()))});
  auto batch = FromJson(
      schema, {"[9223372036854775807, -9223372036854775808, null, 0]",
               R"(["", null, "\u0000", " "])", "[-0.0, 1.7976931348623157e308, 4.9e-324, null]",
               R"(["999999999999999999", "-999999999999999999", "0", null])",
               R"([[], null, [null], ["", "a"]])"});
  ExpectRoundTrip(batch, SmallOptions());
  ExpectRoundTrip(batch, EncodeOptions{});
}

TEST(FileEncoder, BytesDoNotDependOnHowRowsArriveInBatches) {
  for (const auto& schema : {SparkSchema(), NestedSchema()}) {
    auto whole = RandomRows(21).Batch(schema, 3000);
    for (bool by_bytes : {false, true}) {
      EncodeOptions options = SmallOptions();
      if (by_bytes) {
        options.chunk_bytes = 3000;
        options.row_group_bytes = 20'000;
      }
      auto expected = Encode(schema, {whole}, options);
      for (uint64_t seed = 0; seed < 8; ++seed) {
        auto file = Encode(schema, Recut(whole, seed % 2 == 0 ? 7 : 900, seed), options);
        EXPECT_TRUE(file->Equals(*expected)) << "seed " << seed;
      }
    }
  }
}

TEST(FileEncoder, BytesDoNotDependOnThreads) {
  auto executor = arrow::internal::ThreadPool::Make(3).ValueOrDie();
  auto whole = RandomRows(22).Batch(SparkSchema(), 5000);
  auto expected = Encode(SparkSchema(), {whole}, SmallOptions());
  for (int threads : {2, 4, 64}) {
    EncodeEnvironment environment = Environment();
    environment.executor = executor.get();
    environment.threads = threads;
    EXPECT_TRUE(Encode(SparkSchema(), {whole}, SmallOptions(), environment)->Equals(*expected))
        << threads;
  }
}

TEST(FileEncoder, ChunksAndRowGroupsEndWhereTheLimitsSay) {
  auto schema = arrow::schema({field("n", arrow::int64()), field("s", arrow::utf8())});
  arrow::Int64Builder numbers;
  arrow::StringBuilder texts;
  for (int i = 0; i < 1000; ++i) {
    ASSERT_TRUE(numbers.Append(i).ok());
    ASSERT_TRUE(texts.Append(std::string(i == 500 ? 50'000 : 10, 'x')).ok());
  }
  auto batch = arrow::RecordBatch::Make(
      schema, 1000, {numbers.Finish().ValueOrDie(), texts.Finish().ValueOrDie()});
  EncodeOptions options;
  options.chunk_rows = 300;
  options.row_group_rows = 450;
  options.chunk_bytes = 220 * 100;  // 8 + 4 + 10 bytes a row; row 500 alone is more
  options.dictionary = {DictionaryUse::kOff, DictionaryUse::kOff};
  auto metadata = MetadataOf(Encode(schema, {batch}, options));
  ASSERT_EQ(metadata->num_row_groups(), 3);
  EXPECT_EQ(metadata->RowGroup(0)->num_rows(), 450);
  EXPECT_EQ(metadata->RowGroup(1)->num_rows(), 450);
  EXPECT_EQ(metadata->RowGroup(2)->num_rows(), 100);
  auto pages = [&](int group) {
    return metadata->RowGroup(group)->ColumnChunk(0)->encoding_stats()[0].count;
  };
  EXPECT_EQ(pages(0), 2);  // 300 + 150
  EXPECT_EQ(pages(1), 4);  // 50 up to row 500, it alone, 300, 99
  EXPECT_EQ(pages(2), 1);
}

// 900,000 lists of 3,000 equal letters compressed into one row group that pyarrow cannot read.
TEST(FileEncoder, ARowGroupEndsWhereItsRowsAreTooLargeForReaders) {
  auto schema = arrow::schema({field("l", arrow::list(arrow::binary()))});
  arrow::ListBuilder lists(arrow::default_memory_pool(), std::make_shared<arrow::BinaryBuilder>());
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(lists.Append().ok());
    ASSERT_TRUE(static_cast<arrow::BinaryBuilder*>(lists.value_builder())
                    ->Append(std::string(4 << 20, 'x'))
                    .ok());
  }
  auto batch = arrow::RecordBatch::Make(schema, 4, {lists.Finish().ValueOrDie()});
  EncodeOptions options;
  options.dictionary = {DictionaryUse::kOff};
  options.chunk_bytes = 32 << 20;
  const auto metadata = MetadataOf(Encode(schema, arrow::RecordBatchVector(70, batch), options));
  ASSERT_EQ(metadata->num_row_groups(), 2);
  EXPECT_LE(metadata->RowGroup(0)->total_byte_size(), (int64_t{1} << 30) + (32 << 20));
  EXPECT_EQ(metadata->num_rows(), 280);
}

TEST(FileEncoder, RollsAtRowGroupBoundariesOnlyAndAtTheSameRows) {
  auto whole = RandomRows(23).Batch(SparkSchema(), 6000);
  auto write_all = [&](const arrow::RecordBatchVector& batches, EncodeOptions options) {
    std::vector<std::shared_ptr<arrow::Buffer>> files;
    std::shared_ptr<arrow::io::BufferOutputStream> sink;
    std::unique_ptr<FileEncoder> encoder;
    auto finish = [&] {
      EXPECT_TRUE(encoder->Close().ok());
      files.push_back(sink->Finish().ValueOrDie());
      encoder.reset();
    };
    for (const auto& batch : batches) {
      for (int64_t at = 0; at < batch->num_rows();) {
        if (encoder == nullptr) {
          sink = arrow::io::BufferOutputStream::Create().ValueOrDie();
          encoder = FileEncoder::Make(*SparkSchema(), options, kCreatedBy, sink, Environment())
                        .ValueOrDie();
        }
        at += encoder->Write(*batch, at).ValueOrDie();
        if (encoder->ShouldRoll()) {
          EXPECT_EQ(encoder->Write(*batch, 0).ValueOrDie(), 0);
          finish();
        }
      }
    }
    if (encoder != nullptr) finish();
    return files;
  };
  EncodeOptions by_bytes = SmallOptions();
  by_bytes.file_bytes = 100'000;
  EncodeOptions by_chunks = SmallOptions();
  by_chunks.file_column_chunks = 2 * SparkSchema()->num_fields() + 1;
  for (const EncodeOptions& options : {by_bytes, by_chunks}) {
    auto expected = write_all({whole}, options);
    EXPECT_GT(expected.size(), 2u);
    auto recut = write_all(Recut(whole, 333, 5), options);
    ASSERT_EQ(recut.size(), expected.size());
    int64_t rows = 0;
    for (size_t i = 0; i < expected.size(); ++i) {
      EXPECT_TRUE(recut[i]->Equals(*expected[i])) << i;
      auto metadata = MetadataOf(expected[i]);
      rows += metadata->num_rows();
      const bool last = i + 1 == expected.size();
      EXPECT_TRUE(last || metadata->num_rows() % options.row_group_rows == 0) << i;
    }
    EXPECT_EQ(rows, 6000);
  }
}

TEST(FileEncoder, TheSparkProfileIsWhatSparkWrites) {
  auto schema = arrow::schema(
      {field("id", arrow::int64(), false), field("price", arrow::decimal128(9, 2)),
       field("total", arrow::decimal128(18, 2)), field("exact", arrow::decimal128(38, 2)),
       field("tags", arrow::list(field("item", arrow::utf8(), false))),
       field("at", arrow::timestamp(arrow::TimeUnit::MICRO, "Europe/Lisbon")),
       field("local", arrow::timestamp(arrow::TimeUnit::MICRO)),
       field("map", arrow::map(arrow::utf8(), arrow::int16()))});
  EXPECT_EQ(DescribeFileSchema(*schema, Profile::kSpark3).ValueOrDie(),
            R"(required group field_id=-1 spark_schema {
  optional int64 field_id=-1 id;
  optional int32 field_id=-1 price (Decimal(precision=9, scale=2));
  optional int64 field_id=-1 total (Decimal(precision=18, scale=2));
  optional fixed_len_byte_array(16) field_id=-1 exact (Decimal(precision=38, scale=2));
  optional group field_id=-1 tags (List) {
    repeated group field_id=-1 list {
      optional binary field_id=-1 element (String);
    }
  }
  optional int64 field_id=-1 at (Timestamp(isAdjustedToUTC=true, timeUnit=microseconds, is_from_converted_type=false, force_set_converted_type=true));
  optional int64 field_id=-1 local (Timestamp(isAdjustedToUTC=false, timeUnit=microseconds, is_from_converted_type=false, force_set_converted_type=true));
  optional group field_id=-1 map (Map) {
    repeated group field_id=-1 key_value {
      required binary field_id=-1 key (String);
      optional int32 field_id=-1 value (Int(bitWidth=16, isSigned=true));
    }
  }
}
)");
  auto metadata = MetadataOf(Encode(schema, {RandomRows(3).Batch(schema, 100)}, EncodeOptions{}));
  EXPECT_EQ(metadata->created_by(), kCreatedBy);
  ASSERT_NE(metadata->key_value_metadata(), nullptr);
  EXPECT_EQ(metadata->key_value_metadata()->size(), 1) << "no schema of Arrow's or Spark's own";
  EXPECT_EQ(metadata->key_value_metadata()->Get("org.apache.spark.version").ValueOrDie(), "3.0.0");
  for (int i = 0; i < metadata->num_columns(); ++i) {
    const auto chunk = metadata->RowGroup(0)->ColumnChunk(i);
    for (const auto& pages : chunk->encoding_stats()) {
      EXPECT_NE(pages.page_type, parquet::PageType::DATA_PAGE_V2);
      EXPECT_TRUE(pages.encoding == parquet::Encoding::PLAIN ||
                  pages.encoding == parquet::Encoding::RLE_DICTIONARY);
    }
  }
}

std::pair<std::string, std::string> BoundsOf(const BatchPtr& batch, int column,
                                             EncodeOptions options) {
  const auto metadata = MetadataOf(Encode(batch->schema(), {batch}, options));
  const auto chunk = metadata->RowGroup(0)->ColumnChunk(column);
  const auto statistics = chunk->encoded_statistics();
  if (statistics == nullptr || !statistics->has_min) return {"none", "none"};
  return {statistics->min(), statistics->max()};
}

template <typename T>
std::string Bytes(T value) {
  return {reinterpret_cast<const char*>(&value), sizeof(value)};
}

TEST(FileEncoder, StatisticsAreTheExtremesInPlainAndDictionary) {
  auto schema = arrow::schema({field("i", arrow::int32()), field("u", arrow::uint32()),
                               field("f", arrow::float64()), field("s", arrow::utf8()),
                               field("d", arrow::decimal128(30, 0)), field("b", arrow::boolean()),
                               field("nan", arrow::float32()), field("null", arrow::int64())});
  auto batch = FromJson(
      schema, {"[3, -5, null, 7]", "[1, 4294967295, 2, null]", "[null, 0.0, -0.0, 0.0]",
               R"(["b", "", "ab", "é"])", R"(["5", "-7", "0", null])", "[null, true, true, true]",
               "[NaN, NaN, null, NaN]", "[null, null, null, null]"});
  for (DictionaryUse use : {DictionaryUse::kOff, DictionaryUse::kOn}) {
    EncodeOptions options;
    options.profile = Profile::kArrow;
    options.dictionary.assign(schema->num_fields(), use);
    using Pair = std::pair<std::string, std::string>;
    EXPECT_EQ(BoundsOf(batch, 0, options), Pair(Bytes(int32_t{-5}), Bytes(int32_t{7})));
    EXPECT_EQ(BoundsOf(batch, 1, options), Pair(Bytes(uint32_t{1}), Bytes(uint32_t{4294967295})));
    EXPECT_EQ(BoundsOf(batch, 2, options), Pair(Bytes(-0.0), Bytes(0.0)));
    EXPECT_EQ(BoundsOf(batch, 3, options), Pair("", "é"));
    EXPECT_EQ(BoundsOf(batch, 4, options),
              Pair(std::string(12, '\xff') + '\xf9', std::string(12, '\0') + '\5'));
    EXPECT_EQ(BoundsOf(batch, 5, options), Pair("\1", "\1"));
    EXPECT_EQ(BoundsOf(batch, 6, options), Pair("none", "none"));
    EXPECT_EQ(BoundsOf(batch, 7, options), Pair("none", "none"));
    auto metadata = MetadataOf(Encode(schema, {batch}, options));
    EXPECT_EQ(metadata->RowGroup(0)->ColumnChunk(7)->encoded_statistics()->null_count, 4);
    options.statistics.assign(schema->num_fields(), false);
    EXPECT_EQ(BoundsOf(batch, 0, options), Pair("none", "none"));
  }
}

// To DuckDB and Spark NaN is larger than every number: bounds that leave it out, as the format has
// them, make both lose its row in "f > 2".
TEST(FileEncoder, AColumnChunkWithANaNHasNoBounds) {
  auto schema = arrow::schema({field("f", arrow::float64()), field("g", arrow::float32())});
  auto batch = FromJson(schema, {"[1.0, NaN, 2.0, 3.0]", "[NaN, 1.0, null, 2.0]"});
  for (DictionaryUse use : {DictionaryUse::kOff, DictionaryUse::kOn}) {
    EncodeOptions options;
    options.dictionary.assign(2, use);
    options.chunk_rows = 2;
    options.row_group_rows = 2;
    using Pair = std::pair<std::string, std::string>;
    for (int column : {0, 1}) {
      EXPECT_EQ(BoundsOf(batch, column, options), Pair("none", "none"));
      const auto metadata = MetadataOf(Encode(schema, {batch}, options));
      const auto second = metadata->RowGroup(1)->ColumnChunk(column);
      EXPECT_TRUE(second->encoded_statistics()->has_min) << "of each group";
    }
  }
}

// Spark looks for 0 in a dictionary by its bits, and would pass over a column chunk of -0.
TEST(FileEncoder, NegativeZeroIsInNoDictionary) {
  auto schema = arrow::schema({field("f", arrow::float64()), field("g", arrow::float32())});
  auto batch =
      FromJson(schema, {"[0.0, 1.0, 1.0, -0.0, 0.0, 0.0]", "[0.0, 1.0, 1.0, -0.0, 0.0, 0.0]"});
  EncodeOptions options;
  options.dictionary.assign(2, DictionaryUse::kOn);
  options.chunk_rows = 2;
  ExpectRoundTrip(batch, options);
  const auto metadata = MetadataOf(Encode(schema, {batch}, options));
  for (int column : {0, 1}) {
    const auto chunk = metadata->RowGroup(0)->ColumnChunk(column);
    std::map<parquet::Encoding::type, int> pages;
    for (const auto& stats : chunk->encoding_stats()) {
      if (stats.page_type == parquet::PageType::DATA_PAGE) pages[stats.encoding] += stats.count;
    }
    EXPECT_EQ(pages[parquet::Encoding::RLE_DICTIONARY], 1);
    EXPECT_EQ(pages[parquet::Encoding::PLAIN], 2) << "from the first -0 on";
  }
}

TEST(FileEncoder, StatisticsTooLongForAFooterAreLeftOut) {
  auto schema = arrow::schema({field("s", arrow::utf8())});
  const std::string a(300, 'a');
  EncodeOptions options;
  options.dictionary = {DictionaryUse::kOff};
  options.chunk_rows = 1;
  auto bounds = [&](const std::vector<std::string>& values) {
    arrow::StringBuilder builder;
    EXPECT_TRUE(builder.AppendValues(values).ok());
    return BoundsOf(arrow::RecordBatch::Make(schema, static_cast<int64_t>(values.size()),
                                             {builder.Finish().ValueOrDie()}),
                    0, options);
  };
  EXPECT_EQ(bounds({"b", a, "c"}).first, "none");
  EXPECT_EQ(bounds({a + "x", "Z", a + "y", "b"}),
            std::make_pair(std::string("Z"), std::string("b")));
}

TEST(FileEncoder, MemoryStaysNearOneChunkAndOneRowGroup) {
  arrow::ProxyMemoryPool pool(arrow::default_memory_pool());
  auto schema = arrow::schema({field("n", arrow::int64()), field("s", arrow::binary())});
  EncodeOptions options;
  options.codec = Codec::kNone;
  options.level = 0;
  options.chunk_bytes = 1 << 20;
  options.row_group_bytes = 4 << 20;
  EncodeEnvironment environment;
  environment.pool = &pool;
  struct Null final : arrow::io::OutputStream {
    int64_t at = 0;
    Status Close() override { return Status::OK(); }
    Result<int64_t> Tell() const override { return at; }
    bool closed() const override { return false; }
    Status Write(const void*, int64_t size) override {
      at += size;
      return Status::OK();
    }
    using arrow::io::OutputStream::Write;
  };
  auto encoder =
      FileEncoder::Make(*schema, options, kCreatedBy, std::make_shared<Null>(), environment)
          .ValueOrDie();
  arrow::BinaryBuilder cells;
  RandomRows random(5);
  std::string cell(1 << 20, '\0');
  for (int i = 0; i < 8; ++i) {
    for (size_t j = 0; j < cell.size(); j += 8) cell[j] = static_cast<char>(random.Below(256));
    ASSERT_TRUE(cells.Append(cell).ok());
  }
  arrow::Int64Builder numbers;
  ASSERT_TRUE(numbers.AppendValues({1, 2, 3, 4, 5, 6, 7, 8}).ok());
  auto batch = arrow::RecordBatch::Make(
      schema, 8, {numbers.Finish().ValueOrDie(), cells.Finish().ValueOrDie()});
  for (int i = 0; i < 8; ++i) ASSERT_TRUE(encoder->Write(*batch).ok());
  EXPECT_EQ(encoder->Close().ValueOrDie().rows, 64);
  EXPECT_LT(pool.max_memory(), 12 << 20);
  encoder.reset();
  EXPECT_EQ(pool.bytes_allocated(), 0);
}

TEST(FileEncoder, RefusesNullsInARequiredColumn) {
  auto schema = arrow::schema({field("n", arrow::int64(), false)});
  auto nested = arrow::schema({field("l", arrow::list(field("item", arrow::int64(), false)))});
  EncodeOptions options;
  options.profile = Profile::kArrow;
  for (const auto& batch : {FromJson(schema, {"[1, null]"}), FromJson(nested, {"[[1, null]]"})}) {
    auto sink = arrow::io::BufferOutputStream::Create().ValueOrDie();
    auto encoder =
        FileEncoder::Make(*batch->schema(), options, kCreatedBy, sink, Environment()).ValueOrDie();
    ASSERT_TRUE(encoder->Write(*batch).ok());
    auto closed = encoder->Close();
    EXPECT_EQ(CodeOf(closed.status()), FaultCode::kValueRefused);
    EXPECT_EQ(CodeOf(encoder->Close().status()), FaultCode::kInternal);
    EXPECT_EQ(CodeOf(encoder->Write(*batch).status()), FaultCode::kInternal);
  }
}

TEST(FileEncoder, RefusesDecimalsWiderThanTheirType) {
  for (const auto& type :
       {arrow::decimal128(5, 0), arrow::decimal128(15, 0), arrow::decimal128(30, 0),
        arrow::decimal256(5, 0), arrow::decimal256(30, 0)}) {
    for (DictionaryUse use : {DictionaryUse::kOff, DictionaryUse::kOn}) {
      auto schema = arrow::schema({field("d", type)});
      auto builder = arrow::MakeBuilder(type).ValueOrDie();
      const auto& decimal = static_cast<const arrow::DecimalType&>(*type);
      const std::string digits(decimal.precision() + 1, '9');
      if (type->id() == arrow::Type::DECIMAL128) {
        ASSERT_TRUE(static_cast<arrow::Decimal128Builder&>(*builder)
                        .Append(arrow::Decimal128(digits))
                        .ok());
      } else {
        ASSERT_TRUE(static_cast<arrow::Decimal256Builder&>(*builder)
                        .Append(arrow::Decimal256("-" + digits))
                        .ok());
      }
      EncodeOptions options;
      options.dictionary = {use};
      auto sink = arrow::io::BufferOutputStream::Create().ValueOrDie();
      auto encoder =
          FileEncoder::Make(*schema, options, kCreatedBy, sink, Environment()).ValueOrDie();
      auto batch = arrow::RecordBatch::Make(schema, 1, {builder->Finish().ValueOrDie()});
      ASSERT_TRUE(encoder->Write(*batch).ok());
      auto closed = encoder->Close();
      EXPECT_EQ(CodeOf(closed.status()), FaultCode::kValueRefused) << type->ToString();
      EXPECT_EQ(FaultOf(closed.status()).Detail("column"), "d");
    }
  }
}

TEST(FileEncoder, RefusesBatchesOfAnotherSchema) {
  auto schema = arrow::schema({field("n", arrow::int64())});
  auto sink = arrow::io::BufferOutputStream::Create().ValueOrDie();
  auto encoder =
      FileEncoder::Make(*schema, EncodeOptions{}, kCreatedBy, sink, Environment()).ValueOrDie();
  auto other = RandomRows(1).Batch(arrow::schema({field("n", arrow::int32())}), 3);
  auto wider = RandomRows(1).Batch(
      arrow::schema({field("n", arrow::int64()), field("m", arrow::int64())}), 3);
  EXPECT_THAT(encoder->Write(*other).status().ToString(), HasSubstr("expected int64, got int32"));
  EXPECT_FALSE(encoder->Write(*wider).ok());
  auto right = RandomRows(1).Batch(schema, 3);
  EXPECT_FALSE(encoder->Write(*right, 4).ok());
  EXPECT_EQ(encoder->Write(*right, 3).ValueOrDie(), 0);
  EXPECT_EQ(encoder->Write(*right, 1).ValueOrDie(), 2);
  EXPECT_EQ(encoder->Close().ValueOrDie().rows, 2);
}

TEST(FileEncoder, AHookRunsAfterEachRowGroupAndMayEndTheFile) {
  auto whole = RandomRows(24).Batch(SparkSchema(), 3000);
  int groups = 0;
  EncodeEnvironment environment = Environment();
  environment.on_row_group = [&] {
    return ++groups == 3 ? Status(Fault(FaultCode::kFailpoint, "enough")) : Status::OK();
  };
  auto sink = arrow::io::BufferOutputStream::Create().ValueOrDie();
  auto encoder =
      FileEncoder::Make(*SparkSchema(), SmallOptions(), kCreatedBy, sink, environment).ValueOrDie();
  EXPECT_EQ(CodeOf(encoder->Write(*whole).status()), FaultCode::kFailpoint);
  EXPECT_EQ(groups, 3);
  EXPECT_FALSE(encoder->Close().ok());
}

/// Fails once `room` bytes are written.
class FullDisk final : public arrow::io::OutputStream {
 public:
  explicit FullDisk(int64_t room) : room_(room) {}
  Status Close() override { return Status::OK(); }
  Result<int64_t> Tell() const override { return at_; }
  bool closed() const override { return false; }
  using arrow::io::OutputStream::Write;
  Status Write(const void*, int64_t size) override {
    if (at_ + size > room_) return Fault(FaultCode::kDiskFull, "no space left");
    at_ += size;
    return Status::OK();
  }

 private:
  const int64_t room_;
  int64_t at_ = 0;
};

TEST(FileEncoder, TheSinksFaultsArriveUnchanged) {
  auto whole = RandomRows(25).Batch(SparkSchema(), 1500);
  const int64_t size = Encode(SparkSchema(), {whole}, SmallOptions())->size();
  for (int64_t room = 0; room < size; room += 997) {
    auto made = FileEncoder::Make(*SparkSchema(), SmallOptions(), kCreatedBy,
                                  std::make_shared<FullDisk>(room), Environment());
    Status status = made.status();
    if (made.ok()) status = (*made)->Write(*whole).status();
    if (status.ok()) status = (*made)->Close().status();
    EXPECT_EQ(CodeOf(status), FaultCode::kDiskFull) << room << " " << status;
  }
}

TEST(FileEncoder, AFileThatIsNotClosedHasNoFooter) {
  auto whole = RandomRows(26).Batch(SparkSchema(), 1500);
  auto sink = arrow::io::BufferOutputStream::Create().ValueOrDie();
  auto encoder = FileEncoder::Make(*SparkSchema(), SmallOptions(), kCreatedBy, sink, Environment())
                     .ValueOrDie();
  ASSERT_TRUE(encoder->Write(*whole).ok());
  EXPECT_EQ(encoder->summary().row_groups, 2);
  encoder.reset();
  auto footer = ReadFooter(std::make_shared<arrow::io::BufferReader>(sink->Finish().ValueOrDie()),
                           arrow::default_memory_pool());
  EXPECT_EQ(CodeOf(footer.status()), FaultCode::kReadbackMismatch);
}

TEST(FileEncoder, RefusesASinkThatIsNotAtItsBeginning) {
  auto sink = arrow::io::BufferOutputStream::Create().ValueOrDie();
  ASSERT_TRUE(sink->Write("x", 1).ok());
  EXPECT_FALSE(
      FileEncoder::Make(*SparkSchema(), EncodeOptions{}, kCreatedBy, sink, Environment()).ok());
}

}  // namespace
}  // namespace levada::parquet_format
