// How a Connection begins, and what a failed beginning means.

#include <libpq-fe.h>
#include <poll.h>

#include <array>
#include <charconv>
#include <cstring>
#include <utility>

#include "base/quantity.h"
#include "db/postgres/connection.h"
#include "db/postgres/server_error.h"
#include "os/process.h"

namespace levada::pq {
namespace {

constexpr auto kConnectTimeout = std::chrono::seconds(10);
constexpr int kPollMs = 1000;

// libpq's messages can repeat parts of the text they complain about, and that text may hold a
// password.
std::string WithoutQuotedText(std::string_view message) {
  std::string masked;
  bool inside = false;
  for (const char c : message) {
    if (c == '"') {
      if (inside) masked += "***";
      inside = !inside;
    }
    if (!inside || c == '"') masked += c;
  }
  return inside ? masked + "***\"" : masked;
}

std::string Trimmed(std::string_view text) {
  const size_t end = text.find_last_not_of(" \t\r\n");
  return std::string(text.substr(0, end == std::string_view::npos ? 0 : end + 1));
}

Fault BadDsn(const char* message) {
  return Fault(FaultCode::kBadValue,
               "dsn: " + Trimmed(WithoutQuotedText(message == nullptr ? "unreadable" : message)))
      .Help(
          "write it as postgres://user@host:5432/database?sslmode=require, or as key=value pairs");
}

bool Contains(std::string_view text, std::initializer_list<const char*> words) {
  for (const char* word : words) {
    if (text.find(word) != std::string_view::npos) return true;
  }
  return false;
}

// With PQERRORS_VERBOSE a server's error begins "FATAL:  28P01: ...", whatever its language.
size_t FindSqlstate(std::string_view text) {
  for (size_t at = text.rfind(":  "); at != std::string_view::npos && at > 0;
       at = text.rfind(":  ", at - 1)) {
    const std::string_view state = text.substr(at + 3, 6);
    if (state.size() < 6 || state[5] != ':') continue;
    const bool fits = std::all_of(state.begin(), state.begin() + 5, [](char c) {
      return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
    });
    if (fits) return at + 3;
  }
  return std::string_view::npos;
}

// The failure of the last address that was tried, in one line.
std::string LastFailure(std::string_view message) {
  const size_t last = message.rfind("connection to server ");
  if (last != std::string_view::npos) message = message.substr(last);
  return std::string(message.substr(0, message.find('\n')));
}

FaultCode CodeOfFailure(std::string_view failure, ConnStatusType stage) {
  if (stage == CONNECTION_SSL_STARTUP || Contains(failure, {"SSL", "certificate"})) {
    return FaultCode::kTlsFailed;
  }
  if (Contains(failure, {"password", "authentication", "SCRAM", "GSSAPI", "peer user name"})) {
    return FaultCode::kAuthFailed;
  }
  return FaultCode::kSourceUnreachable;
}

std::string_view HelpOf(FaultCode code) {
  switch (code) {
    case FaultCode::kSourceUnreachable:
      return "check host and port, and that the server listens there";
    case FaultCode::kTlsFailed:
      return "check sslmode, sslrootcert and the server's certificate";
    case FaultCode::kAuthFailed:
      return "check user, password (or ~/.pgpass) and the server's pg_hba.conf";
    default:
      return {};
  }
}

void AddEndpoint(Fault& fault, PGconn* connection) {
  const auto add = [&](const char* key, const char* value) {
    if (value != nullptr && *value != '\0') fault.With(key, value);
  };
  add("host", PQhost(connection));
  add("port", PQport(connection));
  add("user", PQuser(connection));
  add("database", PQdb(connection));
}

Fault ConnectFault(PGconn* connection, ConnStatusType stage) {
  const char* text = PQerrorMessage(connection);
  const std::string message(text == nullptr ? "" : text);
  const size_t state_at = FindSqlstate(message);
  if (state_at != std::string::npos) {
    ServerError error;
    error.sqlstate = message.substr(state_at, 5);
    error.message = message.substr(state_at + 7, message.find('\n', state_at) - state_at - 7);
    Fault fault = FaultOf(error, "cannot connect");
    if (fault.help().empty()) fault.Help(std::string(HelpOf(fault.code())));
    AddEndpoint(fault, connection);
    return fault;
  }
  if (!Contains(message, {"connection to server ", "could not translate host name"})) {
    return BadDsn(message.c_str());
  }
  const std::string failure = LastFailure(message);
  const FaultCode code = CodeOfFailure(failure, stage);
  Fault fault(code, "cannot connect: " + failure);
  fault.Help(std::string(HelpOf(code)));
  AddEndpoint(fault, connection);
  return fault;
}

Status CheckDsn(const std::string& dsn) {
  if (dsn.empty()) return Status::OK();
  char* message = nullptr;
  PQconninfoOption* parsed = PQconninfoParse(dsn.c_str(), &message);
  if (parsed != nullptr) {
    PQconninfoFree(parsed);
    return Status::OK();
  }
  const Fault fault = BadDsn(message);
  PQfreemem(message);
  return fault;
}

PGconn* StartConnect(const std::string& dsn) {
  // What stands before the dsn is a default, what stands behind it overrides it.
  std::array<std::pair<const char*, const char*>, 7> options = {{
      {"fallback_application_name", "levada"},
      {"keepalives_idle", "30"},
      {"keepalives_interval", "10"},
      {"keepalives_count", "3"},
      {"dbname", dsn.empty() ? nullptr : dsn.c_str()},
      {"client_encoding", "UTF8"},
      {nullptr, nullptr},
  }};
  std::array<const char*, 7> keywords;
  std::array<const char*, 7> values;
  for (size_t i = 0; i < options.size(); ++i) {
    keywords[i] = options[i].first;
    values[i] = options[i].second;
  }
  return PQconnectStartParams(keywords.data(), values.data(), /*expand_dbname=*/1);
}

std::chrono::nanoseconds TimeoutOf(PGconn* connection, const ConnectOptions& options) {
  if (options.connect_timeout) return *options.connect_timeout;
  std::chrono::nanoseconds timeout = kConnectTimeout;
  PQconninfoOption* all = PQconninfo(connection);
  for (const PQconninfoOption* option = all; option != nullptr && option->keyword != nullptr;
       ++option) {
    if (std::strcmp(option->keyword, "connect_timeout") != 0 || option->val == nullptr) continue;
    int64_t seconds = 0;
    std::from_chars(option->val, option->val + std::strlen(option->val), seconds);
    // libpq takes 0 for "for ever" and, with the year 292 out of reach, so do we.
    timeout = seconds > 0 && seconds < 1'000'000 ? std::chrono::seconds(seconds)
                                                 : std::chrono::nanoseconds::max();
  }
  PQconninfoFree(all);
  return timeout;
}

}  // namespace

Result<std::unique_ptr<Connection>> Connection::Open(const Context& ctx,
                                                     const ConnectOptions& options) {
  ARROW_RETURN_NOT_OK(ctx.Check());
  const std::string& dsn = options.dsn.Reveal();
  ARROW_RETURN_NOT_OK(CheckDsn(dsn));
  std::unique_ptr<pg_conn, Closer> connection(StartConnect(dsn));
  if (connection == nullptr) return Status::OutOfMemory("libpq: no memory for a connection");
  PGconn* raw = connection.get();
  PQsetErrorVerbosity(raw, PQERRORS_VERBOSE);
  const std::chrono::nanoseconds timeout = TimeoutOf(raw, options);
  const Context limited = ctx.Within(timeout);
  const os::StopEvent stop(ctx.stop);

  ConnStatusType stage = PQstatus(raw);
  PostgresPollingStatusType state = PGRES_POLLING_WRITING;
  while (stage != CONNECTION_BAD && state != PGRES_POLLING_OK) {
    ARROW_RETURN_NOT_OK(ctx.Check());
    if (!limited.Check().ok()) {
      Fault fault(FaultCode::kSourceUnreachable,
                  "cannot connect: no answer within " + FormatDuration(timeout));
      fault.Help("check host and port and what stands between, or raise connect_timeout");
      AddEndpoint(fault, raw);
      return fault;
    }
    const short events = state == PGRES_POLLING_READING ? POLLIN : POLLOUT;
    ARROW_ASSIGN_OR_RAISE(const bool ready, os::WaitReady(PQsocket(raw), events, stop,
                                                          limited.PollTimeoutMs(kPollMs)));
    if (!ready) continue;
    stage = PQstatus(raw);
    state = PQconnectPoll(raw);
    if (state == PGRES_POLLING_FAILED) return ConnectFault(raw, stage);
  }
  if (stage == CONNECTION_BAD) return ConnectFault(raw, stage);
  if (PQsetnonblocking(raw, 1) != 0) {
    return Fault(FaultCode::kInternal, "libpq: cannot make a connection non-blocking");
  }
  // libpq would print the server's notices to standard error.
  PQsetNoticeReceiver(raw, [](void*, const PGresult*) {}, nullptr);
  return std::unique_ptr<Connection>(new Connection(std::move(connection)));
}

}  // namespace levada::pq
