#pragma once
// The routes of the v4 door that say who one is: what `wrangler whoami` asks, and what every
// command asks first that was given no account.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "services/core/route.h"

namespace levada::services {

std::vector<RouteOf<Control>> IdentityRoutes();

/// What stands where Cloudflare has a person's address: "token-0f0c9a7e@levada.local".
std::string TokenEmail(std::string_view token_id);
/// The first digits of the token's id in such an address; nullopt: it is another's.
std::optional<std::string> TokenOfEmail(std::string_view email);

}  // namespace levada::services
