#pragma once
// The routes of the v4 door for queues: /accounts/{account}/queues. What wrangler, Cloudflare's
// SDKs and consumers that pull speak. Looking at messages without taking them (GET messages) and
// moving dead ones back (POST redrive) are our additions.

#include <vector>

#include "services/core/route.h"
#include "services/queues/queues.h"

namespace levada::services::queues {

std::vector<RouteOf<QueueServices>> QueueRoutes();

}  // namespace levada::services::queues
