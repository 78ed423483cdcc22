#pragma once
// AnalyticsServer: a ClickHouse server as the engine of analytics, as the configuration names it,
// with the password that stands elsewhere.

#include <optional>

#include "app/daemon.h"
#include "base/fault.h"
#include "os/disk.h"
#include "services/analytics/clickhouse_server.h"

namespace levada::app {

/// nullopt where libchdb is the engine. The password is what the file has, else what
/// LEVADA_ANALYTICS_PASSWORD in the environment says, else empty. Errors: kBadValue for a file that
/// is not there, that others may read, or that holds no line.
Result<std::optional<services::analytics::ClickhouseOptions>> AnalyticsServerOf(
    const DaemonOptions& options, os::Disk& disk);

}  // namespace levada::app
