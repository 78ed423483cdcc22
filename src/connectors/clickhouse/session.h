#pragma once
// Session: one connection to a ClickHouse server and the one query that is at work on it.

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/context.h"
#include "connectors/clickhouse/dsn.h"
#include "connectors/clickhouse/protocol.h"
#include "connectors/clickhouse/socket.h"
#include "formats/chnative/block_reader.h"
#include "formats/chnative/frame.h"

namespace levada::clickhouse {

/// How blocks are sent. Auto: plain on this machine, LZ4 elsewhere.
enum class Wire : uint8_t { kAuto, kNone, kLz4, kZstd };

struct SessionOptions {
  Dsn dsn;
  Socket::Timeouts timeouts{};
  Wire wire = Wire::kAuto;
  chnative::TypeOptions types{};
  Settings settings{};  ///< of every query
  /// Settings of the session's own go with them: that a result which meets a limit is an error, and
  /// no part of one, unless `settings` says otherwise; and how blocks are sent.
  bool may_set = true;
  std::string version;  ///< of levada
};

/// One thread at a time.
class Session final {
 public:
  /// Connects and says hello. kSourceUnreachable, kAuthFailed, kDatabaseNotFound, kTlsFailed,
  /// kSourceProtocol (what listens there is no ClickHouse), kSourceUnsupported (too old).
  static Result<std::unique_ptr<Session>> Open(const Context& ctx, const SessionOptions& options);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// Begins a query; `doing` leads the message of what goes wrong with it. No other may be at work.
  Status Begin(const Context& ctx, const std::string& doing, const std::string& sql);
  /// The next block that has columns, the first one often without rows; nullopt at the end. A
  /// server's exception is a fault as FaultOfException makes it.
  Result<std::optional<chnative::Block>> Next();
  /// Asks the server to stop; waits for nothing. The session is of no more use.
  void Cancel();

  /// All rows of a small query whose columns are texts; NULL is nullopt.
  using Rows = std::vector<std::vector<std::optional<std::string>>>;
  Result<Rows> Ask(const Context& ctx, const std::string& doing, const std::string& sql);

  const ServerHello& server() const { return server_; }
  const std::string& database() const { return options_.dsn.database; }
  /// Rows of the result as the server counts them; -1: it has not said.
  int64_t rows_sent() const { return rows_sent_; }
  bool compressed() const { return compressed_; }
  int64_t wait_ns() const { return socket_->wait_ns(); }

 private:
  Session(const SessionOptions& options, std::unique_ptr<Socket> socket);
  Status SayHello();
  Status ReadOne();
  Result<chnative::Block> ReadBlock(chnative::ByteReader& bytes, chnative::BlockReader& blocks);
  Settings SettingsOfQuery() const;

  const SessionOptions options_;
  const std::unique_ptr<Socket> socket_;
  chnative::ByteReader bytes_;
  chnative::FrameSource frames_;
  chnative::ByteReader unpacked_;
  ServerHello server_;
  bool compressed_ = false;
  // Of the query at work.
  std::string doing_ = "cannot connect to ClickHouse";
  bool at_work_ = false;
  int64_t rows_sent_ = -1;
  std::optional<chnative::Block> ready_;
  std::unique_ptr<chnative::BlockReader> blocks_;
  std::unique_ptr<chnative::BlockReader> asides_;  ///< blocks of totals and logs, which are dropped
};

/// Asks what is in force of the settings that were sent, for some servers pass over those of a user
/// who may not change any. kSourceUnsupported where a limit of the user's would end a result early
/// without a word, unless `asked`, the pipeline's own settings, say so. False where `sent` are not
/// in force.
Result<bool> CheckSettings(const Context& ctx, Session& session, const Settings& sent,
                           const Settings& asked);

}  // namespace levada::clickhouse
