#pragma once
// ProgramTransform: the stream behind an exec transformer, and its account of rows.

#include <memory>

#include "elt/stages.h"
#include "programs/program_options.h"

namespace levada::exec_transformer {

/// What the streams of one bound transformer share. Immutable.
struct BoundProgram {
  programs::ProgramOptions options;
  bool drops_rows = false;
  elt::RunInstance run;
  elt::SchemaPtr input;
  elt::SchemaPtr output;
};

/// The program is started by the first ReadNext. `bound` outlives the stream.
std::unique_ptr<elt::BatchStream> TransformByProgram(const Context& ctx, const BoundProgram& bound,
                                                     std::unique_ptr<elt::BatchStream> upstream);

}  // namespace levada::exec_transformer
