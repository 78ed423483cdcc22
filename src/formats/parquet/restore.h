#pragma once
// From the types Arrow reads out of a Parquet file to those the file was written from. Internal.

#include <arrow/array/data.h>

#include <memory>
#include <string>

#include "base/fault.h"

namespace levada::parquet_format {

/// `data` as `type`. Only differences that Parquet cannot keep are bridged: 32- and 64-bit offsets,
/// the width of a decimal, the name of a time zone, names inside lists and maps. Anything else is
/// kReadbackMismatch for column `path`.
Result<std::shared_ptr<arrow::ArrayData>> RestoreType(const std::shared_ptr<arrow::ArrayData>& data,
                                                      const std::shared_ptr<arrow::DataType>& type,
                                                      const std::string& path,
                                                      arrow::MemoryPool* pool);

}  // namespace levada::parquet_format
