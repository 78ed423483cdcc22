#pragma once
// Where the reports of runs are kept: one file for each invocation that did something, the newest
// ones only.

#include <string>

#include "elt/report.h"
#include "os/disk.h"

namespace levada::app {

/// Reports kept for each pipeline; older ones are removed.
inline constexpr size_t kReportsKept = 200;

/// Writes <state>/runs/<pipeline>/<started>-<run id>.json durably and gives its path. A fault of
/// the state directory is kLedgerUnusable: no data depends on it.
Result<std::string> SaveReport(os::Disk& disk, const std::string& state_directory,
                               const elt::RunReport& report);

}  // namespace levada::app
