#pragma once
// What the doors of `levada serve` answer to: one list of the services' tables, from which the
// daemon makes its doors, and `levada schema --routes` the reference.

#include <string>
#include <tuple>

#include "services/analytics/analytics_access.h"
#include "services/core/audit_rest.h"
#include "services/core/control.h"
#include "services/core/route.h"
#include "services/d1/d1_access.h"
#include "services/kv/kv_access.h"
#include "services/queues/queues.h"
#include "services/r2/r2_access.h"

namespace levada::app {

/// What routes of the v4 door work with; each outlives the door.
using ApiServices =
    std::tuple<const services::Control&, const services::AuditAccess&,
               const services::kv::KvAccess&, const services::r2::R2Access&,
               const services::queues::QueueServices&, const services::d1::D1Access&,
               const services::analytics::AnalyticsAccess&>;

/// The routes of every service. Before the door serves.
void AddApiRoutes(services::V4Door& door, const ApiServices& with);

/// The routes of the API's listener and the operations of the S3 listener as JSON, with what each
/// needs of whoever calls:
///
///     {"levada_routes": 1, "routes": [
///       {"door": "api", "method": "GET", "pattern": "/client/v4/accounts/{account}/...",
///        "need": {"token": true, "scope": "kv:read", "resource": "namespace"}, "summary": "..."},
///       {"door": "s3", "method": "GET", "pattern": "/{bucket}/{key*}", "operation": "ListParts",
///        "query": "uploadId", "header": "", "need": {...}, "summary": "..."}, ...]}
///
/// A need without "resource" is of the service as a whole, one without "scope" is any token, or
/// nobody's; "public" is given to everybody where the bucket is public. Ends with a newline.
std::string RoutesJson();

}  // namespace levada::app
