#pragma once
// One HTTP request to a Unix socket, for the command line: blocking, whole bodies, no reuse.

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/fault.h"

namespace levada::net {

struct LocalAnswer {
  int status = 0;
  std::string body;
};

/// POST / with `body`. nullopt: nobody listens at `socket_path`. Errors: kTargetIo, also when the
/// answer takes longer than `timeout` or is over 16 MiB.
Result<std::optional<LocalAnswer>> PostLocally(const std::string& socket_path,
                                               std::string_view body, const Clock& clock,
                                               std::chrono::milliseconds timeout);

}  // namespace levada::net
