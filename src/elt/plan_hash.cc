#include "elt/plan_hash.h"

#include <xxhash.h>

#include <cstdio>

#include "base/json.h"

namespace levada::elt {
namespace {

std::string CanonicalStage(const StagePlan& stage) {
  return "{" + QuoteJson(stage.kind) + ":" + stage.options.Canonical() + "}";
}

std::string CanonicalStages(const std::vector<StagePlan>& stages) {
  std::string text = "[";
  for (const StagePlan& stage : stages) {
    if (text.size() > 1) text += ",";
    text += CanonicalStage(stage);
  }
  return text + "]";
}

std::string_view NameOf(Every every) {
  switch (every) {
    case Every::kMonth:
      return "month";
    case Every::kDay:
      return "day";
    case Every::kHour:
      break;
  }
  return "hour";
}

std::string CanonicalWindow(const WindowSpec& window) {
  return "{\"column\":" + QuoteJson(window.column) + ",\"every\":\"" +
         std::string(NameOf(window.every)) + "\",\"null\":" + QuoteJson(window.null_window) +
         ",\"timezone\":" + QuoteJson(window.timezone) + "}";
}

/// Nothing without increments, so that the hashes of all other pipelines stay.
std::string CanonicalIncrement(const Plan& plan) {
  if (!plan.increment) return {};
  return "\"increment\":{\"column\":" + QuoteJson(plan.increment->column) +
         ",\"timezone\":" + QuoteJson(plan.increment->timezone) + "},";
}

}  // namespace

std::string CanonicalPlan(const Plan& plan) {
  return "{\"consumer\":" + CanonicalStage(plan.consumer) + "," + CanonicalIncrement(plan) +
         "\"loaders\":" + CanonicalStages(plan.loaders) + ",\"name\":" + QuoteJson(plan.name) +
         ",\"partition_bytes\":" + std::to_string(plan.partition_bytes) +
         ",\"semantics\":" + std::to_string(kPlanSemantics) +
         ",\"transformers\":" + CanonicalStages(plan.transformers) +
         ",\"window\":" + (plan.window ? CanonicalWindow(*plan.window) : "null") + "}";
}

std::string PlanHash(const Plan& plan) {
  const std::string canonical = CanonicalPlan(plan);
  char text[17];
  std::snprintf(text, sizeof(text), "%016llx",
                static_cast<unsigned long long>(XXH3_64bits(canonical.data(), canonical.size())));
  return text;
}

}  // namespace levada::elt
