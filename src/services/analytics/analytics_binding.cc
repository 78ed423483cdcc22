#include "services/analytics/analytics_binding.h"

#include <utility>

namespace levada::services::analytics {
namespace {

using net::Response;
using net::Task;

Response Refusal(int status, std::string reason, std::string cause = {}) {
  Response response;
  response.status = status;
  response.reason = std::move(reason);
  response.cause = std::move(cause);
  return response;
}

}  // namespace

Task<Response> ServeBinding(const AnalyticsAccess& access, net::Request& request,
                            const Grant& grant) {
  request.notes.route = "analytics";
  if (request.method != "POST") co_return Refusal(405, "Method Not Allowed");
  if (grant.action < Action::kWrite) co_return Refusal(403, "This binding only reads");
  const Result<std::string> body =
      co_await net::ReadAll(*request.body, access.limits.binding_bytes_max);
  if (!body.ok()) {
    co_return Refusal(body.status().IsInvalid() ? 413 : 400, "The point did not arrive whole");
  }
  auto point = ParseBindingPoint(access.limits, access.clock.Now(), *body);
  if (const auto* bad = std::get_if<BadPoint>(&point)) co_return Refusal(400, bad->message);
  std::vector<DataPoint> points;
  points.push_back(std::get<DataPoint>(std::move(point)));
  const Status written = co_await WritePoints(access, grant.resource, std::move(points));
  if (!written.ok()) {
    const ApiError error = ErrorOf(written);
    co_return Refusal(error.status, error.message, error.cause);
  }
  co_return Response{};
}

}  // namespace levada::services::analytics
