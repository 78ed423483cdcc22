#include <fmt/format.h>

#include <charconv>

#include "app/commands.h"
#include "app/daemon.h"
#include "base/json.h"
#include "base/quantity.h"

namespace levada::app {
namespace {

constexpr const char* kDefaultData = "levada-data";

/// "127.0.0.1:8787", "[::1]:8787", ":8787" is not accepted: who may connect is worth a word.
Status ParseListen(const std::string& text, DaemonOptions& options) {
  const size_t colon = text.rfind(':');
  const auto refuse = [&text]() -> Status {
    return Fault(FaultCode::kBadCommandLine,
                 fmt::format("option \"--listen\": expected ADDRESS:PORT, got \"{}\"", text))
        .Help("such as 127.0.0.1:8787, or 0.0.0.0:8787 for every network of this machine");
  };
  if (colon == std::string::npos || colon == 0) return refuse();
  std::string host = text.substr(0, colon);
  if (host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  int port = 0;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data() + colon + 1, end, port);
  if (parsed.ec != std::errc() || parsed.ptr != end || port < 0 || port > 65535) return refuse();
  options.host = std::move(host);
  options.port = static_cast<uint16_t>(port);
  return Status::OK();
}

Result<DaemonOptions> OptionsOf(const CommandLine& line) {
  DaemonOptions options;
  options.data = line.data.empty() ? kDefaultData : line.data;
  options.master_key_path = line.master_key;
  if (!line.listen.empty()) ARROW_RETURN_NOT_OK(ParseListen(line.listen, options));
  options.requests.all = line.log_requests == "all";
  if (!line.slow_request.empty()) {
    const auto slow = ParseDuration(line.slow_request);
    if (!slow.ok()) {
      return Fault(FaultCode::kBadCommandLine,
                   fmt::format("option \"--slow-request\": expected a duration such as 500ms, got "
                               "\"{}\"",
                               line.slow_request));
    }
    options.requests.slow = std::chrono::duration_cast<std::chrono::milliseconds>(*slow);
  }
  if (line.tls_certificate.empty() != line.tls_key.empty()) {
    return Fault(FaultCode::kBadCommandLine, "--tls-certificate and --tls-key go together");
  }
  if (!line.tls_key.empty()) options.tls = net::TlsFiles{line.tls_certificate, line.tls_key};
  return options;
}

std::string ReadyJson(const Daemon& daemon, const DaemonOptions& options) {
  Json ready = {{"levada_serve", 1},
                {"event", "ready"},
                {"data", options.data},
                {"api", daemon.api_url() + "/client/v4"}};
  if (const auto& first = daemon.first_start()) {
    ready["account_id"] = first->account.id;
    ready["token"] = first->token.text.Reveal();
    ready["token_id"] = first->token.token.id;
    ready["s3_access_key_id"] = first->token.token.id;
    ready["s3_secret_access_key"] = first->token.s3_secret.Reveal();
  }
  return Dump(ready) + "\n";
}

std::string ReadyText(const Daemon& daemon, const DaemonOptions& options,
                      const Terminal& terminal) {
  const Paint paint(terminal.output_color);
  std::string text;
  if (const auto& first = daemon.first_start()) {
    text += fmt::format(
        "This is the first start of {}{}{}: it has an account and a token, which is shown this "
        "once.\n\n"
        "  export CLOUDFLARE_API_BASE_URL={}/client/v4\n"
        "  export CLOUDFLARE_ACCOUNT_ID={}\n"
        "  export CLOUDFLARE_API_TOKEN={}\n\n"
        "It may do everything and expires in 90 days; `levada token create` makes narrower ones.\n",
        paint.bold, options.data, paint.reset, daemon.api_url(), first->account.id,
        first->token.text.Reveal());
  }
  return text + fmt::format("{}ready{}: {}/client/v4, data in {}\n", paint.green, paint.reset,
                            daemon.api_url(), options.data);
}

Status RunDaemon(Session& session) {
  ARROW_ASSIGN_OR_RAISE(const DaemonOptions options, OptionsOf(session.line()));
  Logger& log = *session.context().log;
  ARROW_ASSIGN_OR_RAISE(const auto daemon, Daemon::Start(options, session.disk(), session.clock(),
                                                         session.random(), log));
  ARROW_RETURN_NOT_OK(WriteOutput(session.line().json
                                      ? ReadyJson(*daemon, options)
                                      : ReadyText(*daemon, options, session.terminal())));
  daemon->Run(session.context().stop);
  return Status::OK();
}

}  // namespace

Outcome Serve(Session& session) {
  Outcome outcome;
  outcome.Note(RunDaemon(session));
  return outcome;
}

}  // namespace levada::app
