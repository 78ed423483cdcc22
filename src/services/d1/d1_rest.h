#pragma once
// D1's routes of the v4 door: /accounts/{account}/d1/database, and the files of imports and
// exports. What wrangler and curl speak. A database in a path is its UUID or its name.

#include <vector>

#include "services/core/route.h"
#include "services/d1/d1_access.h"

namespace levada::services::d1 {

std::vector<RouteOf<D1Access>> D1Routes();

}  // namespace levada::services::d1
