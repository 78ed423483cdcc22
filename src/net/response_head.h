#pragma once
// The head of a response: status line and header fields, as text. Here a handler's mistake is found
// before a byte of it is sent.

#include <cstdint>
#include <string>
#include <string_view>

#include "net/http.h"

namespace levada::net {

/// How the body is told from what follows it.
enum class BodyFraming : uint8_t {
  kNone,        ///< there is none: HEAD, 204, 304
  kText,        ///< Response::body, with Content-Length
  kSized,       ///< Response::stream, with Content-Length
  kChunked,     ///< Response::stream in chunks
  kUntilClose,  ///< Response::stream for HTTP/1.0: ends with the connection
};

/// What the request and the connection decide.
struct ResponseTerms {
  bool is_head = false;
  bool is_http_1_0 = false;
  bool keep_alive = false;
  std::string_view date_line = {};  ///< "Date: ...\r\n"
};

struct ResponseHead {
  std::string text;
  BodyFraming framing = BodyFraming::kNone;
  bool keep_alive = false;  ///< what was announced
};

/// What a handler did wrong: a status that is none of an answer, a name that is no token, a value
/// with a line break, a field that belongs to the server. Empty when nothing.
std::string ProblemOf(const Response& response);

/// Precondition: no problem. `memory` is an old text, whose memory is taken.
ResponseHead MakeHead(const Response& response, const ResponseTerms& terms, std::string memory);

/// "1f\r\n"
std::string ChunkSizeLine(uint64_t size);

}  // namespace levada::net
