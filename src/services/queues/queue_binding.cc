#include "services/queues/queue_binding.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/json.h"
#include "base/utf8.h"
#include "services/queues/queue_error.h"
#include "services/queues/queue_json.h"
#include "services/queues/queue_rules.h"

namespace levada::services::queues {
namespace {

using net::Request;
using net::Response;
using net::Task;

constexpr std::string_view kFormatHeader = "X-Msg-Fmt";
constexpr std::string_view kDelayHeader = "X-Msg-Delay-Secs";
// 256,000 bytes in base64, with the members beside them.
constexpr uint64_t kBatchBodyMax = 1024 * 1024;

Response Refuse(const ApiError& error) {
  Response response;
  response.status = error.status;
  response.reason = error.message;
  response.cause = error.cause;
  response.headers.Add("CF-Queues-Error-Code", std::to_string(error.code));
  response.headers.Add("CF-Queues-Error-Cause", error.message);
  return response;
}

Response Refuse(int status, int64_t code, std::string message) {
  return Refuse(ApiError{status, code, std::move(message), std::nullopt});
}

Response Refuse(const Status& status) {
  ApiError error = ErrorOfQueue(status, QueueDoor::kMessages);
  if (error.code == kInternalError) error.code = kUnknownError;
  return Refuse(error);
}

/// Of a header.
struct HeaderNumber {
  std::optional<ApiError> error;
  std::optional<int64_t> value;
};

/// A number of a header; an error when it is none.
HeaderNumber ReadHeader(const Request& request, std::string_view name) {
  const auto text = request.headers.Find(name);
  if (!text) return {};
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc() || end != text->data() + text->size()) {
    return {
        ApiError{400, kBadMetadata, std::string(name) + ": expected a whole number", std::nullopt},
        std::nullopt};
  }
  return {std::nullopt, value};
}

/// Of a member or a header that is absent where a Worker serialized the value.
std::optional<ContentType> TypeOf(std::optional<std::string_view> name) {
  return name ? ContentTypeOf(*name) : ContentType::kV8;
}

/// workerd sends no other; what would be shown otherwise than it was sent is not taken.
bool IsOfItsType(const NewMessage& message) {
  if (message.type == ContentType::kText) return IsUtf8(message.body);
  return message.type != ContentType::kJson || !ParseJson(message.body).is_discarded();
}

Task<Response> Send(const QueueAccess& access, uint64_t queue, AskedMessages asked) {
  if (asked.error) co_return Refuse(*asked.error);
  if (!std::ranges::all_of(asked.messages, IsOfItsType)) {
    co_return Refuse(400, kBadMetadata, "a body is not of its content type: UTF-8, or JSON");
  }
  if (auto refusal = CheckSend(access.store.limits(), asked.messages)) {
    co_return Refuse(ErrorOfMessages(*std::move(refusal)));
  }
  const Result<SendAnswer> sent = co_await SendMessages(access, queue, std::move(asked.messages));
  if (!sent.ok()) co_return Refuse(sent.status());
  if (sent->outcome == SendOutcome::kBacklogFull) co_return Refuse(BacklogIsFull());
  co_return JsonResponse(200,
                         R"({"metadata":{"metrics":)" + ShowBacklogToBinding(sent->backlog) + "}}");
}

Task<Response> SendOne(const QueueAccess& access, Request& request, uint64_t queue) {
  const QueueLimits& limits = access.store.limits();
  const HeaderNumber delay = ReadHeader(request, kDelayHeader);
  if (delay.error) co_return Refuse(*delay.error);
  const auto type = TypeOf(request.headers.Find(kFormatHeader));
  if (!type) co_return Refuse(BadContentType());
  Result<std::string> body = co_await net::ReadAll(*request.body, limits.message_bytes_max);
  if (!body.ok() && body.status().IsInvalid()) {
    const uint64_t size = request.body->declared_size().value_or(limits.message_bytes_max + 1);
    co_return Refuse(413, kMessageTooLarge,
                     "message length of " + std::to_string(size) + " bytes exceeds limit of " +
                         std::to_string(limits.message_bytes_max));
  }
  if (!body.ok()) co_return Refuse(400, kMalformedJson, "the message did not arrive whole");
  AskedMessages asked;
  NewMessage& message = asked.messages.emplace_back();
  message.type = *type;
  message.body = *std::move(body);
  message.delay_s = delay.value;
  co_return co_await Send(access, queue, std::move(asked));
}

Task<Response> SendBatch(const QueueAccess& access, Request& request, uint64_t queue) {
  const HeaderNumber delay = ReadHeader(request, kDelayHeader);
  if (delay.error) co_return Refuse(*delay.error);
  const Result<std::string> body = co_await net::ReadAll(*request.body, kBatchBodyMax);
  if (!body.ok() && body.status().IsInvalid()) {
    co_return Refuse(413, kBatchTooLarge,
                     "messages together exceed limit of " +
                         std::to_string(access.store.limits().send_bytes_max));
  }
  if (!body.ok()) co_return Refuse(400, kMalformedJson, "the messages did not arrive whole");
  co_return co_await Send(access, queue, ReadBindingBatch(*body, delay.value));
}

Task<Response> Metrics(const QueueAccess& access, uint64_t queue) {
  const Result<Backlog> backlog = co_await ReadBacklog(access, queue);
  if (!backlog.ok()) co_return Refuse(backlog.status());
  co_return JsonResponse(200, ShowBacklogToBinding(*backlog));
}

}  // namespace

Task<Response> ServeBinding(const QueueAccess& access, Request& request, const Grant& grant) {
  const uint64_t queue = grant.resource;
  request.notes.route = "queues";
  if (request.method == "GET" && request.path == "/metrics") {
    co_return co_await Metrics(access, queue);
  }
  if (request.method != "POST" || (request.path != "/message" && request.path != "/batch")) {
    co_return Refuse(405, kNoRoute, "Method Not Allowed");
  }
  if (grant.action < Action::kWrite) {
    co_return Refuse(403, kUnauthorized, "This binding only reads");
  }
  if (request.path == "/batch") co_return co_await SendBatch(access, request, queue);
  co_return co_await SendOne(access, request, queue);
}

}  // namespace levada::services::queues
