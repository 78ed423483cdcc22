#pragma once
// KV as a Worker's binding speaks it: HTTP from workerd, errors in the reason phrase, since that is
// what the Worker's code sees. Protocol: docs/wire/kv.md, from workerd's src/workerd/api/kv.c++.

#include "net/http.h"
#include "services/core/grants.h"
#include "services/kv/kv_access.h"

namespace levada::services::kv {

/// `access` outlives the task.
net::Task<net::Response> ServeBinding(const KvAccess& access, net::Request& request,
                                      const Grant& grant);

}  // namespace levada::services::kv
