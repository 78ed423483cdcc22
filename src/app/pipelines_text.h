#pragma once
// Many pipelines in one table: what run, plan and status say of a directory.

#include <cstdint>
#include <string>
#include <vector>

#include "app/table.h"
#include "base/fault.h"

namespace levada::app {

/// One pipeline. Numbers that are not known are -1, and of a column that nobody knows nothing is
/// shown.
struct PipelineLine {
  std::string name;
  std::string file;
  std::string state;  ///< "published", "nothing to do", "failed"; by it they are counted
  std::string detail;
  int64_t runs = -1;
  int64_t rows = -1;
  int64_t files = -1;
  int64_t bytes = -1;
  int64_t elapsed_ns = -1;
  Status status;
};

/// The table, and a line that counts the states: "12 pipelines: 10 published, 2 failed".
std::string PipelinesText(const std::vector<PipelineLine>& lines, const TableStyle& style);

/// One JSON object: levada_pipelines (its version) and the same of each.
std::string PipelinesJson(const std::vector<PipelineLine>& lines);

}  // namespace levada::app
