#include <chrono>
#include <memory>
#include <utility>

#include "app/admin_client.h"
#include "app/commands.h"
#include "app/d1_services.h"
#include "app/shell_input.h"
#include "app/sql_shell.h"
#include "base/json.h"

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

Status DoAdministerD1(Session& session) {
  ARROW_ASSIGN_OR_RAISE(const auto client, AdminClient::Open(session, D1Services(session)));
  const std::string& action = session.line().action;
  if (action == "list") return ListDatabases(session, *client);
  return RunShell(session, *client);
}

}  // namespace

Outcome AdministerD1(Session& session) {
  Outcome outcome;
  outcome.Note(DoAdministerD1(session));
  return outcome;
}

}  // namespace levada::app
