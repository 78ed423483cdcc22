#pragma once
// Connection: one client, from the accepted socket to its end: read a header, ask the handler, send
// what it answers, take the rest of the body, and again. A coroutine on the loop; whatever waits
// for the client has a deadline, whatever waits for a handler has none.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "net/connection_host.h"
#include "net/http.h"
#include "net/input_buffer.h"
#include "net/loop.h"
#include "net/request_parser.h"
#include "net/response_head.h"
#include "net/wire.h"

namespace levada::net {

class Connection final : public RequestBody {
 public:
  /// `host` outlives it. `tls` is needed only here.
  Connection(Loop& loop, ConnectionHost& host, os::Descriptor socket, std::string peer_address,
             const TlsContext* tls);
  ~Connection() override;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Its life. Nothing of it is left on the socket's side when the task has ended.
  Task<void> Serve();

  // Of the request that is being answered:
  Task<Result<std::string_view>> Read() override;
  std::optional<uint64_t> declared_size() const override;

  /// For the host.
  void CheckDeadline(Tick now);
  void CloseIfIdle();
  void Cut();
  size_t index() const { return index_; }
  void set_index(size_t index) { index_ = index; }

 private:
  enum class Ending : uint8_t {
    kQuiet,   ///< all was said
    kLinger,  ///< the client may still be sending: it gets time to read what we said
    kReset,   ///< what it has is a part
  };
  enum class HeaderEnd : uint8_t { kRequest, kRefused, kClosed };
  enum class BodyState : uint8_t { kOpen, kComplete, kGone, kSlow, kMalformed };
  enum class Expiry : uint8_t { kCancel, kReset };

  Task<bool> Handshake();
  Task<HeaderEnd> ReadHeader();
  std::optional<HeaderEnd> ParseHeader();
  HeaderEnd HeaderCutOff(const IoResult& read);
  void BeginBody();
  Task<bool> ServeRequest();
  Task<std::optional<Response>> Ask();
  Task<bool> Drain();
  Task<void> Close();

  std::optional<std::string_view> TakeOfBody();
  std::optional<std::string_view> TakeOfChunks();
  size_t BodyReadBytes() const;
  Status FailBody(BodyState state);
  bool IsSlow(const IoResult& read) const;

  // True when all has been sent.
  Task<bool> Refuse();
  Task<bool> Send(Response& response);
  Task<bool> SendStream(ResponseBody& stream, BodyFraming framing);
  Task<bool> SendPiece(std::string_view piece, BodyFraming framing);
  Task<bool> EndStream(BodyFraming framing);
  Task<bool> Write(std::string_view first, std::string_view second);
  Task<Result<std::string_view>> Pull(ResponseBody& stream);
  bool WillKeepAlive(const Response& response) const;
  Response ErrorResponse(int status, std::string_view text) const;

  void NoteFault(std::string_view what, std::string_view cause);
  /// What became of the request, to whoever watches.
  void Report(int status, bool is_refusal, bool is_sent);

  void Arm(Tick deadline, Expiry expiry);
  void Disarm() { deadline_ = kNever; }

  ConnectionHost& host_;
  Wire wire_;
  RequestParser parser_;
  InputBuffer input_;
  Request request_;
  size_t index_ = 0;

  Tick deadline_ = kNever;
  Expiry expiry_ = Expiry::kCancel;
  bool timed_out_ = false;
  bool is_idle_ = false;

  std::optional<Refusal> refusal_;
  BodyState body_ = BodyState::kComplete;
  uint64_t body_left_ = 0;  // of a declared size
  bool continue_is_due_ = false;

  SteadyTime began_;       // the exchange
  uint64_t bytes_in_ = 0;  // of it
  uint64_t bytes_out_ = 0;
  std::string cause_;  // what went wrong in it

  bool keep_alive_ = false;
  Ending ending_ = Ending::kQuiet;
  std::string head_;          // what goes before the next piece; its memory is used again
  std::string held_;          // the end of a stream, until it is known to be one
  uint64_t stream_left_ = 0;  // of what was announced
  int writes_in_a_row_ = 0;
};

}  // namespace levada::net
