#include "services/core/api.h"

#include <utility>

#include "base/json.h"
#include "services/core/on_thread.h"

namespace levada::services {

net::Response JsonResponse(int status, std::string text) {
  net::Response response;
  response.status = status;
  response.headers.Add("Content-Type", "application/json");
  response.body = std::move(text);
  return response;
}

net::Response Success(std::string result, const std::string& result_info) {
  std::string text = R"({"success":true,"errors":[],"messages":[],"result":)" + std::move(result);
  if (!result_info.empty()) text += R"(,"result_info":)" + result_info;
  text += "}";
  return JsonResponse(200, std::move(text));
}

net::Response Failure(const ApiError& error) {
  net::Response response = JsonResponse(
      error.status, R"({"success":false,"errors":[{"code":)" + std::to_string(error.code) +
                        R"(,"message":)" + QuoteJson(error.message) +
                        R"(}],"messages":[],"result":null})");
  response.cause = error.cause;
  if (error.retry_after_s) {
    response.headers.Add("Retry-After", std::to_string(*error.retry_after_s));
  }
  return response;
}

ApiError ErrorOf(const Status& status) {
  if (IsBusy(status)) return TooBusy();
  ApiError error{500, kInternalError, "the daemon could not do this; its log says why",
                 std::nullopt, status.ToString()};
  switch (CodeOf(status)) {
    case FaultCode::kDiskFull:
      error.status = 507;
      error.message =
          "the disk of this daemon is full: it reads and deletes, and writes again when there is "
          "room";
      error.retry_after_s = 30;
      break;
    case FaultCode::kStoreDamaged:
      error.message = "this data is damaged on disk; the daemon's log names it";
      break;
    default:
      break;
  }
  return error;
}

ApiError TooBusy() {
  return {503, kInternalError, "too many requests are waiting; try again", 1,
          "too many requests are waiting"};
}

}  // namespace levada::services
