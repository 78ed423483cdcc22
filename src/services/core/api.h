#pragma once
// What a handler of the v4 door says: a result in Cloudflare's envelope, or an error with a number
// that its clients know. The envelope: {"success","errors","messages","result","result_info"?}.

#include <cstdint>
#include <optional>
#include <string>

#include "net/http.h"

namespace levada::services {

/// An error as a client gets it. Not a Fault: nothing is wrong with us.
struct ApiError {
  int status = 400;  ///< HTTP
  int64_t code = 0;  ///< of the API
  std::string message;
  std::optional<int64_t> retry_after_s;
  std::string cause = {};  ///< for the log alone
};

/// `result` is JSON text: "null", "{...}", "[...]"; `result_info` likewise, "" for none.
net::Response Success(std::string result, const std::string& result_info = {});
net::Response Failure(const ApiError& error);
/// A JSON text without the envelope.
net::Response JsonResponse(int status, std::string text);

/// What failed inside: 507 for a full disk, 503 for Busy, else 500. The message says what
/// the client can know; its cause, which the log gets, has the rest.
ApiError ErrorOf(const Status& status);
/// More work than can be taken now: 503 with Retry-After.
ApiError TooBusy();

// Numbers that more than one service answers with.
inline constexpr int64_t kNoRoute = 7003;
inline constexpr int64_t kAuthenticationError = 10000;
inline constexpr int64_t kInvalidToken = 1000;
inline constexpr int64_t kInternalError = 10001;
inline constexpr int64_t kBadRequest = 10012;

}  // namespace levada::services
