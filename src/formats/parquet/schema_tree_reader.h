#pragma once
// From a file to its SchemaTree. The file is untrusted: whatever its bytes say, the answer is a
// Fault.

#include <arrow/io/type_fwd.h>
#include <arrow/type_fwd.h>

#include <memory>

#include "base/fault.h"
#include "formats/parquet/encode_options.h"
#include "formats/parquet/schema_tree.h"

namespace levada::parquet_format {

/// kSourceFileMalformed for a file that is no Parquet file, whose schema is deeper or larger than
/// the limits of SchemaTree, or whose annotations do not fit their types; kTargetIo, or the file's
/// own fault, where reading failed. Reads the footer and nothing else.
Result<SchemaTree> ReadSchemaTree(std::shared_ptr<arrow::io::RandomAccessFile> file,
                                  arrow::MemoryPool* pool);

/// What FileEncoder would write for `schema`. What CheckSchema refuses is refused here too.
Result<SchemaTree> SchemaTreeOf(const arrow::Schema& schema, Profile profile);

}  // namespace levada::parquet_format
