#include <fmt/format.h>

#include "app/api_routes.h"
#include "app/commands.h"
#include "app/describe.h"
#include "app/json_output.h"
#include "app/json_schema.h"
#include "app/pipeline_set.h"
#include "app/plan_text.h"

namespace levada::app {
namespace {

Status ShowColumns(Session& session, const Pipeline& pipeline) {
  ARROW_ASSIGN_OR_RAISE(const elt::Prepared prepared, DescribePipeline(session, pipeline));
  if (session.line().json) return PrintJson(session, ColumnsJson(pipeline.plan, prepared));
  const Paint paint(session.terminal().output_color);
  return WriteOutput(
      fmt::format("{}{}{} from {}\n{}", paint.bold, pipeline.plan.name, paint.reset,
                  prepared.source.description,
                  ColumnsText(pipeline.plan, prepared, OutputStyle(session.terminal()))));
}

}  // namespace

Outcome ShowSchema(Session& session) {
  Outcome outcome;
  if (session.line().files.empty()) {
    outcome.Note(WriteOutput(session.line().routes  ? RoutesJson()
                             : session.line().serve ? ServeJsonSchema()
                                                    : PipelineJsonSchema(session.catalog())));
    return outcome;
  }
  const PipelineSet set = OpenPipelines(session, outcome.failures);
  for (const Pipeline& pipeline : set.pipelines) {
    outcome.Note(session.NameSignal(ShowColumns(session, pipeline)));
    if (session.stopped()) break;
  }
  return outcome;
}

}  // namespace levada::app
