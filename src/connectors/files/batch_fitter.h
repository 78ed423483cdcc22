#pragma once
// BatchFitter: the batches of one file as batches of the table: its columns cast, what it lacks
// NULL, what directories and names say added.

#include <arrow/record_batch.h>

#include <memory>
#include <string>
#include <vector>

#include "base/context.h"
#include "connectors/files/bounds.h"
#include "connectors/files/table.h"
#include "conversions/column_cast.h"

namespace levada::files {

class BatchFitter {
 public:
  /// `file_schema` of the file at `path`; null of JSON lines. kSchemaDrift where its columns are
  /// not those of the table and the options do not allow it. Faults have the file's name.
  static Result<BatchFitter> Make(const ConsumerOptions& options, const Table& table,
                                  const elt::SchemaPtr& file_schema, const PartitionBounds& bounds,
                                  const std::string& path, arrow::MemoryPool* pool);

  /// The columns to read of the file, in the order in which Fit wants them.
  const arrow::FieldVector& read() const { return read_; }

  /// `batch` with the columns read(), whose first row is number `row` of the file, from 1.
  Result<elt::BatchPtr> Fit(const Context& ctx, const arrow::RecordBatch& batch, int64_t row) const;

 private:
  struct Column {
    int read = -1;                            ///< index in read(); -1: `constant`
    bool is_inferred = false;                 ///< from a sample of texts
    std::shared_ptr<arrow::Scalar> constant;  ///< of every row
  };
  Result<std::shared_ptr<arrow::Array>> FitColumn(const Context& ctx,
                                                  std::shared_ptr<arrow::Array> values,
                                                  const arrow::Field& field, int64_t row,
                                                  bool is_inferred) const;

  std::string path_;
  elt::SchemaPtr schema_;
  arrow::FieldVector read_;
  std::vector<Column> columns_;
};

}  // namespace levada::files
