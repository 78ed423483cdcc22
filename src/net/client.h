#pragma once
// Post: one HTTP/1.1 request of ours to another server, and its answer. A connection each, for what
// is sent now and then; whole bodies, no redirects, no proxies, no cookies, no compression.
//
// Protocol: RFC 9110 and 9112; grammar and framing by Beast.

#include <chrono>
#include <memory>
#include <string>

#include "base/fault.h"
#include "net/client_tls.h"
#include "net/http.h"
#include "net/http_url.h"
#include "net/loop.h"

namespace levada::net {

/// Of an answer, unless the request allows more.
inline constexpr size_t kAnswerBytesMax = 64 * 1024;

struct ClientRequest {
  HttpUrl url;
  /// Besides Host, Content-Length and Connection, which are ours.
  Headers headers;
  std::string body;
  std::chrono::milliseconds timeout{10'000};  ///< from the first look-up to the answer's last byte
  size_t answer_bytes_max = kAnswerBytesMax;
};

struct ClientAnswer {
  int status = 0;
  Headers headers;
  std::string body;
  bool is_too_long = false;  ///< and the body is empty: it was longer than allowed
};

/// On the loop, which it never blocks; names are looked up by a thread of Asio's, which is waited
/// for when the loop is destroyed. `loop` outlives it, `tls` may be null for http. Errors, with the
/// origin of the URL and never its target or a header: kTargetIo when there is no answer in time,
/// or none that is HTTP; kTlsFailed when the server's certificate is not trusted.
Task<Result<ClientAnswer>> Post(Loop& loop, std::shared_ptr<const ClientTls> tls,
                                ClientRequest request);

/// Whether Post can send them. Errors: kBadValue, with the header's place and never its value.
Status CheckSendable(const Headers& headers);

}  // namespace levada::net
