// Any bytes as a schema's text, and as the row metadata of a file: inferred, merged with a schema
// of ours and read under it, both ways.

#include <cstdint>
#include <string>

#include "readers/compare.h"
#include "readers/spark.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using levada::parquet_format::SchemaTree;
  namespace readers = levada::readers;
  static const SchemaTree ours =
      levada::parquet_format::ParseSchemaText(
          "message m { optional int32 a; optional group b (LIST) { repeated group list { optional "
          "int64 element (DECIMAL(18,2)); } } optional group c { optional binary x (STRING); } }")
          .ValueOrDie();
  const std::string text(reinterpret_cast<const char*>(data), size);
  SchemaTree theirs = ours;
  theirs.spark_row_metadata = text;
  const auto parsed = levada::parquet_format::ParseSchemaText(text);
  for (const auto reader : {readers::Reader::kSpark3, readers::Reader::kSpark4,
                            readers::Reader::kHive, readers::Reader::kIcebergReady}) {
    (void)readers::CompareSchemas(ours, theirs, reader);
    (void)readers::CompareSchemas(theirs, ours, reader);
    if (!parsed.ok()) continue;
    (void)readers::CompareSchemas(ours, *parsed, reader);
    (void)readers::CompareSchemas(*parsed, ours, reader);
  }
  return 0;
}
