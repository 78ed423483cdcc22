#pragma once
// One test of a pipeline: given rows take the place of its consumer, and what is behind each stage
// is compared with what was expected. Neither source nor target is touched.

#include <string>
#include <vector>

#include "app/cells.h"
#include "app/pipeline_file.h"
#include "app/test_file.h"
#include "base/context.h"

namespace levada::app {

struct CellDifference {
  int64_t row = 0;  ///< from 1
  std::string column;
  Cell expected;
  Cell got;
};

/// What is not as expected behind one stage, or of the rejected rows, or of the outcome.
struct Difference {
  std::string where;    ///< `behind "cast"`
  std::string problem;  ///< "expected 3 rows, got 2"; empty where only cells differ
  std::vector<CellDifference> cells;
};

/// Empty: the test is passed. A Fault when the test cannot be run: it gives columns no type, or
/// names a stage that the pipeline does not have.
Result<std::vector<Difference>> RunPipelineTest(Context& ctx, const Pipeline& pipeline,
                                                const TestFile& file, const PipelineTest& test);

}  // namespace levada::app
