#pragma once
// A ProgressView as lines of a terminal.

#include <string>
#include <vector>

#include "app/progress_model.h"

namespace levada::app {

struct ProgressStyle {
  bool color = false;
  bool utf8 = true;
  int width = 80;  ///< no line is wider
};

/// A line for the pipeline, or two where one is too narrow for the speed, the time left and what
/// limits it, then one for each run that has been going for a while, at most
/// kRunLinesMax; without newlines.
std::vector<std::string> ProgressLines(const ProgressView& view, const ProgressStyle& style);
inline constexpr size_t kRunLinesMax = 6;

}  // namespace levada::app
