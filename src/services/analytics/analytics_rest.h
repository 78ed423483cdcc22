#pragma once
// The Analytics Engine's part of the v4 API: queries as Cloudflare has them, and a bulk write of
// ours. Errors of queries are plain text, as there.

#include <vector>

#include "services/analytics/analytics_access.h"
#include "services/core/route.h"

namespace levada::services::analytics {

std::vector<RouteOf<AnalyticsAccess>> AnalyticsRoutes();

}  // namespace levada::services::analytics
