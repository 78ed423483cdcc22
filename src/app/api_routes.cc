#include "app/api_routes.h"

#include <utility>

#include "base/json.h"
#include "services/analytics/analytics_rest.h"
#include "services/core/identity_rest.h"
#include "services/d1/d1_rest.h"
#include "services/kv/kv_rest.h"
#include "services/queues/queue_rest.h"
#include "services/r2/r2_notification_rest.h"
#include "services/r2/r2_rest.h"
#include "services/s3/s3_door.h"

namespace levada::app {
namespace {

using services::Need;
using services::RouteOf;
using services::Scope;
using services::Service;
using services::s3::S3Level;
using services::s3::S3Need;
using services::s3::S3Operation;

/// Shows each service's table to `visit`.
template <typename Visit>
void VisitTables(const Visit& visit) {
  visit(services::IdentityRoutes());
  visit(services::AuditRoutes());
  visit(services::kv::KvRoutes());
  visit(services::r2::R2Routes());
  visit(services::r2::NotificationRoutes());
  visit(services::queues::QueueRoutes());
  visit(services::d1::D1Routes());
  visit(services::analytics::AnalyticsRoutes());
}

Json JsonOf(const Need& need) {
  Json json = {{"token", need.needs_token()}};
  if (const auto& scope = need.scope()) {
    json["scope"] = services::TextOf(Scope{scope->first, scope->second, ""});
  }
  if (!need.parameter().empty()) json["resource"] = need.parameter();
  if (!need.why().empty()) json["why"] = need.why();
  return json;
}

Json JsonOf(const S3Need& need) {
  Json json = {{"token", true}};
  if (need.action()) {
    json["scope"] = services::TextOf(Scope{Service::kR2, *need.action(), ""});
    json["resource"] = "bucket";
  }
  if (need.may_be_public()) json["public"] = true;
  return json;
}

std::string_view PathOf(S3Level level) {
  switch (level) {
    case S3Level::kService:
      return "/";
    case S3Level::kBucket:
      return "/{bucket}";
    case S3Level::kObject:
      return "/{bucket}/{key*}";
  }
  return {};
}

Json JsonOf(std::string_view method, std::string pattern, const Need& need,
            std::string_view summary) {
  return {{"door", "api"},
          {"method", method},
          {"pattern", std::move(pattern)},
          {"need", JsonOf(need)},
          {"summary", summary}};
}

Json JsonOf(const S3Operation& operation) {
  return {{"door", "s3"},
          {"method", operation.method},
          {"pattern", PathOf(operation.level)},
          {"operation", operation.name},
          {"query", operation.query},
          {"header", operation.header},
          {"need", JsonOf(operation.need)},
          {"summary", operation.summary}};
}

}  // namespace

void AddApiRoutes(services::V4Door& door, const ApiServices& with) {
  VisitTables([&]<typename Services>(std::vector<RouteOf<Services>> table) {
    door.Add(services::Bind(std::move(table), std::get<const Services&>(with)));
  });
}

std::string RoutesJson() {
  Json routes = Json::array();
  // FrontDoor's own, beside the API.
  routes.push_back(JsonOf("GET", "/health", Need::Nothing("says only that requests are answered"),
                          "whether requests are answered"));
  routes.push_back(JsonOf("GET", "/metrics",
                          Need::ScopeOf(Service::kMetrics, services::Action::kRead),
                          "what goes on, as Prometheus reads it; --metrics says who may"));
  VisitTables([&]<typename Services>(const std::vector<RouteOf<Services>>& table) {
    for (const RouteOf<Services>& route : table) {
      std::string pattern = std::string(services::kApiPrefix) + std::string(route.pattern);
      routes.push_back(JsonOf(route.method, std::move(pattern), route.need, route.summary));
    }
  });
  for (const S3Operation& operation : services::s3::AllOperations()) {
    routes.push_back(JsonOf(operation));
  }
  return Dump(Json{{"levada_routes", 1}, {"routes", std::move(routes)}}, 2) + "\n";
}

}  // namespace levada::app
