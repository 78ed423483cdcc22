#pragma once
// The threads of this process as a JobController: the embedded default.

#include <memory>

#include "elt/controller.h"

namespace levada::threads {

/// Stateless; each Start has threads of its own, at most as many as slots and jobs.
std::unique_ptr<elt::JobController> MakeThreadsController();

}  // namespace levada::threads
