#include <fmt/format.h>

#include <optional>

#include "app/commands.h"
#include "app/describe.h"
#include "app/json_output.h"
#include "app/pipeline_set.h"
#include "base/json.h"
#include "base/quantity.h"

namespace levada::app {
namespace {

/// What is wrong with a pipeline may be found after it was opened: its warnings stay.
struct Checked {
  std::optional<Pipeline> opened;
  bool is_selected = true;
  Status status;
};

/// The columns of run: and partition: are the source's to know.
Status TrySplit(Session& session, const Pipeline& pipeline, const elt::Source& source) {
  const elt::Plan& plan = pipeline.plan;
  const elt::Consumer& consumer = *pipeline.stages.consumer;
  Context& context = session.context();
  if (const auto& increment = plan.increment) {
    const elt::MarkRequest request{increment->column,   {},   increment->after, increment->lag,
                                   increment->timezone, false};
    ARROW_RETURN_NOT_OK(consumer.FindMark(context, request).status());
  }
  ARROW_ASSIGN_OR_RAISE(const elt::RunInstance run, AnyRunOf(plan));
  return consumer.Split(context, run, source, EngineOf(session, pipeline).LimitsOfSplit()).status();
}

Status DescribeOne(Session& session, const Pipeline& pipeline) {
  ARROW_ASSIGN_OR_RAISE(const elt::Prepared prepared, DescribePipeline(session, pipeline));
  return TrySplit(session, pipeline, prepared.source);
}

Status Describe(Session& session, const Pipeline& pipeline) {
  if (!pipeline.plan.has_tables) return DescribeOne(session, pipeline);
  std::vector<Status> failures;
  ARROW_ASSIGN_OR_RAISE(const auto tables, EachTable(session, pipeline, failures));
  if (!failures.empty()) return failures.front();
  for (const Pipeline& one : tables) {
    const Status status = DescribeOne(session, one);
    if (!status.ok()) return WithDetail(status, "pipeline", one.plan.name);
  }
  return Status::OK();
}

Status CheckPipeline(Session& session, const std::string& file, Neighbours& neighbours,
                     Checked& checked) {
  ARROW_ASSIGN_OR_RAISE(checked.opened, OpenPipelineFile(session, file));
  const Pipeline& pipeline = *checked.opened;
  ARROW_ASSIGN_OR_RAISE(checked.is_selected, IsSelected(session, pipeline));
  if (!checked.is_selected) return Status::OK();
  ARROW_RETURN_NOT_OK(neighbours.Add(session, pipeline));
  return session.line().online ? Describe(session, pipeline) : Status::OK();
}

Checked CheckFile(Session& session, const std::string& file, Neighbours& neighbours) {
  Checked checked;
  checked.status = session.NameSignal(CheckPipeline(session, file, neighbours, checked));
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
  if (checked.opened) {
    json["warnings"] = ParseJson(RenderJson(checked.opened->plan.warnings));
  }
  return json;
}

// Of a directory only what is wrong is told, and how many files there are.
std::string SumText(size_t files, size_t wrong, const Paint& paint) {
  std::string text = FormatCount(static_cast<int64_t>(files), "pipeline") + ": ";
  if (wrong == 0) return text + fmt::format("{}ok{}\n", paint.green, paint.reset);
  return text + fmt::format("{} ok, {}{} wrong{}\n", files - wrong, paint.red, wrong, paint.reset);
}

}  // namespace

Outcome Check(Session& session) {
  if (!session.line().against.empty()) return CheckAgainst(session);
  Outcome outcome;
  const auto found = FindPipelineFiles(session.disk(), session.line().files);
  if (!found.ok()) {
    outcome.Note(found.status());
    return outcome;
  }
  const bool is_folder = found->any_directory;
  if (is_folder) session.ExpectManyDocuments();
  const bool prints = !session.line().quiet && !session.line().json;
  const Paint paint(session.terminal().output_color);
  std::vector<Status> told;  // as JSON, on standard output
  Neighbours neighbours;
  size_t count = 0, wrong = 0;
  for (const NamedFile& file : found->files) {
    const Checked checked = CheckFile(session, file.path, neighbours);
    const Status& status = checked.status;
    if (!checked.is_selected) continue;
    ++count;
    wrong += status.ok() ? 0 : 1;
    if (session.line().json) {
      if (!status.ok()) told.push_back(status);
      const Json json = JsonOf(file.path, checked);
      outcome.Note(PrintJson(session, Dump(json, 2)));
    } else {
      outcome.Note(status);
    }
    if (status.ok() && prints && !is_folder) {
      outcome.Note(WriteOutput(fmt::format("{}: {}ok{}\n", file.path, paint.green, paint.reset)));
    }
    if (session.stopped()) break;
  }
  if (count == 0) outcome.Note(NothingSelected(session.line()));
  if (is_folder && prints) outcome.Note(WriteOutput(SumText(count, wrong, paint)));
  if (!told.empty()) outcome.exit_status = ExitStatusOf(told[MostImportant(told)]);
  return outcome;
}

}  // namespace levada::app
