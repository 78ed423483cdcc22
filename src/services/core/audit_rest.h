#pragma once
// The route of the v4 door that shows the audit log of one account: who changed what, when and from
// where, in the shape of Cloudflare's audit logs.

#include <string>
#include <vector>

#include "net/loop.h"
#include "services/core/route.h"

namespace levada::services {

/// What the route works with; all outlive it.
struct AuditAccess {
  const Control& control;
  net::Loop& loop;
  net::Workers& workers;
};

std::vector<RouteOf<AuditAccess>> AuditRoutes();

/// One entry as Cloudflare has them. A token acts as the user that /user shows, the command line of
/// the daemon's machine as an "admin", the daemon itself as "Cloudflare", which is the API's word
/// for an automated system.
std::string JsonOf(const AuditEntry& entry);

}  // namespace levada::services
