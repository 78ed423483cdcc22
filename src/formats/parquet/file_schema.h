#pragma once
// What a schema becomes in a Parquet file, and which schemas a profile's reader refuses. Asked at
// plan time, so that every problem of every column is known before a byte is read; the encoder asks
// again.

#include <arrow/type_fwd.h>

#include <string>
#include <vector>

#include "base/fault.h"
#include "formats/parquet/encode_options.h"

namespace levada::parquet_format {

/// OK, or the first problem: kBadColumnName, kDuplicateColumn (Spark profiles: also names equal but
/// for the case of ASCII letters), kUnsupportedType with the cast that helps in the fault's help,
/// kImpossiblePlan for no columns. Details: column.
Status CheckSchema(const arrow::Schema& schema, Profile profile);

/// The leaf columns in depth-first order, the order of EncodeOptions::dictionary and of ColumnHint:
/// "id", "tags.element", "attributes.key_value.key". Precondition: CheckSchema is OK.
std::vector<std::string> LeafPaths(const arrow::Schema& schema);

/// The Parquet schema as text, one line per node, for `levada plan` and `levada schema`.
Result<std::string> DescribeFileSchema(const arrow::Schema& schema, Profile profile);

}  // namespace levada::parquet_format
