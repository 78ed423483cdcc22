#pragma once
// RawSession: a connection that libpq set up, read and written past libpq.
//
// libpq copies every CopyData message into memory of its own, one malloc a row. Here the bytes of
// the protocol (inside TLS, where the connection has it) go straight from the socket into the
// caller's buffer; what they mean is formats/pgwire's to say. Made from an idle connection and
// never turned back: it is closed after its one statement.
//
// That libpq holds no unread byte when we take over follows from the connection being idle: libpq
// reported the ReadyForQuery of the last statement, and behind it a server sends on its own only
// notices, notifications and changed parameters, each whole. Take() has libpq swallow those.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "base/context.h"
#include "db/postgres/connection.h"
#include "os/process.h"

namespace levada::pq {

/// One thread at a time, but Cancel. ctx is copied at Take.
class RawSession final {
 public:
  /// kSourceUnsupported for a connection encrypted by GSSAPI, whose framing only libpq knows, or by
  /// another TLS library than ours.
  static Result<std::unique_ptr<RawSession>> Take(const Context& ctx,
                                                  std::unique_ptr<Connection> connection);
  ~RawSession();
  RawSession(const RawSession&) = delete;
  RawSession& operator=(const RawSession&) = delete;

  /// Sends all of `bytes`.
  Status Write(std::span<const uint8_t> bytes);

  /// Waits for bytes and reads at most `into.size()` of them. 0: the server closed the connection.
  /// To spare both sides a wake-up for each 8 KiB that a server sends, it may wait up to 10 ms for
  /// more to come. Errors: kStopped, kSourceTimeout (the deadline), kSourceConnectionLost.
  Result<size_t> Read(std::span<uint8_t> into);

  /// Tells the server to stop working on the statement; waits at most half a second for its ear.
  void Cancel();

  const Endpoint& endpoint() const { return connection_->endpoint(); }
  bool uses_tls() const { return tls_ != nullptr; }

 private:
  RawSession(const Context& ctx, std::unique_ptr<Connection> connection);
  Status AwaitWritable();
  Status AwaitBytes();
  void SetGathering(bool on);
  Status Lost(std::string_view what, int error_number) const;
  /// nullopt: nothing to be had without waiting.
  Result<std::optional<size_t>> TryRead(std::span<uint8_t> into);
  Result<std::optional<size_t>> TryReadTls(std::span<uint8_t> into);
  Result<std::optional<size_t>> TryWrite(std::span<const uint8_t> bytes);

  const Context ctx_;
  const os::StopEvent stop_;
  const std::unique_ptr<Connection> connection_;
  const int socket_;
  void* const tls_;           // SSL*
  bool gathering_ = false;    // the socket reports itself readable only when it holds much
  size_t flowing_bytes_ = 0;  // since the server last had nothing for us
};

}  // namespace levada::pq
