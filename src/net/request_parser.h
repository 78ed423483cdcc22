#pragma once
// RequestParser: bytes to requests. Beast's parser does the grammar, request_rules.h what a request
// must keep to beyond it, and this joins them and counts what a stranger can make us hold. It knows
// no sockets: the connection feeds it, and so does a fuzzer.

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "net/http.h"
#include "net/request_rules.h"

namespace levada::net {

class RequestParser final {
 public:
  /// The limits of ServerLimits.
  RequestParser(size_t header_bytes_max, size_t header_fields_max);
  ~RequestParser();
  RequestParser(const RequestParser&) = delete;
  RequestParser& operator=(const RequestParser&) = delete;

  /// The next request, which is filled while its header comes.
  void Begin(Request& request);

  struct HeaderStep {
    size_t consumed = 0;  ///< also when it is refused
    bool is_complete = false;
    std::optional<Refusal> refusal;  ///< parse no more of this connection
  };
  /// Takes of `bytes` what it can; what it leaves is given again, with more behind it.
  HeaderStep ParseHeader(std::string_view bytes);
  /// Whether anything of the request has come; an empty line before it does not count.
  bool has_begun() const;
  /// Of a complete header.
  const RequestFraming& framing() const { return framing_; }

  struct BodyStep {
    size_t consumed = 0;
    std::string_view piece;  ///< within `bytes`
    bool is_complete = false;
    bool is_malformed = false;  ///< parse no more of this connection
  };
  /// The next piece of a chunked body; with neither piece nor end it needs more bytes. Trailers are
  /// checked and dropped.
  BodyStep ParseChunks(std::string_view bytes);

 private:
  class Grammar;

  HeaderStep Refuse(size_t consumed, Refusal refusal) const;
  std::optional<Refusal> Finish();

  const size_t header_bytes_max_;
  const size_t header_fields_max_;
  std::unique_ptr<Grammar> grammar_;
  Request* request_ = nullptr;
  RequestFraming framing_;
  size_t header_bytes_ = 0;  // taken of this request
};

}  // namespace levada::net
