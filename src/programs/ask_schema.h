#pragma once
// AskSchema: what columns a program will write, asked before a run is planned.

#include "elt/stages.h"
#include "programs/program_options.h"

namespace levada::programs {

/// Starts the program with LEVADA_ASK=schema. With `input` it gets a stream of that schema and no
/// rows. A program that ignores the question and writes rows is stopped after its schema.
/// kSourceTimeout when it has not answered within minutes.
Result<elt::SchemaPtr> AskSchema(const Context& ctx, const ProgramOptions& options,
                                 const elt::SchemaPtr& input);

}  // namespace levada::programs
