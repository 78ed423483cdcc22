#pragma once
// ServeSettings: what the command line and the configuration file say together. The command line
// wins. Everything that is wrong in either is said at once, where it was written.

#include <optional>

#include "app/command_line.h"
#include "app/daemon.h"
#include "base/log.h"
#include "elt/options.h"
#include "os/disk.h"

namespace levada::app {

struct ServeSettings {
  DaemonOptions daemon;
  std::optional<LogLevel> log_level;    ///< nullopt: neither says
  std::optional<LogFormat> log_format;  ///< likewise
};

/// Of `serve`, and of `token`, `account`, `audit`, `d1` and `fsck`, which use the data directory
/// and its key alone. The file is that of --config, if there is one; LEVADA_DATA is the directory
/// that neither names. Errors: kFileUnreadable, kPlanTooLarge, and whatever is wrong in the file or
/// on the command line.
Result<ServeSettings> ReadServeSettings(const CommandLine& line, os::Disk& disk,
                                        std::shared_ptr<const elt::Environment> environment);

}  // namespace levada::app
