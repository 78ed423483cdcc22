#pragma once
// The routes of the v4 door that say who one is: what `wrangler whoami` asks, and what every
// command asks first that was given no account.

#include <vector>

#include "services/core/route.h"

namespace levada::services {

std::vector<RouteOf<Control>> IdentityRoutes();

}  // namespace levada::services
