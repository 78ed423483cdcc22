#include "app/describe.h"

namespace levada::app {
namespace {

constexpr WallMicros kYear = int64_t{366} * 24 * 3600 * 1'000'000;
constexpr size_t kWindowsOfAYearMax = 366 * 25;  // hours, and those that clocks repeat

/// The first window of a pipeline, closed or not: the columns of all are the same.
Result<std::optional<elt::Window>> AnyWindow(elt::WindowSpec spec) {
  spec.delay = {};
  ARROW_ASSIGN_OR_RAISE(auto windows,
                        elt::ClosedWindows(spec, spec.start + kYear, kWindowsOfAYearMax));
  if (windows.empty()) return std::nullopt;
  return std::move(windows.front());
}

}  // namespace

Result<elt::Prepared> DescribePipeline(Session& session, const Pipeline& pipeline) {
  Context& context = session.context();
  elt::Prepared prepared;
  elt::RunInstance run;
  run.pipeline = pipeline.plan.name;
  run.plan_hash = pipeline.plan.hash;
  run.once = pipeline.plan.once;
  if (pipeline.plan.window) {
    run.window_column = pipeline.plan.window->column;
    ARROW_ASSIGN_OR_RAISE(run.window, AnyWindow(*pipeline.plan.window));
  }
  ARROW_ASSIGN_OR_RAISE(prepared.source, pipeline.stages.consumer->Describe(context));
  ARROW_ASSIGN_OR_RAISE(prepared.transformers,
                        elt::BindTransformers(pipeline.stages, prepared.source.schema, run));
  const elt::SchemaPtr schema = prepared.OutputSchema();
  const std::vector<elt::ColumnHint> hints(static_cast<size_t>(schema->num_fields()));
  for (const auto& loader : pipeline.stages.loaders) {
    ARROW_ASSIGN_OR_RAISE(elt::BoundTarget target, loader->Bind(context, schema, hints, run));
    prepared.targets.push_back(std::move(target));
  }
  return prepared;
}

}  // namespace levada::app
