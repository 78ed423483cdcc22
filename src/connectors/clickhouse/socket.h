#pragma once
// Socket: one TCP connection, plain or by TLS, whose every wait ends at a stop, at the deadline or
// when the other side has been silent for too long.

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/context.h"
#include "connectors/clickhouse/dsn.h"
#include "formats/chnative/byte_reader.h"
#include "os/process.h"

struct ssl_st;
struct ssl_ctx_st;

namespace levada::clickhouse {

/// One thread at a time.
class Socket final : public chnative::ByteSource {
 public:
  struct Timeouts {
    std::chrono::nanoseconds connect{std::chrono::seconds(10)};
    std::chrono::nanoseconds silence{std::chrono::minutes(5)};
  };
  /// kSourceUnreachable, kTlsFailed, kStopped, kSourceTimeout (the deadline of `ctx`).
  static Result<std::unique_ptr<Socket>> Connect(const Context& ctx, const Dsn& dsn,
                                                 const Timeouts& timeouts);
  ~Socket() override;
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  /// Whose stop, deadline and counters the calls behind it follow.
  void Attach(const Context& ctx);

  /// Waits for bytes. The end of the connection is kSourceConnectionLost, silence kSourceTimeout.
  Result<size_t> Read(std::span<uint8_t> into) override;
  Status Write(std::string_view bytes);
  /// As much of `bytes` as goes without waiting.
  void WriteAtOnce(std::string_view bytes);

  /// The other side is this machine, by a loopback address.
  bool is_loopback() const { return loopback_; }
  int64_t wait_ns() const { return wait_ns_; }

 private:
  struct FreeSession {
    void operator()(ssl_st* session) const;
  };
  struct FreeContext {
    void operator()(ssl_ctx_st* context) const;
  };

  Socket(const Context& ctx, const Dsn& dsn, const Timeouts& timeouts);
  Status Open(const Context& limited);
  Status BeginTls(const Context& limited);
  /// Whether `events` came; false after a while, for the caller to look again.
  Result<bool> Await(const Context& ctx, short events);
  Result<std::optional<size_t>> TryRead(std::span<uint8_t> into);
  Result<std::optional<size_t>> TryWrite(std::string_view bytes);
  /// What becomes of a wait that failed: of silence when the attempt itself may go on.
  Status OfSilence(const Status& status, const char* what) const;
  Fault Lost(const std::string& what, int error_number) const;
  Fault Placed(Fault fault) const;

  const Dsn dsn_;
  const Timeouts timeouts_;
  Context ctx_;
  std::unique_ptr<os::StopEvent> stop_;
  int fd_ = -1;
  bool loopback_ = false;
  short tls_wants_ = 0;  ///< what TLS waits for, whatever is asked of it
  std::atomic<int64_t> wait_ns_{0};
  std::unique_ptr<ssl_ctx_st, FreeContext> tls_context_;
  std::unique_ptr<ssl_st, FreeSession> tls_;
};

}  // namespace levada::clickhouse
