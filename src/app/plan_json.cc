#include <nlohmann/json.hpp>

#include "app/plan_text.h"

namespace levada::app {
namespace {

using Json = nlohmann::ordered_json;

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

Json ColumnsOf(const elt::Prepared& prepared) {
  Json json = Json::array();
  for (const elt::ColumnTrace& column : TraceColumns(prepared)) {
    json.push_back({{"name", column.name},
                    {"source_type", column.source_type},
                    {"type", column.type},
                    {"target_types", column.target_types}});
  }
  return json;
}

Json RunsOf(const elt::Prepared& prepared) {
  Json json = Json::array();
  for (const elt::RunDecision& decision : prepared.runs) {
    json.push_back({{"window", decision.run.Label()},
                    {"decision", NameOf(decision.decision)},
                    {"reason", decision.reason}});
  }
  return json;
}

Json PartitionsOf(const elt::Prepared& prepared) {
  Json json = Json::array();
  for (const elt::Partition& partition : prepared.partitions) {
    json.push_back({{"id", partition.id},
                    {"meaning", partition.meaning},
                    {"query", partition.query},
                    {"estimated_rows", Known(partition.estimated_rows)},
                    {"estimated_bytes", Known(partition.estimated_bytes)},
                    {"slices", partition.slices.size()}});
  }
  return json;
}

std::string Printed(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace

std::string PlanJson(const elt::Plan& plan, const elt::Prepared& prepared) {
  Json json;
  json["pipeline"] = plan.name;
  json["plan_hash"] = plan.hash;
  json["pending"] = prepared.AnyPending();
  json["source"] = SourceOf(prepared);
  json["targets"] = TargetsOf(prepared);
  json["columns"] = ColumnsOf(prepared);
  json["runs"] = RunsOf(prepared);
  json["partitions"] = PartitionsOf(prepared);
  json["memory"] = {{"budget_bytes", prepared.memory.budget_bytes},
                    {"minimum_bytes", prepared.memory.minimum_bytes},
                    {"fixed_bytes", prepared.memory.fixed_bytes},
                    {"partition_bytes", prepared.memory.partition_bytes},
                    {"partitions_at_a_time", prepared.memory.slots}};
  json["notes"] = prepared.notes;
  return Printed(json);
}

std::string ColumnsJson(const elt::Plan& plan, const elt::Prepared& prepared) {
  Json json;
  json["pipeline"] = plan.name;
  json["source"] = SourceOf(prepared);
  json["targets"] = TargetsOf(prepared);
  json["columns"] = ColumnsOf(prepared);
  return Printed(json);
}

}  // namespace levada::app
