#include "services/analytics/analytics_rest.h"

#include <utility>

#include "services/core/on_thread.h"

namespace levada::services::analytics {
namespace {

using net::Response;
using net::Task;

// The language's own limit is below it, and says so in its words.
constexpr uint64_t kQueryBytesMax = 1024 * 1024;

Response Refuse(int status, std::string message) {
  return Failure({status, kBadRequest, std::move(message), std::nullopt});
}

std::string_view ContentTypeOf(const QueryAnswer& answer) {
  if (answer.status != 200) return "text/plain; charset=UTF-8";
  switch (answer.format) {
    case aesql::Format::kJson:
      return "application/json; charset=UTF-8";
    case aesql::Format::kJsonEachRow:
      return "application/x-ndjson; charset=UTF-8";
    case aesql::Format::kTabSeparated:
      return "text/tab-separated-values; charset=UTF-8";
  }
  return {};
}

Task<Response> Answered(const AnalyticsAccess& access, Call& call, std::string sql) {
  QueryAnswer answer = co_await RunQuery(access, call.account.row, std::move(sql));
  Response response;
  response.status = answer.status;
  response.headers.Add("Content-Type", std::string(ContentTypeOf(answer)));
  if (answer.retry_after_s) {
    response.headers.Add("Retry-After", std::to_string(*answer.retry_after_s));
  }
  response.body = std::move(answer.text);
  response.cause = std::move(answer.cause);
  co_return response;
}

/// The statement is the body. Clients of ClickHouse send it in the address, or its beginning there
/// and the rest of it in the body.
Task<Response> Post(const AnalyticsAccess& access, Call& call) {
  Result<std::string> body = co_await net::ReadAll(*call.request.body, kQueryBytesMax);
  if (!body.ok()) {
    co_return Refuse(body.status().IsInvalid() ? 413 : 400, body.status().message());
  }
  std::string sql = call.Query("query").value_or("");
  if (!sql.empty() && !body->empty()) sql += "\n";
  co_return co_await Answered(access, call, sql + *body);
}

Task<Response> Get(const AnalyticsAccess& access, Call& call) {
  std::string sql = call.Query("query").value_or("");
  co_return co_await Answered(access, call, std::move(sql));
}

Task<Response> Write(const AnalyticsAccess& access, Call& call) {
  const std::string name = call.Query("dataset").value_or("");
  if (name.empty()) co_return Refuse(400, "name the dataset: write?dataset=NAME");
  const Result<std::string> body =
      co_await net::ReadAll(*call.request.body, access.limits.bulk_bytes_max);
  if (!body.ok()) {
    co_return Refuse(body.status().IsInvalid() ? 413 : 400, body.status().message());
  }
  using Lines = std::variant<std::vector<DataPoint>, BadPoint>;
  const WallMicros now = access.clock.Now();
  Result<Lines> lines = co_await OnThread(access.loop, access.workers, [&]() -> Result<Lines> {
    return ParseLines(access.limits, now, *body);
  });
  if (!lines.ok()) co_return Failure(ErrorOf(lines.status()));
  if (const auto* bad = std::get_if<BadPoint>(&*lines)) co_return Refuse(400, bad->message);
  auto& points = std::get<std::vector<DataPoint>>(*lines);
  const size_t count = points.size();
  const Actor actor = call.actor();
  auto dataset = co_await DatasetNamed(access, call.account, name, actor);
  if (const auto* error = std::get_if<ApiError>(&dataset)) co_return Failure(*error);
  const Status written =
      co_await WritePoints(access, std::get<Resource>(dataset).number, std::move(points));
  if (!written.ok()) co_return Failure(ErrorOf(written));
  co_return Success(R"({"points":)" + std::to_string(count) + "}");
}

}  // namespace

std::vector<RouteOf<AnalyticsAccess>> AnalyticsRoutes() {
  constexpr std::string_view kSql = "/accounts/{account}/analytics_engine/sql";
  constexpr std::string_view kWrite = "/accounts/{account}/analytics_engine/write";
  const Need read = Need::ScopeOf(Service::kAnalytics, Action::kRead);
  const Need write = Need::ScopeOf(Service::kAnalytics, Action::kWrite);
  return {
      {"POST", kSql, read, "runs a query: the body", Post},
      {"GET", kSql, read, "runs a query: query= of the address", Get},
      {"POST", kWrite, write, "writes up to 10000 points, a JSON object on each line, all or none",
       Write},
  };
}

}  // namespace levada::services::analytics
