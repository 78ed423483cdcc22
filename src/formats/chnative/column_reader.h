#pragma once
// ColumnReader: the values of one column of a block, as they come, into an Arrow array. Made once
// for a type and used for every block. Private to the folder, as column_input.h.

#include <arrow/array/array_base.h>

#include <memory>

#include "formats/chnative/column_input.h"
#include "formats/chnative/type.h"

namespace levada::chnative {

class ColumnReader {
 public:
  virtual ~ColumnReader() = default;
  /// What stands once before the values of a column, in the order of its parts.
  virtual Status ReadPrefix(ColumnInput&) { return Status::OK(); }
  /// `rows` values; none are no bytes. Where one of `nulls` (as many bytes, or nullptr) is not 0 a
  /// NULL will stand for it, and whatever it is it is no error: ClickHouse writes zeros there,
  /// which an Enum need not have.
  virtual Result<std::shared_ptr<arrow::Array>> Read(ColumnInput& in, int64_t rows,
                                                     const uint8_t* nulls) = 0;
};

/// A reader for every type that ParseType gives.
std::unique_ptr<ColumnReader> MakeColumnReader(const Type& type, const TypeOptions& options);

// One file each; for MakeColumnReader.
std::unique_ptr<ColumnReader> MakeNumberReader(const Type& type, const TypeOptions& options);
std::unique_ptr<ColumnReader> MakeTextReader(const Type& type, const TypeOptions& options);
std::unique_ptr<ColumnReader> MakeNestedReader(const Type& type, const TypeOptions& options);

}  // namespace levada::chnative
