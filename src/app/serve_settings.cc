#include "app/serve_settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "app/pipeline_file.h"
#include "app/serve_options.h"
#include "elt/hidden_source.h"
#include "elt/option_problems.h"
#include "elt/value.h"

namespace levada::app {
namespace {

using std::chrono::milliseconds;

/// What stands in no file as a text of its own, so that a diagnostic can point into it.
elt::Entry EntryWritten(const char* where, const std::string& as, char between,
                        const std::string& key, const std::string& text) {
  auto source = std::make_shared<SourceText>();
  source->name = where;
  source->text = as + between + text;
  elt::Entry entry;
  entry.key = key;
  entry.key_span = {1, 1, static_cast<uint32_t>(as.size())};
  entry.value.kind = elt::Value::Kind::kScalar;
  entry.value.text = text;
  entry.value.span = {1, static_cast<uint32_t>(as.size() + 2),
                      static_cast<uint32_t>(std::max<size_t>(text.size(), 1))};
  entry.value.origin = elt::HideLikelySecrets(source);
  return entry;
}

/// `--listen 8787`.
elt::Entry EntryOfFlag(const ServeOption& option, const std::string& text) {
  return EntryWritten("<command line>", "--" + FlagOf(option.spec.name), ' ', option.spec.name,
                      text);
}

/// The least of those who may name it.
void AddDataOfEnvironment(const elt::Environment& environment, elt::Value& root) {
  const char* const name = "LEVADA_DATA";
  const std::optional<std::string> data = environment.variable(name);
  if (!data || data->empty() || root.kind != elt::Value::Kind::kMap) return;
  if (root.FindEntry("data") != nullptr) return;
  root.entries.push_back(EntryWritten("<environment>", name, '=', "data", *data));
}

Result<elt::Value> ReadFile(os::Disk& disk, const std::shared_ptr<SourceText>& source) {
  Result<std::string> text = ReadYamlFile(disk, source->name);
  if (!text.ok()) {
    Fault fault = FaultOf(text.status());
    if (fault.help().empty()) fault.Help("name a YAML file that this user may read with --config");
    return fault;
  }
  source->text = *std::move(text);
  ARROW_ASSIGN_OR_RAISE(elt::Value root, elt::ParseYaml(source));
  if (root.kind == elt::Value::Kind::kNull) root.kind = elt::Value::Kind::kMap;
  return root;
}

LogLevel LogLevelOf(const std::string& word) {
  constexpr std::pair<std::string_view, LogLevel> kWords[] = {
      {"trace", LogLevel::kTrace},     {"debug", LogLevel::kDebug}, {"info", LogLevel::kInfo},
      {"warning", LogLevel::kWarning}, {"error", LogLevel::kError}, {"off", LogLevel::kOff}};
  for (const auto& [known, level] : kWords) {
    if (word == known) return level;
  }
  return LogLevel::kInfo;
}

struct Address {
  std::string host;
  uint16_t port = 0;
};
/// "127.0.0.1:8787", "[::1]:8787"; ":8787" is not accepted: who may connect is worth a word.
std::optional<Address> ParseAddress(const std::string& text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0) return std::nullopt;
  Address address{text.substr(0, colon)};
  if (address.host.front() == '[' && address.host.back() == ']') {
    address.host = address.host.substr(1, address.host.size() - 2);
  }
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data() + colon + 1, end, address.port);
  if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
  return address;
}

Address AddressOf(const elt::Options& options, const char* name,
                  std::vector<Diagnostic>& problems) {
  const std::string& text = options.Text(name);
  std::optional<Address> address = ParseAddress(text);
  if (address) return *std::move(address);
  elt::AddProblem(
      problems,
      options.ErrorAt(name, FaultCode::kBadValue,
                      fmt::format("\"{}\": expected ADDRESS:PORT, got \"{}\"", name, text),
                      "such as 127.0.0.1:8787, or 0.0.0.0:8787 for every network of "
                      "this machine"));
  return {};
}

milliseconds Milliseconds(const elt::Options& options, const char* name) {
  return std::chrono::duration_cast<milliseconds>(options.Duration(name));
}

/// Below it nobody could be served.
milliseconds TimeoutOf(const elt::Options& options, const char* name,
                       std::vector<Diagnostic>& problems) {
  constexpr milliseconds kShortest{100};
  const milliseconds timeout = Milliseconds(options, name);
  if (timeout < kShortest) {
    elt::AddProblem(problems,
                    options.ErrorAt(name, FaultCode::kBadValue,
                                    fmt::format("\"{}\": expected at least 100ms, got {}ms", name,
                                                timeout.count()),
                                    fmt::format("for example: {}: 30s", name)));
  }
  return timeout;
}

net::ServerLimits LimitsOf(const elt::Options& options, std::vector<Diagnostic>& problems) {
  net::ServerLimits limits;
  limits.connections_max = static_cast<size_t>(options.Integer("connections"));
  limits.header_bytes_max = static_cast<size_t>(options.Integer("header"));
  limits.header_timeout = TimeoutOf(options, "header_timeout", problems);
  limits.idle_timeout = TimeoutOf(options, "idle_timeout", problems);
  limits.stall_timeout = TimeoutOf(options, "stall_timeout", problems);
  return limits;
}

std::optional<net::TlsFiles> TlsOf(const elt::Options& options, std::vector<Diagnostic>& problems) {
  const bool has_certificate = options.Has("tls_certificate");
  if (has_certificate != options.Has("tls_key")) {
    const char* given = has_certificate ? "tls_certificate" : "tls_key";
    const char* missing = has_certificate ? "tls_key" : "tls_certificate";
    elt::AddProblem(problems, options.ErrorAt(given, FaultCode::kMissingKey,
                                              fmt::format("\"{}\" needs \"{}\"", given, missing),
                                              "a certificate and its key go together"));
    return std::nullopt;
  }
  if (!has_certificate) return std::nullopt;
  return net::TlsFiles{options.Text("tls_certificate"), options.Text("tls_key")};
}

services::d1::BackupPlan BackupsOf(const elt::Options& d1, std::vector<Diagnostic>& problems) {
  services::d1::BackupPlan plan;
  if (!d1.Given("backup")) return plan;
  const elt::Options backup = d1.Group("backup");
  plan.buckets = backup.Texts("to");
  plan.databases = backup.Texts("databases");
  plan.keep = static_cast<size_t>(backup.Integer("keep"));
  plan.every = std::chrono::duration_cast<std::chrono::seconds>(backup.Duration("every"));
  if (plan.every < std::chrono::seconds(1)) {
    elt::AddProblem(problems,
                    backup.ErrorAt("every", FaultCode::kBadValue, "\"every\": expected at least 1s",
                                   "for example: every: 1d"));
  }
  if (plan.buckets.empty()) {
    elt::AddProblem(
        problems, backup.ErrorAt("to", FaultCode::kBadValue, "\"to\": expected a bucket, got none",
                                 "for example: to: [backups]"));
  }
  return plan;
}

std::optional<services::analytics::ClickhouseAddress> AnalyticsEngineOf(
    const elt::Options& options, std::vector<Diagnostic>& problems) {
  const char* const name = "analytics_engine";
  if (!options.Has(name)) {
    if (!options.Has("analytics_password_file")) return std::nullopt;
    elt::AddProblem(problems,
                    options.ErrorAt("analytics_password_file", FaultCode::kMissingKey,
                                    "\"analytics_password_file\" needs \"analytics_engine\"",
                                    "it is the password of a ClickHouse server; libchdb has none"));
    return std::nullopt;
  }
  auto address = services::analytics::ParseClickhouseAddress(options.Text(name));
  if (address.ok()) return *std::move(address);
  const Fault fault = FaultOf(address.status());
  elt::AddProblem(problems,
                  options.ErrorAt(name, fault.code(),
                                  fmt::format("\"{}\": {}", name, fault.message()), fault.help()));
  return std::nullopt;
}

DaemonOptions DaemonOf(const elt::Options& options, std::vector<Diagnostic>& problems) {
  DaemonOptions daemon;
  daemon.data = options.Text("data");
  if (options.Has("master_key")) daemon.master_key_path = options.Text("master_key");
  const Address address = AddressOf(options, "listen", problems);
  daemon.host = address.host;
  daemon.port = address.port;
  const Address s3_address = AddressOf(options, "s3_listen", problems);
  daemon.s3_host = s3_address.host;
  daemon.s3_port = s3_address.port;
  if (options.Has("s3_domain")) daemon.s3_domain = options.Text("s3_domain");
  if (options.Has("analytics_library")) {
    daemon.analytics_library = options.Text("analytics_library");
  }
  daemon.backups = BackupsOf(options.Group("d1"), problems);
  daemon.analytics_server = AnalyticsEngineOf(options, problems);
  if (options.Has("analytics_password_file")) {
    daemon.analytics_password_file = options.Text("analytics_password_file");
  }
  daemon.tls = TlsOf(options, problems);
  const elt::Options limits = options.Group("limits");
  daemon.limits = LimitsOf(limits, problems);
  daemon.are_connections_configured = limits.Given("connections");
  daemon.requests.all = options.Text("log_requests") == "all";
  daemon.requests.slow = Milliseconds(options, "slow_request");
  daemon.grace = Milliseconds(options, "stop_grace");
  const std::string& metrics = options.Text("metrics");
  daemon.metrics = metrics == "open"  ? MetricsAccess::kOpen
                   : metrics == "off" ? MetricsAccess::kOff
                                      : MetricsAccess::kToken;
  return daemon;
}

}  // namespace

Result<ServeSettings> ReadServeSettings(const CommandLine& line, os::Disk& disk,
                                        std::shared_ptr<const elt::Environment> environment) {
  auto source = std::make_shared<SourceText>();
  source->name = line.config.empty() ? "<command line>" : line.config;
  elt::Value root;
  root.kind = elt::Value::Kind::kMap;
  if (!line.config.empty()) {
    ARROW_ASSIGN_OR_RAISE(root, ReadFile(disk, source));
  }
  for (const ServeOption& option : ServeOptions()) {
    const std::string& text = line.*option.text;
    if (text.empty() || root.kind != elt::Value::Kind::kMap) continue;
    elt::Entry entry = EntryOfFlag(option, text);
    if (elt::Entry* written = root.FindEntry(option.spec.name)) {
      *written = std::move(entry);
    } else {
      root.entries.push_back(std::move(entry));
    }
  }
  AddDataOfEnvironment(*environment, root);
  std::vector<Diagnostic> problems;
  const elt::Options options =
      elt::ValidateOptions(ServeFileSpec(), root, "the configuration",
                           elt::HideLikelySecrets(source), environment, problems);
  if (!problems.empty()) return elt::ToStatus(std::move(problems));
  ServeSettings settings;
  settings.daemon = DaemonOf(options, problems);
  if (!problems.empty()) return elt::ToStatus(std::move(problems));
  settings.log_level = line.log_level;
  settings.log_format = line.log_format;
  if (!settings.log_level && options.Has("log_level")) {
    settings.log_level = LogLevelOf(options.Text("log_level"));
  }
  // Asked for, they have to be seen: requests are events of level info.
  if (!settings.log_level && !line.quiet && options.Given("log_requests")) {
    settings.log_level = LogLevel::kInfo;
  }
  if (!settings.log_format && options.Has("log_format")) {
    settings.log_format =
        options.Text("log_format") == "json" ? LogFormat::kJson : LogFormat::kText;
  }
  return settings;
}

}  // namespace levada::app
