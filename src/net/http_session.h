#pragma once
// HttpSession: HTTP/1.1 requests of ours over connections that are kept open, by blocking calls:
// for what runs on threads (a place in an object store), where client.h is for what runs on the
// loop. No redirects, no cookies, no compression; proxies as the environment names them.
//
// Protocol: RFC 9110 and 9112; all of it, TLS included, by libcurl, whose one includer this is.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/context.h"
#include "base/fault.h"
#include "net/http.h"

namespace levada::net {

struct SessionRequest {
  std::string method;     ///< "PUT"
  std::string url;        ///< sent as it is: nothing in its path is folded or encoded anew
  Headers headers;        ///< Host among them where it is signed; without Content-Length
  std::string_view body;  ///< borrowed until Send returns
  size_t answer_bytes_max = size_t{1} << 20;
};

struct SessionAnswer {
  int status = 0;
  Headers headers;
  std::string body;
};

struct SessionLimits {
  std::chrono::milliseconds connect_timeout{10'000};
  /// Without a byte either way.
  std::chrono::seconds stall_timeout{30};
  std::string ca_file;  ///< PEM; empty: the system's
};

/// One thread at a time; the connection is the session's own and closes with it.
class HttpSession {
 public:
  virtual ~HttpSession() = default;
  /// Ends within a second of a stop or at the deadline of `ctx`, with its fault. Every status is an
  /// answer. Errors, naming the origin of the URL and never its query or a header:
  /// kTargetUnreachable, kTargetConnectionLost (what was sent may have been acted upon),
  /// kTlsFailed, kTargetIo for an answer longer than allowed and for what is no HTTP.
  virtual Result<SessionAnswer> Send(const Context& ctx, const SessionRequest& request) = 0;
};

/// kInternal when libcurl cannot begin.
Result<std::unique_ptr<HttpSession>> MakeHttpSession(SessionLimits limits = {});

}  // namespace levada::net
