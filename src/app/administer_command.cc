#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>

#include "app/admin_client.h"
#include "app/commands.h"
#include "app/json_output.h"
#include "app/table.h"
#include "base/json.h"
#include "base/quantity.h"

namespace levada::app {
namespace {

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

/// On a terminal it is to fit: times to the minute, and no state where all are valid.
std::string TableOf(const Json& tokens, const Terminal& terminal) {
  const bool is_brief = terminal.output_is_terminal;
  const bool has_states = !is_brief || std::ranges::any_of(tokens, [](const Json& token) {
    return token["state"] != "valid";
  });
  Table table({{"token id"},
               {"name", Align::kLeft, false, false, true},
               {"state", Align::kLeft, false, true},
               {"scopes", Align::kLeft, false, false, true},
               {"expires"}});
  for (const Json& token : tokens) {
    const std::string expires = Cell(token["expires_at"]);
    table.AddRow({Cell(token["token_id"]), Cell(token["name"]),
                  has_states ? Cell(token["state"]) : "", Cell(token["scopes"]),
                  is_brief ? TimeToMinute(expires) : expires});
  }
  return table.Render(OutputStyle(terminal, 0));
}

std::string AccountsOf(const Json& accounts, const Terminal& terminal) {
  Table table({{"account id"}, {"name", Align::kLeft, false, false, true}, {"created"}});
  for (const Json& account : accounts) {
    const std::string created = Cell(account["created_at"]);
    table.AddRow({Cell(account["account_id"]), Cell(account["name"]),
                  terminal.output_is_terminal ? TimeToMinute(created) : created});
  }
  return table.Render(OutputStyle(terminal, 0));
}

std::string TextOf(const CommandLine& line, const Json& answer, const Terminal& terminal) {
  if (answer.contains("token")) {
    std::string notes;
    for (const Json& note : answer.value("notes", Json::array())) {
      notes += "\n" + note.get<std::string>() + ".\n";
    }
    return fmt::format(
        "token          {}\ntoken id       {}\naccount        {}\nS3 access key  {}\n"
        "S3 secret      {}\nexpires        {}\n\nIt is shown this once.\n{}",
        Cell(answer["token"]), Cell(answer["token_id"]), Cell(answer["account_id"]),
        Cell(answer["s3_access_key_id"]), Cell(answer["s3_secret_access_key"]),
        Cell(answer["expires_at"]), notes);
  }
  if (answer.contains("tokens")) {
    return TableOf(answer["tokens"], terminal);
  }
  if (answer.contains("accounts")) {
    return AccountsOf(answer["accounts"], terminal);
  }
  if (line.verb == Verb::kAccount) {
    return fmt::format("account {} has the id {}\n", Cell(answer["name"]),
                       Cell(answer["account_id"]));
  }
  return fmt::format("{} is {}\n", Cell(answer["token_id"]), Cell(answer["state"]));
}

Status DoAdminister(Session& session) {
  ARROW_ASSIGN_OR_RAISE(const std::string request, RequestOf(session.line()));
  ARROW_ASSIGN_OR_RAISE(const auto client, AdminClient::Open(session));
  ARROW_ASSIGN_OR_RAISE(const std::string text, client->Ask(request));
  const Json answer = ParseJson(text);
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
