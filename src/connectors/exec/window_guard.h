#pragma once
// WindowGuard: holds rows of a program against the window they were asked for. A program that
// ignores its window would otherwise publish all of its rows again in each of them.

#include <arrow/record_batch.h>

#include <optional>

#include "elt/local_range.h"
#include "elt/run.h"

namespace levada::exec {

class WindowGuard final {
 public:
  /// For the rows of `run`, of this schema; it lets everything pass where there is no window.
  /// kUnknownColumn when the window's column is not among them.
  static Result<WindowGuard> Make(const elt::RunInstance& run, const arrow::Schema& schema);

  /// kNullInWindow for a NULL that does not belong to the window, kValueRefused for a time outside
  /// of it. Times are looked at in columns of dates and timestamps.
  Status Check(const arrow::RecordBatch& batch) const;

 private:
  WindowGuard() = default;
  Status Refuse(int64_t row) const;

  elt::RunInstance run_;
  int column_ = -1;  ///< none: no window
  elt::LocalRange local_;
};

}  // namespace levada::exec
