#pragma once
// Invoke: one invocation of the program, from its arguments to its exit status.

#include <span>
#include <string>

namespace levada::app {

/// Parses, runs the command, renders what went wrong to standard error. Returns the exit status.
int Invoke(std::span<const std::string> arguments);

}  // namespace levada::app
