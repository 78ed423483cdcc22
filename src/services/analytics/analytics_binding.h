#pragma once
// The Analytics Engine as a Worker's binding speaks it: a POST for each point, behind the end of
// the handler. Protocol: docs/wire/analytics.md, from workerd's
// src/workerd/api/analytics-engine.c++.

#include "net/http.h"
#include "services/analytics/analytics_access.h"
#include "services/core/grants.h"

namespace levada::services::analytics {

/// `access` outlives the task.
net::Task<net::Response> ServeBinding(const AnalyticsAccess& access, net::Request& request,
                                      const Grant& grant);

}  // namespace levada::services::analytics
