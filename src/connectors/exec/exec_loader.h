#pragma once
// The exec loader: rows to a program of the user's, in two phases. `load` gives it the rows of an
// attempt, `publish` makes them visible, `discard` takes them back, `finish` ends the run. What it
// did is its own; that each step was asked for, and done, is in RunRecords.
//
// At least once: a crash between a step and its record repeats the step, with the same attempt id.
// Exactly once is what a program makes of that id.

#include <memory>
#include <string>

#include "elt/stages.h"
#include "programs/program_options.h"

namespace levada::os {
class Disk;
}

namespace levada::exec {

/// What the loader and its runs share. Immutable.
struct LoaderOptions {
  programs::ProgramOptions program;
  std::string state;  ///< the directory of RunRecords
  os::Disk* disk = nullptr;
};

std::unique_ptr<elt::Loader> MakeExecLoader(LoaderOptions options);

}  // namespace levada::exec
