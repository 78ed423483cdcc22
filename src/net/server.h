#pragma once
// Server: one listening socket of HTTP/1.1, plain, with TLS, or on a Unix socket.
//
// It keeps connections alive, answers pipelined requests in order, and bounds everything a stranger
// can hold: header bytes, time to send a header, a body that stalls, a reader that does not read,
// connections. What it cannot take for a request is answered by 400 (408 too slow, 417 another
// Expect than 100-continue, 431 header too large, 501 another Transfer-Encoding than chunked, 505
// another version) and the connection closed.

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/fault.h"
#include "net/http.h"
#include "net/loop.h"

namespace levada {
class Clock;
class Logger;
}  // namespace levada

namespace levada::net {

/// Times are kept by a coarse tick of at most a second: what is too slow is cut up to two ticks
/// late, never early.
struct ServerLimits {
  /// Request line and header fields together. Workers send cursors and metadata of 64 KiB in one.
  size_t header_bytes_max = 128 * 1024;
  size_t header_fields_max = 200;
  std::chrono::milliseconds header_timeout{10'000};  ///< from its first byte to its last
  std::chrono::milliseconds idle_timeout{75'000};    ///< between two requests
  std::chrono::milliseconds stall_timeout{30'000};   ///< without a byte, reading or writing
  /// Further clients wait in the backlog of the listening socket.
  size_t connections_max = 10'000;
  /// How much of a body nobody wanted is read to keep the connection.
  size_t drain_bytes_max = 256 * 1024;
};

/// Paths of PEM files. The key may not be readable by others.
struct TlsFiles {
  std::string certificate_chain;
  std::string private_key;
};

struct ListenOptions {
  std::string host = "127.0.0.1";  ///< an address, v4 or v6
  uint16_t port = 0;               ///< 0: any free one
  /// Instead of host and port: a path. What is left there by a dead process is replaced; its mode
  /// is 0600.
  std::string unix_path;
  std::optional<TlsFiles> tls;
  ServerLimits limits;
  /// Of what goes wrong in the server. As long-lived as the handler; null: nowhere.
  Logger* log = nullptr;
  /// Of every request, also of what handlers do wrong, which goes to the log without it. Null:
  /// none.
  ExchangeObserver* observer = nullptr;
  /// Of the Date header, and of how long an answer takes. As long-lived as the handler; null: the
  /// machine's.
  const Clock* clock = nullptr;
};

/// What it has seen since it started. On the loop.
struct ServerCounts {
  uint64_t connections = 0;  ///< accepted
  uint64_t open = 0;         ///< now
  uint64_t active = 0;       ///< requests that are being answered now
  uint64_t requests = 0;
  uint64_t refused = 0;  ///< answered by the server itself: malformed, too large, too slow
};

class Server {
 public:
  /// Binds and listens; accepts once the loop runs. `loop` and `handler` outlive it. On the loop,
  /// or before it runs; so is everything here. Errors: kBadValue for an address that is none,
  /// kTargetUnwritable with "errno" for one that cannot be bound, kTlsFailed for certificates.
  static Result<std::unique_ptr<Server>> Listen(Loop& loop, Handler& handler,
                                                ListenOptions options);
  ~Server();  // cuts what Stop has not ended

  uint16_t port() const;
  ServerCounts counts() const;
  /// Accepts no more, closes idle connections, lets requests end whose first bytes are in this
  /// machine, with "Connection: close"; after `grace` cuts what is left. Returns when no connection
  /// is open and no handler runs; but a handler that still waits for something a second after the
  /// cut is left to itself.
  Task<void> Stop(std::chrono::milliseconds grace);
  /// Reads the certificate files again for connections from here on. The old ones stay on error.
  Status ReloadTls();

 private:
  class State;
  explicit Server(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace levada::net
