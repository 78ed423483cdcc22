#include "connectors/postgres/session.h"

#include <algorithm>
#include <limits>
#include <utility>

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

Status ImportSnapshot(const Context& ctx, pq::Connection& connection, const std::string& snapshot) {
  const Status status = connection.Execute(
      ctx, "cannot join the snapshot", "set transaction snapshot " + pq::QuoteLiteral(snapshot));
  // Whatever the server says about its name: the one way to lose it is its session's end.
  if (status.ok() || IsRetryable(status) || CodeOf(status) == FaultCode::kStopped) return status;
  return Fault(FaultCode::kSnapshotLost, "the snapshot of this attempt is gone").Because(status);
}

/// What libpq makes nothing of is shown where it was written.
Status AtDsn(const Status& status, const ConsumerOptions& options) {
  const Fault fault = FaultOf(status);
  if (fault.code() != FaultCode::kBadValue || !options.written.Given("dsn")) return status;
  return Fault(fault).At(
      {options.written.ErrorAt("dsn", fault.code(), fault.message(), fault.help())});
}

}  // namespace

Result<std::unique_ptr<pq::Connection>> BeginSession(const Context& ctx,
                                                     const ConsumerOptions& options,
                                                     const std::string& snapshot) {
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
  const std::string begin = "begin transaction isolation level repeatable read, read only";
  ARROW_RETURN_NOT_OK(connection->Execute(ctx, "cannot begin a transaction", begin));
  if (!snapshot.empty()) ARROW_RETURN_NOT_OK(ImportSnapshot(ctx, *connection, snapshot));
  ARROW_RETURN_NOT_OK(connection->Execute(ctx, "cannot set up the session",
                                          Settings(options, connection->server_version())));
  return connection;
}

Result<bool> IsStandby(const Context& ctx, pq::Connection& connection) {
  ARROW_ASSIGN_OR_RAISE(const pq::Rows rows,
                        connection.Query(ctx, "cannot ask for the server's role",
                                         "select pg_catalog.pg_is_in_recovery()"));
  return !rows.empty() && rows[0][0] == "t";
}

Result<std::string> ExportSnapshot(const Context& ctx, pq::Connection& connection) {
  ARROW_ASSIGN_OR_RAISE(const pq::Rows rows, connection.Query(ctx, "cannot export a snapshot",
                                                              "select pg_catalog."
                                                              "pg_export_snapshot()"));
  return rows.empty() ? std::string() : rows[0][0].value_or("");
}

}  // namespace levada::postgres
