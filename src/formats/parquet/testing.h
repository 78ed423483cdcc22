#pragma once
// What the tests of this folder share: files in memory, written by FileEncoder and read back. For
// *_test.cc only.

#include <arrow/io/memory.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <gtest/gtest.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>

#include <memory>
#include <utility>

#include "formats/parquet/file_encoder.h"
#include "formats/parquet/file_reader.h"

namespace levada::parquet_format {

using BatchPtr = std::shared_ptr<arrow::RecordBatch>;
using SchemaPtr = std::shared_ptr<arrow::Schema>;

inline constexpr char kCreatedBy[] = "levada version 0.0.0-test";

inline EncodeEnvironment Environment() {
  EncodeEnvironment environment;
  environment.pool = arrow::default_memory_pool();
  return environment;
}

/// The whole file, closed.
inline std::shared_ptr<arrow::Buffer> Encode(const SchemaPtr& schema,
                                             const arrow::RecordBatchVector& batches,
                                             const EncodeOptions& options,
                                             EncodeEnvironment environment = Environment()) {
  auto sink = arrow::io::BufferOutputStream::Create().ValueOrDie();
  auto encoder =
      FileEncoder::Make(*schema, options, kCreatedBy, sink, std::move(environment)).ValueOrDie();
  for (const auto& batch : batches)
    EXPECT_EQ(encoder->Write(*batch).ValueOrDie(), batch->num_rows());
  auto summary = encoder->Close().ValueOrDie();
  auto buffer = sink->Finish().ValueOrDie();
  EXPECT_EQ(summary.bytes, buffer->size());
  return buffer;
}

inline std::shared_ptr<arrow::Table> ReadBack(const std::shared_ptr<arrow::Buffer>& file,
                                              const SchemaPtr& schema) {
  auto reader = OpenReader(std::make_shared<arrow::io::BufferReader>(file), schema, ReadOptions{},
                           arrow::default_memory_pool())
                    .ValueOrDie();
  auto table = reader->ToTable();
  EXPECT_TRUE(table.ok()) << table.status();
  return table.ValueOrDie();
}

inline void ExpectRoundTrip(const BatchPtr& batch, const EncodeOptions& options) {
  auto file = Encode(batch->schema(), {batch}, options);
  auto table = ReadBack(file, batch->schema());
  auto expected = arrow::Table::FromRecordBatches({batch}).ValueOrDie();
  ASSERT_TRUE(table->ValidateFull().ok());
  EXPECT_TRUE(table->schema()->Equals(*batch->schema()));
  EXPECT_TRUE(table->Equals(
      *expected, arrow::EqualOptions::Defaults().nans_equal(true).signed_zeros_equal(false)))
      << batch->schema()->ToString();
}

inline std::shared_ptr<parquet::FileMetaData> MetadataOf(
    const std::shared_ptr<arrow::Buffer>& file) {
  return parquet::ParquetFileReader::Open(std::make_shared<arrow::io::BufferReader>(file))
      ->metadata();
}

}  // namespace levada::parquet_format
