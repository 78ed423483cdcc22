#include "app/commands.h"
#include "app/json_output.h"
#include "app/pipeline_file.h"
#include "app/plan_text.h"
#include "app/version.h"
#include "elt/runner.h"

namespace levada::app {
namespace {

Status PlanPipeline(Session& session, Pipeline& pipeline, bool more_than_one, bool& pending) {
  const elt::Engine engine{pipeline.plan,    pipeline.stages, session.controller(),
                           session.random(), session.disk(),  std::string(Version())};
  ARROW_ASSIGN_OR_RAISE(elt::Prepared prepared, elt::Prepare(session.context(), engine,
                                                             RunOptionsOf(session.line()), true));
  pending = pending || prepared.AnyPending();
  ShowWarnings(session, prepared.warnings);
  if (session.line().json) {
    ARROW_RETURN_NOT_OK(PrintJson(session, PlanJson(pipeline.plan, prepared)));
  } else if (!session.line().quiet) {
    const std::string text = PlanText(pipeline.plan, prepared, OutputStyle(session.terminal()));
    ARROW_RETURN_NOT_OK(WriteOutput(text + (more_than_one ? "\n" : "")));
  }
  return prepared.Refusal();
}

}  // namespace

Outcome ShowPlan(Session& session) {
  Outcome outcome;
  std::vector<Pipeline> pipelines = OpenPipelines(session, outcome.failures);
  bool pending = false;
  for (Pipeline& pipeline : pipelines) {
    outcome.Note(
        session.NameSignal(PlanPipeline(session, pipeline, pipelines.size() > 1, pending)));
    if (session.stopped()) break;
  }
  if (pending) outcome.exit_status = kWorkPending;
  return outcome;
}

}  // namespace levada::app
