#pragma once
// Connection: one session with a PostgreSQL server, through libpq and never blocking in it.
//
// For the small statements: settings, catalog questions, snapshots, descriptions. Rows by the
// million go past libpq (raw_session.h). Every wait ends within 1 s of ctx.stop or ctx.deadline;
// the statement at work is then cancelled on the server and the connection is broken. The one wait
// that cannot be ended is the system's name resolution while connecting (libpq calls getaddrinfo).
//
// TLS, authentication, service files, passwords files and PG* variables are libpq's own.

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/context.h"
#include "base/secret.h"

struct pg_conn;
struct pg_result;

namespace levada::pq {

struct ConnectOptions {
  /// A libpq URI or key=value text. Empty: PG* variables, the service file, libpq's defaults.
  Secret dsn;
  /// Of the whole attempt; each host of a list has an equal part of it. A connect_timeout in the
  /// dsn or PGCONNECT_TIMEOUT is used for each host when this is absent, and 10 s when there is
  /// neither.
  std::optional<std::chrono::nanoseconds> connect_timeout;
};

/// The rows of one statement in the server's text form. nullopt: NULL.
using Row = std::vector<std::optional<std::string>>;
using Rows = std::vector<Row>;
using Parameters = std::vector<std::optional<std::string>>;

/// A column of a statement's result, as the server describes it before running it.
struct StatementColumn {
  std::string name;
  uint32_t type_oid = 0;
  int32_t type_modifier = -1;
  uint32_t table_oid = 0;    ///< 0: not a plain column of a table
  int16_t table_column = 0;  ///< attnum
};

/// Where a connection goes, for messages. No password.
struct Endpoint {
  std::string host;  ///< name, address, or directory of a Unix socket
  std::string port;
  std::string user;
  std::string database;
};

class RawSession;

/// One thread at a time. After kStopped, kSourceTimeout by the deadline, or kSourceConnectionLost
/// it answers nothing but kSourceConnectionLost.
class Connection final {  // tidy: allow more than five methods: a session's own verbs
 public:
  /// Errors: kSourceUnreachable, kTlsFailed, kAuthFailed, kDatabaseNotFound, kSourceBusy (starting
  /// up, too many connections), kSourceTimeout, kBadValue for a dsn that libpq cannot read (whose
  /// text is not repeated). Details "host", "port", "user", "database" once known; "hosts" says
  /// of each host of a list that was passed over why.
  static Result<std::unique_ptr<Connection>> Open(const Context& ctx,
                                                  const ConnectOptions& options);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Runs one statement. `doing` begins the message of a failure: "cannot list columns".
  Result<Rows> Query(const Context& ctx, std::string_view doing, const std::string& sql,
                     const Parameters& parameters = {});
  /// Runs statements separated by semicolons; rows are dropped.
  Status Execute(const Context& ctx, std::string_view doing, const std::string& sql);
  /// Parses and plans nothing, runs nothing: the columns that one statement would return. Takes the
  /// locks of a read inside a transaction.
  Result<std::vector<StatementColumn>> Describe(const Context& ctx, std::string_view doing,
                                                const std::string& sql);

  /// COPY ... FROM STDIN: begun, then any number of bytes, then its end, which says how many rows
  /// the server took. What is wrong with them may be said as late as that. Between the first and
  /// the last nothing else; a connection left in between is closed, and the server keeps no row.
  Status BeginCopyIn(const Context& ctx, std::string_view doing, const std::string& sql);
  Status SendCopyData(const Context& ctx, std::string_view doing, std::span<const uint8_t> bytes);
  Result<int64_t> EndCopyIn(const Context& ctx, std::string_view doing);

  const Endpoint& endpoint() const { return endpoint_; }
  /// A failure has ended it.
  bool broken() const { return broken_; }
  /// 150020 for 15.20.
  int server_version() const;
  /// "server_encoding", "TimeZone", ...: what the server reports by itself; empty when it does not.
  std::string Parameter(const char* name) const;
  bool uses_tls() const;

 private:
  friend class RawSession;
  struct Closer {
    void operator()(pg_conn* connection) const;
  };
  struct Clearer {
    void operator()(pg_result* result) const;
  };
  using ResultHandle = std::unique_ptr<pg_result, Clearer>;

  explicit Connection(std::unique_ptr<pg_conn, Closer> connection);
  Status Flush(const Context& ctx, std::string_view doing);
  Status AwaitResult(const Context& ctx, std::string_view doing);
  Status CopyBrokeOff(const Context& ctx, std::string_view doing);
  Status Drain(const Context& ctx, std::string_view doing, ResultHandle& last);
  Status Usable(std::string_view doing) const;
  Status Lost(std::string_view doing) const;
  Status Check(std::string_view doing, const pg_result* result) const;
  Status Abandon(Status why);

  std::unique_ptr<pg_conn, Closer> connection_;
  Endpoint endpoint_;
  bool broken_ = false;
};

/// What to do about a URL whose password was not encoded; the end of a help line.
inline constexpr std::string_view kPasswordHelp =
    "in a password write / ? # @ and % as %2F %3F %23 %40 and %25, or leave it to PGPASSWORD or "
    "~/.pgpass";

/// `text` as an SQL identifier, always quoted.
std::string QuoteIdentifier(std::string_view text);
/// `text` as an SQL literal that means the same whatever standard_conforming_strings says. A zero
/// byte ends it.
std::string QuoteLiteral(std::string_view text);

}  // namespace levada::pq
