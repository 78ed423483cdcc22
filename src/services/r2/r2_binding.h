#pragma once
// R2 as a Worker's binding speaks it: each call is one request to "/", its operation a JSON object
// in a header or before the bytes. Protocol: docs/wire/r2.md, from workerd's
// src/workerd/api/r2-rpc.c++ and r2-api.capnp.

#include "net/http.h"
#include "services/core/grants.h"
#include "services/r2/r2_access.h"

namespace levada::services::r2 {

/// `access` outlives the task.
net::Task<net::Response> ServeBinding(const R2Access& access, net::Request& request,
                                      const Grant& grant);

}  // namespace levada::services::r2
