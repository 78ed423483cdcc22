// The half of a Connection that sends.

#include <algorithm>
#include <exception>
#include <utility>

#include "net/connection.h"

namespace levada::net {
namespace {

// How often a client that reads as fast as we write is served before others are looked at.
constexpr int kWritesInARowMax = 16;

// The last bytes of a stream of a known size are sent when it has said that it ends there: one that
// goes on is cut short, not long. So a body of at most this size is one packet with its head.
constexpr size_t kHeldBytesMax = 4 * 1024;

}  // namespace

Task<bool> Connection::Refuse() {
  ++host_.counts().refused;
  cause_ = refusal_->problem;
  Response response = ErrorResponse(refusal_->status, refusal_->problem);
  response.close = true;
  const bool is_sent = co_await Send(response);
  if (is_sent) ending_ = Ending::kLinger;
  Report(refusal_->status, true, is_sent);
  co_return is_sent;
}

Response Connection::ErrorResponse(int status, std::string_view text) const {
  Response response;
  response.status = status;
  response.headers.Add("Content-Type", "text/plain; charset=utf-8");
  response.body = text;
  response.body += '\n';
  return response;
}

Task<bool> Connection::Send(Response& response) {
  const std::string problem = ProblemOf(response);
  if (!problem.empty()) {
    NoteFault("the handler's response cannot be sent", problem);
    response = ErrorResponse(500, "internal error");
  }
  ResponseTerms terms;
  terms.is_head = request_.method == "HEAD";
  terms.is_http_1_0 = parser_.framing().is_http_1_0;
  terms.keep_alive = WillKeepAlive(response);
  terms.date_line = host_.DateLineNow();
  ResponseHead head = MakeHead(response, terms, std::move(head_));
  head_ = std::move(head.text);
  keep_alive_ = head.keep_alive;
  bool is_sent = false;
  if (head.framing == BodyFraming::kNone) {
    is_sent = co_await Write(head_, {});
  } else if (head.framing == BodyFraming::kText) {
    is_sent = co_await Write(head_, response.body);
  } else {
    stream_left_ = response.size.value_or(0);
    is_sent = co_await SendStream(*response.stream, head.framing);
  }
  const bool is_client_done = body_ == BodyState::kComplete && input_.empty();
  ending_ = is_client_done ? Ending::kQuiet : Ending::kLinger;
  if (!is_sent) ending_ = Ending::kReset;
  co_return is_sent;
}

bool Connection::WillKeepAlive(const Response& response) const {
  if (!parser_.framing().keep_alive || response.close || host_.is_stopping()) return false;
  // A client that was not told to continue may send its body or not.
  if (continue_is_due_) return false;
  return body_ == BodyState::kComplete || body_left_ <= host_.limits().drain_bytes_max;
}

Task<bool> Connection::SendStream(ResponseBody& stream, BodyFraming framing) {
  held_.clear();
  bool is_head_waiting = true;
  for (;;) {
    Task<Result<std::string_view>> pull = Pull(stream);
    bool is_sent = true;
    if (!pull.Start() && is_head_waiting) {
      is_sent = co_await Write(head_, {});
      head_.clear();
    }
    is_head_waiting = false;
    // Also when the client is gone: what waits may not be destroyed.
    const Result<std::string_view> piece = co_await std::move(pull);
    if (!is_sent) co_return false;
    if (!piece.ok()) {
      NoteFault("response cut short", piece.status().ToString());
      co_return false;
    }
    if (piece->empty()) break;
    is_sent = co_await SendPiece(*piece, framing);
    if (!is_sent) co_return false;
  }
  const bool is_ended = co_await EndStream(framing);
  co_return is_ended;
}

Task<Result<std::string_view>> Connection::Pull(ResponseBody& stream) {
  std::string cause = "an exception of an unknown type";
  try {  // tidy: allow as that of a handler
    const Result<std::string_view> piece = co_await stream.Next();
    co_return piece;
  } catch (const std::exception& error) {  // tidy: allow as above
    cause = error.what();
  } catch (...) {  // tidy: allow as above
  }
  co_return Status::UnknownError(cause);
}

Task<bool> Connection::SendPiece(std::string_view piece, BodyFraming framing) {
  if (framing == BodyFraming::kSized) {
    if (piece.size() > stream_left_) {
      NoteFault("response cut short", "the stream is longer than announced");
      co_return false;
    }
    stream_left_ -= piece.size();
    if (stream_left_ == 0) {
      held_ = piece.substr(piece.size() - std::min(piece.size(), kHeldBytesMax));
      piece.remove_suffix(held_.size());
      if (piece.empty()) co_return true;
    }
  }
  if (framing == BodyFraming::kChunked) head_ += ChunkSizeLine(piece.size());
  const bool is_sent = co_await Write(head_, piece);
  head_ = framing == BodyFraming::kChunked ? "\r\n" : "";
  co_return is_sent;
}

Task<bool> Connection::EndStream(BodyFraming framing) {
  if (stream_left_ > 0) {
    NoteFault("response cut short", "the stream is shorter than announced");
    co_return false;
  }
  if (framing == BodyFraming::kChunked) head_ += "0\r\n\r\n";
  const bool is_sent = co_await Write(head_, held_);
  co_return is_sent;
}

Task<bool> Connection::Write(std::string_view first, std::string_view second) {
  size_t size = 0;
  if (++writes_in_a_row_ < kWritesInARowMax) size = wire_.WriteNow(first, second);
  for (;;) {
    bytes_out_ += size;
    const size_t of_first = std::min(size, first.size());
    first.remove_prefix(of_first);
    second.remove_prefix(size - of_first);
    if (first.empty() && second.empty()) co_return true;
    writes_in_a_row_ = 0;
    Arm(host_.After(host_.limits().stall_timeout), Expiry::kReset);
    const IoResult written = co_await wire_.Write(first, second);
    Disarm();
    if (!written.done()) co_return false;
    size = written.size;
  }
}

void Connection::NoteFault(std::string_view what, std::string_view cause) {
  if (cause_.empty()) cause_ = std::string(what) + ": " + std::string(cause);
}

void Connection::Report(int status, bool is_refusal, bool is_sent) {
  if (ExchangeObserver* observer = host_.observer()) {
    observer->OnEnd({request_, status, is_refusal, !is_sent, cause_, host_.Steady() - began_,
                     bytes_in_, bytes_out_});
  } else if (is_refusal) {
    host_.log().Debug(
        "request refused",
        {{"status", int64_t{status}}, {"cause", cause_}, {"peer", request_.peer_address}});
  } else if (!cause_.empty()) {
    host_.log().Error("request failed", {{"method", request_.method}, {"cause", cause_}});
  }
}

}  // namespace levada::net
