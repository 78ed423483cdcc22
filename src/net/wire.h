#pragma once
// Wire: one accepted socket, plain or with TLS, whose operations are awaited. It has no limits of
// time and no idea of HTTP: the connection above it does. At most one operation at a time, on the
// loop; it outlives them.

#include <coroutine>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "net/loop.h"
#include "os/descriptor.h"

namespace levada::net {

class TlsContext;

enum class IoEnd : uint8_t {
  kDone,
  kClosed,  ///< by the peer, or there is no connection any more
  kCancelled,
};

struct IoResult {
  IoEnd end = IoEnd::kClosed;
  size_t size = 0;  ///< of a read or write that is done, at least 1
  bool done() const { return end == IoEnd::kDone; }
};

class Wire final {
  class State;

 public:
  class Wait;

  /// `socket` does not block. With `tls` the handshake comes first.
  Wire(Loop& loop, os::Descriptor socket, const TlsContext* tls);
  ~Wire();
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  bool is_secure() const;
  Wait Handshake();
  Wait Read(std::span<char> into);
  /// Some of both texts, in this order.
  Wait Write(std::string_view first, std::string_view second);
  /// What the kernel takes of both without waiting; 0 when nothing. With TLS always 0.
  size_t WriteNow(std::string_view first, std::string_view second);
  /// Tells a TLS peer that all has been sent, and waits for it to say so too.
  Wait EndTls();
  /// Reads what comes, undecrypted.
  Wait Discard(std::span<char> into);

  /// Whether bytes of the peer have come that nobody has read.
  bool HasInput() const;
  /// Ends the operation that is awaited, with kCancelled.
  void Cancel();
  /// All has been sent. Reading goes on.
  void ShutdownWrite();
  /// Closes so that the peer sees an error, not an end: what it has is a part.
  void Reset();

 private:
  std::unique_ptr<State> state_;
};

/// What an operation of a Wire is awaited by: it begins with the await.
class [[nodiscard]] Wire::Wait {
 public:
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiting);
  IoResult await_resume() const noexcept { return result_; }

 private:
  friend class Wire;
  enum class Operation : uint8_t { kHandshake, kRead, kWrite, kEndTls, kDiscard };
  Wait(State& state, Operation operation) : state_(state), operation_(operation) {}

  State& state_;
  Operation operation_;
  std::span<char> into_;
  std::string_view first_;
  std::string_view second_;
  std::coroutine_handle<> waiting_;
  IoResult result_;
};

}  // namespace levada::net
