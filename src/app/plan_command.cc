#include <fmt/format.h>

#include <algorithm>

#include "app/commands.h"
#include "app/json_output.h"
#include "app/pipeline_set.h"
#include "app/pipelines_text.h"
#include "app/plan_text.h"
#include "base/quantity.h"
#include "elt/runner.h"

namespace levada::app {
namespace {

Status PlanPipeline(Session& session, Pipeline& pipeline, const PipelineSet& set,
                    PipelineLine& line) {
  const elt::Engine engine = EngineOf(session, pipeline);
  ARROW_ASSIGN_OR_RAISE(elt::Prepared prepared, elt::Prepare(session.context(), engine,
                                                             RunOptionsOf(session.line()), true));
  line.runs = prepared.PendingCount();
  line.state = prepared.AnyPending() ? "to do" : "nothing to do";
  if (prepared.AnyPending() && prepared.source.estimated_rows >= 0) {
    line.detail = fmt::format("of about {} rows", FormatCount(prepared.source.estimated_rows));
  }
  ShowWarnings(session, prepared.warnings);
  if (session.line().json) {
    ARROW_RETURN_NOT_OK(PrintJson(session, PlanJson(pipeline.plan, prepared)));
  } else if (!session.line().quiet && !set.is_summed) {
    const std::string text = PlanText(pipeline.plan, prepared, OutputStyle(session.terminal()));
    ARROW_RETURN_NOT_OK(WriteOutput(text + (set.pipelines.size() > 1 ? "\n" : "")));
  }
  return prepared.Refusal();
}

}  // namespace

Outcome ShowPlan(Session& session) {
  Outcome outcome;
  PipelineSet set = OpenPipelines(session, outcome.failures);
  std::vector<PipelineLine> lines;
  for (Pipeline& pipeline : set.pipelines) {
    PipelineLine& line = lines.emplace_back();
    line.name = pipeline.plan.name;
    line.file = pipeline.file;
    line.status = session.NameSignal(PlanPipeline(session, pipeline, set, line));
    if (!line.status.ok()) line.state = "failed";
    outcome.Note(line.status);
    if (session.stopped()) break;
  }
  if (set.is_summed && !lines.empty() && !session.line().json && !session.line().quiet) {
    outcome.Note(WriteOutput(PipelinesText(lines, OutputStyle(session.terminal()))));
  }
  const auto is_pending = [](const PipelineLine& line) { return line.runs > 0; };
  if (std::ranges::any_of(lines, is_pending)) outcome.exit_status = kWorkPending;
  return outcome;
}

}  // namespace levada::app
