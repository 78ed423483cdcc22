#pragma once
// Spawn: makes the process of a Child. Its caller supervises it.

#include <sys/types.h>

#include <array>

#include "base/fault.h"
#include "os/child.h"

namespace levada::os {

/// Starts `command` as the leader of a group of its own, with `standard` as standard input, output
/// and error; it dies with the thread that calls this. The faults of Child::Start.
Result<pid_t> Spawn(const ChildCommand& command, const std::array<int, 3>& standard);

}  // namespace levada::os
