#pragma once
// A RunReport as a person reads it at the end of `levada run`.

#include <string>
#include <string_view>

#include "app/table.h"
#include "elt/plan.h"
#include "elt/report.h"
#include "elt/runner.h"

namespace levada::app {

/// Windows shown one by one; of more only the failed and the last ones are.
inline constexpr size_t kWindowsShownMax = 12;

/// The runs in a table, then the sum of everything, where it is, and what was given up. `run_word`
/// as Plan has it.
std::string SummaryText(const elt::RunReport& report, std::string_view run_word,
                        const std::string& report_path, const TableStyle& style);

/// " older than the lag" of increments that keep away from the newest rows, or empty.
std::string BeyondLagText(const elt::Plan& plan, const elt::Prepared& prepared);
/// One line for a pipeline of which everything is published.
std::string NothingToDoText(const elt::Plan& plan, const elt::Prepared& prepared, bool only_begun);

}  // namespace levada::app
