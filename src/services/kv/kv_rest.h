#pragma once
// KV's routes of the v4 door: /accounts/{account}/storage/kv. What wrangler, Terraform and curl
// speak.

#include <vector>

#include "services/core/route.h"
#include "services/kv/kv_access.h"

namespace levada::services::kv {

/// `access` and all of it outlive the routes.
std::vector<Route> KvRoutes(const KvAccess& access);

}  // namespace levada::services::kv
