#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "app/commands.h"
#include "app/describe.h"
#include "app/pipeline_file.h"

namespace levada::app {
namespace {

using Json = nlohmann::ordered_json;

Json JsonOf(const std::string& file, const Result<Pipeline>& opened) {
  Json json;
  json["file"] = file;
  json["ok"] = opened.ok();
  if (opened.ok()) {
    json["pipeline"] = opened->plan.name;
    json["plan_hash"] = opened->plan.hash;
    json["error"] = nullptr;
  } else {
    json["error"] = Json::parse(RenderJson(FaultOf(opened.status())));
  }
  return json;
}

Result<Pipeline> CheckFile(Session& session, const std::string& file) {
  ARROW_ASSIGN_OR_RAISE(Pipeline pipeline, OpenPipelineFile(session, file));
  if (session.line().online) {
    ARROW_RETURN_NOT_OK(DescribePipeline(session, pipeline).status());
  }
  return pipeline;
}

}  // namespace

Outcome Check(Session& session) {
  Outcome outcome;
  for (const std::string& file : session.line().files) {
    const Result<Pipeline> opened = CheckFile(session, file);
    outcome.Note(session.NameSignal(opened.status()));
    if (session.line().json) {
      const Json json = JsonOf(file, opened);
      outcome.Note(WriteOutput(json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n"));
    } else if (opened.ok() && !session.line().quiet) {
      const Paint paint(session.terminal().output_color);
      outcome.Note(WriteOutput(fmt::format("{}: {}ok{}\n", file, paint.green, paint.reset)));
    }
    if (session.stopped()) break;
  }
  return outcome;
}

}  // namespace levada::app
