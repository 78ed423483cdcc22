#pragma once
// The rows of one window.

#include <string>

#include "connectors/generate/generated_table.h"
#include "connectors/generate/row_range.h"
#include "elt/run.h"

namespace levada::generate {

struct WindowRows {
  RowRange range;
  std::string meaning;  ///< "created_at in [2026-01-01, 2026-01-02) UTC"; empty without a window
};

/// The rows of `run`: all of the table without a window. The window's column must be of times that
/// rise with the row number. Errors: kUnknownColumn; kImpossiblePlan for any other column;
/// kBadWindow for hours on a date.
Result<WindowRows> RowsOf(const elt::RunInstance& run, const GeneratedTable& table);

}  // namespace levada::generate
