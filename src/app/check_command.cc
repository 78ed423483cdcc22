#include <fmt/format.h>

#include "app/commands.h"
#include "app/describe.h"
#include "app/json_output.h"
#include "app/pipeline_file.h"
#include "base/json.h"

namespace levada::app {
namespace {

Json JsonOf(const std::string& file, const Result<Pipeline>& opened) {
  Json json;
  json["levada_check"] = kJsonVersion;
  json["file"] = file;
  json["ok"] = opened.ok();
  if (opened.ok()) {
    json["pipeline"] = opened->plan.name;
    json["plan_hash"] = opened->plan.hash;
    json["error"] = nullptr;
  } else {
    json["pipeline"] = nullptr;
    json["plan_hash"] = nullptr;
    json["error"] = ParseJson(RenderJson(FaultOf(opened.status())));
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
  std::vector<Status> told;  // as JSON, on standard output
  for (const std::string& file : session.line().files) {
    const Result<Pipeline> opened = CheckFile(session, file);
    const Status status = session.NameSignal(opened.status());
    if (session.line().json) {
      if (!status.ok()) told.push_back(status);
      const Json json = JsonOf(file, opened);
      outcome.Note(PrintJson(session, Dump(json, 2)));
    } else {
      outcome.Note(status);
    }
    if (opened.ok() && !session.line().quiet && !session.line().json) {
      const Paint paint(session.terminal().output_color);
      outcome.Note(WriteOutput(fmt::format("{}: {}ok{}\n", file, paint.green, paint.reset)));
    }
    if (session.stopped()) break;
  }
  if (!told.empty()) outcome.exit_status = ExitStatusOf(told[MostImportant(told)]);
  return outcome;
}

}  // namespace levada::app
