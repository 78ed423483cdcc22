#include <fmt/format.h>

#include <chrono>
#include <optional>

#include "app/commands.h"
#include "app/json_output.h"
#include "app/serve_settings.h"
#include "app/table.h"
#include "base/json.h"
#include "base/quantity.h"
#include "net/local_request.h"
#include "services/core/admin.h"
#include "services/core/data_directory.h"
#include "services/core/open_control.h"

namespace levada::app {
namespace {

constexpr auto kPatience = std::chrono::seconds(30);
constexpr int64_t kLifeSeconds = int64_t{90} * 86'400;
constexpr int64_t kOverlapSeconds = 3600;

Result<int64_t> SecondsOf(const char* option, const std::string& text) {
  const Result<std::chrono::nanoseconds> duration = ParseDuration(text);
  if (!duration.ok()) {
    return Fault(FaultCode::kBadCommandLine,
                 fmt::format("option \"{}\": expected a duration such as 12h or 30d, got \"{}\"",
                             option, text));
  }
  return std::chrono::duration_cast<std::chrono::seconds>(*duration).count();
}

Result<std::string> RequestOf(const CommandLine& line) {
  const bool is_token = line.verb == Verb::kToken;
  Json request = {{"do", (is_token ? "token." : "account.") + line.action}};
  if (!line.account.empty()) request["account"] = line.account;
  if (!is_token) {
    request["name"] = line.subject;
    return Dump(request);
  }
  request["id"] = line.subject;
  request["name"] = line.label;
  request["scopes"] = line.scopes;
  if (line.expires.empty()) {
    request["ttl_s"] = kLifeSeconds;
  } else if (line.expires != "never") {
    ARROW_ASSIGN_OR_RAISE(request["ttl_s"], SecondsOf("--expires", line.expires));
  }
  request["overlap_s"] = kOverlapSeconds;
  if (!line.overlap.empty()) {
    ARROW_ASSIGN_OR_RAISE(request["overlap_s"], SecondsOf("--overlap", line.overlap));
  }
  return Dump(request);
}

/// What the daemon answered, as if it had been done here.
Result<std::string> AnswerOf(const net::LocalAnswer& answer) {
  if (answer.status == 200) return answer.body;
  const Json said = ParseJson(answer.body);
  const auto text = [&said](const char* name) {
    return said.is_object() && said.contains(name) && said[name].is_string()
               ? said[name].get<std::string>()
               : std::string();
  };
  Fault fault(
      answer.status == 400 ? FaultCode::kBadValue : FaultCode::kTargetIo,
      text("error").empty() ? "the daemon could not do it; its log says why" : text("error"));
  if (!text("help").empty()) fault.Help(text("help"));
  return fault;
}

Result<std::string> Ask(Session& session, const std::string& request) {
  ARROW_ASSIGN_OR_RAISE(const ServeSettings settings,
                        ReadServeSettings(session.line(), session.disk(), session.environment()));
  const std::string& path = settings.daemon.data;
  ARROW_ASSIGN_OR_RAISE(const auto there, session.disk().Stat(os::JoinPath(path, "VERSION")));
  if (!there) {
    return Fault(FaultCode::kBadValue, fmt::format("\"{}\" is no data directory", path))
        .With("path", path)
        .Help("name it with --data; the first `levada serve` makes it");
  }
  ARROW_ASSIGN_OR_RAISE(const auto directory,
                        services::DataDirectory::TryOpen(session.disk(), path));
  if (directory == nullptr) {
    ARROW_ASSIGN_OR_RAISE(const auto answer, net::PostLocally(os::JoinPath(path, "admin.sock"),
                                                              request, session.clock(), kPatience));
    if (answer) return AnswerOf(*answer);
    return Fault(FaultCode::kLeaseHeld,
                 fmt::format("another process has \"{}\" and does not listen yet", path))
        .Help("try again in a moment");
  }
  ARROW_ASSIGN_OR_RAISE(
      const auto control,
      services::OpenControl(session.disk(), *directory, settings.daemon.master_key_path,
                            session.clock(), session.random()));
  return services::RunAdmin(*control, session.clock(), request);
}

std::string Cell(const Json& value) {
  if (value.is_null()) return "never";
  if (value.is_string()) return value.get<std::string>();
  std::string text;
  for (const Json& each : value) {
    if (!text.empty()) text += " ";
    text += each.get<std::string>();
  }
  return text;
}

std::string TextOf(const CommandLine& line, const Json& answer, const Terminal& terminal) {
  if (answer.contains("token")) {
    return fmt::format(
        "token          {}\ntoken id       {}\naccount        {}\nS3 access key  {}\n"
        "S3 secret      {}\nexpires        {}\n\nIt is shown this once.\n",
        Cell(answer["token"]), Cell(answer["token_id"]), Cell(answer["account_id"]),
        Cell(answer["s3_access_key_id"]), Cell(answer["s3_secret_access_key"]),
        Cell(answer["expires_at"]));
  }
  if (answer.contains("tokens")) {
    Table table({{"token id"}, {"name"}, {"state"}, {"scopes"}, {"expires"}});
    for (const Json& token : answer["tokens"]) {
      table.AddRow({Cell(token["token_id"]), Cell(token["name"]), Cell(token["state"]),
                    Cell(token["scopes"]), Cell(token["expires_at"])});
    }
    return table.Render(OutputStyle(terminal, 0));
  }
  if (answer.contains("accounts")) {
    Table table({{"account id"}, {"name"}, {"created"}});
    for (const Json& account : answer["accounts"]) {
      table.AddRow(
          {Cell(account["account_id"]), Cell(account["name"]), Cell(account["created_at"])});
    }
    return table.Render(OutputStyle(terminal, 0));
  }
  if (line.verb == Verb::kAccount) return Cell(answer["account_id"]) + "\n";
  return fmt::format("{} is {}\n", Cell(answer["token_id"]), Cell(answer["state"]));
}

Status DoAdminister(Session& session) {
  ARROW_ASSIGN_OR_RAISE(const std::string request, RequestOf(session.line()));
  ARROW_ASSIGN_OR_RAISE(const std::string text, Ask(session, request));
  const Json answer = ParseJson(text);
  if (answer.is_discarded()) {
    return Fault(FaultCode::kTargetIo, "the daemon's answer is cut short");
  }
  if (session.line().json) return WriteOutput(text + "\n");
  return WriteOutput(TextOf(session.line(), answer, session.terminal()));
}

}  // namespace

Outcome Administer(Session& session) {
  Outcome outcome;
  outcome.Note(DoAdminister(session));
  return outcome;
}

}  // namespace levada::app
