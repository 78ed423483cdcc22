#pragma once
// The routes of event notifications: which queues hear of a bucket's objects. Source: Cloudflare's
// API reference, "R2 > Buckets > Event Notifications"; wrangler's `r2 bucket notification` uses
// all but the second.

#include <vector>

#include "services/core/route.h"
#include "services/r2/r2_access.h"

namespace levada::services::r2 {

std::vector<RouteOf<R2Access>> NotificationRoutes();

}  // namespace levada::services::r2
