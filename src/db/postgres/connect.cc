// How a Connection begins, and what a failed beginning means.

#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <utility>
#include <vector>

#include "base/diagnostic.h"
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

bool Contains(std::string_view text, std::initializer_list<const char*> words) {
  for (const char* word : words) {
    if (text.find(word) != std::string_view::npos) return true;
  }
  return false;
}

// The connection parameter that an unknown one was meant to be, or empty. What was written is never
// shown: behind a "?" of a password that was not encoded it is a part of that.
std::string MeantParameter(std::string_view message) {
  if (!Contains(message, {"invalid URI query parameter: ", "invalid connection option "}))
    return {};
  const size_t begin = message.find('"') + 1;
  const std::string written(message.substr(begin, message.find('"', begin) - begin));
  std::vector<std::string> known;
  PQconninfoOption* const options = PQconndefaults();
  for (auto* option = options; option != nullptr && option->keyword != nullptr; ++option) {
    known.emplace_back(option->keyword);
  }
  PQconninfoFree(options);
  return NearestName(written, known);
}

Fault BadDsn(const char* text, std::string_view dsn = {}) {
  const std::string message = text == nullptr ? "unreadable" : text;
  // Another system's URL, or a word alone.
  const bool no_pairs = Contains(message, {"missing \"=\""});
  if (no_pairs && Contains(dsn, {"="}) && !Contains(dsn, {"://"})) {
    return Fault(FaultCode::kBadValue, "dsn: a word without \"=\" between its key=value pairs")
        .Help("a value with a blank is written in single quotes: password='two words'");
  }
  Fault fault(FaultCode::kBadValue, no_pairs ? "dsn: neither a postgres:// URL nor key=value pairs"
                                             : "dsn: " + Trimmed(WithoutQuotedText(message)));
  const std::string meant = MeantParameter(message);
  if (!meant.empty()) return fault.Help("did you mean the parameter \"" + meant + "\"?");
  if (Contains(message, {"definition of service ", "service file "})) {
    return fault.Help(
        "a service is [name] and lines of key=value below it, in the file that PGSERVICEFILE names "
        "or ~/.pg_service.conf");
  }
  const bool misread = Contains(message, {"URI", "port"});
  return fault.Help(
      "write it as postgres://user@host:5432/database?sslmode=require, or as key=value pairs" +
      (misread ? "; " + std::string(kPasswordHelp) : std::string()));
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
  if (Contains(failure, {"SSL", "certificate"})) return FaultCode::kTlsFailed;
  // A server that dies closes the connection at whatever stage it is in.
  if (Contains(failure, {"closed the connection", "Connection reset", "could not receive data",
                         "could not send data"})) {
    return FaultCode::kSourceUnreachable;
  }
  if (stage == CONNECTION_SSL_STARTUP) return FaultCode::kTlsFailed;
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

/// What dsn, environment and service file come to.
class Settings {
 public:
  explicit Settings(PGconn* connection) : all_(PQconninfo(connection)) {}
  ~Settings() { PQconninfoFree(all_); }
  Settings(const Settings&) = delete;
  Settings& operator=(const Settings&) = delete;

  /// Empty when it is not set.
  std::string Get(const char* keyword) const {
    for (const PQconninfoOption* option = all_; option != nullptr && option->keyword != nullptr;
         ++option) {
      if (std::strcmp(option->keyword, keyword) == 0 && option->val != nullptr) return option->val;
    }
    return {};
  }

 private:
  PQconninfoOption* const all_;
};

/// Of a password file that others may read libpq says on standard error only that it is not used.
std::string MissingPasswordHelp(PGconn* connection) {
  const std::string file = Settings(connection).Get("passfile");
  return "set PGPASSWORD, or write a line for this host, port, database and user into " +
         (file.empty() ? std::string("~/.pgpass") : file) +
         ", which is used only when nobody else may read it (chmod 0600)";
}

std::string HelpOf(FaultCode code, std::string_view failure, PGconn* connection) {
  if (Contains(failure, {"no password supplied"})) return MissingPasswordHelp(connection);
  // In libpq's words: not what was asked for is "session is read-only", "server is not in hot
  // standby mode" and their opposites.
  if (failure.ends_with("read-only") || failure.ends_with("hot standby mode")) {
    return "target_session_attrs asks for another role than this server has: name one that has it, "
           "or see which is the primary now";
  }
  return std::string(HelpOf(code));
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
  fault.Help(HelpOf(code, failure, connection));
  AddEndpoint(fault, connection);
  return fault;
}

std::vector<std::string> SplitList(const std::string& list) {
  std::vector<std::string> parts;
  size_t begin = 0;
  for (size_t comma = list.find(','); comma != std::string::npos; comma = list.find(',', begin)) {
    parts.push_back(list.substr(begin, comma - begin));
    begin = comma + 1;
  }
  parts.push_back(list.substr(begin));
  return parts;
}

// libpq takes the first "@" for the end of the password, and would show the rest of it as the name
// of a host that it does not find. Sockets have names like /run/a@b and @abstract.
bool HoldsPassword(const std::string& host) {
  const size_t at = host.find('@');
  return at != std::string::npos && at > 0 && host[0] != '/';
}

Status CheckDsn(const std::string& dsn) {
  if (dsn.empty()) return Status::OK();
  char* message = nullptr;
  PQconninfoOption* parsed = PQconninfoParse(dsn.c_str(), &message);
  if (parsed != nullptr) {
    bool password_in_host = false;
    for (auto* option = parsed; option->keyword != nullptr; ++option) {
      if (std::strcmp(option->keyword, "host") != 0 || option->val == nullptr) continue;
      const std::vector<std::string> hosts = SplitList(option->val);
      password_in_host = std::any_of(hosts.begin(), hosts.end(), HoldsPassword);
    }
    PQconninfoFree(parsed);
    if (!password_in_host) return Status::OK();
    return Fault(FaultCode::kBadValue, "dsn: the host's name has an \"@\" in it")
        .Help(std::string(kPasswordHelp));
  }
  const Fault fault = BadDsn(message, dsn);
  PQfreemem(message);
  return fault;
}

/// One of the hosts of a dsn, to be tried alone.
struct Host {
  std::string name;
  std::string address;
  std::string port;
  std::string role;  ///< target_session_attrs; empty: the dsn's
};

PGconn* StartConnect(const std::string& dsn, const std::optional<Host>& only) {
  // What stands before the dsn is a default, what stands behind it overrides it.
  constexpr size_t kOptions = 11;
  const auto part = [&](std::string Host::* member) {
    return only && !((*only).*member).empty() ? ((*only).*member).c_str() : nullptr;
  };
  const std::array<std::pair<const char*, const char*>, kOptions> options = {{
      {"fallback_application_name", "levada"},
      {"keepalives_idle", "30"},
      {"keepalives_interval", "10"},
      {"keepalives_count", "3"},
      {"dbname", dsn.empty() ? nullptr : dsn.c_str()},
      {"client_encoding", "UTF8"},
      {"host", part(&Host::name)},
      {"hostaddr", part(&Host::address)},
      {"port", part(&Host::port)},
      {"target_session_attrs", part(&Host::role)},
      {nullptr, nullptr},
  }};
  std::array<const char*, kOptions> keywords;
  std::array<const char*, kOptions> values;
  for (size_t i = 0; i < options.size(); ++i) {
    keywords[i] = options[i].first;
    values[i] = options[i].second;
  }
  return PQconnectStartParams(keywords.data(), values.data(), /*expand_dbname=*/1);
}

/// The hosts to try one by one: asked not to block, libpq waits for a silent one for ever and never
/// comes to the next. Empty: libpq shall do it, for there is one, or none can be tried alone.
std::vector<Host> HostsOf(const Settings& settings) {
  const std::vector<std::string> names = SplitList(settings.Get("host"));
  const std::vector<std::string> addresses = SplitList(settings.Get("hostaddr"));
  const std::vector<std::string> ports = SplitList(settings.Get("port"));
  const size_t count = std::max(names.size(), addresses.size());
  const auto fits = [&](const std::vector<std::string>& list) {
    return list.size() == count || (list.size() == 1 && list[0].empty());
  };
  if (count < 2 || !fits(names) || !fits(addresses) ||
      (ports.size() != count && ports.size() != 1)) {
    return {};
  }
  std::vector<Host> hosts;
  for (size_t i = 0; i < count; ++i) {
    Host host;
    if (names.size() == count) host.name = names[i];
    if (addresses.size() == count) host.address = addresses[i];
    host.port = ports.size() == count ? ports[i] : ports[0];
    // An empty place in the list means a default that nothing can ask for alone.
    if (host.name.empty() && host.address.empty()) return {};
    hosts.push_back(std::move(host));
  }
  // Twice through the list: for a standby, and then for any.
  if (settings.Get("target_session_attrs") == "prefer-standby") {
    for (Host& host : hosts) host.role = "standby";
    hosts.reserve(2 * count);
    for (size_t i = 0; i < count; ++i) {
      hosts.push_back(hosts[i]);
      hosts.back().role = "any";
    }
  }
  return hosts;
}

/// For each host, as libpq understands its own setting.
std::chrono::nanoseconds TimeoutOf(const Settings& settings) {
  const std::string text = settings.Get("connect_timeout");
  if (text.empty()) return kConnectTimeout;
  int64_t seconds = 0;
  std::from_chars(text.data(), text.data() + text.size(), seconds);
  // libpq takes 0 for "for ever" and, with the year 292 out of reach, so do we.
  return seconds > 0 && seconds < 1'000'000 ? std::chrono::seconds(seconds)
                                            : std::chrono::nanoseconds::max();
}

/// Polls until the connection stands or fails.
Status Establish(const Context& ctx, PGconn* raw, std::chrono::nanoseconds timeout) {
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
  return stage == CONNECTION_BAD ? ConnectFault(raw, stage) : Status::OK();
}

/// Whether another host of the list may do: as libpq, not after a wrong password.
bool MayDoElsewhere(const Status& status) {
  const FaultCode code = CodeOf(status);
  return code == FaultCode::kSourceUnreachable || code == FaultCode::kSourceBusy ||
         code == FaultCode::kSourceConnectionLost;
}

/// "db1:5432: Connection refused": why a host of a list was not taken.
std::string WhyNot(const Host& host, const Status& status) {
  const Fault fault = levada::FaultOf(status);
  std::string_view why = fault.message();
  for (const std::string_view lead : {"cannot connect: ", " failed: "}) {
    const size_t at = why.find(lead);
    if (at != std::string_view::npos) why.remove_prefix(at + lead.size());
  }
  return (host.name.empty() ? host.address : host.name) + ":" + host.port + ": " + std::string(why);
}

}  // namespace

Result<std::unique_ptr<Connection>> Connection::Open(const Context& ctx,
                                                     const ConnectOptions& options) {
  ARROW_RETURN_NOT_OK(ctx.Check());
  const std::string& dsn = options.dsn.Reveal();
  ARROW_RETURN_NOT_OK(CheckDsn(dsn));
  std::unique_ptr<pg_conn, Closer> connection(StartConnect(dsn, std::nullopt));
  if (connection == nullptr) return Status::OutOfMemory("libpq: no memory for a connection");
  std::vector<Host> hosts;
  std::chrono::nanoseconds timeout{0};
  {
    const Settings settings(connection.get());
    timeout = options.connect_timeout.value_or(TimeoutOf(settings));
    if (PQstatus(connection.get()) != CONNECTION_BAD) hosts = HostsOf(settings);
  }
  Status status;
  if (hosts.empty()) {
    PQsetErrorVerbosity(connection.get(), PQERRORS_VERBOSE);
    status = Establish(ctx, connection.get(), timeout);
  }
  if (options.connect_timeout && !hosts.empty()) timeout /= static_cast<int64_t>(hosts.size());
  std::string passed;
  for (const Host& host : hosts) {
    connection.reset(StartConnect(dsn, host));
    if (connection == nullptr) return Status::OutOfMemory("libpq: no memory for a connection");
    PQsetErrorVerbosity(connection.get(), PQERRORS_VERBOSE);
    status = Establish(ctx, connection.get(), timeout);
    if (!MayDoElsewhere(status)) break;
    passed += (passed.empty() ? "" : "; ") + WhyNot(host, status);
  }
  // The failure of the last host alone would send its reader to the wrong machine.
  if (!status.ok() && !passed.empty()) return WithDetail(status, "hosts", passed);
  ARROW_RETURN_NOT_OK(status);
  if (PQsetnonblocking(connection.get(), 1) != 0) {
    return Fault(FaultCode::kInternal, "libpq: cannot make a connection non-blocking");
  }
  // libpq would print the server's notices to standard error.
  PQsetNoticeReceiver(connection.get(), [](void*, const PGresult*) {}, nullptr);
  return std::unique_ptr<Connection>(new Connection(std::move(connection)));
}

}  // namespace levada::pq
