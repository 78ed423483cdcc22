#pragma once
// WindowFilter: the rows of a batch that belong to one window. Files have no index: each run reads
// all of them and keeps its own rows.

#include <arrow/record_batch.h>

#include <memory>
#include <vector>

#include "elt/local_range.h"
#include "elt/run.h"
#include "elt/stages.h"

namespace levada::files {

class WindowFilter {
 public:
  /// Keeps all rows of a run without a window. kUnknownColumn; kBadWindow for a column that is no
  /// date or timestamp, and for hours on a date.
  static Result<WindowFilter> Make(const elt::RunInstance& run, const arrow::Schema& schema);

  bool is_all() const { return column_ < 0; }
  /// The rows of `batch` that are of the window, in order. kNullInWindow, with the row of the batch
  /// from 1 as detail "row_of_batch".
  Result<elt::BatchPtr> Apply(const elt::BatchPtr& batch, arrow::MemoryPool* pool) const;
  /// "at in [2026-01-01, 2026-01-02)"; empty without a window.
  std::string Meaning() const;

 private:
  int column_ = -1;
  elt::NullWindow nulls_ = elt::NullWindow::kError;
  int64_t per_second_ = 0;  ///< units of a timestamp; 0: days
  int64_t from_ = 0;        ///< microseconds
  int64_t to_ = 0;
  std::string name_;
};

}  // namespace levada::files
