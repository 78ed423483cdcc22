#pragma once
// One function for each command, each in its own file. They print their answer to standard output
// and return the Status that decides the exit; whoever calls renders it.

#include "app/command_line.h"
#include "app/terminal.h"
#include "base/fault.h"

namespace levada::app {

/// `levada explain [CODE]`. Without a code: all of them in a table.
Status Explain(const CommandLine& line, const Terminal& terminal);

}  // namespace levada::app
