#pragma once
// ColumnWriter: one column's values to fields of the stream. Made once per column by its type.

#include <arrow/array.h>
#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>

#include "formats/pgcopy/encoder.h"
#include "formats/pgcopy/types.h"

namespace levada::pgcopy {

class ColumnWriter {
 public:
  virtual ~ColumnWriter() = default;
  /// The values that Write is about from now on. Precondition: of the type that it was made for.
  virtual void Take(const arrow::Array& values) = 0;
  /// Value `row`, which is not NULL.
  virtual Status Write(int64_t row, Encoder& out) const = 0;
  /// Whether it is, also through a dictionary.
  virtual bool IsNull(int64_t row) const = 0;
};

/// What a scalar type is in PostgreSQL.
struct ScalarType {
  std::string sql;
  uint32_t oid = 0;
  ColumnType column;
};
/// kUnsupportedType, with a help; also for lists.
Result<ScalarType> ScalarTypeOf(const arrow::DataType& type);

/// The type of a list's items; nullptr of any other type.
std::shared_ptr<arrow::DataType> ItemTypeOf(const arrow::DataType& type);

/// kUnsupportedType, with a help.
Result<std::unique_ptr<ColumnWriter>> MakeColumnWriter(const arrow::DataType& type);

}  // namespace levada::pgcopy
