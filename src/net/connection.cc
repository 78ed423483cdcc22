#include "net/connection.h"

#include <algorithm>
#include <exception>
#include <utility>

namespace levada::net {
namespace {

// Most headers come in one piece of a few hundred bytes.
constexpr size_t kHeaderReadBytes = 2 * 1024;
// Large enough that a call costs less than the copy it makes.
constexpr size_t kBodyReadBytes = 64 * 1024;
constexpr size_t kChunkReadBytes = 16 * 1024;
// How long a client that is still sending gets to read our last words. Closing at once would make
// its kernel throw them away (RFC 9112 section 9.6).
constexpr std::chrono::milliseconds kLingerTime{2000};

class ActiveRequest {
 public:
  explicit ActiveRequest(ServerCounts& counts) : counts_(counts) {
    ++counts_.requests;
    ++counts_.active;
  }
  ~ActiveRequest() { --counts_.active; }
  ActiveRequest(const ActiveRequest&) = delete;
  ActiveRequest& operator=(const ActiveRequest&) = delete;

 private:
  ServerCounts& counts_;
};

}  // namespace

Connection::Connection(Loop& loop, ConnectionHost& host, os::Descriptor socket,
                       std::string peer_address, const TlsContext* tls)
    : host_(host),
      wire_(loop, std::move(socket), tls),
      parser_(host.limits().header_bytes_max, host.limits().header_fields_max) {
  request_.peer_address = std::move(peer_address);
  request_.secure = wire_.is_secure();
  request_.body = this;
  host_.Add(*this);
}

Connection::~Connection() { host_.Remove(*this); }

Task<void> Connection::Serve() {
  bool is_open = true;
  if (wire_.is_secure()) is_open = co_await Handshake();
  while (is_open) {
    const HeaderEnd end = co_await ReadHeader();
    is_open = false;
    if (host_.observer() != nullptr) began_ = host_.Steady();
    if (end == HeaderEnd::kRequest) is_open = co_await ServeRequest();
    if (end == HeaderEnd::kRefused) co_await Refuse();
  }
  co_await Close();
}

Task<bool> Connection::Handshake() {
  Arm(host_.After(host_.limits().header_timeout), Expiry::kReset);
  const IoResult shaken = co_await wire_.Handshake();
  Disarm();
  // The alert that says why is for the client to read.
  if (!shaken.done()) ending_ = Ending::kLinger;
  co_return shaken.done();
}

Task<Connection::HeaderEnd> Connection::ReadHeader() {
  if (input_.empty()) input_.Shrink();
  ending_ = Ending::kQuiet;
  parser_.Begin(request_);
  request_.notes.Clear();
  bytes_in_ = bytes_out_ = 0;
  cause_.clear();
  Tick deadline = kNever;
  for (;;) {
    const std::optional<HeaderEnd> end = ParseHeader();
    if (end) co_return *end;
    is_idle_ = !parser_.has_begun();
    if (is_idle_ && host_.is_stopping()) co_return HeaderEnd::kClosed;
    if (is_idle_) {
      Arm(host_.After(host_.limits().idle_timeout), Expiry::kCancel);
    } else {
      if (deadline == kNever) deadline = host_.After(host_.limits().header_timeout);
      Arm(deadline, Expiry::kCancel);
    }
    const std::span<char> room = input_.Room(kHeaderReadBytes);
    const IoResult read = co_await wire_.Read(room);
    Disarm();
    writes_in_a_row_ = 0;
    if (!read.done()) co_return HeaderCutOff(read);
    input_.Filled(read.size);
  }
}

std::optional<Connection::HeaderEnd> Connection::ParseHeader() {
  is_idle_ = false;
  if (input_.empty()) return std::nullopt;
  RequestParser::HeaderStep step = parser_.ParseHeader(input_.view());
  input_.Consume(step.consumed);
  bytes_in_ += step.consumed;
  if (step.refusal) {
    refusal_ = std::move(step.refusal);
    return HeaderEnd::kRefused;
  }
  if (!step.is_complete) return std::nullopt;
  BeginBody();
  return HeaderEnd::kRequest;
}

Connection::HeaderEnd Connection::HeaderCutOff(const IoResult& read) {
  is_idle_ = false;
  if (!IsSlow(read) || !parser_.has_begun()) return HeaderEnd::kClosed;
  refusal_ = Refusal{408, "the header took too long"};
  return HeaderEnd::kRefused;
}

void Connection::BeginBody() {
  const RequestFraming& framing = parser_.framing();
  body_left_ = framing.content_length;
  body_ = framing.is_chunked || body_left_ > 0 ? BodyState::kOpen : BodyState::kComplete;
  continue_is_due_ = framing.expects_continue;
}

/// One request and its answer. True when another may follow.
Task<bool> Connection::ServeRequest() {
  const ActiveRequest active(host_.counts());
  std::optional<Response> response = co_await Ask();
  if (body_ == BodyState::kGone) {
    Report(kClientGone, false, false);
    co_return false;
  }
  if (body_ == BodyState::kSlow || body_ == BodyState::kMalformed) {
    response.reset();
    refusal_ = body_ == BodyState::kSlow ? Refusal{408, "the body took too long"}
                                         : Refusal{400, "malformed chunks"};
    co_await Refuse();
    co_return false;
  }
  if (!response) response = ErrorResponse(500, "internal error");
  const bool is_sent = co_await Send(*response);
  if (cause_.empty()) cause_ = std::move(response->cause);
  Report(response->status, false, is_sent);
  response.reset();
  if (!is_sent || !keep_alive_) co_return false;
  if (body_ == BodyState::kComplete) co_return true;
  const bool is_drained = co_await Drain();
  if (!is_drained) ending_ = Ending::kLinger;
  co_return is_drained;
}

Task<std::optional<Response>> Connection::Ask() {
  std::string cause = "an exception of an unknown type";
  try {  // tidy: allow handlers stop their own errors; one that does not costs one answer
    Response response = co_await host_.handler().Handle(request_);
    co_return std::move(response);
  } catch (const std::exception& error) {  // tidy: allow as above
    cause = error.what();
  } catch (...) {  // tidy: allow as above
  }
  NoteFault("the handler threw", cause);
  co_return std::nullopt;
}

std::optional<uint64_t> Connection::declared_size() const {
  if (parser_.framing().is_chunked) return std::nullopt;
  return parser_.framing().content_length;
}

Task<Result<std::string_view>> Connection::Read() {
  if (continue_is_due_) {
    continue_is_due_ = false;
    bool is_told = true;
    if (input_.empty()) is_told = co_await Write("HTTP/1.1 100 Continue\r\n\r\n", {});
    if (!is_told) co_return FailBody(BodyState::kGone);
  }
  for (;;) {
    const std::optional<std::string_view> piece = TakeOfBody();
    if (piece) co_return *piece;
    if (body_ != BodyState::kOpen) co_return FailBody(body_);
    Arm(host_.After(host_.limits().stall_timeout), Expiry::kCancel);
    const std::span<char> room = input_.Room(BodyReadBytes());
    const IoResult read = co_await wire_.Read(room);
    Disarm();
    if (!read.done()) co_return FailBody(IsSlow(read) ? BodyState::kSlow : BodyState::kGone);
    input_.Filled(read.size);
  }
}

/// What has come already; nullopt when there is nothing, be it that more is to come or that not.
std::optional<std::string_view> Connection::TakeOfBody() {
  if (body_ == BodyState::kComplete) return std::string_view();
  if (body_ != BodyState::kOpen || input_.empty()) return std::nullopt;
  if (parser_.framing().is_chunked) return TakeOfChunks();
  const std::string_view piece = input_.view().substr(0, body_left_);
  input_.Consume(piece.size());
  bytes_in_ += piece.size();
  body_left_ -= piece.size();
  if (body_left_ == 0) body_ = BodyState::kComplete;
  return piece;
}

std::optional<std::string_view> Connection::TakeOfChunks() {
  const RequestParser::BodyStep step = parser_.ParseChunks(input_.view());
  input_.Consume(step.consumed);
  bytes_in_ += step.consumed;
  if (step.is_malformed) body_ = BodyState::kMalformed;
  if (step.is_complete) body_ = BodyState::kComplete;
  if (step.piece.empty() && !step.is_complete) return std::nullopt;
  return step.piece;
}

size_t Connection::BodyReadBytes() const {
  if (parser_.framing().is_chunked) return kChunkReadBytes;
  return static_cast<size_t>(std::min<uint64_t>(body_left_, kBodyReadBytes));
}

Status Connection::FailBody(BodyState state) {
  body_ = state;
  if (state == BodyState::kSlow) return Status::IOError("request body: the client stalled");
  if (state == BodyState::kMalformed) return Status::Invalid("request body: malformed chunks");
  return Status::IOError("request body: the client went away");
}

Task<bool> Connection::Drain() {
  uint64_t left = host_.limits().drain_bytes_max;
  for (;;) {
    const Result<std::string_view> piece = co_await Read();
    if (!piece.ok()) co_return false;
    if (piece->empty()) co_return true;
    if (piece->size() > left) co_return false;
    left -= piece->size();
  }
}

Task<void> Connection::Close() {
  if (ending_ == Ending::kReset) wire_.Reset();
  if (ending_ == Ending::kReset || (ending_ == Ending::kQuiet && !wire_.is_secure())) co_return;
  Arm(host_.After(kLingerTime), Expiry::kCancel);
  if (wire_.is_secure()) co_await wire_.EndTls();
  wire_.ShutdownWrite();
  input_.Consume(input_.view().size());
  bool is_waiting = ending_ == Ending::kLinger && !timed_out_;
  while (is_waiting) {
    const std::span<char> room = input_.Room(kChunkReadBytes);
    const IoResult read = co_await wire_.Discard(room);
    is_waiting = read.done() && !timed_out_;
  }
  Disarm();
}

bool Connection::IsSlow(const IoResult& read) const {
  return read.end == IoEnd::kCancelled && timed_out_;
}

void Connection::Arm(Tick deadline, Expiry expiry) {
  deadline_ = deadline;
  expiry_ = expiry;
  timed_out_ = false;
}

void Connection::CheckDeadline(Tick now) {
  if (now < deadline_) return;
  Disarm();
  timed_out_ = true;
  if (expiry_ == Expiry::kReset) {
    wire_.Reset();
  } else {
    wire_.Cancel();
  }
}

void Connection::CloseIfIdle() {
  if (is_idle_ && !wire_.HasInput()) wire_.Cancel();
}

void Connection::Cut() { wire_.Reset(); }

}  // namespace levada::net
