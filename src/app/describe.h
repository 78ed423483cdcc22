#pragma once
// A pipeline's columns at every step, without a look at what is published: for `schema` and
// `check --online`.

#include "app/pipeline_file.h"
#include "elt/runner.h"

namespace levada::app {

/// A run to look at columns by: those of all windows are the same.
Result<elt::RunInstance> AnyRunOf(const elt::Plan& plan);

/// Connects, infers the source's schema and binds every stage to it. Only source, transformers and
/// targets of the result are set.
Result<elt::Prepared> DescribePipeline(Session& session, const Pipeline& pipeline);

}  // namespace levada::app
