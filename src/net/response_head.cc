#include "net/response_head.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/http_token.h"
#include "net/ascii.h"

namespace levada::net {
namespace {

constexpr std::string_view kServerFields[] = {"Content-Length", "Transfer-Encoding", "Connection",
                                              "Date"};

template <int kBase>
void AppendNumber(uint64_t number, std::string& text) {
  char digits[20];
  const auto result = std::to_chars(digits, digits + sizeof digits, number, kBase);
  text.append(digits, result.ptr);
}

void AppendStatusLine(const Response& response, std::string& text) {
  text += "HTTP/1.1 ";
  AppendNumber<10>(static_cast<uint64_t>(response.status), text);
  text += ' ';
  if (response.reason.empty()) {
    text += ReasonPhrase(response.status);
  } else {
    for (const char letter : response.reason) text += IsControl(letter) ? ' ' : letter;
  }
  text += "\r\n";
}

void AppendLength(uint64_t size, std::string& text) {
  text += "Content-Length: ";
  AppendNumber<10>(size, text);
  text += "\r\n";
}

/// How the body of a GET would be framed; for HEAD that is announced and not sent.
BodyFraming FramingOf(const Response& response, const ResponseTerms& terms) {
  if (response.status == 204 || response.status == 304) return BodyFraming::kNone;
  if (response.stream == nullptr) return BodyFraming::kText;
  if (response.size) return BodyFraming::kSized;
  return terms.is_http_1_0 ? BodyFraming::kUntilClose : BodyFraming::kChunked;
}

void AppendFraming(const Response& response, const ResponseTerms& terms, BodyFraming framing,
                   std::string& text) {
  switch (framing) {
    case BodyFraming::kText:
      // A handler that answers HEAD need not make the body.
      AppendLength(terms.is_head && response.size ? *response.size : response.body.size(), text);
      return;
    case BodyFraming::kSized:
      return AppendLength(*response.size, text);
    case BodyFraming::kChunked:
      text += "Transfer-Encoding: chunked\r\n";
      return;
    case BodyFraming::kNone:
    case BodyFraming::kUntilClose:
      return;
  }
}

}  // namespace

std::string ProblemOf(const Response& response) {
  if (response.status < 200 || response.status > 999) {
    return "status " + std::to_string(response.status) + " is none of an answer";
  }
  for (const HeaderField& field : response.headers.fields()) {
    if (!IsHttpToken(field.name)) return "a header name that is no token";
    if (std::ranges::any_of(field.value, IsControl)) {
      return "a control character in header \"" + field.name + "\"";
    }
    for (const std::string_view name : kServerFields) {
      if (EqualsIgnoringCase(field.name, name)) {
        return "header \"" + field.name + "\" belongs to the server";
      }
    }
  }
  return {};
}

ResponseHead MakeHead(const Response& response, const ResponseTerms& terms, std::string memory) {
  ResponseHead head;
  head.text = std::move(memory);
  head.text.clear();
  head.framing = FramingOf(response, terms);
  // What ends with the connection ends it.
  head.keep_alive = terms.keep_alive && (head.framing != BodyFraming::kUntilClose || terms.is_head);
  AppendStatusLine(response, head.text);
  head.text += terms.date_line;
  for (const HeaderField& field : response.headers.fields()) {
    head.text += field.name;
    head.text += ": ";
    head.text += field.value;
    head.text += "\r\n";
  }
  AppendFraming(response, terms, head.framing, head.text);
  if (!head.keep_alive) {
    head.text += "Connection: close\r\n";
  } else if (terms.is_http_1_0) {
    head.text += "Connection: keep-alive\r\n";
  }
  head.text += "\r\n";
  if (terms.is_head) head.framing = BodyFraming::kNone;
  return head;
}

std::string ChunkSizeLine(uint64_t size) {
  std::string line;
  AppendNumber<16>(size, line);
  line += "\r\n";
  return line;
}

}  // namespace levada::net
