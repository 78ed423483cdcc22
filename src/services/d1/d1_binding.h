#pragma once
// D1 as a Worker's binding speaks it: JSON over HTTP from workerd's built-in D1 client, which looks
// at the body alone and never at the status. Protocol: docs/wire/d1.md, from workerd's
// src/cloudflare/internal/d1-api.ts.

#include "net/http.h"
#include "services/core/grants.h"
#include "services/d1/d1_access.h"

namespace levada::services::d1 {

/// `access` outlives the task.
net::Task<net::Response> ServeBinding(const D1Access& access, net::Request& request,
                                      const Grant& grant);

}  // namespace levada::services::d1
