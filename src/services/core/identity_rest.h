#pragma once
// The routes of the v4 door that say who one is: what `wrangler whoami` asks, and what every
// command asks first that was given no account.

#include <vector>

#include "services/core/route.h"

namespace levada::services {

/// `control` outlives the routes.
std::vector<Route> IdentityRoutes(const Control& control);

}  // namespace levada::services
