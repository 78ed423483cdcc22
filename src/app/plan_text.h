#pragma once
// What `levada plan` prints: a Prepared for people and for programs.

#include <string>
#include <vector>

#include "app/table.h"
#include "elt/plan.h"
#include "elt/runner.h"

namespace levada::app {

/// Runs and partitions shown one by one; of more the first ones are.
inline constexpr size_t kPlanRowsMax = 30;

/// Files named that a replacing run removes.
inline constexpr size_t kReplacedShownMax = 5;

/// What a replacing run will take the place of, in all targets.
struct ReplacedRun {
  std::string label;
  int64_t files = 0;
  int64_t bytes = 0;
  std::vector<std::string> paths;  ///< below the target; empty where a replacement was begun
};
std::vector<ReplacedRun> ReplacedRuns(const elt::Prepared& prepared);

/// Sections: source and targets, columns, runs, partitions and query, memory, notes; then whether
/// there is something to do.
std::string PlanText(const elt::Plan& plan, const elt::Prepared& prepared, const TableStyle& style);
/// Columns alone, as `levada schema` shows them.
std::string ColumnsText(const elt::Plan& plan, const elt::Prepared& prepared,
                        const TableStyle& style);

/// One JSON object: levada_plan (its version), pipeline, plan_hash, pending, source, targets,
/// columns, runs, partitions, memory, notes, warnings.
std::string PlanJson(const elt::Plan& plan, const elt::Prepared& prepared);
/// One JSON object: levada_schema (its version), pipeline, source, targets, columns.
std::string ColumnsJson(const elt::Plan& plan, const elt::Prepared& prepared);

/// "run", "go on", "replace", "skip", "refused"
std::string_view NameOf(elt::Decision decision);

}  // namespace levada::app
