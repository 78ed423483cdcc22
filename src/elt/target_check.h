#pragma once
// TargetCheck: what a target holds, compared with what its own records say of it. For `levada
// verify`.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/context.h"

namespace levada::elt {

/// What records say of one run.
struct CheckedRun {
  std::string label;
  bool finished = false;
  std::string finished_at;  ///< RFC 3339; empty while it is not
  int64_t rows = 0;
  int64_t files = 0;
  int64_t bytes = 0;
};

struct TargetProblem {
  std::string label;  ///< of the run; empty where no run is meant
  std::string path;   ///< of the file, below the target
  std::string what;   ///< "expected 120 bytes, got 64"
  std::string help;
};

struct TargetCheck {
  std::string pipeline;
  std::vector<CheckedRun> runs;
  std::vector<TargetProblem> problems;
};

struct CheckProgress {
  int64_t files_done = 0;
  int64_t files_total = 0;
  int64_t bytes_done = 0;
  int64_t bytes_total = 0;
};

/// Told after each piece that was read.
using CheckObserver = std::function<void(const CheckProgress&)>;

}  // namespace levada::elt
