#pragma once
// Column: one column of a generated table. A value depends on the seed, the column's name and the
// row number alone, so that any range of rows can be made by itself.

#include <arrow/array.h>
#include <arrow/type.h>

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>

#include "base/fault.h"
#include "connectors/generate/rise.h"

namespace levada::generate {

/// As many different values as rows.
inline constexpr double kAllDistinct = std::numeric_limits<double>::infinity();

/// What is known of a column without making it.
struct ColumnShape {
  std::shared_ptr<arrow::Field> field;
  double value_bytes = 0;          ///< of an average value that is not NULL
  int64_t row_bytes_max = 0;       ///< of the longest row in a batch: value, offset, validity
  double distinct = kAllDistinct;  ///< different values that it can have
  double null_fraction = 0;
  std::optional<Rise> rise;  ///< of times that grow with the row number; of a date the time of day
                             ///< is in it too
};

/// Immutable and thread-safe.
class Column {
 public:
  virtual ~Column() = default;
  virtual const ColumnShape& shape() const = 0;
  /// `rows` rows from `first_row` on.
  virtual Result<std::shared_ptr<arrow::Array>> Make(int64_t first_row, int64_t rows,
                                                     arrow::MemoryPool* pool) const = 0;
};

}  // namespace levada::generate
