#include "db/postgres/raw_session.h"

#include <libpq-fe.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "db/postgres/cancellation.h"

namespace levada::pq {
namespace {

constexpr int kPollMs = 1000;
constexpr auto kCancelPatience = std::chrono::milliseconds(500);
// Both found by measurement (README of connectors/postgres): half of what the socket's buffer holds
// by default, and a wait too short for anyone to see.
constexpr int kGatherBytes = 128 << 10;
constexpr int kGatherMs = 10;
// A stream that has brought this much without a pause is worth gathering.
constexpr size_t kFlowingBytes = 1 << 20;
constexpr const char* kDoing = "cannot read from the server";

SSL* TlsOf(void* tls) { return static_cast<SSL*>(tls); }

}  // namespace

RawSession::RawSession(const Context& ctx, std::unique_ptr<Connection> connection)
    : ctx_(ctx),
      stop_(ctx.stop),
      connection_(std::move(connection)),
      socket_(PQsocket(connection_->connection_.get())),
      tls_(PQsslStruct(connection_->connection_.get(), "OpenSSL")) {}

RawSession::~RawSession() = default;

Result<std::unique_ptr<RawSession>> RawSession::Take(const Context& ctx,
                                                     std::unique_ptr<Connection> connection) {
  PGconn* raw = connection->connection_.get();
  ARROW_RETURN_NOT_OK(connection->Usable(kDoing));
  if (PQgssEncInUse(raw) != 0) {
    return Fault(FaultCode::kSourceUnsupported,
                 "connection: encryption by GSSAPI cannot be read at speed")
        .Help("add gssencmode=disable to the dsn, and sslmode=verify-full for encryption by TLS");
  }
  if (PQsslInUse(raw) != 0 && PQsslStruct(raw, "OpenSSL") == nullptr) {
    return Fault(FaultCode::kSourceUnsupported,
                 "connection: libpq encrypts with another library than OpenSSL")
        .Help("use a libpq that was built with OpenSSL");
  }
  // Parses what libpq has buffered; reads nothing.
  if (PQisBusy(raw) != 0 || PQtransactionStatus(raw) == PQTRANS_ACTIVE) {
    return Fault(FaultCode::kInternal, "connection: taken over while a statement is at work");
  }
  return std::unique_ptr<RawSession>(new RawSession(ctx, std::move(connection)));
}

Status RawSession::Lost(std::string_view what, int error_number) const {
  Fault fault(FaultCode::kSourceConnectionLost,
              std::string(kDoing) + ": the connection broke: " + std::string(what));
  if (error_number != 0) {
    fault.Because(ErrnoFault(FaultCode::kSourceConnectionLost, error_number, std::string(what)));
  }
  return std::move(fault).With("host", endpoint().host).With("port", endpoint().port).ToStatus();
}

Status RawSession::AwaitWritable() {
  while (true) {
    ARROW_RETURN_NOT_OK(ctx_.Check());
    ARROW_ASSIGN_OR_RAISE(const bool ready,
                          os::WaitReady(socket_, POLLOUT, stop_, ctx_.PollTimeoutMs(kPollMs)));
    if (ready) return Status::OK();
  }
}

// A server sends 8 KiB at a time. Woken for each of them, a reader that is faster than the server
// spends more on waking up (and has the server spend more on waking it) than on the rows.
void RawSession::SetGathering(bool on) {
  flowing_bytes_ = 0;
  if (gathering_ == on) return;
  const int low_water = on ? kGatherBytes : 1;
  gathering_ =
      setsockopt(socket_, SOL_SOCKET, SO_RCVLOWAT, &low_water, sizeof low_water) == 0 && on;
}

// Returns early, with nothing to read, while gathering: the last bytes of a stream never reach the
// low-water mark.
Status RawSession::AwaitBytes() {
  while (true) {
    ARROW_RETURN_NOT_OK(ctx_.Check());
    const int limit_ms = gathering_ ? kGatherMs : kPollMs;
    ARROW_ASSIGN_OR_RAISE(const bool ready,
                          os::WaitReady(socket_, POLLIN, stop_, ctx_.PollTimeoutMs(limit_ms)));
    if (ready || gathering_) return Status::OK();
  }
}

Result<std::optional<size_t>> RawSession::TryRead(std::span<uint8_t> into) {
  if (tls_ != nullptr) return TryReadTls(into);
  while (true) {
    const ssize_t got = recv(socket_, into.data(), into.size(), 0);
    if (got >= 0) return static_cast<size_t>(got);
    if (errno == EAGAIN || errno == EWOULDBLOCK) return std::nullopt;
    if (errno != EINTR) return Lost("recv", errno);
  }
}

// A TLS record is 16 KiB at most: as many as there are, or as fit.
Result<std::optional<size_t>> RawSession::TryReadTls(std::span<uint8_t> into) {
  SSL* tls = TlsOf(tls_);
  size_t total = 0;
  while (total < into.size()) {
    ERR_clear_error();
    errno = 0;
    const int room = static_cast<int>(std::min<size_t>(into.size() - total, 1 << 30));
    const int got = SSL_read(tls, into.data() + total, room);
    if (got > 0) {
      total += static_cast<size_t>(got);
      continue;
    }
    const int error_number = errno;
    const int kind = SSL_get_error(tls, got);
    if (total > 0) break;  // what is wrong with the rest will be said by the next call
    if (kind == SSL_ERROR_WANT_READ) return std::nullopt;
    if (kind == SSL_ERROR_ZERO_RETURN) return 0;
    if (kind == SSL_ERROR_SYSCALL && error_number == 0) return 0;
    return Lost("TLS", error_number);
  }
  return total;
}

Result<size_t> RawSession::Read(std::span<uint8_t> into) {
  // TLS may hold bytes that the socket no longer does.
  bool wait = tls_ == nullptr || SSL_has_pending(TlsOf(tls_)) == 0;
  while (true) {
    if (wait) ARROW_RETURN_NOT_OK(AwaitBytes());
    wait = true;
    ARROW_ASSIGN_OR_RAISE(const std::optional<size_t> got, TryRead(into));
    if (!got) {
      SetGathering(false);
      continue;
    }
    flowing_bytes_ += *got;
    if (!gathering_ && flowing_bytes_ >= kFlowingBytes) SetGathering(true);
    return *got;
  }
}

Result<std::optional<size_t>> RawSession::TryWrite(std::span<const uint8_t> bytes) {
  if (tls_ == nullptr) {
    const ssize_t sent = send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent >= 0) return static_cast<size_t>(sent);
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return std::nullopt;
    return Lost("send", errno);
  }
  ERR_clear_error();
  const int room = static_cast<int>(std::min<size_t>(bytes.size(), 1 << 30));
  const int sent = SSL_write(TlsOf(tls_), bytes.data(), room);
  if (sent > 0) return static_cast<size_t>(sent);
  const int kind = SSL_get_error(TlsOf(tls_), sent);
  if (kind == SSL_ERROR_WANT_WRITE || kind == SSL_ERROR_WANT_READ) return std::nullopt;
  return Lost("TLS", 0);
}

Status RawSession::Write(std::span<const uint8_t> bytes) {
  while (!bytes.empty()) {
    ARROW_ASSIGN_OR_RAISE(const std::optional<size_t> sent, TryWrite(bytes));
    if (sent) {
      bytes = bytes.subspan(*sent);
    } else {
      ARROW_RETURN_NOT_OK(AwaitWritable());
    }
  }
  return Status::OK();
}

void RawSession::Cancel() { RequestCancel(connection_->connection_.get(), kCancelPatience); }

}  // namespace levada::pq
