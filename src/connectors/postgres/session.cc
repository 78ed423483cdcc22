#include "connectors/postgres/session.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/log.h"
#include "elt/retry.h"
#include "elt/stage_problems.h"

namespace levada::postgres {
namespace {

// What is cast to text, or read from text, is the same whoever connects: the settings of role,
// database and environment that it would depend on. A value of money is a whole number, and
// lc_monetary says of what: "C" of hundredths, so it is set only where the server's own locale says
// the same (a unit of 1 is then the 64 bits of 100).
constexpr const char* kTextSettings =
    "; set local datestyle = 'ISO, MDY'; set local intervalstyle = iso_8601; "
    "set local timezone = 'UTC'; set local extra_float_digits = 3; set local bytea_output = hex; "
    "set local xmlbinary = base64; set local xmloption = content; "
    "set local quote_all_identifiers = off; set local standard_conforming_strings = on; "
    "select pg_catalog.set_config('lc_monetary', 'C', true) where pg_catalog.encode("
    "pg_catalog.cash_send(1::pg_catalog.int4::pg_catalog.money), 'hex') = '0000000000000064'";

std::string Settings(const ConsumerOptions& options, int server_version) {
  // Up, because zero is none; and the server counts in 32 bits.
  const auto timeout =
      std::min(std::chrono::ceil<std::chrono::milliseconds>(options.statement_timeout),
               std::chrono::milliseconds(std::numeric_limits<int32_t>::max()));
  // The scan starts at the first block and one process does it: rows come in one order.
  std::string sql =
      "set local synchronize_seqscans = off; set local max_parallel_workers_per_gather = 0; "
      "set local jit = off; set local idle_in_transaction_session_timeout = 0; "
      "set local statement_timeout = " +
      std::to_string(timeout.count());
  if (server_version >= 170000) sql += "; set local transaction_timeout = 0";
  return sql + kTextSettings;
}

constexpr const char* kServerStart = "pg_catalog.pg_postmaster_start_time()::text";
// As evaluated: a standby has no position to write at, and a primary none that it replays.
constexpr const char* kSystem =
    "(select s.system_identifier::text from pg_catalog.pg_control_system() s)";
constexpr const char* kPosition =
    "(case when pg_catalog.pg_is_in_recovery() then pg_catalog.pg_last_wal_replay_lsn() else "
    "pg_catalog.pg_current_wal_insert_lsn() end)::text";
constexpr const char* kAsking = "cannot ask how far the server is";
constexpr std::chrono::nanoseconds kReplayWaitMax = std::chrono::minutes(1);
constexpr std::chrono::nanoseconds kLookEvery = std::chrono::milliseconds(100);

/// A failure that is none of the server's own answer: a lost connection, a stop.
bool IsNoAnswer(const Status& status) {
  return IsRetryable(status) || CodeOf(status) == FaultCode::kStopped;
}

Status ImportSnapshot(const Context& ctx, pq::Connection& connection, const std::string& snapshot) {
  const Status status = connection.Execute(
      ctx, "cannot join the snapshot", "set transaction snapshot " + pq::QuoteLiteral(snapshot));
  // Whatever the server says about its name: the one way to lose it is its session's end.
  if (status.ok() || IsNoAnswer(status)) return status;
  return Fault(FaultCode::kSnapshotLost, "the snapshot of this attempt is gone").Because(status);
}

/// Ids count from one on each server: another one may have a snapshot of the same name.
Status CheckServer(const Context& ctx, pq::Connection& connection, const Snapshot& snapshot) {
  ARROW_ASSIGN_OR_RAISE(
      const pq::Rows rows,
      connection.Query(ctx, "cannot join the snapshot", "select " + std::string(kServerStart)));
  if (!rows.empty() && rows[0][0] == snapshot.server) return Status::OK();
  return Fault(
             FaultCode::kSnapshotLost,
             "the connections of this attempt lead to different servers, and a snapshot is of one")
      .Help("name one host in the dsn, or leave connections: out");
}

/// Whether the server is a standby of that system that has not replayed so much. A primary waits
/// for nobody, and what another system says means nothing. A position to write at is behind the
/// header of a page (24 bytes, 40 of a segment's first) as soon as the page before it is full: what
/// is replayed ends there at the page's own beginning.
std::string IsBehind(const std::string& system, const std::string& log) {
  const std::string wanted = pq::QuoteLiteral(log) + "::pg_catalog.pg_lsn";
  return "select pg_catalog.pg_is_in_recovery() and " + std::string(kSystem) + " = " +
         pq::QuoteLiteral(system) + " and r.lsn < " + wanted +
         " and not (pg_catalog.pg_wal_lsn_diff(r.lsn, '0/0') % "
         "pg_catalog.current_setting('wal_block_size')::int4 = 0 and "
         "pg_catalog.pg_wal_lsn_diff(" +
         wanted + ", r.lsn) <= 40) from (select pg_catalog.pg_last_wal_replay_lsn() as lsn) r";
}

/// Before the transaction begins: its first question would fix what it sees.
Status WaitForPosition(const Context& ctx, pq::Connection& connection,
                       const std::string& position) {
  const size_t system_end = position.find('/');
  const std::string log = system_end == std::string::npos ? "" : position.substr(system_end + 1);
  if (log.find('/') == std::string::npos ||
      log.find_first_not_of("0123456789ABCDEF/") != std::string::npos) {
    return Fault(FaultCode::kManifestCorrupt, "no position in a log: \"" + position + "\"");
  }
  const std::string behind = IsBehind(position.substr(0, system_end), log);
  const auto deadline = ctx.clock->Steady() + kReplayWaitMax;
  while (true) {
    const auto rows = connection.Query(ctx, kAsking, behind);
    if (!rows.ok()) {
      if (IsNoAnswer(rows.status())) return rows.status();
      ctx.log->Warning(
          "the server does not say how far it is: whether it has all rows of the "
          "increment is not known",
          {{"cause", FaultOf(rows.status()).message()}});
      return Status::OK();
    }
    if (rows->empty() || (*rows)[0][0] != "t") return Status::OK();
    if (ctx.clock->Steady() >= deadline || !elt::WaitOut(ctx, kLookEvery)) break;
  }
  ARROW_RETURN_NOT_OK(ctx.Check());
  return Fault(FaultCode::kSourceBusy,
               "the standby has not replayed what was there when the end "
               "of the increment was found on another server")
      .Help("run again when it has caught up, or name the host that it follows");
}

/// What libpq makes nothing of is shown where it was written.
Status AtDsn(const Status& status, const ConsumerOptions& options) {
  const Fault fault = FaultOf(status);
  if (fault.code() != FaultCode::kBadValue || !options.written.Given("dsn")) return status;
  return elt::Placed(fault, options.written, "dsn");
}

}  // namespace

Result<std::unique_ptr<pq::Connection>> BeginSession(const Context& ctx,
                                                     const ConsumerOptions& options,
                                                     const SessionView& view) {
  pq::ConnectOptions connect;
  if (options.written.Has("dsn")) {
    ARROW_ASSIGN_OR_RAISE(connect.dsn, options.written.Reveal("dsn"));
    // A variable that is set to nothing would mean whatever server PG* variables name.
    if (connect.dsn.empty()) {
      return AtDsn(Fault(FaultCode::kBadValue, "dsn: it is empty")
                       .Help("write postgres://user@host/database, or leave dsn: out to take PG* "
                             "variables and the service file"),
                   options);
    }
  }
  connect.connect_timeout = options.connect_timeout;
  auto opened = pq::Connection::Open(ctx, connect);
  if (!opened.ok()) return AtDsn(opened.status(), options);
  std::unique_ptr<pq::Connection> connection = std::move(*opened);
  if (connection->server_version() < kServerVersionMin) {
    return Fault(FaultCode::kSourceUnsupported, "server: expected PostgreSQL 12 or later, got " +
                                                    connection->Parameter("server_version"));
  }
  if (!view.position.empty()) {
    ARROW_RETURN_NOT_OK(WaitForPosition(ctx, *connection, view.position));
  }
  const std::string begin = "begin transaction isolation level repeatable read, read only";
  ARROW_RETURN_NOT_OK(connection->Execute(ctx, "cannot begin a transaction", begin));
  if (view.snapshot) ARROW_RETURN_NOT_OK(ImportSnapshot(ctx, *connection, view.snapshot->id));
  ARROW_RETURN_NOT_OK(connection->Execute(ctx, "cannot set up the session",
                                          Settings(options, connection->server_version())));
  if (view.snapshot) ARROW_RETURN_NOT_OK(CheckServer(ctx, *connection, *view.snapshot));
  return connection;
}

Result<bool> IsStandby(const Context& ctx, pq::Connection& connection) {
  ARROW_ASSIGN_OR_RAISE(const pq::Rows rows,
                        connection.Query(ctx, "cannot ask for the server's role",
                                         "select pg_catalog.pg_is_in_recovery()"));
  return !rows.empty() && rows[0][0] == "t";
}

Result<std::string> PositionOf(const Context& ctx, pq::Connection& connection) {
  const auto rows =
      connection.Query(ctx, kAsking, "select " + std::string(kSystem) + " || '/' || " + kPosition);
  if (rows.ok()) return rows->empty() ? std::string() : (*rows)[0][0].value_or("");
  if (IsNoAnswer(rows.status())) return rows.status();
  return std::string();
}

Result<Snapshot> ExportSnapshot(const Context& ctx, pq::Connection& connection) {
  ARROW_ASSIGN_OR_RAISE(
      const pq::Rows rows,
      connection.Query(ctx, "cannot export a snapshot",
                       "select pg_catalog.pg_export_snapshot(), " + std::string(kServerStart)));
  if (rows.empty()) return Fault(FaultCode::kSourceProtocol, "no snapshot was exported");
  return Snapshot{rows[0][0].value_or(""), rows[0][1].value_or("")};
}

}  // namespace levada::postgres
