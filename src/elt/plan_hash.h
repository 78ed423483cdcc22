#pragma once
// The plan hash: equal for two pipeline files that write the same rows and files.

#include <string>

#include "elt/plan.h"

namespace levada::elt {

/// Raised whenever the same options come to mean other output: then published runs of the older
/// meaning are not taken for ours.
inline constexpr int kPlanSemantics = 1;

/// What is hashed, as JSON with sorted keys: the name, how windows are cut (not which of them run),
/// the partition size, and the kinds and options of all stages in their order. Left out: runtime
/// options, secrets (references to them and URLs without their password stay in), `mode: once`,
/// `start`, `end`, `delay`, `lag`, `lookback`, and everything that says how fast or how carefully a
/// run goes.
std::string CanonicalPlan(const Plan& plan);

/// 16 lower-case hex digits: XXH3-64 of CanonicalPlan.
std::string PlanHash(const Plan& plan);

}  // namespace levada::elt
