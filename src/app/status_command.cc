#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "app/commands.h"
#include "app/json_output.h"
#include "app/pipeline_runs.h"
#include "app/pipeline_set.h"
#include "app/pipelines_text.h"
#include "app/table.h"
#include "base/json.h"
#include "base/quantity.h"

namespace levada::app {
namespace {

using elt::LedgerRun;

constexpr const char* kStates[] = {"published", "begun",   "interrupted",
                                   "failed",    "pending", "unknown"};

Status Rebuild(Session& session, const Pipeline& pipeline, elt::Ledger& ledger) {
  // Of several targets the last one is published last: what it has, all have.
  const elt::Loader& loader = *pipeline.stages.loaders.back();
  ARROW_ASSIGN_OR_RAISE(const auto runs,
                        loader.Inventory(session.context(), pipeline.plan.name, {}));
  // A ledger that leaves one out would call it pending.
  for (const elt::PublishedRun& run : runs) ARROW_RETURN_NOT_OK(run.damage);
  return ledger.Rebuild(session.context(), pipeline.plan.name, runs);
}

Json TextOrNull(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

std::string JsonText(const std::string& pipeline, const std::vector<LedgerRun>& runs) {
  Json json;
  json["levada_status"] = kJsonVersion;
  json["pipeline"] = TextOrNull(pipeline);
  json["runs"] = Json::array();
  for (const LedgerRun& run : runs) {
    json["runs"].push_back({{"pipeline", run.pipeline},
                            {"window", TextOrNull(run.label)},
                            {"state", run.state},
                            {"rows", run.rows},
                            {"files", run.files},
                            {"bytes", run.bytes},
                            {"partitions_done", run.partitions_done},
                            {"partitions_total", run.partitions_total},
                            {"revision", run.revision},
                            {"plan_hash", TextOrNull(run.plan_hash)},
                            {"started_at", TextOrNull(run.started_at)},
                            {"finished_at", TextOrNull(run.finished_at)},
                            {"error", TextOrNull(run.error)}});
  }
  return Dump(json, 2) + "\n";
}

/// "2026-11-22T16:04:52.123456Z" to the second.
std::string ToTheSecond(const std::string& timestamp) {
  const size_t point = timestamp.find('.');
  return point == std::string::npos ? timestamp : timestamp.substr(0, point) + "Z";
}

std::string CountsText(const std::vector<LedgerRun>& runs) {
  std::map<std::string, int64_t> counts;
  for (const LedgerRun& run : runs) ++counts[run.state];
  std::string text;
  for (const char* state : kStates) {
    if (counts[state] == 0) continue;
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", FormatCount(counts[state]), state);
  }
  return text;
}

std::string PlainText(const std::vector<LedgerRun>& runs, const Terminal& terminal) {
  const Paint paint(terminal.output_color);
  Table table({{"pipeline"},
               {"window"},
               {"state"},
               {"rows", Align::kRight},
               {"files", Align::kRight},
               {"size", Align::kRight},
               {"partitions", Align::kRight},
               {"finished", Align::kLeft, false, true},
               {"error", Align::kLeft, true, true}});
  for (const LedgerRun& run : runs) {
    const std::string_view mark = run.state == "failed"        ? paint.red
                                  : run.state == "begun"       ? paint.yellow
                                  : run.state == "interrupted" ? paint.yellow
                                  : run.state == "pending"     ? paint.dim
                                  : run.state == "unknown"     ? paint.dim
                                                               : std::string_view();
    if (run.state == "pending" || run.state == "unknown") {
      table.AddRow({run.pipeline, run.label, run.state}, mark);
      continue;
    }
    if (run.label.empty()) {
      table.AddRow({run.pipeline, "none began", run.state, "", "", "", "",
                    ToTheSecond(run.finished_at), run.error},
                   mark);
      continue;
    }
    table.AddRow(
        {run.pipeline, run.label, run.state, FormatCount(run.rows), FormatCount(run.files),
         FormatBytes(run.bytes), fmt::format("{}/{}", run.partitions_done, run.partitions_total),
         ToTheSecond(run.finished_at), run.error},
        mark);
  }
  std::string text = table.Render(OutputStyle(terminal));
  const std::string sum = CountsText(runs);
  return text + (sum.empty() ? "nothing was run yet\n" : "\n" + sum + "\n");
}

/// Of a pipeline of a directory: the worst of what its runs are.
void Tell(const std::vector<LedgerRun>& runs, PipelineLine& line) {
  line.detail = CountsText(runs);
  line.state = "nothing was run yet";
  line.rows = 0;
  for (const char* state : {"failed", "interrupted", "begun", "pending", "unknown", "published"}) {
    if (std::ranges::find(runs, state, &LedgerRun::state) == runs.end()) continue;
    line.state = state;
    break;
  }
  for (const LedgerRun& run : runs) line.rows += run.state == "published" ? run.rows : 0;
}

Status ShowPipeline(Session& session, const Pipeline& pipeline, bool is_summed,
                    PipelineLine& line) {
  const bool rebuild = session.line().rebuild;
  ARROW_ASSIGN_OR_RAISE(auto ledger, OpenLedgerOf(session, pipeline.state_directory, rebuild));
  if (rebuild) ARROW_RETURN_NOT_OK(Rebuild(session, pipeline, *ledger));
  if (ledger == nullptr && !session.line().quiet && !is_summed) {
    WriteError(fmt::format("there is no ledger in {} yet; --rebuild asks the targets\n",
                           pipeline.state_directory));
  }
  ARROW_ASSIGN_OR_RAISE(const auto runs, KnownRuns(session, pipeline.plan, ledger.get()));
  Tell(runs, line);
  if (session.line().json) return PrintJson(session, JsonText(pipeline.plan.name, runs));
  return is_summed ? Status::OK() : WriteOutput(PlainText(runs, session.terminal()));
}

Status ShowLedger(Session& session) {
  const std::string& directory = session.line().state_directory;
  ARROW_ASSIGN_OR_RAISE(auto ledger, OpenLedgerOf(session, directory, false));
  if (ledger == nullptr) {
    return Fault(FaultCode::kBadCommandLine, fmt::format("there is no ledger in \"{}\"", directory))
        .Help("name a pipeline file, or the directory that holds ledger.db");
  }
  ARROW_ASSIGN_OR_RAISE(auto runs, ledger->Runs(""));
  NameBegun(runs);
  if (session.line().json) return PrintJson(session, JsonText("", runs));
  return WriteOutput(PlainText(runs, session.terminal()));
}

}  // namespace

Outcome ShowStatus(Session& session) {
  Outcome outcome;
  if (session.line().files.empty()) {
    outcome.Note(ShowLedger(session));
    return outcome;
  }
  const PipelineSet set = OpenPipelines(session, outcome.failures);
  std::vector<PipelineLine> lines;
  for (const Pipeline& pipeline : set.pipelines) {
    PipelineLine& line = lines.emplace_back();
    line.name = pipeline.plan.name;
    line.file = pipeline.file;
    line.status = session.NameSignal(ShowPipeline(session, pipeline, set.is_summed, line));
    if (!line.status.ok()) line.state = "not known";
    outcome.Note(line.status);
    if (session.stopped()) break;
  }
  if (set.is_summed && !lines.empty() && !session.line().json) {
    outcome.Note(WriteOutput(PipelinesText(lines, OutputStyle(session.terminal()))));
  }
  return outcome;
}

}  // namespace levada::app
