#pragma once
// The `run:` part of a pipeline file as a WindowSpec or an IncrementSpec.

#include <optional>
#include <vector>

#include "elt/options.h"
#include "elt/plan.h"

namespace levada::elt {

/// What `run:` says. Problems are appended to `diagnostics`; what is returned then is unspecified.
struct RunMode {
  bool once = false;
  std::optional<WindowSpec> window;
  std::optional<IncrementSpec> increment;
};
RunMode ReadRunMode(const Options& run, std::vector<Diagnostic>& diagnostics);

}  // namespace levada::elt
