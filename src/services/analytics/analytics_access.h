#pragma once
// What the doors of the Analytics Engine share: datasets, writes that are answered when they are
// durable, and queries on threads of their own, so that no slow one keeps another service waiting.

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "formats/aesql/syntax.h"
#include "net/loop.h"
#include "os/disk_reserve.h"
#include "services/analytics/engine.h"
#include "services/analytics/point.h"
#include "services/analytics/write_ahead.h"
#include "services/core/api.h"
#include "services/core/control.h"

namespace levada::services::analytics {

/// Datasets that an account may have.
inline constexpr size_t kDatasetsMax = 1000;

struct AnalyticsAccess {
  WriteAhead& log;
  Engine& engine;
  Control& control;
  const Clock& clock;
  net::Loop& loop;
  net::Workers& workers;  ///< for parsing, and for control
  net::Workers& queries;  ///< as many as the engine answers at once
  const os::DiskReserve* reserve = nullptr;
  PointLimits limits = {};
};

/// OK when durable. Busy when too much waits; kDiskFull.
net::Task<Status> WritePoints(const AnalyticsAccess& access, uint64_t dataset,
                              std::vector<DataPoint> points);

/// The dataset of this name, made when the account has none; or why not.
net::Task<std::variant<Resource, ApiError>> DatasetNamed(const AnalyticsAccess& access,
                                                         const Account& account, std::string name,
                                                         Actor actor);

/// An answer, or an error in words for whoever wrote the query.
struct QueryAnswer {
  int status = 200;
  std::string text;
  aesql::Format format = aesql::Format::kJson;
  std::optional<int64_t> retry_after_s;
  std::string cause;  ///< for the log alone
};
net::Task<QueryAnswer> RunQuery(const AnalyticsAccess& access, int64_t account, std::string sql);

}  // namespace levada::services::analytics
