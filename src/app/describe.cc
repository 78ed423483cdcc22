#include "app/describe.h"

namespace levada::app {
Result<elt::RunInstance> AnyRunOf(const elt::Plan& plan) {
  std::optional<elt::Window> window;
  if (plan.window) {
    ARROW_ASSIGN_OR_RAISE(window, elt::FirstWindow(*plan.window));
  }
  return elt::RunOf(plan, std::move(window));
}

Result<elt::Prepared> DescribePipeline(Session& session, const Pipeline& pipeline) {
  Context& context = session.context();
  elt::Prepared prepared;
  ARROW_ASSIGN_OR_RAISE(const elt::RunInstance run, AnyRunOf(pipeline.plan));
  ARROW_ASSIGN_OR_RAISE(prepared.source, pipeline.stages.consumer->Describe(context));
  ARROW_ASSIGN_OR_RAISE(prepared.transformers, elt::BindTransformers(context, pipeline.stages,
                                                                     prepared.source.schema, run));
  const elt::SchemaPtr schema = prepared.OutputSchema();
  const std::vector<elt::ColumnHint> hints(static_cast<size_t>(schema->num_fields()));
  for (const auto& loader : pipeline.stages.loaders) {
    ARROW_ASSIGN_OR_RAISE(elt::BoundTarget target, loader->Bind(context, schema, hints, run));
    prepared.targets.push_back(std::move(target));
  }
  return prepared;
}

}  // namespace levada::app
