#include "connectors/clickhouse/socket.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "base/counters.h"
#include "base/quantity.h"

namespace levada::clickhouse {
namespace {

constexpr int kPollMs = 1000;

struct FreeAddresses {
  void operator()(addrinfo* list) const { freeaddrinfo(list); }
};

std::string TlsReason(const std::string& what) {
  const unsigned long code = ERR_peek_last_error();
  ERR_clear_error();
  const char* reason = ERR_reason_error_string(code);
  return reason == nullptr ? what : what + ": " + reason;
}

bool IsAddress(const std::string& host) {
  std::array<unsigned char, sizeof(in6_addr)> address{};
  return inet_pton(AF_INET, host.c_str(), address.data()) == 1 ||
         inet_pton(AF_INET6, host.c_str(), address.data()) == 1;
}

bool IsLoopback(const addrinfo& address) {
  if (address.ai_family == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(address.ai_addr);
    return ntohl(v4->sin_addr.s_addr) >> 24 == 127;
  }
  if (address.ai_family != AF_INET6) return false;
  return IN6_IS_ADDR_LOOPBACK(&reinterpret_cast<const sockaddr_in6*>(address.ai_addr)->sin6_addr);
}

}  // namespace

void Socket::FreeSession::operator()(ssl_st* session) const { SSL_free(session); }
void Socket::FreeContext::operator()(ssl_ctx_st* context) const { SSL_CTX_free(context); }

Socket::Socket(const Context& ctx, const Dsn& dsn, const Timeouts& timeouts)
    : dsn_(dsn), timeouts_(timeouts), ctx_(ctx), stop_(std::make_unique<os::StopEvent>(ctx.stop)) {}

Socket::~Socket() {
  if (fd_ >= 0) close(fd_);
}

void Socket::Attach(const Context& ctx) {
  ctx_ = ctx;
  stop_ = std::make_unique<os::StopEvent>(ctx.stop);
}

Fault Socket::Placed(Fault fault) const {
  return std::move(fault).With("host", dsn_.host).With("port", dsn_.port);
}

Fault Socket::Lost(const std::string& what, int error_number) const {
  Fault fault(FaultCode::kSourceConnectionLost, "the connection to ClickHouse broke: " + what);
  if (error_number != 0) {
    fault.Because(ErrnoFault(FaultCode::kSourceConnectionLost, error_number, what));
  }
  return Placed(std::move(fault));
}

Result<std::unique_ptr<Socket>> Socket::Connect(const Context& ctx, const Dsn& dsn,
                                                const Timeouts& timeouts) {
  ARROW_RETURN_NOT_OK(ctx.Check());
  std::unique_ptr<Socket> socket(new Socket(ctx, dsn, timeouts));
  const Context limited = ctx.Within(timeouts.connect);
  Status status = socket->Open(limited);
  if (status.ok() && dsn.secure) status = socket->BeginTls(limited);
  if (status.ok()) return socket;
  ARROW_RETURN_NOT_OK(ctx.Check());
  if (CodeOf(status) != FaultCode::kSourceTimeout) return status;
  return socket->Placed(
      Fault(FaultCode::kSourceUnreachable,
            "cannot connect to ClickHouse: no answer within " + FormatDuration(timeouts.connect))
          .Help("check host and port and what stands between, or raise connect_timeout"));
}

Status Socket::Open(const Context& limited) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int failed = getaddrinfo(dsn_.host.c_str(), dsn_.port.c_str(), &hints, &found);
  if (failed != 0) {
    return Placed(
        Fault(FaultCode::kSourceUnreachable, "cannot connect to ClickHouse: no address of host \"" +
                                                 dsn_.host + "\": " + gai_strerror(failed))
            .Help("check the host in dsn:"));
  }
  const std::unique_ptr<addrinfo, FreeAddresses> addresses(found);
  int error_number = 0;
  for (const addrinfo* address = found; address != nullptr; address = address->ai_next) {
    if (fd_ >= 0) close(fd_);
    fd_ = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd_ < 0) return ErrnoFault(FaultCode::kSourceUnreachable, errno, "no socket to be had");
    error_number = 0;
    if (connect(fd_, address->ai_addr, address->ai_addrlen) != 0) error_number = errno;
    if (error_number == EINPROGRESS) {
      while (true) {
        ARROW_ASSIGN_OR_RAISE(const bool ready, Await(limited, POLLOUT));
        if (ready) break;
      }
      socklen_t size = sizeof error_number;
      getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error_number, &size);
    }
    if (error_number != 0) continue;
    const int on = 1;
    setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fd_, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    loopback_ = IsLoopback(*address);
    return Status::OK();
  }
  const std::string what = "cannot connect to ClickHouse at " + dsn_.host + ":" + dsn_.port;
  return Placed(FaultOf(ErrnoFault(FaultCode::kSourceUnreachable, error_number, what))
                    .Help("is it running, and does it listen there? its native protocol has port "
                          "9000, by TLS 9440 with ?secure=true; 8123 is HTTP"));
}

Status Socket::BeginTls(const Context& limited) {
  ERR_clear_error();
  const auto refuse = [&](const std::string& what) {
    return Placed(Fault(FaultCode::kTlsFailed, TlsReason(what)));
  };
  tls_context_.reset(SSL_CTX_new(TLS_client_method()));
  SSL_CTX* context = tls_context_.get();
  if (context == nullptr) return refuse("OpenSSL cannot start");
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_verify(context, dsn_.verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  if (dsn_.verify) {
    const bool loaded = dsn_.authorities.empty()
                            ? SSL_CTX_set_default_verify_paths(context) == 1
                            : SSL_CTX_load_verify_file(context, dsn_.authorities.c_str()) == 1;
    if (!loaded) {
      return refuse("certificate authorities " +
                    (dsn_.authorities.empty() ? std::string("of the system")
                                              : "\"" + dsn_.authorities + "\"") +
                    " cannot be read");
    }
  }
  tls_.reset(SSL_new(context));
  SSL* session = tls_.get();
  if (session == nullptr) return refuse("OpenSSL makes no session");
  const std::string& host = dsn_.host;
  const bool named = IsAddress(host)
                         ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session), host.c_str()) == 1
                         : SSL_set1_host(session, host.c_str()) == 1 &&
                               SSL_set_tlsext_host_name(session, host.c_str()) == 1;
  if (!named || SSL_set_fd(session, fd_) != 1) return refuse("no certificate can be of this host");
  while (true) {
    ERR_clear_error();
    const int done = SSL_connect(session);
    if (done == 1) return Status::OK();
    const int kind = SSL_get_error(session, done);
    if (kind == SSL_ERROR_WANT_READ || kind == SSL_ERROR_WANT_WRITE) {
      ARROW_RETURN_NOT_OK(Await(limited, kind == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT).status());
      continue;
    }
    const long verified = SSL_get_verify_result(session);
    if (dsn_.verify && verified != X509_V_OK) {
      return refuse(std::string("the certificate of \"") + host + "\" is not trusted, " +
                    X509_verify_cert_error_string(verified))
          .Help(
              "name the file of its authority, ca=PATH in dsn:, or, where nobody can be in "
              "between, verify=false");
    }
    return refuse("no TLS with \"" + host + "\"")
        .Help("is this the port for TLS, 9440 by default?");
  }
}

Result<bool> Socket::Await(const Context& ctx, short events) {
  ARROW_RETURN_NOT_OK(ctx.Check());
  const Timed timed(ctx.counters->source_wait_ns);
  const Timed ours(wait_ns_);
  return os::WaitReady(fd_, events, *stop_, ctx.PollTimeoutMs(kPollMs));
}

Status Socket::OfSilence(const Status& status, const char* what) const {
  if (CodeOf(status) != FaultCode::kSourceTimeout) return status;
  ARROW_RETURN_NOT_OK(ctx_.Check());
  return Placed(Fault(FaultCode::kSourceTimeout, std::string("ClickHouse has ") + what + " for " +
                                                     FormatDuration(timeouts_.silence))
                    .Help("raise read_timeout, if it may think so long"));
}

Result<std::optional<size_t>> Socket::TryRead(std::span<uint8_t> into) {
  if (tls_ == nullptr) {
    const ssize_t got = recv(fd_, into.data(), into.size(), 0);
    if (got > 0) return static_cast<size_t>(got);
    if (got == 0) return Lost("the server closed it", 0);
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return std::nullopt;
    return Lost("recv", errno);
  }
  ERR_clear_error();
  errno = 0;
  const int got =
      SSL_read(tls_.get(), into.data(), static_cast<int>(std::min<size_t>(into.size(), 1 << 30)));
  if (got > 0) return static_cast<size_t>(got);
  const int error_number = errno;
  const int kind = SSL_get_error(tls_.get(), got);
  tls_wants_ = kind == SSL_ERROR_WANT_WRITE ? POLLOUT : 0;
  if (kind == SSL_ERROR_WANT_READ || kind == SSL_ERROR_WANT_WRITE) return std::nullopt;
  if (kind == SSL_ERROR_ZERO_RETURN) return Lost("the server closed it", 0);
  return Lost(TlsReason("TLS"), error_number);
}

Result<size_t> Socket::Read(std::span<uint8_t> into) {
  // Whoever sends faster than we read would keep us from ever looking at the stop.
  ARROW_RETURN_NOT_OK(ctx_.Check());
  const Context limited = ctx_.Within(timeouts_.silence);
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const std::optional<size_t> got, TryRead(into));
    if (got) {
      ctx_.counters->bytes_read.fetch_add(static_cast<int64_t>(*got), std::memory_order_relaxed);
      return *got;
    }
    const Status waited = Await(limited, tls_wants_ != 0 ? tls_wants_ : POLLIN).status();
    if (!waited.ok()) return OfSilence(waited, "sent nothing");
  }
}

Result<std::optional<size_t>> Socket::TryWrite(std::string_view bytes) {
  if (tls_ == nullptr) {
    const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent >= 0) return static_cast<size_t>(sent);
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return std::nullopt;
    return Lost("send", errno);
  }
  ERR_clear_error();
  const int sent = SSL_write(tls_.get(), bytes.data(),
                             static_cast<int>(std::min<size_t>(bytes.size(), 1 << 30)));
  if (sent > 0) return static_cast<size_t>(sent);
  const int kind = SSL_get_error(tls_.get(), sent);
  if (kind == SSL_ERROR_WANT_READ || kind == SSL_ERROR_WANT_WRITE) return std::nullopt;
  return Lost(TlsReason("TLS"), 0);
}

Status Socket::Write(std::string_view bytes) {
  const Context limited = ctx_.Within(timeouts_.silence);
  while (!bytes.empty()) {
    ARROW_ASSIGN_OR_RAISE(const std::optional<size_t> sent, TryWrite(bytes));
    if (sent) {
      bytes.remove_prefix(*sent);
      continue;
    }
    const Status waited = Await(limited, POLLIN | POLLOUT).status();
    if (!waited.ok()) return OfSilence(waited, "taken nothing");
  }
  return Status::OK();
}

void Socket::WriteAtOnce(std::string_view bytes) { (void)TryWrite(bytes); }

}  // namespace levada::clickhouse
