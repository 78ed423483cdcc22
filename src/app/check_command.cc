#include <fmt/format.h>

#include "app/commands.h"
#include "app/describe.h"
#include "app/json_output.h"
#include "app/pipeline_file.h"
#include "base/json.h"

namespace levada::app {
namespace {

/// What is wrong with a pipeline may be found after it was opened: its warnings stay.
struct Checked {
  Result<Pipeline> opened;
  Status status;
};

Checked CheckFile(Session& session, const std::string& file) {
  Checked checked{OpenPipelineFile(session, file), {}};
  checked.status = checked.opened.status();
  if (checked.status.ok() && session.line().online) {
    checked.status = DescribePipeline(session, *checked.opened).status();
  }
  checked.status = session.NameSignal(checked.status);
  return checked;
}

Json JsonOf(const std::string& file, const Checked& checked) {
  const bool ok = checked.status.ok();
  Json json;
  json["levada_check"] = kJsonVersion;
  json["file"] = file;
  json["ok"] = ok;
  json["pipeline"] = ok ? Json(checked.opened->plan.name) : Json(nullptr);
  json["plan_hash"] = ok ? Json(checked.opened->plan.hash) : Json(nullptr);
  json["error"] = ok ? Json(nullptr) : ParseJson(RenderJson(FaultOf(checked.status)));
  json["warnings"] = Json::array();
  if (checked.opened.ok()) {
    json["warnings"] = ParseJson(RenderJson(checked.opened->plan.warnings));
  }
  return json;
}

}  // namespace

Outcome Check(Session& session) {
  Outcome outcome;
  std::vector<Status> told;  // as JSON, on standard output
  for (const std::string& file : session.line().files) {
    const Checked checked = CheckFile(session, file);
    const Status& status = checked.status;
    if (session.line().json) {
      if (!status.ok()) told.push_back(status);
      const Json json = JsonOf(file, checked);
      outcome.Note(PrintJson(session, Dump(json, 2)));
    } else {
      outcome.Note(status);
    }
    if (status.ok() && !session.line().quiet && !session.line().json) {
      const Paint paint(session.terminal().output_color);
      outcome.Note(WriteOutput(fmt::format("{}: {}ok{}\n", file, paint.green, paint.reset)));
    }
    if (session.stopped()) break;
  }
  if (!told.empty()) outcome.exit_status = ExitStatusOf(told[MostImportant(told)]);
  return outcome;
}

}  // namespace levada::app
