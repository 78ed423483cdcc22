#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <utility>

#include "app/admin_client.h"
#include "app/commands.h"
#include "app/d1_services.h"
#include "app/shell_input.h"
#include "app/sql_shell.h"
#include "base/json.h"
#include "base/quantity.h"

namespace levada::app {
namespace {

Status ListDatabases(Session& session, AdminClient& client) {
  const CommandLine& line = session.line();
  Json request = {{"do", "d1.list"}};
  if (!line.account.empty()) request["account"] = line.account;
  ARROW_ASSIGN_OR_RAISE(const std::string answer, client.Ask(Dump(request)));
  if (line.json) return WriteOutput(answer + "\n");
  return WriteOutput(TableOfDatabases(answer, session.terminal()));
}

Status RunShell(Session& session, AdminClient& client) {
  const CommandLine& line = session.line();
  const Terminal& terminal = session.terminal();
  const bool is_given = !line.sql.empty() || !line.sql_file.empty();
  SqlShellOptions options;
  options.database = line.subject;
  options.account = line.account;
  options.mode = line.json                     ? QueryMode::kJson
                 : terminal.output_is_terminal ? QueryMode::kTable
                                               : QueryMode::kCsv;
  options.is_interactive = !is_given && IsInputTerminal();
  options.has_summaries =
      !line.quiet && !line.json && terminal.error_is_terminal && terminal.output_is_terminal;
  SqlShell shell(session, client, std::move(options));
  ARROW_RETURN_NOT_OK(shell.Connect());
  if (!line.sql.empty()) ARROW_RETURN_NOT_OK(shell.Run(*TextInput(line.sql), "--command"));
  if (!line.sql_file.empty()) {
    ARROW_ASSIGN_OR_RAISE(const auto file, FileInput(session.disk(), line.sql_file));
    ARROW_RETURN_NOT_OK(shell.Run(*file, line.sql_file));
  }
  if (is_given) return Status::OK();
  return session.NameSignal(shell.Run(*StandardInput(session.context()), "<standard input>"));
}

constexpr auto kCopyPatience = std::chrono::hours(1);

Result<std::string> AskForCopy(Session& session, AdminClient& client) {
  const CommandLine& line = session.line();
  Json request = {{"do", "d1." + line.action}, {"database", line.subject}};
  if (!line.account.empty()) request["account"] = line.account;
  if (!line.bucket.empty()) request["bucket"] = line.bucket;
  if (!line.from.empty()) request["from"] = line.from;
  return client.Ask(Dump(request), kCopyPatience);
}

std::string TextOfBackup(const Json& answer) {
  if (!answer["is_new"].get<bool>()) {
    return fmt::format("nothing has changed since {}\n", answer["key"].get<std::string>());
  }
  return fmt::format("{} in bucket {}, {}\n", answer["key"].get<std::string>(),
                     answer["bucket"].get<std::string>(),
                     FormatBytes(answer["bytes"].get<int64_t>()));
}

std::string TextOfRestore(const Json& answer) {
  const std::string name = answer["name"].get<std::string>();
  std::string text =
      fmt::format("database {} is what {} has\nbookmark   {}\n", name,
                  answer["key"].get<std::string>(), answer["bookmark"].get<std::string>());
  if (answer["previous"].is_null()) {
    return text + fmt::format("it is a new one, {}\n", answer["database_id"].get<std::string>());
  }
  return text + fmt::format("to undo it: wrangler d1 time-travel restore {} --bookmark {}\n", name,
                            answer["previous"].get<std::string>());
}

Status CopyDatabase(Session& session, AdminClient& client) {
  const CommandLine& line = session.line();
  ARROW_ASSIGN_OR_RAISE(const std::string text, AskForCopy(session, client));
  if (line.json) return WriteOutput(text + "\n");
  const Json answer = ParseJson(text);
  return WriteOutput(line.action == "backup" ? TextOfBackup(answer) : TextOfRestore(answer));
}

Status DoAdministerD1(Session& session) {
  const std::string& action = session.line().action;
  const bool has_backups = action == "backup" || action == "restore";
  ARROW_ASSIGN_OR_RAISE(const auto client,
                        AdminClient::Open(session, D1Services(session, has_backups)));
  if (action == "list") return ListDatabases(session, *client);
  if (has_backups) return session.NameSignal(CopyDatabase(session, *client));
  return RunShell(session, *client);
}

}  // namespace

Outcome AdministerD1(Session& session) {
  Outcome outcome;
  outcome.Note(DoAdministerD1(session));
  return outcome;
}

}  // namespace levada::app
