#include "net/client.h"

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <utility>
#include <vector>

#include "base/http_token.h"
#include "net/ascii.h"
#include "net/loop_state.h"

namespace levada::net {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using Tcp = asio::ip::tcp;
using ErrorCode = boost::system::error_code;
using TcpStream = beast::basic_stream<Tcp, Executor>;
using TlsStream = asio::ssl::stream<TcpStream&>;
using Resolver = asio::ip::basic_resolver<Tcp, Executor>;
using Endpoints = std::vector<Tcp::endpoint>;
using Deadline = std::chrono::steady_clock::time_point;

constexpr uint32_t kHeaderBytesMax = 16 * 1024;

/// An operation of Asio, which begins when it is awaited.
template <typename Begin>
class [[nodiscard]] Operation {
 public:
  explicit Operation(Begin begin) : begin_(std::move(begin)) {}
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiting) {
    begin_([this, waiting](const ErrorCode& error, const auto&...) {
      error_ = error;
      waiting.resume();
    });
  }
  ErrorCode await_resume() const noexcept { return error_; }

 private:
  Begin begin_;
  ErrorCode error_;
};

/// What a look-up and a timer bring, whichever is first. A look-up cannot be stopped: it ends later
/// and finds that nobody waits.
struct Lookup {
  std::coroutine_handle<> waiting;
  bool is_done = false;
  ErrorCode error;
  Endpoints endpoints;

  void End(const ErrorCode& with) {
    if (std::exchange(is_done, true)) return;
    error = with;
    waiting.resume();
  }
};

class [[nodiscard]] LookupWait {
 public:
  explicit LookupWait(Lookup& lookup) : lookup_(lookup) {}
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiting) { lookup_.waiting = waiting; }
  void await_resume() const noexcept {}

 private:
  Lookup& lookup_;
};

Task<Result<Endpoints>> Resolve(Loop& loop, const HttpUrl& url, Deadline deadline) {
  ErrorCode is_name;
  const asio::ip::address address = asio::ip::make_address(url.host, is_name);
  if (!is_name) co_return Endpoints{Tcp::endpoint(address, url.port)};
  const auto lookup = std::make_shared<Lookup>();
  Resolver resolver(loop.state().io().get_executor());
  Timer timer(loop.state().io().get_executor());
  resolver.async_resolve(url.host, std::to_string(url.port), Resolver::numeric_service,
                         [lookup](const ErrorCode& error, const Resolver::results_type& found) {
                           if (lookup->is_done) return;
                           for (const auto& each : found) {
                             lookup->endpoints.push_back(each.endpoint());
                           }
                           lookup->End(error);
                         });
  timer.expires_at(deadline);
  timer.async_wait([lookup](const ErrorCode& cancelled) {
    if (!cancelled) lookup->End(beast::error::timeout);
  });
  co_await LookupWait(*lookup);
  if (!lookup->error) co_return std::move(lookup->endpoints);
  const std::string why = lookup->error == beast::error::timeout
                              ? "the look-up of its name takes too long"
                              : "its name is not known: " + lookup->error.message();
  co_return Fault(FaultCode::kTargetIo, "\"" + url.Origin() + "\": " + why);
}

http::request<http::string_body> MessageOf(ClientRequest& request) {
  http::request<http::string_body> message(http::verb::post, request.url.target, 11);
  for (const HeaderField& field : request.headers.fields()) message.set(field.name, field.value);
  message.set(http::field::host, request.url.Authority());
  message.set(http::field::connection, "close");
  message.erase(http::field::transfer_encoding);
  message.body() = std::move(request.body);
  message.prepare_payload();
  return message;
}

Fault NoAnswer(const ClientRequest& request, const ErrorCode& error) {
  std::string why = "it ends the connection without an answer";
  if (error == beast::error::timeout) {
    why = "no answer within " + std::to_string(request.timeout.count()) + " ms";
  } else if (error != http::error::end_of_stream && error != asio::error::connection_reset &&
             error != asio::error::broken_pipe) {
    why = "its answer cannot be read: " + error.message();
  }
  return Fault(FaultCode::kTargetIo, "\"" + request.url.Origin() + "\": " + why);
}

template <typename Stream>
Task<Result<ClientAnswer>> Converse(Stream& stream, ClientRequest& request) {
  const http::request<http::string_body> message = MessageOf(request);
  const ErrorCode not_sent = co_await Operation(
      [&](auto handler) { http::async_write(stream, message, std::move(handler)); });
  // A server that refuses a request answers before it has read all of it.
  http::response_parser<http::string_body> parser;
  parser.header_limit(kHeaderBytesMax);
  parser.body_limit(request.answer_bytes_max);
  beast::flat_buffer buffer(kHeaderBytesMax + kAnswerBytesMax);
  const ErrorCode not_read = co_await Operation(
      [&](auto handler) { http::async_read(stream, buffer, parser, std::move(handler)); });
  const bool is_too_long = not_read == http::error::body_limit && parser.is_header_done();
  if (not_read && !is_too_long) co_return NoAnswer(request, not_sent ? not_sent : not_read);
  ClientAnswer answer;
  answer.status = static_cast<int>(parser.get().result_int());
  for (const auto& field : parser.get()) {
    answer.headers.Add(std::string(field.name_string()), std::string(field.value()));
  }
  answer.is_too_long = is_too_long;
  if (!is_too_long) answer.body = std::move(parser.get().body());
  co_return answer;
}

Task<Result<ClientAnswer>> ConverseSecurely(TcpStream& stream, const ClientTls& tls,
                                            ClientRequest& request) {
  const Result<ssl_st*> session = tls.NewSession(request.url.host);
  if (!session.ok()) co_return session.status();
  TlsStream secure(stream, *session);
  const ErrorCode failed = co_await Operation([&](auto handler) {
    secure.async_handshake(asio::ssl::stream_base::client, std::move(handler));
  });
  if (!failed) co_return co_await Converse(secure, request);
  if (failed == beast::error::timeout) co_return NoAnswer(request, failed);
  const std::string refusal = ClientTls::Refusal(*session);
  co_return Fault(FaultCode::kTlsFailed,
                  "\"" + request.url.Origin() + "\": " +
                      (refusal.empty() ? "no TLS with it: " + failed.message()
                                       : "its certificate is not trusted: " + refusal));
}

}  // namespace

Task<Result<ClientAnswer>> Post(Loop& loop, std::shared_ptr<const ClientTls> tls,
                                ClientRequest request) {
  const Status sendable = CheckSendable(request.headers);
  if (!sendable.ok()) co_return sendable;
  Timer timer(loop.state().io().get_executor());
  timer.expires_after(request.timeout);
  const Deadline deadline = timer.expiry();
  const Result<Endpoints> endpoints = co_await Resolve(loop, request.url, deadline);
  if (!endpoints.ok()) co_return endpoints.status();
  TcpStream stream(loop.state().io().get_executor());
  stream.expires_at(deadline);
  const ErrorCode failed = co_await Operation(
      [&](auto handler) { stream.async_connect(*endpoints, std::move(handler)); });
  if (failed) {
    co_return Fault(FaultCode::kTargetIo,
                    "\"" + request.url.Origin() + "\": cannot be reached: " +
                        (failed == beast::error::timeout ? "no answer" : failed.message()));
  }
  if (!request.url.is_secure) co_return co_await Converse(stream, request);
  if (tls == nullptr) {
    co_return Fault(FaultCode::kTlsFailed, "\"" + request.url.Origin() + "\": TLS is not set up");
  }
  co_return co_await ConverseSecurely(stream, *tls, request);
}

Status CheckSendable(const Headers& headers) {
  for (size_t i = 0; i < headers.fields().size(); ++i) {
    const HeaderField& field = headers.fields()[i];
    if (IsHttpToken(field.name) && std::ranges::none_of(field.value, IsControl)) continue;
    return Fault(FaultCode::kBadValue,
                 "header " + std::to_string(i + 1) + " is none that HTTP could send");
  }
  return Status::OK();
}

}  // namespace levada::net
