#pragma once
// A copy of all points: those that wait for the engine, and those it has. The log is copied first:
// a segment that the engine takes over meanwhile is then in both, and whoever opens the copy asks
// the engine which of its rows are there, as after a crash.
//
// The engine writes a part once, under another name until it is whole, and keeps it for minutes
// after another has taken its place (ClickHouse: old_parts_lifetime); so parts are given a second
// name, and what else it has, which is small, is copied.

#include <string>

#include "os/disk.h"

namespace levada::services::analytics {

/// `directory` as of AnalyticsService, of this daemon or of nobody; nothing where it has none.
/// `into`, in a directory of the same file system, must not exist. Blocks.
Status CopyAnalytics(os::Disk& disk, const std::string& directory, const std::string& into);

}  // namespace levada::services::analytics
