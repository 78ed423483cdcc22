// Chunks and row groups that their owner ends: what a loader with many files side by side needs.

#include <gtest/gtest.h>

#include <algorithm>

#include "formats/parquet/random_rows.h"
#include "formats/parquet/testing.h"

namespace levada::parquet_format {
namespace {

using arrow::field;

EncodeOptions SmallOptions() {
  EncodeOptions options;
  options.chunk_rows = 100;
  options.row_group_rows = 700;
  options.dictionary_bytes = 2 * 1024;
  return options;
}

SchemaPtr FlatSchema() {
  return arrow::schema({field("flag", arrow::boolean()), field("number", arrow::int32()),
                        field("big", arrow::int64()), field("real", arrow::float64()),
                        field("word", arrow::utf8()), field("d15", arrow::decimal128(15, 2)),
                        field("d38", arrow::decimal128(38, 10))});
}

SchemaPtr NestedSchema() {
  const auto point = arrow::struct_({field("x", arrow::int32()), field("y", arrow::utf8())});
  return arrow::schema({field("numbers", arrow::list(arrow::int32())),
                        field("points", arrow::list(point)),
                        field("map", arrow::map(arrow::utf8(), arrow::float64()))});
}

/// Ends a chunk after every 130 rows and a row group after every fourth of them.
std::shared_ptr<arrow::Buffer> EncodeWithPauses(const BatchPtr& rows, int64_t batch_rows,
                                                const EncodeOptions& options) {
  auto sink = arrow::io::BufferOutputStream::Create().ValueOrDie();
  auto encoder =
      FileEncoder::Make(*rows->schema(), options, kCreatedBy, sink, Environment()).ValueOrDie();
  for (int64_t at = 0; at < rows->num_rows();) {
    const int64_t next = std::min({rows->num_rows(), at + batch_rows, (at / 130 + 1) * 130});
    EXPECT_TRUE(encoder->Write(*rows->Slice(at, next - at)).ok());
    at = next;
    EXPECT_TRUE(at % 130 != 0 || encoder->EndChunk().ok());
    EXPECT_TRUE(at % 520 != 0 || encoder->EndRowGroup().ok());
  }
  EXPECT_TRUE(encoder->Close().ok());
  return sink->Finish().ValueOrDie();
}

TEST(FileEncoderPauses, ChunksAndRowGroupsThatAreEndedEarlyHoldTheSameRows) {
  for (const auto& schema : {FlatSchema(), NestedSchema()}) {
    const auto rows = RandomRows(31).Batch(schema, 1'500);
    const auto file = EncodeWithPauses(rows, 1'500, SmallOptions());
    EXPECT_TRUE(file->Equals(*EncodeWithPauses(rows, 7, SmallOptions())));
    const auto metadata = MetadataOf(file);
    ASSERT_EQ(metadata->num_row_groups(), 3);
    EXPECT_EQ(metadata->RowGroup(0)->num_rows(), 520);
    EXPECT_EQ(metadata->RowGroup(2)->num_rows(), 460);
    const auto expected = arrow::Table::FromRecordBatches({rows}).ValueOrDie();
    EXPECT_TRUE(
        ReadBack(file, schema)
            ->Equals(*expected,
                     arrow::EqualOptions::Defaults().nans_equal(true).signed_zeros_equal(false)));
  }
}

TEST(FileEncoderPauses, HoldsNothingBetweenRowGroups) {
  arrow::ProxyMemoryPool pool(arrow::default_memory_pool());
  EncodeEnvironment environment;
  environment.pool = &pool;
  EncodeOptions options;
  auto sink = arrow::io::BufferOutputStream::Create().ValueOrDie();
  auto encoder =
      FileEncoder::Make(*FlatSchema(), options, kCreatedBy, sink, environment).ValueOrDie();
  EXPECT_EQ(encoder->held_bytes(), 0);
  auto rows = RandomRows(32).Batch(FlatSchema(), 2'000);
  ASSERT_TRUE(encoder->Write(*rows).ok());
  const std::weak_ptr<arrow::Buffer> cells = rows->column_data(0)->buffers[1];
  rows.reset();
  EXPECT_FALSE(cells.expired());
  ASSERT_TRUE(encoder->EndChunk().ok());
  EXPECT_TRUE(cells.expired()) << "no batch is kept after the chunk";
  EXPECT_EQ(sink->Tell().ValueOrDie(), 0) << "nothing is written before its row group is";
  EXPECT_GT(encoder->held_bytes(), pool.bytes_allocated());
  EXPECT_LT(encoder->held_bytes(), 3 * pool.bytes_allocated());
  EXPECT_FALSE(encoder->ShouldRoll());

  ASSERT_TRUE(encoder->EndRowGroup().ok());
  EXPECT_EQ(pool.bytes_allocated(), 0);
  EXPECT_EQ(encoder->held_bytes(), 0);
  EXPECT_EQ(encoder->summary().rows, 2'000);
  ASSERT_TRUE(encoder->EndRowGroup().ok()) << "there is none to end";
  EXPECT_EQ(encoder->summary().row_groups, 1);
}

TEST(FileEncoderPauses, RollsAfterARowGroupThatWasEndedEarly) {
  EncodeOptions options;
  options.file_column_chunks = 3 * FlatSchema()->num_fields();
  auto sink = arrow::io::BufferOutputStream::Create().ValueOrDie();
  auto encoder =
      FileEncoder::Make(*FlatSchema(), options, kCreatedBy, sink, Environment()).ValueOrDie();
  const auto rows = RandomRows(33).Batch(FlatSchema(), 10);
  for (int group = 0; group < 3; ++group) {
    EXPECT_FALSE(encoder->ShouldRoll());
    EXPECT_EQ(encoder->Write(*rows).ValueOrDie(), 10);
    ASSERT_TRUE(encoder->EndRowGroup().ok());
  }
  EXPECT_TRUE(encoder->ShouldRoll());
  EXPECT_EQ(encoder->Write(*rows).ValueOrDie(), 0);
  EXPECT_EQ(encoder->Close().ValueOrDie().rows, 30);
  EXPECT_EQ(CodeOf(encoder->EndChunk()), FaultCode::kInternal);
  EXPECT_EQ(CodeOf(encoder->EndRowGroup()), FaultCode::kInternal);
}

TEST(FileEncoderPauses, ADictionaryThatDidNotPayIsNotTriedAfterAPause) {
  const auto schema = arrow::schema({field("n", arrow::int64())});
  EncodeOptions options;
  auto rows_of = [&](auto value) {
    arrow::Int64Builder numbers;
    for (int64_t i = 0; i < 5'000; ++i) (void)numbers.Append(value(i));
    return arrow::RecordBatch::Make(schema, 5'000, {numbers.Finish().ValueOrDie()});
  };
  RandomRows random(34);
  auto sink = arrow::io::BufferOutputStream::Create().ValueOrDie();
  auto encoder = FileEncoder::Make(*schema, options, kCreatedBy, sink, Environment()).ValueOrDie();
  ASSERT_TRUE(encoder->Write(*rows_of([&](int64_t) { return random.Below(1 << 30); })).ok());
  ASSERT_TRUE(encoder->EndRowGroup().ok());
  ASSERT_TRUE(encoder->Write(*rows_of([](int64_t i) { return i % 3 * 1'000'000'007; })).ok());
  ASSERT_TRUE(encoder->Close().ok());
  const auto metadata = MetadataOf(sink->Finish().ValueOrDie());
  for (int group = 0; group < 2; ++group) {
    EXPECT_FALSE(metadata->RowGroup(group)->ColumnChunk(0)->has_dictionary_page()) << group;
  }
}

}  // namespace
}  // namespace levada::parquet_format
