#pragma once
// GeneratedTable: the rows of one generate stage, from the first to the last.

#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/context.h"
#include "connectors/generate/column.h"

namespace levada::generate {

/// Most rows of a table: the times of the presets still have years of four digits.
inline constexpr int64_t kRowsMax = 50'000'000'000;

/// Immutable and thread-safe.
class GeneratedTable final {
 public:
  /// `name`: of a preset, empty for columns of the user's own. 0 to kRowsMax rows, at least one
  /// column.
  GeneratedTable(std::string name, int64_t rows, uint64_t seed,
                 std::vector<std::unique_ptr<const Column>> columns);

  const std::string& name() const { return name_; }
  int64_t rows() const { return rows_; }
  uint64_t seed() const { return seed_; }
  const std::vector<std::unique_ptr<const Column>>& columns() const { return columns_; }
  const std::shared_ptr<arrow::Schema>& schema() const { return schema_; }
  /// What that many rows have about, as values.
  int64_t EstimatedBytes(int64_t rows) const;
  /// The longest row, in a batch.
  int64_t row_bytes_max() const { return row_bytes_max_; }

  /// `rows` rows from `first_row` on, at least one. Ends early with ctx's stop.
  Result<std::shared_ptr<arrow::RecordBatch>> Make(const Context& ctx, int64_t first_row,
                                                   int64_t rows) const;

 private:
  const std::string name_;
  const int64_t rows_;
  const uint64_t seed_;
  const std::vector<std::unique_ptr<const Column>> columns_;
  std::shared_ptr<arrow::Schema> schema_;
  double row_bytes_ = 0;
  int64_t row_bytes_max_ = 0;
};

}  // namespace levada::generate
