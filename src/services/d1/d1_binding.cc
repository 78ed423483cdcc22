#include "services/d1/d1_binding.h"

#include <utility>

#include "base/json.h"
#include "base/url.h"

namespace levada::services::d1 {
namespace {

using net::Request;
using net::Response;
using net::Task;

constexpr std::string_view kSessionHeader = "x-cf-d1-session-commit-token";
constexpr uint64_t kBodyBytesMax = 32 * 1024 * 1024;

std::string FailureText(std::string_view message) {
  return R"({"success":false,"error":)" + QuoteJson(message) + "}";
}

/// Of exec the client wants to know the line: the results before it say nothing.
std::string ExecFailure(std::string_view message, size_t line) {
  std::string text = "[";
  for (size_t i = 0; i < line; ++i) {
    text += R"({"results":[],"success":true,"meta":{"duration":0}},)";
  }
  return text + FailureText(message) + "]";
}

Response Refusal(int status, std::string_view message, std::string cause = {}) {
  Response response = JsonResponse(status, FailureText(message));
  response.cause = std::move(cause);
  return response;
}

RowShape ShapeOf(const Request& request) {
  for (const UrlParameter& parameter : UrlParameters(request.query)) {
    if (FormDecoded(parameter.name) == "resultsFormat" && parameter.value &&
        FormDecoded(*parameter.value) == "ROWS_AND_COLUMNS") {
      return RowShape::kColumns;
    }
  }
  return RowShape::kObjects;
}

Task<Response> Query(const D1Access& access, Request& request, const Grant& grant,
                     Resource database, bool is_exec) {
  const Result<std::string> body = co_await net::ReadAll(*request.body, kBodyBytesMax);
  if (!body.ok()) {
    co_return body.status().IsInvalid() ? Refusal(413, "the request is longer than 32 MiB")
                                        : Refusal(400, "the request did not arrive whole");
  }
  ParsedRequest parsed = ParseRequest(*body);
  if (parsed.refusal) co_return Refusal(400, *parsed.refusal);
  RequestOptions options;
  options.may_write = grant.action >= Action::kWrite;
  options.shape = ShapeOf(request);
  options.items = AnswerItems::kTexts;
  const bool is_list = parsed.is_list;
  Result<Answered> answered =
      co_await RunRequest(access, std::move(database), std::move(parsed.texts), options);
  if (!answered.ok()) {
    const ApiError error = D1ErrorOf(answered.status());
    co_return Refusal(error.status, error.message, error.cause);
  }
  Response response = JsonResponse(200, {});
  response.headers.Add(std::string(kSessionHeader), answered->bookmark);
  std::string& json = answered->json;
  if (answered->error) {
    const std::string& message = answered->error->message;
    response.body =
        is_list ? ExecFailure(message, is_exec ? answered->error->text : 0) : FailureText(message);
  } else if (is_list) {
    response.body = std::move(json);
  } else {
    response.body = json.substr(1, json.size() - 2);  // the one in the list
  }
  co_return response;
}

}  // namespace

Task<Response> ServeBinding(const D1Access& access, Request& request, const Grant& grant) {
  request.notes.route = "d1";
  std::optional<Resource> database = access.control.FindResourceByNumber(grant.resource);
  const bool is_there = database && database->account == grant.account &&
                        database->kind == ResourceKind::kDatabase && Databases::IsReady(*database);
  if (!is_there) co_return Refusal(404, "the database of this binding is gone");
  const bool is_exec = request.path == "/execute";
  if (request.method != "POST" || (!is_exec && request.path != "/query")) {
    co_return Refusal(404, "no such operation of D1; it is not in this version of levada");
  }
  co_return co_await Query(access, request, grant, *std::move(database), is_exec);
}

}  // namespace levada::services::d1
