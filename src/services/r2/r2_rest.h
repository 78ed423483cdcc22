#pragma once
// R2 in the v4 API: buckets, their settings, and objects one at a time, as wrangler and
// Cloudflare's SDKs ask for them. Versions are our addition. Protocol: Cloudflare's API reference,
// "R2"; what wrangler sends is in tests/platform/test_wrangler.py.

#include <vector>

#include "services/core/route.h"
#include "services/r2/r2_access.h"

namespace levada::services::r2 {

std::vector<RouteOf<R2Access>> R2Routes();

}  // namespace levada::services::r2
