#include "db/postgres/connection.h"

#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "db/postgres/cancellation.h"
#include "db/postgres/server_error.h"
#include "os/process.h"

namespace levada::pq {
namespace {

constexpr auto kCancelPatience = std::chrono::milliseconds(500);
// How long a poll lasts at most: a clock that a test moves is looked at again after this.
constexpr int kPollMs = 1000;
constexpr size_t kCopyPieceBytes = 256 << 10;

std::string FieldOf(const PGresult* result, int code) {
  const char* value = PQresultErrorField(result, code);
  return value == nullptr ? std::string() : std::string(value);
}

ServerError ErrorOf(const PGresult* result) {
  return {FieldOf(result, PG_DIAG_SEVERITY_NONLOCALIZED),
          FieldOf(result, PG_DIAG_SQLSTATE),
          FieldOf(result, PG_DIAG_MESSAGE_PRIMARY),
          FieldOf(result, PG_DIAG_MESSAGE_DETAIL),
          FieldOf(result, PG_DIAG_MESSAGE_HINT),
          FieldOf(result, PG_DIAG_CONTEXT),
          FieldOf(result, PG_DIAG_TABLE_NAME),
          FieldOf(result, PG_DIAG_COLUMN_NAME),
          FieldOf(result, PG_DIAG_CONSTRAINT_NAME)};
}

std::string FirstLine(const char* text) {
  const std::string_view all(text == nullptr ? "" : text);
  return std::string(all.substr(0, all.find('\n')));
}

Rows RowsOf(const PGresult* result) {
  const int row_count = PQntuples(result);
  const int column_count = PQnfields(result);
  Rows rows(static_cast<size_t>(row_count));
  for (int row = 0; row < row_count; ++row) {
    Row& values = rows[static_cast<size_t>(row)];
    values.resize(static_cast<size_t>(column_count));
    for (int column = 0; column < column_count; ++column) {
      if (PQgetisnull(result, row, column) != 0) continue;
      values[static_cast<size_t>(column)].emplace(
          PQgetvalue(result, row, column), static_cast<size_t>(PQgetlength(result, row, column)));
    }
  }
  return rows;
}

}  // namespace

void Connection::Closer::operator()(pg_conn* connection) const { PQfinish(connection); }
void Connection::Clearer::operator()(pg_result* result) const { PQclear(result); }

Connection::Connection(std::unique_ptr<pg_conn, Closer> connection)
    : connection_(std::move(connection)) {
  const auto text = [](const char* value) { return std::string(value == nullptr ? "" : value); };
  PGconn* raw = connection_.get();
  endpoint_ = {text(PQhost(raw)), text(PQport(raw)), text(PQuser(raw)), text(PQdb(raw))};
}

Connection::~Connection() = default;

int Connection::server_version() const { return PQserverVersion(connection_.get()); }

std::string Connection::Parameter(const char* name) const {
  const char* value = PQparameterStatus(connection_.get(), name);
  return value == nullptr ? std::string() : std::string(value);
}

bool Connection::uses_tls() const { return PQsslInUse(connection_.get()) != 0; }

Status Connection::Usable(std::string_view doing) const {
  if (!broken_) return Status::OK();
  return Fault(FaultCode::kSourceConnectionLost,
               std::string(doing) + ": the connection was given up before");
}

Status Connection::Lost(std::string_view doing) const {
  return Fault(FaultCode::kSourceConnectionLost,
               std::string(doing) + ": " + FirstLine(PQerrorMessage(connection_.get())))
      .With("host", endpoint_.host)
      .With("port", endpoint_.port);
}

Status Connection::Abandon(Status why) {
  broken_ = true;
  RequestCancel(connection_.get(), kCancelPatience);
  return why;
}

Status Connection::Check(std::string_view doing, const pg_result* result) const {
  switch (PQresultStatus(result)) {
    case PGRES_COMMAND_OK:
    case PGRES_TUPLES_OK:
    case PGRES_EMPTY_QUERY:
      return Status::OK();
    case PGRES_FATAL_ERROR: {
      const ServerError error = ErrorOf(result);
      if (error.sqlstate.empty()) return Lost(doing);
      return pq::FaultOf(error, doing);
    }
    default:
      return Fault(FaultCode::kQueryFailed,
                   std::string(doing) + ": expected rows, got the answer to another command");
  }
}

Status Connection::Flush(const Context& ctx, std::string_view doing) {
  const os::StopEvent stop(ctx.stop);
  while (true) {
    const int left = PQflush(connection_.get());
    if (left == 0) return Status::OK();
    if (left < 0) {
      broken_ = true;
      return Lost(doing);
    }
    if (Status status = ctx.Check(); !status.ok()) return Abandon(std::move(status));
    ARROW_RETURN_NOT_OK(os::WaitReady(PQsocket(connection_.get()), POLLIN | POLLOUT, stop,
                                      ctx.PollTimeoutMs(kPollMs)));
    if (PQconsumeInput(connection_.get()) == 0) {
      broken_ = true;
      return Lost(doing);
    }
  }
}

// Until PQgetResult does not wait.
Status Connection::AwaitResult(const Context& ctx, std::string_view doing) {
  const os::StopEvent stop(ctx.stop);
  while (PQisBusy(connection_.get()) != 0) {
    if (Status status = ctx.Check(); !status.ok()) return Abandon(std::move(status));
    ARROW_ASSIGN_OR_RAISE(const bool ready, os::WaitReady(PQsocket(connection_.get()), POLLIN, stop,
                                                          ctx.PollTimeoutMs(kPollMs)));
    if (ready && PQconsumeInput(connection_.get()) == 0) {
      broken_ = true;
      // A server that ends a session says why before it closes.
      if (PQisBusy(connection_.get()) != 0) return Lost(doing);
    }
  }
  return Status::OK();
}

// Takes every result of what was sent; `last` is the last one that is no error.
Status Connection::Drain(const Context& ctx, std::string_view doing, ResultHandle& last) {
  ARROW_RETURN_NOT_OK(Flush(ctx, doing));
  Status first_error;
  while (true) {
    ARROW_RETURN_NOT_OK(AwaitResult(ctx, doing));
    ResultHandle result(PQgetResult(connection_.get()));
    if (result == nullptr) break;
    Status status = Check(doing, result.get());
    const ExecStatusType kind = PQresultStatus(result.get());
    if (kind == PGRES_COPY_OUT || kind == PGRES_COPY_IN || kind == PGRES_COPY_BOTH) {
      return Abandon(std::move(status));
    }
    if (status.ok()) {
      last = std::move(result);
    } else if (first_error.ok()) {
      first_error = std::move(status);
    }
  }
  if (PQstatus(connection_.get()) != CONNECTION_OK) broken_ = true;
  return first_error;
}

Result<Rows> Connection::Query(const Context& ctx, std::string_view doing, const std::string& sql,
                               const Parameters& parameters) {
  ARROW_RETURN_NOT_OK(Usable(doing));
  std::vector<const char*> values;
  values.reserve(parameters.size());
  for (const auto& value : parameters) values.push_back(value ? value->c_str() : nullptr);
  if (PQsendQueryParams(connection_.get(), sql.c_str(), static_cast<int>(values.size()), nullptr,
                        values.data(), nullptr, nullptr, 0) == 0) {
    return Lost(doing);
  }
  ResultHandle result;
  ARROW_RETURN_NOT_OK(Drain(ctx, doing, result));
  return result == nullptr ? Rows() : RowsOf(result.get());
}

Status Connection::Execute(const Context& ctx, std::string_view doing, const std::string& sql) {
  ARROW_RETURN_NOT_OK(Usable(doing));
  if (PQsendQuery(connection_.get(), sql.c_str()) == 0) return Lost(doing);
  ResultHandle result;
  return Drain(ctx, doing, result);
}

Status Connection::BeginCopyIn(const Context& ctx, std::string_view doing, const std::string& sql) {
  ARROW_RETURN_NOT_OK(Usable(doing));
  if (PQsendQuery(connection_.get(), sql.c_str()) == 0) return Lost(doing);
  ARROW_RETURN_NOT_OK(Flush(ctx, doing));
  ARROW_RETURN_NOT_OK(AwaitResult(ctx, doing));
  const ResultHandle result(PQgetResult(connection_.get()));
  if (PQresultStatus(result.get()) == PGRES_COPY_IN) return Status::OK();
  Status status = Check(doing, result.get());
  ResultHandle last;
  const Status drained = Drain(ctx, doing, last);
  if (!status.ok()) return status;
  ARROW_RETURN_NOT_OK(drained);
  return Fault(FaultCode::kQueryFailed, std::string(doing) + ": the server takes no rows");
}

Status Connection::SendCopyData(const Context& ctx, std::string_view doing,
                                std::span<const uint8_t> bytes) {
  ARROW_RETURN_NOT_OK(Usable(doing));
  // In pieces: libpq keeps what the socket does not take, and its memory is never given back.
  while (!bytes.empty()) {
    const std::span<const uint8_t> piece = bytes.first(std::min(bytes.size(), kCopyPieceBytes));
    const int sent = PQputCopyData(connection_.get(), reinterpret_cast<const char*>(piece.data()),
                                   static_cast<int>(piece.size()));
    if (sent < 0) return CopyBrokeOff(ctx, doing);
    ARROW_RETURN_NOT_OK(Flush(ctx, doing));
    if (sent > 0) bytes = bytes.subspan(piece.size());
  }
  return Status::OK();
}

// What the server said when it ended the COPY by itself, else that it is gone.
Status Connection::CopyBrokeOff(const Context& ctx, std::string_view doing) {
  const Status lost = Lost(doing);
  ResultHandle last;
  const Status said = Drain(ctx, doing, last);
  broken_ = true;
  return said.ok() ? lost : said;
}

Result<int64_t> Connection::EndCopyIn(const Context& ctx, std::string_view doing) {
  ARROW_RETURN_NOT_OK(Usable(doing));
  while (true) {
    const int sent = PQputCopyEnd(connection_.get(), nullptr);
    if (sent < 0) return CopyBrokeOff(ctx, doing);
    if (sent > 0) break;
    ARROW_RETURN_NOT_OK(Flush(ctx, doing));
  }
  ResultHandle result;
  ARROW_RETURN_NOT_OK(Drain(ctx, doing, result));
  const std::string_view tag(result == nullptr ? "" : PQcmdTuples(result.get()));
  int64_t rows = -1;
  const auto parsed = std::from_chars(tag.data(), tag.data() + tag.size(), rows);
  if (parsed.ec == std::errc() && parsed.ptr == tag.data() + tag.size()) return rows;
  return Fault(FaultCode::kQueryFailed, std::string(doing) +
                                            ": the server does not say how many "
                                            "rows it took");
}

Result<std::vector<StatementColumn>> Connection::Describe(const Context& ctx,
                                                          std::string_view doing,
                                                          const std::string& sql) {
  ARROW_RETURN_NOT_OK(Usable(doing));
  ResultHandle result;
  if (PQsendPrepare(connection_.get(), "", sql.c_str(), 0, nullptr) == 0) return Lost(doing);
  ARROW_RETURN_NOT_OK(Drain(ctx, doing, result));
  if (PQsendDescribePrepared(connection_.get(), "") == 0) return Lost(doing);
  ARROW_RETURN_NOT_OK(Drain(ctx, doing, result));
  std::vector<StatementColumn> columns;
  const int count = PQnfields(result.get());
  for (int i = 0; i < count; ++i) {
    columns.push_back({PQfname(result.get(), i), PQftype(result.get(), i), PQfmod(result.get(), i),
                       PQftable(result.get(), i),
                       static_cast<int16_t>(PQftablecol(result.get(), i))});
  }
  return columns;
}

std::string QuoteIdentifier(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

std::string QuoteLiteral(std::string_view text) {
  text = text.substr(0, text.find('\0'));
  std::string quoted = text.find('\\') == std::string_view::npos ? "'" : "E'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') quoted += c;
    quoted += c;
  }
  return quoted + '\'';
}

}  // namespace levada::pq
