#pragma once
// The stages of a pipeline file: which kind, and its options checked against the kind's spec.

#include <memory>
#include <vector>

#include "elt/catalog.h"
#include "elt/plan.h"
#include "elt/value.h"

namespace levada::elt {

inline constexpr size_t kTransformersMax = 64;
inline constexpr size_t kLoadersMax = 16;

/// What every check of a pipeline file works with.
struct PlanInput {
  const Catalog& catalog;
  std::shared_ptr<const SourceText> source;  ///< as diagnostics may show it
  std::shared_ptr<const Environment> environment;
  std::vector<Diagnostic>& diagnostics;
};

/// Fill the stages of `plan` from the root of the file. Shapes that PipelineSpec already refuses
/// (a consumer that is no map) are passed over in silence.
void ReadStages(const Value& root, const PlanInput& input, Plan& plan);

/// The values of all secret options, also of stages that are wrong otherwise.
std::vector<const Value*> FindSecrets(const Value& root, const Catalog& catalog);

/// The spec of a stage's kind; never null for a stage of a Plan.
const OptionSpec* FindField(const OptionSpec& group, std::string_view name);

}  // namespace levada::elt
