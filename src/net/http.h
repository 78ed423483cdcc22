#pragma once
// HTTP as a handler sees it: a request whose body is pulled, and a response whose body is a string
// or pulled. Protocol: RFC 9110 and 9112 (HTTP/1.1). Nothing here decodes a target, a cookie or a
// form: doors do that, each as its protocol wants it.

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/fault.h"
#include "net/task.h"

namespace levada::net {

struct HeaderField {
  std::string name;   ///< as it was sent
  std::string value;  ///< without surrounding blanks; raw bytes, 0x80 and above included
};

/// In the order sent. Names are compared without regard to case.
class Headers {
 public:
  /// The first of that name.
  std::optional<std::string_view> Find(std::string_view name) const;
  size_t Count(std::string_view name) const;
  void Add(std::string name, std::string value);
  /// Replaces all of that name.
  void Set(std::string name, std::string value);
  /// Keeps its memory for the next request.
  void Clear() { fields_.clear(); }
  const std::vector<HeaderField>& fields() const { return fields_; }

 private:
  std::vector<HeaderField> fields_;
};

/// Pulls the bytes of a request. A client that expects it is told to continue at the first Read.
class RequestBody {
 public:
  virtual ~RequestBody() = default;
  /// The next bytes, valid until the next Read; empty at the end. Errors: the client went away or
  /// was too slow (a Status of Arrow's kIOError), or sent no valid chunks (kInvalid). Then the
  /// server answers by itself, 408 or 400, and closes: what the handler returns is dropped.
  virtual Task<Result<std::string_view>> Read() = 0;
  /// Content-Length; nullopt for a chunked body.
  virtual std::optional<uint64_t> declared_size() const = 0;
};

/// What a handler makes known of a request beside its answer: for logs and counts, never sent.
struct RequestNotes {
  std::string id;          ///< as the client was told it
  std::string account;     ///< whose it is
  std::string credential;  ///< the id of what it was allowed by, never the secret
  /// The pattern of the route that took it: a text of the program, so that there are few. Empty:
  /// none did.
  std::string_view route;

  /// Keeps its memory.
  void Clear();
};

struct Request {
  std::string method;
  std::string target;      ///< raw, origin form: "/a%20b?x=1"
  std::string_view path;   ///< of target, before the first '?'
  std::string_view query;  ///< of target, after the first '?'; empty without one
  Headers headers;
  std::string peer_address;  ///< "127.0.0.1", "::1"; "" on a Unix socket
  bool secure = false;       ///< over TLS
  RequestBody* body = nullptr;
  RequestNotes notes;  ///< the handler's to fill
};

/// The whole body. kInvalid with "body longer than N" when it is, without reading more than that.
Task<Result<std::string>> ReadAll(RequestBody& body, uint64_t size_max);

/// Makes the bytes of a response. Destroyed when they are sent, or when the client went away.
class ResponseBody {
 public:
  virtual ~ResponseBody() = default;
  /// The next bytes, valid until the next call; empty at the end. After an error or an exception
  /// the connection is cut short of what was announced, so that no client takes a part for the
  /// whole, and the error logged. While it waits for its first bytes the header is sent already.
  virtual Task<Result<std::string_view>> Next() = 0;
};

struct Response {
  int status = 200;
  std::string reason;  ///< empty: the standard phrase of the status
  Headers headers;     ///< without Content-Length, Transfer-Encoding, Connection and Date
  std::string body;
  /// Instead of `body`. With `size` it is announced by Content-Length and checked, else chunked.
  std::unique_ptr<ResponseBody> stream;
  std::optional<uint64_t> size;  ///< of the stream; for HEAD: what GET would announce
  bool close = false;            ///< close the connection behind it
  std::string cause;             ///< why it is a failure, for the log; never sent
};

/// One for each listener. On the loop; many requests are in it at once. It lives until Run of the
/// loop has returned: a task of its may outlast the server that asked.
class Handler {
 public:
  virtual ~Handler() = default;
  /// `request` and its body live until the task has ended. To HEAD answer as to GET: the body is
  /// not sent. What is left of the request's body is read and dropped if little, else the
  /// connection closes. An exception that leaves it is answered by 500 and logged; so is a response
  /// that cannot be sent: a header with a line break in it, or one that belongs to the server.
  virtual Task<Response> Handle(Request& request) = 0;
};

/// One request and what became of it.
struct Exchange {
  const Request& request;   ///< of one that the server refused what was understood of it
  int status = 0;           ///< as sent; kClientGone: nothing was, the body did not arrive
  bool is_refusal = false;  ///< the server's own answer: malformed, too large, too slow
  bool is_cut = false;      ///< not all of the answer was sent
  std::string_view cause;   ///< of a failure; "" when the client just went away
  std::chrono::nanoseconds duration{0};  ///< from the end of the header to the end of the answer
  uint64_t bytes_in = 0;                 ///< header and body, as far as they were read
  uint64_t bytes_out = 0;                ///< header and body, as far as they were sent
};
inline constexpr int kClientGone = 499;

/// Hears of each exchange behind its end. On the loop; lives as long as the handler.
class ExchangeObserver {
 public:
  virtual ~ExchangeObserver() = default;
  virtual void OnEnd(const Exchange& exchange) = 0;
};

/// "Not Found" of 404; "" of what has none.
std::string_view ReasonPhrase(int status);

}  // namespace levada::net
