#pragma once
// Queues as a Worker's binding speaks it: HTTP from workerd, which sends and asks how long the
// queue is. Errors stand in the reason phrase and in two headers: an older Worker's code sees the
// one, a newer the others. Protocol: docs/wire/queues.md, from workerd's src/workerd/api/queue.c++.

#include "net/http.h"
#include "services/core/grants.h"
#include "services/queues/queue_access.h"

namespace levada::services::queues {

/// `access` outlives the task.
net::Task<net::Response> ServeBinding(const QueueAccess& access, net::Request& request,
                                      const Grant& grant);

}  // namespace levada::services::queues
