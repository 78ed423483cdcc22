// Any bytes as a Parquet file: footer, schema, then all rows, with and without an expected schema.

#include <arrow/buffer.h>
#include <arrow/io/memory.h>
#include <arrow/memory_pool.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "formats/parquet/file_reader.h"
#include "formats/parquet/schema_tree_reader.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using arrow::field;
  using levada::parquet_format::OpenReader;
  static const auto schema = arrow::schema(
      {field("id", arrow::int64(), false), field("word", arrow::large_utf8()),
       field("price", arrow::decimal64(12, 2)), field("tags", arrow::list(arrow::utf8())),
       field("at", arrow::timestamp(arrow::TimeUnit::MICRO, "Asia/Tokyo")),
       field("ok", arrow::boolean())});
  constexpr int kBatchesMax = 100;  // a footer of a few bytes can promise billions of empty rows
  arrow::CappedMemoryPool pool(arrow::system_memory_pool(), 256 << 20);
  auto file = std::make_shared<arrow::io::BufferReader>(
      std::make_shared<arrow::Buffer>(data, static_cast<int64_t>(size)));
  (void)levada::parquet_format::ReadFooter(file, &pool);
  if (const auto tree = levada::parquet_format::ReadSchemaTree(file, &pool); tree.ok()) {
    (void)levada::parquet_format::ToText(*tree);
  }
  for (const auto& expected : {schema, std::shared_ptr<arrow::Schema>()}) {
    auto reader = OpenReader(file, expected, {}, &pool);
    if (!reader.ok()) continue;
    for (int i = 0; i < kBatchesMax; ++i) {
      auto batch = (*reader)->Next();
      if (!batch.ok() || *batch == nullptr) break;
    }
  }
  return 0;
}
