#pragma once
// KV's routes of the v4 door: /accounts/{account}/storage/kv. What wrangler and curl speak.

#include <vector>

#include "services/core/route.h"
#include "services/kv/kv_access.h"

namespace levada::services::kv {

std::vector<RouteOf<KvAccess>> KvRoutes();

}  // namespace levada::services::kv
