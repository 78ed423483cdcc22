#pragma once
// What `levada plan` prints: a Prepared for people and for programs.

#include <string>

#include "app/table.h"
#include "elt/plan.h"
#include "elt/runner.h"

namespace levada::app {

/// Runs and partitions shown one by one; of more the first ones are.
inline constexpr size_t kPlanRowsMax = 30;

/// Sections: source and targets, columns, runs, partitions and query, memory, notes.
std::string PlanText(const elt::Plan& plan, const elt::Prepared& prepared, const TableStyle& style);
/// Columns alone, as `levada schema` shows them.
std::string ColumnsText(const elt::Prepared& prepared, const TableStyle& style);

/// One JSON object: pipeline, plan_hash, pending, source, targets, columns, runs, partitions,
/// memory, notes.
std::string PlanJson(const elt::Plan& plan, const elt::Prepared& prepared);
/// One JSON object: pipeline, source, targets, columns.
std::string ColumnsJson(const elt::Plan& plan, const elt::Prepared& prepared);

/// "run", "go on", "replace", "skip", "refused"
std::string_view NameOf(elt::Decision decision);

}  // namespace levada::app
