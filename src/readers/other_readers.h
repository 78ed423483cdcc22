#pragma once
// Readers whose rules are taken from their documents: Hive, DuckDB, and Iceberg, which may adopt
// files as they are. Internal.

#include "formats/parquet/schema_tree.h"
#include "readers/compare.h"

namespace levada::readers {

Verdict CompareForOther(const parquet_format::SchemaTree& there,
                        const parquet_format::SchemaTree& candidate, Reader reader);

}  // namespace levada::readers
