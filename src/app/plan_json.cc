#include "app/column_steps.h"
#include "app/json_output.h"
#include "app/plan_text.h"
#include "base/clock.h"
#include "base/json.h"

namespace levada::app {
namespace {

Json Known(int64_t number) { return number >= 0 ? Json(number) : Json(nullptr); }

Json SourceOf(const elt::Prepared& prepared) {
  Json json;
  json["description"] = prepared.source.description;
  json["estimated_rows"] = Known(prepared.source.estimated_rows);
  json["estimated_bytes"] = Known(prepared.source.estimated_bytes);
  json["repeatable"] = prepared.source.repeatable;
  return json;
}

Json TargetsOf(const elt::Prepared& prepared) {
  Json json = Json::array();
  for (const elt::BoundTarget& target : prepared.targets) {
    json.push_back({{"description", target.description}, {"example", target.names}});
  }
  return json;
}

Json ColumnsOf(const elt::Plan& plan, const elt::Prepared& prepared) {
  Json json = Json::array();
  for (const ColumnPath& column : FollowColumns(plan, prepared)) {
    Json steps = Json::array();
    for (const ColumnStep& step : column.steps) {
      steps.push_back({{"stage", step.stage}, {"name", step.name}, {"type", step.type}});
    }
    json.push_back({{"name", column.name},
                    {"source_type", column.source_type},
                    {"type", column.steps.back().type},
                    {"steps", std::move(steps)},
                    {"target_types", column.target_types}});
  }
  return json;
}

Json RunsOf(const elt::Prepared& prepared) {
  const std::vector<ReplacedRun> replaced = ReplacedRuns(prepared);
  auto next = replaced.begin();
  Json json = Json::array();
  for (const elt::RunDecision& decision : prepared.runs) {
    Json run = {{"window", decision.run.Label()}, {"start", nullptr}, {"end", nullptr}};
    if (decision.run.window) {
      run["start"] = FormatTimestamp(decision.run.window->start);
      run["end"] = FormatTimestamp(decision.run.window->end);
    }
    if (const auto& increment = decision.run.increment) {
      run["increment"] = ParseJson(increment->ToJson());
    }
    run["decision"] = NameOf(decision.decision);
    run["reason"] = decision.reason;
    run["replaces"] = nullptr;
    if (decision.decision == elt::Decision::kReplace && next != replaced.end()) {
      run["replaces"] = {{"files", next->files}, {"bytes", next->bytes}, {"paths", next->paths}};
      ++next;
    }
    json.push_back(std::move(run));
  }
  return json;
}

Json PartitionsOf(const elt::Prepared& prepared) {
  Json json = Json::array();
  for (const elt::Partition& partition : prepared.partitions) {
    json.push_back(
        {{"id", partition.id},
         {"meaning", partition.meaning},
         {"query", partition.query},
         {"estimated_rows", Known(partition.estimated_rows)},
         {"estimated_bytes", Known(partition.estimated_bytes)},
         {"cost", partition.cost.cost >= 0 ? Json(partition.cost.cost) : Json(nullptr)},
         {"scan", partition.cost.scan.empty() ? Json(nullptr) : Json(partition.cost.scan)},
         {"slices", partition.slices.size()}});
  }
  return json;
}

}  // namespace

std::string PlanJson(const elt::Plan& plan, const elt::Prepared& prepared) {
  Json json;
  json["levada_plan"] = kJsonVersion;
  json["pipeline"] = plan.name;
  json["plan_hash"] = plan.hash;
  json["pending"] = prepared.AnyPending();
  json["source"] = SourceOf(prepared);
  json["targets"] = TargetsOf(prepared);
  json["columns"] = ColumnsOf(plan, prepared);
  json["runs"] = RunsOf(prepared);
  json["partitions"] = PartitionsOf(prepared);
  json["memory"] = {{"budget_bytes", prepared.memory.budget_bytes},
                    {"minimum_bytes", prepared.memory.minimum_bytes},
                    {"fixed_bytes", prepared.memory.fixed_bytes},
                    {"slice_bytes", prepared.memory.slice_bytes},
                    {"windows_at_a_time", prepared.memory.windows},
                    {"partitions_at_a_time", prepared.memory.slots},
                    {"slices_at_a_time", prepared.memory.slices}};
  json["notes"] = prepared.notes;
  json["warnings"] = ParseJson(RenderJson(prepared.AllWarnings(plan)));
  return Dump(json, 2) + "\n";
}

std::string ColumnsJson(const elt::Plan& plan, const elt::Prepared& prepared) {
  Json json;
  json["levada_schema"] = kJsonVersion;
  json["pipeline"] = plan.name;
  json["source"] = SourceOf(prepared);
  json["targets"] = TargetsOf(prepared);
  json["columns"] = ColumnsOf(plan, prepared);
  return Dump(json, 2) + "\n";
}

}  // namespace levada::app
