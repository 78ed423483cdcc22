#include "connectors/postgres/loader_session.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "connectors/postgres/loader_faults.h"
#include "connectors/postgres/session.h"
#include "elt/stage_problems.h"

namespace levada::postgres {
namespace {

constexpr auto kRollbackPatience = std::chrono::milliseconds(300);

std::string Settings(const LoaderOptions& options) {
  const auto lock = std::min(std::chrono::ceil<std::chrono::milliseconds>(options.lock_timeout),
                             std::chrono::milliseconds(std::numeric_limits<int32_t>::max()));
  return "set client_encoding = 'UTF8'; set datestyle = 'ISO, MDY'; set timezone = 'UTC'; "
         "set intervalstyle = iso_8601; set standard_conforming_strings = on; "
         "set xmloption = content; set synchronize_seqscans = off; set statement_timeout = 0; "
         "set idle_in_transaction_session_timeout = 0; "
         "set default_transaction_isolation = 'read committed'; set client_min_messages = warning; "
         "set lock_timeout = " +
         std::to_string(lock.count()) +
         "; select pg_catalog.set_config('lc_monetary', 'C', false) "
         "where pg_catalog.encode(pg_catalog.cash_send(1::pg_catalog.int4::pg_catalog.money), "
         "'hex') = '0000000000000064'";
}

}  // namespace

Result<std::unique_ptr<pq::Connection>> OpenTarget(const Context& ctx,
                                                   const LoaderOptions& options) {
  pq::ConnectOptions connect;
  if (options.written.Has("dsn")) {
    ARROW_ASSIGN_OR_RAISE(connect.dsn, options.written.Reveal("dsn"));
    // A variable that is set to nothing would mean whatever server PG* variables name.
    if (connect.dsn.empty()) {
      return elt::Placed(Fault(FaultCode::kBadValue, "dsn: it is empty")
                             .Help("write postgres://user@host/database, or leave dsn: out to take "
                                   "PG* variables and the service file"),
                         options.written, "dsn");
    }
  }
  connect.connect_timeout = options.connect_timeout;
  auto opened = pq::Connection::Open(ctx, connect);
  if (!opened.ok()) {
    const Fault fault = FaultOf(opened.status());
    if (fault.code() == FaultCode::kBadValue && options.written.Given("dsn")) {
      return elt::Placed(fault, options.written, "dsn");
    }
    // Nobody answered in time; the deadline of the whole run says so itself.
    if (fault.code() == FaultCode::kSourceTimeout && ctx.Check().ok()) {
      return Fault(FaultCode::kTargetUnreachable, fault.message())
          .With("table", options.table.Written())
          .Help(fault.help());
    }
    return OfTarget(opened.status(), options.table);
  }
  std::unique_ptr<pq::Connection> connection = std::move(*opened);
  if (connection->server_version() < kServerVersionMin) {
    return Fault(FaultCode::kTargetUnsupported, "server: expected PostgreSQL 12 or later, got " +
                                                    connection->Parameter("server_version"));
  }
  ARROW_RETURN_NOT_OK(OfTarget(
      connection->Execute(ctx, "cannot set up the session", Settings(options)), options.table));
  return connection;
}

Status InTransaction(const Context& ctx, pq::Connection& connection, const TableName& table,
                     const std::function<Status()>& body) {
  ARROW_RETURN_NOT_OK(
      OfTarget(connection.Execute(ctx, "cannot begin a transaction", "begin"), table));
  const Status done = body();
  if (done.ok()) {
    return OfTarget(connection.Execute(ctx, "cannot commit to " + table.Written(), "commit"),
                    table);
  }
  if (!connection.broken()) {
    // Also after a stop; a connection that does not answer is closed, which is the same.
    Context rollback = ctx;
    rollback.stop = {};
    rollback.deadline = SteadyTime::max();
    (void)connection.Execute(rollback.Within(kRollbackPatience), "cannot roll back", "rollback");
  }
  return done;
}

Result<pq::Rows> Ask(const Context& ctx, pq::Connection& connection, const TableName& table,
                     std::string_view doing, const std::string& sql,
                     const pq::Parameters& parameters) {
  auto rows = connection.Query(ctx, std::string(doing) + " " + table.Written(), sql, parameters);
  if (!rows.ok()) return OfTarget(rows.status(), table);
  return rows;
}

}  // namespace levada::postgres
